/* sha256.h - SHA-256 of a text (FIPS 180-4). No Lua here. */
#ifndef SZ_SHA256_H
#define SZ_SHA256_H

#include <stddef.h>

/* Bytes of a digest in hexadecimal, with the NUL. */
#define SZ_SHA256_HEX 65

/* Writes the digest of 'len' bytes as lower-case hexadecimal. */
void sz_sha256(const void *data, size_t len, char out[SZ_SHA256_HEX]);

#endif
