/* ties.c - see ties.h. */
#include "ties.h"

#include "scan.h"

#include <stdlib.h>
#include <string.h>

#define VALUE_BYTES 64
#define FIRST_ROOM 16 /* entries of the smallest table */

enum phase {
  FIRST,  /* rows of the first answer, or after the rows that tied */
  JOINED, /* the next row is the last one given, again */
  AFTER,  /* rows that may tie with rows of the answer before */
  ALIKE   /* the same, but repeated rows cannot be found */
};

struct sz_ties {
  struct sz_hash_key key;
  size_t max;      /* most entries */
  uint64_t *table; /* hashes of rows; 0: empty */
  size_t room, count;
  char value[VALUE_BYTES]; /* of the last row in the order's column */
  size_t value_len;
  int known; /* the last row has a value */
  enum phase phase;
  int alike; /* two rows that tie are equal */
  int lost;  /* too many rows tie to remember all */
};

struct sz_ties *sz_ties_new(size_t max) {
  struct sz_ties *t = calloc(1, sizeof *t);
  if (!t)
    return NULL;
  t->key = sz_hash_key(t);
  t->max = max / sizeof *t->table;
  return t;
}

void sz_ties_free(struct sz_ties *t) {
  if (t)
    free(t->table);
  free(t);
}

struct sz_ties *sz_ties_copy(const struct sz_ties *t) {
  struct sz_ties *copy = malloc(sizeof *copy);
  if (!copy)
    return NULL;
  *copy = *t;
  if (!t->table)
    return copy;
  copy->table = malloc(t->room * sizeof *t->table);
  if (!copy->table) {
    free(copy);
    return NULL;
  }
  memcpy(copy->table, t->table, t->room * sizeof *t->table);
  return copy;
}

/* ---- a row's identity ---- */

static size_t blanks(const char *s, size_t at, size_t len) {
  while (at < len && strchr(" \t\r\n", s[at]))
    at++;
  return at;
}

/* Where the JSON value at 'at' ends: a text with its quotes, or a word. */
static size_t value_end(const char *s, size_t at, size_t len) {
  if (at < len && s[at] == '"') {
    for (at++; at < len; at += 2) {
      at += sz_scan_plain(s + at, len - at);
      if (at < len && s[at] == '"')
        return at + 1;
    }
    return len;
  }
  while (at < len && !strchr(",]} \t\r\n", s[at]))
    at++;
  return at;
}

/*
** Finds the value of the next member rawValue, from '*at' on; 0: none. A quote
** inside a string is escaped, so "rawValue" with its quotes is never inside
** one.
*/
static int next_raw(const char *s, size_t len, size_t *at, size_t *end) {
  static const char name[] = "\"rawValue\"";
  const size_t size = sizeof name - 1, before = 4; /* of the V */
  const char *v = s + *at;
  while ((v = memchr(v, 'V', (size_t)(s + len - v))) != NULL) {
    size_t from = (size_t)(v++ - s);
    if (from < before || from - before + size > len ||
        memcmp(s + from - before, name, size) != 0)
      continue;
    from = blanks(s, from - before + size, len);
    if (from == len || s[from] != ':')
      continue;
    *at = blanks(s, from + 1, len);
    *end = value_end(s, *at, len);
    return 1;
  }
  return 0;
}

/* Whether a cell begins between two offsets, which are outside strings. */
static int cell_begins(const char *s, size_t at, size_t to) {
  while (at < to && s[at] != '{')
    at = s[at] == '"' ? value_end(s, at, to) : at + 1;
  return at < to;
}

/* Never 0. If a cell has rawValue twice, the last one counts. */
static uint64_t row_hash(const struct sz_ties *t, const char *s, size_t len) {
  uint64_t h = 0, before = 0;
  size_t at = 0, end, last = 0;
  while (next_raw(s, len, &at, &end)) {
    if (last && !cell_begins(s, last, at))
      h = before;
    before = h;
    h = (h ^ sz_hash(&t->key, s + at, end - at)) * t->key.factor;
    h ^= h >> 29;
    last = at = end;
  }
  return h ? h : 1;
}

/* ---- the table ---- */

static uint64_t *place_of(uint64_t *table, size_t room, uint64_t h) {
  size_t i = (size_t)h & (room - 1);
  while (table[i] && table[i] != h)
    i = (i + 1) & (room - 1);
  return &table[i];
}

static int grow(struct sz_ties *t) {
  size_t i, room = t->room ? t->room * 2 : FIRST_ROOM;
  uint64_t *table = room <= t->max ? calloc(room, sizeof *table) : NULL;
  if (!table)
    return 0;
  for (i = 0; i < t->room; i++)
    if (t->table[i])
      *place_of(table, room, t->table[i]) = t->table[i];
  free(t->table);
  t->table = table;
  t->room = room;
  return 1;
}

/* Adds a row. 1: it is there already. If there is no room, sets t->lost. */
static int remember(struct sz_ties *t, const char *row, size_t len) {
  uint64_t h, *place;
  if (t->lost || (t->count * 4 >= t->room * 3 && !grow(t))) {
    t->lost = 1;
    return 0;
  }
  h = row_hash(t, row, len);
  place = place_of(t->table, t->room, h);
  if (*place)
    return 1;
  *place = h;
  t->count++;
  return 0;
}

static void forget(struct sz_ties *t) {
  if (t->room > FIRST_ROOM * 4) {
    free(t->table);
    t->table = NULL;
    t->room = 0;
  } else if (t->count) {
    memset(t->table, 0, t->room * sizeof *t->table);
  }
  t->count = 0;
  t->alike = t->lost = 0;
  t->phase = FIRST;
}

/* ---- rows ---- */

static int same_value(const struct sz_ties *t, const struct sz_slot *order,
                      const char *base) {
  return t->known && order && order->type != SZ_SLOT_ABSENT &&
         order->len == t->value_len &&
         !memcmp(base + order->at, t->value, order->len);
}

static void keep_value(struct sz_ties *t, const struct sz_slot *order,
                       const char *base) {
  t->known =
      order && order->type != SZ_SLOT_ABSENT && order->len <= VALUE_BYTES;
  if (!t->known)
    return;
  t->value_len = order->len;
  memcpy(t->value, base + order->at, order->len);
}

void sz_ties_row(struct sz_ties *t, const struct sz_slot *order,
                 const char *base, const char *last, size_t last_len) {
  if (!same_value(t, order, base)) {
    if (t->count || t->phase != FIRST || t->lost)
      forget(t);
    keep_value(t, order, base);
    return;
  }
  if (t->phase != FIRST)
    return; /* sz_ties_repeats checks it */
  if (!last)
    t->lost = 1;
  else if (remember(t, last, last_len))
    t->alike = 1;
}

int sz_ties_follow(const struct sz_ties *t) {
  return t->phase == JOINED || t->phase == AFTER;
}

int sz_ties_repeats(struct sz_ties *t, const char *row, size_t len) {
  if (t->phase == JOINED) {
    t->phase = AFTER;
    return 0;
  }
  return t->phase == AFTER && remember(t, row, len);
}

int sz_ties_join(struct sz_ties *t, const char *last, size_t last_len) {
  if (!t->known)
    return 1;
  if (t->phase == FIRST && last && remember(t, last, last_len))
    t->alike = 1;
  if (t->phase == FIRST && !last)
    t->lost = 1;
  if (t->lost)
    return 0;
  t->phase = t->alike ? ALIKE : JOINED;
  return 1;
}

/* ---- saved for another process ---- */

enum { SAVED_MAGIC = 0x746965 }; /* differs if the byte order differs */

/* The header before the saved hashes. */
struct saved {
  uint64_t magic, count;
  struct sz_hash_key key;
  uint64_t value_len, known, phase, alike;
  char value[VALUE_BYTES];
};

typedef char saved_fits
    [sizeof(struct saved) + 8 * SZ_TIES_SAVED_ROWS <= SZ_TIES_SAVED ? 1 : -1];

size_t sz_ties_save(const struct sz_ties *t, char *bytes) {
  struct saved head = {.magic = SAVED_MAGIC,
                       .count = t->count,
                       .key = t->key,
                       .value_len = t->value_len,
                       .known = t->known != 0,
                       .phase = t->phase,
                       .alike = t->alike != 0};
  size_t i, len = sizeof head;
  if (t->lost || t->count > SZ_TIES_SAVED_ROWS)
    return 0;
  if (head.known)
    memcpy(head.value, t->value, t->value_len);
  memcpy(bytes, &head, sizeof head);
  for (i = 0; i < t->room; i++) {
    if (!t->table[i])
      continue;
    memcpy(bytes + len, &t->table[i], sizeof t->table[i]);
    len += sizeof t->table[i];
  }
  return len;
}

static int saved_is_sound(const struct saved *head, size_t len) {
  return head->magic == SAVED_MAGIC && head->count <= SZ_TIES_SAVED_ROWS &&
         head->value_len <= VALUE_BYTES && head->phase <= ALIKE &&
         len == sizeof *head + head->count * sizeof(uint64_t);
}

/* Adds a saved hash. False: it is not valid, or there is no room. */
static int take_saved(struct sz_ties *t, uint64_t h) {
  if (!h || (t->count * 4 >= t->room * 3 && !grow(t)))
    return 0;
  *place_of(t->table, t->room, h) = h;
  t->count++;
  return 1;
}

struct sz_ties *sz_ties_load(size_t max, const char *bytes, size_t len) {
  struct saved head;
  struct sz_ties *t;
  uint64_t i, h;
  if (len < sizeof head)
    return NULL;
  memcpy(&head, bytes, sizeof head);
  t = saved_is_sound(&head, len) ? sz_ties_new(max) : NULL;
  if (!t)
    return NULL;
  t->key = head.key;
  t->known = head.known != 0;
  t->value_len = (size_t)head.value_len;
  memcpy(t->value, head.value, sizeof head.value);
  t->phase = (enum phase)head.phase;
  t->alike = head.alike != 0;
  for (i = 0; i < head.count; i++) {
    memcpy(&h, bytes + sizeof head + i * sizeof h, sizeof h);
    if (!take_saved(t, h)) {
      sz_ties_free(t);
      return NULL;
    }
  }
  return t;
}
