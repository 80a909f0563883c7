/*
** top.c - a buffer for 2 * k samples. When it is full, the better half is
** selected and the other half dropped. From then on samples that rank below
** the better half are not added.
*/
#include "top.h"

#include <stdlib.h>

static int before(const struct sz_sample *a, const struct sz_sample *b) {
  return a->value != b->value ? a->value > b->value : a->at < b->at;
}

static int compare(const void *a, const void *b) {
  return before(a, b) ? -1 : before(b, a);
}

size_t sz_top_size(size_t keep) {
  return sizeof(struct sz_top) + (2 * keep - 1) * sizeof(struct sz_sample);
}

void sz_top_init(struct sz_top *top, size_t keep) {
  top->keep = keep;
  top->len = 0;
  top->count = 0;
  top->full = 0;
}

static void swap(struct sz_sample *a, struct sz_sample *b) {
  struct sz_sample t = *a;
  *a = *b;
  *b = t;
}

/* Puts the median of three samples first, as the pivot. */
static void choose_pivot(struct sz_sample *s, size_t n) {
  struct sz_sample *a = s, *b = s + n / 2, *c = s + n - 1;
  if (before(b, a))
    swap(a, b);
  if (before(c, b))
    swap(b, c);
  if (before(b, a))
    swap(a, b);
  swap(a, b);
}

/* Splits by the pivot at s[0]; returns the last index of the first part. */
static size_t split(struct sz_sample *s, size_t n) {
  struct sz_sample pivot = s[0];
  size_t i = 0, j = n - 1;
  for (;;) {
    while (before(&pivot, &s[j]))
      j--;
    while (before(&s[i], &pivot))
      i++;
    if (i >= j)
      return j;
    swap(&s[i++], &s[j--]);
  }
}

/*
** Moves the best 'keep' of 'n' to the front. If an unlucky order makes the
** selection slow, it sorts instead.
*/
static void select_best(struct sz_sample *s, size_t n, size_t keep) {
  int turns = 64;
  while (n > keep && n > 1) {
    size_t first;
    if (!turns--) {
      qsort(s, n, sizeof *s, compare);
      return;
    }
    choose_pivot(s, n);
    first = split(s, n) + 1;
    if (first > keep) {
      n = first;
      continue;
    }
    s += first;
    n -= first;
    keep -= first;
    if (!keep)
      return;
  }
}

static void forget_worse(struct sz_top *top) {
  size_t i;
  if (top->len <= top->keep)
    return;
  select_best(top->samples, top->len, top->keep);
  top->len = top->keep;
  top->least = top->samples[0];
  for (i = 1; i < top->len; i++)
    if (before(&top->least, &top->samples[i]))
      top->least = top->samples[i];
  top->full = 1;
}

void sz_top_add(struct sz_top *top, int64_t value, int64_t at) {
  struct sz_sample s;
  s.value = value;
  s.at = at;
  top->count++;
  if (top->full && !before(&s, &top->least))
    return;
  top->samples[top->len++] = s;
  if (top->len == 2 * top->keep)
    forget_worse(top);
}

size_t sz_top_finish(struct sz_top *top) {
  forget_worse(top);
  qsort(top->samples, top->len, sizeof *top->samples, compare);
  return top->len;
}
