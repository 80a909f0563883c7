/*
** scan.h - finds where plain text ends, and crosses texts of a known make,
** many bytes at a time. No Lua here.
**
** Every instruction set does the same to every text, whatever lies behind it;
** none reads a byte outside the text it was given.
*/
#ifndef SZ_SCAN_H
#define SZ_SCAN_H

#include "scan_blocks.h"

/* What ends plain text inside a string: quote, backslash, control byte. */
static inline int sz_is_special(unsigned char c) {
  return c == '"' || c == '\\' || c < 0x20;
}

/*
** Bytes, one at least, that must come between two values, in a text that holds
** them all. The value behind gap 'like', this one or an earlier one, is a
** guess for the length of the value behind this.
*/
struct sz_gap {
  size_t at, len, like;
};
#define SZ_GAPS_SPARE 32 /* bytes that must be readable behind that text */

/* A value between two gaps. */
struct sz_place {
  size_t len, end; /* 'end' is the offset of its quote */
};

#define SZ_CUT ((size_t)-1)

struct sz_scanner {
  const char *name;

  /* Offset of the first special byte, of 'len'; 'len' when all are plain. */
  size_t (*plain)(const char *p, size_t len);

  /*
  ** Whether the bytes at 'p', up to 'left' of them, are the 'count' gaps with
  ** a plain text behind each but the last. The quote that ends a text is the
  ** next gap's first byte. Returns the length of all, and fills the places;
  ** SZ_CUT when the bytes end before there was anything wrong; or 0. The
  ** lengths that the places hold before are guesses: any numbers do, those of
  ** a text like this one are fast.
  */
  size_t (*cross)(const struct sz_gap *gap, size_t count, const char *gaps,
                  const char *p, size_t left, struct sz_place *place);
};

/* The scanners that this machine can run, the fastest first; then NULL. */
const struct sz_scanner *sz_scanner_of(size_t n);

/* ---- in line: most texts are short ---- */

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

/* As a scanner's plain: a short text here, a long one there. */
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

/* The same, and copies what it passes; 'out' has room for 16 bytes more. */
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
