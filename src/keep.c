/* keep.c - tests that decide which rows are kept. */
#include "keep.h"

#include "address.h"
#include "number.h"

#include <stdlib.h>
#include <string.h>

enum kind { ALL, ANY, NO, BEGINS, CONTAINS, BETWEEN, ONE_OF };

/* A text in 'bytes', as offset; as pointer once all texts are there. */
struct text {
  size_t at, len;
  const char *s;
};

/* A number: its text, and its value where that is a 64-bit integer. */
struct number {
  struct text text;
  int64_t integer;
  int is_integer, texts;
};

struct network {
  struct sz_address first, last;
};

/* Entries of one of the lists: 'from' up to, not including, 'to'. */
struct range {
  size_t from, to;
};

struct test {
  enum kind kind;
  size_t size;  /* of a group: itself and all its parts; else 1 */
  size_t field; /* not of a group */
  struct text text;
  struct range texts, numbers, networks; /* of ONE_OF: sorted */
  int has_min, has_max, are_integers;
  struct number min, max;
};

struct field {
  struct text column, why;
  enum sz_member member;
};

struct sz_keep {
  struct sz_buffer bytes;    /* all texts, each ended by a NUL */
  struct sz_buffer tests;    /* struct test: a group before its parts */
  struct sz_buffer texts;    /* struct text */
  struct sz_buffer numbers;  /* struct number */
  struct sz_buffer networks; /* struct network */
  struct sz_buffer fields;   /* struct field */
  struct sz_select *selected;
};

#define ENTRIES(buffer, type) ((type *)(void *)(buffer).data)
#define COUNT(buffer, type) ((buffer).len / sizeof(type))

struct sz_keep *sz_keep_new(void) {
  struct sz_keep *k = calloc(1, sizeof *k);
  size_t max = (size_t)-1 / 4;
  if (!k)
    return NULL;
  sz_buffer_init(&k->bytes, max);
  sz_buffer_init(&k->tests, max);
  sz_buffer_init(&k->texts, max);
  sz_buffer_init(&k->numbers, max);
  sz_buffer_init(&k->networks, max);
  sz_buffer_init(&k->fields, max);
  return k;
}

void sz_keep_free(struct sz_keep *k) {
  if (!k)
    return;
  sz_buffer_free(&k->bytes);
  sz_buffer_free(&k->tests);
  sz_buffer_free(&k->texts);
  sz_buffer_free(&k->numbers);
  sz_buffer_free(&k->networks);
  sz_buffer_free(&k->fields);
  free(k->selected);
  free(k);
}

/* ---- building ---- */

static int add(struct sz_buffer *list, const void *entry, size_t size) {
  return sz_buffer_append(list, entry, size) == SZ_BUFFER_OK;
}

/* Copies a text to 'bytes'. */
static int copy_text(struct sz_keep *k, const char *s, size_t len,
                     struct text *out) {
  out->at = k->bytes.len;
  out->len = len;
  out->s = NULL;
  return add(&k->bytes, s, len) && add(&k->bytes, "", 1);
}

/* Copies a JSON number; -1: not a JSON number. */
static int copy_number(struct sz_keep *k, const char *s, size_t len,
                       struct number *out) {
  struct sz_number n;
  sz_number_read(s, len, &n);
  memset(out, 0, sizeof *out);
  out->is_integer = n.kind == SZ_NUMBER_INTEGER;
  out->integer = n.integer;
  return n.kind == SZ_NUMBER_BAD ? -1 : copy_text(k, s, len, &out->text);
}

static struct test test_of(enum kind kind, size_t field) {
  struct test t;
  memset(&t, 0, sizeof t);
  t.kind = kind;
  t.field = field;
  t.size = 1;
  return t;
}

int sz_keep_field(struct sz_keep *k, const char *column, enum sz_member member,
                  const char *why) {
  struct field f;
  memset(&f, 0, sizeof f);
  f.member = member;
  return copy_text(k, column, strlen(column), &f.column) &&
         copy_text(k, why, strlen(why), &f.why) &&
         add(&k->fields, &f, sizeof f);
}

int sz_keep_open(struct sz_keep *k, enum sz_keep_group kind, size_t *group) {
  struct test t = test_of(kind == SZ_KEEP_ALL   ? ALL
                          : kind == SZ_KEEP_ANY ? ANY
                                                : NO,
                          0);
  *group = COUNT(k->tests, struct test);
  return add(&k->tests, &t, sizeof t);
}

void sz_keep_close(struct sz_keep *k, size_t group) {
  struct test *tests = ENTRIES(k->tests, struct test);
  tests[group].size = COUNT(k->tests, struct test) - group;
}

static int add_text_test(struct sz_keep *k, enum kind kind, size_t field,
                         const char *s, size_t len) {
  struct test t = test_of(kind, field);
  return copy_text(k, s, len, &t.text) && add(&k->tests, &t, sizeof t);
}

int sz_keep_begins(struct sz_keep *k, size_t field, const char *s,
                   size_t len) {
  return add_text_test(k, BEGINS, field, s, len);
}

int sz_keep_contains(struct sz_keep *k, size_t field, const char *s,
                     size_t len) {
  return add_text_test(k, CONTAINS, field, s, len);
}

int sz_keep_between(struct sz_keep *k, size_t field, const char *min,
                    size_t min_len, const char *max, size_t max_len) {
  struct test t = test_of(BETWEEN, field);
  int copied = 1;
  t.has_min = min != NULL;
  t.has_max = max != NULL;
  if (min)
    copied = copy_number(k, min, min_len, &t.min);
  if (max && copied == 1)
    copied = copy_number(k, max, max_len, &t.max);
  t.are_integers = (!min || t.min.is_integer) && (!max || t.max.is_integer);
  return copied == 1 ? add(&k->tests, &t, sizeof t) : copied;
}

int sz_keep_one_of(struct sz_keep *k, size_t field) {
  struct test t = test_of(ONE_OF, field);
  t.texts.from = t.texts.to = COUNT(k->texts, struct text);
  t.numbers.from = t.numbers.to = COUNT(k->numbers, struct number);
  t.networks.from = t.networks.to = COUNT(k->networks, struct network);
  return add(&k->tests, &t, sizeof t);
}

/* The test that was added last. */
static struct test *last_test(struct sz_keep *k) {
  return ENTRIES(k->tests, struct test) + COUNT(k->tests, struct test) - 1;
}

int sz_keep_text(struct sz_keep *k, const char *s, size_t len) {
  struct text t;
  if (!copy_text(k, s, len, &t) || !add(&k->texts, &t, sizeof t))
    return 0;
  last_test(k)->texts.to++;
  return 1;
}

int sz_keep_number(struct sz_keep *k, const char *s, size_t len, int texts) {
  struct number n;
  int copied = copy_number(k, s, len, &n);
  if (copied != 1)
    return copied;
  n.texts = texts;
  if (!add(&k->numbers, &n, sizeof n))
    return 0;
  last_test(k)->numbers.to++;
  return 1;
}

int sz_keep_network(struct sz_keep *k, const char *s, size_t len,
                    unsigned length) {
  struct sz_address address;
  struct network n;
  if (!sz_address_read(s, len, &address) || length > sz_address_bits(&address))
    return -1;
  sz_address_range(&address, length, &n.first, &n.last);
  if (!add(&k->networks, &n, sizeof n))
    return 0;
  last_test(k)->networks.to++;
  return 1;
}

/* ---- sorting what was built ---- */

static int compare_texts(const void *a, const void *b) {
  const struct text *x = a, *y = b;
  if (x->len != y->len)
    return x->len < y->len ? -1 : 1;
  return memcmp(x->s, y->s, x->len);
}

static int compare_numbers(const void *a, const void *b) {
  const struct number *x = a, *y = b;
  int order = 0;
  if (x->is_integer && y->is_integer)
    return (x->integer > y->integer) - (x->integer < y->integer);
  sz_number_compare(x->text.s, x->text.len, y->text.s, y->text.len, &order);
  return order;
}

static int compare_networks(const void *a, const void *b) {
  const struct network *x = a, *y = b;
  return memcmp(x->first.bytes, y->first.bytes, SZ_ADDRESS_BYTES);
}

/* Merges equal numbers, so that a search finds the flags of all of them. */
static void merge_numbers(struct number *list, struct range *r) {
  size_t i, to = r->from;
  for (i = r->from; i < r->to; i++) {
    if (to > r->from && !compare_numbers(&list[to - 1], &list[i]))
      list[to - 1].texts |= list[i].texts;
    else
      list[to++] = list[i];
  }
  r->to = to;
}

/* Merges networks that overlap. */
static void merge_networks(struct network *list, struct range *r) {
  size_t i, to = r->from;
  for (i = r->from; i < r->to; i++) {
    struct network *before = to > r->from ? &list[to - 1] : NULL;
    if (!before ||
        memcmp(before->last.bytes, list[i].first.bytes, SZ_ADDRESS_BYTES) < 0)
      list[to++] = list[i];
    else if (memcmp(before->last.bytes, list[i].last.bytes, SZ_ADDRESS_BYTES) <
             0)
      before->last = list[i].last;
  }
  r->to = to;
}

#define SORT(list, type, r, compare)                                          \
  do {                                                                        \
    if ((r).to > (r).from)                                                    \
      qsort(ENTRIES(list, type) + (r).from, (r).to - (r).from, sizeof(type),  \
            compare);                                                         \
  } while (0)

static void find_text(const struct sz_keep *k, struct text *t) {
  t->s = k->bytes.data + t->at;
}

/* The pointers to texts: from now on 'bytes' stays where it is. */
static void find_texts(struct sz_keep *k) {
  struct test *tests = ENTRIES(k->tests, struct test);
  size_t i;
  for (i = 0; i < COUNT(k->texts, struct text); i++)
    find_text(k, ENTRIES(k->texts, struct text) + i);
  for (i = 0; i < COUNT(k->numbers, struct number); i++)
    find_text(k, &ENTRIES(k->numbers, struct number)[i].text);
  for (i = 0; i < COUNT(k->tests, struct test); i++) {
    find_text(k, &tests[i].text);
    find_text(k, &tests[i].min.text);
    find_text(k, &tests[i].max.text);
  }
}

static int select_fields(struct sz_keep *k) {
  size_t i, n = COUNT(k->fields, struct field);
  const struct field *fields = ENTRIES(k->fields, struct field);
  k->selected = calloc(n + 1, sizeof *k->selected);
  for (i = 0; k->selected && i < n; i++) {
    k->selected[i].name = k->selected[i].column =
        k->bytes.data + fields[i].column.at;
    k->selected[i].member = fields[i].member;
  }
  return k->selected != NULL;
}

int sz_keep_ready(struct sz_keep *k) {
  struct test *tests = ENTRIES(k->tests, struct test);
  size_t i;
  find_texts(k);
  for (i = 0; i < COUNT(k->tests, struct test); i++) {
    struct test *t = &tests[i];
    if (t->kind != ONE_OF)
      continue;
    SORT(k->texts, struct text, t->texts, compare_texts);
    SORT(k->numbers, struct number, t->numbers, compare_numbers);
    SORT(k->networks, struct network, t->networks, compare_networks);
    merge_numbers(ENTRIES(k->numbers, struct number), &t->numbers);
    merge_networks(ENTRIES(k->networks, struct network), &t->networks);
  }
  return select_fields(k);
}

/* ---- using ---- */

const struct sz_select *sz_keep_fields(const struct sz_keep *k,
                                       size_t *count) {
  *count = COUNT(k->fields, struct field);
  return k->selected;
}

const char *sz_keep_why(const struct sz_keep *k, size_t field) {
  return k->bytes.data + ENTRIES(k->fields, struct field)[field].why.at;
}

/* One value of the row. */
struct value {
  const struct sz_slot *slot;
  const char *s;
};

/* The value as a number; 0: not a number. */
static int number_of(const struct value *v, struct number *out) {
  struct sz_number n;
  memset(out, 0, sizeof *out);
  out->text.s = v->s;
  out->text.len = v->slot->len;
  if (v->slot->type == SZ_SLOT_INTEGER) {
    out->is_integer = 1;
    out->integer = v->slot->integer;
    return 1;
  }
  sz_number_read(v->s, v->slot->len, &n);
  out->is_integer = n.kind == SZ_NUMBER_INTEGER;
  out->integer = n.integer;
  return n.kind != SZ_NUMBER_BAD;
}

static int is_text_of(const struct sz_keep *k, const struct range *r,
                      const struct value *v) {
  struct text wanted;
  wanted.s = v->s;
  wanted.len = v->slot->len;
  return bsearch(&wanted, ENTRIES(k->texts, struct text) + r->from,
                 r->to - r->from, sizeof wanted, compare_texts) != NULL;
}

static int is_number_of(const struct sz_keep *k, const struct range *r,
                        const struct value *v) {
  struct number wanted;
  const struct number *found;
  if (!number_of(v, &wanted))
    return 0;
  found = bsearch(&wanted, ENTRIES(k->numbers, struct number) + r->from,
                  r->to - r->from, sizeof wanted, compare_numbers);
  return found && (v->slot->type != SZ_SLOT_STRING || found->texts);
}

static int is_address_of(const struct sz_keep *k, const struct range *r,
                         const struct value *v) {
  const struct network *list = ENTRIES(k->networks, struct network);
  size_t from = r->from, to = r->to;
  struct sz_address a;
  if (!sz_address_read(v->s, v->slot->len, &a))
    return 0;
  while (from < to) { /* the last network that does not begin after it */
    size_t middle = from + (to - from) / 2;
    if (memcmp(list[middle].first.bytes, a.bytes, SZ_ADDRESS_BYTES) <= 0)
      from = middle + 1;
    else
      to = middle;
  }
  return from > r->from &&
         memcmp(a.bytes, list[from - 1].last.bytes, SZ_ADDRESS_BYTES) <= 0;
}

static int is_one_of(const struct sz_keep *k, const struct test *t,
                     const struct value *v) {
  int is_text = v->slot->type == SZ_SLOT_STRING;
  return (is_text && t->texts.to > t->texts.from &&
          is_text_of(k, &t->texts, v)) ||
         (t->numbers.to > t->numbers.from &&
          is_number_of(k, &t->numbers, v)) ||
         (is_text && t->networks.to > t->networks.from &&
          is_address_of(k, &t->networks, v));
}

static int is_between(const struct test *t, const struct value *v) {
  const struct sz_slot *slot = v->slot;
  struct number n;
  if (slot->type == SZ_SLOT_INTEGER && t->are_integers)
    return (!t->has_min || slot->integer >= t->min.integer) &&
           (!t->has_max || slot->integer <= t->max.integer);
  return number_of(v, &n) &&
         (!t->has_min || compare_numbers(&n, &t->min) >= 0) &&
         (!t->has_max || compare_numbers(&n, &t->max) <= 0);
}

static int contains(const char *s, size_t len, const struct text *wanted) {
  const char *end = s + len;
  if (!wanted->len)
    return 1;
  while ((size_t)(end - s) >= wanted->len) {
    s = memchr(s, wanted->s[0], (size_t)(end - s) - wanted->len + 1);
    if (!s)
      return 0;
    if (!memcmp(s, wanted->s, wanted->len))
      return 1;
    s++;
  }
  return 0;
}

/* Whether a value that is not absent matches a test that is not a group. */
static int meets(const struct sz_keep *k, const struct test *t,
                 const struct value *v) {
  switch (t->kind) {
  case BEGINS:
    return v->slot->len >= t->text.len &&
           !memcmp(v->s, t->text.s, t->text.len);
  case CONTAINS:
    return contains(v->s, v->slot->len, &t->text);
  case BETWEEN:
    return is_between(t, v);
  default:
    return is_one_of(k, t, v);
  }
}

/* A row. */
struct row {
  const size_t *wants;
  const struct sz_slot *slots;
  const char *text;
};

/*
** Whether the test holds for the row. The depth of groups is limited by who
** builds them.
*/
static int holds(const struct sz_keep *k, const struct test *t,
                 const struct row *row) {
  const struct test *end = t + t->size, *part;
  struct value v;
  if (t->kind > NO) {
    v.slot = &row->slots[row->wants[t->field]];
    v.s = row->text + v.slot->at;
    return v.slot->type != SZ_SLOT_ABSENT && meets(k, t, &v);
  }
  for (part = t + 1; part < end; part += part->size)
    if (holds(k, part, row) != (t->kind == ALL))
      return t->kind == ANY;
  return t->kind != ANY;
}

int sz_keep_row(const struct sz_keep *k, const size_t *wants,
                const struct sz_slot *slots, const char *text) {
  struct row row;
  row.wants = wants;
  row.slots = slots;
  row.text = text;
  return holds(k, ENTRIES(k->tests, const struct test), &row);
}
