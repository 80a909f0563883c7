/* utf8.h - escapes and UTF-8 of JSON strings. No Lua here. */
#ifndef SZ_UTF8_H
#define SZ_UTF8_H

#include "buffer.h"

/*
** Decodes the JSON escapes of 'len' bytes in place; they must be valid.
** Returns the new length. A surrogate without its partner becomes the three
** bytes that UTF-8 would have for it (they are not valid UTF-8).
*/
size_t sz_utf8_unescape(char *s, size_t len);

/* Length of the longest valid prefix; 'len' when all bytes are UTF-8. */
size_t sz_utf8_valid(const char *s, size_t len);

/* Length of the broken part at the beginning of 's', at least 1. */
size_t sz_utf8_broken(const char *s, size_t len);

/* Replaces each maximal broken part with U+FFFD (Unicode 3.9). */
enum sz_buffer_code sz_utf8_replace(struct sz_buffer *b);

#endif
