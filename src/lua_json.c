/* lua_json.c - JSON values as Lua values. */
#include "lua_json.h"

#include "number.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BUILDER "scrutinizer.json_builder"
#define ARRAY_MT "scrutinizer.array"
#define DEFAULT_DEPTH 64
#define LUA_DEPTH 4000 /* more than that is a bomb */

/* Owns the scanner, so that an error raised by Lua leaks nothing. */
struct builder {
  struct sz_json json;
  lua_Integer *lengths; /* items so far, one a level; NULL once freed */
  int exact;
};

/* At once when the work is done: the collector does not see this memory. */
static void release(struct builder *b) {
  if (b->lengths) {
    sz_json_free(&b->json);
    free(b->lengths);
    b->lengths = NULL;
  }
}

static int builder_free(lua_State *L) {
  release(luaL_checkudata(L, 1, BUILDER));
  return 0;
}

void sz_lua_json_register(lua_State *L) {
  luaL_newmetatable(L, BUILDER);
  lua_pushcfunction(L, builder_free);
  lua_setfield(L, -2, "__gc");
  luaL_newmetatable(L, ARRAY_MT);
  lua_pushliteral(L, "array");
  lua_setfield(L, -2, "__name");
  lua_pop(L, 2);
}

void sz_lua_json_push_array_mt(lua_State *L) {
  luaL_getmetatable(L, ARRAY_MT);
}

#if SZ_HAS_INTEGERS
int sz_lua_json_push_exact(lua_State *L, int64_t value) {
  lua_pushinteger(L, (lua_Integer)value);
  return 1;
}
#else
/* Doubles hold every integer up to 2^53. */
int sz_lua_json_push_exact(lua_State *L, int64_t value) {
  const int64_t limit = (int64_t)1 << 53;
  if (value > limit || value < -limit)
    return 0;
  lua_pushnumber(L, (lua_Number)value);
  return 1;
}
#endif

void sz_lua_json_push_number(lua_State *L, const char *text, size_t len) {
  struct sz_number n;
  sz_number_read(text, len, &n);
  sz_lua_json_push_read(L, &n, text, len, 1);
}

void sz_lua_json_push_read(lua_State *L, const struct sz_number *n,
                           const char *text, size_t len, int exact) {
  if (n->kind == SZ_NUMBER_REAL || (!exact && n->loose && isfinite(n->real)))
    lua_pushnumber(L, n->real);
  else if (n->kind != SZ_NUMBER_INTEGER ||
           !sz_lua_json_push_exact(L, n->integer))
    lua_pushlstring(L, text, len);
}

void sz_lua_json_push_integer(lua_State *L, int64_t value, const char *text,
                              size_t len) {
  if (!sz_lua_json_push_exact(L, value))
    lua_pushlstring(L, text, len);
}

static struct builder *builder_new(lua_State *L, size_t len,
                                   const struct sz_lua_json_how *how) {
  struct builder *b = lua_newuserdata(L, sizeof *b);
  b->lengths = NULL;
  b->exact = how->exact;
  luaL_setmetatable(L, BUILDER);
  /* 'replace' may make three bytes of one. */
  if (sz_json_init(&b->json, how->max_depth, len * 3 + 1, how->utf8) < 0)
    luaL_error(L, "not enough memory");
  b->lengths = calloc(how->max_depth + 1, sizeof *b->lengths);
  if (!b->lengths) {
    sz_json_free(&b->json);
    luaL_error(L, "not enough memory");
  }
  return b;
}

static void push_number(lua_State *L, const struct builder *b) {
  struct sz_number n;
  sz_number_read(b->json.text, b->json.len, &n);
  sz_lua_json_push_read(L, &n, b->json.text, b->json.len, b->exact);
}

/* Pushes what a token says, for tokens that are or begin a value. */
static void push_token(lua_State *L, const struct builder *b,
                       enum sz_json_token token) {
  switch (token) {
  case SZ_JSON_OBJECT:
    lua_newtable(L);
    break;
  case SZ_JSON_ARRAY:
    lua_newtable(L);
    sz_lua_json_push_array_mt(L);
    lua_setmetatable(L, -2);
    break;
  case SZ_JSON_NUMBER:
    push_number(L, b);
    break;
  case SZ_JSON_TRUE:
  case SZ_JSON_FALSE:
    lua_pushboolean(L, token == SZ_JSON_TRUE);
    break;
  case SZ_JSON_NULL:
    lua_pushlightuserdata(L, NULL);
    break;
  default:
    lua_pushlstring(L, b->json.text, b->json.len);
  }
}

/* The value on top goes into the container below it (and its key). */
static void store(lua_State *L, struct builder *b) {
  size_t depth = b->json.depth;
  if (!depth)
    return;
  if (b->json.nest[depth - 1])
    lua_rawset(L, -3);
  else
    lua_rawseti(L, -2, (int)++b->lengths[depth]);
}

/*
** The Lua stack mirrors the open containers: each object or array, and in an
** object the key whose value is being built.
*/
static enum sz_json_token build(lua_State *L, struct builder *b) {
  struct sz_json *j = &b->json;
  for (;;) {
    enum sz_json_token token = sz_json_next(j);
    switch (token) {
    case SZ_JSON_MORE:
      sz_json_finish(j);
      break;
    case SZ_JSON_END:
    case SZ_JSON_ERROR:
      return token;
    case SZ_JSON_OBJECT:
    case SZ_JSON_ARRAY:
      if (!lua_checkstack(L, 4)) {
        j->error.code = SZ_JSON_LIMIT;
        j->error.message = "nested deeper than the Lua stack reaches";
        j->error.position = j->start;
        return SZ_JSON_ERROR;
      }
      b->lengths[j->depth] = 0;
      push_token(L, b, token);
      break;
    case SZ_JSON_OBJECT_END:
    case SZ_JSON_ARRAY_END:
      store(L, b);
      break;
    case SZ_JSON_KEY:
      lua_pushlstring(L, j->text, j->len);
      break;
    default:
      push_token(L, b, token);
      store(L, b);
    }
  }
}

int sz_lua_json_push(lua_State *L, const char *text, size_t len,
                     const struct sz_lua_json_how *how, uint64_t base,
                     struct sz_json_error *error) {
  int top = lua_gettop(L);
  struct builder *b;
  enum sz_json_token token;
  luaL_checkstack(L, 8, "JSON");
  if (how->utf8 == SZ_UTF8_PASS && sz_lua_json_push_text(L, text, len, how))
    return 1;
  b = builder_new(L, len, how);
  sz_json_reset(&b->json, base);
  sz_json_feed(&b->json, text, len);
  token = build(L, b);
  *error = b->json.error;
  release(b);
  if (token == SZ_JSON_ERROR) {
    lua_settop(L, top);
    return 0;
  }
  lua_replace(L, top + 1); /* the builder gives its place to the value */
  lua_settop(L, top + 1);
  return 1;
}

int sz_lua_json_fail(lua_State *L, const struct sz_json_error *error) {
  if (error->code == SZ_JSON_NOMEM)
    return luaL_error(L, "not enough memory");
  lua_pushnil(L);
  lua_pushstring(L, error->code == SZ_JSON_LIMIT       ? "limit"
                    : error->code == SZ_JSON_TRUNCATED ? "truncated"
                                                       : "decode");
  lua_pushstring(L, error->message);
  lua_pushinteger(L, (lua_Integer)error->position);
  return 4;
}

enum sz_json_utf8 sz_lua_json_utf8(lua_State *L, int index) {
  static const char *const names[] = {"pass", "replace", "error", NULL};
  int mode;
  lua_getfield(L, index, "utf8");
  mode = lua_isnil(L, -1) ? 0 : luaL_checkoption(L, -1, NULL, names);
  lua_pop(L, 1);
  return (enum sz_json_utf8)mode;
}

int sz_lua_json_decode(lua_State *L) {
  size_t len;
  const char *text = luaL_checklstring(L, 1, &len);
  lua_Integer depth = DEFAULT_DEPTH;
  struct sz_lua_json_how how = {DEFAULT_DEPTH, SZ_UTF8_PASS, 0};
  struct sz_json_error error;
  if (!lua_isnoneornil(L, 2)) {
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_getfield(L, 2, "max_depth");
    depth = luaL_optinteger(L, -1, DEFAULT_DEPTH);
    lua_pop(L, 1);
    luaL_argcheck(L, depth >= 1 && depth <= LUA_DEPTH, 2,
                  "max_depth must be from 1 to 4000");
    how.utf8 = sz_lua_json_utf8(L, 2);
    lua_getfield(L, 2, "exact");
    how.exact = lua_toboolean(L, -1);
    lua_pop(L, 1);
  }
  how.max_depth = (size_t)depth;
  if (!sz_lua_json_push(L, text, len, &how, 0, &error))
    return sz_lua_json_fail(L, &error);
  return 1;
}
