/* report_private.h - what report.c (the way to the rows) and report_row.c
** (the rows) share. */
#ifndef SZ_REPORT_PRIVATE_H
#define SZ_REPORT_PRIVATE_H

#include "report.h"

/* Where in the answer the reader stands: what the next token must be. */
enum where {
  AT_TOP,           /* the answer's object */
  AT_TOP_KEY,       /* a key of it */
  AT_REPORT,        /* report's object */
  AT_REPORT_KEY,    /* a key of it */
  AT_TABLE,         /* table's object, or nothing */
  AT_TABLE_KEY,     /* a direction's key */
  AT_DIRECTION,     /* a direction's object, or nothing */
  AT_DIRECTION_KEY, /* a key of it */
  AT_SKIPPED,       /* the end of a value that is passed over */
  AT_FACT,          /* the end of a value that is kept as text */
  AT_HELD,          /* the end of rows that came too early */
  AT_EMPTY,         /* the end of an empty list in an object's place */
  AT_ROWS,          /* the list of rows */
  AT_ROW,           /* a row, or the list's end */
  AT_CELL,          /* a cell, or the row's end */
  AT_CELL_KEY,      /* a key of a wanted cell */
  AT_CELL_SKIPPED,  /* the end of a member that nobody wants */
  AT_MEMBER,        /* the value of a wanted member */
  AT_END            /* blanks */
};

/* A piece of 'held': bytes of the answer. */
struct span {
  int present;
  size_t at, len;
  uint64_t position;
};

struct direction {
  int seen, done, seen_columns, seen_rows;
  struct sz_columns columns;
  int has_columns; /* read and projected */
  struct span held_rows;
  struct sz_buffer last_row; /* JSON text */
  const char *last_slice;    /* the same, still in the chunk */
  size_t last_slice_len;
  int has_last_row;
  struct sz_shape shape;
};

struct sz_report {
  struct sz_report_options options;
  struct sz_report_error error;
  struct sz_json json;   /* the answer */
  struct sz_json replay; /* rows that were held back */
  struct sz_json *in;    /* the one being read */
  uint64_t bytes;
  int over_body; /* the chunk was cut at max_body */

  enum where where, then; /* 'then': where a passed-over value returns to */
  enum sz_direction current;
  struct direction directions[SZ_DIRECTIONS];
  int seen_report, seen_table;
  struct sz_buffer held;
  size_t held_from;
  struct span facts[SZ_DIRECTIONS][SZ_FACTS];
  enum sz_fact fact;

  struct sz_slot *slots; /* the row's, and as many again for a guess */
  size_t nslots;         /* of the direction that needs more */
  const char *row_base;  /* what the slots' offsets count from */
  struct sz_buffer row_text;
  size_t cell, want, want_end; /* the cell being read, and its wants */
  enum sz_member member;
  size_t row_from; /* of the row's text, in the chunk */
  size_t gap_from; /* of what stands between the row before and it */
  int in_row, row_split, row_lost;
  struct sz_buffer row_raw; /* the row's text from chunks before */

  /* A row that goes on in the next chunk; see report_carry.c. */
  struct sz_buffer carry;
  size_t carried;    /* bytes of it from the chunks before */
  size_t looked;     /* bytes that matching it has looked at */
  int cut;           /* the chunk's bytes from cut_from on are to be carried */
  size_t cut_from;   /* in the chunk */
  const char *later; /* the chunk behind the carried bytes; NULL: none */
  size_t later_len;
};
#define MAX_CARRY 65536

#define NO_GAP ((size_t)-1)

enum step { GO_ON, GIVE_ROW, STOP };

/* Sets the error. Always STOP. */
enum step sz_report_fail(struct sz_report *r, const char *kind,
                         uint64_t position, const char *format, ...);
enum step sz_report_json_error(struct sz_report *r,
                               const struct sz_json_error *e);
enum step sz_report_wrong(struct sz_report *r, const char *what);

/* report_carry.c: what a row that is like those before it, and cut, does. */
enum carry {
  CARRY_NONE, /* it is the general reader's */
  CARRY_ON,   /* the chunk is used up */
  CARRY_ROW   /* it is whole: in r->carry */
};
/* The chunk ends in such a row, which begins at the next byte. */
enum carry sz_report_carry_begin(struct sz_report *r);
/* A chunk has come, and bytes were carried. */
enum carry sz_report_carry_on(struct sz_report *r);
/* The chunk is about to go: keeps the bytes of it that are carried. */
enum step sz_report_carry_stash(struct sz_report *r);
/* The general reader is through the bytes that were carried. */
void sz_report_carry_resume(struct sz_report *r);

/* report_row.c */
enum step sz_report_row_step(struct sz_report *r, enum sz_json_token token);
/*
** Gives the next row at once when it has the shape of the rows before. 0: it
** has not; GUESS_CUT: as far as the chunk goes, it has, and is carried.
*/
enum guess { GUESS_NONE, GUESS_ROW, GUESS_CUT };
enum guess sz_report_row_guess(struct sz_report *r);
/* sz_shape_match with the shape and the slots of the rows being read. */
size_t sz_report_row_match(struct sz_report *r, const char *p, size_t left);
/* Before the next token: passes over cells and members nobody wants. */
void sz_report_row_prepare(struct sz_report *r);
/* The chunk is about to go: keeps what lies in it of rows. */
enum step sz_report_row_stash(struct sz_report *r);
/* The bytes that last rows lie in are about to go: copies these rows. */
enum step sz_report_keep_slices(struct sz_report *r);

#endif
