/* lua_fold.c - adds the decoder's rows to an aggregate. */
#include "lua_decoder.h"

#include "lua_aggregate.h"

struct fold {
  struct sz_aggregate *aggregate;
  enum sz_direction direction;
  uint64_t limit, count;
  int bound;
};

/* Pushes nil, kind, message for a row that was not added: returns 3. */
static int refuse(lua_State *L, enum sz_added why, const char *field) {
  lua_pushnil(L);
  lua_pushstring(L, why == SZ_ADD_FULL || why == SZ_ADD_LONG ? "limit"
                                                             : "decode");
  switch (why) {
  case SZ_ADD_TEXT:
    lua_pushfstring(L,
                    "'%s' has a value that is not a number, so it cannot be "
                    "aggregated",
                    field);
    break;
  case SZ_ADD_NO_ADDRESS:
    lua_pushfstring(L, "'%s' has a number where prefix needs an IP address",
                    field);
    break;
  case SZ_ADD_NO_PREFIX:
    lua_pushfstring(L,
                    "'%s' has an IPv4 address, and its prefix has more than "
                    "32 bits: use prefix for IPv4 and prefix6 for IPv6",
                    field);
    break;
  case SZ_ADD_NO_NUMBER:
    lua_pushfstring(L, "'%s' has a value that is not a number", field);
    break;
  case SZ_ADD_FULL:
    lua_pushfstring(L, "more than %d groups", SZ_MAX_GROUPS);
    break;
  case SZ_ADD_LONG:
    lua_pushliteral(L, "the values of the 'by' fields take more than max_held "
                       "bytes");
    break;
  default:
    return luaL_error(L, "not enough memory");
  }
  return 3;
}

/* Adds one row. Returns 0, or 3 and pushes nil, kind, message. */
static int fold_row(lua_State *L, struct decoder *d, struct fold *f,
                    const struct sz_slot *slots, const char *text) {
  const char *field = "";
  enum sz_added added;
  if (!f->bound)
    sz_aggregate_bind(f->aggregate, f->direction,
                      sz_report_columns(d->report, f->direction));
  f->bound = 1;
  added = sz_aggregate_add(f->aggregate, f->direction, slots, text, &field);
  if (added != SZ_ADDED)
    return refuse(L, added, field);
  f->count++;
  return 0;
}

/* Adds the rows in the queue, which come first. Returns as fold_row. */
static int fold_queue(lua_State *L, struct decoder *d, struct fold *f) {
  while (d->queue_at < d->queue.len && f->count < f->limit) {
    const struct record *record = (const void *)(d->queue.data + d->queue_at);
    const struct sz_slot *slots = (const void *)(record + 1);
    int results;
    if (record->direction != f->direction)
      break;
    results = fold_row(L, d, f, slots, (const char *)(slots + record->nslots));
    if (results)
      return results;
    d->queue_at += sizeof *record + record->nslots * sizeof *slots +
                   PAD(record->text_len);
  }
  return 0;
}

/* Pushes how many rows were added, and why no more are. */
static int fold_result(lua_State *L, const struct fold *f) {
  lua_pushinteger(L, (lua_Integer)f->count);
  lua_insert(L, -2);
  return 2;
}

/*
** An error, whose 'results' are on top. If rows were added, this call returns
** their number; the next call returns the error.
*/
static int fold_failed(lua_State *L, const struct fold *f, int results) {
  if (!f->count)
    return results;
  lua_settop(L, 3);
  lua_pushboolean(L, 0);
  return fold_result(L, f);
}

static int fold_stream(lua_State *L, struct decoder *d, struct fold *f,
                       struct sz_source *t) {
  const struct sz_slot *slots;
  const char *text;
  while (!d->done) {
    enum sz_report_event event = sz_decoder_event(d);
    int results;
    if (event == SZ_REPORT_ROW) {
      enum sz_direction direction = sz_report_row(d->report, &slots, &text);
      if (direction != f->direction || f->count == f->limit) {
        d->pending = 1;
        lua_pushinteger(L, direction + 1);
        return fold_result(L, f);
      }
      results = fold_row(L, d, f, slots, text);
      if (results)
        return results;
      continue;
    }
    if (event == SZ_REPORT_ERROR)
      return fold_failed(L, f, sz_decoder_error(L, d));
    sz_decoder_give_back(d);
    if (event == SZ_REPORT_DONE) {
      d->done = 1;
      break;
    }
    results = sz_decoder_pull(L, d, t);
    if (results == 1) /* false: wait */
      return fold_result(L, f);
    if (results)
      return fold_failed(L, f, results);
  }
  lua_pushnil(L);
  return fold_result(L, f);
}

/*
** decoder:fold(transfer, aggregate, direction, limit) -> number of rows added,
** and why it stopped: false (wait for bytes), nil (the end), or the direction
** of the next row, which is of the other direction or over the limit |
** nil, kind, message [, position]
*/
static int fold_all(lua_State *L, struct decoder *d, struct fold *f,
                    struct sz_source *t) {
  int results = fold_queue(L, d, f);
  if (results)
    return results;
  if (d->queue_at < d->queue.len) {
    lua_pushinteger(L, f->direction + 1);
    return fold_result(L, f);
  }
  return fold_stream(L, d, f, t);
}

static int fold(lua_State *L, struct decoder *d) {
  struct sz_source *t = sz_decoder_transfer(L, d);
  struct fold f;
  int results;
  if (!t)
    return 3;
  f.direction = sz_decoder_direction(L, 4);
  f.limit = sz_lua_rows(luaL_checknumber(L, 5));
  f.count = 0;
  f.bound = 0;
  lua_settop(L, 3);
  f.aggregate =
      sz_lua_aggregate_enter(L, 3, sz_decoder_fold, "fold: the aggregate");
  if (!f.aggregate)
    return 3;
  results = fold_all(L, d, &f, t);
  sz_lua_aggregate_leave(L, 3);
  return results;
}

int sz_decoder_fold(lua_State *L) {
  return sz_decoder_alone(L, fold, sz_decoder_fold, "fold: the decoder");
}
