/* report.c - reads everything around the rows, in any order of keys. */
#include "report_private.h"

#include <stdlib.h>
#include <string.h>

static const char *const DIRECTION_KEYS[] = {"inbound", "outbound"};

struct sz_report *sz_report_new(const struct sz_report_options *options) {
  struct sz_report *r = calloc(1, sizeof *r);
  int i;
  if (!r)
    return NULL;
  r->options = *options;
  r->in = &r->json;
  sz_buffer_init(&r->held, options->max_held);
  sz_buffer_init(&r->row_text, options->max_row);
  sz_buffer_init(&r->row_raw, options->max_row);
  sz_buffer_init(&r->carry, SZ_CROSS_MAX);
  sz_cross_init(&r->cross);
  for (i = 0; i < SZ_DIRECTIONS; i++) {
    sz_columns_init(&r->directions[i].columns, options->max_held);
    sz_columns_init(&r->directions[i].header, options->max_held);
    sz_buffer_init(&r->directions[i].last_row, options->max_row);
    r->directions[i].quota = options->quotas[i];
  }
  /* So that a row's text is never NULL, even if all its values are empty. */
  if (sz_buffer_reserve(&r->row_text, 1) != SZ_BUFFER_OK ||
      sz_json_init(&r->json, options->max_depth, options->max_row,
                   options->utf8) < 0 ||
      sz_json_init(&r->replay, options->max_depth, options->max_row,
                   options->utf8) < 0) {
    sz_report_free(r);
    return NULL;
  }
  return r;
}

void sz_report_free(struct sz_report *r) {
  int i;
  if (!r)
    return;
  sz_json_free(&r->json);
  sz_json_free(&r->replay);
  sz_buffer_free(&r->held);
  sz_buffer_free(&r->row_text);
  sz_buffer_free(&r->row_raw);
  sz_buffer_free(&r->carry);
  sz_cross_free(&r->cross);
  for (i = 0; i < SZ_DIRECTIONS; i++) {
    sz_columns_free(&r->directions[i].columns);
    sz_columns_free(&r->directions[i].header);
    free(r->directions[i].texts);
    free(r->directions[i].raws);
    free(r->directions[i].next_raws);
    sz_buffer_free(&r->directions[i].last_row);
  }
  free(r->slots);
  free(r);
}

static enum step twice(struct sz_report *r, const char *key) {
  return sz_report_fail(r, "decode", r->in->start,
                        "the key '%s' occurs twice in the answer", key);
}

/* ---- facts: values kept as text ---- */

static enum step pass(struct sz_report *r, enum where then) {
  sz_json_skip(r->in, NULL);
  r->where = AT_SKIPPED;
  r->then = then;
  return GO_ON;
}

static enum step hold(struct sz_report *r, enum where where, enum where then) {
  r->held_from = r->held.len;
  sz_json_skip(r->in, &r->held);
  r->where = where;
  r->then = then;
  return GO_ON;
}

static struct span held_span(const struct sz_report *r) {
  struct span s;
  s.present = 1;
  s.at = r->held_from;
  s.len = r->held.len - r->held_from;
  s.position = sz_json_position(r->in) - s.len;
  return s;
}

static enum step keep_fact(struct sz_report *r, enum sz_fact fact,
                           enum where then) {
  size_t room = r->options.max_held - r->held.len,
         max = sz_report_fact_max(r, fact);
  r->fact = fact;
  r->held.max = r->held.len + (max < room ? max : room);
  return hold(r, AT_FACT, then);
}

static enum step end_fact(struct sz_report *r) {
  struct span span = held_span(r);
  r->held.max = r->options.max_held;
  r->where = r->then;
  r->facts[r->fact >= SZ_FACT_TOTAL ? r->current : 0][r->fact] = span;
  return r->fact == SZ_FACT_COLUMNS ? sz_report_columns_read(r, &span) : GO_ON;
}

/* ---- rows held back ---- */

/* Whether every direction that must come before this one is done. */
static int in_turn(const struct sz_report *r, enum sz_direction d) {
  return !r->options.ordered || d == SZ_INBOUND ||
         !(r->options.directions & 1u << SZ_INBOUND) ||
         r->directions[SZ_INBOUND].done;
}

static enum step start_replay(struct sz_report *r, enum sz_direction d,
                              enum where then) {
  struct span *rows = &r->directions[d].held_rows;
  r->current = d;
  sz_json_reset(&r->replay, rows->position);
  sz_json_feed(&r->replay, r->held.data + rows->at, rows->len);
  r->replay.finished = 1; /* so that a number at the text's end is complete */
  rows->present = 0;
  r->in = &r->replay;
  r->where = AT_ROWS;
  r->then = then;
  return GO_ON;
}

/* Reads held-back rows whose turn has come; without any goes to 'then'. */
static enum step release(struct sz_report *r, enum where then) {
  int d;
  for (d = 0; d < SZ_DIRECTIONS; d++)
    if (r->directions[d].held_rows.present && r->directions[d].done &&
        in_turn(r, (enum sz_direction)d))
      return start_replay(r, (enum sz_direction)d, then);
  r->where = then;
  return GO_ON;
}

static enum step end_rows(struct sz_report *r) {
  if (sz_report_last_stash(r) == STOP)
    return STOP;
  if (r->in == &r->json) {
    r->where = AT_DIRECTION_KEY;
    return GO_ON;
  }
  r->in = &r->json;
  if (r->then != AT_ROW)
    return release(r, r->then);
  r->held.len = r->held_from; /* the first row was read: go on after it */
  r->where = AT_ROW;
  return GO_ON;
}

/* ---- rows before their columns ---- */

/* Whether rows may be given as soon as their first one names the columns. */
static int may_come_early(const struct sz_report *r) {
  const struct direction *d = &r->directions[r->current];
  const struct sz_ties *ties = r->options.ties[r->current];
  return !d->seen_columns && in_turn(r, r->current) &&
         (!ties || sz_ties_are_new(ties));
}

static enum step keep_byte(struct sz_report *r, const char *byte) {
  enum sz_buffer_code code = sz_buffer_append(&r->held, byte, 1);
  if (code == SZ_BUFFER_NOMEM)
    return sz_report_fail(r, "memory", r->bytes, "not enough memory");
  if (code == SZ_BUFFER_FULL)
    return sz_report_fail(r, "limit", r->in->start, "%s", sz_json_too_much);
  return GO_ON;
}

static enum step early_step(struct sz_report *r, enum sz_json_token token) {
  if (token == SZ_JSON_NULL)
    return end_rows(r);
  r->directions[r->current].rows_at = r->in->start;
  if (token == SZ_JSON_OBJECT) { /* what is wrong within it comes first */
    sz_json_skip_rest(r->in, NULL);
    r->where = AT_EARLY_END;
    return GO_ON;
  }
  if (token != SZ_JSON_ARRAY)
    return sz_report_wrong(r, "rows is not a list");
  r->held_from = r->held.len;
  if (keep_byte(r, "[") == STOP)
    return STOP;
  sz_json_skip(r->in, &r->held);
  r->where = AT_EARLY_ROW;
  return GO_ON;
}

/*
** The first row is in 'held', after a bracket. If it names the columns it is
** read again as a list of one row; then the others follow.
*/
static enum step early_row_step(struct sz_report *r,
                                enum sz_json_token token) {
  struct direction *d = &r->directions[r->current];
  int named;
  if (r->where == AT_EARLY_END)
    return sz_report_fail(r, "decode", d->rows_at, "rows is not a list");
  if (token == SZ_JSON_ARRAY_END) {
    r->held.len = r->held_from;
    return end_rows(r);
  }
  d->early_at = r->in->start;
  if (sz_report_columns_guess(r, d->early_at, &named) == STOP)
    return STOP;
  if (!named) {
    sz_json_skip_rest(r->in, &r->held);
    r->where = AT_HELD;
    r->then = AT_DIRECTION_KEY;
    return GO_ON;
  }
  d->held_rows = held_span(r);
  if (keep_byte(r, "]") == STOP)
    return STOP;
  d->held_rows.len++;
  return start_replay(r, r->current, AT_ROW);
}

/* ---- the keys of each object ---- */

static int is_key(const struct sz_report *r, const char *name) {
  return r->in->len == strlen(name) && !memcmp(r->in->text, name, r->in->len);
}

static enum step top_key(struct sz_report *r) {
  if (is_key(r, "report")) {
    if (r->seen_report++)
      return twice(r, "report");
    r->where = AT_REPORT;
    return GO_ON;
  }
  if (is_key(r, "err"))
    return keep_fact(r, SZ_FACT_ERR, AT_TOP_KEY);
  if (is_key(r, "details"))
    return keep_fact(r, SZ_FACT_DETAILS, AT_TOP_KEY);
  if (is_key(r, "msg"))
    return keep_fact(r, SZ_FACT_MSG, AT_TOP_KEY);
  return pass(r, AT_TOP_KEY);
}

static enum step report_key(struct sz_report *r) {
  if (is_key(r, "table")) {
    if (r->seen_table++)
      return twice(r, "table");
    r->where = AT_TABLE;
    return GO_ON;
  }
  if (is_key(r, "error"))
    return keep_fact(r, SZ_FACT_ERROR, AT_REPORT_KEY);
  if (is_key(r, "request_id"))
    return keep_fact(r, SZ_FACT_REQUEST_ID, AT_REPORT_KEY);
  if (is_key(r, "time_details"))
    return keep_fact(r, SZ_FACT_TIME, AT_REPORT_KEY);
  if (is_key(r, "exporter_details"))
    return keep_fact(r, SZ_FACT_EXPORTERS, AT_REPORT_KEY);
  if (r->options.keep_graph && is_key(r, "graph"))
    return keep_fact(r, SZ_FACT_GRAPH, AT_REPORT_KEY);
  if (is_key(r, "graphView"))
    return keep_fact(r, SZ_FACT_GRAPH_VIEW, AT_REPORT_KEY);
  if (is_key(r, "dataGranularity"))
    return keep_fact(r, SZ_FACT_GRANULARITY, AT_REPORT_KEY);
  return pass(r, AT_REPORT_KEY);
}

static enum step table_key(struct sz_report *r) {
  int d;
  for (d = 0; d < SZ_DIRECTIONS; d++) {
    if (!is_key(r, DIRECTION_KEYS[d]))
      continue;
    if (r->directions[d].seen++)
      return twice(r, DIRECTION_KEYS[d]);
    if (!(r->options.directions & 1u << d))
      break;
    r->current = (enum sz_direction)d;
    r->where = AT_DIRECTION;
    return GO_ON;
  }
  return pass(r, AT_TABLE_KEY);
}

static enum step direction_key(struct sz_report *r) {
  struct direction *d = &r->directions[r->current];
  if (is_key(r, "columns")) {
    if (d->seen_columns++)
      return twice(r, "columns");
    return keep_fact(r, SZ_FACT_COLUMNS, AT_DIRECTION_KEY);
  }
  if (is_key(r, "rows")) {
    if (d->seen_rows++)
      return twice(r, "rows");
    if (!d->has_columns && may_come_early(r))
      r->where = AT_EARLY;
    else if (!d->has_columns || !in_turn(r, r->current))
      return hold(r, AT_HELD, AT_DIRECTION_KEY);
    else
      r->where = AT_ROWS;
    return GO_ON;
  }
  if (is_key(r, "totalRowCount"))
    return keep_fact(r, SZ_FACT_TOTAL, AT_DIRECTION_KEY);
  if (is_key(r, "footer"))
    return keep_fact(r, SZ_FACT_FOOTER, AT_DIRECTION_KEY);
  return pass(r, AT_DIRECTION_KEY);
}

/* Whether rows have come and their columns never will. */
static int lacks_header(const struct direction *d) {
  return d->early && !d->has_header;
}

/* The end of the table: all rows held back may be read now. */
static enum step end_table(struct sz_report *r) {
  r->directions[SZ_INBOUND].done = r->directions[SZ_OUTBOUND].done = 1;
  return release(r, AT_REPORT_KEY);
}

static enum step end_direction(struct sz_report *r) {
  if (lacks_header(&r->directions[r->current]))
    return sz_report_no_columns(r);
  r->directions[r->current].done = 1;
  return release(r, AT_TABLE_KEY);
}

static enum step end_object(struct sz_report *r) {
  switch (r->where) {
  case AT_TOP_KEY:
    r->where = AT_END;
    return GO_ON;
  case AT_REPORT_KEY:
    r->where = AT_TOP_KEY;
    return GO_ON;
  case AT_TABLE_KEY:
    return end_table(r);
  default:
    return end_direction(r);
  }
}

static enum step key_step(struct sz_report *r, enum sz_json_token token) {
  if (token == SZ_JSON_OBJECT_END)
    return end_object(r);
  switch (r->where) {
  case AT_TOP_KEY:
    return top_key(r);
  case AT_REPORT_KEY:
    return report_key(r);
  case AT_TABLE_KEY:
    return table_key(r);
  default:
    return direction_key(r);
  }
}

/* ---- the values between ---- */

/* Expects an object; null and [] count as an empty one. */
static enum step table_step(struct sz_report *r, enum sz_json_token token) {
  int is_table = r->where == AT_TABLE;
  if (token == SZ_JSON_OBJECT) {
    r->where = is_table ? AT_TABLE_KEY : AT_DIRECTION_KEY;
    return GO_ON;
  }
  r->then = is_table ? AT_REPORT_KEY : AT_TABLE_KEY;
  if (token == SZ_JSON_ARRAY) {
    r->where = AT_EMPTY;
    return GO_ON;
  }
  if (token != SZ_JSON_NULL)
    return sz_report_wrong(r, is_table ? "table is not an object"
                                       : "a direction is not an object");
  if (is_table)
    r->where = AT_REPORT_KEY;
  return is_table ? GO_ON : end_direction(r);
}

static enum step empty_step(struct sz_report *r, enum sz_json_token token) {
  if (token != SZ_JSON_ARRAY_END)
    return sz_report_wrong(r, "a list in place of an object");
  r->where = r->then;
  return r->then == AT_TABLE_KEY ? end_direction(r) : GO_ON;
}

static enum step rows_step(struct sz_report *r, enum sz_json_token token) {
  if (token == SZ_JSON_NULL)
    return end_rows(r);
  if (token != SZ_JSON_ARRAY)
    return sz_report_wrong(r, "rows is not a list");
  r->where = AT_ROW;
  sz_cross_begin(&r->cross);
  return GO_ON;
}

/* A list of rows was captured: it waits for its columns or its turn. */
static enum step held_step(struct sz_report *r) {
  struct direction *d = &r->directions[r->current];
  d->held_rows = held_span(r);
  if (!d->has_columns)
    r->unnamed += d->held_rows.len;
  r->where = AT_DIRECTION_KEY;
  return GO_ON;
}

static enum step row_step(struct sz_report *r, enum sz_json_token token) {
  if (token == SZ_JSON_ARRAY_END)
    return end_rows(r);
  if (!r->directions[r->current].has_columns)
    return sz_report_wrong(r, "the answer has rows but no columns");
  return sz_report_row_step(r, token);
}

static enum step take(struct sz_report *r, enum sz_json_token token) {
  switch (r->where) {
  case AT_TOP:
    if (token != SZ_JSON_OBJECT)
      return sz_report_wrong(r, "the answer is not a JSON object");
    r->where = AT_TOP_KEY;
    return GO_ON;
  case AT_REPORT:
    if (token != SZ_JSON_OBJECT)
      return sz_report_wrong(r, "report is not an object");
    r->where = AT_REPORT_KEY;
    return GO_ON;
  case AT_TOP_KEY:
  case AT_REPORT_KEY:
  case AT_TABLE_KEY:
  case AT_DIRECTION_KEY:
    return key_step(r, token);
  case AT_TABLE:
  case AT_DIRECTION:
    return table_step(r, token);
  case AT_SKIPPED:
    r->where = r->then;
    return GO_ON;
  case AT_FACT:
    return end_fact(r);
  case AT_HELD:
    return held_step(r);
  case AT_EARLY:
    return early_step(r, token);
  case AT_EARLY_ROW:
  case AT_EARLY_END:
    return early_row_step(r, token);
  case AT_EMPTY:
    return empty_step(r, token);
  case AT_ROWS:
    return rows_step(r, token);
  case AT_ROW:
    return row_step(r, token);
  default:
    return sz_report_row_step(r, token);
  }
}

/* ---- public functions ---- */

void sz_report_feed(struct sz_report *r, const char *data, size_t len) {
  uint64_t left = r->options.max_body - r->bytes;
  if (len > left) {
    len = (size_t)left;
    r->over_body = 1;
  }
  r->bytes += len;
  sz_json_feed(&r->json, data, len);
}

void sz_report_finish(struct sz_report *r) {
  sz_json_finish(&r->json);
}

/* The last rows must stay valid after the chunk is gone. */
static enum sz_report_event failed(struct sz_report *r) {
  sz_report_last_stash(r);
  return SZ_REPORT_ERROR;
}

/* Copies what must stay of the chunk. */
static enum step stash(struct sz_report *r) {
  if (sz_report_last_stash(r) == STOP || sz_report_cross_stash(r) == STOP)
    return STOP;
  return sz_report_row_stash(r);
}

static enum sz_report_event chunk_used(struct sz_report *r) {
  if (stash(r) == STOP)
    return failed(r);
  /* A further call before the next chunk must not read this one again. */
  sz_json_feed(&r->json, "", 0);
  if (!r->over_body)
    return SZ_REPORT_MORE;
  sz_report_fail(r, "limit", r->bytes, "the answer is longer than max_body");
  return SZ_REPORT_ERROR;
}

static enum sz_report_event read_on(struct sz_report *r) {
  for (;;) {
    enum sz_json_token token;
    enum step step;
    if (r->where == AT_ROW) {
      enum crossing crossing = sz_report_cross(r);
      if (crossing != CROSS_NONE)
        return crossing == CROSS_ROW    ? SZ_REPORT_ROW
               : crossing == CROSS_USED ? chunk_used(r)
                                        : failed(r);
    }
    sz_report_row_prepare(r);
    token = sz_json_next(r->in);
    if (token == SZ_JSON_MORE && !r->later)
      return chunk_used(r);
    if (token == SZ_JSON_MORE) {
      if (stash(r) == STOP)
        return failed(r);
      sz_report_cross_resume(r);
      continue;
    }
    if (token == SZ_JSON_END)
      return SZ_REPORT_DONE;
    step = token == SZ_JSON_ERROR ? sz_report_json_error(r, &r->in->error)
                                  : take(r, token);
    if (step == GIVE_ROW)
      return SZ_REPORT_ROW;
    if (step == STOP)
      return failed(r);
  }
}

enum sz_report_event sz_report_next(struct sz_report *r) {
  enum sz_report_event event;
  if (r->error.kind)
    return SZ_REPORT_ERROR;
  do
    event = read_on(r);
  while (event == SZ_REPORT_ROW && r->options.keep && !sz_report_row_kept(r));
  return event;
}

struct sz_dropped sz_report_dropped(struct sz_report *r,
                                    enum sz_direction direction) {
  struct sz_dropped *d = &r->directions[direction].dropped, copy = *d;
  d->rows = d->skipped = 0;
  return copy;
}

void sz_report_abort(struct sz_report *r, const char *kind,
                     const char *message) {
  sz_report_fail(r, kind, r->bytes, "%s", message);
  failed(r);
}

const struct sz_report_error *sz_report_error(const struct sz_report *r) {
  return &r->error;
}

enum sz_direction sz_report_row(const struct sz_report *r,
                                const struct sz_slot **slots,
                                const char **text) {
  *slots = r->slots;
  *text = r->row_base;
  return r->current;
}

const struct sz_columns *sz_report_columns(const struct sz_report *r,
                                           enum sz_direction direction) {
  const struct direction *d = &r->directions[direction];
  return d->has_columns ? &d->columns : NULL;
}

const struct sz_columns *sz_report_header(const struct sz_report *r,
                                          enum sz_direction direction) {
  const struct direction *d = &r->directions[direction];
  if (d->early)
    return d->has_header ? &d->header : NULL;
  return sz_report_columns(r, direction);
}

uint64_t sz_report_unnamed(const struct sz_report *r) {
  return r->unnamed;
}

int sz_report_fact(const struct sz_report *r, enum sz_fact fact,
                   enum sz_direction direction, const char **text, size_t *len,
                   uint64_t *position) {
  const struct span *s =
      &r->facts[fact >= SZ_FACT_TOTAL ? direction : 0][fact];
  if (!s->present)
    return 0;
  *text = r->held.data + s->at;
  *len = s->len;
  *position = s->position;
  return 1;
}

size_t sz_report_held(const struct sz_report *r) {
  return r->held.len;
}

int sz_report_found(const struct sz_report *r) {
  return r->seen_report;
}

uint64_t sz_report_bytes(const struct sz_report *r) {
  return r->bytes;
}
