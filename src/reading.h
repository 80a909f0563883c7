/*
** reading.h - what the bytes at a place of a text may stand for: themselves,
** or what they encode in JSON, in a URL, in HTML or in our errors, in any
** order and one within another. No Lua here.
*/
#ifndef SZ_READING_H
#define SZ_READING_H

#include <stdbool.h>
#include <stddef.h>

/* No reading is longer; and the most readings at one place. */
enum { SZ_REACH = 256, SZ_READINGS = 64 };

/* One reading: the first 'reach' bytes of the text stand for these bytes. */
struct sz_reading {
  unsigned char bytes[4];
  unsigned char count; /* 0: a backslash that only escapes what follows */
  unsigned char reach;
};

struct sz_readings {
  struct sz_reading list[SZ_READINGS];
  size_t count;
  bool cut; /* the text ends within what may be another reading */
};

/* Whether the byte may begin an encoding. Others stand for themselves. */
static inline bool sz_reading_begins(unsigned char c) {
  return c == '\\' || c == '%' || c == '&' || c == '+' || c == 0xC2 ||
         c == 0xC3;
}

/* All readings at text[at]. */
void sz_readings_at(struct sz_readings *all, const char *text, size_t len,
                    size_t at);

#endif
