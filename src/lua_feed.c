/* lua_feed.c - see lua_feed.h. */
#include "lua_feed.h"

#include "feed.h"
#include "lua_source.h"

#include <string.h>

static bool feed_certificate(const void *f, size_t place,
                             struct sz_certificate *c) {
  return sz_feed_certificate(f, place, c);
}

SZ_SOURCE_TYPE(SOURCE, sz_feed, feed_certificate);

/* The feed at index 1; NULL if it was closed. */
static struct sz_feed *feed_check(lua_State *L) {
  const struct sz_source *source = sz_lua_source_check(L, 1);
  luaL_argcheck(L, !source || source->type == &SOURCE, 1, "feed expected");
  return source ? source->object : NULL;
}

/* The new transfer keeps the transfer at index 1, if any, alive. */
int sz_lua_feed_new(lua_State *L) {
  const struct sz_source *from = NULL;
  struct sz_source *source;
  lua_settop(L, 1);
  if (!lua_isnil(L, 1)) {
    from = sz_lua_source_check(L, 1);
    luaL_argcheck(L, from, 1, "open transfer expected");
  }
  source = sz_lua_source_push(L, &SOURCE);
  source->object = sz_feed_new(from);
  return source->object ? 1 : luaL_error(L, "not enough memory");
}

int sz_lua_feed_ready(lua_State *L) {
  const struct sz_feed *f = feed_check(L);
  if (f)
    lua_pushboolean(L, sz_feed_ready(f));
  else
    lua_pushnil(L);
  return 1;
}

/* The text stays on the stack, which keeps it alive. */
static const char *text_field(lua_State *L, const char *name) {
  lua_getfield(L, 2, name);
  return lua_tostring(L, -1);
}

/* Reads a number from 0 up to a limit; anything else counts as 0. */
static double number_field(lua_State *L, const char *name) {
  double value;
  lua_getfield(L, 2, name);
  value = (double)lua_tonumber(L, -1);
  lua_pop(L, 1);
  return value >= 0 && value < 1e9 ? value : 0;
}

/* "1.1" as 11, "2" as 20. */
static int version_number(const char *text) {
  if (!text || *text < '1' || *text > '9')
    return 0;
  return 10 * (*text - '0') + (text[1] == '.' && text[2] == '1');
}

int sz_lua_feed_header(lua_State *L) {
  struct sz_feed *f = feed_check(L);
  struct sz_info info;
  memset(&info, 0, sizeof info);
  luaL_checktype(L, 2, LUA_TTABLE);
  info.status = (long)number_field(L, "status");
  info.first_byte = number_field(L, "first_byte");
  info.http_version = version_number(text_field(L, "http_version"));
  info.location = text_field(L, "location");
  info.retry_after = text_field(L, "retry_after");
  info.content_type = text_field(L, "content_type");
  lua_getfield(L, 2, "reused");
  info.reused = lua_toboolean(L, -1);
  if (f && !sz_feed_header(f, &info))
    return luaL_error(L, "not enough memory");
  return 0;
}

int sz_lua_feed_push(lua_State *L) {
  struct sz_feed *f = feed_check(L);
  size_t len;
  const char *text = luaL_checklstring(L, 2, &len);
  luaL_argcheck(L, len <= SZ_MAX_FEED, 2, "the piece is too long");
  luaL_argcheck(L, !f || sz_feed_ready(f), 1,
                "the last piece has not been read yet");
  if (f && !sz_feed_push(f, text, len))
    return luaL_error(L, "not enough memory");
  return 0;
}

int sz_lua_feed_finish(lua_State *L) {
  struct sz_feed *f = feed_check(L);
  const char *kind = luaL_optstring(L, 2, NULL);
  const char *message = luaL_optstring(L, 3, "");
  if (f)
    sz_feed_finish(f, kind, message, lua_toboolean(L, 4));
  return 0;
}
