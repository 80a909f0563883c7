/*
** aggregate_order.c - sorts the groups: the largest first, equal groups by the
** bytes of their 'by' values. If only the first are wanted, the others are
** dropped on the way: a list of all groups would take new memory.
*/
#include "aggregate_private.h"

#include <stdlib.h>
#include <string.h>

/* A group with what it is sorted by, as qsort passes no context. */
struct ranked {
  const struct sz_aggregate *a;
  uint64_t key; /* the smallest first; used only if all groups have one */
  size_t group;
};

static int compare_keys(const struct sz_aggregate *a, size_t x, size_t y) {
  size_t i;
  for (i = 0; i < a->options.nby; i++) {
    const char *p, *q;
    size_t p_len, q_len;
    int order;
    sz_aggregate_key(a, x, i, &p, &p_len);
    sz_aggregate_key(a, y, i, &q, &q_len);
    order = memcmp(p, q, p_len < q_len ? p_len : q_len);
    if (order)
      return order;
    if (p_len != q_len)
      return p_len < q_len ? -1 : 1;
  }
  return x < y ? -1 : x > y;
}

/* Compares groups whose sums or counts are equal. */
static int compare_equals(const void *p, const void *q) {
  const struct ranked *x = p, *y = q;
  return compare_keys(x->a, x->group, y->group);
}

/* ---- by sums of any size, and with fractions ---- */

/* The total to sort by: the first sum; NULL if there is no sum. */
static const struct sz_total *rank_by(const struct sz_aggregate *a,
                                      size_t group) {
  size_t i;
  for (i = 0; i < a->options.nfolded; i++)
    if (a->options.folded[i].fold == SZ_FOLD_SUM)
      return sz_aggregate_total(a, group, i);
  return NULL;
}

static double as_real(const struct sz_total *t) {
  return (double)t->whole + t->real;
}

/* What as_real rounds off. */
static double lost_of(const struct sz_total *t) {
  double whole = (double)t->whole, sum = whole + t->real;
  double added = sum - whole, lost = whole - (sum - added) + (t->real - added);
  if (!(whole > -1e38 && whole < 1e38) || lost != lost)
    return 0;
  return lost + (double)(t->whole - (sz_wide)whole);
}

static int compare_reals(double x, double y) {
  return (x < y) - (x > y);
}

/*
** The steps are the same for all pairs, so that the order has no circles: a
** sum with a fraction may round to two different whole ones.
*/
static int compare_sums(const void *p, const void *q) {
  const struct ranked *x = p, *y = q;
  const struct sz_total *m = rank_by(x->a, x->group);
  const struct sz_total *n = rank_by(y->a, y->group);
  int order = compare_reals(as_real(m), as_real(n));
  if (!order)
    order = compare_reals(lost_of(m), lost_of(n));
  if (!order && !m->has_real && !n->has_real)
    order = (m->whole < n->whole) - (m->whole > n->whole);
  return order ? order : compare_equals(p, q);
}

/* ---- by 64 bits: a count, or a sum that fits ---- */

/* Sets the key: the larger the sum or count, the smaller. 0: it has none. */
static int find_key(const struct sz_aggregate *a, struct ranked *r) {
  const struct sz_total *sum = rank_by(a, r->group);
  if (!sum) {
    r->key = ~a->groups[r->group].count;
    return 1;
  }
  r->key = (uint64_t)INT64_MAX - (uint64_t)sum->whole;
  return !sum->has_real && sum->whole >= INT64_MIN && sum->whole <= INT64_MAX;
}

#define DIGIT_BITS 11
#define DIGITS ((size_t)1 << DIGIT_BITS)

/*
** Stable sort by one digit of the key, from 'from' to 'to'. 0: all have the
** same digit; nothing was moved.
*/
static int sort_digit(const struct ranked *from, struct ranked *to, size_t n,
                      unsigned shift) {
  size_t starts[DIGITS] = {0};
  size_t i, at = 0;
  for (i = 0; i < n; i++)
    starts[from[i].key >> shift & (DIGITS - 1)]++;
  if (starts[from[0].key >> shift & (DIGITS - 1)] == n)
    return 0;
  for (i = 0; i < DIGITS; i++) {
    size_t count = starts[i];
    starts[i] = at;
    at += count;
  }
  for (i = 0; i < n; i++)
    to[starts[from[i].key >> shift & (DIGITS - 1)]++] = from[i];
  return 1;
}

/*
** Radix sort, the lowest digit first. 'spare' has room for 'n', too. Returns
** 'list' or 'spare': where the result is.
*/
static struct ranked *sort_by_key(struct ranked *list, struct ranked *spare,
                                  size_t n) {
  struct ranked *from = list, *to = spare;
  size_t i, end;
  unsigned shift;
  for (shift = 0; n && shift < 64; shift += DIGIT_BITS) {
    if (sort_digit(from, to, n, shift)) {
      struct ranked *swap = from;
      from = to;
      to = swap;
    }
  }
  for (i = 0; i < n; i = end) {
    for (end = i + 1; end < n && from[end].key == from[i].key; end++)
      ;
    if (end - i > 1)
      qsort(from + i, end - i, sizeof *from, compare_equals);
  }
  return from;
}

/* ---- the first ones ---- */

#define MORE 4096

/* The best 'keep' of the groups seen so far, with room for more after them. */
struct ranking {
  struct ranked *list, *spare;
  size_t n, keep, room;
  int by_key; /* all groups so far have one */
  int full;   /* the first 'keep' are sorted: a group after them is refused */
};

static void keep_best(struct ranking *r) {
  if (!r->by_key) {
    qsort(r->list, r->n, sizeof *r->list, compare_sums);
  } else if (sort_by_key(r->list, r->spare, r->n) != r->list) {
    struct ranked *swap = r->list;
    r->list = r->spare;
    r->spare = swap;
  }
  if (r->n >= r->keep) {
    r->n = r->keep;
    r->full = 1;
  }
}

static void rank(struct ranking *r, const struct sz_aggregate *a) {
  struct ranked one;
  one.a = a;
  for (one.group = 0; one.group < a->count; one.group++) {
    r->by_key &= find_key(a, &one);
    if (r->full && r->by_key && one.key > r->list[r->keep - 1].key)
      continue;
    if (r->n == r->room)
      keep_best(r);
    r->list[r->n++] = one;
  }
  keep_best(r);
}

size_t *sz_aggregate_order(const struct sz_aggregate *a, size_t top) {
  struct ranking r = {0};
  struct ranked *lists;
  size_t *order;
  size_t i;
  r.keep = top < a->count ? top : a->count;
  if (!r.keep) /* no groups are wanted or there are none */
    return calloc(1, sizeof *order);
  r.room = a->count - r.keep < MORE ? a->count : r.keep + MORE;
  lists = malloc(2 * r.room * sizeof *lists);
  order = malloc(r.keep * sizeof *order);
  if (!lists || !order) {
    free(lists);
    free(order);
    return NULL;
  }
  r.list = lists;
  r.spare = lists + r.room;
  r.by_key = 1;
  rank(&r, a);
  for (i = 0; i < r.keep; i++)
    order[i] = r.list[i].group;
  free(lists);
  return order;
}
