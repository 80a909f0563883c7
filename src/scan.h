/*
** scan.h - finds where plain text ends, and the structure of rows, many bytes
** at a time. No Lua here.
**
** The result is the same with every instruction set, and does not depend on
** the bytes after the text. No byte outside the text is read.
*/
#ifndef SZ_SCAN_H
#define SZ_SCAN_H

#include "scan_blocks.h"

/* Whether a byte ends plain text in a string: quote, backslash, control. */
static inline int sz_is_special(unsigned char c) {
  return c == '"' || c == '\\' || c < 0x20;
}

/* A text that rows have, and in most of them a value after it. */
struct sz_part {
  uint32_t at, len; /* in the pattern's text; 'len' is not 0 */
  uint32_t like;    /* 1 + the number of a part before it whose value it often
                       has too; 0: none */
};

/* What rows of one make have in common. The last part has no value. */
struct sz_pattern {
  const char *text; /* SZ_PAST more bytes can be read */
  const struct sz_part *parts;
  size_t count;
};

/* A value in a row; a string with its quotes. */
struct sz_place {
  uint32_t at, len;
};

enum { SZ_PAST = 64 }; /* bytes that are read past what is looked at */

struct sz_scanner {
  const char *name;

  /* Offset of the first special byte; 'len' when there is none. */
  size_t (*plain)(const char *p, size_t len);

  /*
  ** The marks of 'blocks' times 64 bytes, which follow those that 'state' is
  ** of; see scan_marks.h. 'wanted': the members to look for (SZ_MARK_RAW ...).
  */
  void (*mark)(struct sz_mark_state *state, const char *p, size_t blocks,
               unsigned wanted, const struct sz_marks *marks);

  /*
  ** Matches the pattern's parts from number 'part' on with the bytes from
  ** p[*at] on. Tells the places of their values, if these are strings without
  ** escapes, or the same as the one that they are often like. Returns the
  ** first part that did not match, or whose value is another, or that ends
  ** less than 2 * SZ_PAST before the end; or their count. '*at' is where that
  ** part would begin. 'len' is below 2^32.
  */
  size_t (*match)(const struct sz_pattern *pattern, size_t part, const char *p,
                  size_t len, size_t *at, struct sz_place *places);
};

/* Scanner 'n' of those that this machine can run, fastest first; or NULL. */
const struct sz_scanner *sz_scanner_of(size_t n);

/* ---- inline, as most texts are short ---- */

#if defined(SZ_HAS_SSE2)
#define SZ_BASE(name) sz_sse2_##name
#define SZ_BASE_BLOCK SZ_SSE2_BLOCK
#elif defined(SZ_HAS_NEON)
#define SZ_BASE(name) sz_neon_##name
#define SZ_BASE_BLOCK SZ_NEON_BLOCK
#else
#define SZ_BASE(name) sz_word_##name
#define SZ_BASE_BLOCK SZ_WORD_BLOCK
#endif
#define SZ_SHORT 128

/* The same as a scanner's 'plain', which it calls for long texts only. */
static inline size_t sz_scan_plain(const char *p, size_t len) {
  size_t at = 0;
  for (; len - at >= SZ_BASE_BLOCK; at += SZ_BASE_BLOCK) {
    if (SZ_BASE(special)(p + at))
      return at + SZ_BASE(first)(SZ_BASE(special)(p + at));
    if (at == SZ_SHORT)
      return at + sz_scanner_of(0)->plain(p + at, len - at);
  }
  while (at < len && !sz_is_special((unsigned char)p[at]))
    at++;
  return at;
}

/* The same, and copies the plain text. 'out' has room for 16 bytes more. */
static inline size_t sz_copy_plain(char *out, const char *p, size_t len) {
  size_t at = 0;
  for (; len - at >= SZ_BASE_BLOCK; at += SZ_BASE_BLOCK) {
    memcpy(out + at, p + at, SZ_BASE_BLOCK);
    if (SZ_BASE(special)(p + at))
      return at + SZ_BASE(first)(SZ_BASE(special)(p + at));
  }
  for (; at < len && !sz_is_special((unsigned char)p[at]); at++)
    out[at] = p[at];
  return at;
}

#endif
