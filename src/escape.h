/* escape.h - decodes one escape of a JSON string; inline. No Lua here. */
#ifndef SZ_ESCAPE_H
#define SZ_ESCAPE_H

#include <stddef.h>

/* The value of a hex digit, with bit 4 (16) set; 0: not a hex digit. */
static const unsigned char SZ_HEX[256] = {
    ['0'] = 16, ['1'] = 17, ['2'] = 18, ['3'] = 19, ['4'] = 20, ['5'] = 21,
    ['6'] = 22, ['7'] = 23, ['8'] = 24, ['9'] = 25, ['a'] = 26, ['b'] = 27,
    ['c'] = 28, ['d'] = 29, ['e'] = 30, ['f'] = 31, ['A'] = 26, ['B'] = 27,
    ['C'] = 28, ['D'] = 29, ['E'] = 30, ['F'] = 31};

/* The byte that a short escape such as \n means; 0: not a short escape. */
static const char SZ_SHORT_ESCAPE[256] = {
    ['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
    ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t'};

#define SZ_NOT_HEX 0x10000u

/* The value of four hex digits, or SZ_NOT_HEX. */
static inline unsigned sz_escape_hex(const char *s) {
  unsigned a = SZ_HEX[(unsigned char)s[0]], b = SZ_HEX[(unsigned char)s[1]];
  unsigned c = SZ_HEX[(unsigned char)s[2]], d = SZ_HEX[(unsigned char)s[3]];
  if (!(a & b & c & d & 16))
    return SZ_NOT_HEX;
  return (a & 15) << 12 | (b & 15) << 8 | (c & 15) << 4 | (d & 15);
}

static inline size_t sz_escape_encode(char *out, unsigned long c) {
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

/* Joins 'high' with the low surrogate escaped at 's', if there is one. */
static inline unsigned long sz_escape_join(unsigned long high, const char *s,
                                           size_t left, size_t *used) {
  unsigned low;
  if (left < 6 || s[0] != '\\' || s[1] != 'u')
    return high;
  low = sz_escape_hex(s + 2);
  if (low < 0xDC00 || low > 0xDFFF)
    return high;
  *used += 6;
  return 0x10000ul + ((high - 0xD800) << 10) + (low - 0xDC00);
}

/*
** Decodes the escape whose backslash is at 's'; both halves of a surrogate
** pair. Writes at most four bytes to 'out', and the escape's length to
** '*used'. Returns how many bytes it wrote; 0: not a valid escape.
*/
static inline size_t sz_escape_read(char *out, const char *s, size_t left,
                                    size_t *used) {
  unsigned long c;
  if (left < 2)
    return 0;
  if (s[1] != 'u') {
    *used = 2;
    *out = SZ_SHORT_ESCAPE[(unsigned char)s[1]];
    return *out != 0;
  }
  c = left < 6 ? SZ_NOT_HEX : sz_escape_hex(s + 2);
  if (c == SZ_NOT_HEX)
    return 0;
  *used = 6;
  if (c >= 0xD800 && c <= 0xDBFF)
    c = sz_escape_join(c, s + 6, left - 6, used);
  return sz_escape_encode(out, c);
}

#endif
