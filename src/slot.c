/* slot.c - see slot.h. */
#include "slot.h"

#include "number.h"
#include "scan_blocks.h"

#define MAX_DIGITS 18 /* they always fit 64 bits */

/* Reads eight digits at once: pairs, then fours, then all. 0: not digits. */
static inline int read_eight(const char *s, int64_t *value) {
  const uint64_t zeros = UINT64_C(0x3030303030303030);
  uint64_t v = sz_word_load(s) - zeros; /* a byte below '0' becomes large */
  if ((v | (v + UINT64_C(0x7676767676767676))) & UINT64_C(0x8080808080808080))
    return 0;
  v = v * 10 + (v >> 8);
  v = (v & UINT64_C(0x00FF00FF00FF00FF)) * 100 +
      (v >> 16 & UINT64_C(0x00FF00FF00FF00FF));
  v = (v & UINT64_C(0x0000FFFF0000FFFF)) * 10000 +
      (v >> 32 & UINT64_C(0x0000FFFF0000FFFF));
  *value = *value * 100000000 + (int64_t)(v & 0xFFFFFFFF);
  return 1;
}

/* Reads a number of digits only, as most are. 0: not such a number. */
static inline int read_digits(const char *s, size_t len, int64_t *value) {
  int64_t v = 0;
  if (!len || len > MAX_DIGITS || (len > 1 && *s == '0'))
    return 0;
  for (; len >= 8; len -= 8, s += 8)
    if (!read_eight(s, &v))
      return 0;
  for (; len; len--, s++) {
    unsigned digit = (unsigned char)*s - (unsigned)'0';
    if (digit > 9)
      return 0;
    v = v * 10 + (int64_t)digit;
  }
  *value = v;
  return 1;
}

/* Fills a slot with a number in any form. 0: it is none. */
static int fill_number(struct sz_slot *slot, const char *s) {
  struct sz_number n;
  sz_number_read(s, slot->len, &n);
  slot->type = n.kind == SZ_NUMBER_INTEGER ? SZ_SLOT_INTEGER : SZ_SLOT_NUMBER;
  slot->integer = n.integer;
  return n.kind != SZ_NUMBER_BAD;
}

int sz_slot_fill(struct sz_slot *slot, const char *text, size_t at, size_t len,
                 int is_number) {
  slot->at = at;
  slot->len = len;
  slot->type = is_number ? SZ_SLOT_INTEGER : SZ_SLOT_STRING;
  return !is_number || read_digits(text + at, len, &slot->integer) ||
         fill_number(slot, text + at);
}
