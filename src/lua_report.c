/*
** lua_report.c - the report reader as a userdata.
**
** Bytes come in one of two ways. Pulled: decoder:next(transfer) lends the
** transfer's own buffer to the reader, row by row, nothing is copied. Pushed:
** decoder:feed(chunk) reads the chunk at once and queues its rows, so that an
** error is known when the chunk is fed.
**
** The user value holds: per direction the list of field names (1, 2), the
** row that is used again (3), the projection's texts (4) and array (5), the
** transfer whose bytes are lent (6).
*/
#include "lua_report.h"

#include "http.h"
#include "lua_http.h"
#include "lua_json.h"
#include "report.h"

#include <stdlib.h>
#include <string.h>

#define DECODER "scrutinizer.decoder"
#define HEAD_BYTES 80

enum { NAMES_INBOUND = 1, REUSED_ROW = 3, TEXTS, FIELDS, TRANSFER };

struct decoder {
  struct sz_report *report; /* NULL once closed */
  struct sz_transfer *lender;
  size_t lent;            /* bytes of it being read */
  struct sz_buffer queue; /* rows that were pushed and not yet taken */
  size_t queue_at;
  char head[HEAD_BYTES]; /* first bytes of the answer, for messages */
  size_t head_len;
  int reuse, finished, done;
  size_t max_depth;
  enum sz_json_utf8 utf8;
};

/* A row in the queue: this, its slots, its text, all padded to SLOT bytes. */
struct record {
  size_t nslots, text_len;
  enum sz_direction direction;
};
#define PAD(n) (((n) + sizeof(size_t) - 1) & ~(sizeof(size_t) - 1))

static const char *const DIRECTIONS[] = {"inbound", "outbound"};

static struct decoder *check_open(lua_State *L) {
  struct decoder *d = luaL_checkudata(L, 1, DECODER);
  if (!d->report)
    luaL_error(L, "attempt to use a closed decoder");
  return d;
}

/* ---- making one ---- */

static size_t option_size(lua_State *L, const char *name) {
  lua_Number n;
  lua_getfield(L, 1, name);
  n = luaL_checknumber(L, -1);
  lua_pop(L, 1);
  if (!(n >= 1))
    luaL_error(L, "%s must be positive", name);
  return n >= 9e15 ? (size_t)1 << 53 : (size_t)n;
}

static int option_flag(lua_State *L, const char *name) {
  int flag;
  lua_getfield(L, 1, name);
  flag = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return flag;
}

/* A text of the field on top; kept in the list of texts below it. */
static const char *field_text(lua_State *L, int texts, const char *name) {
  const char *text;
  lua_getfield(L, -1, name);
  text = luaL_checkstring(L, -1);
  lua_rawseti(L, texts, (int)lua_rawlen(L, texts) + 1);
  return text;
}

/*
** The projection option, a list of { field =, column =, member =, optional =
*},
** as an array in a userdata; its texts are anchored in a table. Leaves both
** on the stack (two nils when there is none).
*/
static struct sz_select *read_fields(lua_State *L, size_t *count) {
  static const char *const MEMBERS[] = {"raw", "label", "title", NULL};
  struct sz_select *fields;
  size_t i;
  int list, texts;
  lua_getfield(L, 1, "projection");
  list = lua_gettop(L);
  if (lua_isnil(L, list)) {
    lua_pushnil(L);
    return NULL;
  }
  luaL_checktype(L, list, LUA_TTABLE);
  *count = lua_rawlen(L, list);
  lua_newtable(L);
  texts = lua_gettop(L);
  fields = lua_newuserdata(L, (*count + 1) * sizeof *fields);
  for (i = 0; i < *count; i++) {
    lua_rawgeti(L, list, (int)i + 1);
    luaL_checktype(L, -1, LUA_TTABLE);
    fields[i].name = field_text(L, texts, "field");
    fields[i].column = field_text(L, texts, "column");
    lua_getfield(L, -1, "member");
    fields[i].member = (enum sz_member)luaL_checkoption(L, -1, "raw", MEMBERS);
    lua_getfield(L, -2, "optional");
    fields[i].optional = lua_toboolean(L, -1);
    lua_pop(L, 3);
  }
  lua_remove(L, list);
  return fields;
}

static unsigned read_directions(lua_State *L) {
  unsigned directions = 0;
  int i;
  for (i = 0; i < SZ_DIRECTIONS; i++)
    directions |= (unsigned)option_flag(L, DIRECTIONS[i]) << i;
  luaL_argcheck(L, directions, 1, "no direction");
  return directions;
}

static void read_options(lua_State *L, struct sz_report_options *o) {
  o->directions = read_directions(L);
  o->with_direction = option_flag(L, "with_direction");
  o->ordered = option_flag(L, "ordered");
  o->keep_graph = option_flag(L, "graph");
  o->max_body = option_size(L, "max_body");
  o->max_depth = option_size(L, "max_depth");
  o->max_row = option_size(L, "max_row");
  o->max_held = option_size(L, "max_held");
  o->utf8 = sz_lua_json_utf8(L, 1);
}

int sz_lua_report_new(lua_State *L) {
  struct sz_report_options options;
  struct decoder *d;
  memset(&options, 0, sizeof options);
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  read_options(L, &options);
  options.fields = read_fields(L, &options.nfields); /* at 2 and 3 */
  d = lua_newuserdata(L, sizeof *d);                 /* at 4 */
  memset(d, 0, sizeof *d);
  luaL_setmetatable(L, DECODER);
  lua_createtable(L, TRANSFER, 0);
  lua_pushvalue(L, 2);
  lua_rawseti(L, -2, TEXTS);
  lua_pushvalue(L, 3);
  lua_rawseti(L, -2, FIELDS);
  sz_setuservalue(L, 4);
  d->reuse = option_flag(L, "reuse");
  d->max_depth = options.max_depth;
  d->utf8 = options.utf8;
  sz_buffer_init(&d->queue, options.max_held);
  d->report = sz_report_new(&options);
  if (!d->report)
    return luaL_error(L, "not enough memory");
  lua_settop(L, 4);
  return 1;
}

/* close, __close and __gc: any number of times. */
static int decoder_close(lua_State *L) {
  struct decoder *d = luaL_checkudata(L, 1, DECODER);
  sz_report_free(d->report);
  d->report = NULL;
  d->lender = NULL;
  sz_buffer_free(&d->queue);
  return 0;
}

static int decoder_tostring(lua_State *L) {
  struct decoder *d = luaL_checkudata(L, 1, DECODER);
  lua_pushstring(L, d->report ? DECODER : DECODER " (closed)");
  return 1;
}

/* ---- errors ---- */

/* Pushes nil, kind, message, position. */
static int push_error(lua_State *L, const struct decoder *d) {
  const struct sz_report_error *e = sz_report_error(d->report);
  if (!strcmp(e->kind, "memory"))
    return luaL_error(L, "not enough memory");
  lua_pushnil(L);
  lua_pushstring(L, e->kind);
  lua_pushstring(L, e->message);
  lua_pushinteger(L, (lua_Integer)e->position);
  return 4;
}

/* ---- rows ---- */

/* Pushes the list of a direction's field names; made with its first row. */
static void push_names(lua_State *L, int uservalue,
                       enum sz_direction direction,
                       const struct sz_columns *c) {
  size_t i;
  lua_rawgeti(L, uservalue, NAMES_INBOUND + (int)direction);
  if (!lua_isnil(L, -1))
    return;
  lua_pop(L, 1);
  lua_createtable(L, (int)c->noutputs, 0);
  for (i = 0; i < c->noutputs; i++) {
    lua_pushstring(L, c->outputs[i].name);
    lua_rawseti(L, -2, (int)i + 1);
  }
  lua_pushvalue(L, -1);
  lua_rawseti(L, uservalue, NAMES_INBOUND + (int)direction);
}

/* Pushes the table for a row: a fresh one, or the one used again, emptied of
** what the other direction's rows may have left. */
static void push_row_table(lua_State *L, const struct decoder *d,
                           int uservalue, size_t nfields) {
  if (!d->reuse) {
    lua_createtable(L, 0, (int)nfields);
    return;
  }
  lua_rawgeti(L, uservalue, REUSED_ROW);
  if (!lua_isnil(L, -1))
    return;
  lua_pop(L, 1);
  lua_createtable(L, 0, (int)nfields);
  lua_pushvalue(L, -1);
  lua_rawseti(L, uservalue, REUSED_ROW);
}

/* A counter without point or exponent is an integer: -0 is 0 there. */
static void push_slot(lua_State *L, const struct sz_slot *slot,
                      const char *text) {
  const char *s = text + slot->at;
  if (slot->type == SZ_SLOT_ABSENT)
    lua_pushnil(L);
  else if (slot->type == SZ_SLOT_STRING)
    lua_pushlstring(L, s, slot->len);
  else if (slot->type == SZ_SLOT_INTEGER)
    sz_lua_json_push_integer(L, slot->integer, s, slot->len);
  else if (slot->len == 2 && !memcmp(s, "-0", 2))
    lua_pushinteger(L, 0);
  else
    sz_lua_json_push_number(L, s, slot->len);
}

/* Pushes one row as a table. May raise (memory); nothing is lost then. */
static void push_row(lua_State *L, const struct decoder *d,
                     enum sz_direction direction, const struct sz_slot *slots,
                     const char *text) {
  const struct sz_columns *c = sz_report_columns(d->report, direction);
  int uservalue, names;
  size_t i;
  luaL_checkstack(L, 8, "row");
  sz_getuservalue(L, 1);
  uservalue = lua_gettop(L);
  push_names(L, uservalue, direction, c);
  names = lua_gettop(L);
  push_row_table(L, d, uservalue, c->noutputs);
  for (i = 0; i < c->noutputs; i++) {
    size_t want = c->outputs[i].want;
    if (!d->reuse && want != SZ_DIRECTION &&
        slots[want].type == SZ_SLOT_ABSENT)
      continue;
    lua_rawgeti(L, names, (int)i + 1);
    if (want == SZ_DIRECTION)
      lua_pushstring(L, DIRECTIONS[direction]);
    else
      push_slot(L, &slots[want], text);
    lua_rawset(L, -3);
  }
  lua_replace(L, uservalue);
  lua_settop(L, uservalue);
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

/* Copies the reader's row to the queue's end. 0: the report has failed. */
static int queue_row(struct decoder *d) {
  const struct sz_slot *slots;
  const char *text;
  struct record record;
  struct sz_buffer *queue = &d->queue;
  enum sz_buffer_code code;
  size_t i;
  memset(&record, 0, sizeof record);
  record.direction = sz_report_row(d->report, &slots, &text);
  record.nslots = sz_report_columns(d->report, record.direction)->nwants;
  for (i = 0; i < record.nslots; i++)
    if (slots[i].at + slots[i].len > record.text_len)
      record.text_len = slots[i].at + slots[i].len;
  if (d->queue_at == queue->len)
    d->queue_at = queue->len = 0;
  code =
      sz_buffer_reserve(queue, sizeof record + record.nslots * sizeof *slots +
                                   PAD(record.text_len));
  if (code == SZ_BUFFER_FULL)
    sz_report_abort(d->report, "limit",
                    "rows wait unread for more than max_held bytes: take "
                    "them between feeds");
  else if (code == SZ_BUFFER_NOMEM)
    sz_report_abort(d->report, "memory", "not enough memory");
  if (code != SZ_BUFFER_OK)
    return 0;
  sz_buffer_append(queue, (const char *)&record, sizeof record);
  sz_buffer_append(queue, (const char *)slots, record.nslots * sizeof *slots);
  sz_buffer_append(queue, text, record.text_len);
  queue_padding(queue);
  return 1;
}

/* Pushes the queue's first row and takes it off; false when it is empty. */
static int unqueue_row(lua_State *L, struct decoder *d) {
  const char *at = d->queue.data + d->queue_at;
  struct record record;
  const struct sz_slot *slots;
  if (d->queue_at == d->queue.len)
    return 0;
  memcpy(&record, at, sizeof record);
  slots = (const void *)(at + sizeof record);
  push_row(L, d, record.direction, slots,
           (const char *)(slots + record.nslots));
  lua_pushinteger(L, record.direction + 1);
  d->queue_at +=
      sizeof record + record.nslots * sizeof *slots + PAD(record.text_len);
  return 1;
}

/* Reads all that the bytes at hand hold. Returns the results pushed. */
static int read_ahead(lua_State *L, struct decoder *d) {
  for (;;) {
    switch (sz_report_next(d->report)) {
    case SZ_REPORT_ERROR:
      return push_error(L, d);
    case SZ_REPORT_DONE:
      d->done = 1;
      lua_pushboolean(L, 1);
      return 1;
    case SZ_REPORT_MORE:
      lua_pushboolean(L, 1);
      return 1;
    case SZ_REPORT_ROW:
      if (!queue_row(d))
        return push_error(L, d);
    }
  }
}

/* decoder:feed(chunk) -> true | nil, kind, message, position */
static int decoder_feed(lua_State *L) {
  struct decoder *d = check_open(L);
  size_t len;
  const char *chunk = luaL_checklstring(L, 2, &len);
  if (d->finished)
    return luaL_error(L, "attempt to feed a finished decoder");
  if (sz_report_error(d->report)->kind)
    return push_error(L, d);
  remember_head(d, chunk, len);
  sz_report_feed(d->report, chunk, len);
  return read_ahead(L, d);
}

/* decoder:finish() -> true | nil, kind, message, position */
static int decoder_finish(lua_State *L) {
  struct decoder *d = check_open(L);
  if (sz_report_error(d->report)->kind)
    return push_error(L, d);
  if (!d->finished) {
    d->finished = 1;
    sz_report_finish(d->report);
    return read_ahead(L, d);
  }
  lua_pushboolean(L, 1);
  return 1;
}

/* ---- pulled ---- */

static void give_back(struct decoder *d) {
  if (d->lender)
    sz_transfer_consume(d->lender, d->lent);
  d->lender = NULL;
}

/*
** Lends the transfer's next bytes to the reader. Returns 0 to read on, or the
** results pushed: false (nothing there yet), or nil, kind, message.
*/
static int pull(lua_State *L, struct decoder *d, struct sz_transfer *t) {
  const char *data;
  size_t len;
  switch (sz_transfer_peek(t, &data, &len)) {
  case SZ_READ_DATA:
    remember_head(d, data, len);
    sz_report_feed(d->report, data, len);
    d->lender = t;
    d->lent = len;
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
    lua_pushnil(L);
    lua_pushstring(L, sz_transfer_error(t)->kind);
    lua_pushstring(L, sz_transfer_error(t)->message);
    return 3;
  }
}

static int pull_row(lua_State *L, struct decoder *d, struct sz_transfer *t) {
  const struct sz_slot *slots;
  const char *text;
  for (;;) {
    enum sz_report_event event = sz_report_next(d->report);
    if (event == SZ_REPORT_ROW) {
      enum sz_direction direction = sz_report_row(d->report, &slots, &text);
      push_row(L, d, direction, slots, text);
      lua_pushinteger(L, direction + 1);
      return 2;
    }
    if (event == SZ_REPORT_ERROR)
      return push_error(L, d);
    give_back(d);
    if (event == SZ_REPORT_DONE) {
      d->done = 1;
      lua_pushnil(L);
      return 1;
    }
    if (pull(L, d, t))
      return lua_gettop(L) - 2;
  }
}

/* The transfer at 2, anchored: it must outlive the bytes that it lends. */
static struct sz_transfer *check_transfer(lua_State *L,
                                          const struct decoder *d) {
  struct sz_transfer *t = sz_lua_transfer_check(L, 2);
  if (!t)
    luaL_error(L, "attempt to read a closed transfer");
  if (d->lender == t)
    return t;
  sz_getuservalue(L, 1);
  lua_pushvalue(L, 2);
  lua_rawseti(L, -2, TRANSFER);
  lua_pop(L, 1);
  return t;
}

/*
** decoder:hold(transfer) -> true: rows of a chunk were queued for next |
*false:
** wait for bytes | nil: the end | nil, kind, message [, position]
** For rows that must not be given before more of the answer is known.
*/
static int decoder_hold(lua_State *L) {
  struct decoder *d = check_open(L);
  struct sz_transfer *t = check_transfer(L, d);
  enum sz_report_event event;
  lua_settop(L, 2);
  while (!d->done && (event = sz_report_next(d->report)) != SZ_REPORT_DONE) {
    if (event == SZ_REPORT_ERROR || (event == SZ_REPORT_ROW && !queue_row(d)))
      return push_error(L, d);
    if (event == SZ_REPORT_ROW)
      continue;
    give_back(d);
    if (pull(L, d, t))
      return lua_gettop(L) - 2;
    lua_pushboolean(L, 1);
    return 1;
  }
  give_back(d);
  d->done = 1;
  lua_pushnil(L);
  return 1;
}

/*
** decoder:next([transfer]) -> row, direction (1 inbound, 2 outbound) | false:
** wait for bytes | nil: the end | nil, kind, message [, position]
*/
static int decoder_next(lua_State *L) {
  struct decoder *d = check_open(L);
  struct sz_transfer *t;
  lua_settop(L, 2);
  if (unqueue_row(L, d))
    return 2;
  if (lua_isnil(L, 2)) {
    lua_pushboolean(L, 0);
    return 1;
  }
  t = check_transfer(L, d);
  if (d->done) {
    lua_pushnil(L);
    return 1;
  }
  return pull_row(L, d, t);
}

/* ---- what stands beside the rows ---- */

static enum sz_direction check_direction(lua_State *L, int index) {
  lua_Integer n = luaL_optinteger(L, index, 1);
  luaL_argcheck(L, n == 1 || n == 2, index, "direction must be 1 or 2");
  return (enum sz_direction)(n - 1);
}

/* decoder:fact(name [, direction]) -> value, position | nil: not there |
** nil, kind, message, position */
static int decoder_fact(lua_State *L) {
  static const char *const NAMES[] = {"err",
                                      "details",
                                      "msg",
                                      "error",
                                      "request_id",
                                      "time_details",
                                      "exporter_details",
                                      "graph",
                                      "totalRowCount",
                                      "footer",
                                      "columns",
                                      NULL};
  struct decoder *d = check_open(L);
  enum sz_fact fact = (enum sz_fact)luaL_checkoption(L, 2, NULL, NAMES);
  enum sz_direction direction = check_direction(L, 3);
  struct sz_json_error error;
  const char *text;
  size_t len;
  uint64_t position;
  if (!sz_report_fact(d->report, fact, direction, &text, &len, &position)) {
    lua_pushnil(L);
    return 1;
  }
  if (!sz_lua_json_push(L, text, len, d->max_depth, d->utf8, position, &error))
    return sz_lua_json_fail(L, &error);
  lua_pushinteger(L, (lua_Integer)position);
  return 2;
}

/* decoder:last_row(direction) -> list of the last row's cells | nil */
static int decoder_last_row(lua_State *L) {
  struct decoder *d = check_open(L);
  struct sz_json_error error;
  const char *text;
  size_t len;
  if (!sz_report_last_row(d->report, check_direction(L, 2), &text, &len) ||
      !sz_lua_json_push(L, text, len, d->max_depth, SZ_UTF8_PASS, 0, &error))
    lua_pushnil(L);
  return 1;
}

static void set_text(lua_State *L, const char *key, const char *text) {
  lua_pushstring(L, text);
  lua_setfield(L, -2, key);
}

/* decoder:columns(direction) -> list of { name =, label =, title =,
** numeric = } in wire order | nil: not known yet */
static int decoder_columns(lua_State *L) {
  struct decoder *d = check_open(L);
  const struct sz_columns *c =
      sz_report_columns(d->report, check_direction(L, 2));
  size_t i;
  if (!c) {
    lua_pushnil(L);
    return 1;
  }
  lua_createtable(L, (int)c->count, 0);
  for (i = 0; i < c->count; i++) {
    const struct sz_column *column = &c->list[i];
    lua_createtable(L, 0, 4);
    set_text(L, "name", sz_columns_text(c, column->name));
    set_text(L, "label", sz_columns_text(c, column->label));
    set_text(L, "title", sz_columns_text(c, column->title));
    lua_pushboolean(L, column->numeric);
    lua_setfield(L, -2, "numeric");
    lua_rawseti(L, -2, (int)i + 1);
  }
  return 1;
}

/* decoder:state() -> done, bytes so far, whether a report was found, first
** bytes of the answer */
static int decoder_state(lua_State *L) {
  struct decoder *d = check_open(L);
  lua_pushboolean(L, d->done);
  lua_pushinteger(L, (lua_Integer)sz_report_bytes(d->report));
  lua_pushboolean(L, sz_report_found(d->report));
  lua_pushlstring(L, d->head, d->head_len);
  return 4;
}

static const luaL_Reg METHODS[] = {
    {"feed", decoder_feed},         {"finish", decoder_finish},
    {"next", decoder_next},         {"hold", decoder_hold},
    {"fact", decoder_fact},         {"columns", decoder_columns},
    {"last_row", decoder_last_row}, {"state", decoder_state},
    {"close", decoder_close},       {NULL, NULL},
};

static const luaL_Reg METAMETHODS[] = {
    {"__gc", decoder_close},
    {"__close", decoder_close},
    {"__tostring", decoder_tostring},
    {NULL, NULL},
};

void sz_lua_report_register(lua_State *L) {
  luaL_newmetatable(L, DECODER);
  luaL_setfuncs(L, METAMETHODS, 0);
  luaL_newlib(L, METHODS);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}
