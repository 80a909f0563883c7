/* cross.c - see cross.h. */
#include "cross.h"

#include "json.h"

#include <string.h>

#define BATCH 64 /* marks that are computed at once */

void sz_cross_init(struct sz_cross *x) {
  memset(x, 0, sizeof *x);
  x->scanner = sz_scanner_of(0);
  /* One more for the end of a text, which is less than 64 bytes. */
  sz_buffer_init(&x->list,
                 (SZ_CROSS_MAX / 64 + 2 * BATCH) * sizeof(struct sz_mark));
}

void sz_cross_free(struct sz_cross *x) {
  sz_buffer_free(&x->list);
}

void sz_cross_begin(struct sz_cross *x) {
  x->count = x->first = x->looked = 0;
  memset(&x->state, 0, sizeof x->state);
}

/* ---- marks ---- */

static struct sz_mark *marks_of(const struct sz_cross *x) {
  return (void *)x->list.data;
}

/* The next row begins 'len' bytes later. */
static void pass(struct sz_cross *x, uint64_t len) {
  x->position += len;
  if (len > x->count * 64 - x->first) { /* its marks are not there */
    sz_cross_begin(x);
  } else if (len) {
    x->first += (size_t)len;
    x->looked = x->first / 64;
  }
}

/* Drops the marks before the row. */
static void drop(struct sz_cross *x) {
  size_t gone = x->first / 64;
  if (!gone)
    return;
  x->count -= gone;
  memmove(marks_of(x), marks_of(x) + gone, x->count * sizeof(struct sz_mark));
  x->first -= gone * 64;
  x->looked -= gone;
}

/* Marks up to BATCH times 64 bytes more. 0: there are not so many bytes. */
static size_t mark_more(struct sz_cross *x, const char *text, size_t len,
                        unsigned wanted) {
  size_t done = x->count * 64 - x->first;
  size_t blocks = (len - done) / 64;
  if (blocks > BATCH)
    blocks = BATCH;
  x->scanner->mark(&x->state, text + done, blocks, wanted,
                   marks_of(x) + x->count);
  x->count += blocks;
  return blocks;
}

/*
** Marks the bytes at the text's end. As more may follow, they are marked again
** then. The bytes after them are blanks, which mark nothing.
*/
static void mark_rest(const struct sz_cross *x, const char *text, size_t len,
                      unsigned wanted) {
  struct sz_mark_state state = x->state;
  size_t done = x->count * 64 - x->first;
  char rest[64];
  memset(rest, ' ', sizeof rest);
  memcpy(rest, text + done, len - done);
  x->scanner->mark(&state, rest, 1, wanted, marks_of(x) + x->count);
}

/* Room for the next marks. 0: the row is too long, or there is no memory. */
static int make_room(struct sz_cross *x) {
  size_t need;
  drop(x);
  if (x->count > SZ_CROSS_MAX / 64)
    return 0;
  need = (x->count + BATCH + 1) * sizeof(struct sz_mark);
  x->list.len = 0;
  return sz_buffer_reserve(&x->list, need) == SZ_BUFFER_OK;
}

/* ---- a row's beginning and end ---- */

static int is_blank(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static size_t pass_blanks(const char *text, size_t at, size_t len) {
  while (at < len && is_blank(text[at]))
    at++;
  return at;
}

/* 1: the row's bracket is at '*from'; else as sz_cross_row. */
static size_t row_begin(const char *text, size_t len, int comma,
                        size_t *from) {
  size_t at = pass_blanks(text, 0, len);
  if (comma && at < len) {
    if (text[at] != ',')
      return 0;
    at = pass_blanks(text, at + 1, len);
  }
  *from = at;
  return at == len ? SZ_CUT : text[at] == '[';
}

/*
** Whether the row ends within the 64 bytes of a mark, of which 'live' are
** looked at: then '*bit' tells where. SZ_CUT: it does not end here. 0: it is
** odd.
*/
static size_t end_within(const struct sz_mark *mark, uint64_t live,
                         size_t *bit) {
  uint64_t end = mark->end & live;
  if (!end)
    return mark->odd & live ? 0 : SZ_CUT;
  if (mark->odd & live & (end ^ (end - 1)))
    return 0;
  *bit = (size_t)__builtin_ctzll(end);
  return 1;
}

/* The bits of mark 'n' from bit 'from' of the list on. */
static uint64_t live_from(size_t n, size_t from) {
  return n > from / 64   ? UINT64_MAX
         : n < from / 64 ? 0
                         : UINT64_MAX << from % 64;
}

/* Finds the end of a row whose first cell is at bit 'from'. */
static size_t find_end(struct sz_cross *x, const char *text, size_t len,
                       unsigned wanted, size_t from, size_t *end) {
  size_t found = SZ_CUT, bit;
  for (;;) {
    const struct sz_mark *marks = marks_of(x);
    for (; x->looked < x->count; x->looked++) {
      found = end_within(marks + x->looked, live_from(x->looked, from), &bit);
      if (found != SZ_CUT)
        break;
    }
    if (found != SZ_CUT || x->count * 64 - x->first >= len)
      break;
    from -= x->first - x->first % 64;
    if (!make_room(x))
      return 0;
    if (!mark_more(x, text, len, wanted)) {
      mark_rest(x, text, len, wanted);
      found =
          end_within(marks_of(x) + x->count, live_from(x->count, from), &bit);
      break;
    }
  }
  if (found == 1)
    *end = x->looked * 64 + bit - x->first;
  return found;
}

/* ---- values ---- */

/* A walk over a row that is complete. */
struct walk {
  const struct sz_mark *marks;
  size_t first; /* the bit of text[0] */
  const char *text;
  size_t end; /* offset of the row's last bracket */
  const struct sz_columns *columns;
  size_t cell; /* cells begun */
  struct sz_slot *slots;
  int escaped;
};

/* The offset of the quote that ends a string whose first byte is at 'at'. */
static size_t string_end(const struct walk *w, size_t at) {
  size_t bit = w->first + at, n = bit / 64;
  uint64_t quote = w->marks[n].quote & UINT64_MAX << bit % 64;
  while (!quote)
    quote = w->marks[++n].quote;
  return n * 64 + (size_t)__builtin_ctzll(quote) - w->first;
}

/* Whether there is a backslash in a text of the row. */
static int has_slash(const struct walk *w, size_t at, size_t end) {
  size_t from = w->first + at, to = w->first + end, n = from / 64;
  uint64_t slash = w->marks[n].slash & UINT64_MAX << from % 64;
  for (; n < to / 64; slash = w->marks[++n].slash)
    if (slash)
      return 1;
  return (slash & ~(UINT64_MAX << to % 64)) != 0;
}

static int is_digit(char c) {
  return c >= '0' && c <= '9';
}

static size_t pass_digits(const char *s, size_t at) {
  while (is_digit(s[at]))
    at++;
  return at;
}

/*
** The end of the number at the beginning of 's', which something ends that is
** no part of a number. 0: it is none.
*/
static size_t number_end(const char *s) {
  size_t at = *s == '-', from = at;
  at = s[at] == '0' ? at + 1 : pass_digits(s, at);
  if (at == from)
    return 0;
  if (s[at] == '.') {
    from = at + 1;
    at = pass_digits(s, from);
    if (at == from)
      return 0;
  }
  if (s[at] == 'e' || s[at] == 'E') {
    from = at + 1 + (s[at + 1] == '+' || s[at + 1] == '-');
    at = pass_digits(s, from);
    if (at == from)
      return 0;
  }
  return at;
}

/*
** The length of the scalar at the beginning of 's': the row's bracket is at
** s[left]. 0: it is none.
*/
static size_t scalar_length(const char *s, size_t left) {
  size_t len;
  if (left > 4 && !memcmp(s, "null", 4))
    len = 4;
  else if (left > 4 && !memcmp(s, "true", 4))
    len = 4;
  else if (left > 5 && !memcmp(s, "false", 5))
    len = 5;
  else
    len = number_end(s);
  return len && (s[len] == ',' || s[len] == '}' || is_blank(s[len])) ? len : 0;
}

static int is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Whether the escape with this letter is valid; it is within a string. */
static int escape_is_valid(const char *s) {
  if (*s != 'u')
    return *s && strchr("/bfnrt", *s) != NULL;
  return is_hex(s[1]) && is_hex(s[2]) && is_hex(s[3]) && is_hex(s[4]);
}

/* Checks the scalar or escape at offset 'at'. */
static int check_at(const struct walk *w, size_t at) {
  const char *s = w->text + at;
  if (s[-1] == '\\')
    return escape_is_valid(s);
  return scalar_length(s, w->end - at) > 0;
}

/* ---- members ---- */

/* The member whose key has its telling byte at 'at'; SZ_TITLE + 1: none. */
static enum sz_member member_at(const struct walk *w, size_t at,
                                size_t *after) {
  const char *s = w->text + at;
  size_t left = w->end - at;
  if (*s == 'V' && left > 5 && !memcmp(s - 3, "rawValue\"", 9)) {
    *after = at + 6;
    return SZ_RAW;
  }
  if (*s == 'b' && left > 3 && !memcmp(s - 2, "label\"", 6)) {
    *after = at + 4;
    return SZ_LABEL;
  }
  if (*s == 'i' && left > 4 && !memcmp(s - 1, "title\"", 6)) {
    *after = at + 5;
    return SZ_TITLE;
  }
  return (enum sz_member)(SZ_TITLE + 1);
}

/* The offset of a member's value; 'at' is behind its key. */
static size_t value_at(const struct walk *w, size_t at) {
  if (w->text[at] != ':')
    at = pass_blanks(w->text, at, w->end);
  at++;
  return (unsigned char)w->text[at] > ' ' ? at
                                          : pass_blanks(w->text, at, w->end);
}

/* Fills the slot of a want. 0: the general reader must read the row. */
static int fill_string(struct walk *w, const struct sz_want *want,
                       struct sz_slot *slot, size_t at) {
  size_t end = string_end(w, at);
  if (has_slash(w, at, end)) {
    w->escaped = 1;
    if (want->numeric)
      return 0;
  }
  return sz_slot_fill(slot, w->text, at, end - at, want->numeric);
}

static int fill_scalar(struct walk *w, const struct sz_want *want,
                       struct sz_slot *slot, size_t at) {
  char c = w->text[at];
  if (c == 'n') {
    slot->type = SZ_SLOT_ABSENT;
    return 1;
  }
  if (c != '-' && !is_digit(c))
    return 0;
  return sz_slot_fill(slot, w->text, at,
                      scalar_length(w->text + at, w->end - at),
                      want->numeric || want->member == SZ_RAW);
}

/* A key that may be wanted. */
static int see_key(struct walk *w, size_t at) {
  const struct sz_columns *c = w->columns;
  size_t i = c->first_want[w->cell - 1], end = c->first_want[w->cell],
         after = 0;
  enum sz_member member;
  if (i == end)
    return 1;
  member = member_at(w, at, &after);
  for (; i < end; i++) {
    size_t value;
    if (c->wants[i].member != member)
      continue;
    value = value_at(w, after);
    if (w->text[value] == '"'
            ? !fill_string(w, &c->wants[i], &w->slots[i], value + 1)
            : !fill_scalar(w, &c->wants[i], &w->slots[i], value))
      return 0;
  }
  return 1;
}

/* A brace, bracket, or a byte of a key. */
static int see_point(struct walk *w, size_t at) {
  char c = w->text[at];
  if (c == '{')
    return w->cell++ < w->columns->count;
  return c != '[' && see_key(w, at);
}

/* Walks over the marks of a row whose first cell is at 'from'. */
static int walk_row(struct walk *w, size_t from) {
  size_t n = (w->first + from) / 64, last = (w->first + w->end) / 64;
  uint64_t live = UINT64_MAX << (w->first + from) % 64;
  for (; n <= last; n++) {
    size_t base = n * 64 - w->first;
    uint64_t point, check;
    if (n == last)
      live &= ~(UINT64_MAX << (w->first + w->end) % 64);
    check = w->marks[n].check & live;
    point = w->marks[n].point & live;
    for (; check; check &= check - 1)
      if (!check_at(w, base + (size_t)__builtin_ctzll(check)))
        return 0;
    for (; point; point &= point - 1)
      if (!see_point(w, base + (size_t)__builtin_ctzll(point)))
        return 0;
    live = UINT64_MAX;
  }
  return w->cell == w->columns->count;
}

size_t sz_cross_row(struct sz_cross *x, const char *text, size_t len,
                    uint64_t position, int comma, const struct sz_columns *c,
                    struct sz_slot *slots, struct sz_crossed *row) {
  struct walk w;
  size_t found;
  /*
  ** The general reader may have passed rows. The marks after them hold: what
  ** it has passed is JSON.
  */
  pass(x, position - x->position);
  found = row_begin(text, len, comma, &row->from);
  if (found != 1)
    return found;
  found = find_end(x, text, len, c->members, x->first + row->from + 1, &w.end);
  if (found != 1)
    return found;
  w.marks = marks_of(x);
  w.first = x->first;
  w.text = text;
  w.columns = c;
  w.cell = 0;
  w.slots = slots;
  w.escaped = 0;
  if (!walk_row(&w, row->from + 1))
    return 0;
  row->len = w.end + 1;
  row->escaped = w.escaped;
  pass(x, row->len);
  return 1;
}
