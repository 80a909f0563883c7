/* cross.c - see cross.h. */
#include "cross.h"

#include "token.h"

#include <stdlib.h>
#include <string.h>

#define KINDS 6            /* arrays of masks */
#define LONGEST_BLANKS 256 /* before a row, with the comma */

void sz_cross_init(struct sz_cross *x) {
  memset(x, 0, sizeof *x);
  x->scanner = sz_scanner_of(0);
}

void sz_cross_free(struct sz_cross *x) {
  free(x->marks.quote);
  memset(&x->marks, 0, sizeof x->marks);
  x->room = 0;
  sz_guess_free(&x->guess);
}

/* No marks are there. */
static void begin(struct sz_cross *x) {
  x->count = x->first = x->looked = 0;
  memset(&x->state, 0, sizeof x->state);
}

void sz_cross_begin(struct sz_cross *x) {
  begin(x);
  sz_guess_begin(&x->guess);
}

/* ---- marks ---- */

static void lay_out(struct sz_marks *m, uint64_t *masks, size_t room) {
  m->quote = masks;
  m->slash = masks + room;
  m->event = masks + room * 2;
  m->check = masks + room * 3;
  m->stop = masks + room * 4;
  m->odd = masks + room * 5;
}

/* The next row begins 'len' bytes later. */
static void pass(struct sz_cross *x, uint64_t len) {
  x->position += len;
  if (len > x->count * 64 - x->first) { /* its marks are not there */
    begin(x);
  } else if (len) {
    x->first += (size_t)len;
    x->looked = x->first / 64;
  }
}

/* Moves the masks of the row that is being looked at. */
static void move(const struct sz_cross *x, const struct sz_marks *to) {
  size_t gone = x->first / 64, size = (x->count - gone) * sizeof(uint64_t);
  if (!size)
    return;
  memmove(to->quote, x->marks.quote + gone, size);
  memmove(to->slash, x->marks.slash + gone, size);
  memmove(to->event, x->marks.event + gone, size);
  memmove(to->check, x->marks.check + gone, size);
  memmove(to->stop, x->marks.stop + gone, size);
  memmove(to->odd, x->marks.odd + gone, size);
}

static int grow(struct sz_cross *x, size_t room) {
  struct sz_marks grown;
  uint64_t *masks = malloc(room * KINDS * sizeof *masks);
  if (!masks)
    return 0;
  lay_out(&grown, masks, room);
  move(x, &grown);
  free(x->marks.quote);
  x->marks = grown;
  x->room = room;
  return 1;
}

/*
** Makes room for a batch, and for the rest of a text. 0: the row is too long,
** or there is no memory.
*/
static int make_room(struct sz_cross *x) {
  size_t gone = x->first / 64, need = x->count - gone + SZ_BATCH + 1;
  if (need > SZ_CROSS_MAX / 64 + 2 * SZ_BATCH)
    return 0;
  if (need <= x->room)
    move(x, &x->marks);
  else if (!grow(x, need * 2))
    return 0;
  x->count -= gone;
  x->first -= gone * 64;
  x->looked -= gone;
  return 1;
}

static void mark(struct sz_cross *x, struct sz_mark_state *state,
                 const char *p, size_t blocks, unsigned wanted) {
  struct sz_marks m = x->marks;
  sz_marks_pass(&m, x->count);
  x->scanner->mark(state, p, blocks, wanted, &m);
}

/* Marks up to a batch more. 0: there are not so many bytes. */
static size_t mark_more(struct sz_cross *x, const char *text, size_t len,
                        unsigned wanted) {
  size_t done = x->count * 64 - x->first;
  size_t blocks = (len - done) / 64;
  if (blocks > SZ_BATCH)
    blocks = SZ_BATCH;
  mark(x, &x->state, text + done, blocks, wanted);
  x->count += blocks;
  return blocks;
}

/*
** Marks the bytes at the text's end. As more may follow, they are marked again
** then. The bytes after them are blanks, which mark nothing.
*/
static void mark_rest(struct sz_cross *x, const char *text, size_t len,
                      unsigned wanted) {
  struct sz_mark_state state = x->state;
  size_t done = x->count * 64 - x->first;
  char rest[64];
  memset(rest, ' ', sizeof rest);
  memcpy(rest, text + done, len - done);
  mark(x, &state, rest, 1, wanted);
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

/*
** 1: the row's bracket is at '*from'; else as sz_cross_row. What is before it
** is looked at again whenever more bytes come, so it must be short.
*/
static size_t row_begin(const char *text, size_t len, int comma,
                        size_t *from) {
  size_t end = len < LONGEST_BLANKS ? len : LONGEST_BLANKS;
  size_t at = pass_blanks(text, 0, end);
  if (comma && at < end) {
    if (text[at] != ',')
      return 0;
    at = pass_blanks(text, at + 1, end);
  }
  *from = at;
  if (at == end)
    return end == len ? SZ_CUT : 0;
  return text[at] == '[';
}

/* The bits of mask 'n', which is not before bit 'from', from that bit on. */
static uint64_t live_from(size_t n, size_t from) {
  return n > from / 64 ? UINT64_MAX : UINT64_MAX << from % 64;
}

/*
** Whether the row's end, or an odd byte, is in one of the masks up to 'count':
** then x->looked tells in which.
*/
static int has_stop(struct sz_cross *x, size_t count, size_t from) {
  if (x->looked <= from / 64) {
    x->looked = from / 64;
    if (x->looked >= count)
      return 0;
    if (x->marks.stop[x->looked] & live_from(x->looked, from))
      return 1;
    x->looked++;
  }
  for (; x->looked < count; x->looked++)
    if (x->marks.stop[x->looked])
      return 1;
  return 0;
}

/* Finds the end of a row whose first cell is at bit 'from'. */
static size_t find_end(struct sz_cross *x, const char *text, size_t len,
                       unsigned wanted, size_t from, size_t *end) {
  uint64_t stop;
  size_t n;
  while (!has_stop(x, x->count, from)) {
    if (x->count * 64 - x->first >= len)
      return SZ_CUT;
    from -= x->first - x->first % 64;
    if (!make_room(x))
      return 0;
    if (!mark_more(x, text, len, wanted)) {
      mark_rest(x, text, len, wanted);
      if (has_stop(x, x->count + 1, from))
        break;
      x->looked = x->count;
      return SZ_CUT;
    }
  }
  n = x->looked;
  stop = x->marks.stop[n] & live_from(n, from);
  stop &= 0 - stop;
  *end = n * 64 + (size_t)__builtin_ctzll(stop) - x->first;
  return !(x->marks.odd[n] & stop);
}

/* ---- values ---- */

/* A walk over a row that is complete. */
struct walk {
  const struct sz_marks *marks;
  size_t first; /* the bit of text[0] */
  const char *text;
  size_t end; /* offset of the row's last bracket */
  const struct sz_columns *columns;
  size_t cell;           /* cells begun */
  size_t want, want_end; /* of the last one */
  struct sz_slot *slots;
  struct sz_raw *raws; /* may be NULL */
  size_t from;         /* the row's bracket */
  int escaped;
};

/* The offset of the quote that ends a string whose first byte is at 'at'. */
static size_t string_end(const struct walk *w, size_t at) {
  size_t bit = w->first + at, n = bit / 64;
  uint64_t quote = w->marks->quote[n] & UINT64_MAX << bit % 64;
  while (!quote)
    quote = w->marks->quote[++n];
  return n * 64 + (size_t)__builtin_ctzll(quote) - w->first;
}

/* Whether there is a backslash in a text of the row. */
static int has_slash(const struct walk *w, size_t at, size_t end) {
  size_t from = w->first + at, to = w->first + end, n = from / 64;
  uint64_t slash = w->marks->slash[n] & UINT64_MAX << from % 64;
  for (; n < to / 64; slash = w->marks->slash[++n])
    if (slash)
      return 1;
  return (slash & ~(UINT64_MAX << to % 64)) != 0;
}

/*
** The length of the scalar at the beginning of 's': the row's bracket is at
** s[left]. 0: it is none, or neither comma nor brace follows.
*/
static size_t scalar_length(const char *s, size_t left) {
  size_t len, at;
  if (left > 4 && !memcmp(s, "null", 4))
    len = 4;
  else if (left > 4 && !memcmp(s, "true", 4))
    len = 4;
  else if (left > 5 && !memcmp(s, "false", 5))
    len = 5;
  else
    len = sz_number_end(s);
  at = pass_blanks(s, len, left);
  return s[at] == ',' || s[at] == '}' ? len : 0;
}

/* Checks the scalar or escape at offset 'at'. */
static int check_at(const struct walk *w, size_t at) {
  const char *s = w->text + at;
  if (s[-1] == '\\')
    return sz_escape_is_valid(s);
  return scalar_length(s, w->end - at) > 0;
}

/* ---- members ---- */

/* The other member whose key has its telling byte at 'at'; or SZ_TITLE + 1. */
static enum sz_member member_at(const struct walk *w, size_t at,
                                size_t *after) {
  const char *s = w->text + at;
  size_t left = w->end - at;
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
  if (c != '-' && !sz_is_digit(c))
    return 0;
  return sz_slot_fill(slot, w->text, at,
                      scalar_length(w->text + at, w->end - at),
                      want->numeric || want->member == SZ_RAW);
}

/* Fills the slots of a member whose value is behind offset 'at'. */
static int fill_member(struct walk *w, enum sz_member member, size_t at) {
  const struct sz_want *wants = w->columns->wants;
  size_t i, value = value_at(w, at);
  int is_string = w->text[value] == '"';
  for (i = w->want; i < w->want_end; i++) {
    if (wants[i].member != member)
      continue;
    if (is_string ? !fill_string(w, &wants[i], &w->slots[i], value + 1)
                  : !fill_scalar(w, &wants[i], &w->slots[i], value))
      return 0;
  }
  return 1;
}

/* Notes where the cell's raw value is; 'at' is behind its key. */
static void note_raw(const struct walk *w, size_t at) {
  size_t value = value_at(w, at), end;
  struct sz_raw *raw = &w->raws[w->cell - 1];
  if (w->text[value] == '"')
    end = string_end(w, value + 1) + 1;
  else
    end = value + scalar_length(w->text + value, w->end - value);
  raw->at = (uint32_t)(value - w->from);
  raw->len = (uint32_t)(end - value);
}

static int begin_cell(struct walk *w) {
  const size_t *first = w->columns->first_want + w->cell;
  if (w->cell == w->columns->count)
    return 0;
  w->want = first[0];
  w->want_end = first[1];
  w->cell++;
  return 1;
}

/* A member that may be wanted. */
static int see_member(struct walk *w, enum sz_member member, size_t after) {
  if (member == SZ_RAW && w->raws)
    note_raw(w, after);
  return w->want == w->want_end || fill_member(w, member, after);
}

/* A bracket, a byte of another key; or what must be checked. */
static int see_other(struct walk *w, size_t at) {
  size_t bit = w->first + at, after;
  enum sz_member member;
  if (w->marks->check[bit / 64] >> bit % 64 & 1)
    return check_at(w, at);
  if (w->text[at] == '[')
    return 0;
  member = member_at(w, at, &after);
  return member > SZ_TITLE || see_member(w, member, after);
}

/*
** What is told by the byte at 'at'. Most are braces and the V of "rawValue":
** a V that must be checked has other bytes before it.
*/
static inline int see_event(struct walk *w, size_t at) {
  const char *s = w->text + at;
  if (*s == '{')
    return begin_cell(w);
  if (*s == 'V' && w->end - at > 5 && !memcmp(s - 3, "rawValue", 8) &&
      s[5] == '"')
    return see_member(w, SZ_RAW, at + 6);
  return see_other(w, at);
}

#define EVENTS 128 /* that are listed at once; 64 may come from one mask */

/*
** Lists the events of a mask whose first byte is at 'base'; returns how many.
** Two at once, without a jump for each, as most masks have none, one or two:
** what is too many is written over.
*/
static size_t list_events(uint64_t events, size_t base, size_t *list) {
  size_t count = 0, i;
  do {
    for (i = 0; i < 2; i++) {
      list[count] = base + (size_t)__builtin_ctzll(events | UINT64_C(1) << 63);
      count += events != 0;
      events &= events - 1;
    }
  } while (events);
  return count;
}

/* Walks over the marks of a row whose first cell is at 'from'. */
static int walk_row(struct walk *w, size_t from) {
  size_t n = (w->first + from) / 64, last = (w->first + w->end) / 64;
  uint64_t live = UINT64_MAX << (w->first + from) % 64;
  while (n <= last) {
    size_t list[EVENTS + 2], count = 0, i;
    for (; n <= last && count <= EVENTS - 64; n++) {
      uint64_t events = w->marks->event[n] & live;
      live = UINT64_MAX;
      if (n == last)
        events &= ~(UINT64_MAX << (w->first + w->end) % 64);
      count += list_events(events, n * 64 - w->first, list + count);
    }
    for (i = 0; i < count; i++)
      if (!see_event(w, list[i]))
        return 0;
  }
  return w->cell == w->columns->count;
}

/* Crosses a row by its marks. */
static size_t by_marks(struct sz_cross *x, const char *text, size_t len,
                       const struct sz_columns *c, struct sz_slot *slots,
                       struct sz_crossed *row) {
  struct walk w;
  size_t found =
      find_end(x, text, len, c->members, x->first + row->from + 1, &w.end);
  if (found != 1)
    return found;
  w.marks = &x->marks;
  w.first = x->first;
  w.text = text;
  w.columns = c;
  w.cell = w.want = w.want_end = 0;
  w.slots = slots;
  w.raws = row->raws;
  w.from = row->from;
  w.escaped = 0;
  if (!walk_row(&w, row->from + 1))
    return 0;
  row->len = w.end + 1;
  row->escaped = w.escaped;
  return 1;
}

static void clear(const struct sz_columns *c, struct sz_slot *slots,
                  const struct sz_crossed *row) {
  memset(slots, 0, c->nwants * sizeof *slots);
  if (row->raws)
    memset(row->raws, 0, c->count * sizeof *row->raws);
}

/* Whether the row could be guessed. */
static int guess(struct sz_cross *x, const char *text, size_t len,
                 const struct sz_columns *c, struct sz_slot *slots,
                 struct sz_crossed *row) {
  struct sz_guessed g = {text, len, row->from, slots, row->raws, 0};
  row->len = sz_guess_row(&x->guess, x->scanner, c, &g);
  row->escaped = g.escaped;
  return row->len > 0;
}

size_t sz_cross_row(struct sz_cross *x, const char *text, size_t len,
                    uint64_t position, int comma, const struct sz_columns *c,
                    struct sz_slot *slots, struct sz_crossed *row) {
  size_t found;
  /*
  ** The general reader may have passed rows. The marks after them hold: what
  ** it has passed is JSON.
  */
  pass(x, position - x->position);
  found = row_begin(text, len, comma, &row->from);
  if (found != 1)
    return found;
  clear(c, slots, row);
  if (row->again || !guess(x, text, len, c, slots, row)) {
    found = by_marks(x, text, len, c, slots, row);
    if (found != 1)
      return found;
    if (x->guess.learn)
      sz_guess_learn(&x->guess, c, text + row->from, row->len - row->from);
  }
  pass(x, row->len);
  return 1;
}
