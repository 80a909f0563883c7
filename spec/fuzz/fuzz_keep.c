/*
** fuzz_keep.c - which rows are kept, against a plain evaluation of the same
** tests. The input's lines are the row's three values, then the tests:
**   s<text> n<number>: a value; any other line: it is absent
**   A O X: a group (all, any, no) up to its ")"
**   b<field><text> c<field><text>: begins, contains
**   r<field><min>~<max>: between; either may be empty
**   i<field>, then lines t<text> n<number> m<number, also as text>
**   w<network>/<length>: one of
*/
#include "fuzz.h"
#include "plain.h"

#include "../../src/keep.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

enum { FIELDS = 3, LINES = 96 };

struct text {
  const char *s;
  size_t len;
};

struct task {
  struct text lines[LINES];
  size_t count;
  struct sz_slot slots[FIELDS];
  const char *text; /* all of the input */
};

static void split(struct task *t, const char *s, size_t len) {
  const char *end = s + len;
  t->text = s;
  for (t->count = 0; s < end && t->count < LINES; t->count++) {
    const char *stop = memchr(s, '\n', (size_t)(end - s));
    t->lines[t->count].s = s;
    t->lines[t->count].len = (size_t)((stop ? stop : end) - s);
    s = stop ? stop + 1 : end;
  }
}

/* The first byte of a line; 0: it has none. */
static char op_of(const struct task *t, size_t at) {
  return at < t->count && t->lines[at].len ? t->lines[at].s[0] : 0;
}

static struct text rest_of(const struct task *t, size_t at, size_t from) {
  struct text out = t->lines[at];
  from = from < out.len ? from : out.len;
  out.s += from;
  out.len -= from;
  return out;
}

static size_t field_of(const struct task *t, size_t at) {
  return t->lines[at].len > 1 ? (unsigned char)t->lines[at].s[1] % FIELDS : 0;
}

/* Fills the slots with the first lines. */
static void read_values(struct task *t) {
  struct plain p;
  size_t i;
  for (i = 0; i < FIELDS; i++) {
    struct text v = rest_of(t, i, 1);
    char op = op_of(t, i);
    memset(&t->slots[i], 0, sizeof t->slots[i]);
    if (op == 'n') {
      int good = sz_slot_fill(&t->slots[i], t->text, (size_t)(v.s - t->text),
                              v.len, 1);
      fuzz_check(good == plain_read(v.s, v.len, &p), "it is a number");
      op = good ? 'n' : 's';
    }
    if (op == 's')
      sz_slot_fill(&t->slots[i], t->text, (size_t)(v.s - t->text), v.len, 0);
  }
}

/* ---- networks, by inet_pton ---- */

/* 4 or 6; 0: it is no address. */
static int address_of(struct text s, unsigned char out[16]) {
  char copy[64];
  if (s.len >= sizeof copy || memchr(s.s, 0, s.len))
    return 0;
  memcpy(copy, s.s, s.len);
  copy[s.len] = '\0';
  if (inet_pton(AF_INET, copy, out) == 1)
    return 4;
  return inet_pton(AF_INET6, copy, out) == 1 ? 6 : 0;
}

/* Splits "address/length"; without digits the length is 1000. */
static struct text split_network(struct text s, unsigned *length) {
  const char *slash = memchr(s.s, '/', s.len);
  struct text address = s;
  size_t i;
  *length = 1000;
  if (!slash)
    return s;
  address.len = (size_t)(slash - s.s);
  for (i = address.len + 1; i < s.len && i < address.len + 4; i++) {
    if (s.s[i] < '0' || s.s[i] > '9')
      break;
    *length = (*length == 1000 ? 0 : *length) * 10 + (unsigned)(s.s[i] - '0');
  }
  return address;
}

static int is_network(struct text s) {
  unsigned char bytes[16];
  unsigned length;
  int family = address_of(split_network(s, &length), bytes);
  return family && length <= (family == 4 ? 32 : 128);
}

static int is_within(struct text network, struct text address) {
  unsigned char a[16], b[16];
  unsigned length, i;
  int family = address_of(split_network(network, &length), a);
  if (!is_network(network) || address_of(address, b) != family)
    return 0;
  for (i = 0; i < length; i++)
    if ((a[i / 8] ^ b[i / 8]) >> (7 - i % 8) & 1)
      return 0;
  return 1;
}

/* ---- the plain evaluation ---- */

static struct text value_of(const struct task *t, size_t field) {
  struct text v = {t->text + t->slots[field].at, t->slots[field].len};
  return v;
}

static int is_string(const struct task *t, size_t field) {
  return t->slots[field].type == SZ_SLOT_STRING;
}

/* Whether the numbers have this order, -1, 0 or 1, or are equal if 'same'. */
static int are_in_order(struct text a, struct text b, int order, int same) {
  struct plain x, y;
  int found;
  if (!plain_read(a.s, a.len, &x) || !plain_read(b.s, b.len, &y))
    return 0;
  found = plain_order(&x, &y);
  return found == order || (same && !found);
}

/* Splits "min~max". 0: one is there and no number. */
static int bounds_of(const struct task *t, size_t at, struct text *min,
                     struct text *max) {
  struct text all = rest_of(t, at, 2);
  const char *middle = all.len ? memchr(all.s, '~', all.len) : NULL;
  struct plain p;
  *min = *max = all;
  if (middle) {
    min->len = (size_t)(middle - all.s);
    max->s = middle + 1;
    max->len = all.len - min->len - 1;
  } else {
    max->len = 0;
  }
  return (!min->len || plain_read(min->s, min->len, &p)) &&
         (!max->len || plain_read(max->s, max->len, &p));
}

static int is_found(struct text in, struct text wanted) {
  size_t i;
  for (i = 0; i + wanted.len <= in.len; i++)
    if (!memcmp(in.s + i, wanted.s, wanted.len))
      return 1;
  return 0;
}

static int is_member(char op) {
  return op == 't' || op == 'n' || op == 'm' || op == 'w';
}

/* Whether the value is one of those in the lines from 'at' on. */
static int is_one(const struct task *t, size_t at, size_t field) {
  struct text v = value_of(t, field);
  int text = is_string(t, field), found = 0;
  for (; is_member(op_of(t, at)); at++) {
    struct text one = rest_of(t, at, 1);
    char op = op_of(t, at);
    if (op == 't')
      found |= text && one.len == v.len && !memcmp(one.s, v.s, v.len);
    else if (op == 'w')
      found |= text && is_within(one, v);
    else if (op == 'm' || !text)
      found |= are_in_order(v, one, 0, 1);
  }
  return found;
}

/* Evaluates the test at '*at' and moves on. -1: the line is no test. */
static int evaluate(const struct task *t, size_t *at) {
  size_t line = (*at)++, field = field_of(t, line);
  struct text v = value_of(t, field), wanted = rest_of(t, line, 2), max;
  int there = t->slots[field].type != SZ_SLOT_ABSENT;
  char op = op_of(t, line);
  switch (op) {
  case 'A':
  case 'O':
  case 'X': {
    int all = 1, any = 0;
    while (*at < t->count && op_of(t, *at) != ')') {
      int one = evaluate(t, at);
      all &= one != 0;
      any |= one == 1;
    }
    ++*at;
    return op == 'A' ? all : op == 'O' ? any : !any;
  }
  case 'b':
    return there && wanted.len <= v.len &&
           !memcmp(v.s, wanted.s, wanted.len);
  case 'c':
    return there && is_found(v, wanted);
  case 'r':
    if (!bounds_of(t, line, &wanted, &max))
      return -1;
    {
      struct plain p;
      return there && plain_read(v.s, v.len, &p) &&
             (!wanted.len || are_in_order(v, wanted, 1, 1)) &&
             (!max.len || are_in_order(v, max, -1, 1));
    }
  case 'i':
    while (is_member(op_of(t, *at)))
      ++*at;
    return there && is_one(t, line + 1, field);
  default:
    return -1;
  }
}

/* ---- the same for keep.c ---- */

static void must(int code) {
  fuzz_check(code == 1, "a test is added");
}

static void build_members(struct sz_keep *k, const struct task *t, size_t *at) {
  struct plain p;
  unsigned length;
  for (; is_member(op_of(t, *at)); ++*at) {
    struct text one = rest_of(t, *at, 1), address;
    switch (op_of(t, *at)) {
    case 't':
      must(sz_keep_text(k, one.s, one.len));
      break;
    case 'w':
      address = split_network(one, &length);
      fuzz_check(sz_keep_network(k, address.s, address.len, length) ==
                     (is_network(one) ? 1 : -1),
                 "it is a network");
      break;
    default:
      fuzz_check(sz_keep_number(k, one.s, one.len, op_of(t, *at) == 'm') ==
                     (plain_read(one.s, one.len, &p) ? 1 : -1),
                 "it is a number");
    }
  }
}

static void build(struct sz_keep *k, const struct task *t, size_t *at) {
  size_t line = (*at)++, field = field_of(t, line), group;
  struct text wanted = rest_of(t, line, 2), max;
  char op = op_of(t, line);
  int good;
  switch (op) {
  case 'A':
  case 'O':
  case 'X':
    must(sz_keep_open(k,
                      op == 'A'   ? SZ_KEEP_ALL
                      : op == 'O' ? SZ_KEEP_ANY
                                  : SZ_KEEP_NO,
                      &group));
    while (*at < t->count && op_of(t, *at) != ')')
      build(k, t, at);
    ++*at;
    sz_keep_close(k, group);
    break;
  case 'b':
    must(sz_keep_begins(k, field, wanted.s, wanted.len));
    break;
  case 'c':
    must(sz_keep_contains(k, field, wanted.s, wanted.len));
    break;
  case 'r':
    good = bounds_of(t, line, &wanted, &max);
    fuzz_check(sz_keep_between(k, field, wanted.len ? wanted.s : NULL,
                               wanted.len, max.len ? max.s : NULL,
                               max.len) == (good ? 1 : -1),
               "the bounds are numbers");
    break;
  case 'i':
    must(sz_keep_one_of(k, field));
    build_members(k, t, at);
    break;
  default:
    break;
  }
}

static int keep(const struct task *t) {
  static const size_t WANTS[FIELDS] = {0, 1, 2};
  struct sz_keep *k = sz_keep_new();
  size_t at, count, group;
  int kept;
  fuzz_check(k != NULL, "memory");
  must(sz_keep_field(k, "a", SZ_RAW, "no a"));
  must(sz_keep_field(k, "b", SZ_LABEL, ""));
  must(sz_keep_field(k, "c", SZ_RAW, ""));
  must(sz_keep_open(k, SZ_KEEP_ALL, &group));
  for (at = FIELDS; at < t->count;)
    build(k, t, &at);
  sz_keep_close(k, group);
  must(sz_keep_ready(k));
  fuzz_check(!strcmp(sz_keep_fields(k, &count)[1].name, "b") &&
                 count == FIELDS && !strcmp(sz_keep_why(k, 0), "no a"),
             "the fields are there");
  kept = sz_keep_row(k, WANTS, t->slots, t->text);
  sz_keep_free(k);
  return kept;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) {
  struct task t;
  size_t at;
  int wanted = 1;
  split(&t, (const char *)data, size);
  if (t.count < FIELDS)
    return 0;
  read_values(&t);
  for (at = FIELDS; at < t.count;)
    wanted &= evaluate(&t, &at) != 0;
  fuzz_check(keep(&t) == wanted, wanted ? "it is kept" : "it is dropped");
  return 0;
}
