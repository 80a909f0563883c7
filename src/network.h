/* network.h - the network that an address belongs to, as text. No Lua here. */
#ifndef SZ_NETWORK_H
#define SZ_NETWORK_H

#include <stddef.h>

#define SZ_NETWORK_TEXT 52 /* an IPv6 address, "/128", NUL */

enum sz_network_code {
  SZ_NETWORK_OK,
  SZ_NETWORK_NONE, /* the text is no IPv4 or IPv6 address */
  SZ_NETWORK_LONG  /* an IPv4 address, and more than 32 bits are wanted */
};

/*
** Writes the network of 'bits4' (IPv4) or 'bits6' (IPv6, at most 128) bits
** that contains the address, as "10.1.2.0/24" or "2001:db8::/32". The text is
** in 'out', '*out_len' bytes without a NUL.
*/
enum sz_network_code sz_network_write(const char *text, size_t len,
                                      unsigned bits4, unsigned bits6,
                                      char out[SZ_NETWORK_TEXT],
                                      size_t *out_len);

#endif
