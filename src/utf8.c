/* utf8.c - escapes and UTF-8 of JSON strings. */
#include "utf8.h"

#include <string.h>

static unsigned hex4(const char *s) {
  unsigned value = 0;
  int i;
  for (i = 0; i < 4; i++) {
    unsigned char c = (unsigned char)s[i];
    unsigned digit = c <= '9' ? (unsigned)c - 48u : (c | 0x20u) - 'a' + 10u;
    value = value << 4 | digit;
  }
  return value;
}

static size_t encode(char *out, unsigned long c) {
  if (c < 0x80) {
    out[0] = (char)c;
    return 1;
  }
  if (c < 0x800) {
    out[0] = (char)(0xC0 | c >> 6);
    out[1] = (char)(0x80 | (c & 0x3F));
    return 2;
  }
  if (c < 0x10000) {
    out[0] = (char)(0xE0 | c >> 12);
    out[1] = (char)(0x80 | (c >> 6 & 0x3F));
    out[2] = (char)(0x80 | (c & 0x3F));
    return 3;
  }
  out[0] = (char)(0xF0 | c >> 18);
  out[1] = (char)(0x80 | (c >> 12 & 0x3F));
  out[2] = (char)(0x80 | (c >> 6 & 0x3F));
  out[3] = (char)(0x80 | (c & 0x3F));
  return 4;
}

/* A \uXXXX at s; with its partner when it is a pair. Sets bytes consumed. */
static unsigned long code_point(const char *s, size_t left, size_t *used) {
  unsigned high = hex4(s + 2);
  unsigned low;
  *used = 6;
  if (high < 0xD800 || high > 0xDBFF || left < 12 || s[6] != '\\' ||
      s[7] != 'u')
    return high;
  low = hex4(s + 8);
  if (low < 0xDC00 || low > 0xDFFF)
    return high;
  *used = 12;
  return 0x10000ul + ((unsigned long)(high - 0xD800) << 10) + (low - 0xDC00);
}

static char plain_escape(char c) {
  switch (c) {
  case 'b':
    return '\b';
  case 'f':
    return '\f';
  case 'n':
    return '\n';
  case 'r':
    return '\r';
  case 't':
    return '\t';
  default:
    return c; /* quote, backslash, slash */
  }
}

size_t sz_utf8_unescape(char *s, size_t len) {
  size_t from = 0, to = 0;
  while (from < len) {
    size_t used = 1;
    if (s[from] != '\\') {
      s[to++] = s[from];
    } else if (s[from + 1] == 'u') {
      unsigned long c = code_point(s + from, len - from, &used);
      to += encode(s + to, c);
    } else {
      s[to++] = plain_escape(s[from + 1]);
      used = 2;
    }
    from += used;
  }
  return to;
}

/*
** Length of the sequence at s; 0 when it is broken, then '*broken' is the
** length of its longest part that could have begun a good one, at least 1.
*/
static size_t sequence(const unsigned char *s, size_t left, size_t *broken) {
  unsigned char low = 0x80, high = 0xBF;
  size_t need, i;
  *broken = 1;
  if (s[0] < 0x80)
    return 1;
  if (s[0] < 0xC2 || s[0] > 0xF4)
    return 0;
  need = s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : 4;
  if (s[0] == 0xE0)
    low = 0xA0;
  else if (s[0] == 0xED)
    high = 0x9F;
  else if (s[0] == 0xF0)
    low = 0x90;
  else if (s[0] == 0xF4)
    high = 0x8F;
  for (i = 1; i < need; i++) {
    if (i >= left || s[i] < low || s[i] > high)
      return 0;
    low = 0x80;
    high = 0xBF;
    *broken = i + 1;
  }
  return need;
}

size_t sz_utf8_valid(const char *s, size_t len) {
  size_t at = 0, broken;
  while (at < len) {
    size_t n = sequence((const unsigned char *)s + at, len - at, &broken);
    if (!n)
      return at;
    at += n;
  }
  return at;
}

size_t sz_utf8_broken(const char *s, size_t len) {
  size_t broken;
  sequence((const unsigned char *)s, len, &broken);
  return broken;
}

enum sz_buffer_code sz_utf8_replace(struct sz_buffer *b) {
  struct sz_buffer out;
  enum sz_buffer_code code = SZ_BUFFER_OK;
  size_t at = 0;
  sz_buffer_init(&out, b->max);
  while (at < b->len && code == SZ_BUFFER_OK) {
    size_t good = sz_utf8_valid(b->data + at, b->len - at);
    code = sz_buffer_append(&out, b->data + at, good);
    at += good;
    if (code != SZ_BUFFER_OK || at == b->len)
      break;
    code = sz_buffer_append(&out, "\xEF\xBF\xBD", 3);
    at += sz_utf8_broken(b->data + at, b->len - at);
  }
  if (code != SZ_BUFFER_OK) {
    sz_buffer_free(&out);
    return code;
  }
  sz_buffer_free(b);
  *b = out;
  return SZ_BUFFER_OK;
}
