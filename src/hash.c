/* hash.c - see hash.h. */
#include "hash.h"

#include <string.h>
#include <time.h>

__extension__ typedef unsigned __int128 product;

/* The high half of a product depends on every bit of both factors. */
static uint64_t fold(uint64_t a, uint64_t b) {
  product p = (product)a * b;
  return (uint64_t)p ^ (uint64_t)(p >> 64);
}

static uint64_t stir(uint64_t h, uint64_t more) {
  return fold(h ^ more, 0x9E3779B97F4A7C15u) + more;
}

struct sz_hash_key sz_hash_key(const void *where) {
  struct sz_hash_key key;
  struct timespec now;
  uint64_t h = stir((uint64_t)(uintptr_t)where, (uint64_t)(uintptr_t)&key);
  clock_gettime(CLOCK_REALTIME, &now);
  h = stir(h, (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec);
  clock_gettime(CLOCK_MONOTONIC, &now);
  h = stir(h, (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec);
  key.start = stir(h, 1);
  key.factor = stir(key.start, 2) | 1;
  return key;
}

uint64_t sz_hash(const struct sz_hash_key *key, const char *s, size_t len) {
  uint64_t h = key->start ^ len, word;
  for (; len >= sizeof word; s += sizeof word, len -= sizeof word) {
    memcpy(&word, s, sizeof word);
    h = fold(h ^ word, key->factor) + key->start;
  }
  word = 0;
  memcpy(&word, s, len);
  return fold(fold(h ^ word, key->factor), key->factor);
}
