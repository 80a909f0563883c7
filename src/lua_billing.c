/* lua_billing.c - core.top (the greatest samples) and core.sha256. */
#include "lua_billing.h"

#include "lua_json.h"
#include "number.h"
#include "sha256.h"
#include "top.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

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

/* Reads the text at 'index' as a whole number of 64 bits. 0: it is not. */
static int read_digits(lua_State *L, int index, int64_t *value) {
  struct sz_number n;
  size_t len;
  const char *text = lua_tolstring(L, index, &len);
  sz_number_read(text, len, &n);
  *value = n.integer;
  return n.kind == SZ_NUMBER_INTEGER;
}

static int read_double(lua_Number n, int64_t *value) {
  /* Beyond these limits a double may be a rounded whole number. */
  if (!(n > -9007199254740993.0 && n < 9007199254740993.0))
    return 0;
  *value = (int64_t)n;
  return (lua_Number)*value == n;
}

/* Reads a whole number at 'index', or its digits. 0: it is neither. */
static int read_whole(lua_State *L, int index, int64_t *value) {
  int type = lua_type(L, index);
#if SZ_HAS_INTEGERS
  if (lua_isinteger(L, index)) {
    *value = (int64_t)lua_tointeger(L, index);
    return 1;
  }
#endif
  if (type == LUA_TNUMBER)
    return read_double(lua_tonumber(L, index), value);
  return type == LUA_TSTRING && read_digits(L, index, value);
}

/*
** top:add(value [, at]) -> whether the value is a whole number of 64 bits; if
** not, it is not added. 'at' is its time; default: its index.
*/
static int top_add(lua_State *L) {
  struct sz_top *top = luaL_checkudata(L, 1, TOP);
  int64_t value, at = (int64_t)top->count + 1;
  int whole = read_whole(L, 2, &value) &&
              (lua_isnoneornil(L, 3) || read_whole(L, 3, &at));
  if (whole)
    sz_top_add(top, value, at);
  lua_pushboolean(L, whole);
  return 1;
}

/* Reads { at, value } on top of the stack; leaves the stack as it was. */
static int read_point(lua_State *L, struct sz_sample *s) {
  int good;
  lua_rawgeti(L, -1, 1);
  lua_rawgeti(L, -2, 2);
  good = read_whole(L, -2, &s->at) && read_whole(L, -1, &s->value);
  lua_pop(L, 2);
  return good;
}

struct list {
  int64_t first, step, fill;
  int filled; /* holes count as 'fill' */
  int kind;   /* of the first sample: LUA_TTABLE, or 0 for bare values */
  int begun;
};

/*
** Reads the sample on top of the stack; 'i' is its index from 0. Returns 1 if
** it counts, 0 for a hole that does not count, -1 if not a sample or not of
** the first one's kind.
*/
static int read_item(lua_State *L, struct list *list, int i,
                     struct sz_sample *s) {
  int type = lua_type(L, -1), table = type == LUA_TTABLE;
  s->at = list->first + list->step * i;
  if (type == LUA_TNIL || (type == LUA_TBOOLEAN && !lua_toboolean(L, -1))) {
    s->value = list->fill;
    return list->filled;
  }
  if (!list->begun)
    list->kind = table;
  list->begun = 1;
  if (table != list->kind)
    return -1;
  return (table ? read_point(L, s) : read_whole(L, -1, &s->value)) ? 1 : -1;
}

static void check_whole(lua_State *L, int index, int64_t *value) {
  luaL_argcheck(L, read_whole(L, index, value), index,
                "whole number expected");
}

/*
** top:add_list(list, n, first, step [, fill]) -> number of samples added | nil
** and the index of a sample that is no whole number, or not of the first one's
** kind. The time of a bare value is first + step * (i - 1). A hole (false or
** nil) counts as 'fill'; without 'fill' it does not count.
*/
static int top_add_list(lua_State *L) {
  struct sz_top *top = luaL_checkudata(L, 1, TOP);
  lua_Number count = luaL_checknumber(L, 3), last;
  int n, i;
  struct list list = {0, 0, 0, 0, 0, 0};
  lua_Integer added = 0;
  luaL_checktype(L, 2, LUA_TTABLE);
  luaL_argcheck(L, count >= 0 && count < INT_MAX, 3, "out of range");
  n = (int)count;
  check_whole(L, 4, &list.first);
  check_whole(L, 5, &list.step);
  last = (lua_Number)list.first + (lua_Number)list.step * n;
  luaL_argcheck(L, last > -9.2e18 && last < 9.2e18, 5, "out of range");
  list.filled = !lua_isnoneornil(L, 6);
  if (list.filled)
    check_whole(L, 6, &list.fill);
  for (i = 0; i < n; i++) {
    struct sz_sample s;
    int found;
    lua_rawgeti(L, 2, i + 1);
    found = read_item(L, &list, i, &s);
    lua_pop(L, 1);
    if (found < 0) {
      lua_pushnil(L);
      lua_pushinteger(L, i + 1);
      return 2;
    }
    if (found)
      sz_top_add(top, s.value, s.at);
    added += found;
  }
  lua_pushinteger(L, added);
  return 1;
}

static void push_whole(lua_State *L, int64_t value) {
  char text[24];
  int len = snprintf(text, sizeof text, "%" PRId64, value);
  sz_lua_json_push_integer(L, value, text, (size_t)len, 0);
}

/*
** Pushes a userdata with the greatest samples, sorted. It is a copy: while we
** make Lua values of it, a finalizer may add samples to 'top'.
*/
static const struct sz_sample *push_samples(lua_State *L, struct sz_top *top,
                                            size_t *n) {
  struct sz_sample *copy = lua_newuserdata(L, top->keep * sizeof *copy);
  *n = sz_top_finish(top);
  memcpy(copy, top->samples, *n * sizeof *copy);
  return copy;
}

/*
** top:finish(points) -> list of the greatest samples, the greatest first, and
** how many were added in all. The list has values; with 'points' { at, value
** }.
*/
static int top_finish(lua_State *L) {
  struct sz_top *top = luaL_checkudata(L, 1, TOP);
  int points = lua_toboolean(L, 2);
  size_t i, n;
  const struct sz_sample *samples = push_samples(L, top, &n);
  lua_Integer count = (lua_Integer)top->count;
  lua_createtable(L, (int)n, 0);
  for (i = 0; i < n; i++) {
    if (points) {
      lua_createtable(L, 2, 0);
      push_whole(L, samples[i].at);
      lua_rawseti(L, -2, 1);
    }
    push_whole(L, samples[i].value);
    if (points)
      lua_rawseti(L, -2, 2);
    lua_rawseti(L, -2, (int)i + 1);
  }
  lua_pushinteger(L, count);
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
