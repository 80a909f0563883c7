/* aggregate.c - groups rows as they stream in. */
#include "aggregate_private.h"

#include "address.h"

#include <stdlib.h>
#include <string.h>

#define ABSENT ((size_t)-2)
#define FIRST_TABLE 16
#define MAX_KEY ((size_t)1 << 31) /* max_row is the real limit */

struct sz_aggregate *
sz_aggregate_new(const struct sz_aggregate_options *options) {
  struct sz_aggregate *a = calloc(1, sizeof *a);
  int d, missing = 0;
  if (!a)
    return NULL;
  a->options = *options;
  sz_buffer_init(&a->keys, options->max_keys);
  sz_buffer_init(&a->key, MAX_KEY);
  a->hash_key = sz_hash_key(a);
  a->table_size = FIRST_TABLE;
  a->table = calloc(a->table_size, sizeof *a->table);
  for (d = 0; d < SZ_DIRECTIONS; d++) {
    a->wants[d] = calloc(options->nfields + 1, sizeof(size_t));
    missing |= !a->wants[d];
  }
  if (missing || !a->table) {
    sz_aggregate_free(a);
    return NULL;
  }
  return a;
}

void sz_aggregate_free(struct sz_aggregate *a) {
  int d;
  if (!a)
    return;
  for (d = 0; d < SZ_DIRECTIONS; d++)
    free(a->wants[d]);
  free(a->groups);
  free(a->totals);
  free(a->table);
  sz_buffer_free(&a->keys);
  sz_buffer_free(&a->key);
  free(a);
}

void sz_aggregate_bind(struct sz_aggregate *a, enum sz_direction direction,
                       const struct sz_columns *c) {
  size_t field, i;
  for (field = 0; field < a->options.nfields; field++) {
    a->wants[direction][field] = ABSENT;
    for (i = 0; i < c->noutputs; i++)
      if (!strcmp(c->outputs[i].name, a->options.fields[field]))
        a->wants[direction][field] = c->outputs[i].want;
  }
}

/* ---- keys ---- */

static int add_key(struct sz_buffer *key, enum sz_slot_type type,
                   const char *text, size_t len) {
  uint32_t head[2];
  char *out;
  head[0] = (uint32_t)type;
  head[1] = (uint32_t)len;
  if (key->cap - key->len < sizeof head + len &&
      sz_buffer_reserve(key, sizeof head + len) != SZ_BUFFER_OK)
    return 0;
  out = key->data + key->len;
  memcpy(out, head, sizeof head);
  memcpy(out + sizeof head, text, len);
  key->len += sizeof head + len;
  return 1;
}

/* Adds the value itself. */
static enum sz_added add_value(struct sz_buffer *key,
                               const struct sz_slot *slot, const char *text) {
  enum sz_slot_type type =
      slot->type == SZ_SLOT_STRING ? SZ_SLOT_STRING : SZ_SLOT_NUMBER;
  return add_key(key, type, text + slot->at, slot->len) ? SZ_ADDED
                                                        : SZ_ADD_NOMEM;
}

/* Adds the network of an address; any other text unchanged. */
static enum sz_added add_network(struct sz_buffer *key, const struct sz_by *by,
                                 const struct sz_slot *slot,
                                 const char *text) {
  char network[SZ_NETWORK_TEXT];
  struct sz_address address;
  unsigned bits;
  size_t len;
  if (slot->type != SZ_SLOT_STRING)
    return SZ_ADD_NO_ADDRESS;
  if (!sz_address_read(text + slot->at, slot->len, &address))
    return add_value(key, slot, text); /* such as a host's name */
  bits = sz_address_bits(&address) == 32 ? by->bits4 : by->bits6;
  if (bits > sz_address_bits(&address))
    return SZ_ADD_NO_PREFIX;
  len = sz_address_network(&address, bits, network);
  return add_key(key, SZ_SLOT_STRING, network, len) ? SZ_ADDED : SZ_ADD_NOMEM;
}

/* The whole number at or below the slot's. 0: not a number of 128 bits. */
static int floor_slot(const struct sz_slot *slot, const char *text,
                      sz_wide *out) {
  *out = slot->integer;
  return slot->type == SZ_SLOT_INTEGER ||
         (slot->type == SZ_SLOT_NUMBER &&
          sz_number_floor(text + slot->at, slot->len, out));
}

/* Adds the multiple of the step at or below a number. */
static enum sz_added add_step(struct sz_buffer *key, const struct sz_by *by,
                              const struct sz_slot *slot, const char *text) {
  char digits[SZ_WIDE_TEXT];
  sz_wide value, rest;
  size_t len;
  if (!floor_slot(slot, text, &value))
    return SZ_ADD_NO_NUMBER;
  rest = value % by->step;
  if (__builtin_sub_overflow(value, rest < 0 ? rest + by->step : rest, &value))
    return SZ_ADD_NO_NUMBER;
  len = sz_wide_text(value, digits);
  return add_key(key, SZ_SLOT_NUMBER, digits, len) ? SZ_ADDED : SZ_ADD_NOMEM;
}

static enum sz_added add_direction(struct sz_buffer *key,
                                   const struct sz_by *by,
                                   enum sz_direction direction) {
  static const char *const NAMES[] = {"inbound", "outbound"};
  const char *name = NAMES[direction];
  if (by->kind != SZ_BY_VALUE)
    return by->kind == SZ_BY_STEP ? SZ_ADD_NO_NUMBER : SZ_ADD_NO_ADDRESS;
  return add_key(key, SZ_SLOT_STRING, name, strlen(name)) ? SZ_ADDED
                                                          : SZ_ADD_NOMEM;
}

static enum sz_added add_by(struct sz_aggregate *a, const struct sz_by *by,
                            enum sz_direction direction,
                            const struct sz_slot *slots, const char *text) {
  size_t want = a->wants[direction][by->field];
  if (want == SZ_DIRECTION)
    return add_direction(&a->key, by, direction);
  if (want == ABSENT || slots[want].type == SZ_SLOT_ABSENT)
    return add_key(&a->key, SZ_SLOT_ABSENT, "", 0) ? SZ_ADDED : SZ_ADD_NOMEM;
  if (by->kind == SZ_BY_NETWORK)
    return add_network(&a->key, by, &slots[want], text);
  if (by->kind == SZ_BY_STEP)
    return add_step(&a->key, by, &slots[want], text);
  return add_value(&a->key, &slots[want], text);
}

/* Writes the row's 'by' values to a->key. */
static enum sz_added make_key(struct sz_aggregate *a,
                              enum sz_direction direction,
                              const struct sz_slot *slots, const char *text,
                              const char **field) {
  size_t i;
  a->key.len = 0;
  for (i = 0; i < a->options.nby; i++) {
    const struct sz_by *by = &a->options.by[i];
    enum sz_added added = add_by(a, by, direction, slots, text);
    if (added != SZ_ADDED) {
      *field = a->options.fields[by->field];
      return added;
    }
  }
  return SZ_ADDED;
}

/* ---- groups ---- */

static int grow_groups(struct sz_aggregate *a) {
  size_t cap = a->cap ? a->cap * 2 : 256;
  struct group *groups = realloc(a->groups, cap * sizeof *groups);
  struct sz_total *totals;
  if (!groups)
    return 0;
  a->groups = groups;
  totals = realloc(a->totals, (cap * a->options.nfolded + 1) * sizeof *totals);
  if (!totals)
    return 0;
  a->totals = totals;
  a->cap = cap;
  return 1;
}

#define HIGH_HALF (~UINT64_C(0) << 32)

static uint64_t entry_of(uint64_t hash, size_t group) {
  return (hash & HIGH_HALF) | (group + 1);
}

static size_t group_of(uint64_t entry) {
  return (size_t)(entry & ~HIGH_HALF) - 1;
}

static int grow_table(struct sz_aggregate *a) {
  size_t size = a->table_size * 2, i;
  uint64_t *table = calloc(size, sizeof *table);
  if (!table)
    return 0;
  for (i = 0; i < a->count; i++) {
    size_t at = a->groups[i].hash & (size - 1);
    while (table[at])
      at = (at + 1) & (size - 1);
    table[at] = entry_of(a->groups[i].hash, i);
  }
  free(a->table);
  a->table = table;
  a->table_size = size;
  return 1;
}

static int has_key(const struct sz_aggregate *a, size_t group, uint64_t hash) {
  const struct group *g = &a->groups[group];
  return g->hash == hash && g->key_len == a->key.len &&
         (!g->key_len ||
          !memcmp(a->keys.data + g->key, a->key.data, g->key_len));
}

/* The table's entry for the key in a->key, or the empty entry for it. */
static uint64_t *find_place(const struct sz_aggregate *a, uint64_t hash) {
  size_t at = hash & (a->table_size - 1);
  while (a->table[at]) {
    if (!((a->table[at] ^ hash) & HIGH_HALF) &&
        has_key(a, group_of(a->table[at]), hash))
      break;
    at = (at + 1) & (a->table_size - 1);
  }
  return &a->table[at];
}

static enum sz_added new_group(struct sz_aggregate *a, uint64_t hash,
                               uint64_t *place) {
  struct group *g;
  if (a->count == SZ_MAX_GROUPS)
    return SZ_ADD_FULL;
  if (a->count == a->cap && !grow_groups(a))
    return SZ_ADD_NOMEM;
  g = &a->groups[a->count];
  g->hash = hash;
  g->count = 0;
  g->key = (uint32_t)a->keys.len;
  g->key_len = (uint32_t)a->key.len;
  switch (sz_buffer_append(&a->keys, a->key.data, a->key.len)) {
  case SZ_BUFFER_OK:
    break;
  case SZ_BUFFER_FULL:
    return SZ_ADD_LONG;
  default:
    return SZ_ADD_NOMEM;
  }
  if (a->options.nfolded)
    memset(&a->totals[a->count * a->options.nfolded], 0,
           a->options.nfolded * sizeof *a->totals);
  *place = entry_of(hash, a->count++);
  return SZ_ADDED;
}

/* Finds or adds the group of a->key; its index goes to '*group'. */
static enum sz_added find_group(struct sz_aggregate *a, size_t *group) {
  uint64_t hash =
      sz_hash(&a->hash_key, a->key.data ? a->key.data : "", a->key.len);
  uint64_t *place;
  if (a->count * 2 >= a->table_size && !grow_table(a))
    return SZ_ADD_NOMEM;
  place = find_place(a, hash);
  if (!*place) {
    enum sz_added added = new_group(a, hash, place);
    if (added != SZ_ADDED)
      return added;
  }
  *group = group_of(*place);
  return SZ_ADDED;
}

/* ---- folding ---- */

static int fold_whole(struct sz_total *t, enum sz_fold fold, sz_wide value) {
  int first = !t->has_whole;
  t->has_whole = 1;
  if (fold == SZ_FOLD_SUM)
    return !__builtin_add_overflow(t->whole, value, &t->whole);
  if (first || (fold == SZ_FOLD_MIN ? value < t->whole : value > t->whole))
    t->whole = value;
  return 1;
}

static void fold_real(struct sz_total *t, enum sz_fold fold, double value) {
  int first = !t->has_real;
  t->has_real = 1;
  if (fold == SZ_FOLD_SUM)
    t->real += value;
  else if (first || (fold == SZ_FOLD_MIN ? value < t->real : value > t->real))
    t->real = value;
}

static int fold_slot(struct sz_total *t, enum sz_fold fold,
                     const struct sz_slot *slot, const char *text) {
  struct sz_number n;
  sz_wide wide;
  switch (slot->type) {
  case SZ_SLOT_ABSENT:
    return 1;
  case SZ_SLOT_INTEGER:
    return fold_whole(t, fold, slot->integer);
  case SZ_SLOT_STRING:
    return 0;
  default:
    break;
  }
  if (sz_number_whole(text + slot->at, slot->len, &wide))
    return fold_whole(t, fold, wide);
  sz_number_read(text + slot->at, slot->len, &n);
  if (n.kind != SZ_NUMBER_REAL)
    return 0;
  fold_real(t, fold, n.real);
  return 1;
}

enum sz_added sz_aggregate_add(struct sz_aggregate *a,
                               enum sz_direction direction,
                               const struct sz_slot *slots, const char *text,
                               const char **field) {
  const struct sz_aggregate_options *o = &a->options;
  enum sz_added added;
  size_t group, i;
  added = make_key(a, direction, slots, text, field);
  if (added == SZ_ADDED)
    added = find_group(a, &group);
  if (added != SZ_ADDED)
    return added;
  a->groups[group].count++;
  for (i = 0; i < o->nfolded; i++) {
    size_t want = a->wants[direction][o->folded[i].field];
    if (want == ABSENT)
      continue;
    if (want == SZ_DIRECTION ||
        !fold_slot(&a->totals[group * o->nfolded + i], o->folded[i].fold,
                   &slots[want], text)) {
      *field = o->fields[o->folded[i].field];
      return SZ_ADD_TEXT;
    }
  }
  return SZ_ADDED;
}

/* ---- results ---- */

size_t sz_aggregate_groups(const struct sz_aggregate *a) {
  return a->count;
}

uint64_t sz_aggregate_count(const struct sz_aggregate *a, size_t group) {
  return a->groups[group].count;
}

const struct sz_total *sz_aggregate_total(const struct sz_aggregate *a,
                                          size_t group, size_t folded) {
  return &a->totals[group * a->options.nfolded + folded];
}

enum sz_slot_type sz_aggregate_key(const struct sz_aggregate *a, size_t group,
                                   size_t n, const char **text, size_t *len) {
  const char *at = a->keys.data + a->groups[group].key;
  uint32_t head[2];
  for (;; n--) {
    memcpy(head, at, sizeof head);
    *text = at + sizeof head;
    *len = head[1];
    if (!n)
      return (enum sz_slot_type)head[0];
    at = *text + head[1];
  }
}

size_t sz_wide_text(sz_wide value, char out[SZ_WIDE_TEXT]) {
  char digits[SZ_WIDE_TEXT];
  size_t n = 0, len = 0;
  int negative = value < 0;
  do {
    int digit = (int)(value % 10);
    digits[n++] = (char)('0' + (digit < 0 ? -digit : digit));
    value /= 10;
  } while (value);
  if (negative)
    out[len++] = '-';
  while (n)
    out[len++] = digits[--n];
  out[len] = '\0';
  return len;
}
