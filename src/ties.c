/* ties.c - see ties.h. */
#include "ties.h"

#include "raws.h"

#include <stdlib.h>
#include <string.h>

#define VALUE_BYTES 64
#define FIRST_ROOM 16 /* entries of the smallest table */
#define RECENT 64

enum phase {
  FIRST,  /* rows of the first answer, or after the rows that tied */
  JOINED, /* the next row is the last one given, again */
  AFTER,  /* rows that may tie with rows of the answer before */
  ALIKE   /* the same, but repeated rows cannot be found */
};

#define OPEN_ROWS 65536 /* the most that are remembered */

/*
** Rows of which it is not known yet what orders them: any column may. For each
** cell, the hash of the last row's value, and the first of the rows that have
** had this value since.
*/
struct open {
  uint64_t rows;
  size_t cells, room;
  uint64_t *values, *from; /* one per cell */
  uint64_t *each;          /* of the row at hand */
  uint64_t *hashes;        /* of the last rows; row n is at n % room */
  int joined;              /* another answer follows */
};

struct sz_ties {
  struct sz_hash_key key;
  size_t max;      /* most entries */
  uint64_t *table; /* hashes of rows; 0: empty */
  size_t room, count;
  char value[VALUE_BYTES]; /* of the last row in the order's column */
  size_t value_len;
  int known;  /* the last row has a value */
  int unset;  /* the next row tells it */
  int recent; /* one of the last RECENT rows has tied: counts down */
  enum phase phase;
  int alike; /* two rows that tie are equal */
  int lost;  /* too many rows tie to remember all */
  struct open open;
  struct sz_raw *raws; /* of a row that is looked at */
  size_t nraws;
};

struct sz_ties *sz_ties_new(size_t max) {
  struct sz_ties *t = calloc(1, sizeof *t);
  if (!t)
    return NULL;
  t->key = sz_hash_key(t);
  t->max = max / sizeof *t->table;
  return t;
}

static void open_free(struct open *o) {
  free(o->values);
  free(o->hashes);
  memset(o, 0, sizeof *o);
}

void sz_ties_free(struct sz_ties *t) {
  if (t) {
    free(t->table);
    free(t->raws);
    open_free(&t->open);
  }
  free(t);
}

static void *copy_of(const void *bytes, size_t size, int *good) {
  void *copy = bytes ? malloc(size) : NULL;
  *good &= copy || !bytes;
  if (copy)
    memcpy(copy, bytes, size);
  return copy;
}

static void lay_out(struct open *o) {
  o->from = o->values + o->cells;
  o->each = o->from + o->cells;
}

struct sz_ties *sz_ties_copy(const struct sz_ties *t) {
  const struct open *o = &t->open;
  struct sz_ties *copy = malloc(sizeof *copy);
  int good = 1;
  if (!copy)
    return NULL;
  *copy = *t;
  copy->raws = NULL;
  copy->nraws = 0;
  copy->table = copy_of(t->table, t->room * sizeof *t->table, &good);
  copy->open.values =
      copy_of(o->values, 3 * o->cells * sizeof *o->values, &good);
  copy->open.hashes = copy_of(o->hashes, o->room * sizeof *o->hashes, &good);
  if (copy->open.values)
    lay_out(&copy->open);
  if (good)
    return copy;
  sz_ties_free(copy);
  return NULL;
}

/* ---- a row's identity ---- */

static uint64_t add_hash(const struct sz_ties *t, uint64_t h, uint64_t value) {
  h = (h ^ value) * t->key.factor;
  return h ^ h >> 29;
}

/* 'each' gets the hash of each cell's value, 0 if it has none; or is NULL. */
static uint64_t hash_raws(const struct sz_ties *t, const char *text,
                          const struct sz_raw *raws, size_t cells,
                          uint64_t *each) {
  uint64_t h = 0;
  size_t i;
  for (i = 0; i < cells; i++) {
    const char *raw = text + raws[i].at;
    uint64_t value;
    if (!raws[i].len)
      continue;
    value = sz_hash(&t->key, raw, raws[i].len);
    h = add_hash(t, h, value);
    if (each)
      each[i] = *raw == 'n' ? 0 : value | 1;
  }
  return h ? h : 1;
}

/* Makes room for the raw values of a row. */
static int raws_room(struct sz_ties *t, size_t cells) {
  struct sz_raw *raws;
  if (cells <= t->nraws)
    return 1;
  raws = realloc(t->raws, cells * sizeof *raws);
  if (!raws)
    return 0;
  t->raws = raws;
  t->nraws = cells;
  return 1;
}

/*
** Sets t->raws to the row's raw values, or points to those that are known.
** Returns how many cells; 0: there is no memory.
*/
static size_t raws_of(struct sz_ties *t, const struct sz_row_text *row,
                      const struct sz_raw **raws) {
  size_t cells = row->cells;
  *raws = row->raws;
  if (*raws)
    return cells;
  cells = sz_raws_find(row->text, row->len, t->raws, t->nraws);
  if (cells > t->nraws) {
    if (!raws_room(t, cells))
      return 0;
    sz_raws_find(row->text, row->len, t->raws, cells);
  }
  *raws = t->raws;
  return cells;
}

/* Never 0, unless there is no memory. */
static uint64_t row_hash(struct sz_ties *t, const struct sz_row_text *row) {
  const struct sz_raw *raws;
  size_t cells = raws_of(t, row, &raws);
  return cells ? hash_raws(t, row->text, raws, cells, NULL) : 0;
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

/* Adds a row's hash. 1: it is there already. No room: sets t->lost. */
static int remember_hash(struct sz_ties *t, uint64_t h) {
  uint64_t *place;
  if (t->lost || (t->count * 4 >= t->room * 3 && !grow(t))) {
    t->lost = 1;
    return 0;
  }
  place = place_of(t->table, t->room, h);
  if (*place)
    return 1;
  *place = h;
  t->count++;
  return 0;
}

static int remember(struct sz_ties *t, const struct sz_row_text *row) {
  uint64_t h = t->lost ? 0 : row_hash(t, row);
  t->lost |= !h;
  return h && remember_hash(t, h);
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
                 const char *base, const struct sz_row_text *last) {
  if (t->unset) {
    t->unset = 0;
    keep_value(t, order, base);
    return;
  }
  if (!same_value(t, order, base)) {
    if (t->count || t->phase != FIRST || t->lost)
      forget(t);
    keep_value(t, order, base);
    t->recent -= t->recent > 0;
    return;
  }
  t->recent = RECENT;
  if (t->phase != FIRST)
    return; /* sz_ties_repeats checks it */
  if (!last->text)
    t->lost = 1;
  else if (remember(t, last))
    t->alike = 1;
}

int sz_ties_look(const struct sz_ties *t) {
  return t->recent || t->phase != FIRST || t->open.rows;
}

int sz_ties_follow(const struct sz_ties *t) {
  return t->phase == JOINED || t->phase == AFTER;
}

int sz_ties_repeats(struct sz_ties *t, const struct sz_row_text *row) {
  if (t->phase == JOINED) {
    t->phase = AFTER;
    return 0;
  }
  return t->phase == AFTER && remember(t, row);
}

/* ---- rows whose order is not known yet ---- */

int sz_ties_are_new(const struct sz_ties *t) {
  return t->phase == FIRST && !t->known && !t->count && !t->lost &&
         !t->open.rows;
}

/* Makes room for rows of so many cells. */
static int open_room(struct sz_ties *t, size_t cells) {
  struct open *o = &t->open;
  o->cells = cells;
  o->room = t->max < OPEN_ROWS ? t->max : OPEN_ROWS;
  if (!o->room)
    return 0;
  o->values = calloc(3 * cells, sizeof *o->values);
  o->hashes = malloc(o->room * sizeof *o->hashes);
  if (!o->values || !o->hashes)
    return 0;
  lay_out(o);
  return 1;
}

void sz_ties_open_row(struct sz_ties *t, const struct sz_row_text *row) {
  struct open *o = &t->open;
  const struct sz_raw *raws;
  size_t i, cells = t->lost || !row->text ? 0 : raws_of(t, row, &raws);
  if (!cells || (!o->rows && !open_room(t, cells))) {
    t->lost = 1;
    return;
  }
  if (cells > o->cells)
    cells = o->cells;
  memset(o->each, 0, o->cells * sizeof *o->each);
  o->hashes[o->rows % o->room] = hash_raws(t, row->text, raws, cells, o->each);
  for (i = 0; i < o->cells; i++)
    if (!o->each[i] || o->each[i] != o->values[i]) {
      o->values[i] = o->each[i];
      o->from[i] = o->rows;
    }
  o->rows++;
}

/* Remembers the last row's value in the order's cell. 0: it has none. */
static int open_value(struct sz_ties *t, size_t cell, const char *last,
                      size_t len) {
  size_t from, size;
  if (!raws_room(t, cell + 1)) {
    t->lost = 1;
    return 0;
  }
  sz_raws_find(last, len, t->raws, cell + 1);
  from = t->raws[cell].at;
  size = t->raws[cell].len;
  if (size && last[from] == '"') {
    from++;
    size -= 2;
    t->lost |= memchr(last + from, '\\', size) != NULL;
  }
  t->known = t->open.values[cell] && size <= VALUE_BYTES;
  if (!t->known)
    return 0;
  t->value_len = size;
  memcpy(t->value, last + from, size);
  return 1;
}

/* Remembers the rows that tie with the last one; itself too if it is
** joined. */
static void open_remember(struct sz_ties *t, size_t cell) {
  const struct open *o = &t->open;
  uint64_t n;
  t->lost |= o->rows - o->from[cell] > o->room;
  for (n = o->from[cell]; !t->lost && n + !o->joined < o->rows; n++)
    t->alike |= remember_hash(t, o->hashes[n % o->room]);
}

void sz_ties_settle(struct sz_ties *t, size_t cell, const char *last,
                    size_t last_len) {
  struct open *o = &t->open;
  int has_value = o->rows && !t->lost && cell < o->cells && o->values[cell];
  if (has_value && o->joined) {
    t->known = t->unset = 1;
    open_remember(t, cell);
    t->phase = t->alike ? ALIKE : JOINED;
  } else if (has_value && !last) {
    t->lost = 1;
  } else if (has_value && open_value(t, cell, last, last_len)) {
    open_remember(t, cell);
  }
  open_free(o);
}

int sz_ties_join(struct sz_ties *t, const char *last, size_t last_len) {
  const struct sz_row_text row = {last, last_len, NULL, 0};
  if (t->open.rows) { /* the next answer's columns will tell the order */
    t->open.joined = 1;
    return !t->lost;
  }
  if (!t->known)
    return 1;
  if (t->phase == FIRST && last && remember(t, &row))
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

/* The header before the saved hashes, and before what is saved of 'open'. */
struct saved {
  uint64_t magic, count;
  struct sz_hash_key key;
  uint64_t value_len, known, phase, alike;
  uint64_t cells, rows; /* of 'open': values and from, then the last hashes */
  char value[VALUE_BYTES];
};

enum { SAVED_WORDS = (SZ_TIES_SAVED - sizeof(struct saved)) / 8 };

typedef char saved_fits[(int)SZ_TIES_SAVED_ROWS <= (int)SAVED_WORDS ? 1 : -1];

static size_t save_words(char *bytes, size_t len, const uint64_t *words,
                         size_t count) {
  if (count)
    memcpy(bytes + len, words, count * sizeof *words);
  return len + count * sizeof *words;
}

/* Saves what is open, the last 'rows' of it. */
static size_t save_open(const struct open *o, uint64_t rows, char *bytes,
                        size_t len) {
  uint64_t first = o->rows - rows, n;
  size_t i;
  len = save_words(bytes, len, o->values, o->cells);
  for (i = 0; i < o->cells; i++) {
    uint64_t from = o->from[i] < first ? UINT64_MAX : o->from[i] - first;
    len = save_words(bytes, len, &from, 1);
  }
  for (n = first; n < o->rows; n++)
    len = save_words(bytes, len, &o->hashes[n % o->room], 1);
  return len;
}

size_t sz_ties_save(const struct sz_ties *t, char *bytes) {
  const struct open *o = &t->open;
  struct saved head = {.magic = SAVED_MAGIC,
                       .count = t->count,
                       .key = t->key,
                       .value_len = t->value_len,
                       .known = t->known != 0,
                       .phase = t->phase,
                       .alike = t->alike != 0,
                       .cells = o->cells};
  size_t i, len = sizeof head;
  if (t->lost || t->unset || t->count > SZ_TIES_SAVED_ROWS ||
      o->cells > SAVED_WORDS / 4 || (o->rows && !o->joined))
    return 0;
  if (o->cells) {
    head.rows = SAVED_WORDS - 2 * o->cells;
    if (head.rows > o->room)
      head.rows = o->room;
    if (head.rows > o->rows)
      head.rows = o->rows;
  }
  if (head.known)
    memcpy(head.value, t->value, t->value_len);
  memcpy(bytes, &head, sizeof head);
  if (o->cells)
    return save_open(o, head.rows, bytes, len);
  for (i = 0; i < t->room; i++)
    if (t->table[i])
      len = save_words(bytes, len, &t->table[i], 1);
  return len;
}

static int saved_is_sound(const struct saved *head, size_t len) {
  return head->magic == SAVED_MAGIC && head->count <= SZ_TIES_SAVED_ROWS &&
         head->value_len <= VALUE_BYTES && head->phase <= ALIKE &&
         head->cells <= SAVED_WORDS / 4 && head->rows <= SAVED_WORDS &&
         (head->cells ? head->rows && !head->count : !head->rows) &&
         len == sizeof *head + (head->count + 2 * head->cells + head->rows) *
                                   sizeof(uint64_t);
}

/* Adds a saved hash. False: it is not valid, or there is no room. */
static int take_saved(struct sz_ties *t, uint64_t h) {
  if (!h || (t->count * 4 >= t->room * 3 && !grow(t)))
    return 0;
  *place_of(t->table, t->room, h) = h;
  t->count++;
  return 1;
}

/* Takes what was open. False: there is no room. */
static int take_open(struct sz_ties *t, const struct saved *head,
                     const char *words) {
  struct open *o = &t->open;
  size_t i, size = sizeof(uint64_t);
  if (!head->cells)
    return 1;
  if (!open_room(t, (size_t)head->cells) || head->rows > o->room)
    return 0;
  memcpy(o->values, words, 2 * o->cells * size);
  memcpy(o->hashes, words + 2 * o->cells * size, (size_t)head->rows * size);
  o->rows = head->rows;
  o->joined = 1;
  for (i = 0; i < o->cells; i++)
    if (o->from[i] >= o->rows) /* too many: more than there is room for */
      o->from[i] = o->rows - o->room - 1;
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
  if (!take_open(t, &head, bytes + sizeof head)) {
    sz_ties_free(t);
    return NULL;
  }
  for (i = 0; i < head.count; i++) {
    memcpy(&h, bytes + sizeof head + i * sizeof h, sizeof h);
    if (!take_saved(t, h)) {
      sz_ties_free(t);
      return NULL;
    }
  }
  return t;
}
