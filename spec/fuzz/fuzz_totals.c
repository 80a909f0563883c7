/*
** fuzz_totals.c - the groups of an aggregate, against groups in a list whose
** totals are added digit by digit. An input begins with HEADER bytes that
** choose what to group by; each line is a row of three values, with "|"
** between: s<text>, n<number>, anything else is absent.
*/
#include "fuzz.h"
#include "plain.h"

#include "../../src/aggregate.h"

#include <arpa/inet.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

enum { FIELDS = 3, ROWS = 64, FOLDS = 4, KEY = 5200 };

static const char *const NAMES[] = {"a", "b", "where", "c"};
static const struct sz_folded FOLDED[FOLDS] = {{1, SZ_FOLD_SUM},
                                               {1, SZ_FOLD_MIN},
                                               {3, SZ_FOLD_MAX},
                                               {3, SZ_FOLD_SUM}};
/* The slot of each field; 'where' is the direction. */
static const size_t WANTS[] = {0, 1, SZ_DIRECTION, 2};

/* A total by hand. */
struct hand {
  struct plain_wide whole;
  int has_whole, has_real;
  double real;
};

struct group {
  char key[KEY];
  size_t key_len;
  uint64_t count;
  struct hand totals[FOLDS];
};

struct sums {
  struct sz_aggregate_options options;
  struct group groups[ROWS];
  size_t count;
};

/* ---- keys ---- */

static void put(struct group *g, const char *s, size_t len) {
  fuzz_check(g->key_len + len <= KEY, "a key fits");
  memcpy(g->key + g->key_len, s, len);
  g->key_len += len;
}

/* A value's type, length and bytes. */
static void put_value(struct group *g, enum sz_slot_type type, const char *s,
                      size_t len) {
  char head[24];
  int n = snprintf(head, sizeof head, "%c%zu:", "?sn"[type], len);
  put(g, head, (size_t)n);
  put(g, s, len);
}

/* Masks bit by bit; inet_ntop writes it. */
static enum sz_added put_network(struct group *g, const struct sz_by *by,
                                 const char *s, size_t len) {
  char text[64];
  unsigned char bytes[16];
  unsigned bits, i, most;
  int family = AF_INET;
  if (len < sizeof text && !memchr(s, 0, len)) {
    memcpy(text, s, len);
    text[len] = '\0';
    if (inet_pton(AF_INET, text, bytes) != 1)
      family = inet_pton(AF_INET6, text, bytes) == 1 ? AF_INET6 : 0;
  } else {
    family = 0;
  }
  if (!family) {
    put_value(g, SZ_SLOT_STRING, s, len);
    return SZ_ADDED;
  }
  bits = family == AF_INET ? by->bits4 : by->bits6;
  most = family == AF_INET ? 32 : 128;
  if (bits > most)
    return SZ_ADD_NO_PREFIX;
  for (i = bits; i < most; i++)
    bytes[i / 8] &= (unsigned char)~(1u << (7 - i % 8));
  inet_ntop(family, bytes, text, sizeof text);
  len = strlen(text);
  len += (size_t)snprintf(text + len, sizeof text - len, "/%u", bits);
  put_value(g, SZ_SLOT_STRING, text, len);
  return SZ_ADDED;
}

/* What is left of the digits, divided as at school. */
static long long rest_of(const struct plain_wide *w, long long step) {
  __extension__ typedef __int128 wide;
  wide rest = 0;
  int i;
  for (i = PLAIN_WIDE - 1; i >= 0; i--)
    rest = (rest * 10 + w->digits[i]) % step;
  return (long long)(rest < 0 ? rest + step : rest);
}

/* Whether the value is a number that a total can hold; its double. */
static int real_of(const struct plain *p, const char *s, size_t len,
                   double *out) {
  char text[PLAIN_DIGITS + 1], all[400];
  struct plain exact;
  memcpy(text, s, len);
  text[len] = '\0';
  *out = strtod(text, NULL);
  if (!p->is_real || !isfinite(*out))
    return 0;
  if (fabs(*out) < 9007199254740992.0)
    return 1;
  snprintf(all, sizeof all, "%.0f", *out);
  return plain_read(all, strlen(all), &exact) && !plain_order(p, &exact);
}

static int whole_of(const struct plain *p, struct plain_wide *out) {
  memset(out, 0, sizeof *out);
  if (!plain_is_whole(p))
    return 0;
  plain_floor(p, out);
  return plain_fits(out, 0);
}

static enum sz_added put_step(struct group *g, const struct sz_by *by,
                              const struct sz_slot *slot, const char *s) {
  struct plain p;
  struct plain_wide value, rest = {{0}};
  char text[PLAIN_WIDE + 2];
  long long left;
  int i;
  if (slot->type == SZ_SLOT_STRING || !plain_read(s, slot->len, &p))
    return SZ_ADD_NO_NUMBER;
  if (p.point > 40)
    return SZ_ADD_NO_NUMBER;
  plain_floor(&p, &value);
  if (!plain_fits(&value, 0))
    return SZ_ADD_NO_NUMBER;
  left = rest_of(&value, by->step);
  for (i = 0; left; i++, left /= 10)
    rest.digits[i] = -(int)(left % 10);
  plain_add(&value, &rest);
  if (!plain_fits(&value, 1))
    return SZ_ADD_NO_NUMBER;
  put_value(g, SZ_SLOT_NUMBER, text, plain_text(&value, text));
  return SZ_ADDED;
}

static enum sz_added put_by(struct group *g, const struct sz_by *by,
                            enum sz_direction d, const struct sz_slot *slots,
                            const char *text) {
  const struct sz_slot *slot;
  if (by->field == 2) {
    const char *name = d == SZ_INBOUND ? "inbound" : "outbound";
    put_value(g, SZ_SLOT_STRING, name, strlen(name));
    return by->kind == SZ_BY_VALUE  ? SZ_ADDED
           : by->kind == SZ_BY_STEP ? SZ_ADD_NO_NUMBER
                                    : SZ_ADD_NO_ADDRESS;
  }
  slot = &slots[WANTS[by->field]];
  text += slot->at;
  if (slot->type == SZ_SLOT_ABSENT) {
    put_value(g, SZ_SLOT_ABSENT, "", 0);
    return SZ_ADDED;
  }
  if (by->kind == SZ_BY_STEP)
    return put_step(g, by, slot, text);
  if (by->kind == SZ_BY_NETWORK)
    return slot->type == SZ_SLOT_STRING ? put_network(g, by, text, slot->len)
                                        : SZ_ADD_NO_ADDRESS;
  put_value(g, slot->type == SZ_SLOT_STRING ? SZ_SLOT_STRING : SZ_SLOT_NUMBER,
            text, slot->len);
  return SZ_ADDED;
}

/* ---- totals ---- */

static int order_of(const struct plain_wide *a, const struct plain_wide *b) {
  int i = PLAIN_WIDE - 1;
  while (i > 0 && a->digits[i] == b->digits[i])
    i--;
  return (a->digits[i] > b->digits[i]) - (a->digits[i] < b->digits[i]);
}

static int fold_whole(struct hand *h, enum sz_fold fold,
                      const struct plain_wide *value) {
  int order = order_of(value, &h->whole);
  if (fold == SZ_FOLD_SUM)
    plain_add(&h->whole, value);
  else if (!h->has_whole || order == (fold == SZ_FOLD_MIN ? -1 : 1))
    h->whole = *value;
  h->has_whole = 1;
  return plain_fits(&h->whole, 1);
}

static int fold(struct hand *h, enum sz_fold fold, const struct sz_slot *slot,
                const char *text) {
  struct plain p;
  struct plain_wide whole;
  double real;
  if (slot->type == SZ_SLOT_ABSENT)
    return 1;
  if (slot->type == SZ_SLOT_STRING ||
      !plain_read(text + slot->at, slot->len, &p))
    return 0;
  if (whole_of(&p, &whole))
    return fold_whole(h, fold, &whole);
  if (!real_of(&p, text + slot->at, slot->len, &real))
    return 0;
  if (fold == SZ_FOLD_SUM)
    h->real += real;
  else if (!h->has_real || (fold == SZ_FOLD_MIN ? real < h->real : real > h->real))
    h->real = real;
  h->has_real = 1;
  return 1;
}

static enum sz_added add(struct sums *s, enum sz_direction d,
                         const struct sz_slot *slots, const char *text) {
  struct group *g = &s->groups[s->count];
  enum sz_added added;
  size_t i;
  memset(g, 0, sizeof *g);
  for (i = 0; i < s->options.nby; i++) {
    added = put_by(g, &s->options.by[i], d, slots, text);
    if (added != SZ_ADDED)
      return added;
  }
  for (i = 0; i < s->count; i++)
    if (s->groups[i].key_len == g->key_len &&
        !memcmp(s->groups[i].key, g->key, g->key_len))
      break;
  g = &s->groups[i];
  s->count += i == s->count;
  g->count++;
  for (i = 0; i < s->options.nfolded; i++)
    if (!fold(&g->totals[i], FOLDED[i].fold, &slots[WANTS[FOLDED[i].field]],
              text))
      return SZ_ADD_TEXT;
  return SZ_ADDED;
}

/* ---- comparing ---- */

/* The group's key as put_value writes it. */
static void key_of(const struct sz_aggregate *a, size_t group, size_t nby,
                   struct group *out) {
  size_t i, len;
  out->key_len = 0;
  for (i = 0; i < nby; i++) {
    const char *text;
    enum sz_slot_type type = sz_aggregate_key(a, group, i, &text, &len);
    put_value(out, type, text, len);
  }
}

static void check_total(const struct sz_total *t, const struct hand *h) {
  char ours[SZ_WIDE_TEXT], theirs[PLAIN_WIDE + 2];
  fuzz_check(t->has_whole == h->has_whole && t->has_real == h->has_real,
             "there are such numbers");
  sz_wide_text(t->whole, ours);
  plain_text(&h->whole, theirs);
  fuzz_check(!strcmp(ours, theirs), "the whole total");
  fuzz_check(!t->has_real || !memcmp(&t->real, &h->real, sizeof t->real),
             "the real total");
}

static void check_groups(const struct sz_aggregate *a, const struct sums *s) {
  struct group one;
  size_t i, k;
  fuzz_check(sz_aggregate_groups(a) == s->count, "as many groups");
  for (i = 0; i < s->count; i++) {
    key_of(a, i, s->options.nby, &one);
    fuzz_check(one.key_len == s->groups[i].key_len &&
                   !memcmp(one.key, s->groups[i].key, one.key_len),
               "the group's key");
    fuzz_check(sz_aggregate_count(a, i) == s->groups[i].count,
               "the group's count");
    for (k = 0; k < s->options.nfolded; k++)
      check_total(sz_aggregate_total(a, i, k), &s->groups[i].totals[k]);
  }
}

/* By the values' bytes, one after the other. */
static int order_of_keys(const struct sz_aggregate *a, size_t x, size_t y,
                         size_t nby) {
  size_t i, n, m;
  for (i = 0; i < nby; i++) {
    const char *p, *q;
    int order;
    sz_aggregate_key(a, x, i, &p, &n);
    sz_aggregate_key(a, y, i, &q, &m);
    order = memcmp(p, q, n < m ? n : m);
    if (order)
      return order;
    if (n != m)
      return n < m ? -1 : 1;
  }
  return 0;
}

/* Whether group x may stand before y: each pair of the list is asked. */
static int may_precede(const struct sz_aggregate *a, const struct sums *s,
                       size_t x, size_t y) {
  const struct hand *h = s->groups[x].totals, *k = s->groups[y].totals;
  int order;
  if (!s->options.nfolded) {
    order = (s->groups[y].count > s->groups[x].count) -
            (s->groups[y].count < s->groups[x].count);
  } else if (h->has_real || k->has_real) {
    char text[PLAIN_WIDE + 2];
    double m, n;
    plain_text(&h->whole, text);
    m = strtod(text, NULL) + h->real;
    plain_text(&k->whole, text);
    n = strtod(text, NULL) + k->real;
    if (m == n)
      return 1; /* doubles do not say which is larger */
    order = n > m ? 1 : -1;
  } else {
    order = order_of(&k->whole, &h->whole);
  }
  return order < 0 ||
         (!order && order_of_keys(a, x, y, s->options.nby) <= 0);
}

static void check_order(const struct sz_aggregate *a, const struct sums *s) {
  size_t *all = sz_aggregate_order(a, s->count), *some, i, k;
  fuzz_check(all != NULL, "memory");
  for (i = 0; i < s->count; i++)
    for (k = i + 1; k < s->count; k++)
      fuzz_check(all[i] != all[k] && may_precede(a, s, all[i], all[k]),
                 "the largest first");
  for (k = 0; k <= s->count; k += 1 + k / 2) {
    some = sz_aggregate_order(a, k);
    fuzz_check(some && !memcmp(some, all, k * sizeof *all),
               "the first of them");
    free(some);
  }
  free(all);
}

/* ---- input ---- */

static void read_slots(struct sz_slot *slots, const char *text, size_t at,
                       size_t end) {
  size_t i;
  for (i = 0; i < FIELDS; i++) {
    const char *stop = memchr(text + at, '|', end - at);
    size_t to = stop ? (size_t)(stop - text) : end;
    char op = at < to ? text[at] : 0;
    memset(&slots[i], 0, sizeof slots[i]);
    if (op == 'n' && !sz_slot_fill(&slots[i], text, at + 1, to - at - 1, 1))
      op = 's';
    if (op == 's')
      sz_slot_fill(&slots[i], text, at + 1, to - at - 1, 0);
    at = to < end ? to + 1 : end;
  }
}

static void choose(const struct input *in, struct sz_aggregate_options *o,
                   struct sz_by *by) {
  static const int64_t STEPS[] = {1, 7, 60, 1000, INT64_MAX, 3};
  static const size_t FIELD[] = {0, 2, 1, 3};
  size_t i;
  memset(o, 0, sizeof *o);
  o->fields = NAMES;
  o->nfields = 4;
  o->by = by;
  o->nby = fuzz_option(in, 0) % 4;
  o->folded = FOLDED;
  o->nfolded = fuzz_option(in, 1) % (FOLDS + 1);
  o->max_keys = INT32_MAX;
  for (i = 0; i < 3; i++) {
    by[i].field = FIELD[fuzz_option(in, 2 + (int)i) % 4];
    by[i].kind = (enum sz_by_kind)(fuzz_option(in, 2 + (int)i) / 4 % 3);
    by[i].bits4 = fuzz_option(in, 5) + fuzz_option(in, 6) % 4;
    by[i].bits6 = 4 * fuzz_option(in, 6) + fuzz_option(in, 5) % 8;
    by[i].step = STEPS[fuzz_option(in, 7) % 6];
  }
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) {
  static const struct sz_output OUTPUTS[] = {
      {"a", 0}, {"b", 1}, {"where", SZ_DIRECTION}, {"c", 2}};
  struct sz_columns columns;
  struct sz_slot slots[FIELDS];
  struct sz_aggregate *a;
  struct sums *s = malloc(sizeof *s);
  struct sz_by by[3];
  struct input in;
  enum sz_added added = SZ_ADDED;
  size_t at, row;
  fuzz_check(s != NULL, "memory");
  if (!fuzz_input(&in, data, size)) {
    free(s);
    return 0;
  }
  s->count = 0;
  choose(&in, &s->options, by);
  a = sz_aggregate_new(&s->options);
  fuzz_check(a != NULL, "memory");
  memset(&columns, 0, sizeof columns);
  columns.outputs = (struct sz_output *)OUTPUTS;
  columns.noutputs = 4;
  sz_aggregate_bind(a, SZ_INBOUND, &columns);
  sz_aggregate_bind(a, SZ_OUTBOUND, &columns);
  for (at = 0, row = 0; at < in.len && row < ROWS - 1 && added == SZ_ADDED;
       row++) {
    const char *stop = memchr(in.text + at, '\n', in.len - at), *field;
    size_t end = stop ? (size_t)(stop - in.text) : in.len;
    enum sz_direction d = row % 3 == 2 ? SZ_OUTBOUND : SZ_INBOUND;
    read_slots(slots, in.text, at, end);
    added = add(s, d, slots, in.text);
    fuzz_check(sz_aggregate_add(a, d, slots, in.text, &field) == added,
               "the row is taken, or is refused for that reason");
    at = end + 1;
  }
  if (added == SZ_ADDED) {
    check_groups(a, s);
    check_order(a, s);
  }
  sz_aggregate_free(a);
  free(s);
  return 0;
}
