/* address.c - reads IP addresses; the network of one. */
#include "address.h"

#include <arpa/inet.h>
#include <string.h>

/*
** Reads four octets. Every row's address may come here, so it is one loop:
** 'octet' has the value of the digits so far, 'digits' says how many.
*/
static int read_v4(const char *s, size_t len, unsigned char *out) {
  unsigned octet = 0, digits = 0, n = 0;
  size_t i;
  for (i = 0; i < len; i++) {
    unsigned digit = (unsigned char)s[i] - (unsigned)'0';
    if (digit <= 9) {
      if (digits++ && !octet)
        return 0; /* a leading zero */
      octet = octet * 10 + digit;
      if (octet > 255)
        return 0;
      continue;
    }
    if (s[i] != '.' || !digits || n == 3)
      return 0;
    out[n++] = (unsigned char)octet;
    octet = digits = 0;
  }
  out[n] = (unsigned char)octet;
  return n == 3 && digits;
}

static int read_v6(const char *s, size_t len, unsigned char *out) {
  char copy[INET6_ADDRSTRLEN];
  if (len >= sizeof copy || memchr(s, '\0', len))
    return 0;
  memcpy(copy, s, len);
  copy[len] = '\0';
  return inet_pton(AF_INET6, copy, out) == 1;
}

int sz_address_read(const char *s, size_t len, struct sz_address *out) {
  memset(out, 0, sizeof *out);
  out->bytes[0] = 4;
  if (len >= 7 && len <= 15 && read_v4(s, len, out->bytes + 1))
    return 1;
  memset(out, 0, sizeof *out);
  out->bytes[0] = 6;
  return memchr(s, ':', len) && read_v6(s, len, out->bytes + 1);
}

unsigned sz_address_bits(const struct sz_address *a) {
  return a->bytes[0] == 4 ? 32 : 128;
}

void sz_address_range(const struct sz_address *a, unsigned length,
                      struct sz_address *first, struct sz_address *last) {
  unsigned bits = sz_address_bits(a), i;
  *first = *last = *a;
  for (i = length; i < bits; i += 8 - i % 8) {
    unsigned char rest = (unsigned char)(0xFF >> i % 8);
    first->bytes[1 + i / 8] &= (unsigned char)~rest;
    last->bytes[1 + i / 8] |= rest;
  }
}

/* ---- writing ---- */

static size_t write_number(char *out, unsigned value) {
  size_t n = 0;
  if (value >= 100)
    out[n++] = (char)('0' + value / 100);
  if (value >= 10)
    out[n++] = (char)('0' + value / 10 % 10);
  out[n++] = (char)('0' + value % 10);
  return n;
}

static size_t write_v4(char *out, const unsigned char *octets) {
  size_t n = 0;
  int i;
  for (i = 0; i < 4; i++) {
    if (i)
      out[n++] = '.';
    n += write_number(out + n, octets[i]);
  }
  return n;
}

size_t sz_address_network(const struct sz_address *a, unsigned length,
                          char out[SZ_NETWORK_TEXT]) {
  struct sz_address first, last;
  size_t n;
  sz_address_range(a, length, &first, &last);
  if (a->bytes[0] == 4) {
    n = write_v4(out, first.bytes + 1);
  } else {
    inet_ntop(AF_INET6, first.bytes + 1, out, INET6_ADDRSTRLEN);
    n = strlen(out);
  }
  out[n++] = '/';
  return n + write_number(out + n, length);
}
