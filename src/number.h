/* number.h - reads the exact value of a JSON number. No Lua here. */
#ifndef SZ_NUMBER_H
#define SZ_NUMBER_H

#include <stddef.h>
#include <stdint.h>

__extension__ typedef __int128 sz_wide; /* sums of many 64-bit numbers */

enum sz_number_kind {
  SZ_NUMBER_BAD,     /* not a JSON number */
  SZ_NUMBER_INTEGER, /* whole, within int64_t: exact */
  SZ_NUMBER_REAL,    /* a double: has a point or an exponent, or is -0 */
  SZ_NUMBER_TEXT     /* neither int64_t nor double holds it */
};

struct sz_number {
  enum sz_number_kind kind;
  int64_t integer;
  double real; /* the nearest double, if it has a point or an exponent */
  int loose;   /* 2^53 or more, written with an exponent or a fraction */
};

/*
** Reads 'len' bytes as one JSON number. A number with a point or an exponent
** becomes the nearest double if it is below 2^53. From 2^53 on it becomes a
** double only if that is exact, else an integer if 64 bits hold it. Every
** other number is SZ_NUMBER_TEXT: no value is clamped, no whole number is
** rounded.
*/
void sz_number_read(const char *text, size_t len, struct sz_number *out);

/*
** Reads a whole number in any form (12, 12.0, 1.2e1). Returns 0 when it has a
** fraction, does not fit 128 bits, or is no JSON number.
*/
int sz_number_whole(const char *text, size_t len, sz_wide *out);

/*
** Reads the whole number at or below a number in any form, exactly. Returns 0
** when it does not fit 128 bits, or is no JSON number.
*/
int sz_number_floor(const char *text, size_t len, sz_wide *out);

/*
** Compares the values of two JSON numbers, in any form and of any length,
** exactly: '*order' becomes -1, 0 or 1. Returns 0 when one is no JSON number.
** Exponents beyond 10^18 count as 10^18.
*/
int sz_number_compare(const char *a, size_t a_len, const char *b, size_t b_len,
                      int *order);

#endif
