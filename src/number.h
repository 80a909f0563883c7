/* number.h - the text of a JSON number to its exact value. No Lua here. */
#ifndef SZ_NUMBER_H
#define SZ_NUMBER_H

#include <stddef.h>
#include <stdint.h>

__extension__ typedef __int128 sz_wide; /* sums of many 64-bit numbers */

enum sz_number_kind {
  SZ_NUMBER_BAD,     /* not a JSON number */
  SZ_NUMBER_INTEGER, /* whole, within int64_t: exact */
  SZ_NUMBER_REAL,    /* has a point or an exponent, or is -0 */
  SZ_NUMBER_TEXT     /* no int64_t and no double holds it */
};

struct sz_number {
  enum sz_number_kind kind;
  int64_t integer;
  double real; /* of text with a point or an exponent: the nearest one */
  int loose;   /* from 2^53 on: it has an exponent or a fraction */
};

/*
** Reads 'len' bytes as one JSON number. Text with a point or an exponent is
** the nearest double below 2^53; from there on a double only if that is the
** very value, else an integer, if 64 bits hold it. All else is
** SZ_NUMBER_TEXT: nothing saturates, no whole number is rounded.
*/
void sz_number_read(const char *text, size_t len, struct sz_number *out);

/*
** The value of a JSON number in any form (12, 12.0, 1.2e1). 0: it has a
** fraction, passes 128 bits, or is no number.
*/
int sz_number_whole(const char *text, size_t len, sz_wide *out);

#endif
