/* text.c - writes values as text for CSV and JSON. */
#include "text.h"

#include "utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LAST_WHOLE 9007199254740992.0 /* 2^53 */

enum sz_buffer_code sz_text_integer(struct sz_buffer *b, int64_t value) {
  char digits[20];
  uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
  size_t n = sizeof digits;
  enum sz_buffer_code code = sz_buffer_reserve(b, sizeof digits + 1);
  if (code != SZ_BUFFER_OK)
    return code;
  do {
    digits[--n] = (char)('0' + left % 10);
    left /= 10;
  } while (left);
  if (value < 0)
    b->data[b->len++] = '-';
  memcpy(b->data + b->len, digits + n, sizeof digits - n);
  b->len += sizeof digits - n;
  return SZ_BUFFER_OK;
}

/* Replaces the locale's point: all other bytes of a number are known. */
static size_t put_point(char *s, size_t len) {
  size_t i, out = 0;
  for (i = 0; i < len; i++)
    if (memchr("0123456789+-einfa", s[i], 17))
      s[out++] = s[i];
    else if (!out || s[out - 1] != '.')
      s[out++] = '.';
  return out;
}

enum sz_buffer_code sz_text_real(struct sz_buffer *b, double value) {
  char digits[40];
  int n;
  if (value > -LAST_WHOLE && value < LAST_WHOLE && value == floor(value)) {
    if (value == 0 && signbit(value))
      return sz_buffer_append(b, "-0", 2);
    return sz_text_integer(b, (int64_t)value);
  }
  n = snprintf(digits, sizeof digits, "%.15g", value);
  if (strtod(digits, NULL) != value)
    n = snprintf(digits, sizeof digits, "%.17g", value);
  return sz_buffer_append(b, digits, put_point(digits, (size_t)n));
}

/* ---- CSV ---- */

/* Whether it is digits with an optional minus and point: not a formula. */
static bool is_number(const char *s, size_t len) {
  size_t at = len > 0 && s[0] == '-', begin = at;
  while (at < len && s[at] >= '0' && s[at] <= '9')
    at++;
  if (at == begin)
    return false;
  if (at < len && s[at] == '.')
    at++;
  while (at < len && s[at] >= '0' && s[at] <= '9')
    at++;
  return at == len;
}

static bool begins_formula(const char *s, size_t len) {
  return len && memchr("=+-@\t\r\n", s[0], 7) && !is_number(s, len);
}

static bool needs_quotes(const char *s, size_t len, char separator) {
  size_t i;
  for (i = 0; i < len; i++)
    if (s[i] == '"' || s[i] == '\n' || s[i] == '\r' || s[i] == separator)
      return true;
  return false;
}

enum sz_buffer_code sz_text_csv(struct sz_buffer *b, const struct sz_csv *how,
                                const char *s, size_t len) {
  enum sz_buffer_code code;
  size_t i;
  char *to;
  bool guarded = how->guard && begins_formula(s, len);
  if (!needs_quotes(s, len, how->separator)) {
    code = guarded ? sz_buffer_append(b, "'", 1) : SZ_BUFFER_OK;
    return code == SZ_BUFFER_OK ? sz_buffer_append(b, s, len) : code;
  }
  if (len > b->max / 2)
    return SZ_BUFFER_FULL;
  code = sz_buffer_reserve(b, 2 * len + 3);
  if (code != SZ_BUFFER_OK)
    return code;
  to = b->data + b->len;
  *to++ = '"';
  if (guarded)
    *to++ = '\'';
  for (i = 0; i < len; i++) {
    if (s[i] == '"')
      *to++ = '"';
    *to++ = s[i];
  }
  *to++ = '"';
  b->len = (size_t)(to - b->data);
  return SZ_BUFFER_OK;
}

/* ---- JSON ---- */

static bool is_plain(char c) {
  return (unsigned char)c >= 0x20 && c != '"' && c != '\\' && c != 0x7F;
}

/* Writes a byte's escape, at most 6 bytes. Returns its end. */
static char *escape(char *to, char c) {
  static const char HEX[] = "0123456789abcdef";
  static const char NAMED[] = "\"\"\\\\\bb\ff\nn\rr\tt";
  const char *name;
  unsigned char byte = (unsigned char)c;
  *to++ = '\\';
  for (name = NAMED; *name; name += 2) {
    if (*name == c) {
      *to++ = name[1];
      return to;
    }
  }
  memcpy(to, "u00", 3);
  to[3] = HEX[byte >> 4];
  to[4] = HEX[byte & 15];
  return to + 5;
}

/* Appends text that is valid UTF-8, with escapes. */
static enum sz_buffer_code add_escaped(struct sz_buffer *b, const char *s,
                                       size_t len) {
  enum sz_buffer_code code = SZ_BUFFER_OK;
  size_t at = 0;
  while (at < len && code == SZ_BUFFER_OK) {
    size_t begin = at;
    while (at < len && is_plain(s[at]))
      at++;
    code = sz_buffer_append(b, s + begin, at - begin);
    if (code == SZ_BUFFER_OK && at < len)
      code = sz_buffer_reserve(b, 6);
    if (code == SZ_BUFFER_OK && at < len)
      b->len = (size_t)(escape(b->data + b->len, s[at++]) - b->data);
  }
  return code;
}

/* Fast path for plain bytes, as in most texts. False: there are others. */
static bool add_simple(struct sz_buffer *b, const char *s, size_t len,
                       enum sz_buffer_code *code) {
  size_t i;
  for (i = 0; i < len; i++)
    if (!is_plain(s[i]) || (unsigned char)s[i] > 0x7F)
      return false;
  *code = len < b->max ? sz_buffer_reserve(b, len + 2) : SZ_BUFFER_FULL;
  if (*code != SZ_BUFFER_OK)
    return true;
  b->data[b->len] = '"';
  memcpy(b->data + b->len + 1, s, len);
  b->data[b->len + len + 1] = '"';
  b->len += len + 2;
  return true;
}

enum sz_buffer_code sz_text_json(struct sz_buffer *b, const char *s,
                                 size_t len) {
  enum sz_buffer_code code;
  size_t at = 0;
  if (add_simple(b, s, len, &code))
    return code;
  code = sz_buffer_append(b, "\"", 1);
  while (at < len && code == SZ_BUFFER_OK) {
    size_t good = sz_utf8_valid(s + at, len - at);
    code = add_escaped(b, s + at, good);
    at += good;
    if (at == len || code != SZ_BUFFER_OK)
      break;
    code = sz_buffer_append(b, "\xEF\xBF\xBD", 3);
    at += sz_utf8_broken(s + at, len - at);
  }
  return code == SZ_BUFFER_OK ? sz_buffer_append(b, "\"", 1) : code;
}
