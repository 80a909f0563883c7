/* lua_ties.c - see lua_ties.h. */
#include "lua_ties.h"

#include "lua_decoder.h"

#define TIES "scrutinizer.ties"

struct ties_box {
  struct sz_ties *ties;
};

struct sz_ties *sz_lua_ties_check(lua_State *L, int index) {
  struct ties_box *box = luaL_checkudata(L, index, TIES);
  if (!box->ties)
    luaL_error(L, "attempt to use closed ties");
  return box->ties;
}

static struct ties_box *box_push(lua_State *L) {
  struct ties_box *box = lua_newuserdata(L, sizeof *box);
  box->ties = NULL;
  luaL_setmetatable(L, TIES);
  return box;
}

/*
** core.ties(max [, saved]) -> ties, of at most 'max' bytes | nil: 'saved' is
** not from ties:save, or does not fit
*/
int sz_lua_ties_new(lua_State *L) {
  lua_Number number = luaL_checknumber(L, 1);
  size_t len, max = number > 0 && number < 9e15 ? (size_t)number : 0;
  const char *saved = luaL_optlstring(L, 2, NULL, &len);
  struct ties_box *box = box_push(L);
  box->ties = saved ? sz_ties_load(max, saved, len) : sz_ties_new(max);
  if (!box->ties && !saved)
    return luaL_error(L, "not enough memory");
  if (!box->ties)
    lua_pushnil(L);
  return 1;
}

/* ties:save() -> bytes, as a string | nil: too many rows tie */
static int ties_save(lua_State *L) {
  const struct sz_ties *ties = sz_lua_ties_check(L, 1);
  char *bytes = lua_newuserdata(L, SZ_TIES_SAVED); /* scratch */
  size_t len = sz_ties_save(ties, bytes);
  if (len > 0)
    lua_pushlstring(L, bytes, len);
  else
    lua_pushnil(L);
  return 1;
}

/* ties:copy() -> ties */
static int ties_copy(lua_State *L) {
  struct ties_box *box;
  sz_lua_ties_check(L, 1);
  box = box_push(L);
  box->ties = sz_ties_copy(sz_lua_ties_check(L, 1));
  return box->ties ? 1 : luaL_error(L, "not enough memory");
}

/*
** ties:join([decoder, direction]) -> whether repeated rows can be found. Call
** it before the next answer, with the decoder that gave the last row; without
** a decoder if no row was given since the last call.
*/
static int ties_join(lua_State *L) {
  struct sz_ties *ties = sz_lua_ties_check(L, 1);
  const char *last = NULL;
  size_t len = 0;
  if (!lua_isnoneornil(L, 2)) {
    const struct decoder *d = luaL_checkudata(L, 2, SZ_DECODER);
    luaL_argcheck(L, d->report, 2, "the decoder is closed");
    if (!d->borrowed_from ||
        d->borrowed_from->object) /* not freed by the collector */
      sz_report_last_row(d->report, sz_decoder_direction(L, 3), &last, &len);
  }
  lua_pushboolean(L, sz_ties_join(ties, last, len));
  return 1;
}

static int ties_gc(lua_State *L) {
  struct ties_box *box = luaL_checkudata(L, 1, TIES);
  sz_ties_free(box->ties);
  box->ties = NULL;
  return 0;
}

static const luaL_Reg METHODS[] = {{"copy", ties_copy},
                                   {"join", ties_join},
                                   {"save", ties_save},
                                   {NULL, NULL}};

static const luaL_Reg METAMETHODS[] = {{"__gc", ties_gc}, {NULL, NULL}};

void sz_lua_ties_register(lua_State *L) {
  luaL_newmetatable(L, TIES);
  luaL_setfuncs(L, METAMETHODS, 0);
  luaL_newlib(L, METHODS);
  lua_setfield(L, -2, "__index");
  sz_lua_seal(L);
  lua_pop(L, 1);
}
