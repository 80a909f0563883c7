/* text.h - writes values as text for CSV and JSON. No Lua here. */
#ifndef SZ_TEXT_H
#define SZ_TEXT_H

#include "buffer.h"

#include <stdbool.h>
#include <stdint.h>

/* Appends the number in decimal. */
enum sz_buffer_code sz_text_integer(struct sz_buffer *b, int64_t value);

/*
** Appends the number with 15 significant digits, or 17 where 15 do not read
** back as the same double. Whole numbers up to 2^53 have no point and no
** exponent. "nan" and "inf" are written as printf does. The decimal point is
** "." in every locale.
*/
enum sz_buffer_code sz_text_real(struct sz_buffer *b, double value);

/* How CSV cells are written. */
struct sz_csv {
  char separator;
  bool guard; /* put ' before texts that a spreadsheet takes for a formula */
};

/* Appends a cell as RFC 4180 says: in quotes only where needed. */
enum sz_buffer_code sz_text_csv(struct sz_buffer *b, const struct sz_csv *how,
                                const char *s, size_t len);

/*
** Appends a JSON string with its quotes. Control bytes become escapes, each
** broken part of UTF-8 becomes U+FFFD.
*/
enum sz_buffer_code sz_text_json(struct sz_buffer *b, const char *s,
                                 size_t len);

#endif
