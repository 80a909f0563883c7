/*
** secret.c - see secret.h.
** Works from the end of the text to its beginning. Each position has a set of
** bits. Bit i means: the text from this position on matches the secret from
** its byte i to its end. Suppose that the text from here up to position q can
** be read as the byte c. Then bit i is set here if the secret's byte i is c
** and bit i + 1 is set at q. Bit 0 means: the secret begins here. No reading
** is longer than SZ_REACH, so a ring of SZ_REACH sets is enough.
**
** JSON within JSON within JSON puts ever more backslashes before a sign. So a
** backslash may also stand for nothing, up to SLASHES times in a row.
*/
#include "secret.h"

#include "reading.h"

#include <stdint.h>
#include <string.h>

enum { BYTES = 256, SLASHES = 255, WORD = 64 };

/* Only the words from 'first' to before 'end' count; the others are 0. */
struct set {
  uint64_t *words;
  size_t first, end;
};

struct sz_secret {
  const unsigned char *bytes;
  size_t len, words;
  bool opens;        /* a backslash before it is part of its encoding */
  bool closes;       /* it ends with a backslash, which may be many */
  bool quiet[BYTES]; /* neither the last byte nor the beginning of a reading */
  uint64_t *masks;
  struct set ring[SZ_REACH], made, rest;
  unsigned slashes[SZ_REACH]; /* how many follow one another there */
};

/* ---- sets ---- */

static void trim(struct set *s) {
  while (s->first < s->end && !s->words[s->first])
    s->first++;
  while (s->first < s->end && !s->words[s->end - 1])
    s->end--;
}

static void empty(struct set *s) {
  s->first = s->end = 0;
}

static bool has(const struct set *s, size_t i) {
  size_t w = i / WORD;
  return w >= s->first && w < s->end && (s->words[w] >> i % WORD & 1);
}

/* Makes the words from 'first' to before 'end' count too. */
static void widen(struct set *s, size_t first, size_t end) {
  if (s->first >= s->end)
    s->first = s->end = first;
  while (s->first > first)
    s->words[--s->first] = 0;
  while (s->end < end)
    s->words[s->end++] = 0;
}

static void put(struct set *s, size_t i) {
  widen(s, i / WORD, i / WORD + 1);
  s->words[i / WORD] |= (uint64_t)1 << i % WORD;
}

static void join(struct set *to, const struct set *from) {
  size_t w;
  if (from->first >= from->end)
    return;
  widen(to, from->first, from->end);
  for (w = from->first; w < from->end; w++)
    to->words[w] |= from->words[w];
}

/* 'to': each i of 'mask' with i + 1 in 'from'. 'to' may be 'from'. */
static void step_back(struct set *to, const struct set *from,
                      const uint64_t *mask) {
  size_t first = from->first, end = from->end, w;
  uint64_t low = 0;
  to->end = end;
  for (w = end; w > first; w--) {
    uint64_t word = from->words[w - 1];
    to->words[w - 1] = (word >> 1 | low) & mask[w - 1];
    low = word << (WORD - 1);
  }
  to->first = first;
  if (low && first > 0) {
    to->words[first - 1] = low & mask[first - 1];
    to->first = first - 1;
  }
  trim(to);
}

/* 'to': each i + 1 with i in 'from' and in 'mask'. 'to' may be 'from'. */
static void step_on(struct set *to, const struct set *from,
                    const uint64_t *mask) {
  size_t first = from->first, end = from->end, w;
  uint64_t high = 0;
  for (w = first; w < end; w++) {
    uint64_t word = from->words[w] & mask[w];
    to->words[w] = word << 1 | high;
    high = word >> (WORD - 1);
  }
  to->first = first;
  to->end = end;
  if (high)
    to->words[to->end++] = high;
  trim(to);
}

/* ---- the secret ---- */

static size_t words_of(size_t len) {
  return len / WORD + 1; /* bits 0 to len */
}

size_t sz_secret_size(size_t len) {
  return sizeof(struct sz_secret) +
         words_of(len) * sizeof(uint64_t) * (BYTES + SZ_REACH + 2);
}

static bool is_alnum(unsigned char c) {
  return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
}

struct sz_secret *sz_secret_init(void *room, const char *bytes, size_t len) {
  struct sz_secret *s = room;
  uint64_t *words = (uint64_t *)(void *)(s + 1);
  size_t i, w = words_of(len);
  memset(s, 0, sizeof *s);
  memset(words, 0, BYTES * w * sizeof *words);
  s->bytes = (const unsigned char *)bytes;
  s->len = len;
  s->words = w;
  s->opens = !is_alnum(s->bytes[0]);
  s->masks = words;
  for (i = 0; i < BYTES; i++)
    s->quiet[i] = !sz_reading_begins((unsigned char)i);
  s->quiet[s->bytes[len - 1]] = false;
  for (i = 0; i < len; i++)
    s->masks[s->bytes[i] * w + i / WORD] |= (uint64_t)1 << i % WORD;
  words += BYTES * w;
  for (i = 0; i < SZ_REACH; i++, words += w)
    s->ring[i].words = words;
  s->made.words = words;
  s->rest.words = words + w;
  return s;
}

static const uint64_t *mask_of(const struct sz_secret *s, unsigned char c) {
  return s->masks + c * s->words;
}

/* A copy of 'from' in s->made without what a backslash cannot precede. */
static void skip_slash(struct sz_secret *s, const struct set *from) {
  struct set *made = &s->made;
  empty(made);
  join(made, from);
  if (!s->opens && has(made, 0))
    made->words[0] &= ~(uint64_t)1;
  if (has(made, s->len))
    made->words[s->len / WORD] &= ~((uint64_t)1 << s->len % WORD);
  trim(made);
}

/* ---- from the end to the beginning ---- */

static void back_over(struct sz_secret *s, size_t at,
                      const struct sz_reading *r) {
  size_t here = at % SZ_REACH, there = (at + r->reach) % SZ_REACH;
  size_t i;
  if (r->count == 0) {
    if (s->slashes[here] < s->slashes[there] + 1)
      s->slashes[here] = s->slashes[there] + 1;
    if (s->slashes[there] >= SLASHES)
      return;
    skip_slash(s, &s->ring[there]);
  } else {
    step_back(&s->made, &s->ring[there], mask_of(s, r->bytes[r->count - 1]));
    for (i = r->count - 1; i > 0; i--)
      step_back(&s->made, &s->made, mask_of(s, r->bytes[i - 1]));
  }
  join(&s->ring[here], &s->made);
}

/* Makes the set of text[at]. Returns whether the text may be cut there. */
static bool back_to(struct sz_secret *s, const char *text, size_t len,
                    size_t at) {
  struct set *here = &s->ring[at % SZ_REACH];
  unsigned char c = (unsigned char)text[at];
  struct sz_readings all;
  size_t i;
  s->slashes[at % SZ_REACH] = 0;
  if (!sz_reading_begins(c)) {
    step_back(here, &s->ring[(at + 1) % SZ_REACH], mask_of(s, c));
    return false;
  }
  empty(here);
  sz_readings_at(&all, text, len, at);
  for (i = 0; i < all.count; i++)
    back_over(s, at, &all.list[i]);
  return all.cut;
}

/* Whether there is only the end of an occurrence in the set. */
static bool is_idle(const struct sz_secret *s, const struct set *set) {
  return set->first + 1 == set->end &&
         set->words[set->first] == (uint64_t)1 << s->len % WORD;
}

/* Sets a mark, if there are marks. */
static bool mark(unsigned char *marks, size_t at, unsigned char what) {
  if (marks)
    marks[at] |= what;
  return true;
}

bool sz_secret_find(struct sz_secret *s, const char *text, size_t len,
                    unsigned char *marks) {
  struct set *here = &s->ring[len % SZ_REACH];
  size_t at;
  bool idle = true, found = false;
  s->slashes[len % SZ_REACH] = 0;
  empty(here);
  put(here, s->len);
  for (at = len; at-- > 0;) {
    here = &s->ring[at % SZ_REACH];
    if (idle && s->quiet[(unsigned char)text[at]]) {
      s->slashes[at % SZ_REACH] = 0;
      empty(here);
      put(here, s->len);
      continue;
    }
    back_to(s, text, len, at);
    if (has(here, 0))
      found = mark(marks, at, SZ_SECRET_HERE);
    put(here, s->len); /* an occurrence may end anywhere */
    idle = is_idle(s, here);
  }
  return found;
}

bool sz_secret_cut(struct sz_secret *s, const char *text, size_t len,
                   size_t least, unsigned char *marks) {
  struct set *here = &s->ring[len % SZ_REACH];
  size_t at, alive = len, i;
  bool found = false;
  s->slashes[len % SZ_REACH] = 0;
  empty(&s->rest);
  for (i = least; i < s->len; i++)
    put(&s->rest, i);
  empty(here);
  join(here, &s->rest);
  for (at = len; at-- > 0 && alive - at <= SZ_REACH;) {
    here = &s->ring[at % SZ_REACH];
    if (back_to(s, text, len, at))
      join(here, &s->rest);
    if (has(here, 0))
      found = mark(marks, at, SZ_SECRET_CUT);
    if (here->first < here->end)
      alive = at;
  }
  return found;
}

/* ---- from a beginning to the end ---- */

/* Returns where the reading ends. */
static size_t on_over(struct sz_secret *s, size_t at,
                      const struct sz_reading *r) {
  struct set *there = &s->ring[(at + r->reach) % SZ_REACH];
  const struct set *here = &s->ring[at % SZ_REACH];
  size_t i;
  if (r->count == 0) {
    skip_slash(s, here);
  } else {
    step_on(&s->made, here, mask_of(s, r->bytes[0]));
    for (i = 1; i < r->count; i++)
      step_on(&s->made, &s->made, mask_of(s, r->bytes[i]));
  }
  if (s->made.first >= s->made.end)
    return at;
  join(there, &s->made);
  return at + r->reach;
}

/* Clears all sets; only the beginning of an occurrence at 'at' is set. */
static void begin(struct sz_secret *s, size_t at) {
  size_t i;
  for (i = 0; i < SZ_REACH; i++)
    empty(&s->ring[i]);
  put(&s->ring[at % SZ_REACH], 0);
}

/* Takes the bit of a complete secret out of a set. Returns whether it was. */
static bool take_end(const struct sz_secret *s, struct set *set) {
  if (!has(set, s->len))
    return false;
  set->words[s->len / WORD] &= ~((uint64_t)1 << s->len % WORD);
  trim(set);
  return true;
}

/* Goes on from text[at] over all its readings. Returns the furthest end. */
static size_t on_from(struct sz_secret *s, const char *text, size_t len,
                      size_t at) {
  struct sz_readings all;
  size_t i, last = at;
  sz_readings_at(&all, text, len, at);
  for (i = 0; i < all.count; i++) {
    size_t to = on_over(s, at, &all.list[i]);
    last = to > last ? to : last;
  }
  empty(&s->ring[at % SZ_REACH]);
  return last;
}

/*
** Two occurrences overlap if one begins before the other has ended. An encoded
** text is never shorter than what it stands for. So an occurrence that began
** less than s->len bytes ago has not ended yet.
*/
size_t sz_secret_end(struct sz_secret *s, const char *text, size_t len,
                     const unsigned char *marks, size_t at, size_t *held) {
  size_t first = at, last = at, start = at, end = at, to;
  *held = len;
  for (begin(s, at); at <= last; at++) {
    struct set *here = &s->ring[at % SZ_REACH];
    if (take_end(s, here))
      end = at;
    if (here->first >= here->end || at == len)
      continue;
    if (at > first && marks[at] & SZ_SECRET_CUT)
      return *held = end == first                 ? first
                     : marks[at] & SZ_SECRET_HERE ? at
                     : end < start + s->len       ? start
                                                  : first;
    if (marks[at] & SZ_SECRET_HERE) {
      put(here, 0);
      start = at;
    }
    to = on_from(s, text, len, at);
    last = to > last ? to : last;
  }
  return end > first ? end : first + 1;
}
