/* report_error.c - what is wrong with an answer, and the bounds of its facts.
 */
#include "report_private.h"

#include <stdarg.h>
#include <stdio.h>

static const char *const FACT_NAMES[SZ_FACTS] = {"err",
                                                 "details",
                                                 "msg",
                                                 "error",
                                                 "request_id",
                                                 "time_details",
                                                 "exporter_details",
                                                 "graph",
                                                 "graphView",
                                                 "dataGranularity",
                                                 "totalRowCount",
                                                 "footer",
                                                 "columns"};

const char *sz_report_fact_name(enum sz_fact fact) {
  return FACT_NAMES[fact];
}

enum step sz_report_fail(struct sz_report *r, const char *kind,
                         uint64_t position, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(r->error.message, sizeof r->error.message, format, args);
  va_end(args);
  r->error.kind = kind;
  r->error.position = position;
  return STOP;
}

size_t sz_report_fact_max(const struct sz_report *r, enum sz_fact fact) {
  size_t part = r->options.max_held / 16;
  if (fact == SZ_FACT_GRAPH)
    return r->options.max_held;
  if (fact != SZ_FACT_EXPORTERS && fact != SZ_FACT_FOOTER &&
      fact != SZ_FACT_COLUMNS)
    return SZ_MAX_FACT;
  return part > SZ_MAX_FACT ? part : SZ_MAX_FACT;
}

/* Whether one fact alone is too long, not all held bytes together. */
static int is_long_fact(const struct sz_report *r) {
  return r->where == AT_FACT && r->in->overflowed &&
         r->held.max < r->options.max_held;
}

/* Whether a list of rows is too long to be held, of which one was read. */
static int is_early(const struct sz_report *r) {
  return r->in->overflowed && r->directions[r->current].rows_at &&
         (r->where == AT_EARLY_ROW || r->where == AT_HELD);
}

enum step sz_report_json_error(struct sz_report *r,
                               const struct sz_json_error *e) {
  const char *kind = e->code == SZ_JSON_LIMIT       ? "limit"
                     : e->code == SZ_JSON_TRUNCATED ? "truncated"
                     : e->code == SZ_JSON_NOMEM     ? "memory"
                                                    : "decode";
  if (is_long_fact(r))
    return sz_report_fail(r, kind, e->position,
                          "%s is longer than %zu bytes%s", FACT_NAMES[r->fact],
                          sz_report_fact_max(r, r->fact),
                          sz_report_fact_max(r, r->fact) > SZ_MAX_FACT
                              ? " (a sixteenth of max_held)"
                              : "");
  return sz_report_fail(
      r, kind, is_early(r) ? r->directions[r->current].rows_at : e->position,
      "%s", e->message);
}

/* Fails: the answer does not have the structure of a report. */
enum step sz_report_wrong(struct sz_report *r, const char *what) {
  return sz_report_fail(r, "decode", r->in->start, "%s", what);
}

enum step sz_report_no_columns(struct sz_report *r) {
  return sz_report_fail(r, "decode", r->directions[r->current].early_at,
                        "the answer has rows but no columns");
}
