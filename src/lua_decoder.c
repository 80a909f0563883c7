/* lua_decoder.c - the decoder userdata: its state and its guard. */
#include "lua_decoder.h"

#include <string.h>

struct decoder *sz_decoder_check(lua_State *L) {
  struct decoder *d = luaL_checkudata(L, 1, SZ_DECODER);
  if (!d->report || d->closing)
    luaL_error(L, "attempt to use a closed decoder");
  return d;
}

static void free_report(struct decoder *d) {
  sz_report_free(d->report);
  d->report = NULL;
  if (d->borrowed_from)
    d->borrowed_from->borrower = NULL;
  d->borrowed_from = NULL;
  d->closing = 0;
  sz_buffer_free(&d->queue);
}

void sz_decoder_leave(struct decoder *d) {
  sz_guard_leave(&d->guard);
  if (d->closing)
    free_report(d);
}

int sz_decoder_alone(lua_State *L, int (*work)(lua_State *, struct decoder *),
                     lua_CFunction in, const char *what) {
  struct decoder *d = sz_decoder_check(L);
  int results;
  if (!sz_guard_enter(L, &d->guard, 1, in))
    return sz_guard_refuse(L, &d->guard, 1, what);
  results = work(L, d);
  sz_decoder_leave(d);
  return results;
}

int sz_decoder_look(lua_State *L, int (*work)(lua_State *, struct decoder *),
                    lua_CFunction in) {
  struct decoder *d = sz_decoder_check(L);
  int alone = sz_guard_enter(L, &d->guard, 1, in), results = work(L, d);
  if (alone)
    sz_decoder_leave(d);
  return results;
}

int sz_decoder_close(lua_State *L) {
  struct decoder *d = luaL_checkudata(L, 1, SZ_DECODER);
  if (!sz_guard_held(L, &d->guard, d))
    free_report(d);
  else
    d->closing = 1;
  d->fast_limit = d->passed; /* the fast path has no more rows */
  return 0;
}

enum sz_direction sz_decoder_direction(lua_State *L, int index) {
  lua_Integer n = luaL_optinteger(L, index, 1);
  luaL_argcheck(L, n == 1 || n == 2, index, "direction must be 1 or 2");
  return (enum sz_direction)(n - 1);
}

int sz_decoder_error(lua_State *L, const struct decoder *d) {
  const struct sz_report_error *e = sz_report_error(d->report);
  if (!strcmp(e->kind, "memory"))
    return luaL_error(L, "not enough memory");
  lua_pushnil(L);
  lua_pushstring(L, e->kind);
  lua_pushstring(L, e->message);
  lua_pushinteger(L, (lua_Integer)e->position);
  return 4;
}
