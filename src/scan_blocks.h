/*
** scan_blocks.h - tests a block of bytes at once; one set of functions per
** instruction set. No Lua here.
**
** sz_<set>_special(p): a mask of the block's special bytes (see
** sz_is_special); 0 when there is none. Bits after the first such byte are
** unspecified. sz_<set>_first(mask): the index of the first such byte; the
** mask is not 0.
**
** sz_<set>_bytes(p, wanted, b): the masks of 64 bytes, for sz_mark_block,
** except 'strange'. sz_<set>_white(p): of these 64 bytes, tabs and ends of
** lines. sz_<set>_prefix(mask): see sz_mark_prefix.
*/
#ifndef SZ_SCAN_BLOCKS_H
#define SZ_SCAN_BLOCKS_H

#include "scan_marks.h"

#include <stddef.h>
#include <string.h>

/*
** The body of sz_<set>_bytes; EQUAL(c) and AT_MOST(c) are masks of the bytes
** that equal 'c', or are not above it.
*/
#define SZ_FILL_BYTES(b, wanted, EQUAL, AT_MOST)                              \
  do {                                                                        \
    (b)->quote = EQUAL('"');                                                  \
    (b)->slash = EQUAL('\\');                                                 \
    (b)->colon = EQUAL(':');                                                  \
    (b)->comma = EQUAL(',');                                                  \
    (b)->brace = EQUAL('{');                                                  \
    (b)->brace_end = EQUAL('}');                                              \
    (b)->bracket = EQUAL('[');                                                \
    (b)->bracket_end = EQUAL(']');                                            \
    (b)->low = AT_MOST(0x1F);                                                 \
    (b)->blank = AT_MOST(0x20);                                               \
    (b)->raw = (wanted)&SZ_MARK_RAW ? EQUAL('V') : 0;                         \
    (b)->label = (wanted)&SZ_MARK_LABEL ? EQUAL('b') : 0;                     \
    (b)->title = (wanted)&SZ_MARK_TITLE ? EQUAL('i') : 0;                     \
  } while (0)

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

static inline uint64_t sz_word_equal(const uint64_t *words, unsigned char c) {
  uint64_t mask = 0, all = UINT64_C(0x0101010101010101) * c;
  int i;
  for (i = 0; i < 8; i++)
    mask |= sz_word_pack(sz_word_zeros(words[i] ^ all)) << (8 * i);
  return mask;
}

/* 'c' is below 0x80. */
static inline uint64_t sz_word_at_most(const uint64_t *words,
                                       unsigned char c) {
  const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
  uint64_t mask = 0;
  int i;
  for (i = 0; i < 8; i++) {
    uint64_t above = ((words[i] & ~high) + ones * (0x7Fu - c)) | words[i];
    mask |= sz_word_pack(~above & high) << (8 * i);
  }
  return mask;
}

static inline void sz_word_load_all(uint64_t *words, const char *p) {
  int i;
  for (i = 0; i < 8; i++)
    words[i] = sz_word_load(p + 8 * i);
}

static inline void sz_word_bytes(const char *p, unsigned wanted,
                                 struct sz_bytes *b) {
  uint64_t words[8];
  sz_word_load_all(words, p);
#define EQUAL(c) sz_word_equal(words, c)
#define AT_MOST(c) sz_word_at_most(words, c)
  SZ_FILL_BYTES(b, wanted, EQUAL, AT_MOST);
#undef EQUAL
#undef AT_MOST
}

static inline uint64_t sz_word_white(const char *p) {
  uint64_t words[8];
  sz_word_load_all(words, p);
  return sz_word_equal(words, '\t') | sz_word_equal(words, '\n') |
         sz_word_equal(words, '\r');
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

/* The mask of 64 bytes whose four parts TEST(v) compares. */
#define SZ_SSE2_ALL(v, TEST)                                                  \
  ((uint64_t)(unsigned)_mm_movemask_epi8(TEST((v)[0])) |                      \
   (uint64_t)(unsigned)_mm_movemask_epi8(TEST((v)[1])) << 16 |                \
   (uint64_t)(unsigned)_mm_movemask_epi8(TEST((v)[2])) << 32 |                \
   (uint64_t)(unsigned)_mm_movemask_epi8(TEST((v)[3])) << 48)

static inline uint64_t sz_sse2_equal(const __m128i *v, char c) {
  const __m128i all = _mm_set1_epi8(c);
#define TEST(part) _mm_cmpeq_epi8(part, all)
  return SZ_SSE2_ALL(v, TEST);
#undef TEST
}

static inline uint64_t sz_sse2_at_most(const __m128i *v, char c) {
  const __m128i all = _mm_set1_epi8(c);
#define TEST(part) _mm_cmpeq_epi8(_mm_min_epu8(part, all), part)
  return SZ_SSE2_ALL(v, TEST);
#undef TEST
}

static inline void sz_sse2_load_all(__m128i *v, const char *p) {
  int i;
  for (i = 0; i < 4; i++)
    v[i] = sz_sse2_load(p + 16 * i);
}

static inline void sz_sse2_bytes(const char *p, unsigned wanted,
                                 struct sz_bytes *b) {
  __m128i v[4];
  sz_sse2_load_all(v, p);
#define EQUAL(c) sz_sse2_equal(v, c)
#define AT_MOST(c) sz_sse2_at_most(v, c)
  SZ_FILL_BYTES(b, wanted, EQUAL, AT_MOST);
#undef EQUAL
#undef AT_MOST
}

static inline uint64_t sz_sse2_white(const char *p) {
  __m128i v[4];
  sz_sse2_load_all(v, p);
  return sz_sse2_equal(v, '\t') | sz_sse2_equal(v, '\n') |
         sz_sse2_equal(v, '\r');
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

SZ_AVX2 static inline uint64_t sz_avx2_pair(__m256i low, __m256i high) {
  return (uint64_t)(unsigned)_mm256_movemask_epi8(low) |
         (uint64_t)(unsigned)_mm256_movemask_epi8(high) << 32;
}

SZ_AVX2 static inline uint64_t sz_avx2_equal(const __m256i *v, char c) {
  const __m256i all = _mm256_set1_epi8(c);
  return sz_avx2_pair(_mm256_cmpeq_epi8(v[0], all),
                      _mm256_cmpeq_epi8(v[1], all));
}

SZ_AVX2 static inline uint64_t sz_avx2_at_most(const __m256i *v, char c) {
  const __m256i all = _mm256_set1_epi8(c);
  return sz_avx2_pair(_mm256_cmpeq_epi8(_mm256_min_epu8(v[0], all), v[0]),
                      _mm256_cmpeq_epi8(_mm256_min_epu8(v[1], all), v[1]));
}

SZ_AVX2 static inline void sz_avx2_bytes(const char *p, unsigned wanted,
                                         struct sz_bytes *b) {
  __m256i v[2];
  v[0] = sz_avx2_load(p);
  v[1] = sz_avx2_load(p + 32);
#define EQUAL(c) sz_avx2_equal(v, c)
#define AT_MOST(c) sz_avx2_at_most(v, c)
  SZ_FILL_BYTES(b, wanted, EQUAL, AT_MOST);
#undef EQUAL
#undef AT_MOST
}

SZ_AVX2 static inline uint64_t sz_avx2_white(const char *p) {
  __m256i v[2];
  v[0] = sz_avx2_load(p);
  v[1] = sz_avx2_load(p + 32);
  return sz_avx2_equal(v, '\t') | sz_avx2_equal(v, '\n') |
         sz_avx2_equal(v, '\r');
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

SZ_AVX512 static inline uint64_t sz_avx512_equal(__m512i v, char c) {
  return _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8(c));
}

SZ_AVX512 static inline uint64_t sz_avx512_at_most(__m512i v, char c) {
  return _mm512_cmple_epu8_mask(v, _mm512_set1_epi8(c));
}

SZ_AVX512 static inline uint64_t sz_avx512_special(const char *p) {
  __m512i v = sz_avx512_load(p);
  return sz_avx512_equal(v, '"') | sz_avx512_equal(v, '\\') |
         sz_avx512_at_most(v, 0x1F);
}

SZ_AVX512 static inline size_t sz_avx512_first(uint64_t mask) {
  return (size_t)__builtin_ctzll(mask);
}

SZ_AVX512 static inline void sz_avx512_bytes(const char *p, unsigned wanted,
                                             struct sz_bytes *b) {
  __m512i v = sz_avx512_load(p);
#define EQUAL(c) sz_avx512_equal(v, c)
#define AT_MOST(c) sz_avx512_at_most(v, c)
  SZ_FILL_BYTES(b, wanted, EQUAL, AT_MOST);
#undef EQUAL
#undef AT_MOST
}

SZ_AVX512 static inline uint64_t sz_avx512_white(const char *p) {
  __m512i v = sz_avx512_load(p);
  return sz_avx512_equal(v, '\t') | sz_avx512_equal(v, '\n') |
         sz_avx512_equal(v, '\r');
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

static inline uint64_t sz_neon_equal(const uint8x16_t *v, unsigned char c) {
  const uint8x16_t all = vdupq_n_u8(c);
  uint8x16_t same[4];
  int i;
  for (i = 0; i < 4; i++)
    same[i] = vceqq_u8(v[i], all);
  return sz_neon_pack(same);
}

static inline uint64_t sz_neon_at_most(const uint8x16_t *v, unsigned char c) {
  const uint8x16_t all = vdupq_n_u8(c);
  uint8x16_t below[4];
  int i;
  for (i = 0; i < 4; i++)
    below[i] = vcleq_u8(v[i], all);
  return sz_neon_pack(below);
}

static inline void sz_neon_load_all(uint8x16_t *v, const char *p) {
  int i;
  for (i = 0; i < 4; i++)
    v[i] = sz_neon_load(p + 16 * i);
}

static inline void sz_neon_bytes(const char *p, unsigned wanted,
                                 struct sz_bytes *b) {
  uint8x16_t v[4];
  sz_neon_load_all(v, p);
#define EQUAL(c) sz_neon_equal(v, c)
#define AT_MOST(c) sz_neon_at_most(v, c)
  SZ_FILL_BYTES(b, wanted, EQUAL, AT_MOST);
#undef EQUAL
#undef AT_MOST
}

static inline uint64_t sz_neon_white(const char *p) {
  uint8x16_t v[4];
  sz_neon_load_all(v, p);
  return sz_neon_equal(v, '\t') | sz_neon_equal(v, '\n') |
         sz_neon_equal(v, '\r');
}

static inline uint64_t sz_neon_prefix(uint64_t mask) {
  return sz_mark_prefix(mask);
}
#endif

#endif
