/* utf8.h - escapes and UTF-8 of JSON strings. No Lua here. */
#ifndef SZ_UTF8_H
#define SZ_UTF8_H

#include "buffer.h"

/*
** Decodes the escapes of 'len' bytes in place; they must be valid JSON
** escapes. Returns the new length. A surrogate without its partner becomes
** the three bytes that UTF-8 would have for it (they are not valid UTF-8).
*/
size_t sz_utf8_unescape(char *s, size_t len);

/* Length of the longest valid prefix: 'len' when all of it is UTF-8. */
size_t sz_utf8_valid(const char *s, size_t len);

/* Length of the broken part that 's' begins with, at least 1. */
size_t sz_utf8_broken(const char *s, size_t len);

/* Puts U+FFFD in the place of each maximal broken part (Unicode 3.9). */
enum sz_buffer_code sz_utf8_replace(struct sz_buffer *b);

#endif
