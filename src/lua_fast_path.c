/*
** lua_fast_path.c - the fast path: gives rows that are already read, without
** the work of decoder:next.
*/
#include "lua_decoder.h"

#include "lua_report.h"

/*
** Pushes the fast path's next row if its bytes are there; the decoder is at
** 'index'. 0: there is none. A finalizer may have freed the transfer, and with
** it the borrowed bytes.
*/
static int push_row(lua_State *L, struct decoder *d, int index) {
  const struct sz_slot *slots;
  struct record record;
  const char *text;
  int queued;
  if (d->borrowed_from && !d->borrowed_from->object)
    return 0;
  queued = sz_decoder_first_queued(d, &record, &slots);
  if (queued ? record.direction != d->fast_direction
             : sz_decoder_event(d) != SZ_REPORT_ROW)
    return 0;
  d->pending = !queued; /* until the table is made */
  if (!queued && sz_report_row(d->report, &slots, &text) != d->fast_direction)
    return 0;
  sz_getuservalue(L, index);
  lua_rawgeti(L, -1, NAMES_INBOUND + (int)d->fast_direction);
  if (queued)
    sz_decoder_unqueue_row(L, d, &record, slots, index + 2);
  else
    sz_decoder_push_row(L, d, d->fast_direction, slots, text, index + 2);
  d->pending = 0;
  d->passed++;
  return 1;
}

/*
** The same, with the guard entered. 0: ask decoder:next. 'in' is the running C
** function.
*/
static int push_next(lua_State *L, struct decoder *d, int index,
                     lua_CFunction in) {
  int pushed;
  if (!d->report || d->done || d->passed == d->fast_limit ||
      !sz_guard_enter(L, &d->guard, index, in))
    return 0;
  pushed = push_row(L, d, index);
  sz_decoder_leave(d);
  return pushed;
}

/*
** The decoder at 'index', or NULL. It checks the userdata's size and mark: a
** look at the metatable for every row would cost more.
*/
static struct decoder *decoder_at(lua_State *L, int index) {
  struct decoder *d = lua_touserdata(L, index);
  return d && lua_rawlen(L, index) == sizeof *d && d->mark == SZ_DECODER_MARK
             ? d
             : NULL;
}

/*
** decoder:pass() -> row | nothing: then call decoder:next. It only reads bytes
** that are there already; most rows of a report come this way. There is one
** function for all decoders: LuaJIT keeps a function that a trace calls alive.
*/
int sz_decoder_pass(lua_State *L) {
  struct decoder *d;
  lua_settop(L, 1);
  d = decoder_at(L, 1);
  if (!d)
    luaL_checkudata(L, 1, SZ_DECODER);
  return push_next(L, d, 1, sz_decoder_pass);
}

/*
** decoder:fast_path(direction, limit): from now on decoder:pass gives the next
*rows
** of this direction, at most 'limit', while their bytes are there. Call it
** after a row of this direction was given. decoder:passed() -> how many rows
** decoder:pass has given since.
*/
int sz_decoder_fast_path(lua_State *L) {
  struct decoder *d = sz_decoder_check(L);
  enum sz_direction direction = sz_decoder_direction(L, 2);
  lua_Number limit = luaL_checknumber(L, 3);
  luaL_argcheck(L, d->repeats[direction], 2,
                "no row of this direction was given yet");
  if (sz_guard_held(L, &d->guard, d))
    return luaL_error(
        L, "%s", sz_guard_message(L, &d->guard, 1, "fast_path: the decoder"));
  d->fast_direction = direction;
  d->fast_limit = sz_lua_rows(limit);
  d->passed = 0;
  return 0;
}

int sz_decoder_passed(lua_State *L) {
  struct decoder *d = sz_decoder_check(L);
  lua_pushinteger(L, (lua_Integer)d->passed);
  d->fast_limit -= d->passed;
  d->passed = 0;
  return 1;
}

/* ---- core.caller ---- */

#if LUA_VERSION_NUM >= 503 /* C may call a function that yields */
/* Returns the slow function's results, which are on top. */
static int give(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  (void)L;
  return 1;
}

static int call(lua_State *L) {
  struct decoder *d;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  lua_rawgeti(L, 1, 1);
  d = decoder_at(L, 2);
  if (d && push_next(L, d, 2, call))
    return 1;
  lua_settop(L, 1);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_callk(L, 1, 1, 0, give);
  return give(L, LUA_OK, 0);
}

int sz_lua_caller(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_settop(L, 1);
  lua_pushcclosure(L, call, 1);
  return 1;
}
#endif
