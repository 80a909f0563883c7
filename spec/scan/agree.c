/*
** agree.c - compares all scanners of this machine with a plain loop: on random
** and adversarial bytes, at every alignment and length, with unreadable memory
** after them. Prints the scanners' names; fails at the first difference.
** (spec/core/scan_spec.lua)
*/
#include "scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAX_LEN 200
#define ROOM 4096

static unsigned long long seed = 88172645463325252u;

static unsigned random_below(unsigned n) {
  seed ^= seed << 13;
  seed ^= seed >> 7;
  seed ^= seed << 17;
  return (unsigned)(seed >> 33) % n;
}

static void fail(const struct sz_scanner *s, const char *what, size_t len,
                 size_t got, size_t wanted) {
  printf("%s: %s of %zu bytes gives %zu, not %zu\n", s->name, what, len, got,
         wanted);
  exit(1);
}

/* ---- what is right ---- */

static size_t plain(const char *p, size_t len) {
  size_t at = 0;
  while (at < len && !sz_is_special((unsigned char)p[at]))
    at++;
  return at;
}

/* What the token before was. */
enum token {
  T_BRACKET, /* [ */
  T_BRACE,   /* { */
  T_KEY,
  T_COLON,
  T_VALUE,
  T_MEMBER, /* the comma after a value */
  T_END,    /* } or ] */
  T_ITEM    /* the comma after such an end */
};

struct loop {
  enum token before;
  int inside, in_key, in_scalar, escaped;
  struct sz_mark *marks;
  size_t at;
  unsigned wanted;
  const char *keys; /* 1 where a key begins */
};

static void set(uint64_t *mask, size_t at, int on) {
  *mask |= (uint64_t)(on != 0) << at % 64;
}

/* A byte within a string. */
static void string_byte(struct loop *l, struct sz_mark *m, unsigned char c) {
  set(&m->odd, l->at, c < 0x20 || (l->in_key && c == '\\'));
  if (l->escaped) {
    set(&m->check, l->at, c != '"' && c != '\\');
    l->escaped = 0;
  } else if (c == '\\') {
    l->escaped = 1;
  } else if (c == '"') {
    set(&m->quote, l->at, 1);
    l->before = l->in_key ? T_KEY : T_VALUE;
    l->inside = l->in_key = 0;
  }
}

static void quote_byte(struct loop *l, struct sz_mark *m, char *keys) {
  enum token b = l->before;
  set(&m->odd, l->at, b != T_BRACE && b != T_MEMBER && b != T_COLON);
  set(&m->quote, l->at, 1);
  l->inside = 1;
  l->in_key = b != T_COLON;
  keys[l->at] = (char)l->in_key;
}

static void comma_or_end(struct loop *l, struct sz_mark *m, char c) {
  enum token b = l->before;
  if (c == ',') {
    set(&m->odd, l->at, b != T_VALUE && b != T_END);
    l->before = b == T_END ? T_ITEM : T_MEMBER;
    return;
  }
  set(&m->odd, l->at, b != (c == '}' ? T_VALUE : T_END));
  set(&m->end, l->at, c == ']');
  l->before = T_END;
}

/* A byte outside strings that is no blank. */
static void token_byte(struct loop *l, struct sz_mark *m, char c, char *keys) {
  enum token b = l->before;
  int scalar = c == '"' ? l->escaped : !c || !strchr("{[:,}]", c);
  int begins = scalar && !l->in_scalar;
  l->in_scalar = scalar;
  l->escaped = !l->escaped && c == '\\';
  set(&m->check, l->at, begins);
  if (begins) {
    set(&m->odd, l->at, b != T_COLON);
    l->before = T_VALUE;
  } else if (scalar) {
    return;
  } else if (c == '"') {
    quote_byte(l, m, keys);
  } else if (c == '{' || c == '[') {
    set(&m->odd, l->at, b != T_BRACKET && b != T_ITEM);
    set(&m->point, l->at, 1);
    l->before = c == '{' ? T_BRACE : T_BRACKET;
  } else if (c == ':') {
    set(&m->odd, l->at, b != T_KEY);
    l->before = T_COLON;
  } else {
    comma_or_end(l, m, c);
  }
}

static int tells(const struct loop *l, unsigned wanted, size_t distance) {
  return l->wanted & wanted && l->at >= distance && l->keys[l->at - distance];
}

/* The marks of a text whose first byte is a bracket. */
static void plain_marks(const char *p, size_t len, unsigned wanted,
                        struct sz_mark *marks) {
  char keys[ROOM] = {0};
  struct loop l = {T_BRACKET, 0, 0, 0, 0, marks, 1, wanted, keys};
  memset(marks, 0, (len / 64 + 1) * sizeof *marks);
  set(&marks->point, 0, 1);
  for (; l.at < len; l.at++) {
    struct sz_mark *m = &marks[l.at / 64];
    unsigned char c = (unsigned char)p[l.at];
    set(&m->slash, l.at, c == '\\');
    set(&m->point, l.at,
        (c == 'V' && tells(&l, SZ_MARK_RAW, 4)) ||
            (c == 'b' && tells(&l, SZ_MARK_LABEL, 3)) ||
            (c == 'i' && tells(&l, SZ_MARK_TITLE, 2)));
    if (l.inside) {
      string_byte(&l, m, c);
    } else if (c <= 0x20) {
      set(&m->odd, l.at, !strchr(" \t\r\n", c) || !c);
      l.in_scalar = l.escaped = 0;
    } else {
      token_byte(&l, m, (char)c, keys);
    }
  }
}

/* ---- texts ---- */

/* Special bytes and their neighbours, which an inexact test would confuse. */
static char odd_byte(void) {
  static const unsigned char ODD[] = {0x00, 0x01, 0x1F, 0x20, 0x21, '"',
                                      '#',  '[',  '\\', ']',  0x7F, 0x80,
                                      0x9F, 0xA0, 0xA2, 0xDC, 0xFF};
  return (char)ODD[random_below(sizeof ODD)];
}

static void fill(char *p, size_t len, unsigned kind) {
  size_t i;
  for (i = 0; i < len; i++)
    p[i] = kind == 0   ? (char)random_below(256)
           : kind == 1 ? odd_byte()
                       : (char)('a' + random_below(26));
}

/* The end of a page; the memory after it cannot be read. */
static char *page_end(void) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  char *p = mmap(NULL, page * 3, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED || mprotect(p + page * 2, page, PROT_NONE))
    exit(2);
  return p + page * 2;
}

/* ---- comparing ---- */

static void compare_plain(const char *p, size_t len) {
  size_t wanted = plain(p, len), n;
  char copy[MAX_LEN + 16];
  const struct sz_scanner *s;
  for (n = 0; (s = sz_scanner_of(n)) != NULL; n++)
    if (s->plain(p, len) != wanted)
      fail(s, "plain", len, s->plain(p, len), wanted);
  s = sz_scanner_of(0);
  if (sz_scan_plain(p, len) != wanted)
    fail(s, "the short plain", len, sz_scan_plain(p, len), wanted);
  if (sz_copy_plain(copy, p, len) != wanted || memcmp(copy, p, wanted) != 0)
    fail(s, "copy", len, sz_copy_plain(copy, p, len), wanted);
}

/* Every length ends at the unreadable page, so all alignments are tested. */
static void all_plain(char *end) {
  size_t len, at;
  int round;
  for (len = 0; len <= MAX_LEN; len++) {
    for (round = 0; round < 60; round++) {
      fill(end - len, len, (unsigned)round % 3);
      compare_plain(end - len, len);
    }
    for (at = 0; at < len; at++) { /* one odd byte in plain text */
      fill(end - len, len, 2);
      end[at - len] = odd_byte();
      compare_plain(end - len, len);
    }
  }
}

struct text {
  char bytes[ROOM];
  size_t len;
};

static void add(struct text *t, const char *s) {
  size_t len = strlen(s);
  memcpy(t->bytes + t->len, s, len);
  t->len += len;
}

/* Sometimes blanks, by the text's own habit. */
static void add_blanks(struct text *t, unsigned habit) {
  static const char *const BLANKS[] = {" ", "\n", "\t", "\r\n   ", "  "};
  if (habit && !random_below(habit))
    add(t, BLANKS[random_below(5)]);
}

static void add_string(struct text *t, int key) {
  static const char *const PARTS[] = {
      "\\\"",     "\\\\", "\\u00e9", "\\n",  "{\\\"a\\\":[1]}", "]",
      "10.0.0.1", ",",    "V",       "xyz{", "\xC3\xA9",        "}],[{"};
  static const char *const KEYS[] = {"rawValue", "label", "title", "V",
                                     "",         "i",     "aaaV",  "aab"};
  unsigned n = random_below(4);
  add(t, "\"");
  if (key)
    add(t, KEYS[random_below(8)]);
  while (!key && n--)
    add(t, PARTS[random_below(random_below(4) ? 12 : 2)]);
  add(t, "\"");
}

static void add_cell(struct text *t, unsigned habit) {
  static const char *const SCALARS[] = {"null", "12", "-1.5e7", "true"};
  unsigned n = 1 + random_below(5);
  add(t, "{");
  while (n--) {
    add_blanks(t, habit);
    add_string(t, 1);
    add_blanks(t, habit);
    add(t, ":");
    add_blanks(t, habit);
    if (random_below(4))
      add_string(t, 0);
    else
      add(t, SCALARS[random_below(4)]);
    add_blanks(t, habit);
    if (n)
      add(t, ",");
  }
  add(t, "}");
}

/* Rows of cells, of which bytes may be changed. */
static void make_text(struct text *t) {
  unsigned habit = random_below(3) ? 0 : 1 + random_below(5), cells, faults;
  t->len = 0;
  while (t->len < 900) {
    add(t, t->len ? ",[" : "[");
    for (cells = 1 + random_below(4); cells; cells--) {
      add_blanks(t, habit);
      add_cell(t, habit);
      add(t, cells > 1 ? "," : "]");
    }
  }
  for (faults = random_below(3); faults; faults--)
    t->bytes[1 + random_below((unsigned)t->len - 1)] =
        random_below(2) ? odd_byte() : "{}[]:,\"\\ 1nV"[random_below(12)];
}

/* The bits of a mark up to its first odd one. */
static uint64_t live(const struct sz_mark *m) {
  return m->odd ? m->odd ^ (m->odd - 1) : UINT64_MAX;
}

static int same(const struct sz_mark *a, const struct sz_mark *b) {
  uint64_t bits = live(a);
  return ((a->quote ^ b->quote) & bits) == 0 &&
         ((a->slash ^ b->slash) & bits) == 0 &&
         ((a->point ^ b->point) & bits) == 0 &&
         ((a->check ^ b->check) & bits) == 0 &&
         ((a->end ^ b->end) & bits) == 0 && ((a->odd ^ b->odd) & bits) == 0;
}

/* In one call or in several: what is carried must not depend on it. */
static void compare_marks(const struct text *t, const char *p) {
  static struct sz_mark wanted[ROOM / 64], got[ROOM / 64];
  size_t blocks = t->len / 64, n, i;
  unsigned members = random_below(8);
  const struct sz_scanner *s;
  plain_marks(t->bytes, blocks * 64, members, wanted);
  for (n = 0; (s = sz_scanner_of(n)) != NULL; n++) {
    struct sz_mark_state state = {0};
    for (i = 0; i < blocks;) {
      size_t some = 1 + random_below((unsigned)(blocks - i));
      s->mark(&state, p + i * 64, some, members, got + i);
      i += some;
    }
    got->odd &= ~UINT64_C(1); /* nothing is known before the bracket */
    for (i = 0; i < blocks; i++) {
      if (!same(&wanted[i], &got[i]))
        fail(s, "mark", t->len, i, blocks);
      if (wanted[i].odd)
        break;
    }
  }
}

static void all_marks(char *end) {
  static struct text t;
  int round;
  for (round = 0; round < 20000; round++) {
    size_t len;
    make_text(&t);
    len = t.len / 64 * 64;
    memcpy(end - len, t.bytes, len);
    compare_marks(&t, end - len);
  }
}

int main(void) {
  char *end = page_end();
  size_t n;
  all_plain(end);
  all_marks(end);
  printf("agree:");
  for (n = 0; sz_scanner_of(n); n++)
    printf(" %s", sz_scanner_of(n)->name);
  printf("\n");
  return 0;
}
