/*
** aggregate_order.c - the groups in order: the largest first, equal ones by
** the bytes of their 'by' values.
*/
#include "aggregate_private.h"

#include <stdlib.h>
#include <string.h>

/* A group with what it is sorted by: qsort has no context. */
struct ranked {
  const struct sz_aggregate *a;
  uint64_t key; /* the smallest first; only where all groups have one */
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

/* Groups whose sums or counts are the same. */
static int compare_equals(const void *p, const void *q) {
  const struct ranked *x = p, *y = q;
  return compare_keys(x->a, x->group, y->group);
}

/* ---- by sums of any size, and with fractions ---- */

/* The folded column that the order goes by: the first sum, if there is one. */
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

static int compare_sums(const void *p, const void *q) {
  const struct ranked *x = p, *y = q;
  const struct sz_total *m = rank_by(x->a, x->group);
  const struct sz_total *n = rank_by(y->a, y->group);
  if (m->has_real || n->has_real) {
    if (as_real(m) > as_real(n))
      return -1;
    if (as_real(m) < as_real(n))
      return 1;
  } else if (m->whole != n->whole) {
    return m->whole > n->whole ? -1 : 1;
  }
  return compare_equals(p, q);
}

/* ---- by 64 bits: a count, or a sum that fits ---- */

/* The larger a count or sum, the smaller the key. 0: it has none. */
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
** Sorts by one digit of the key, from 'from' to 'to', in a stable way. 0: all
** have the same digit, nothing was moved.
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

/* Digit by digit, the lowest first; 'spare' has room for as many. */
static void sort_by_key(struct ranked *list, struct ranked *spare, size_t n) {
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
  if (from != list)
    memcpy(list, from, n * sizeof *list);
}

size_t *sz_aggregate_order(const struct sz_aggregate *a) {
  struct ranked *list = malloc((a->count * 2 + 1) * sizeof *list);
  size_t *order = malloc((a->count + 1) * sizeof *order);
  size_t i;
  int short_keys = 1;
  if (list && order) {
    for (i = 0; i < a->count; i++) {
      list[i].a = a;
      list[i].group = i;
      short_keys &= find_key(a, &list[i]);
    }
    if (short_keys)
      sort_by_key(list, list + a->count, a->count);
    else
      qsort(list, a->count, sizeof *list, compare_sums);
    for (i = 0; i < a->count; i++)
      order[i] = list[i].group;
    free(list);
    return order;
  }
  free(list);
  free(order);
  return NULL;
}
