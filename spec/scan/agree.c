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
  T_STRING, /* a value */
  T_SCALAR, /* or any other bytes */
  T_MEMBER, /* the comma after a value */
  T_END,    /* } or ] */
  T_ITEM    /* the comma after such an end */
};

struct loop {
  enum token before;
  int inside, in_key, escaped;
  size_t at;
  unsigned wanted;
  const char *keys; /* 1 where a key begins */
};

static void set(uint64_t *mask, size_t at, int on) {
  *mask |= (uint64_t)(on != 0) << at % 64;
}

/* A byte within a string. */
static void string_byte(struct loop *l, struct sz_marks *m, unsigned char c) {
  set(m->odd, l->at, c < 0x20 || (l->in_key && c == '\\'));
  if (l->escaped) {
    set(m->check, l->at, c != '"' && c != '\\');
    l->escaped = 0;
  } else if (c == '\\') {
    l->escaped = 1;
  } else if (c == '"') {
    set(m->quote, l->at, 1);
    l->before = l->in_key ? T_KEY : T_STRING;
    l->inside = l->in_key = 0;
  }
}

/* Whether a token may follow the one before. */
static int may_follow(enum token before, char c, int scalar) {
  static const char *const FOLLOW[] = {"{[", "\"", ":",  NULL, ",}",
                                       ",}", "\"", ",]", "{["};
  if (before == T_COLON)
    return scalar || strchr("\",}", c);
  if (before == T_SCALAR && scalar)
    return 1;
  return !scalar && strchr(FOLLOW[before], c);
}

/* A byte outside strings that is no blank. */
static void token_byte(struct loop *l, struct sz_marks *m, char c,
                       char *keys) {
  enum token b = l->before;
  int scalar = c == '"' ? l->escaped : !c || !strchr("{[:,}]", c);
  l->escaped = !l->escaped && c == '\\';
  set(m->odd, l->at, !may_follow(b, c, scalar));
  set(m->check, l->at, b == T_COLON && (scalar || c != '"'));
  if (scalar) {
    l->before = T_SCALAR;
  } else if (c == '"') {
    set(m->quote, l->at, 1);
    l->inside = 1;
    l->in_key = b != T_COLON;
    keys[l->at] = (char)l->in_key;
  } else if (c == '{' || c == '[') {
    set(m->event, l->at, 1);
    l->before = c == '{' ? T_BRACE : T_BRACKET;
  } else if (c == ':') {
    l->before = T_COLON;
  } else if (c == ',') {
    l->before = b == T_END ? T_ITEM : T_MEMBER;
  } else {
    set(m->stop, l->at, c == ']');
    l->before = T_END;
  }
}

static int tells(const struct loop *l, unsigned wanted, size_t distance) {
  return l->wanted & wanted && l->at >= distance && l->keys[l->at - distance];
}

static int in_wanted(const struct loop *l, unsigned char c) {
  return (c == 'V' && tells(l, SZ_MARK_RAW, 4)) ||
         (c == 'b' && tells(l, SZ_MARK_LABEL, 3)) ||
         (c == 'i' && tells(l, SZ_MARK_TITLE, 2));
}

struct room {
  uint64_t masks[6][ROOM / 64 + 1];
};

static struct sz_marks marks_in(struct room *r) {
  struct sz_marks m = {r->masks[0], r->masks[1], r->masks[2],
                       r->masks[3], r->masks[4], r->masks[5]};
  return m;
}

/* The marks of a text whose first byte is a bracket. */
static void plain_marks(const char *p, size_t len, unsigned wanted,
                        struct room *room) {
  char keys[ROOM] = {0};
  struct loop l = {T_BRACKET, 0, 0, 0, 1, wanted, keys};
  struct sz_marks m = marks_in(room);
  memset(room, 0, sizeof *room);
  set(m.event, 0, 1);
  for (; l.at < len; l.at++) {
    unsigned char c = (unsigned char)p[l.at];
    if (l.at % 64 == 0)
      sz_marks_pass(&m, 1);
    set(m.slash, l.at, c == '\\');
    set(m.event, l.at, in_wanted(&l, c));
    if (l.inside) {
      string_byte(&l, &m, c);
    } else if (c <= 0x20) {
      set(m.odd, l.at, !strchr(" \t\r\n", c) || !c);
      l.escaped = 0;
    } else {
      token_byte(&l, &m, (char)c, keys);
    }
    *m.event |= *m.check;
    *m.stop |= *m.odd;
  }
}

/* ---- texts ---- */

/* Special bytes and their neighbours, which an inexact test would confuse. */
static char odd_byte(void) {
  static const unsigned char ODD[] = {0x00, 0x01, 0x0B, 0x0C, 0x1F, 0x20, 0x21,
                                      '"',  '#',  '[',  '\\', ']',  0x7F, 0x80,
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

/* Sometimes blanks, by the text's own habit; some as long as blocks. */
static void add_blanks(struct text *t, unsigned habit) {
  static const char *const BLANKS[] = {" ", "\n", "\t", "\r\n   ", "  "};
  size_t many = random_below(200);
  if (!habit || random_below(habit))
    return;
  add(t, BLANKS[random_below(5)]);
  if (random_below(12) || t->len > ROOM / 2)
    return;
  memset(t->bytes + t->len, ' ', many);
  t->len += many;
}

static void add_string(struct text *t, int key) {
  static const char *const PARTS[] = {
      "\\\"",     "\\\\", "\\u00e9", "\\n",  "{\\\"a\\\":[1]}", "]",
      "10.0.0.1", ",",    "V",       "xyz{", "\xC3\xA9",        "}],[{"};
  static const char *const KEYS[] = {"rawValue", "label", "title", "V",
                                     "",         "i",     "aaaV",  "aab"};
  char name[151];
  unsigned n = random_below(4);
  add(t, "\"");
  if (key && !random_below(40)) { /* longer than a block, or two */
    size_t len = random_below(sizeof name);
    fill(name, len, 2);
    name[len] = '\0';
    add(t, name);
  } else if (key) {
    add(t, KEYS[random_below(8)]);
  }
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
  while (t->len < 2900) {
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

/* Whether the marks of block 'i' are the same, up to the first odd byte. */
static int same(const struct room *a, const struct room *b, size_t i) {
  uint64_t odd = a->masks[5][i];
  uint64_t live = odd ? odd ^ (odd - 1) : UINT64_MAX;
  size_t kind;
  for (kind = 0; kind < 6; kind++)
    if ((a->masks[kind][i] ^ b->masks[kind][i]) & live)
      return 0;
  return 1;
}

/* In one call or in several: what is carried must not depend on it. */
static void compare_marks(const struct text *t, const char *p) {
  static struct room wanted, got;
  size_t blocks = t->len / 64, n, i;
  unsigned members = random_below(8);
  const struct sz_scanner *s;
  plain_marks(t->bytes, blocks * 64, members, &wanted);
  for (n = 0; (s = sz_scanner_of(n)) != NULL; n++) {
    struct sz_mark_state state = {0};
    struct sz_marks m = marks_in(&got);
    for (i = 0; i < blocks;) {
      size_t some = 1 + random_below((unsigned)(blocks - i));
      s->mark(&state, p + i * 64, some, members, &m);
      sz_marks_pass(&m, some);
      i += some;
    }
    got.masks[5][0] &= ~UINT64_C(1); /* what is before is not known */
    got.masks[4][0] &= ~UINT64_C(1);
    for (i = 0; i < blocks; i++) {
      if (!same(&wanted, &got, i))
        fail(s, "mark", t->len, i, blocks);
      if (wanted.masks[5][i])
        break;
    }
  }
}

static void all_marks(char *end) {
  static struct text t;
  int round;
  for (round = 0; round < 8000; round++) {
    size_t len;
    make_text(&t);
    len = t.len / 64 * 64;
    memcpy(end - len, t.bytes, len);
    compare_marks(&t, end - len);
  }
}

/* ---- matching ---- */

#define PARTS 6

struct match {
  char text[PARTS * 150 + SZ_PAST];
  struct sz_part parts[PARTS];
  struct sz_pattern pattern;
};

/* A pattern; its texts have any bytes, as what follows a value may. */
static void make_pattern(struct match *m) {
  uint32_t i, count = 1 + random_below(PARTS), at = 0;
  memset(m, 0, sizeof *m);
  for (i = 0; i < count; i++) {
    uint32_t len = 1 + random_below(random_below(3) ? 20 : 149);
    fill(m->text + at, len, random_below(3));
    m->parts[i].at = at;
    m->parts[i].len = len;
    m->parts[i].like = i && random_below(2) ? 1 + random_below(i) : 0;
    at += len;
  }
  m->pattern.text = m->text;
  m->pattern.parts = m->parts;
  m->pattern.count = count;
}

/* A row of the pattern, with bytes behind it. */
static void make_row(const struct match *m, struct text *t) {
  struct sz_place values[PARTS];
  size_t i;
  t->len = 0;
  for (i = 0; i < m->pattern.count; i++) {
    const struct sz_part *part = &m->parts[i];
    memcpy(t->bytes + t->len, m->text + part->at, part->len);
    t->len += part->len;
    values[i].at = (uint32_t)t->len;
    if (part->like && random_below(3)) {
      memcpy(t->bytes + t->len, t->bytes + values[part->like - 1].at,
             values[part->like - 1].len);
      t->len += values[part->like - 1].len;
    } else {
      size_t len = random_below(random_below(4) ? 24 : 150);
      t->bytes[t->len++] = '"';
      fill(t->bytes + t->len, len, 2);
      t->len += len;
      t->bytes[t->len++] = '"';
    }
    values[i].len = (uint32_t)t->len - values[i].at;
  }
  for (i = random_below(4) ? 0 : 1 + random_below(2); i; i--)
    t->bytes[random_below((unsigned)t->len)] = odd_byte();
  i = 2 * SZ_PAST + random_below(8) - 4;
  fill(t->bytes + t->len, i, 1);
  t->len += i;
}

static size_t plain_match(const struct sz_pattern *m, const char *p,
                          size_t len, size_t *at, struct sz_place *places) {
  size_t part;
  for (part = 0; part < m->count; part++) {
    const struct sz_part *t = &m->parts[part];
    size_t value = *at + t->len, end = value;
    if (len < value + 2 * SZ_PAST || memcmp(p + *at, m->text + t->at, t->len))
      break;
    if (part + 1 < m->count) {
      end = value + 1 + plain(p + value + 1, len - value - 1);
      if (p[value] != '"' || end >= len || p[end] != '"')
        break;
      places[part].at = (uint32_t)value;
      places[part].len = (uint32_t)(++end - value);
    }
    *at = end;
  }
  return part;
}

/* A string that ends near the text's end may be left to the caller. */
static void compare_match(const struct match *m, const char *p, size_t len) {
  struct sz_place wanted[PARTS], got[PARTS];
  size_t wanted_at = 0, n, i;
  size_t parts = plain_match(&m->pattern, p, len, &wanted_at, wanted);
  const struct sz_scanner *s;
  for (n = 0; (s = sz_scanner_of(n)) != NULL; n++) {
    size_t at = 0, done = s->match(&m->pattern, 0, p, len, &at, got);
    int near = done + 1 == parts && parts < m->pattern.count &&
               wanted_at + SZ_PAST > len;
    if (done != parts && !near)
      fail(s, "match", len, done, parts);
    if (!near && at != wanted_at)
      fail(s, "the end of a match", len, at, wanted_at);
    for (i = 0; i < done && i + 1 < m->pattern.count; i++)
      if (got[i].at != wanted[i].at || got[i].len != wanted[i].len)
        fail(s, "a place", len, got[i].at, wanted[i].at);
  }
}

static void all_matches(char *end) {
  static struct match m;
  static struct text t;
  int round;
  for (round = 0; round < 40000; round++) {
    make_pattern(&m);
    make_row(&m, &t);
    memcpy(end - t.len, t.bytes, t.len);
    compare_match(&m, end - t.len, t.len);
  }
}

int main(void) {
  char *end = page_end();
  size_t n;
  all_plain(end);
  all_marks(end);
  all_matches(end);
  printf("agree:");
  for (n = 0; sz_scanner_of(n); n++)
    printf(" %s", sz_scanner_of(n)->name);
  printf("\n");
  return 0;
}
