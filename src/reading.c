/*
** reading.c - see reading.h.
** Each layer of encoding writes a sign as `\`, `%` or `&` with letters, digits
** and `;` behind it, and these letters and digits are never encoded again. So
** the readings at a place are a chain: `%255Cu00fc` is `%`, with `25` it is
** `%`, with `5C` it is `\`, with `u00fc` it is U+00FC. The chain has one next
** link at most, and no link is read twice: its work is bounded.
*/
#include "reading.h"

#include "escape.h"

#include <string.h>

enum { LINKS = 8, LONGEST_NAME = 6, MOST_DIGITS = 8 };

/* What was read last: a byte, or a code point from JSON or HTML. */
struct link {
  const unsigned char *text;
  size_t len, at; /* at: behind what was read */
  unsigned long code;
  bool byte;
};

static void add(struct sz_readings *all, const void *bytes, size_t count,
                size_t reach) {
  struct sz_reading *one = &all->list[all->count];
  if (reach >= SZ_REACH || all->count == SZ_READINGS)
    return;
  if (count > 0)
    memcpy(one->bytes, bytes, count);
  one->count = (unsigned char)count;
  one->reach = (unsigned char)reach;
  all->count++;
}

/*
** Half of a surrogate pair: the first two bytes of the UTF-8 sequence, or the
** last two. Of the third byte each half has two or four bits.
*/
static void add_half(struct sz_readings *all, unsigned long code,
                     size_t reach) {
  char bytes[4];
  unsigned high;
  if (code < 0xDC00) {
    sz_escape_encode(bytes, 0x10000ul + ((code - 0xD800) << 10));
    add(all, bytes, 2, reach);
    return;
  }
  for (high = 0; high < 4; high++) {
    bytes[0] = (char)(0x80 | high << 4 | (code >> 6 & 0xF));
    bytes[1] = (char)(0x80 | (code & 0x3F));
    add(all, bytes, 2, reach);
  }
}

/* A code point below 256 may also be a byte that was read as Latin-1. */
static void add_link(struct sz_readings *all, const struct link *l,
                     size_t reach) {
  char bytes[4] = {(char)(l->code & 0xFF)};
  if (l->byte || (l->code >= 0x80 && l->code < 0x100))
    add(all, bytes, 1, reach);
  if (l->code == '+')
    add(all, " ", 1, reach);
  if (l->byte)
    return;
  if (l->code >= 0xD800 && l->code <= 0xDFFF)
    add_half(all, l->code, reach);
  else if (l->code <= 0x10FFFF)
    add(all, bytes, sz_escape_encode(bytes, l->code), reach);
}

/* Reads 'count' hex digits at 'at'; notes when the text ends within them. */
static bool hex(struct link *l, size_t at, size_t count, bool *cut) {
  unsigned long code = 0;
  size_t i;
  for (i = 0; i < count; i++) {
    unsigned digit;
    if (at + i == l->len) {
      *cut = true;
      return false;
    }
    digit = SZ_HEX[l->text[at + i]];
    if (!digit)
      return false;
    code = code << 4 | (digit & 15);
  }
  l->code = code;
  l->at = at + count;
  return true;
}

/* What follows a backslash. */
static bool after_backslash(struct link *l, struct sz_readings *all,
                            size_t start) {
  unsigned char c;
  add(all, NULL, 0, l->at - start);
  if (l->at == l->len) {
    all->cut = true;
    return false;
  }
  c = l->text[l->at];
  if (SZ_SHORT_ESCAPE[c])
    add(all, &SZ_SHORT_ESCAPE[c], 1, l->at + 1 - start);
  l->byte = c == 'x';
  return (c == 'x' || c == 'u') &&
         hex(l, l->at + 1, c == 'x' ? 2 : 4, &all->cut);
}

/*
** The end of a sign of an entity, as it is or in a URL: `%3B`, `%253B`. 0: it
** is not there.
*/
static size_t sign_end(const struct link *l, size_t at, char sign) {
  struct link in = *l;
  bool cut;
  if (at < l->len && l->text[at] == (unsigned char)sign)
    return at + 1;
  if (at == l->len || l->text[at] != '%')
    return 0;
  for (in.at = at + 1; hex(&in, in.at, 2, &cut) && in.at - at < 2 * LINKS;) {
    if (in.code == (unsigned char)sign)
      return in.at;
    if (in.code != '%')
      break;
  }
  return 0;
}

static bool is_alnum(unsigned char c) {
  return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
}

/* Whether the text ends within what may be an entity. */
static bool cut_entity(const struct link *l) {
  size_t at = l->at;
  while (at < l->len && at - l->at < 2 * MOST_DIGITS + 4 * LINKS &&
         (is_alnum(l->text[at]) || l->text[at] == '#' || l->text[at] == '%'))
    at++;
  return at == l->len;
}

/* The number of `#39` or `#x27`, whose digits begin at 'at'. 0: none. */
static unsigned long number(const struct link *l, size_t *at) {
  unsigned long value = 0, base = 10;
  size_t first;
  if (*at < l->len && (l->text[*at] | 32) == 'x') {
    base = 16;
    ++*at;
  }
  for (first = *at; *at < l->len && *at - first < MOST_DIGITS; ++*at) {
    unsigned digit = SZ_HEX[l->text[*at]];
    if (!digit || (digit & 15) >= base)
      break;
    value = value * base + (digit & 15);
  }
  return value;
}

/* The character of an entity's name, which begins at 'at'. 0: none. */
static unsigned long name(const struct link *l, size_t *at) {
  static const struct {
    char name[LONGEST_NAME], code;
  } NAMES[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'},
               {"apos", '\''}};
  size_t i, len = 0;
  while (*at + len < l->len && len < LONGEST_NAME &&
         is_alnum(l->text[*at + len]))
    len++;
  for (i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++)
    if (len == strlen(NAMES[i].name) &&
        memcmp(NAMES[i].name, l->text + *at, len) == 0) {
      *at += len;
      return (unsigned char)NAMES[i].code;
    }
  return 0;
}

static bool after_ampersand(struct link *l, struct sz_readings *all) {
  size_t hash = sign_end(l, l->at, '#'), at = hash ? hash : l->at;
  unsigned long code = hash ? number(l, &at) : name(l, &at);
  size_t end = sign_end(l, at, ';');
  if (!end || !code) {
    all->cut = all->cut || cut_entity(l);
    return false;
  }
  l->code = code;
  l->at = end;
  l->byte = code < 0x80;
  return true;
}

/* A byte of UTF-8 that was read as Latin-1, and written as UTF-8 again. */
static bool after_latin1(struct link *l, struct sz_readings *all) {
  if (l->at == l->len) {
    all->cut = true;
    return false;
  }
  if ((l->text[l->at] & 0xC0) != 0x80)
    return false;
  l->code = (l->code & 3) << 6 | (l->text[l->at++] & 0x3F);
  return true;
}

/* Goes on to what the sign and the text behind it encode. */
static bool next(struct link *l, struct sz_readings *all, size_t start) {
  switch (l->code) {
  case '\\':
    return after_backslash(l, all, start);
  case '%':
    l->byte = true;
    return hex(l, l->at, 2, &all->cut);
  case '&':
    return after_ampersand(l, all);
  case 0xC2:
  case 0xC3:
    return l->byte && after_latin1(l, all);
  default:
    return false;
  }
}

void sz_readings_at(struct sz_readings *all, const char *text, size_t len,
                    size_t at) {
  struct link l = {(const unsigned char *)text, len, at + 1, 0, true};
  int links;
  l.code = l.text[at];
  all->count = 0;
  all->cut = false;
  add_link(all, &l, 1);
  for (links = 0; links < LINKS && next(&l, all, at); links++)
    add_link(all, &l, l.at - at);
}
