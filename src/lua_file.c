/* lua_file.c - files that appear when they are whole, and hashes, for Lua. */
#include "lua_file.h"

#include "file.h"
#include "signals.h"

#include <errno.h>
#include <string.h>

#define FILE_TYPE "scrutinizer.file"
#define HASH_TYPE "scrutinizer.hash"

static const char *reason(int failed) {
  if (failed == EBUSY)
    return "another process writes this file";
  return failed == ENOTSUP ? "not a plain file" : strerror(failed);
}

/*
** true; or nil, the reason of a number of errno, and whether another process
** writes the same file.
*/
static int push_result(lua_State *L, int failed) {
  if (!failed) {
    lua_pushboolean(L, 1);
    return 1;
  }
  lua_pushnil(L);
  lua_pushstring(L, reason(failed));
  lua_pushboolean(L, failed == EBUSY);
  return 3;
}

static char *copy(char *to, const char *from, size_t len) {
  return memcpy(to, from, len + 1);
}

int sz_lua_file_new(lua_State *L) {
  size_t path_len, part_len;
  const char *path = luaL_checklstring(L, 1, &path_len);
  const char *part = luaL_checklstring(L, 2, &part_len);
  struct sz_file *f = lua_newuserdata(L, sizeof *f + path_len + part_len + 2);
  char *text = (char *)(f + 1);
  int failed;
  f->fd = -1;
  luaL_setmetatable(L, FILE_TYPE);
  copy(text, path, path_len);
  copy(text + path_len + 1, part, part_len);
  failed = sz_file_open(f, text, text + path_len + 1);
  return failed ? push_result(L, failed) : 1;
}

static struct sz_file *check_open(lua_State *L) {
  struct sz_file *f = luaL_checkudata(L, 1, FILE_TYPE);
  luaL_argcheck(L, f->fd >= 0, 1, "attempt to use a closed file");
  return f;
}

/* file:write(text) -> true | nil, reason, other */
static int file_write(lua_State *L) {
  struct sz_file *f = check_open(L);
  size_t len;
  const char *text = luaL_checklstring(L, 2, &len);
  return push_result(L, sz_file_write(f, text, len));
}

static int push_digest(lua_State *L, const struct sz_sha256 *hash) {
  struct sz_sha256 end = *hash;
  char hex[SZ_SHA256_HEX];
  sz_sha256_end(&end, hex);
  lua_pushstring(L, hex);
  lua_pushnumber(L, (lua_Number)hash->bytes);
  return 2;
}

/* file:finish() -> SHA-256, bytes | nil, reason, other */
static int file_finish(lua_State *L) {
  struct sz_file *f = check_open(L);
  int failed = sz_file_finish(f);
  return failed ? push_result(L, failed) : push_digest(L, &f->hash);
}

/* file:abort(), __gc: removes what was written, unless it is finished. */
static int file_abort(lua_State *L) {
  sz_file_abort(luaL_checkudata(L, 1, FILE_TYPE));
  return 0;
}

int sz_lua_hash_new(lua_State *L) {
  sz_sha256_init(lua_newuserdata(L, sizeof(struct sz_sha256)));
  luaL_setmetatable(L, HASH_TYPE);
  return 1;
}

/* hash:add(text) */
static int hash_add(lua_State *L) {
  struct sz_sha256 *hash = luaL_checkudata(L, 1, HASH_TYPE);
  size_t len;
  const char *text = luaL_checklstring(L, 2, &len);
  sz_sha256_add(hash, text, len);
  return 0;
}

/* hash:digest() -> SHA-256 of all that was added, bytes */
static int hash_digest(lua_State *L) {
  return push_digest(L, luaL_checkudata(L, 1, HASH_TYPE));
}

int sz_lua_handle_signals(lua_State *L) {
  sz_signals_handle((int)luaL_checkinteger(L, 1));
  return 0;
}

static void add_class(lua_State *L, const char *name,
                      const luaL_Reg *methods) {
  luaL_newmetatable(L, name);
  lua_newtable(L);
  luaL_setfuncs(L, methods, 0);
  lua_setfield(L, -2, "__index");
  lua_pushstring(L, name);
  lua_setfield(L, -2, "__name");
}

void sz_lua_file_register(lua_State *L) {
  static const luaL_Reg FILE_METHODS[] = {
      {"abort", file_abort},
      {"finish", file_finish},
      {"write", file_write},
      {NULL, NULL},
  };
  static const luaL_Reg HASH_METHODS[] = {
      {"add", hash_add},
      {"digest", hash_digest},
      {NULL, NULL},
  };
  add_class(L, FILE_TYPE, FILE_METHODS);
  lua_pushcfunction(L, file_abort);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
  add_class(L, HASH_TYPE, HASH_METHODS);
  lua_pop(L, 1);
}
