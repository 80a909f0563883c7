/* sha256.h - SHA-256 of a text (FIPS 180-4). No Lua here. */
#ifndef SZ_SHA256_H
#define SZ_SHA256_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of a digest in hexadecimal, with the NUL. */
#define SZ_SHA256_HEX 65

/* A digest of bytes that come in pieces. */
struct sz_sha256 {
  uint32_t h[8];
  unsigned char rest[64]; /* bytes of a block that is not complete */
  uint64_t bytes;         /* all that were added */
};

void sz_sha256_init(struct sz_sha256 *s);
void sz_sha256_add(struct sz_sha256 *s, const void *data, size_t len);

/* Writes the digest as lower-case hexadecimal. Nothing is added after it. */
void sz_sha256_end(struct sz_sha256 *s, char out[SZ_SHA256_HEX]);

/* The digest of 'len' bytes. */
void sz_sha256(const void *data, size_t len, char out[SZ_SHA256_HEX]);

#endif
