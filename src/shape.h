/*
** shape.h - the shape that the rows of one report share, guessed from two
** rows and checked on each: the bytes between values must be the same, values
** are scanned for their closing quote. What does not fit is left to the
** general reader, so a wrong guess costs time and nothing else. No Lua here.
*/
#ifndef SZ_SHAPE_H
#define SZ_SHAPE_H

#include "columns.h"
#include "scan.h"

enum sz_slot_type {
  SZ_SLOT_ABSENT,
  SZ_SLOT_STRING,
  SZ_SLOT_NUMBER, /* a number in any form */
  SZ_SLOT_INTEGER /* a number that is 'integer' */
};

/* One wanted value of the row. */
struct sz_slot {
  enum sz_slot_type type;
  size_t at, len; /* its text: bytes of the row's text */
  int64_t integer;
};

/* A want, and the value that it takes. */
struct sz_taker {
  size_t value, want;
  int numeric, again; /* again: another has taken the value as well */
};

struct sz_shape {
  const struct sz_scanner *scanner;
  struct sz_buffer text;   /* of the row it was learned from */
  struct sz_buffer gaps;   /* struct sz_gap: between the values, in 'text' */
  struct sz_buffer takers; /* struct sz_taker, a want */
  struct sz_buffer places; /* struct sz_place, a value: of the last row */
  struct sz_buffer varied; /* a byte per string value: seen to vary */
  size_t ngaps;            /* one more than values */
  size_t row_at;           /* where the row begins: past the comma */
  unsigned failures;       /* rows in a row that had no common shape */
  unsigned pause;          /* rows to let pass before the next try */
  int known;
};

void sz_shape_init(struct sz_shape *s, size_t max);
void sz_shape_free(struct sz_shape *s);

/*
** Keeps a row's text, with what stands between the row before and it. The
** second of two that fit makes the shape known. Rows must be valid JSON.
*/
void sz_shape_learn(struct sz_shape *s, const char *text, size_t len,
                    size_t row_at, const struct sz_columns *c);

/*
** Whether the bytes at 'p', up to 'left' of them, are such a row. Returns its
** length and fills the slots, their texts as offsets from 'p'; SZ_CUT when
** they are the beginning of one; or 0. Unless they are one, the slots hold
** anything. 'max_row' bounds the wanted texts together.
*/
size_t sz_shape_match(const struct sz_shape *s, const char *p, size_t left,
                      struct sz_slot *slots, size_t max_row);

/* Whether two lists of slots say the same. */
int sz_slots_equal(const struct sz_slot *a, const char *a_text,
                   const struct sz_slot *b, const char *b_text, size_t count);

/* A slot for a value's text; 0 when a number is due and it is none. */
int sz_slot_fill(struct sz_slot *slot, const char *text, size_t at, size_t len,
                 int is_number);

#endif
