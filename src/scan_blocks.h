/*
** scan_blocks.h - tests a block of bytes at once; one set of functions per
** instruction set. No Lua here.
**
** sz_<set>_special(p): a mask of the block's special bytes (see
** sz_is_special). sz_<set>_different(p, q): a mask of the bytes in which two
** blocks differ. A mask is 0 when there is no such byte. Bits after the first
** such byte are unspecified.
**
** sz_<set>_first(mask): the index of the first such byte; the mask is not 0.
** sz_<set>_first_is(mask, n): whether it is at index 'n'. To confirm a
** predicted index is faster than to compute it. sz_<set>_within(mask, n):
** whether it is one of the first 'n' bytes, 1 to the block's size.
*/
#ifndef SZ_SCAN_BLOCKS_H
#define SZ_SCAN_BLOCKS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* ---- any machine: the eight bytes of a word ---- */

#define SZ_WORD_BLOCK 8

/* The first byte becomes the lowest: a borrow only changes later bytes. */
static inline uint64_t sz_word_load(const char *p) {
  uint64_t word;
  memcpy(&word, p, sizeof word);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  word = __builtin_bswap64(word);
#endif
  return word;
}

/* A borrow may mark plain bytes, but only after a special byte. */
static inline uint64_t sz_word_special(const char *p) {
  const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
  uint64_t word = sz_word_load(p);
  uint64_t quote = word ^ ones * '"', slash = word ^ ones * '\\';
  return (((quote - ones) & ~quote) | ((slash - ones) & ~slash) |
          ((word - ones * 0x20) & ~word)) &
         high;
}

static inline uint64_t sz_word_different(const char *p, const char *q) {
  return sz_word_load(p) ^ sz_word_load(q);
}

static inline size_t sz_word_first(uint64_t mask) {
  return (size_t)__builtin_ctzll(mask) / 8;
}

static inline int sz_word_within(uint64_t mask, size_t n) {
  return mask << (64 - 8 * n) != 0;
}

static inline int sz_word_first_is(uint64_t mask, size_t n) {
  return mask << (56 - 8 * n) == UINT64_C(1) << 63;
}

/* ---- x86: SSE2, which every 64-bit CPU has, and AVX2 ---- */

#if defined(__SSE2__)
#include <immintrin.h>
#define SZ_HAS_SSE2 1
#define SZ_SSE2_BLOCK 16

static inline __m128i sz_sse2_load(const char *p) {
  return _mm_loadu_si128((const __m128i *)(const void *)p);
}

static inline unsigned sz_sse2_special(const char *p) {
  __m128i v = sz_sse2_load(p);
  __m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
  __m128i slash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));
  __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1F)), v);
  return (unsigned)_mm_movemask_epi8(
      _mm_or_si128(_mm_or_si128(quote, slash), low));
}

static inline unsigned sz_sse2_different(const char *p, const char *q) {
  __m128i same = _mm_cmpeq_epi8(sz_sse2_load(p), sz_sse2_load(q));
  return (unsigned)_mm_movemask_epi8(same) ^ 0xFFFFu;
}

static inline size_t sz_sse2_first(unsigned mask) {
  return (size_t)__builtin_ctz(mask);
}

static inline int sz_sse2_within(unsigned mask, size_t n) {
  return mask << (32 - n) != 0;
}

static inline int sz_sse2_first_is(unsigned mask, size_t n) {
  return mask << (31 - n) == 1u << 31;
}

#if defined(__x86_64__) && defined(__GNUC__)
#define SZ_HAS_AVX 1
#define SZ_AVX2_BLOCK 32
#define SZ_AVX2 __attribute__((target("avx2,bmi,bmi2")))

SZ_AVX2 static inline __m256i sz_avx2_load(const char *p) {
  return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

SZ_AVX2 static inline unsigned sz_avx2_special(const char *p) {
  __m256i v = sz_avx2_load(p);
  __m256i quote = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('"'));
  __m256i slash = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\\'));
  __m256i low =
      _mm256_cmpeq_epi8(_mm256_min_epu8(v, _mm256_set1_epi8(0x1F)), v);
  return (unsigned)_mm256_movemask_epi8(
      _mm256_or_si256(_mm256_or_si256(quote, slash), low));
}

SZ_AVX2 static inline unsigned sz_avx2_different(const char *p,
                                                 const char *q) {
  return ~(unsigned)_mm256_movemask_epi8(
      _mm256_cmpeq_epi8(sz_avx2_load(p), sz_avx2_load(q)));
}

SZ_AVX2 static inline size_t sz_avx2_first(unsigned mask) {
  return (size_t)__builtin_ctz(mask);
}

SZ_AVX2 static inline int sz_avx2_within(unsigned mask, size_t n) {
  return mask << (32 - n) != 0;
}

SZ_AVX2 static inline int sz_avx2_first_is(unsigned mask, size_t n) {
  return mask << (31 - n) == 1u << 31;
}
#endif
#endif

/* ---- ARM: NEON, which every 64-bit CPU has ---- */

#if defined(__aarch64__) && defined(__ARM_NEON)
#include <arm_neon.h>
#define SZ_HAS_NEON 1
#define SZ_NEON_BLOCK 16

/* Four bits of the mask per byte. */
static inline uint64_t sz_neon_mask(uint8x16_t v) {
  uint8x8_t half = vshrn_n_u16(vreinterpretq_u16_u8(v), 4);
  return vget_lane_u64(vreinterpret_u64_u8(half), 0);
}

static inline uint8x16_t sz_neon_load(const char *p) {
  return vld1q_u8((const uint8_t *)(const void *)p);
}

static inline uint64_t sz_neon_special(const char *p) {
  uint8x16_t v = sz_neon_load(p);
  uint8x16_t quote = vceqq_u8(v, vdupq_n_u8('"'));
  uint8x16_t slash = vceqq_u8(v, vdupq_n_u8('\\'));
  uint8x16_t low = vcltq_u8(v, vdupq_n_u8(0x20));
  return sz_neon_mask(vorrq_u8(vorrq_u8(quote, slash), low));
}

static inline uint64_t sz_neon_different(const char *p, const char *q) {
  return ~sz_neon_mask(vceqq_u8(sz_neon_load(p), sz_neon_load(q)));
}

static inline size_t sz_neon_first(uint64_t mask) {
  return (size_t)__builtin_ctzll(mask) / 4;
}

static inline int sz_neon_within(uint64_t mask, size_t n) {
  return mask << (64 - 4 * n) != 0;
}

static inline int sz_neon_first_is(uint64_t mask, size_t n) {
  return mask << (60 - 4 * n) == UINT64_C(15) << 60;
}
#endif

#endif
