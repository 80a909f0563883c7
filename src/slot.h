/* slot.h - one wanted value of a row, and how it is filled. No Lua here. */
#ifndef SZ_SLOT_H
#define SZ_SLOT_H

#include <stddef.h>
#include <stdint.h>

enum sz_slot_type {
  SZ_SLOT_ABSENT,
  SZ_SLOT_STRING,
  SZ_SLOT_NUMBER, /* a number in any form: see its text */
  SZ_SLOT_INTEGER /* a whole number: see 'integer' */
};

struct sz_slot {
  enum sz_slot_type type;
  size_t at, len; /* its text, as offset and length in the row's text */
  int64_t integer;
};

/* Where a cell's raw value is in its row's text; 'len' 0: nowhere. */
struct sz_raw {
  uint32_t at, len;
};

/* Fills a slot from a value's text; 0: it must be a number and is none. */
int sz_slot_fill(struct sz_slot *slot, const char *text, size_t at, size_t len,
                 int is_number);

#endif
