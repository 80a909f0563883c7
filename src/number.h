/* number.h - the text of a JSON number to its exact value. No Lua here. */
#ifndef SZ_NUMBER_H
#define SZ_NUMBER_H

#include <stddef.h>
#include <stdint.h>

enum sz_number_kind {
  SZ_NUMBER_BAD,     /* not a JSON number */
  SZ_NUMBER_INTEGER, /* integral text within int64_t: exact */
  SZ_NUMBER_REAL,    /* has a fraction or an exponent, or is -0 */
  SZ_NUMBER_TEXT     /* no int64_t and no finite double holds it */
};

struct sz_number {
  enum sz_number_kind kind;
  int64_t integer;
  double real; /* correctly rounded */
};

/*
** Reads 'len' bytes as one JSON number. Integral text past int64_t, and real
** text past the double's range, is SZ_NUMBER_TEXT: nothing saturates.
*/
void sz_number_read(const char *text, size_t len, struct sz_number *out);

#endif
