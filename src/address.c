/* address.c - reads IP addresses and networks of them. */
#include "address.h"

#include <arpa/inet.h>
#include <string.h>

/* Reads one octet, up to 'end'; returns what follows it. NULL: it is none. */
static const char *read_octet(const char *s, const char *end,
                              unsigned char *out) {
  const char *from = s;
  unsigned value = 0;
  for (; s < end && *s >= '0' && *s <= '9'; s++) {
    value = value * 10 + (unsigned)(*s - '0');
    if (value > 255)
      return NULL;
  }
  if (s == from || (s - from > 1 && *from == '0'))
    return NULL;
  *out = (unsigned char)value;
  return s;
}

static int read_v4(const char *s, size_t len, unsigned char *out) {
  const char *end = s + len;
  int i;
  for (i = 0; i < 4; i++) {
    if (i > 0 && (s == end || *s++ != '.'))
      return 0;
    s = read_octet(s, end, &out[i]);
    if (!s)
      return 0;
  }
  return s == end;
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
  if (len < 7 || memchr(s, ':', len < 5 ? len : 5)) {
    out->bytes[0] = 6;
    return len > 1 && read_v6(s, len, out->bytes + 1);
  }
  return len <= 15 && read_v4(s, len, out->bytes + 1);
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
