/*
** shape.h - the shape that the rows of one report share: the same bytes
** between the values. It is learned from two rows and checked on each later
** row; a value is only scanned for its closing quote. A row that does not fit
** is left to the general reader, so a wrong guess only costs time. No Lua
** here.
*/
#ifndef SZ_SHAPE_H
#define SZ_SHAPE_H

#include "columns.h"
#include "scan.h"

enum sz_slot_type {
  SZ_SLOT_ABSENT,
  SZ_SLOT_STRING,
  SZ_SLOT_NUMBER, /* a number in any form: see its text */
  SZ_SLOT_INTEGER /* a whole number: see 'integer' */
};

/* One wanted value of the row. */
struct sz_slot {
  enum sz_slot_type type;
  size_t at, len; /* its text, as offset and length in the row's text */
  int64_t integer;
};

/* A want, and the value of the row that it takes. */
struct sz_taker {
  size_t value, want;
  int numeric, again; /* again: an earlier want takes the same value */
};

struct sz_shape {
  const struct sz_scanner *scanner;
  struct sz_buffer text;   /* the text of the row it was learned from */
  struct sz_buffer gaps;   /* struct sz_gap: between the values, in 'text' */
  struct sz_buffer takers; /* one struct sz_taker per want */
  struct sz_buffer places; /* one struct sz_place per value: the last row's */
  struct sz_buffer varied; /* one byte per string value: it has varied */
  size_t ngaps;            /* number of values + 1 */
  size_t row_at;           /* offset of the row, after the comma */
  unsigned failures;       /* tries in sequence without a common shape */
  unsigned pause;          /* rows to skip before the next try */
  int known;
};

void sz_shape_init(struct sz_shape *s, size_t max);
void sz_shape_free(struct sz_shape *s);

/*
** Learns from a row's text, which includes the bytes since the row before. The
** row itself begins at 'row_at' and must be valid JSON. The shape is known
** when two rows fit each other.
*/
void sz_shape_learn(struct sz_shape *s, const char *text, size_t len,
                    size_t row_at, const struct sz_columns *c);

/*
** Matches the bytes at 'p', at most 'left', against the shape. On a match it
** fills the slots, with offsets from 'p', and returns the row's length.
** SZ_CUT: the bytes match but end too early. 0: no match, or the wanted texts
** take more than 'max_row' bytes together. Without a match the slots are
** unspecified.
*/
size_t sz_shape_match(const struct sz_shape *s, const char *p, size_t left,
                      struct sz_slot *slots, size_t max_row);

/* Whether two lists of slots have the same types and values. */
int sz_slots_equal(const struct sz_slot *a, const char *a_text,
                   const struct sz_slot *b, const char *b_text, size_t count);

/* Fills a slot from a value's text; 0: it must be a number and is none. */
int sz_slot_fill(struct sz_slot *slot, const char *text, size_t at, size_t len,
                 int is_number);

#endif
