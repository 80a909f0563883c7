/*
** scan_blocks.h - tests a block of bytes at once; one set of functions per
** instruction set. No Lua here.
**
** sz_<set>_special(p): a mask of the block's special bytes (see
** sz_is_special); 0 when there is none. Bits after the first such byte are
** unspecified. sz_<set>_first(mask): the index of the first such byte; the
** mask is not 0.
**
** sz_<set>_load_all(p): 64 bytes, as sz_<set>_all. sz_<set>_equal(v, c):
** the mask of those that equal 'c'.
** sz_<set>_either(v, c): that equal 'c', which has bit 0x20, or differ
*only
** in that bit. sz_<set>_at_most(v, c): that are not above 'c', which is below
** 0x80. sz_<set>_prefix(mask): see sz_mark_prefix. sz_<set>_lanes: masks that
** are computed together.
**
** sz_<set>_differ(a, b, len): whether 'len' bytes differ, from 1 to a block; a
** block of each is read.
*/
#ifndef SZ_SCAN_BLOCKS_H
#define SZ_SCAN_BLOCKS_H

#include "scan_marks.h"

#include <stddef.h>
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

static inline size_t sz_word_first(uint64_t mask) {
  return (size_t)__builtin_ctzll(mask) / 8;
}

/* The high bits of the bytes that are 0, of eight; exact. */
static inline uint64_t sz_word_zeros(uint64_t word) {
  const uint64_t low = UINT64_C(0x7F7F7F7F7F7F7F7F);
  return ~(((word & low) + low) | word | low);
}

/* Packs the high bits of eight bytes. */
static inline uint64_t sz_word_pack(uint64_t high) {
  return (high >> 7) * UINT64_C(0x0102040810204080) >> 56;
}

static inline int sz_word_differ(const char *a, const char *b, size_t len) {
  uint64_t differ = sz_word_load(a) ^ sz_word_load(b);
  return differ << (64 - 8 * len) != 0;
}

typedef struct {
  uint64_t words[8];
} sz_word_all;
typedef uint64_t sz_word_lanes;

static inline sz_word_all sz_word_load_all(const char *p) {
  sz_word_all v;
  int i;
  for (i = 0; i < 8; i++)
    v.words[i] = sz_word_load(p + 8 * i);
  return v;
}

/* The bytes that equal 'c' once the bits 'set' are set in them. */
static inline uint64_t sz_word_compare(const sz_word_all *v, unsigned char c,
                                       unsigned char set) {
  const uint64_t ones = UINT64_C(0x0101010101010101);
  uint64_t mask = 0;
  int i;
  for (i = 0; i < 8; i++) {
    uint64_t word = (v->words[i] | ones * set) ^ ones * c;
    mask |= sz_word_pack(sz_word_zeros(word)) << (8 * i);
  }
  return mask;
}

static inline uint64_t sz_word_equal(const sz_word_all *v, unsigned char c) {
  return sz_word_compare(v, c, 0);
}

static inline uint64_t sz_word_either(const sz_word_all *v, unsigned char c) {
  return sz_word_compare(v, c, 0x20);
}

static inline uint64_t sz_word_at_most(const sz_word_all *v, unsigned char c) {
  const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
  uint64_t mask = 0;
  int i;
  for (i = 0; i < 8; i++) {
    uint64_t word = v->words[i];
    uint64_t above = ((word & ~high) + ones * (0x7Fu - c)) | word;
    mask |= sz_word_pack(~above & high) << (8 * i);
  }
  return mask;
}

static inline uint64_t sz_word_brace(const sz_word_all *v) {
  uint64_t mask = 0;
  int i;
  for (i = 0; i < 8; i++)
    mask |= sz_word_pack(v->words[i] << 2 & UINT64_C(0x8080808080808080))
            << (8 * i);
  return mask;
}

typedef uint64_t sz_word_least;

static inline sz_word_least sz_word_none(void) {
  return 0;
}

static inline void sz_word_note(sz_word_least *least, const sz_word_all *v) {
  *least |= sz_word_at_most(v, 0x1F);
}

static inline int sz_word_low(const sz_word_least *least) {
  return *least != 0;
}

static inline uint64_t sz_word_prefix(uint64_t mask) {
  return sz_mark_prefix(mask);
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

static inline size_t sz_sse2_first(unsigned mask) {
  return (size_t)__builtin_ctz(mask);
}

static inline int sz_sse2_differ(const char *a, const char *b, size_t len) {
  unsigned same = (unsigned)_mm_movemask_epi8(
      _mm_cmpeq_epi8(sz_sse2_load(a), sz_sse2_load(b)));
  return (~same & ((1u << len) - 1)) != 0;
}

/* The mask of 64 bytes whose four parts TEST(v) compares. */
#define SZ_SSE2_ALL(v, TEST)                                                  \
  ((uint64_t)(unsigned)_mm_movemask_epi8(TEST((v)[0])) |                      \
   (uint64_t)(unsigned)_mm_movemask_epi8(TEST((v)[1])) << 16 |                \
   (uint64_t)(unsigned)_mm_movemask_epi8(TEST((v)[2])) << 32 |                \
   (uint64_t)(unsigned)_mm_movemask_epi8(TEST((v)[3])) << 48)

typedef struct {
  __m128i v[4];
} sz_sse2_all;
typedef uint64_t sz_sse2_lanes __attribute__((vector_size(16)));

static inline sz_sse2_all sz_sse2_load_all(const char *p) {
  sz_sse2_all all;
  int i;
  for (i = 0; i < 4; i++)
    all.v[i] = sz_sse2_load(p + 16 * i);
  return all;
}

static inline uint64_t sz_sse2_equal(const sz_sse2_all *all, char c) {
  const __m128i byte = _mm_set1_epi8(c);
#define TEST(part) _mm_cmpeq_epi8(part, byte)
  return SZ_SSE2_ALL(all->v, TEST);
#undef TEST
}

static inline uint64_t sz_sse2_either(const sz_sse2_all *all, char c) {
  const __m128i byte = _mm_set1_epi8(c), bit = _mm_set1_epi8(0x20);
#define TEST(part) _mm_cmpeq_epi8(_mm_or_si128(part, bit), byte)
  return SZ_SSE2_ALL(all->v, TEST);
#undef TEST
}

static inline uint64_t sz_sse2_at_most(const sz_sse2_all *all, char c) {
  const __m128i byte = _mm_set1_epi8(c);
#define TEST(part) _mm_cmpeq_epi8(_mm_min_epu8(part, byte), part)
  return SZ_SSE2_ALL(all->v, TEST);
#undef TEST
}

static inline uint64_t sz_sse2_brace(const sz_sse2_all *all) {
#define TEST(part) _mm_slli_epi16(part, 2)
  return SZ_SSE2_ALL(all->v, TEST);
#undef TEST
}

typedef __m128i sz_sse2_least;

static inline sz_sse2_least sz_sse2_none(void) {
  return _mm_set1_epi8(-1);
}

static inline void sz_sse2_note(sz_sse2_least *least, const sz_sse2_all *all) {
  *least =
      _mm_min_epu8(*least, _mm_min_epu8(_mm_min_epu8(all->v[0], all->v[1]),
                                        _mm_min_epu8(all->v[2], all->v[3])));
}

static inline int sz_sse2_low(const sz_sse2_least *least) {
  const __m128i most = _mm_set1_epi8(0x1F);
  return _mm_movemask_epi8(
             _mm_cmpeq_epi8(_mm_min_epu8(*least, most), *least)) != 0;
}

static inline uint64_t sz_sse2_prefix(uint64_t mask) {
  return sz_mark_prefix(mask);
}

#if defined(__x86_64__) && defined(__GNUC__)
#define SZ_HAS_AVX 1
#define SZ_AVX2_BLOCK 32
#define SZ_AVX2 __attribute__((target("avx2,bmi,bmi2,pclmul")))

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

SZ_AVX2 static inline size_t sz_avx2_first(unsigned mask) {
  return (size_t)__builtin_ctz(mask);
}

SZ_AVX2 static inline int sz_avx2_differ(const char *a, const char *b,
                                         size_t len) {
  unsigned same = (unsigned)_mm256_movemask_epi8(
      _mm256_cmpeq_epi8(sz_avx2_load(a), sz_avx2_load(b)));
  return (~(uint64_t)same & ((UINT64_C(1) << len) - 1)) != 0;
}

SZ_AVX2 static inline uint64_t sz_avx2_pair(__m256i low, __m256i high) {
  return (uint64_t)(unsigned)_mm256_movemask_epi8(low) |
         (uint64_t)(unsigned)_mm256_movemask_epi8(high) << 32;
}

typedef struct {
  __m256i v[2];
} sz_avx2_all;
typedef uint64_t sz_avx2_lanes __attribute__((vector_size(32)));

SZ_AVX2 static inline sz_avx2_all sz_avx2_load_all(const char *p) {
  sz_avx2_all all;
  all.v[0] = sz_avx2_load(p);
  all.v[1] = sz_avx2_load(p + 32);
  return all;
}

SZ_AVX2 static inline uint64_t sz_avx2_equal(const sz_avx2_all *all, char c) {
  const __m256i byte = _mm256_set1_epi8(c);
  return sz_avx2_pair(_mm256_cmpeq_epi8(all->v[0], byte),
                      _mm256_cmpeq_epi8(all->v[1], byte));
}

SZ_AVX2 static inline uint64_t sz_avx2_either(const sz_avx2_all *all, char c) {
  const __m256i bit = _mm256_set1_epi8(0x20);
  sz_avx2_all set;
  set.v[0] = _mm256_or_si256(all->v[0], bit);
  set.v[1] = _mm256_or_si256(all->v[1], bit);
  return sz_avx2_equal(&set, c);
}

SZ_AVX2 static inline uint64_t sz_avx2_at_most(const sz_avx2_all *all,
                                               char c) {
  const __m256i byte = _mm256_set1_epi8(c);
  return sz_avx2_pair(
      _mm256_cmpeq_epi8(_mm256_min_epu8(all->v[0], byte), all->v[0]),
      _mm256_cmpeq_epi8(_mm256_min_epu8(all->v[1], byte), all->v[1]));
}

SZ_AVX2 static inline uint64_t sz_avx2_brace(const sz_avx2_all *all) {
  return sz_avx2_pair(_mm256_slli_epi16(all->v[0], 2),
                      _mm256_slli_epi16(all->v[1], 2));
}

typedef __m256i sz_avx2_least;

SZ_AVX2 static inline sz_avx2_least sz_avx2_none(void) {
  return _mm256_set1_epi8(-1);
}

SZ_AVX2 static inline void sz_avx2_note(sz_avx2_least *least,
                                        const sz_avx2_all *all) {
  *least = _mm256_min_epu8(*least, _mm256_min_epu8(all->v[0], all->v[1]));
}

SZ_AVX2 static inline int sz_avx2_low(const sz_avx2_least *least) {
  const __m256i most = _mm256_set1_epi8(0x1F);
  return _mm256_movemask_epi8(
             _mm256_cmpeq_epi8(_mm256_min_epu8(*least, most), *least)) != 0;
}

/* A product without carries is the exclusive or of shifted masks. */
SZ_AVX2 static inline uint64_t sz_avx2_prefix(uint64_t mask) {
  return (uint64_t)_mm_cvtsi128_si64(_mm_clmulepi64_si128(
      _mm_set_epi64x(0, (long long)mask), _mm_set1_epi8(-1), 0));
}

/* ---- x86: AVX-512 with its byte masks ---- */

#define SZ_AVX512_BLOCK 64
#define SZ_AVX512                                                             \
  __attribute__((target("avx512f,avx512bw,avx2,bmi,bmi2,pclmul")))

SZ_AVX512 static inline __m512i sz_avx512_load(const char *p) {
  return _mm512_loadu_si512((const void *)p);
}

SZ_AVX512 static inline int sz_avx512_differ(const char *a, const char *b,
                                             size_t len) {
  uint64_t differ =
      _mm512_cmpneq_epi8_mask(sz_avx512_load(a), sz_avx512_load(b));
  return differ << (64 - len) != 0;
}

typedef struct {
  __m512i v;
} sz_avx512_all;
typedef uint64_t sz_avx512_lanes __attribute__((vector_size(64)));

SZ_AVX512 static inline sz_avx512_all sz_avx512_load_all(const char *p) {
  sz_avx512_all all;
  all.v = sz_avx512_load(p);
  return all;
}

SZ_AVX512 static inline uint64_t sz_avx512_equal(const sz_avx512_all *all,
                                                 char c) {
  return _mm512_cmpeq_epi8_mask(all->v, _mm512_set1_epi8(c));
}

SZ_AVX512 static inline uint64_t sz_avx512_either(const sz_avx512_all *all,
                                                  char c) {
  __m512i set = _mm512_or_si512(all->v, _mm512_set1_epi8(0x20));
  return _mm512_cmpeq_epi8_mask(set, _mm512_set1_epi8(c));
}

SZ_AVX512 static inline uint64_t sz_avx512_at_most(const sz_avx512_all *all,
                                                   char c) {
  return _mm512_cmple_epu8_mask(all->v, _mm512_set1_epi8(c));
}

SZ_AVX512 static inline uint64_t sz_avx512_special(const char *p) {
  sz_avx512_all v = sz_avx512_load_all(p);
  return sz_avx512_equal(&v, '"') | sz_avx512_equal(&v, '\\') |
         sz_avx512_at_most(&v, 0x1F);
}

SZ_AVX512 static inline size_t sz_avx512_first(uint64_t mask) {
  return (size_t)__builtin_ctzll(mask);
}

SZ_AVX512 static inline uint64_t sz_avx512_brace(const sz_avx512_all *all) {
  return _mm512_movepi8_mask(_mm512_slli_epi16(all->v, 2));
}

typedef __m512i sz_avx512_least;

SZ_AVX512 static inline sz_avx512_least sz_avx512_none(void) {
  return _mm512_set1_epi8(-1);
}

SZ_AVX512 static inline void sz_avx512_note(sz_avx512_least *least,
                                            const sz_avx512_all *all) {
  *least = _mm512_min_epu8(*least, all->v);
}

SZ_AVX512 static inline int sz_avx512_low(const sz_avx512_least *least) {
  return _mm512_cmple_epu8_mask(*least, _mm512_set1_epi8(0x1F)) != 0;
}

SZ_AVX512 static inline uint64_t sz_avx512_prefix(uint64_t mask) {
  return (uint64_t)_mm_cvtsi128_si64(_mm_clmulepi64_si128(
      _mm_set_epi64x(0, (long long)mask), _mm_set1_epi8(-1), 0));
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

static inline size_t sz_neon_first(uint64_t mask) {
  return (size_t)__builtin_ctzll(mask) / 4;
}

static inline int sz_neon_differ(const char *a, const char *b, size_t len) {
  uint64_t same = sz_neon_mask(vceqq_u8(sz_neon_load(a), sz_neon_load(b)));
  return ~same << (64 - 4 * len) != 0;
}

/* One bit of the result for each byte of the four parts, all ones or 0. */
static inline uint64_t sz_neon_pack(const uint8x16_t *v) {
  static const uint8_t BITS[16] = {1, 2, 4, 8, 16, 32, 64, 128,
                                   1, 2, 4, 8, 16, 32, 64, 128};
  const uint8x16_t bits = vld1q_u8(BITS);
  uint8x16_t low = vpaddq_u8(vandq_u8(v[0], bits), vandq_u8(v[1], bits));
  uint8x16_t high = vpaddq_u8(vandq_u8(v[2], bits), vandq_u8(v[3], bits));
  low = vpaddq_u8(low, high);
  return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(low, low)), 0);
}

typedef struct {
  uint8x16_t v[4];
} sz_neon_all;
typedef uint64_t sz_neon_lanes __attribute__((vector_size(16)));

static inline sz_neon_all sz_neon_load_all(const char *p) {
  sz_neon_all all;
  int i;
  for (i = 0; i < 4; i++)
    all.v[i] = sz_neon_load(p + 16 * i);
  return all;
}

static inline uint64_t sz_neon_equal(const sz_neon_all *all, unsigned char c) {
  const uint8x16_t byte = vdupq_n_u8(c);
  uint8x16_t same[4];
  int i;
  for (i = 0; i < 4; i++)
    same[i] = vceqq_u8(all->v[i], byte);
  return sz_neon_pack(same);
}

static inline uint64_t sz_neon_either(const sz_neon_all *all,
                                      unsigned char c) {
  const uint8x16_t bit = vdupq_n_u8(0x20);
  sz_neon_all set;
  int i;
  for (i = 0; i < 4; i++)
    set.v[i] = vorrq_u8(all->v[i], bit);
  return sz_neon_equal(&set, c);
}

static inline uint64_t sz_neon_at_most(const sz_neon_all *all,
                                       unsigned char c) {
  const uint8x16_t byte = vdupq_n_u8(c);
  uint8x16_t below[4];
  int i;
  for (i = 0; i < 4; i++)
    below[i] = vcleq_u8(all->v[i], byte);
  return sz_neon_pack(below);
}

static inline uint64_t sz_neon_brace(const sz_neon_all *all) {
  const uint8x16_t bit = vdupq_n_u8(0x20);
  uint8x16_t set[4];
  int i;
  for (i = 0; i < 4; i++)
    set[i] = vtstq_u8(all->v[i], bit);
  return sz_neon_pack(set);
}

typedef uint8x16_t sz_neon_least;

static inline sz_neon_least sz_neon_none(void) {
  return vdupq_n_u8(0xFF);
}

static inline void sz_neon_note(sz_neon_least *least, const sz_neon_all *all) {
  *least = vminq_u8(*least, vminq_u8(vminq_u8(all->v[0], all->v[1]),
                                     vminq_u8(all->v[2], all->v[3])));
}

static inline int sz_neon_low(const sz_neon_least *least) {
  return vminvq_u8(*least) < 0x20;
}

static inline uint64_t sz_neon_prefix(uint64_t mask) {
  return sz_mark_prefix(mask);
}
#endif

#endif
