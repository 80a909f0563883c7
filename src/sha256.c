/* sha256.c - SHA-256; bills have the hash of their samples, manifests that of
 * their file. */
#include "sha256.h"

#include <string.h>

#define BLOCK 64

/* Fractional parts of the cube roots of the first 64 primes. */
static const uint32_t K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
    0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
    0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
    0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t turn(uint32_t x, unsigned n) {
  return x >> n | x << (32 - n);
}

static uint32_t big_endian(const unsigned char *p) {
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
         p[3];
}

/* Fills the 64 words of the schedule from a block's 16. */
static void schedule(const unsigned char *block, uint32_t w[64]) {
  int i;
  for (i = 0; i < 16; i++)
    w[i] = big_endian(block + 4 * i);
  for (; i < 64; i++) {
    uint32_t a = w[i - 15], b = w[i - 2];
    w[i] = w[i - 16] + (turn(a, 7) ^ turn(a, 18) ^ a >> 3) + w[i - 7] +
           (turn(b, 17) ^ turn(b, 19) ^ b >> 10);
  }
}

static void add_block(uint32_t h[8], const unsigned char *block) {
  uint32_t w[64], v[8], one, two;
  int i;
  schedule(block, w);
  memcpy(v, h, sizeof v);
  for (i = 0; i < 64; i++) {
    one = v[7] + (turn(v[4], 6) ^ turn(v[4], 11) ^ turn(v[4], 25)) +
          ((v[4] & v[5]) ^ (~v[4] & v[6])) + K[i] + w[i];
    two = (turn(v[0], 2) ^ turn(v[0], 13) ^ turn(v[0], 22)) +
          ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
    memmove(v + 1, v, 7 * sizeof *v);
    v[4] += one;
    v[0] = one + two;
  }
  for (i = 0; i < 8; i++)
    h[i] += v[i];
}

/* Adds the last bytes, a 1 bit, zeros and the length: one or two blocks. */
static void add_end(uint32_t h[8], const unsigned char *rest, size_t len,
                    uint64_t bits) {
  unsigned char last[2 * BLOCK] = {0};
  size_t size = len < BLOCK - 8 ? BLOCK : 2 * BLOCK;
  int i;
  if (len)
    memcpy(last, rest, len);
  last[len] = 0x80;
  for (i = 0; i < 8; i++)
    last[size - 1 - (size_t)i] = (unsigned char)(bits >> 8 * i);
  add_block(h, last);
  if (size > BLOCK)
    add_block(h, last + BLOCK);
}

void sz_sha256_init(struct sz_sha256 *s) {
  /* Fractional parts of the square roots of the first eight primes. */
  static const uint32_t FIRST[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372,
                                    0xa54ff53a, 0x510e527f, 0x9b05688c,
                                    0x1f83d9ab, 0x5be0cd19};
  memcpy(s->h, FIRST, sizeof FIRST);
  s->bytes = 0;
}

void sz_sha256_add(struct sz_sha256 *s, const void *data, size_t len) {
  const unsigned char *p = data;
  size_t have = (size_t)(s->bytes % BLOCK), missing = BLOCK - have;
  s->bytes += len;
  if (have && len >= missing) {
    memcpy(s->rest + have, p, missing);
    add_block(s->h, s->rest);
    p += missing;
    len -= missing;
    have = 0;
  }
  for (; !have && len >= BLOCK; p += BLOCK, len -= BLOCK)
    add_block(s->h, p);
  if (len)
    memcpy(s->rest + have, p, len);
}

void sz_sha256_end(struct sz_sha256 *s, char out[SZ_SHA256_HEX]) {
  int i;
  add_end(s->h, s->rest, (size_t)(s->bytes % BLOCK), s->bytes * 8);
  for (i = 0; i < 64; i++)
    out[i] = "0123456789abcdef"[s->h[i / 8] >> (28 - 4 * (i % 8)) & 15];
  out[64] = '\0';
}

void sz_sha256(const void *data, size_t len, char out[SZ_SHA256_HEX]) {
  struct sz_sha256 s;
  sz_sha256_init(&s);
  sz_sha256_add(&s, data, len);
  sz_sha256_end(&s, out);
}
