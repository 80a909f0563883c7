/*
** lua_json_value.c - shared by all readers of JSON: numbers, the metatable of
** arrays, the budget.
*/
#include "lua_json.h"

#include "number.h"

#include <math.h>

#define ARRAY_MT "scrutinizer.array"
#define BUDGET_VALUES 256

void sz_lua_json_make_array_mt(lua_State *L) {
  luaL_newmetatable(L, ARRAY_MT);
  lua_pushliteral(L, "array");
  lua_setfield(L, -2, "__name");
  lua_pop(L, 1);
}

void sz_lua_json_push_array_mt(lua_State *L) {
  luaL_getmetatable(L, ARRAY_MT);
}

/* ---- numbers ---- */

#define INT64 "scrutinizer.int64"

int sz_lua_json_set_int64(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_settop(L, 1);
  lua_setfield(L, LUA_REGISTRYINDEX, INT64);
  return 0;
}

#if SZ_HAS_INTEGERS
int sz_lua_json_push_exact(lua_State *L, int64_t value, int int64) {
  (void)int64;
  lua_pushinteger(L, (lua_Integer)value);
  return 1;
}
#else
/* Pushes a cdata, which only Lua code can make. */
static void push_int64(lua_State *L, int64_t value) {
  uint32_t low = (uint32_t)((uint64_t)value & 0xFFFFFFFFu);
  sz_checkstack(L, 4, "int64");
  lua_getfield(L, LUA_REGISTRYINDEX, INT64);
  lua_pushnumber(L, (lua_Number)((value - (int64_t)low) / 4294967296));
  lua_pushnumber(L, (lua_Number)low);
  lua_call(L, 2, 1);
}

/* Without integers: doubles hold every whole number up to 2^53. */
int sz_lua_json_push_exact(lua_State *L, int64_t value, int int64) {
  const int64_t limit = (int64_t)1 << 53;
  if (value <= limit && value >= -limit) {
    lua_pushnumber(L, (lua_Number)value);
    return 1;
  }
  if (int64)
    push_int64(L, value);
  return int64;
}
#endif

void sz_lua_json_push_number(lua_State *L, const char *text, size_t len,
                             int int64) {
  struct sz_number n;
  sz_number_read(text, len, &n);
  sz_lua_json_push_read(L, &n, text, len, 1, int64);
}

void sz_lua_json_push_read(lua_State *L, const struct sz_number *n,
                           const char *text, size_t len, int exact,
                           int int64) {
  if (n->kind == SZ_NUMBER_REAL || (!exact && n->loose && isfinite(n->real)))
    lua_pushnumber(L, n->real);
  else if (n->kind != SZ_NUMBER_INTEGER ||
           !sz_lua_json_push_exact(L, n->integer, int64))
    lua_pushlstring(L, text, len);
}

void sz_lua_json_push_integer(lua_State *L, int64_t value, const char *text,
                              size_t len, int int64) {
  if (!sz_lua_json_push_exact(L, value, int64))
    lua_pushlstring(L, text, len);
}

/* ---- a budget ---- */

static size_t lua_bytes(lua_State *L) {
  return (size_t)lua_gc(L, LUA_GCCOUNT, 0) * 1024 +
         (size_t)lua_gc(L, LUA_GCCOUNTB, 0);
}

void sz_lua_budget_begin(lua_State *L, struct sz_lua_budget *b, size_t max) {
  b->before = max ? lua_bytes(L) : 0;
  b->max = max;
  b->values = BUDGET_VALUES;
  b->over = 0;
}

int sz_lua_budget_look(lua_State *L, struct sz_lua_budget *b, size_t more) {
  size_t now = lua_bytes(L), made = now > b->before ? now - b->before : 0;
  b->values = BUDGET_VALUES;
  b->over = b->max && (made > b->max || more > b->max - made);
  return b->over;
}
