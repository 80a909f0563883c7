/*
** hash.h - a hash for texts that a server chose. It has a key: a server that
** does not know it cannot choose texts that collide, which would make every
** lookup slow.
*/
#ifndef SZ_HASH_H
#define SZ_HASH_H

#include <stddef.h>
#include <stdint.h>

struct sz_hash_key {
  uint64_t start, factor;
};

/*
** Returns a different key each time; 'where' is any address in the caller.
** The key comes from the clock and from memory addresses: it is not secret
** enough for cryptography.
*/
struct sz_hash_key sz_hash_key(const void *where);

/* The hash of 'len' bytes at 's'; differs with the key. */
uint64_t sz_hash(const struct sz_hash_key *key, const char *s, size_t len);

#endif
