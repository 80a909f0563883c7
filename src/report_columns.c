/* report_columns.c - the columns of a direction, and which of them are wanted.
 */
#include "report_private.h"

#include <stdio.h>
#include <stdlib.h>

/* Writes the names of the columns, for a message. */
static void list_columns(const struct sz_columns *c, char *out, size_t size) {
  size_t i, used = 0;
  out[0] = '\0';
  for (i = 0; i < c->count && used < size; i++)
    used += (size_t)snprintf(out + used, size - used, "%s%s", i ? ", " : "",
                             sz_columns_text(c, c->list[i].name));
}

/* Makes room for the places of raw values, where ties are looked for. */
static int make_raws(struct sz_report *r) {
  struct direction *d = sz_report_current(r);
  if (!r->options.ties[r->current])
    return 1;
  d->raws = calloc(d->columns.count + 1, sizeof *d->raws);
  d->next_raws = calloc(d->columns.count + 1, sizeof *d->raws);
  return d->raws && d->next_raws;
}

/* Makes room for the slots of both directions' rows. */
static int grow_slots(struct sz_report *r, size_t n) {
  struct sz_slot *slots;
  if (n <= r->nslots)
    return 1;
  slots = realloc(r->slots, n * sizeof *slots);
  if (!slots)
    return 0;
  r->slots = slots;
  r->nslots = n;
  return 1;
}

static struct sz_projection projection_of(const struct sz_report *r) {
  struct sz_projection p = r->options.projection;
  if (!r->options.ties[r->current])
    p.order = NULL;
  if (r->options.keep)
    p.tested = sz_keep_fields(r->options.keep, &p.ntested);
  return p;
}

/* A column that the caller named is not there. 'what' says what it is for. */
static enum step no_column(struct sz_report *r, const struct span *text,
                           const char *column, const char *what) {
  char names[400];
  list_columns(&r->directions[r->current].columns, names, sizeof names);
  return sz_report_fail(r, "api", text->position,
                        "no column '%.120s'%s in this report; it has: %s",
                        column, what, names);
}

/* The same for a column of the projection. That of a test says why. */
static enum step lacks_column(struct sz_report *r, const struct span *text,
                              const struct sz_projection *p,
                              const struct sz_select *missing) {
  char names[400];
  size_t i;
  for (i = 0; i < p->ntested; i++)
    if (missing == &p->tested[i]) {
      list_columns(&r->directions[r->current].columns, names, sizeof names);
      return sz_report_fail(r, "api", text->position, "%s; it has: %s",
                            sz_keep_why(r->options.keep, i), names);
    }
  return no_column(r, text, missing->column, "");
}

/* Finds what the projection needs of the columns. */
static enum step project(struct sz_report *r, const struct span *text) {
  struct direction *d = sz_report_current(r);
  const struct sz_projection projection = projection_of(r);
  int nomem;
  const struct sz_select *missing =
      sz_columns_project(&d->columns, &projection, &nomem);
  if (missing && d->columns.count)
    return lacks_column(r, text, &projection, missing);
  if (r->options.check_order && d->columns.count &&
      !sz_columns_has(&d->columns, r->options.projection.order))
    return no_column(r, text, r->options.projection.order, " to order by");
  if (nomem || !grow_slots(r, d->columns.nwants + 1) || !make_raws(r))
    return sz_report_fail(r, "memory", r->bytes, "not enough memory");
  d->has_columns = d->columns.count > 0;
  return GO_ON;
}

static enum step read_into(struct sz_report *r, struct sz_columns *c,
                           const char *text, size_t len, uint64_t position) {
  struct sz_json_error error = {SZ_JSON_OK, "", 0};
  if (sz_columns_read(c, text, len, position, r->options.max_depth,
                      r->options.utf8, &error) < 0)
    return sz_report_json_error(r, &error);
  return GO_ON;
}

/* The header has come after its rows. */
static enum step read_header(struct sz_report *r, const struct span *text) {
  struct direction *d = sz_report_current(r);
  if (read_into(r, &d->header, r->held.data + text->at, text->len,
                text->position) == STOP ||
      sz_report_names_compare(r, text->position) == STOP)
    return STOP;
  d->has_header = 1;
  sz_report_last_settle(r);
  return GO_ON;
}

enum step sz_report_columns_read(struct sz_report *r,
                                 const struct span *text) {
  struct direction *d = sz_report_current(r);
  if (d->early)
    return read_header(r, text);
  if (read_into(r, &d->columns, r->held.data + text->at, text->len,
                text->position) == STOP ||
      project(r, text) == STOP)
    return STOP;
  sz_report_last_settle(r); /* rows of an answer before */
  return GO_ON;
}

enum step sz_report_columns_guess(struct sz_report *r, uint64_t position,
                                  int *named) {
  struct direction *d = sz_report_current(r);
  const struct span text = {1, 0, 0, position};
  struct sz_buffer list;
  enum step step = GO_ON;
  sz_buffer_init(&list, r->options.max_held);
  *named = sz_report_names_read(r, r->held.data + r->held_from + 1,
                                r->held.len - r->held_from - 1, &list);
  if (*named)
    step = read_into(r, &d->columns, list.data, list.len, position);
  if (*named && step == GO_ON)
    step = project(r, &text);
  sz_buffer_free(&list);
  if (*named && step == GO_ON) {
    d->texts = calloc(d->columns.nwants + 1, 1);
    if (!d->texts)
      step = sz_report_fail(r, "memory", r->bytes, "not enough memory");
  }
  d->early = *named;
  return step;
}
