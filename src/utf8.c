/* utf8.c - escapes and UTF-8 of JSON strings. */
#include "utf8.h"

#include "escape.h"

#include <string.h>

size_t sz_utf8_unescape(char *s, size_t len) {
  size_t from = 0, to = 0;
  while (from < len) {
    size_t used = 1;
    if (s[from] == '\\') {
      char out[4];
      size_t n = sz_escape_read(out, s + from, len - from, &used);
      memcpy(s + to, out, n);
      to += n;
    } else {
      s[to++] = s[from];
    }
    from += used;
  }
  return to;
}

/*
** Length of the UTF-8 sequence at 's'; 0: it is broken. Then '*broken' is the
** length of its longest part that could begin a valid sequence, at least 1.
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
