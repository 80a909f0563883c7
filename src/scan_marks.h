/*
** scan_marks.h - the structure of 64 bytes of rows, as masks: bit i is about
** byte i. Computed with the operations of one word from masks of single bytes,
** so that no byte is looked at by itself. No Lua here.
**
** It is the grammar of rows of cells: [{"key":value,...},...], where a value
** is a string or a scalar (a number, true, false, null). What else a text has
** is marked as odd. Each token is found by what is before it, so that a mask
** never depends on later bytes.
*/
#ifndef SZ_SCAN_MARKS_H
#define SZ_SCAN_MARKS_H

#include <stdint.h>

#if defined(__GNUC__)
#define SZ_ALWAYS static inline __attribute__((always_inline))
#else
#define SZ_ALWAYS static inline
#endif

/* What is found. Within strings, no brace, bracket or scalar is found. */
struct sz_mark {
  uint64_t quote; /* that begins or ends a string */
  uint64_t slash; /* backslashes */
  uint64_t point; /* { and [; and in keys the byte that SZ_KEY_BYTES tells */
  uint64_t check; /* begins a scalar; or is escaped, and no quote or slash */
  uint64_t end;   /* ] */
  uint64_t odd;   /* see above; the bytes after it are not checked */
};

/*
** A wanted member's key is found by one byte: "rawValue" by V, which is byte
** number 4 after the quote, "label" by its b, "title" by its i. Other keys may
** have that byte too.
*/
enum { SZ_KEY_RAW = 4, SZ_KEY_LABEL = 3, SZ_KEY_TITLE = 2 };

/* What the bytes before tell; all 0 where no string or scalar is open. */
struct sz_mark_state {
  uint64_t inside;  /* all ones: a string is open */
  uint64_t escaped; /* 1: the next byte is escaped; so the members below */
  uint64_t in_key, in_scalar;
  uint64_t after_colon, after_key, after_close, after_begin, after_list;
  uint64_t keys; /* where the keys of the block before begin */
};

/* Masks of single bytes. */
struct sz_bytes {
  uint64_t quote, slash, colon, comma, brace, brace_end, bracket, bracket_end;
  uint64_t low, blank; /* below 0x20; 0x20 and below */
  uint64_t strange;    /* of the low ones, outside strings: no white space */
  uint64_t raw, label, title; /* V, b, i; 0 if that member is not wanted */
};

/* Members that are wanted: the bits of 'wanted' below. */
enum { SZ_MARK_RAW = 1, SZ_MARK_LABEL = 2, SZ_MARK_TITLE = 4 };

/* The bytes that an odd number of backslashes before them escapes. */
SZ_ALWAYS uint64_t sz_mark_escaped(struct sz_mark_state *s, uint64_t slash) {
  const uint64_t odd = UINT64_C(0xAAAAAAAAAAAAAAAA);
  uint64_t first = slash & ~s->escaped;
  uint64_t code = (((first << 1) | odd) - first) ^ odd;
  uint64_t escaped = code ^ (slash | s->escaped);
  s->escaped = (code & slash) >> 63;
  return escaped;
}

/* Each bit is the exclusive or of all bits up to it. */
static inline uint64_t sz_mark_prefix(uint64_t mask) {
  int shift;
  for (shift = 1; shift < 64; shift *= 2)
    mask ^= mask << shift;
  return mask;
}

/*
** The bytes after the tokens that end at 'ends'. With 'blank' the bytes after
** the blanks that follow them.
*/
SZ_ALWAYS uint64_t sz_mark_after(uint64_t ends, uint64_t blank, int spaced,
                                 uint64_t *carry) {
  uint64_t after = ends << 1 | *carry, run;
  *carry = ends >> 63;
  if (!spaced)
    return after;
  run = blank + (after & blank); /* carries through each run of blanks */
  *carry |= run < blank;
  return (after | run) & ~blank;
}

/*
** The closing quotes of the keys that begin at 'keys': an addition carries
** through each of those strings. '*within': the keys' bytes.
*/
SZ_ALWAYS uint64_t sz_mark_key_ends(struct sz_mark_state *s, uint64_t keys,
                                    uint64_t inside, uint64_t *within) {
  uint64_t sum = inside + keys, ends;
  uint64_t carry = sum < inside;
  sum += s->in_key;
  carry |= sum < s->in_key;
  ends = sum & ~inside;
  *within = ends - keys - s->in_key;
  s->in_key = carry;
  return ends;
}

/* Keys' bytes that tell a wanted member. */
SZ_ALWAYS uint64_t sz_mark_wanted(const struct sz_mark_state *s,
                                  const struct sz_bytes *b, uint64_t keys) {
  const uint64_t old = s->keys;
  return (b->raw & (keys << SZ_KEY_RAW | old >> (64 - SZ_KEY_RAW))) |
         (b->label & (keys << SZ_KEY_LABEL | old >> (64 - SZ_KEY_LABEL))) |
         (b->title & (keys << SZ_KEY_TITLE | old >> (64 - SZ_KEY_TITLE)));
}

/*
** Finds the marks. 'quote': quotes that are not escaped; 'inside': the bytes
** from an opening quote up to its closing quote, which is not included. 0 for
** 'spaced': there are no blanks outside strings.
*/
SZ_ALWAYS void sz_mark_block(struct sz_mark_state *s, const struct sz_bytes *b,
                             uint64_t quote, uint64_t inside, uint64_t escaped,
                             int spaced, struct sz_mark *out) {
  const uint64_t outside = ~inside, blank = b->blank & outside;
  const uint64_t open = quote & inside, colon = b->colon & outside;
  const uint64_t comma = b->comma & outside;
  const uint64_t begins = (b->brace | b->bracket) & outside;
  const uint64_t brace_end = b->brace_end & outside;
  const uint64_t end = b->bracket_end & outside;
  const uint64_t scalar =
      ~(inside | quote | b->colon | b->comma | b->brace | b->bracket |
        b->brace_end | b->bracket_end | b->blank);
  const uint64_t scalars = scalar & ~(scalar << 1 | s->in_scalar);
  const uint64_t values = sz_mark_after(colon, blank, spaced, &s->after_colon);
  const uint64_t after =
      sz_mark_after(brace_end | end, blank, spaced, &s->after_close);
  const uint64_t keys = open & ~values;
  const uint64_t must_be_key = sz_mark_after(
      (b->brace & outside) | (comma & ~after), blank, spaced, &s->after_begin);
  const uint64_t must_begin = sz_mark_after(
      (b->bracket & outside) | (comma & after), blank, spaced, &s->after_list);
  uint64_t within;
  const uint64_t key_ends = sz_mark_key_ends(s, keys, inside, &within);
  const uint64_t must_be_colon =
      sz_mark_after(key_ends, blank, spaced, &s->after_key);
  out->quote = quote;
  out->slash = b->slash;
  out->point = begins | sz_mark_wanted(s, b, keys);
  out->check = scalars | (escaped & inside & ~(b->quote | b->slash));
  out->end = end;
  out->odd = ((values & ~open) ^ scalars) | (keys ^ must_be_key) |
             (begins ^ must_begin) | (colon ^ must_be_colon) |
             (brace_end & after) | (end & ~after) | (b->low & inside) |
             (within & b->slash) | (spaced ? b->strange : 0);
  s->in_scalar = scalar >> 63;
  s->keys = keys;
}

#endif
