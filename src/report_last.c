/*
** report_last.c - the last row of each direction: its text, by which a later
** answer is recognized, and what the ties are told of it.
*/
#include "report_private.h"

int sz_report_last_look(const struct sz_report *r) {
  const struct sz_ties *ties = r->options.ties[r->current];
  return ties && sz_ties_look(ties);
}

void sz_report_last_raws(struct sz_report *r) {
  struct direction *d = sz_report_current(r);
  struct sz_raw *spare = d->raws;
  d->raws = d->next_raws;
  d->next_raws = spare;
  d->has_raws = 1;
}

/* The last row, as ties look at it. */
static struct sz_row_text last_text(const struct sz_report *r) {
  const struct direction *d = &r->directions[r->current];
  struct sz_row_text row = {NULL, 0, NULL, 0};
  if (!sz_report_last_row(r, r->current, &row.text, &row.len))
    row.text = NULL;
  row.raws = d->has_raws ? d->raws : NULL;
  row.cells = d->columns.count;
  return row;
}

void sz_report_last_slice(struct sz_report *r, const char *p, size_t len) {
  struct direction *d = sz_report_current(r);
  d->has_raws = 0;
  d->has_last_row = len <= r->row_raw.max;
  d->last_slice = d->has_last_row ? p : NULL;
  d->last_slice_len = len;
}

enum step sz_report_last_stash(struct sz_report *r) {
  int i;
  for (i = 0; i < SZ_DIRECTIONS; i++) {
    struct direction *d = &r->directions[i];
    enum sz_buffer_code code;
    if (!d->last_slice)
      continue;
    d->last_row.len = 0;
    code = sz_buffer_append(&d->last_row, d->last_slice, d->last_slice_len);
    if (code == SZ_BUFFER_NOMEM)
      return sz_report_fail(r, "memory", r->bytes, "not enough memory");
    d->has_last_row = code == SZ_BUFFER_OK;
    d->last_slice = NULL;
  }
  return GO_ON;
}

int sz_report_last_row(const struct sz_report *r, enum sz_direction direction,
                       const char **text, size_t *len) {
  const struct direction *d = &r->directions[direction];
  if (!d->has_last_row)
    return 0;
  *text = d->last_slice ? d->last_slice : d->last_row.data;
  *len = d->last_slice ? d->last_slice_len : d->last_row.len;
  return 1;
}

/* Whether only a header that is still to come tells the order's column. */
static int is_order_open(const struct sz_report *r) {
  const struct direction *d = &r->directions[r->current];
  return d->early && d->columns.order == SZ_NO_ORDER &&
         !*r->options.projection.order;
}

void sz_report_last_settle(struct sz_report *r) {
  struct sz_ties *ties = r->options.ties[r->current];
  const struct direction *d = sz_report_current(r);
  const struct sz_columns *c = d->has_header ? &d->header : &d->columns;
  const char *last = NULL;
  size_t len = 0, cell = 0;
  if (!ties || (d->early && !is_order_open(r)))
    return;
  if (d->columns.order != SZ_NO_ORDER)
    cell = d->columns.wants[d->columns.order].cell;
  else
    while (cell < c->count && !c->list[cell].sorted)
      cell++;
  sz_report_last_row(r, r->current, &last, &len);
  sz_ties_settle(ties, cell, last, len);
}

void sz_report_last_tell(struct sz_report *r) {
  struct sz_ties *ties = r->options.ties[r->current];
  const struct direction *d = sz_report_current(r);
  const struct sz_slot *order =
      d->columns.order == SZ_NO_ORDER ? NULL : &r->slots[d->columns.order];
  struct sz_row_text last;
  if (d->early)
    sz_report_names_note(r);
  if (!ties || is_order_open(r))
    return;
  last = last_text(r);
  sz_ties_row(ties, order, r->row_base, &last);
}

enum step sz_report_last_check(struct sz_report *r) {
  struct sz_ties *ties = r->options.ties[r->current];
  struct sz_row_text row;
  if (!ties || (!is_order_open(r) && !sz_ties_follow(ties)))
    return GIVE_ROW;
  row = last_text(r);
  if (is_order_open(r)) {
    sz_ties_open_row(ties, &row);
    return GIVE_ROW;
  }
  if (!row.text || !sz_ties_repeats(ties, &row))
    return GIVE_ROW;
  return sz_report_fail(r, "changed", r->in->start,
                        "a row came twice: rows with equal sort values have "
                        "changed their order, so some would be missing");
}
