/* address.h - reads IP addresses; the network of one. No Lua here. */
#ifndef SZ_ADDRESS_H
#define SZ_ADDRESS_H

#include <stddef.h>

#define SZ_ADDRESS_BYTES 17

/*
** 4 or 6, then the address: 4 or 16 bytes, and zeros. Addresses are ordered by
** all bytes; an IPv4 address is never an IPv6 one.
*/
struct sz_address {
  unsigned char bytes[SZ_ADDRESS_BYTES];
};

/*
** Reads an address as people write it: IPv4 with four octets and no leading
** zeros, IPv6 as in RFC 4291, without a zone. 0: not an address.
*/
int sz_address_read(const char *s, size_t len, struct sz_address *out);

/* The bits of an address of this kind: 32 or 128. */
unsigned sz_address_bits(const struct sz_address *a);

/*
** Sets 'first' and 'last' to the first and the last address that have the
** first 'length' bits of 'a' (at most sz_address_bits). 'first' may be 'a'.
*/
void sz_address_range(const struct sz_address *a, unsigned length,
                      struct sz_address *first, struct sz_address *last);

#define SZ_NETWORK_TEXT 52 /* an IPv6 address, "/128", NUL */

/*
** Writes the network of 'length' bits (at most sz_address_bits) that contains
** 'a', as "10.1.2.0/24" or "2001:db8::/32". Returns the text's length; there
** is no NUL.
*/
size_t sz_address_network(const struct sz_address *a, unsigned length,
                          char out[SZ_NETWORK_TEXT]);

#endif
