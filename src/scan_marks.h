/*
** scan_marks.h - the structure of rows as masks: bit i of a mask is about byte
** i of 64. Computed with operations on whole masks, so that no byte is looked
** at by itself. No Lua here.
**
** It is the grammar of rows of cells: [{"key":value,...},...], where a value
** is a string or a scalar (a number, true, false, null). What else a text has
** is marked as odd. Each token is found by what is before it, so that a mask
** never depends on later bytes.
*/
#ifndef SZ_SCAN_MARKS_H
#define SZ_SCAN_MARKS_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define SZ_ALWAYS static inline __attribute__((always_inline))
#else
#define SZ_ALWAYS static inline
#endif

/*
** What is found, as arrays with a mask for each 64 bytes. Within strings, no
** brace, bracket or scalar is found. Not checked are: whether a scalar is one,
** and that a comma or brace follows it; and what comes after an odd byte.
*/
struct sz_marks {
  uint64_t *quote; /* that begins or ends a string */
  uint64_t *slash; /* backslashes */
  uint64_t *event; /* {, [, in keys the byte that SZ_KEY_ tells, and 'check' */
  uint64_t *check; /* begins a value that is no string; or is escaped, and no
                      quote or backslash */
  uint64_t *stop;  /* ], and 'odd' */
  uint64_t *odd;
};
/* From now on the arrays begin at their mask 'n'. */
static inline void sz_marks_pass(struct sz_marks *m, size_t n) {
  m->quote += n;
  m->slash += n;
  m->event += n;
  m->check += n;
  m->stop += n;
  m->odd += n;
}

/*
** A wanted member's key is found by one byte: "rawValue" by V, which is byte
** number 4 after the quote, "label" by its b, "title" by its i. Other keys may
** have that byte too.
*/
enum { SZ_KEY_RAW = 4, SZ_KEY_LABEL = 3, SZ_KEY_TITLE = 2 };

/* Members that are wanted. */
enum { SZ_MARK_RAW = 1, SZ_MARK_LABEL = 2, SZ_MARK_TITLE = 4 };

/* The tokens that what follows depends on. */
enum sz_mark_token {
  SZ_TOKEN_COLON,
  SZ_TOKEN_CLOSE,     /* } and ] */
  SZ_TOKEN_BEGIN,     /* a key must follow */
  SZ_TOKEN_LIST,      /* { or [ must follow */
  SZ_TOKEN_KEY,       /* a key's closing quote */
  SZ_TOKEN_VALUE,     /* a value's closing quote */
  SZ_TOKEN_KEY_BEGIN, /* a key's opening quote */
  SZ_TOKENS
};

/* What the bytes before tell; all 0 where no string or scalar is open. */
struct sz_mark_state {
  uint64_t inside;          /* all ones: a string is open */
  uint64_t escaped;         /* 1: the next byte is escaped */
  uint64_t in_key;          /* 1: the string that is open is a key */
  uint64_t last[SZ_TOKENS]; /* the masks of the block before */
};

/* At most so many blocks are looked at together. */
#define SZ_BATCH 32

/*
** The masks of single bytes, of a batch. Those that are of bytes outside
** strings are first of all bytes: see sz_mark_outside.
*/
struct sz_bytes {
  uint64_t inside[SZ_BATCH]; /* from an opening quote up to its closing one */
  uint64_t escape[SZ_BATCH]; /* as in 'check'; within strings */
  uint64_t comma[SZ_BATCH];  /* outside, as are the next two */
  uint64_t begin[SZ_BATCH];  /* { and [ */
  uint64_t blank[SZ_BATCH];
  uint64_t brace[SZ_BATCH]; /* tells { from [ and } from ], no others */
  uint64_t bad[SZ_BATCH];   /* control bytes */
  uint64_t raw[SZ_BATCH], label[SZ_BATCH], title[SZ_BATCH]; /* V, b, i */
  uint64_t token[SZ_TOKENS][1 + SZ_BATCH]; /* the block before, the batch */
};

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
** The closing quotes of the keys in block 'i': an addition carries through
** each of those strings. Returns the backslashes in them, and sets the tokens
** for the quotes.
*/
SZ_ALWAYS uint64_t sz_mark_key_ends(struct sz_mark_state *s,
                                    struct sz_bytes *b, size_t i,
                                    uint64_t quote, uint64_t slash) {
  const uint64_t inside = b->inside[i], within = s->in_key;
  const uint64_t keys = b->token[SZ_TOKEN_KEY_BEGIN][i + 1];
  uint64_t sum, ends;
  s->in_key = (uint64_t)__builtin_add_overflow(inside, keys, &sum);
  s->in_key |= (uint64_t)__builtin_add_overflow(sum, within, &sum);
  ends = sum & ~inside;
  b->token[SZ_TOKEN_KEY][i + 1] = ends;
  b->token[SZ_TOKEN_VALUE][i + 1] = quote & ~(inside | ends);
  return (ends - keys - within) & slash;
}

/*
** The bytes after the tokens that end at 'ends' in block 'i', and after the
** blanks that follow these: an addition carries through each run of blanks.
*/
SZ_ALWAYS uint64_t sz_mark_after(struct sz_bytes *b, enum sz_mark_token token,
                                 size_t i, uint64_t ends) {
  const uint64_t blank = b->blank[i];
  const uint64_t after = ends << 1 | b->token[token][i] >> 63;
  const uint64_t run = blank + (after & blank);
  b->token[token][i + 1] = ends | (uint64_t)(run < blank) << 63;
  return (after | run) & ~blank;
}

/* Keys' bytes in block 'i' that tell a wanted member. */
SZ_ALWAYS uint64_t sz_mark_wanted(const struct sz_bytes *b, size_t i,
                                  unsigned wanted) {
  const uint64_t now = b->token[SZ_TOKEN_KEY_BEGIN][i + 1];
  const uint64_t old = b->token[SZ_TOKEN_KEY_BEGIN][i];
  uint64_t found = 0;
  if (wanted & SZ_MARK_RAW)
    found |= b->raw[i] & (now << SZ_KEY_RAW | old >> (64 - SZ_KEY_RAW));
  if (wanted & SZ_MARK_LABEL)
    found |= b->label[i] & (now << SZ_KEY_LABEL | old >> (64 - SZ_KEY_LABEL));
  if (wanted & SZ_MARK_TITLE)
    found |= b->title[i] & (now << SZ_KEY_TITLE | old >> (64 - SZ_KEY_TITLE));
  return found;
}

/* Takes out what is within strings. */
SZ_ALWAYS void sz_mark_outside(struct sz_bytes *b, size_t i) {
  const uint64_t inside = b->inside[i];
  b->escape[i] &= inside;
  b->comma[i] &= ~inside;
  b->begin[i] &= ~inside;
  b->token[SZ_TOKEN_COLON][i + 1] &= ~inside;
  b->token[SZ_TOKEN_CLOSE][i + 1] &= ~inside;
  b->blank[i] &= ~inside;
}

/* The marks of block 'i', from its bytes and its quotes and backslashes. */
static inline void sz_mark_block(struct sz_mark_state *s, struct sz_bytes *b,
                                 size_t i, unsigned wanted,
                                 const struct sz_marks *out) {
  const uint64_t open = out->quote[i] & b->inside[i], comma = b->comma[i];
  const uint64_t colon = b->token[SZ_TOKEN_COLON][i + 1];
  const uint64_t close = b->token[SZ_TOKEN_CLOSE][i + 1];
  const uint64_t begin = b->begin[i], brace = b->brace[i];
  const uint64_t end = close & ~brace;
  const uint64_t values = sz_mark_after(b, SZ_TOKEN_COLON, i, colon);
  const uint64_t after = sz_mark_after(b, SZ_TOKEN_CLOSE, i, close);
  const uint64_t keys = open & ~values;
  const uint64_t must_be_key =
      sz_mark_after(b, SZ_TOKEN_BEGIN, i, (begin & brace) | (comma & ~after));
  const uint64_t must_begin =
      sz_mark_after(b, SZ_TOKEN_LIST, i, (begin & ~brace) | (comma & after));
  uint64_t odd = b->bad[i], must_end;
  b->token[SZ_TOKEN_KEY_BEGIN][i + 1] = keys;
  odd |= sz_mark_key_ends(s, b, i, out->quote[i], out->slash[i]);
  odd |=
      colon ^ sz_mark_after(b, SZ_TOKEN_KEY, i, b->token[SZ_TOKEN_KEY][i + 1]);
  must_end =
      sz_mark_after(b, SZ_TOKEN_VALUE, i, b->token[SZ_TOKEN_VALUE][i + 1]);
  odd |= must_end & ~(comma | (close & brace));
  odd |= (keys ^ must_be_key) | (begin ^ must_begin) |
         (after & ~(comma | end)) | (end & ~after);
  out->check[i] = (values & ~open) | b->escape[i];
  out->event[i] = begin | out->check[i] | sz_mark_wanted(b, i, wanted);
  out->odd[i] = odd;
  out->stop[i] = end | odd;
}

#endif
