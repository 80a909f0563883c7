/* scan.c - the scanner, once per instruction set; chosen at run time. */
#include "scan.h"

/* Prefetch distance in bytes: the bytes may no longer be in the cache. */
#define AHEAD 2048

#define USE
#define OF(name) sz_word_##name
#define BLOCK SZ_WORD_BLOCK
#include "scan_loops.h"
static const struct sz_scanner WORD = {"portable", sz_word_plain, sz_word_mark,
                                       sz_word_match};
#undef BLOCK
#undef OF

#ifdef SZ_HAS_SSE2
#define OF(name) sz_sse2_##name
#define BLOCK SZ_SSE2_BLOCK
#include "scan_loops.h"
static const struct sz_scanner SSE2 = {"sse2", sz_sse2_plain, sz_sse2_mark,
                                       sz_sse2_match};
#undef BLOCK
#undef OF
#endif

#ifdef SZ_HAS_NEON
#define OF(name) sz_neon_##name
#define BLOCK SZ_NEON_BLOCK
#include "scan_loops.h"
static const struct sz_scanner NEON = {"neon", sz_neon_plain, sz_neon_mark,
                                       sz_neon_match};
#undef BLOCK
#undef OF
#endif
#undef USE

#ifdef SZ_HAS_AVX
#define USE SZ_AVX2
#define OF(name) sz_avx2_##name
#define BLOCK SZ_AVX2_BLOCK
#include "scan_loops.h"
static const struct sz_scanner AVX2 = {"avx2", sz_avx2_plain, sz_avx2_mark,
                                       sz_avx2_match};
#undef BLOCK
#undef OF
#undef USE
#endif

#ifdef SZ_HAS_AVX
#define USE SZ_AVX512
#define OF(name) sz_avx512_##name
#define BLOCK SZ_AVX512_BLOCK
#include "scan_loops.h"
static const struct sz_scanner AVX512 = {"avx512", sz_avx512_plain,
                                         sz_avx512_mark, sz_avx512_match};
#undef BLOCK
#undef OF
#undef USE
#endif

const struct sz_scanner *sz_scanner_of(size_t n) {
  const struct sz_scanner *all[5];
  size_t count = 0;
#ifdef SZ_HAS_AVX
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
      __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("pclmul")) {
    if (__builtin_cpu_supports("avx512bw"))
      all[count++] = &AVX512;
    all[count++] = &AVX2;
  }
#endif
#ifdef SZ_HAS_SSE2
  all[count++] = &SSE2;
#endif
#ifdef SZ_HAS_NEON
  all[count++] = &NEON;
#endif
  all[count++] = &WORD;
  return n < count ? all[n] : NULL;
}
