/*
** hash.h - a hash of texts that the other side chose. It is keyed: nobody who
** does not know the key can choose texts that fall together, which would make
** every search a walk over all of them.
*/
#ifndef SZ_HASH_H
#define SZ_HASH_H

#include <stddef.h>
#include <stdint.h>

struct sz_hash_key {
  uint64_t start, factor;
};

/*
** Another key each time; 'where' is any address of the caller's. It comes from
** the clock and from where memory lies, so it is no secret for cryptography.
*/
struct sz_hash_key sz_hash_key(const void *where);

uint64_t sz_hash(const struct sz_hash_key *key, const char *s, size_t len);

#endif
