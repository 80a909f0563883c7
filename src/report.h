/*
** report.h - reads a report answer as it streams in. It finds columns, rows
** and cells in any order of keys, and gives one row at a time, with the wanted
** values only. No Lua and no curl here.
**
** Memory: one row's wanted values (max_row); rows that come before their turn,
** or before columns that they do not name, are held back; and facts are kept
*(max_held for both
** together; for one fact SZ_MAX_FACT, or for the larger kinds max_held / 16).
** Other values are checked as JSON and not stored.
*/
#ifndef SZ_REPORT_H
#define SZ_REPORT_H

#include "columns.h"
#include "keep.h"
#include "ties.h"

enum sz_direction { SZ_INBOUND, SZ_OUTBOUND, SZ_DIRECTIONS };

/*
** Facts: members of the answer, beside the rows, that are kept as JSON text.
** There is one of each per direction for the last three kinds.
*/
enum sz_fact {
  SZ_FACT_ERR,
  SZ_FACT_DETAILS,
  SZ_FACT_MSG,
  SZ_FACT_ERROR,
  SZ_FACT_REQUEST_ID,
  SZ_FACT_TIME,
  SZ_FACT_EXPORTERS,
  SZ_FACT_GRAPH,
  SZ_FACT_GRAPH_VIEW,
  SZ_FACT_GRANULARITY,
  SZ_FACT_TOTAL,
  SZ_FACT_FOOTER,
  SZ_FACT_COLUMNS,
  SZ_FACTS
};

#define SZ_MAX_FACT ((size_t)64 * 1024)

enum sz_report_event {
  SZ_REPORT_MORE, /* the chunk is used up: feed or finish */
  SZ_REPORT_ROW,  /* see sz_report_slots; valid until the next call */
  SZ_REPORT_DONE, /* the whole answer was read */
  SZ_REPORT_ERROR /* see error; final */
};

struct sz_report_error {
  const char *kind; /* "decode" "truncated" "limit" "api" "changed" "memory" */
  char message[1024];
  uint64_t position; /* byte offset in the answer, from 0 */
};

/* What one direction still gives of the rows that meet the tests. */
struct sz_quota {
  int overlap;   /* its first row is given without a test */
  uint64_t skip; /* drop so many of them first */
  uint64_t left; /* then give so many */
};

struct sz_report_options {
  struct sz_projection projection; /* without 'tested', which is of 'keep' */
  unsigned directions;             /* 1 << direction for each that is wanted */
  int ordered; /* always give inbound rows before outbound rows */
  int keep_graph;
  uint64_t max_body;                   /* bytes of the answer */
  size_t max_depth, max_row, max_held; /* levels; bytes; bytes */
  enum sz_json_utf8 utf8;
  int check_order; /* columns that lack the one named by 'order' are an error
                    */
  struct sz_ties *ties[SZ_DIRECTIONS]; /* borrowed; NULL: do not check ties */
  const struct sz_keep *keep;          /* borrowed; NULL: give every row */
  struct sz_quota quotas[SZ_DIRECTIONS]; /* with 'keep' */
};

struct sz_report; /* opaque */

/* NULL: out of memory. What is borrowed must live as long as the report. */
struct sz_report *sz_report_new(const struct sz_report_options *options);
void sz_report_free(struct sz_report *r);

/*
** Sets the next chunk, cut anywhere; the one before must be used up. The
** reader borrows its bytes until sz_report_next returns MORE, DONE or ERROR.
*/
void sz_report_feed(struct sz_report *r, const char *data, size_t len);
/* No more bytes will come. */
void sz_report_finish(struct sz_report *r);
/* Reads on to the next event. */
enum sz_report_event sz_report_next(struct sz_report *r);

/* Makes the report fail from now on; 'kind' and 'message' are constants. */
void sz_report_abort(struct sz_report *r, const char *kind,
                     const char *message);

const struct sz_report_error *sz_report_error(const struct sz_report *r);

/* The row just given: its direction, its slots (one per want), their text. */
enum sz_direction sz_report_row(const struct sz_report *r,
                                const struct sz_slot **slots,
                                const char **text);

/* Rows of a direction that were read and not given, because of 'keep'. */
struct sz_dropped {
  uint64_t rows;    /* since the last call */
  uint64_t skipped; /* of these, rows that 'skip' dropped */
  int cut;          /* a row that meets the tests came after 'left' rows */
};
struct sz_dropped sz_report_dropped(struct sz_report *r,
                                    enum sz_direction direction);

/*
** The columns of a direction's rows; NULL until they are known. If the rows
** came first these have no more than names.
*/
const struct sz_columns *sz_report_columns(const struct sz_report *r,
                                           enum sz_direction direction);
/* The same columns, as the header has them; NULL until it has come. */
const struct sz_columns *sz_report_header(const struct sz_report *r,
                                          enum sz_direction direction);
/* Bytes of rows that were held until their columns came. */
uint64_t sz_report_unnamed(const struct sz_report *r);

/* Gives a fact's JSON text and its offset in the answer; 0: not there yet. */
int sz_report_fact(const struct sz_report *r, enum sz_fact fact,
                   enum sz_direction direction, const char **text, size_t *len,
                   uint64_t *position);

/*
** Gives the JSON text of a direction's last row, to check whether a later
** answer begins with the same row. 0: there is none, or it is longer than
** max_row.
*/
int sz_report_last_row(const struct sz_report *r, enum sz_direction direction,
                       const char **text, size_t *len);

/* A fact's name on the wire. */
const char *sz_report_fact_name(enum sz_fact fact);

/* Bytes kept now: rows held back, and facts. */
size_t sz_report_held(const struct sz_report *r);

/* Whether the answer held a report object. */
int sz_report_found(const struct sz_report *r);

/* Bytes of the answer read so far. */
uint64_t sz_report_bytes(const struct sz_report *r);

#endif
