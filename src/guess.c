/*
** guess.c - see guess.h. Members like rawValue, label and title are expected
** to vary; any other value is held for constant until it is seen to vary.
** Learning costs as much as looking at a row's bytes once. The longer guesses
** have been wrong, the rarer they are.
*/
#include "guess.h"

#include "token.h"

#include <stdlib.h>

enum {
  MOST = 512,      /* members of a row; values that are wanted */
  LONGEST = 16384, /* row that is learned */
  TRUST = 16,      /* the best score */
  WRONG = 8,       /* what a wrong guess costs */
  TRIES = 8,       /* constants that may turn out to vary in one row */
  LONGEST_PAUSE = 1023
};

struct member {
  uint32_t cell;
  uint32_t value, end; /* where its value is */
  int kind;            /* enum sz_member; or NO_KIND */
  int varies;
};
enum { NO_KIND = SZ_TITLE + 1 };

struct wanted {
  uint32_t part, want;
};

struct sz_make {
  size_t len; /* of the row that was learned */
  size_t nmembers, nwanted;
  struct sz_pattern pattern;
  struct member members[MOST];
  struct sz_part parts[MOST + 1];
  struct sz_place places[MOST];
  const struct member *of[MOST]; /* the member of each part */
  struct wanted wanted[MOST];
  char text[LONGEST + SZ_PAST];
};

void sz_guess_free(struct sz_guess *g) {
  free(g->make);
  memset(g, 0, sizeof *g);
}

void sz_guess_begin(struct sz_guess *g) {
  g->learn = 1;
  g->score = 0;
  g->wait = g->pause = 0;
  if (g->make)
    g->make->pattern.count = 0;
}

/* ---- learning ---- */

static int is_blank(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* Where the value at 'at' ends, in a row that is known to be valid. */
static size_t end_of(const char *s, size_t at) {
  if (s[at] != '"') {
    while (!is_blank(s[at]) && s[at] != ',' && s[at] != '}')
      at++;
    return at;
  }
  for (at++; s[at] != '"'; at++)
    at += s[at] == '\\';
  return at + 1;
}

static int kind_of(const char *key, size_t len) {
  static const char *const KEYS[] = {"\"rawValue\"", "\"label\"", "\"title\""};
  int kind = SZ_RAW;
  while (kind < NO_KIND &&
         (strlen(KEYS[kind]) != len || memcmp(KEYS[kind], key, len) != 0))
    kind++;
  return kind;
}

/* Lists the members of the row in m->text. 0: there are too many. */
static int find_members(struct sz_make *m) {
  const char *s = m->text;
  size_t at = 0, end;
  uint32_t cells = 0;
  m->nmembers = 0;
  while (at < m->len) {
    struct member *member = &m->members[m->nmembers];
    cells += s[at] == '{';
    if (s[at] != '"') {
      at++;
      continue;
    }
    if (m->nmembers++ == MOST)
      return 0;
    end = end_of(s, at);
    member->cell = cells - 1;
    member->kind = kind_of(s + at, end - at);
    member->varies = member->kind != NO_KIND;
    for (at = end; is_blank(s[at]) || s[at] == ':';)
      at++;
    member->value = (uint32_t)at;
    at = end_of(s, at);
    member->end = (uint32_t)at;
  }
  return 1;
}

/* 1 + the first part of the same cell with the same value; 0: none. */
static uint32_t like(const struct sz_make *m, const struct member *member,
                     size_t parts) {
  size_t i, len = member->end - member->value;
  for (i = parts; i && m->of[i - 1]->cell == member->cell; i--) {
    const struct member *other = m->of[i - 1];
    if (other->end - other->value == len &&
        !memcmp(m->text + other->value, m->text + member->value, len))
      return (uint32_t)i;
  }
  return 0;
}

/* Lists the wants of part 'n'. 0: there are too many. */
static int add_wanted(struct sz_make *m, const struct sz_columns *c,
                      size_t n) {
  const struct member *member = m->of[n];
  size_t i = c->first_want[member->cell];
  for (; i < c->first_want[member->cell + 1]; i++) {
    if ((int)c->wants[i].member != member->kind)
      continue;
    if (m->nwanted == MOST)
      return 0;
    m->wanted[m->nwanted].part = (uint32_t)n;
    m->wanted[m->nwanted++].want = (uint32_t)i;
  }
  return 1;
}

/* Makes the pattern of the members that vary. 0: it is too large. */
static int build(struct sz_make *m, const struct sz_columns *c) {
  uint32_t from = 0;
  size_t i, n = 0;
  m->nwanted = 0;
  m->pattern.count = 0;
  for (i = 0; i < m->nmembers; i++) {
    const struct member *member = &m->members[i];
    if (!member->varies)
      continue;
    m->parts[n].at = from;
    m->parts[n].len = member->value - from;
    m->parts[n].like = like(m, member, n);
    m->of[n] = member;
    from = member->end;
    if (!add_wanted(m, c, n++))
      return 0;
  }
  m->parts[n].at = from;
  m->parts[n].len = (uint32_t)m->len - from;
  m->pattern.text = m->text;
  m->pattern.parts = m->parts;
  m->pattern.count = n + 1;
  return 1;
}

void sz_guess_learn(struct sz_guess *g, const struct sz_columns *c,
                    const char *row, size_t len) {
  struct sz_make *m = g->make;
  g->learn = 0;
  if (len > LONGEST)
    return;
  if (!m)
    m = g->make = malloc(sizeof *m);
  if (!m)
    return;
  m->len = len;
  m->pattern.count = 0;
  memcpy(m->text, row, len);
  memset(m->text + len, 0, SZ_PAST);
  if (find_members(m))
    build(m, c);
}

/* ---- guessing ---- */

/* The constant in which offset 'at' of m->text is varies. 0: it is in none. */
static int loosen(struct sz_make *m, const struct sz_columns *c, size_t at) {
  size_t i;
  for (i = 0; i < m->nmembers; i++) {
    struct member *member = &m->members[i];
    if (at >= member->value && at < member->end) {
      member->varies = 1;
      return build(m, c);
    }
  }
  return 0;
}

/* The end of a string with escapes, whose quote is at 'at'. 0: it is none. */
static size_t string_end(const struct sz_scanner *s, const char *p, size_t at,
                         size_t len) {
  for (at++; len - at >= SZ_PAST; at += 2) {
    at += s->plain(p + at, len - at);
    if (len - at < SZ_PAST)
      return 0;
    if (p[at] == '"')
      return at + 1;
    if (p[at] != '\\' || (p[at + 1] != '"' && p[at + 1] != '\\' &&
                          !sz_escape_is_valid(p + at + 1)))
      return 0;
  }
  return 0;
}

/* The end of the number or word at 'at', at least SZ_PAST bytes before 'len'.
 */
static size_t scalar_end(const char *p, size_t at) {
  size_t i = 0;
  if (!memcmp(p + at, "null", 4) || !memcmp(p + at, "true", 4))
    return at + 4;
  if (!memcmp(p + at, "false", 5))
    return at + 5;
  while (i < SZ_PAST && p[at + i] && strchr("+-.0123456789eE", p[at + i]))
    i++;
  i = i < SZ_PAST ? sz_number_end(p + at) : 0;
  return i ? at + i : 0;
}

/* A guess at a row: the parts before 'part' have matched, up to 'at'. */
struct try {
  const char *p;
  size_t len, at, part;
  int escaped;
  int too_near; /* it is no wrong guess */
};

/* Looks at the part that did not match. 0: the guess is wrong. */
static int look(struct sz_make *m, const struct sz_scanner *s,
                const struct sz_columns *c, struct try *t) {
  const struct sz_part *part = &m->parts[t->part];
  size_t value = t->at + part->len, i = 0, end;
  t->too_near = value + 2 * SZ_PAST > t->len;
  if (t->too_near)
    return 0;
  while (i < part->len && t->p[t->at + i] == m->text[part->at + i])
    i++;
  if (i < part->len) { /* try again */
    t->part = t->at = 0;
    return loosen(m, c, part->at + i);
  }
  if (t->p[value] == '"') {
    end = string_end(s, t->p, value, t->len);
    t->escaped = 1;
  } else {
    end = scalar_end(t->p, value);
  }
  m->places[t->part].at = (uint32_t)value;
  m->places[t->part].len = (uint32_t)(end - value);
  t->at = end;
  t->part++;
  return end > 0;
}

/* Matches a row. Returns its length; 0: it does not match. */
static size_t match(struct sz_make *m, const struct sz_scanner *s,
                    const struct sz_columns *c, struct try *t) {
  int tries = 0;
  for (;;) {
    t->part = s->match(&m->pattern, t->part, t->p, t->len, &t->at, m->places);
    if (t->part == m->pattern.count)
      return t->at;
    if (!look(m, s, c, t) || (!t->part && tries++ == TRIES))
      return 0;
  }
}

/* Fills the slot of a value. 0: the general reader must read the row. */
static int fill_slot(const struct sz_want *want, struct sz_slot *slot,
                     const char *text, size_t at, size_t len, int has_escapes,
                     int *escaped) {
  char c = text[at];
  if (c == '"') {
    at++;
    len -= 2;
    if (has_escapes && memchr(text + at, '\\', len)) {
      *escaped = 1;
      if (want->numeric)
        return 0;
    }
    return sz_slot_fill(slot, text, at, len, want->numeric);
  }
  if (c == 'n') {
    slot->type = SZ_SLOT_ABSENT;
    return 1;
  }
  return (c == '-' || sz_is_digit(c)) &&
         sz_slot_fill(slot, text, at, len,
                      want->numeric || want->member == SZ_RAW);
}

static int fill(const struct sz_make *m, const struct sz_columns *c,
                const struct try *t, struct sz_guessed *row) {
  size_t i;
  for (i = 0; i < m->nwanted; i++) {
    const struct sz_place *place = &m->places[m->wanted[i].part];
    size_t want = m->wanted[i].want;
    if (!fill_slot(&c->wants[want], &row->slots[want], row->text,
                   row->from + place->at, place->len, t->escaped,
                   &row->escaped))
      return 0;
  }
  for (i = 0; row->raws && i + 1 < m->pattern.count; i++) {
    struct sz_raw *raw = &row->raws[m->of[i]->cell];
    if (m->of[i]->kind != SZ_RAW)
      continue;
    raw->at = m->places[i].at;
    raw->len = m->places[i].len;
  }
  return 1;
}

/* A wrong guess. */
static void doubt(struct sz_guess *g) {
  g->score -= WRONG;
  if (g->score >= 0)
    return;
  g->score = 0;
  g->learn = 1;
  g->wait = g->pause;
  g->pause = g->pause * 2 + 1;
  if (g->pause > LONGEST_PAUSE)
    g->pause = LONGEST_PAUSE;
}

size_t sz_guess_row(struct sz_guess *g, const struct sz_scanner *s,
                    const struct sz_columns *c, struct sz_guessed *row) {
  struct try t = {row->text + row->from, row->len - row->from, 0, 0, 0, 0};
  size_t len;
  if (!g->make || !g->make->pattern.count)
    return 0;
  if (g->wait) {
    g->wait--;
    return 0;
  }
  if (t.len > UINT32_MAX / 2)
    t.len = UINT32_MAX / 2;
  len = match(g->make, s, c, &t);
  if (!len || !fill(g->make, c, &t, row)) {
    if (!t.too_near)
      doubt(g);
    return 0;
  }
  if (g->score == TRUST)
    g->pause = 0;
  else
    g->score++;
  return row->from + len;
}
