/* lua_billing.c - selection among samples, and their hash, for Lua. */
#include "lua_billing.h"

#include "lua_json.h"
#include "number.h"
#include "sha256.h"
#include "top.h"

#include <inttypes.h>
#include <stdio.h>

#define TOP "scrutinizer.top"

int sz_lua_sha256(lua_State *L) {
  char hex[SZ_SHA256_HEX];
  size_t len;
  const char *text = luaL_checklstring(L, 1, &len);
  sz_sha256(text, len, hex);
  lua_pushstring(L, hex);
  return 1;
}

int sz_lua_top_new(lua_State *L) {
  lua_Number keep = luaL_checknumber(L, 1);
  struct sz_top *top;
  luaL_argcheck(L, keep >= 1 && keep <= SZ_TOP_MAX, 1, "out of range");
  top = lua_newuserdata(L, sz_top_size((size_t)keep));
  sz_top_init(top, (size_t)keep);
  luaL_setmetatable(L, TOP);
  return 1;
}

/* A whole number at 'index', or the digits of one. 0: it is neither. */
static int read_whole(lua_State *L, int index, int64_t *value) {
  if (lua_type(L, index) == LUA_TSTRING) {
    struct sz_number n;
    size_t len;
    const char *text = lua_tolstring(L, index, &len);
    sz_number_read(text, len, &n);
    *value = n.integer;
    return n.kind == SZ_NUMBER_INTEGER;
  }
  if (lua_type(L, index) != LUA_TNUMBER)
    return 0;
#if SZ_HAS_INTEGERS
  if (lua_isinteger(L, index)) {
    *value = (int64_t)lua_tointeger(L, index);
    return 1;
  }
#endif
  {
    lua_Number n = lua_tonumber(L, index);
    if (!(n > -9007199254740993.0 && n < 9007199254740993.0))
      return 0; /* a double this large may stand for its neighbours */
    *value = (int64_t)n;
    return (lua_Number)*value == n;
  }
}

/* top:add(value, at) -> whether the value is a whole number of 64 bits */
static int top_add(lua_State *L) {
  struct sz_top *top = luaL_checkudata(L, 1, TOP);
  int64_t value, at;
  int whole = read_whole(L, 2, &value) && read_whole(L, 3, &at);
  if (whole)
    sz_top_add(top, value, at);
  lua_pushboolean(L, whole);
  return 1;
}

/*
** The sample at the top of the stack: { at, value }, or a bare value whose
** 'at' stands already. Leaves the stack as it was. 0: it is no such thing.
*/
static int read_sample(lua_State *L, struct sz_sample *s) {
  int good, index = lua_gettop(L);
  if (!lua_istable(L, index))
    return read_whole(L, index, &s->value);
  lua_rawgeti(L, index, 1);
  lua_rawgeti(L, index, 2);
  good = read_whole(L, -2, &s->at) && read_whole(L, -1, &s->value);
  lua_settop(L, index);
  return good;
}

/*
** top:add_list(list, n, first, step [, fill]) -> samples added, or nil and
** the place of one that is no whole number, or not of the first one's kind. A
** bare value's time is first + step * (i - 1). A hole (false or nil) counts
** as 'fill', or not at all.
*/
static int top_add_list(lua_State *L) {
  struct sz_top *top = luaL_checkudata(L, 1, TOP);
  int n = (int)luaL_checknumber(L, 3), i;
  int64_t first, step, fill = 0, added = 0;
  int filled = !lua_isnoneornil(L, 6), kind = 0;
  luaL_checktype(L, 2, LUA_TTABLE);
  luaL_argcheck(L, read_whole(L, 4, &first), 4, "whole number expected");
  luaL_argcheck(L, read_whole(L, 5, &step), 5, "whole number expected");
  luaL_argcheck(L, !filled || read_whole(L, 6, &fill), 6,
                "whole number expected");
  for (i = 1; i <= n; i++) {
    struct sz_sample s;
    int hole;
    lua_rawgeti(L, 2, i);
    hole = !lua_toboolean(L, -1);
    s.at = first + step * (i - 1);
    s.value = fill;
    kind = kind || hole ? kind : 1 + lua_istable(L, -1);
    if (!hole && (kind != 1 + lua_istable(L, -1) || !read_sample(L, &s))) {
      lua_pushnil(L);
      lua_pushinteger(L, i);
      return 2;
    }
    lua_pop(L, 1);
    if (hole && !filled)
      continue;
    sz_top_add(top, s.value, s.at);
    added++;
  }
  lua_pushinteger(L, (lua_Integer)added);
  return 1;
}

static void push_whole(lua_State *L, int64_t value) {
  char text[24];
  int len = snprintf(text, sizeof text, "%" PRId64, value);
  sz_lua_json_push_integer(L, value, text, (size_t)len);
}

/*
** top:finish(points) -> the greatest in order: values, or { at, value } each;
** and how many were added in all.
*/
static int top_finish(lua_State *L) {
  struct sz_top *top = luaL_checkudata(L, 1, TOP);
  int points = lua_toboolean(L, 2);
  size_t i, n = sz_top_finish(top);
  lua_createtable(L, (int)n, 0);
  for (i = 0; i < n; i++) {
    if (points) {
      lua_createtable(L, 2, 0);
      push_whole(L, top->samples[i].at);
      lua_rawseti(L, -2, 1);
    }
    push_whole(L, top->samples[i].value);
    if (points)
      lua_rawseti(L, -2, 2);
    lua_rawseti(L, -2, (int)i + 1);
  }
  lua_pushinteger(L, (lua_Integer)top->count);
  return 2;
}

void sz_lua_billing_register(lua_State *L) {
  static const luaL_Reg METHODS[] = {
      {"add", top_add},
      {"add_list", top_add_list},
      {"finish", top_finish},
      {NULL, NULL},
  };
  luaL_newmetatable(L, TOP);
  luaL_newlib(L, METHODS);
  lua_setfield(L, -2, "__index");
  lua_pushliteral(L, TOP);
  lua_setfield(L, -2, "__name");
  lua_pop(L, 1);
}
