/* shape.c - the shape that the rows of one report share. */
#include "shape.h"

#include "number.h"
#include "scan.h"

#include <string.h>

#define MAX_DIGITS 18 /* they always fit 64 bits */

void sz_shape_init(struct sz_shape *s, size_t max) {
  sz_buffer_init(&s->text, max);
  sz_buffer_init(&s->pieces, max * 16);
  sz_buffer_init(&s->varied, max);
  s->failures = s->pause = 0;
  s->known = 0;
}

void sz_shape_free(struct sz_shape *s) {
  sz_buffer_free(&s->text);
  sz_buffer_free(&s->pieces);
  sz_buffer_free(&s->varied);
}

/* ---- slots ---- */

/* Most counters are a few digits and nothing else. 0: something else. */
static int read_digits(const char *s, size_t len, int64_t *value) {
  size_t i;
  int64_t v = 0;
  if (!len || len > MAX_DIGITS || (len > 1 && *s == '0'))
    return 0;
  for (i = 0; i < len; i++) {
    unsigned digit = (unsigned char)s[i] - (unsigned)'0';
    if (digit > 9)
      return 0;
    v = v * 10 + (int64_t)digit;
  }
  *value = v;
  return 1;
}

int sz_slot_fill(struct sz_slot *slot, const char *text, size_t at, size_t len,
                 int is_number) {
  struct sz_number n;
  slot->at = at;
  slot->len = len;
  slot->type = SZ_SLOT_STRING;
  if (!is_number)
    return 1;
  if (read_digits(text + at, len, &slot->integer)) {
    slot->type = SZ_SLOT_INTEGER;
    return 1;
  }
  sz_number_read(text + at, len, &n);
  slot->type = n.kind == SZ_NUMBER_INTEGER ? SZ_SLOT_INTEGER : SZ_SLOT_NUMBER;
  slot->integer = n.integer;
  return n.kind != SZ_NUMBER_BAD;
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
  int key; /* the member whose value comes next: sz_member, or none */
  int odd; /* a key has escapes: it may be any member */
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
}

/* The next string value: its first byte's offset, and '*end' at its quote. */
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
    w->odd |= memchr(w->text + *from, '\\', *end - *from) != NULL;
    w->key = w->depth == 2 ? member_of(w->text + *from, *end - *from)
                           : OTHER_MEMBER;
  }
  return 0;
}

/* The wants that the value just found is for. */
static void find_wants(const struct walk *w, const struct sz_columns *c,
                       struct sz_piece *piece) {
  size_t i;
  piece->want = piece->nwants = 0;
  if (w->depth != 2 || w->key >= OTHER_MEMBER || w->cell >= c->count)
    return;
  for (i = c->first_want[w->cell]; i < c->first_want[w->cell + 1]; i++) {
    if ((int)c->wants[i].member != w->key)
      continue;
    if (!piece->nwants++)
      piece->want = i;
  }
}

/* Whether value 'n' varies: it differs here, or has differed before. */
static int varies(struct sz_shape *s, size_t n, const char *a, size_t alen,
                  const char *b, size_t blen) {
  if (n >= s->varied.len && sz_buffer_append(&s->varied, "", 1))
    return 1;
  if (alen != blen || memcmp(a, b, alen) != 0)
    s->varied.data[n] = 1;
  return s->varied.data[n];
}

static int add_piece(struct sz_shape *s, struct sz_piece *piece) {
  return sz_buffer_append(&s->pieces, (const char *)piece, sizeof *piece) ==
         SZ_BUFFER_OK;
}

/* Whether the bytes of two rows between their values are the same. */
static int same_gap(const struct walk *a, size_t a_from, size_t a_to,
                    const struct walk *b, size_t b_from, size_t b_to) {
  return a_to - a_from == b_to - b_from &&
         !memcmp(a->text + a_from, b->text + b_from, a_to - a_from);
}

/*
** Cuts row 'b' into pieces, where 'a' is the row before with the same text
** between its values. 0: the rows differ in more than their values, or a
** key has escapes.
*/
static int cut(struct sz_shape *s, struct walk *a, struct walk *b,
               const struct sz_columns *c) {
  size_t a_gap = 0, b_gap = 0, n = 0;
  struct sz_piece piece = {0, 0, 0, 0};
  s->pieces.len = 0;
  for (;;) {
    size_t a_from = a->len, a_end = a->len, b_from = b->len, b_end = b->len;
    int more = next_value(b, &b_from, &b_end);
    if (b->odd || next_value(a, &a_from, &a_end) != more ||
        !same_gap(a, a_gap, a_from, b, b_gap, b_from))
      return 0;
    if (!more)
      break;
    a_gap = a_end;
    b_gap = b_end;
    find_wants(b, c, &piece);
    if (!varies(s, n++, a->text + a_from, a_end - a_from, b->text + b_from,
                b_end - b_from) &&
        !piece.nwants)
      continue; /* the same in both: part of the bytes between */
    piece.len = b_from - piece.at;
    if (!add_piece(s, &piece))
      return 0;
    piece.at = b_end;
  }
  piece.len = b->len - piece.at;
  piece.nwants = SZ_LAST_PIECE;
  return add_piece(s, &piece);
}

static struct walk walk_of(const char *text, size_t len) {
  struct walk w;
  w.text = text;
  w.len = len;
  w.at = w.depth = w.cell = 0;
  w.key = NO_MEMBER;
  w.odd = 0;
  return w;
}

/* Rows that have nothing in common should not cost a try each. */
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
    s->text.len = 0; /* the next try needs two rows that follow each other */
    return;
  }
  s->known = two && s->row_at == row_at && cut(s, &a, &b, c);
  if (s->known)
    s->failures = 0;
  else if (two)
    rest(s);
  s->text.len = 0;
  s->row_at = row_at;
  if (sz_buffer_append(&s->text, text, len) != SZ_BUFFER_OK)
    s->known = s->text.len = 0;
}

/* ---- matching ---- */

/*
** Length of the string text at 'p': up to its quote. 'left' when it does not
** end here, or holds what needs the general reader (escape, control byte).
*/
static size_t plain_length(const char *p, size_t left) {
  size_t at = sz_scan_plain(p, left);
  return at < left && p[at] == '"' ? at : left;
}

static int fill_wants(const struct sz_piece *piece, const struct sz_columns *c,
                      struct sz_slot *slots, const char *p, size_t at,
                      size_t len) {
  size_t i;
  for (i = piece->want; i < piece->want + piece->nwants; i++)
    if (!sz_slot_fill(&slots[i], p, at, len, c->wants[i].numeric))
      return 0; /* the general reader says what is wrong */
  return 1;
}

size_t sz_shape_match(const struct sz_shape *s, const char *p, size_t left,
                      const struct sz_columns *c, struct sz_slot *slots,
                      size_t max_row) {
  const struct sz_piece *piece = (const void *)s->pieces.data;
  size_t at = 0, kept = 0;
  for (;; piece++) {
    size_t len;
    if (piece->len > left - at ||
        memcmp(p + at, s->text.data + piece->at, piece->len) != 0)
      return 0;
    at += piece->len;
    if (piece->nwants == SZ_LAST_PIECE)
      return at;
    len = plain_length(p + at, left - at);
    if (len == left - at)
      return 0;
    if (piece->nwants) {
      kept += len;
      if (kept > max_row || !fill_wants(piece, c, slots, p, at, len))
        return 0;
    }
    at += len;
  }
}
