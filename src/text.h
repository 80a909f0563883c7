/* text.h - values as the text of CSV and JSON cells. No Lua here. */
#ifndef SZ_TEXT_H
#define SZ_TEXT_H

#include "buffer.h"

#include <stdbool.h>
#include <stdint.h>

/* Exact decimal digits. */
enum sz_buffer_code sz_text_integer(struct sz_buffer *b, int64_t value);

/*
** The shortest of 15 or 17 digits that reads back as the same double; whole
** numbers up to 2^53 without point and exponent. "nan" and "inf" as printf
** says them. The point is a point in every locale.
*/
enum sz_buffer_code sz_text_real(struct sz_buffer *b, double value);

/* How CSV cells are written. */
struct sz_csv {
  char separator;
  bool guard; /* a leading quote for texts that begin like a formula */
};

/* A cell after RFC 4180: in quotes when it has to be. */
enum sz_buffer_code sz_text_csv(struct sz_buffer *b, const struct sz_csv *how,
                                const char *s, size_t len);

/*
** A JSON string in its quotes: control bytes as escapes, each broken part of
** UTF-8 as U+FFFD.
*/
enum sz_buffer_code sz_text_json(struct sz_buffer *b, const char *s,
                                 size_t len);

#endif
