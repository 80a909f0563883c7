/* lua_rows.c - the decoder's rows as tables: pushed, or pulled. */
#include "lua_decoder.h"

#include "lua_json.h"
#include "lua_source.h"

#include <string.h>

static const char *const DIRECTIONS[] = {"inbound", "outbound"};

/* ---- rows ---- */

/* Pushes the reused row: the same table for both directions. */
static void push_reused_row(lua_State *L, int uservalue, int nfields) {
  lua_rawgeti(L, uservalue, REUSED_ROW);
  if (!lua_isnil(L, -1))
    return;
  lua_pop(L, 1);
  lua_createtable(L, 0, nfields);
  lua_pushvalue(L, -1);
  lua_rawseti(L, uservalue, REUSED_ROW);
}

/*
** Pushes a new list of a direction's field names: the names, then as many
** entries for the fields' last texts; at 0 the reused row. The user value is
** below it.
*/
static void make_names(lua_State *L, struct decoder *d,
                       enum sz_direction direction,
                       const struct sz_columns *c) {
  int uservalue = lua_gettop(L);
  size_t i, n = c->noutputs;
  struct repeat *repeats = lua_newuserdata(L, (n + 1) * sizeof *repeats);
  memset(repeats, 0, (n + 1) * sizeof *repeats);
  lua_rawseti(L, uservalue, REPEATS_INBOUND + (int)direction);
  lua_createtable(L, (int)n * 2, 0);
  for (i = 0; i < n; i++) {
    lua_pushstring(L, c->outputs[i].name);
    lua_rawseti(L, -2, (int)i + 1);
  }
  for (i = n; i < n * 2; i++) {
    lua_pushboolean(L, 0);
    lua_rawseti(L, -2, (int)i + 1);
  }
  if (d->reuse) {
    push_reused_row(L, uservalue, (int)n);
    lua_rawseti(L, -2, 0);
  }
  lua_pushvalue(L, -1);
  lua_rawseti(L, uservalue, NAMES_INBOUND + (int)direction);
  d->repeats[direction] = repeats;
}

/* Pushes the list of names and nothing else. The columns must be known. */
static void push_names(lua_State *L, struct decoder *d,
                       enum sz_direction direction) {
  sz_getuservalue(L, 1);
  if (d->repeats[direction])
    lua_rawgeti(L, -1, NAMES_INBOUND + (int)direction);
  else
    make_names(L, d, direction, sz_report_columns(d->report, direction));
  lua_remove(L, -2);
}

/* Pushes a text; its field's last text is entry 'n' of 'names'. */
static void push_text(lua_State *L, const char *s, size_t len,
                      struct repeat *last, int names, int n) {
  if (len > sizeof last->text) {
    lua_pushlstring(L, s, len);
    return;
  }
  if (len != last->len || memcmp(s, last->text, len) != 0) {
    lua_pushlstring(L, s, len);
    memcpy(last->text, s, len);
    last->len = (unsigned char)len;
    last->kept = 0;
    return;
  }
  if (last->kept) {
    lua_rawgeti(L, names, n);
    return;
  }
  lua_pushlstring(L, s, len);
  lua_pushvalue(L, -1);
  lua_rawseti(L, names, n);
  last->kept = 1;
}

/* Pushes a number. Without point and exponent it is an integer: -0 is 0. */
static void push_number(lua_State *L, const struct sz_slot *slot,
                        const char *s, int int64) {
  if (slot->type == SZ_SLOT_INTEGER)
    sz_lua_json_push_integer(L, slot->integer, s, slot->len, int64);
  else if (slot->len == 2 && !memcmp(s, "-0", 2))
    lua_pushinteger(L, 0);
  else
    sz_lua_json_push_number(L, s, slot->len, int64);
}

/* Pushes a value that is not absent. */
static void push_value(lua_State *L, const struct sz_slot *slot,
                       const char *text, struct repeat *last, int names, int n,
                       int int64) {
  if (slot->type == SZ_SLOT_STRING)
    push_text(L, text + slot->at, slot->len, last, names, n);
  else
    push_number(L, slot, text + slot->at, int64);
}

/* Fields that have a value. Lua doubles a table's size when it takes more. */
static int count_values(const struct sz_columns *c,
                        const struct sz_slot *slots) {
  size_t i;
  int n = 0;
  for (i = 0; i < c->noutputs; i++)
    n += c->outputs[i].want == SZ_DIRECTION ||
         slots[c->outputs[i].want].type != SZ_SLOT_ABSENT;
  return n;
}

void sz_decoder_push_row(lua_State *L, const struct decoder *d,
                         enum sz_direction direction,
                         const struct sz_slot *slots, const char *text,
                         int names) {
  const struct sz_columns *c = sz_report_columns(d->report, direction);
  const struct sz_output *output = c->outputs;
  struct repeat *last = d->repeats[direction];
  int i, n = (int)c->noutputs;
  if (d->reuse)
    lua_rawgeti(L, names, 0);
  else
    lua_createtable(L, 0, count_values(c, slots));
  for (i = 0; i < n; i++) {
    const struct sz_slot *slot =
        output[i].want == SZ_DIRECTION ? NULL : &slots[output[i].want];
    if (slot && slot->type == SZ_SLOT_ABSENT && !d->reuse)
      continue;
    lua_rawgeti(L, names, i + 1);
    if (!slot)
      lua_pushstring(L, DIRECTIONS[direction]);
    else if (slot->type == SZ_SLOT_ABSENT)
      lua_pushnil(L);
    else
      push_value(L, slot, text, &last[i], names, n + i + 1, d->int64);
    lua_rawset(L, -3);
  }
}

/* ---- pushed: feed, the queue, finish ---- */

static void remember_head(struct decoder *d, const char *data, size_t len) {
  size_t room = sizeof d->head - d->head_len;
  if (len > room)
    len = room;
  memcpy(d->head + d->head_len, data, len);
  d->head_len += len;
}

static void queue_padding(struct sz_buffer *queue) {
  static const char zeros[sizeof(size_t)] = {0};
  sz_buffer_append(queue, zeros, PAD(queue->len) - queue->len);
}

/* Copies slot 'i' and its text to the record at offset 'at'. */
static void queue_slot(struct sz_buffer *queue, size_t at, size_t i,
                       const char *text) {
  struct record *record = (void *)(queue->data + at);
  struct sz_slot *slot = (struct sz_slot *)(record + 1) + i;
  const char *from = text + slot->at;
  slot->at = record->text_len;
  record->text_len += slot->len;
  sz_buffer_append(queue, from, slot->len);
}

/* Copies the reader's row to the queue's end. 0: this made the report fail. */
static int queue_row(struct decoder *d) {
  const struct sz_slot *slots;
  const char *text;
  struct record record;
  struct sz_buffer *queue = &d->queue;
  enum sz_buffer_code code;
  size_t i, at, len = 0;
  memset(&record, 0, sizeof record);
  record.direction = sz_report_row(d->report, &slots, &text);
  record.nslots = sz_report_columns(d->report, record.direction)->nwants;
  for (i = 0; i < record.nslots; i++)
    len += slots[i].len;
  if (d->queue_at == queue->len)
    d->queue_at = queue->len = 0;
  len = sizeof record + record.nslots * sizeof *slots + PAD(len);
  code = len > queue->max - queue->len ||
                 sz_report_held(d->report) > queue->max - queue->len - len
             ? SZ_BUFFER_FULL
             : sz_buffer_reserve(queue, len);
  if (code == SZ_BUFFER_FULL)
    sz_report_abort(d->report, "limit",
                    "rows not yet read take more than max_held bytes: read "
                    "them between calls of feed");
  else if (code == SZ_BUFFER_NOMEM)
    sz_report_abort(d->report, "memory", "not enough memory");
  if (code != SZ_BUFFER_OK)
    return 0;
  at = queue->len;
  sz_buffer_append(queue, (const char *)&record, sizeof record);
  sz_buffer_append(queue, (const char *)slots, record.nslots * sizeof *slots);
  for (i = 0; i < record.nslots; i++)
    queue_slot(queue, at, i, text);
  queue_padding(queue);
  return 1;
}

int sz_decoder_first_queued(const struct decoder *d, struct record *record,
                            const struct sz_slot **slots) {
  const char *at = d->queue.data + d->queue_at;
  if (d->queue_at == d->queue.len)
    return 0;
  memcpy(record, at, sizeof *record);
  *slots = (const void *)(at + sizeof *record);
  return 1;
}

void sz_decoder_unqueue_row(lua_State *L, struct decoder *d,
                            const struct record *record,
                            const struct sz_slot *slots, int names) {
  sz_decoder_push_row(L, d, record->direction, slots,
                      (const char *)(slots + record->nslots), names);
  d->queue_at +=
      sizeof *record + record->nslots * sizeof *slots + PAD(record->text_len);
}

/* Reads all rows of the present bytes. Returns how many results it pushed. */
static int read_ahead(lua_State *L, struct decoder *d) {
  for (;;) {
    switch (sz_report_next(d->report)) {
    case SZ_REPORT_ERROR:
      return sz_decoder_error(L, d);
    case SZ_REPORT_DONE:
      d->done = 1;
      lua_pushboolean(L, 1);
      return 1;
    case SZ_REPORT_MORE:
      lua_pushboolean(L, 1);
      return 1;
    case SZ_REPORT_ROW:
      if (!queue_row(d))
        return sz_decoder_error(L, d);
    }
  }
}

/* decoder:feed(chunk) -> true | nil, kind, message, position */
static int feed(lua_State *L, struct decoder *d) {
  size_t len;
  const char *chunk = luaL_checklstring(L, 2, &len);
  if (d->finished)
    return luaL_error(L, "attempt to feed a finished decoder");
  if (d->borrowed_from)
    return luaL_error(L, "attempt to feed a decoder that reads a transfer");
  if (sz_report_error(d->report)->kind)
    return sz_decoder_error(L, d);
  remember_head(d, chunk, len);
  sz_report_feed(d->report, chunk, len);
  return read_ahead(L, d);
}

int sz_decoder_feed(lua_State *L) {
  return sz_decoder_alone(L, feed, sz_decoder_feed, "feed: the decoder");
}

/* decoder:finish() -> true | nil, kind, message, position */
static int finish(lua_State *L, struct decoder *d) {
  if (sz_report_error(d->report)->kind)
    return sz_decoder_error(L, d);
  if (d->borrowed_from)
    return luaL_error(L, "attempt to finish a decoder that reads a transfer");
  if (!d->finished) {
    d->finished = 1;
    sz_report_finish(d->report);
    return read_ahead(L, d);
  }
  lua_pushboolean(L, 1);
  return 1;
}

int sz_decoder_finish(lua_State *L) {
  return sz_decoder_alone(L, finish, sz_decoder_finish, "finish: the decoder");
}

/* ---- pulled ---- */

void sz_decoder_give_back(struct decoder *d) {
  if (d->borrowed_from) {
    sz_source_consume(d->borrowed_from, d->borrowed);
    d->borrowed_from->borrower = NULL;
  }
  d->borrowed_from = NULL;
}

/*
** Gives the transfer's next bytes to the reader. Returns 0 to read on, or the
** number of results pushed: false (no bytes yet), or nil, kind, message.
*/
int sz_decoder_pull(lua_State *L, struct decoder *d, struct sz_source *t) {
  struct sz_failure why;
  const char *data;
  size_t len;
  switch (sz_source_peek(t, &data, &len)) {
  case SZ_READ_DATA:
    remember_head(d, data, len);
    sz_report_feed(d->report, data, len);
    d->borrowed_from = t;
    d->borrowed = len;
    t->borrower = d;
    return 0;
  case SZ_READ_END:
    if (!d->finished)
      sz_report_finish(d->report);
    d->finished = 1;
    return 0;
  case SZ_READ_WAIT:
    lua_pushboolean(L, 0);
    return 1;
  default:
    why = *sz_source_error(t);
    return sz_lua_fail(L, &why);
  }
}

/* The reader's next event; first a row that is still pending. */
enum sz_report_event sz_decoder_event(struct decoder *d) {
  if (d->pending) {
    d->pending = 0;
    return SZ_REPORT_ROW;
  }
  return sz_report_next(d->report);
}

static int pull_row(lua_State *L, struct decoder *d, struct sz_source *t) {
  const struct sz_slot *slots;
  const char *text;
  for (;;) {
    enum sz_report_event event = sz_decoder_event(d);
    if (event == SZ_REPORT_ROW) {
      enum sz_direction direction = sz_report_row(d->report, &slots, &text);
      d->pending = 1; /* until the table is made */
      push_names(L, d, direction);
      sz_decoder_push_row(L, d, direction, slots, text, lua_gettop(L));
      d->pending = 0;
      lua_pushinteger(L, direction + 1);
      return 2;
    }
    if (event == SZ_REPORT_ERROR)
      return sz_decoder_error(L, d);
    sz_decoder_give_back(d);
    if (event == SZ_REPORT_DONE) {
      d->done = 1;
      lua_pushnil(L);
      return 1;
    }
    if (sz_decoder_pull(L, d, t))
      return lua_gettop(L) - 2;
  }
}

struct sz_source *sz_decoder_transfer(lua_State *L, const struct decoder *d) {
  struct sz_source *t = sz_lua_source_check(L, 2);
  if (!t) {
    sz_lua_source_closed(L);
    return NULL;
  }
  if (d->borrowed_from == t)
    return t;
  if (d->borrowed_from)
    luaL_error(L, "attempt to read two transfers with one decoder");
  if (t->borrower)
    luaL_error(L, "attempt to read one transfer with two decoders");
  sz_getuservalue(L, 1);
  lua_pushvalue(L, 2);
  lua_rawseti(L, -2, TRANSFER);
  lua_pop(L, 1);
  return t;
}

/*
** decoder:hold(transfer) -> true: a chunk's rows were queued for decoder:next
** | false: wait for bytes | nil: the end | nil, kind, message [, position].
** It is for rows that must wait until more of the answer is known.
*/
static int hold(lua_State *L, struct decoder *d) {
  struct sz_source *t = sz_decoder_transfer(L, d);
  enum sz_report_event event;
  if (!t)
    return 3;
  lua_settop(L, 2);
  while (!d->done && (event = sz_decoder_event(d)) != SZ_REPORT_DONE) {
    if (event == SZ_REPORT_ERROR || (event == SZ_REPORT_ROW && !queue_row(d)))
      return sz_decoder_error(L, d);
    if (event == SZ_REPORT_ROW)
      continue;
    sz_decoder_give_back(d);
    if (sz_decoder_pull(L, d, t))
      return lua_gettop(L) - 2;
    lua_pushboolean(L, 1);
    return 1;
  }
  sz_decoder_give_back(d);
  d->done = 1;
  lua_pushnil(L);
  return 1;
}

int sz_decoder_hold(lua_State *L) {
  return sz_decoder_alone(L, hold, sz_decoder_hold, "hold: the decoder");
}

/*
** decoder:next([transfer]) -> row, direction (1 inbound, 2 outbound) | false:
** wait for bytes | nil: the end | nil, kind, message [, position]
*/
static int next(lua_State *L, struct decoder *d) {
  struct sz_source *t;
  struct record record;
  const struct sz_slot *slots;
  lua_settop(L, 2);
  if (sz_decoder_first_queued(d, &record, &slots)) {
    push_names(L, d, record.direction);
    sz_decoder_unqueue_row(L, d, &record, slots, 3);
    lua_pushinteger(L, record.direction + 1);
    return 2;
  }
  if (lua_isnil(L, 2)) {
    lua_pushboolean(L, 0);
    return 1;
  }
  t = sz_decoder_transfer(L, d);
  if (!t)
    return 3;
  if (d->done) {
    lua_pushnil(L);
    return 1;
  }
  return pull_row(L, d, t);
}

int sz_decoder_next(lua_State *L) {
  return sz_decoder_alone(L, next, sz_decoder_next, "next: the decoder");
}
