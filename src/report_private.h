/*
** report_private.h - shared by the parts of the report's reader. report.c
** reads what is around the rows; report_row.c one row, token by token;
** report_cross.c rows at once; report_last.c keeps the last row; below them
** are report_columns.c and report_error.c.
*/
#ifndef SZ_REPORT_PRIVATE_H
#define SZ_REPORT_PRIVATE_H

#include "cross.h"
#include "report.h"

/* The reader's position in the answer: what the next token must be. */
enum where {
  AT_TOP,           /* the answer's object */
  AT_TOP_KEY,       /* a key of it */
  AT_REPORT,        /* report's object */
  AT_REPORT_KEY,    /* a key of it */
  AT_TABLE,         /* table's object, or an empty value (null, []) */
  AT_TABLE_KEY,     /* a direction's key */
  AT_DIRECTION,     /* a direction's object, or an empty value */
  AT_DIRECTION_KEY, /* a key of it */
  AT_SKIPPED,       /* the end of a skipped value */
  AT_FACT,          /* the end of a value that is kept as text */
  AT_HELD,          /* the end of rows that came too early */
  AT_EARLY,         /* the list of rows, before their columns */
  AT_EARLY_ROW,     /* the end of its first row */
  AT_EARLY_END,     /* the end of an object in its place */
  AT_EMPTY,         /* the end of [] where an object was expected */
  AT_ROWS,          /* the list of rows */
  AT_ROW,           /* a row, or the list's end */
  AT_CELL,          /* a cell, or the row's end */
  AT_CELL_KEY,      /* a key of a wanted cell */
  AT_CELL_SKIPPED,  /* the end of a member that is not wanted */
  AT_MEMBER,        /* the value of a wanted member */
  AT_END            /* the end of the text */
};

/* A piece of r->held: bytes of the answer. */
struct span {
  int present;
  size_t at, len;
  uint64_t position; /* its offset in the answer */
};

struct direction {
  int seen, done, seen_columns, seen_rows;
  struct sz_columns columns;
  int has_columns; /* read and projected */
  int early;       /* the columns are those that the first row names */
  struct sz_columns header; /* then: those that came after the rows */
  int has_header;
  unsigned char *texts;       /* per want: it was given as text */
  uint64_t rows_at, early_at; /* where rows before their columns begin: the
                                 list; the first row */
  struct span held_rows;
  struct sz_buffer last_row; /* JSON text */
  const char *last_slice;    /* the same text, while still in the chunk */
  size_t last_slice_len;
  int has_last_row;
  struct sz_raw *raws, *next_raws; /* of the last row, and the one at hand */
  int has_raws;
  struct sz_quota quota;
  struct sz_dropped dropped;
};

struct sz_report {
  struct sz_report_options options;
  struct sz_report_error error;
  struct sz_json json;   /* the answer */
  struct sz_json replay; /* rows that were held back */
  struct sz_json *in;    /* the scanner in use: json or replay */
  uint64_t bytes;
  int over_body; /* the chunk was cut at max_body */

  enum where where, then; /* then: the position after a skipped value */
  enum sz_direction current;
  struct direction directions[SZ_DIRECTIONS];
  int seen_report, seen_table;
  struct sz_buffer held;
  size_t held_from;
  uint64_t unnamed; /* bytes of rows held because their cells name no column */
  struct span facts[SZ_DIRECTIONS][SZ_FACTS];
  enum sz_fact fact;

  struct sz_slot *slots;
  size_t nslots;        /* of the direction that needs more */
  const char *row_base; /* the slots' offsets are relative to it */
  struct sz_buffer row_text;
  size_t cell, want, want_end; /* the cell being read, and its wants */
  enum sz_member member;
  size_t row_from; /* the row's text begins here, in the chunk */
  int in_row, row_split, row_lost;
  struct sz_buffer row_raw; /* the row's text from earlier chunks */

  struct sz_cross cross;
  /* A row that continues in the next chunk; see report_cross.c. */
  struct sz_buffer carry;
  size_t carried;    /* bytes of it from earlier chunks */
  int cut;           /* carry the chunk's bytes from cut_from on */
  size_t cut_from;   /* in the chunk */
  const char *later; /* the chunk after the carried bytes; NULL: none */
  size_t later_len;
};

enum step { GO_ON, GIVE_ROW, STOP };

/* Sets the error. Always returns STOP. */
enum step sz_report_fail(struct sz_report *r, const char *kind,
                         uint64_t position, const char *format, ...);
enum step sz_report_json_error(struct sz_report *r,
                               const struct sz_json_error *e);
enum step sz_report_wrong(struct sz_report *r, const char *what);
/* Rows have come before their columns, and these never will. */
enum step sz_report_no_columns(struct sz_report *r);
/* The most bytes of a fact. */
size_t sz_report_fact_max(const struct sz_report *r, enum sz_fact fact);

/* report_columns.c: the columns' text is in 'held'. */
enum step sz_report_columns_read(struct sz_report *r, const struct span *text);
/*
** The columns that the row at the end of 'held' names, which is at 'position'.
** '*named': whether it does.
*/
enum step sz_report_columns_guess(struct sz_report *r, uint64_t position,
                                  int *named);

/*
** report_names.c: writes the list of columns that a row names, as a header
** has it. 0: it names none, or not all; or there is no memory.
*/
int sz_report_names_read(struct sz_report *r, const char *row, size_t len,
                         struct sz_buffer *out);
/* Notes which values the row at hand gives as text. */
void sz_report_names_note(struct sz_report *r);
/* Compares the header with the columns that the rows have named. */
enum step sz_report_names_compare(struct sz_report *r, uint64_t position);

/* The direction being read. */
static inline struct direction *sz_report_current(struct sz_report *r) {
  return &r->directions[r->current];
}

/* report_last.c */
/* Makes the text at 'p' the last row, if it is not over max_row. */
void sz_report_last_slice(struct sz_report *r, const char *p, size_t len);
/* Whether the raw values of the row at hand are likely to be looked at. */
int sz_report_last_look(const struct sz_report *r);
/* Keeps them as the last row's. */
void sz_report_last_raws(struct sz_report *r);
/* Copies the last rows that are still slices of the chunk. */
enum step sz_report_last_stash(struct sz_report *r);
/* Passes the row in the slots to sz_ties_row, before it is the last row. */
void sz_report_last_tell(struct sz_report *r);
/* Call when the columns have come: rows before them may have open ties. */
void sz_report_last_settle(struct sz_report *r);
/* GIVE_ROW; or an error, as the last row was given before. */
enum step sz_report_last_check(struct sz_report *r);

/* report_cross.c */
enum crossing {
  CROSS_NONE, /* the general reader must read the row */
  CROSS_ROW,  /* the row is complete */
  CROSS_USED, /* the chunk is used up */
  CROSS_STOP  /* there is an error */
};
/* Reads the next row at once, if it is one of plain cells. */
enum crossing sz_report_cross(struct sz_report *r);
/* Call before the chunk's bytes become invalid: copies those of a cut row. */
enum step sz_report_cross_stash(struct sz_report *r);
/* Call when the general reader has read the bytes of a cut row. */
void sz_report_cross_resume(struct sz_report *r);

/* report_row.c */
enum step sz_report_row_step(struct sz_report *r, enum sz_json_token token);
/* Whether the row just read is given; else counts it as dropped. */
int sz_report_row_kept(struct sz_report *r);
/* Call before the next token: skips cells and members that are not wanted. */
void sz_report_row_prepare(struct sz_report *r);
/* Call before the chunk's bytes become invalid: copies its part of a row. */
enum step sz_report_row_stash(struct sz_report *r);

#endif
