/* report_row.c - rows and cells: takes the wanted values out of each row. */
#include "report_private.h"

#include <string.h>

static const char *const MEMBERS[] = {"rawValue", "label", "title"};

static const char *column_name(struct sz_report *r) {
  struct sz_columns *c = &sz_report_current(r)->columns;
  return sz_columns_text(c, c->list[r->cell].name);
}

/* The wants of cell r->cell. */
static void find_wants(struct sz_report *r) {
  struct sz_columns *c = &sz_report_current(r)->columns;
  r->want = r->cell < c->count ? c->first_want[r->cell] : c->nwants;
  r->want_end = r->cell < c->count ? c->first_want[r->cell + 1] : c->nwants;
}

static enum step begin_row(struct sz_report *r) {
  struct sz_columns *c = &sz_report_current(r)->columns;
  memset(r->slots, 0, c->nwants * sizeof *r->slots); /* all absent */
  r->row_text.len = 0;
  r->row_raw.len = 0;
  r->row_from = r->in->at - 1;
  r->row_split = r->row_lost = 0;
  r->in_row = 1;
  r->cell = 0;
  find_wants(r);
  r->where = AT_CELL;
  return GO_ON;
}

/* Copies the row's bytes in this chunk. Drops a row that is too long. */
static enum step keep_raw(struct sz_report *r, size_t to) {
  enum sz_buffer_code code;
  if (r->row_lost)
    return GO_ON;
  code = sz_buffer_append(&r->row_raw, r->in->chunk + r->row_from,
                          to - r->row_from);
  if (code == SZ_BUFFER_NOMEM)
    return sz_report_fail(r, "memory", r->bytes, "not enough memory");
  r->row_lost = code == SZ_BUFFER_FULL;
  return GO_ON;
}

/* The row is complete: makes its text the direction's last row. */
static enum step keep_last_row(struct sz_report *r) {
  struct direction *d = sz_report_current(r);
  d->last_slice = NULL;
  if (!r->row_split) {
    sz_report_last_slice(r, r->in->chunk + r->row_from,
                         r->in->at - r->row_from);
    return GO_ON;
  }
  if (keep_raw(r, r->in->at) == STOP)
    return STOP;
  d->has_raws = 0;
  d->has_last_row = !r->row_lost;
  if (d->has_last_row) {
    struct sz_buffer spare = d->last_row;
    d->last_row = r->row_raw;
    r->row_raw = spare;
  }
  return GO_ON;
}

enum step sz_report_row_stash(struct sz_report *r) {
  if (!r->in_row)
    return GO_ON;
  if (keep_raw(r, r->in->chunk_len) == STOP)
    return STOP;
  r->row_from = 0;
  r->row_split = 1;
  return GO_ON;
}

static enum step end_row(struct sz_report *r) {
  size_t count = sz_report_current(r)->columns.count;
  if (r->cell != count)
    return sz_report_fail(r, "decode", r->in->start,
                          "a row has %zu cells for %zu columns", r->cell,
                          count);
  r->in_row = 0;
  r->where = AT_ROW;
  r->row_base = r->row_text.data;
  sz_report_last_tell(r);
  if (keep_last_row(r) == STOP)
    return STOP;
  return sz_report_last_check(r);
}

int sz_report_row_kept(struct sz_report *r) {
  struct direction *d = sz_report_current(r);
  if (d->quota.overlap) {
    d->quota.overlap = 0;
    return 1;
  }
  if (sz_keep_row(r->options.keep, d->columns.tested, r->slots, r->row_base)) {
    if (!d->quota.skip && d->quota.left) {
      d->quota.left--;
      return 1;
    }
    if (!d->quota.skip)
      d->dropped.cut = 1;
    else {
      d->quota.skip--;
      d->dropped.skipped++;
    }
  }
  d->dropped.rows++;
  return 0;
}

static enum step end_cell(struct sz_report *r) {
  r->cell++;
  find_wants(r);
  r->where = AT_CELL;
  return GO_ON;
}

void sz_report_row_prepare(struct sz_report *r) {
  if (r->where == AT_CELL && r->want == r->want_end && !r->in->skipping &&
      r->cell < sz_report_current(r)->columns.count)
    sz_json_skip(r->in, NULL);
}

static enum step cell_step(struct sz_report *r, enum sz_json_token token) {
  if (token == SZ_JSON_ARRAY_END)
    return end_row(r);
  if (r->cell >= sz_report_current(r)->columns.count)
    return sz_report_fail(r, "decode", r->in->start,
                          "a row has more cells than the %zu columns",
                          sz_report_current(r)->columns.count);
  if (token == SZ_JSON_SKIPPED && r->in->skipped == SZ_JSON_OBJECT)
    return end_cell(r);
  if (token != SZ_JSON_OBJECT)
    return sz_report_fail(r, "decode", r->in->start,
                          "the cell of column '%s' is not an object",
                          column_name(r));
  r->where = AT_CELL_KEY;
  return GO_ON;
}

/* Whether the current cell's 'member' is wanted. */
static int is_wanted(const struct sz_report *r, enum sz_member member) {
  const struct sz_columns *c = &r->directions[r->current].columns;
  size_t i;
  for (i = r->want; i < r->want_end; i++)
    if (c->wants[i].member == member)
      return 1;
  return 0;
}

static enum step cell_key_step(struct sz_report *r, enum sz_json_token token) {
  int i;
  if (token == SZ_JSON_OBJECT_END)
    return end_cell(r);
  for (i = SZ_RAW; i <= SZ_TITLE; i++) {
    size_t len = strlen(MEMBERS[i]);
    if (r->in->len == len && !memcmp(r->in->text, MEMBERS[i], len) &&
        is_wanted(r, (enum sz_member)i)) {
      r->member = (enum sz_member)i;
      r->where = AT_MEMBER;
      return GO_ON;
    }
  }
  sz_json_skip(r->in, NULL);
  r->where = AT_CELL_SKIPPED;
  return GO_ON;
}

static enum step bad_member(struct sz_report *r, const char *what) {
  return sz_report_fail(r, "decode", r->in->start, "column '%s': its %s %s",
                        column_name(r), MEMBERS[r->member], what);
}

/* Stores the token's text as the value of one want. */
static enum step fill_slot(struct sz_report *r, size_t want, size_t at,
                           enum sz_json_token token) {
  const struct sz_want *w = &sz_report_current(r)->columns.wants[want];
  int is_number =
      w->numeric || (token == SZ_JSON_NUMBER && w->member == SZ_RAW);
  if (!sz_slot_fill(&r->slots[want], r->row_text.data, at, r->in->len,
                    is_number))
    return bad_member(r, "is not a number");
  return GO_ON;
}

static enum step member_step(struct sz_report *r, enum sz_json_token token) {
  struct sz_columns *c = &sz_report_current(r)->columns;
  size_t i, at = r->row_text.len;
  enum sz_buffer_code code;
  r->where = AT_CELL_KEY;
  if (token == SZ_JSON_NULL) {
    for (i = r->want; i < r->want_end; i++)
      if (c->wants[i].member == r->member)
        r->slots[i].type = SZ_SLOT_ABSENT;
    return GO_ON;
  }
  if (token != SZ_JSON_STRING && token != SZ_JSON_NUMBER)
    return bad_member(r, "is neither text nor number");
  code = sz_buffer_append(&r->row_text, r->in->text, r->in->len);
  if (code == SZ_BUFFER_NOMEM)
    return sz_report_fail(r, "memory", r->in->start, "not enough memory");
  if (code == SZ_BUFFER_FULL)
    return sz_report_fail(r, "limit", r->in->start,
                          "a row's values take more than %zu bytes (max_row)",
                          r->row_text.max);
  for (i = r->want; i < r->want_end; i++)
    if (c->wants[i].member == r->member && fill_slot(r, i, at, token) == STOP)
      return STOP;
  return GO_ON;
}

enum step sz_report_row_step(struct sz_report *r, enum sz_json_token token) {
  switch (r->where) {
  case AT_ROW:
    if (token == SZ_JSON_ARRAY)
      return begin_row(r);
    return sz_report_wrong(r, "a row is not a list of cells");
  case AT_CELL:
    return cell_step(r, token);
  case AT_CELL_KEY:
    return cell_key_step(r, token);
  case AT_CELL_SKIPPED:
    r->where = AT_CELL_KEY;
    return GO_ON;
  default:
    return member_step(r, token);
  }
}
