/* lua_ties.c - see lua_ties.h. */
#include "lua_ties.h"

#include "lua_report_private.h"

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

int sz_lua_ties_new(lua_State *L) {
  lua_Number max = luaL_checknumber(L, 1);
  struct ties_box *box = box_push(L);
  box->ties = sz_ties_new(max > 0 && max < 9e15 ? (size_t)max : 0);
  return box->ties ? 1 : luaL_error(L, "not enough memory");
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
** ties:join([decoder, direction]) -> whether it can be told who comes again.
** A further answer is due; the decoder is that of the answer which gave the
** last row, where one did since the last time.
*/
static int ties_join(lua_State *L) {
  struct sz_ties *ties = sz_lua_ties_check(L, 1);
  const char *last = NULL;
  size_t len = 0;
  if (!lua_isnoneornil(L, 2)) {
    const struct decoder *d = luaL_checkudata(L, 2, SZ_DECODER);
    luaL_argcheck(L, d->report, 2, "a closed decoder");
    if (!d->lender || d->lender->object) /* not freed by the collector */
      sz_report_last_row(d->report, sz_decoder_direction(L, 3), &last, &len);
  }
  lua_pushboolean(L, sz_ties_join(ties, last, len));
  return 1;
}

/* ties:follow(): the further answer begins behind the last row given */
static int ties_follow(lua_State *L) {
  sz_ties_skip(sz_lua_ties_check(L, 1));
  return 0;
}

static int ties_gc(lua_State *L) {
  struct ties_box *box = luaL_checkudata(L, 1, TIES);
  sz_ties_free(box->ties);
  box->ties = NULL;
  return 0;
}

static const luaL_Reg METHODS[] = {{"copy", ties_copy},
                                   {"join", ties_join},
                                   {"follow", ties_follow},
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
