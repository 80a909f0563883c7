/*
** reading.c - see reading.h.
** An encoding writes a character as `\`, `%` or `&` with letters and digits
** behind it. The next encoding may encode the `\`, `%` or `&`, but not the
** letters and digits. So the readings at a place form a chain: `%255Cu00fc` is
** `%`, with `25` it is `%`, with `5C` it is `\`, with `u00fc` it is U+00FC.
** After each link there is at most one next link. Other characters of an
** encoding, such as the `;` of HTML, may be encoded: each is read by a chain
** of its own. The number of all links is limited.
*/
#include "reading.h"

#include "escape.h"

#include <string.h>

enum { LINKS = 64, DEEPEST = 4, LONGEST_NAME = 6, MOST_DIGITS = 8 };

/* What was read last: a byte, or a code point from JSON or HTML. */
struct link {
  const unsigned char *text;
  size_t len, at; /* at: behind what was read */
  unsigned long code;
  bool byte;
  unsigned depth;      /* not 0: of an encoding, where `\\` is `\` */
  bool *cut;           /* set when the text ends within a reading */
  unsigned char *left; /* how many links may yet be read */
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

/* Whether there is a byte at 'at'. Notes that the text is cut, if not. */
static bool is_there(const struct link *l, size_t at) {
  if (at >= l->len)
    *l->cut = true;
  return at < l->len;
}

/* Reads 'count' hex digits at 'at'. */
static bool hex(struct link *l, size_t at, size_t count) {
  unsigned long code = 0;
  size_t i;
  for (i = at; i < at + count; i++) {
    if (!is_there(l, i) || !SZ_HEX[l->text[i]])
      return false;
    code = code << 4 | (SZ_HEX[l->text[i]] & 15);
  }
  l->code = code;
  l->at = i;
  return true;
}

/* The number of `#39` or `#x27`, whose digits begin at 'at'. 0: none. */
static unsigned long number(const struct link *l, size_t *at) {
  unsigned long value = 0, base = 10;
  size_t first;
  if (is_there(l, *at) && (l->text[*at] | 32) == 'x') {
    base = 16;
    ++*at;
  }
  for (first = *at; is_there(l, *at) && *at - first < MOST_DIGITS; ++*at) {
    unsigned digit = SZ_HEX[l->text[*at]];
    if (!digit || (digit & 15) >= base)
      break;
    value = value * base + (digit & 15);
  }
  return value;
}

static bool is_letter(unsigned char c) {
  return c >= 'a' && c <= 'z';
}

/* The character of an entity's name, which begins at 'at'. 0: none. */
static unsigned long name(const struct link *l, size_t *at) {
  static const struct {
    char name[LONGEST_NAME], code;
  } NAMES[] = {
      {"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
  size_t i, len = 0;
  while (len < LONGEST_NAME && is_there(l, *at + len) &&
         is_letter(l->text[*at + len]))
    len++;
  for (i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++)
    if (len == strlen(NAMES[i].name) &&
        memcmp(NAMES[i].name, l->text + *at, len) == 0) {
      *at += len;
      return (unsigned char)NAMES[i].code;
    }
  return 0;
}

static bool next(struct link *l);

/*
** Reads a byte from 'low' to 'high', which may be encoded itself. Returns
** where it ends. 0: it is not there.
*/
static size_t read_byte(struct link *l, size_t at, unsigned long low,
                        unsigned long high) {
  struct link in = *l;
  if (!is_there(l, at) || l->depth == DEEPEST)
    return 0;
  in.at = at + 1;
  in.code = l->text[at];
  in.byte = true;
  in.depth++;
  while (in.code < low || in.code > high)
    if (!next(&in))
      return 0;
  l->code = in.code;
  return in.at;
}

static bool after_backslash(struct link *l) {
  unsigned char c;
  if (!is_there(l, l->at))
    return false;
  c = l->text[l->at];
  l->byte = c == 'x';
  if (c == 'x' || c == 'u')
    return hex(l, l->at + 1, c == 'x' ? 2 : 4);
  if (l->depth > 0)
    l->at = read_byte(l, l->at, '\\', '\\');
  return l->depth > 0 && l->at > 0;
}

static bool after_ampersand(struct link *l) {
  size_t hash = read_byte(l, l->at, '#', '#'), at = hash ? hash : l->at;
  unsigned long code = hash ? number(l, &at) : name(l, &at);
  size_t end = code ? read_byte(l, at, ';', ';') : 0;
  l->code = code;
  l->at = end;
  l->byte = false;
  return end > 0;
}

/* A byte of UTF-8 that was read as Latin-1, and written as UTF-8 again. */
static bool after_latin1(struct link *l) {
  unsigned long high = (l->code & 3) << 6;
  size_t end = read_byte(l, l->at, 0x80, 0xBF);
  l->code = high | (l->code & 0x3F);
  l->at = end;
  l->byte = true;
  return end > 0;
}

/* Goes on to what the sign and the text behind it encode. */
static bool next(struct link *l) {
  if (*l->left == 0)
    return false;
  --*l->left;
  switch (l->code) {
  case '\\':
    return after_backslash(l);
  case '%':
    l->byte = true;
    return hex(l, l->at, 2);
  case '&':
    return after_ampersand(l);
  case 0xC2:
  case 0xC3:
    return after_latin1(l);
  default:
    return false;
  }
}

/* What a backslash does: nothing by itself; or a short escape. */
static void add_escapes(struct sz_readings *all, const struct link *l,
                        size_t reach) {
  add(all, NULL, 0, reach);
  if (l->at < l->len && SZ_SHORT_ESCAPE[l->text[l->at]])
    add(all, &SZ_SHORT_ESCAPE[l->text[l->at]], 1, reach + 1);
}

void sz_readings_at(struct sz_readings *all, const char *text, size_t len,
                    size_t at) {
  unsigned char left = LINKS;
  struct link l = {
      (const unsigned char *)text, len, at + 1, 0, true, 0, &all->cut, &left};
  l.code = l.text[at];
  all->count = 0;
  all->cut = false;
  do {
    add_link(all, &l, l.at - at);
    if (l.code == '\\')
      add_escapes(all, &l, l.at - at);
  } while (next(&l));
}
