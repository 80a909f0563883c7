/* network.c - the network that an address belongs to, as text. */
#include "network.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

/* Reads four numbers without leading zeros. 0: it is no IPv4 address. */
static int read_ipv4(const char *s, size_t len, uint32_t *address) {
  size_t at = 0;
  int part;
  *address = 0;
  for (part = 0; part < 4; part++) {
    unsigned value = 0;
    size_t from;
    if (part && (at == len || s[at++] != '.'))
      return 0;
    for (from = at; at < len && at - from < 3 && s[at] >= '0' && s[at] <= '9';)
      value = value * 10 + (unsigned)(s[at++] - '0');
    if (at == from || value > 255 || (s[from] == '0' && at - from > 1))
      return 0;
    *address = *address << 8 | value;
  }
  return at == len;
}

static size_t write_number(char *out, unsigned value) {
  size_t n = 0;
  if (value >= 100)
    out[n++] = (char)('0' + value / 100);
  if (value >= 10)
    out[n++] = (char)('0' + value / 10 % 10);
  out[n++] = (char)('0' + value % 10);
  return n;
}

static size_t write_ipv4(char *out, uint32_t address, unsigned bits) {
  size_t n = 0;
  int shift;
  address &= bits ? ~UINT32_C(0) << (32 - bits) : 0;
  for (shift = 24; shift >= 0; shift -= 8) {
    n += write_number(out + n, address >> shift & 255);
    out[n++] = shift ? '.' : '/';
  }
  return n + write_number(out + n, bits);
}

/* 0: it is no IPv6 address. */
static size_t write_ipv6(char *out, const char *s, size_t len, unsigned bits) {
  char copy[INET6_ADDRSTRLEN];
  struct in6_addr address;
  unsigned i;
  size_t n;
  if (len >= sizeof copy || memchr(s, '\0', len))
    return 0;
  memcpy(copy, s, len);
  copy[len] = '\0';
  if (inet_pton(AF_INET6, copy, &address) != 1)
    return 0;
  for (i = 0; i < 16; i++) {
    unsigned kept = bits > i * 8 ? bits - i * 8 : 0;
    if (kept < 8)
      address.s6_addr[i] &= (unsigned char)(0xFF00u >> kept);
  }
  inet_ntop(AF_INET6, &address, out, INET6_ADDRSTRLEN);
  n = strlen(out);
  out[n++] = '/';
  return n + write_number(out + n, bits);
}

enum sz_network_code sz_network_write(const char *text, size_t len,
                                      unsigned bits4, unsigned bits6,
                                      char out[SZ_NETWORK_TEXT],
                                      size_t *out_len) {
  uint32_t address;
  if (read_ipv4(text, len, &address)) {
    if (bits4 > 32)
      return SZ_NETWORK_LONG;
    *out_len = write_ipv4(out, address, bits4);
    return SZ_NETWORK_OK;
  }
  *out_len = write_ipv6(out, text, len, bits6);
  return *out_len ? SZ_NETWORK_OK : SZ_NETWORK_NONE;
}
