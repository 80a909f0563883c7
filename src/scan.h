/* scan.h - finds where plain text ends, many bytes at a time. No Lua here. */
#ifndef SZ_SCAN_H
#define SZ_SCAN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__) && !defined(SZ_PORTABLE)
#include <emmintrin.h>
#endif

/* What ends plain text inside a string: quote, backslash, control byte. */
static inline int sz_is_special(unsigned char c) {
  return c == '"' || c == '\\' || c < 0x20;
}

#if defined(__SSE2__) && !defined(SZ_PORTABLE)

/* Bit i: byte i of the 16 is special. */
static inline unsigned sz_special_mask(__m128i v) {
  const __m128i control = _mm_set1_epi8(0x1F);
  __m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
  __m128i slash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));
  __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(v, control), v);
  return (unsigned)_mm_movemask_epi8(
      _mm_or_si128(_mm_or_si128(quote, slash), low));
}

/* Offset of the first special byte, of 'len' bytes; 'len' when all are plain.
 */
static inline size_t sz_scan_plain(const char *p, size_t len) {
  size_t at = 0;
  for (; at + 16 <= len; at += 16) {
    unsigned mask = sz_special_mask(
        _mm_loadu_si128((const __m128i *)(const void *)(p + at)));
    if (mask)
      return at + (size_t)__builtin_ctz(mask);
  }
  while (at < len && !sz_is_special((unsigned char)p[at]))
    at++;
  return at;
}

/* The same, and copies what it passes; 'out' has room for 16 bytes more. */
static inline size_t sz_copy_plain(char *out, const char *p, size_t len) {
  size_t at = 0;
  for (; at + 16 <= len; at += 16) {
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + at));
    unsigned mask = sz_special_mask(v);
    _mm_storeu_si128((__m128i *)(void *)(out + at), v);
    if (mask)
      return at + (size_t)__builtin_ctz(mask);
  }
  for (; at < len && !sz_is_special((unsigned char)p[at]); at++)
    out[at] = p[at];
  return at;
}

#else

/* Not zero when one of the eight bytes is special; for some others too, as a
** borrow may reach them: they are looked at one by one. */
static inline uint64_t sz_special_bytes(uint64_t v) {
  const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
  uint64_t quote = v ^ ones * '"', slash = v ^ ones * '\\';
  return (((quote - ones) & ~quote) | ((slash - ones) & ~slash) |
          ((v - ones * 0x20) & ~v)) &
         high;
}

static inline size_t sz_scan_plain(const char *p, size_t len) {
  size_t at = 0;
  uint64_t word;
  for (; at + sizeof word <= len; at += sizeof word) {
    memcpy(&word, p + at, sizeof word);
    if (sz_special_bytes(word))
      break;
  }
  while (at < len && !sz_is_special((unsigned char)p[at]))
    at++;
  return at;
}

static inline size_t sz_copy_plain(char *out, const char *p, size_t len) {
  size_t plain = sz_scan_plain(p, len);
  memcpy(out, p, plain);
  return plain;
}

#endif
#endif
