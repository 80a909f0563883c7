/*
** fuzz_aggregate.c - however the answer is cut, the groups, their order,
** counts and totals are the same; the groups have as many rows as were added.
*/
#include "fuzz.h"

#include "../../src/aggregate.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static const char *const FIELDS[] = {"host", "octets", "where", "rank"};
static const struct sz_by BY[] = {{0, SZ_BY_VALUE, 0, 0, 0},
                                  {2, SZ_BY_NETWORK, 20, 52, 0},
                                  {1, SZ_BY_STEP, 0, 0, 1000}};
static const struct sz_folded FOLDED[] = {
    {1, SZ_FOLD_SUM}, {1, SZ_FOLD_MIN}, {3, SZ_FOLD_MAX}, {3, SZ_FOLD_SUM}};

struct adding {
  struct sz_aggregate *aggregate;
  struct sz_buffer *log;
  uint64_t rows;
  int bound[SZ_DIRECTIONS], failed, partial;
};

static void add(void *context, const struct sz_report *r) {
  struct adding *a = context;
  const struct sz_slot *slots;
  const char *text, *field = "";
  enum sz_direction d = sz_report_row(r, &slots, &text);
  enum sz_added added;
  if (a->failed)
    return;
  if (!a->bound[d])
    sz_aggregate_bind(a->aggregate, d, sz_report_columns(r, d));
  a->bound[d] = 1;
  added = sz_aggregate_add(a->aggregate, d, slots, text, &field);
  fuzz_check(added <= SZ_ADD_NO_NUMBER, "room and memory");
  a->failed = added != SZ_ADDED;
  a->partial = added == SZ_ADD_TEXT; /* it is counted, but not folded */
  a->rows += !a->failed;
  if (a->failed)
    fuzz_say(a->log, "error %d in %s after %llu rows\n", (int)added, field,
             (unsigned long long)a->rows);
}

static void say_group(struct sz_buffer *log, const struct sz_aggregate *a,
                      size_t group, const struct sz_aggregate_options *o) {
  char digits[SZ_WIDE_TEXT];
  const char *text;
  size_t i, len;
  fuzz_say_number(log, sz_aggregate_count(a, group));
  for (i = 0; i < o->nby; i++) {
    fuzz_say_number(log, sz_aggregate_key(a, group, i, &text, &len));
    fuzz_say_text(log, text, len);
  }
  for (i = 0; i < o->nfolded; i++) {
    const struct sz_total *t = sz_aggregate_total(a, group, i);
    fuzz_say_text(log, digits, sz_wide_text(t->whole, digits));
    fuzz_say(log, " %d %d %a\n", t->has_whole, t->has_real, t->real);
  }
}

/* The first 'top' groups are the first ones of the full order. */
static void check_top(const struct sz_aggregate *a, const size_t *order,
                      size_t top) {
  size_t *first = sz_aggregate_order(a, top);
  fuzz_check(first != NULL, "memory");
  fuzz_check(!memcmp(first, order, top * sizeof *order), "the first groups");
  free(first);
}

static void say_groups(struct adding *a,
                       const struct sz_aggregate_options *o) {
  size_t *order = sz_aggregate_order(a->aggregate, SIZE_MAX);
  size_t i, groups = sz_aggregate_groups(a->aggregate);
  uint64_t rows = 0;
  fuzz_check(order != NULL, "memory");
  for (i = 0; i < groups; i++) {
    say_group(a->log, a->aggregate, order[i], o);
    rows += sz_aggregate_count(a->aggregate, order[i]);
  }
  check_top(a->aggregate, order, groups / 2);
  fuzz_check(rows == a->rows + (uint64_t)a->partial, "each row is in a group");
  free(order);
}

static void run(struct sz_buffer *log, const struct input *in,
                enum feeding feeding) {
  struct sz_aggregate_options options = {FIELDS, 4, BY,       0,
                                         FOLDED, 4, INT32_MAX};
  struct sz_report_options report;
  struct adding a = {NULL, NULL, 0, {0, 0}, 0, 0};
  struct sz_report *r;
  options.nby = fuzz_option(in, OPTION_CUTS) % 4;
  options.nfolded = fuzz_option(in, OPTION_CUTS) / 4 % 5;
  fuzz_report_options(in, &report);
  r = sz_report_new(&report);
  a.aggregate = sz_aggregate_new(&options);
  a.log = log;
  fuzz_check(r && a.aggregate, "memory");
  fuzz_report_run(r, in, feeding, add, &a);
  say_groups(&a, &options);
  sz_aggregate_free(a.aggregate);
  sz_report_free(r);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) {
  struct sz_buffer logs[FEEDINGS];
  struct input in;
  int i;
  if (!fuzz_input(&in, data, size))
    return 0;
  for (i = 0; i < FEEDINGS; i++) {
    sz_buffer_init(&logs[i], (size_t)1 << 30);
    run(&logs[i], &in, (enum feeding)i);
    fuzz_same("groups", &logs[0], &logs[i]);
  }
  for (i = 0; i < FEEDINGS; i++)
    sz_buffer_free(&logs[i]);
  return 0;
}
