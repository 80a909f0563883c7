/* shape.c - the shape that the rows of one report share. */
#include "shape.h"

#include "number.h"

#include <string.h>

#define MAX_DIGITS 18 /* they always fit 64 bits */

void sz_shape_init(struct sz_shape *s, size_t max) {
  s->scanner = sz_scanner_of(0);
  sz_buffer_init(&s->text, max + SZ_GAPS_SPARE);
  sz_buffer_init(&s->gaps, max * sizeof(struct sz_gap));
  sz_buffer_init(&s->takers, max * sizeof(struct sz_taker));
  sz_buffer_init(&s->places, max * sizeof(struct sz_place));
  sz_buffer_init(&s->varied, max);
  s->failures = s->pause = 0;
  s->known = 0;
}

void sz_shape_free(struct sz_shape *s) {
  sz_buffer_free(&s->text);
  sz_buffer_free(&s->gaps);
  sz_buffer_free(&s->takers);
  sz_buffer_free(&s->places);
  sz_buffer_free(&s->varied);
}

/* ---- slots ---- */

/* Reads eight digits at once: pairs, then fours, then all. 0: not digits. */
static inline int read_eight(const char *s, int64_t *value) {
  const uint64_t zeros = UINT64_C(0x3030303030303030);
  uint64_t v = sz_word_load(s) - zeros; /* a byte below '0' becomes large */
  if ((v | (v + UINT64_C(0x7676767676767676))) & UINT64_C(0x8080808080808080))
    return 0;
  v = v * 10 + (v >> 8);
  v = (v & UINT64_C(0x00FF00FF00FF00FF)) * 100 +
      (v >> 16 & UINT64_C(0x00FF00FF00FF00FF));
  v = (v & UINT64_C(0x0000FFFF0000FFFF)) * 10000 +
      (v >> 32 & UINT64_C(0x0000FFFF0000FFFF));
  *value = *value * 100000000 + (int64_t)(v & 0xFFFFFFFF);
  return 1;
}

/* Reads a number of digits only, as most are. 0: not such a number. */
static inline int read_digits(const char *s, size_t len, int64_t *value) {
  int64_t v = 0;
  if (!len || len > MAX_DIGITS || (len > 1 && *s == '0'))
    return 0;
  for (; len >= 8; len -= 8, s += 8)
    if (!read_eight(s, &v))
      return 0;
  for (; len; len--, s++) {
    unsigned digit = (unsigned char)*s - (unsigned)'0';
    if (digit > 9)
      return 0;
    v = v * 10 + (int64_t)digit;
  }
  *value = v;
  return 1;
}

/* Fills a slot with a number in any form. 0: it is none. */
static int fill_number(struct sz_slot *slot, const char *s) {
  struct sz_number n;
  sz_number_read(s, slot->len, &n);
  slot->type = n.kind == SZ_NUMBER_INTEGER ? SZ_SLOT_INTEGER : SZ_SLOT_NUMBER;
  slot->integer = n.integer;
  return n.kind != SZ_NUMBER_BAD;
}

static inline int fill(struct sz_slot *slot, const char *text, size_t at,
                       size_t len, int is_number) {
  slot->at = at;
  slot->len = len;
  slot->type = is_number ? SZ_SLOT_INTEGER : SZ_SLOT_STRING;
  return !is_number || read_digits(text + at, len, &slot->integer) ||
         fill_number(slot, text + at);
}

int sz_slot_fill(struct sz_slot *slot, const char *text, size_t at, size_t len,
                 int is_number) {
  return fill(slot, text, at, len, is_number);
}

int sz_slots_equal(const struct sz_slot *a, const char *a_text,
                   const struct sz_slot *b, const char *b_text, size_t count) {
  size_t i;
  for (i = 0; i < count; i++) {
    if (a[i].type != b[i].type)
      return 0;
    if (a[i].type != SZ_SLOT_ABSENT &&
        (a[i].len != b[i].len ||
         memcmp(a_text + a[i].at, b_text + b[i].at, a[i].len) != 0))
      return 0;
  }
  return 1;
}

/* ---- learning ---- */

/* A walk over a row's text, from string value to string value. */
struct walk {
  const char *text;
  size_t len, at;
  size_t depth, cell;
  int key;       /* the member whose value comes next: sz_member, or none */
  unsigned seen; /* members of this cell so far: 1 << member */
  int odd;       /* a key has escapes (so it may be any), or comes twice */
};
#define MAX_FAILURES 10
#define NO_MEMBER (-1)
#define OTHER_MEMBER 3

/* Offset of the quote that ends the string whose first byte is at 'at'. */
static size_t string_end(const struct walk *w, size_t at) {
  while (at < w->len && w->text[at] != '"')
    at += w->text[at] == '\\' ? 2 : 1;
  return at;
}

static int is_blank(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static int is_key(const struct walk *w, size_t end) {
  for (end++; end < w->len && is_blank(w->text[end]); end++)
    ;
  return end < w->len && w->text[end] == ':';
}

static int member_of(const char *s, size_t len) {
  if (len == 8 && !memcmp(s, "rawValue", 8))
    return SZ_RAW;
  if (len == 5 && !memcmp(s, "label", 5))
    return SZ_LABEL;
  if (len == 5 && !memcmp(s, "title", 5))
    return SZ_TITLE;
  return OTHER_MEMBER;
}

static void pass_byte(struct walk *w) {
  char c = w->text[w->at++];
  if (c == '{' || c == '[')
    w->depth++;
  else if (c == '}' || c == ']')
    w->depth--;
  else if (c == ',' && w->depth == 1)
    w->cell++;
  if (w->depth == 1)
    w->seen = 0;
}

/*
** Handles a cell's key. If a member comes twice, the last value counts, of any
** type: such a row is left to the general reader.
*/
static void see_key(struct walk *w, const char *s, size_t len) {
  w->key = w->depth == 2 ? member_of(s, len) : OTHER_MEMBER;
  w->odd |= memchr(s, '\\', len) != NULL;
  if (w->key >= OTHER_MEMBER)
    return;
  w->odd |= (w->seen >> w->key) & 1;
  w->seen |= 1u << w->key;
}

/* Finds the next string value: '*from' its first byte, '*end' its quote. */
static int next_value(struct walk *w, size_t *from, size_t *end) {
  while (w->at < w->len) {
    if (w->text[w->at] != '"') {
      pass_byte(w);
      continue;
    }
    *from = w->at + 1;
    *end = string_end(w, *from);
    w->at = *end + 1;
    if (!is_key(w, *end))
      return 1;
    see_key(w, w->text + *from, *end - *from);
  }
  return 0;
}

static int add(struct sz_buffer *b, const void *data, size_t len) {
  return sz_buffer_append(b, data, len) == SZ_BUFFER_OK;
}

/*
** Adds a taker for each want of the value just found, which is value 'n'.
** Returns how many; -1: no memory.
*/
static int add_takers(struct sz_shape *s, const struct walk *w,
                      const struct sz_columns *c, size_t n) {
  struct sz_taker taker = {0};
  size_t i;
  int count = 0;
  if (w->depth != 2 || w->key >= OTHER_MEMBER || w->cell >= c->count)
    return 0;
  for (i = c->first_want[w->cell]; i < c->first_want[w->cell + 1]; i++) {
    if ((int)c->wants[i].member != w->key)
      continue;
    taker.value = n;
    taker.want = i;
    taker.numeric = c->wants[i].numeric;
    taker.again = count++ > 0;
    if (!add(&s->takers, &taker, sizeof taker))
      return -1;
  }
  return count;
}

/* One value in both rows; 'like' as in struct sz_gap. */
struct pair {
  const char *a, *b;
  size_t a_len, b_len, cell, like;
};

static int is_same(const char *a, size_t a_len, const char *b, size_t b_len) {
  return a_len == b_len && !memcmp(a, b, a_len);
}

/* Whether value 'n' varies: it differs in these rows, or did before. */
static int varies(struct sz_shape *s, size_t n, const struct pair *v) {
  if (n >= s->varied.len && sz_buffer_append(&s->varied, "", 1))
    return 1;
  if (!is_same(v->a, v->a_len, v->b, v->b_len))
    s->varied.data[n] = 1;
  return s->varied.data[n];
}

/* Adds the last gap, which ends with the row. Makes room for the places. */
static int end_gaps(struct sz_shape *s, struct sz_gap *gap, size_t len) {
  size_t room;
  gap->len = len - gap->at;
  if (!add(&s->gaps, gap, sizeof *gap))
    return 0;
  s->ngaps = s->gaps.len / sizeof *gap;
  s->places.len = 0;
  room = s->ngaps * sizeof(struct sz_place);
  if (sz_buffer_reserve(&s->places, room) != SZ_BUFFER_OK)
    return 0;
  memset(s->places.data, 0, room);
  return 1;
}

/* Whether two rows have the same bytes between two values. */
static int same_gap(const struct walk *a, size_t a_from, size_t a_to,
                    const struct walk *b, size_t b_from, size_t b_to) {
  return a_to - a_from == b_to - b_from &&
         !memcmp(a->text + a_from, b->text + b_from, a_to - a_from);
}

#define EARLIER 4 /* how many values to compare with */

/* An earlier value of the cell that equals value 'n' in both rows; or 'n'. */
static size_t find_like(struct pair *list, struct pair value, size_t n) {
  size_t i;
  value.like = n;
  for (i = 0; i < EARLIER; i++) {
    const struct pair *e = &list[i];
    if (e->a && e->cell == value.cell &&
        is_same(e->a, e->a_len, value.a, value.a_len) &&
        is_same(e->b, e->b_len, value.b, value.b_len))
      value.like = e->like;
  }
  list[n % EARLIER] = value;
  return value.like;
}

/*
** Cuts row 'b' into gaps and values, by comparison with row 'a' before it. 0:
** the rows differ in more than their values, or a key has escapes or comes
** twice.
*/
static int cut(struct sz_shape *s, struct walk *a, struct walk *b,
               const struct sz_columns *c) {
  size_t a_gap = 0, b_gap = 0, n = 0, values = 0;
  struct sz_gap gap = {0, 0, 0};
  struct pair earlier[EARLIER] = {{0}};
  s->gaps.len = s->takers.len = 0;
  for (;;) {
    size_t a_from = a->len, a_end = a->len, b_from = b->len, b_end = b->len;
    int more = next_value(b, &b_from, &b_end), takers;
    struct pair value;
    if (b->odd || next_value(a, &a_from, &a_end) != more ||
        !same_gap(a, a_gap, a_from, b, b_gap, b_from))
      return 0;
    if (!more)
      return end_gaps(s, &gap, b->len);
    a_gap = a_end;
    b_gap = b_end;
    value.a = a->text + a_from;
    value.a_len = a_end - a_from;
    value.b = b->text + b_from;
    value.b_len = b_end - b_from;
    value.cell = b->cell;
    takers = add_takers(s, b, c, values);
    if (!varies(s, n++, &value) && !takers)
      continue; /* constant and not wanted: part of the gap */
    gap.len = b_from - gap.at;
    gap.like = find_like(earlier, value, values++);
    if (takers < 0 || !add(&s->gaps, &gap, sizeof gap))
      return 0;
    gap.at = b_end;
  }
}

static struct walk walk_of(const char *text, size_t len) {
  struct walk w;
  w.text = text;
  w.len = len;
  w.at = w.depth = w.cell = 0;
  w.key = NO_MEMBER;
  w.seen = 0;
  w.odd = 0;
  return w;
}

/* After failures waits longer and longer, so that tries do not cost much. */
static void rest(struct sz_shape *s) {
  if (s->failures < MAX_FAILURES)
    s->failures++;
  s->pause = (1u << s->failures) - 2; /* 0, 2, 6, 14 ... rows */
}

void sz_shape_learn(struct sz_shape *s, const char *text, size_t len,
                    size_t row_at, const struct sz_columns *c) {
  struct walk a = walk_of(s->text.data, s->text.len);
  struct walk b = walk_of(text, len);
  int two = s->text.len > 0;
  s->known = 0;
  if (s->pause) {
    s->pause--;
    s->text.len = 0; /* the next try needs two consecutive rows */
    return;
  }
  s->known = two && s->row_at == row_at && cut(s, &a, &b, c);
  if (s->known)
    s->failures = 0;
  else if (two)
    rest(s);
  s->text.len = 0;
  s->row_at = row_at;
  if (sz_buffer_append(&s->text, text, len) != SZ_BUFFER_OK ||
      sz_buffer_reserve(&s->text, SZ_GAPS_SPARE) != SZ_BUFFER_OK) {
    s->known = 0;
    s->text.len = 0;
    return;
  }
  memset(s->text.data + len, 0, SZ_GAPS_SPARE);
}

/* ---- matching ---- */

size_t sz_shape_match(const struct sz_shape *s, const char *p, size_t left,
                      struct sz_slot *slots, size_t max_row) {
  const struct sz_gap *gaps = (const void *)s->gaps.data;
  const struct sz_taker *taker = (const void *)s->takers.data;
  size_t takers = s->takers.len / sizeof *taker;
  struct sz_place *places = (void *)s->places.data;
  size_t kept = 0;
  size_t len =
      s->scanner->cross(gaps, s->ngaps, s->text.data, p, left, places);
  if (!len || len == SZ_CUT)
    return len;
  for (; takers; takers--, taker++) { /* 'taker' is NULL if there are none */
    const struct sz_place *place = &places[taker->value];
    kept += taker->again ? 0 : place->len;
    if (!fill(&slots[taker->want], p, place->end - place->len, place->len,
              taker->numeric))
      return 0; /* the general reader reports the error */
  }
  return kept > max_row ? 0 : len;
}
