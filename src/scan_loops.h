/*
** scan_loops.h - the scanner's loops over blocks. scan.c includes this file
** once per instruction set, with these macros: BLOCK (bytes in a block), USE
** (the functions' attributes) and OF(name) (a function of the set). See scan.h
** for what the functions do.
*/

USE static size_t OF(plain)(const char *p, size_t len) {
  size_t at = 0;
  for (; len - at >= BLOCK; at += BLOCK) {
    if (OF(special)(p + at))
      return at + OF(first)(OF(special)(p + at));
  }
  while (at < len && !sz_is_special((unsigned char)p[at]))
    at++;
  return at;
}

/* The bytes of block 'i' that are tokens, outside strings. */
USE static inline void OF(tokens)(struct sz_bytes *b, size_t i,
                                  const OF(all) * v) {
  b->token[SZ_TOKEN_COLON][i + 1] = OF(equal)(v, ':');
  b->token[SZ_TOKEN_CLOSE][i + 1] = OF(either)(v, '}');
  b->comma[i] = OF(equal)(v, ',');
  b->begin[i] = OF(either)(v, '{');
  b->brace[i] = OF(brace)(v);
  b->blank[i] = OF(at_most)(v, 0x20);
}

/* Control bytes in strings; and outside, where they are no white space. */
USE static void OF(bad)(const char *p, size_t blocks, struct sz_bytes *b) {
  size_t i;
  for (i = 0; i < blocks; i++, p += 64) {
    const OF(all) v = OF(load_all)(p);
    const uint64_t inside = b->inside[i];
    b->bad[i] = OF(at_most)(&v, 0x1F) & ~(OF(equal)(&v, '\n') & ~inside);
    if (b->bad[i])
      b->bad[i] &= inside | ~(OF(equal)(&v, '\t') | OF(equal)(&v, '\r'));
  }
}

/* The bytes that tell members in their keys. */
USE static inline void OF(members)(struct sz_bytes *b, size_t i,
                                   const OF(all) * v, unsigned wanted) {
  b->raw[i] = OF(equal)(v, 'V');
  if (wanted & (SZ_MARK_LABEL | SZ_MARK_TITLE)) {
    b->label[i] = OF(equal)(v, 'b');
    b->title[i] = OF(equal)(v, 'i');
  }
}

/* Fills 'b'. Returns whether there are bytes below 0x20. */
USE static inline int OF(read)(struct sz_mark_state *state, const char *p,
                               size_t blocks, unsigned wanted,
                               struct sz_bytes *b,
                               const struct sz_marks *out) {
  struct sz_mark_state s = *state;
  OF(least) least = OF(none)();
  size_t i;
  for (i = 0; i < blocks; i++, p += 64) {
    const OF(all) v = OF(load_all)(p);
    const uint64_t quote = OF(equal)(&v, '"');
    const uint64_t slash = OF(equal)(&v, '\\');
    const uint64_t escaped = sz_mark_escaped(&s, slash);
    const uint64_t inside = OF(prefix)(quote & ~escaped) ^ s.inside;
    __builtin_prefetch(p + AHEAD);
    s.inside = (uint64_t)0 - (inside >> 63);
    out->quote[i] = quote & ~escaped;
    out->slash[i] = slash;
    b->inside[i] = inside;
    b->escape[i] = escaped & ~(quote | slash);
    OF(note)(&least, &v);
    OF(tokens)(b, i, &v);
    OF(members)(b, i, &v, wanted);
  }
  state->inside = s.inside;
  state->escaped = s.escaped;
  return OF(low)(&least);
}

#define LANES (sizeof(OF(lanes)) / sizeof(uint64_t))

USE static inline OF(lanes) OF(get)(const uint64_t *masks) {
  OF(lanes) v;
  memcpy(&v, masks, sizeof v);
  return v;
}

USE static inline void OF(put)(uint64_t *masks, OF(lanes) v) {
  memcpy(masks, &v, sizeof v);
}

/*
** What sz_mark_after does, for block 'i' and those behind it, once OF(carry)
** was called for them. 'spaced': there are blanks.
*/
USE SZ_ALWAYS OF(lanes)
    OF(after)(const struct sz_bytes *b, enum sz_mark_token token, size_t i,
              int spaced) {
  const OF(lanes) blank = OF(get)(b->blank + i);
  const OF(lanes) after = OF(get)(b->token[token] + i + 1) << 1 |
                          OF(get)(b->token[token] + i) >> 63;
  return spaced ? (after | (blank + (after & blank))) & ~blank : after;
}

/*
** A run of blanks that goes on in the next block sets the token's last bit, as
** in sz_mark_after. As no block is all blanks, what comes from the block
** before cannot go through.
*/
USE SZ_ALWAYS void OF(carry)(struct sz_bytes *b, enum sz_mark_token token,
                             size_t i, int spaced) {
  const OF(lanes) blank = OF(get)(b->blank + i);
  const OF(lanes) ends = OF(get)(b->token[token] + i + 1);
  const OF(lanes) run = ends << 1 & blank;
  if (spaced)
    OF(put)
  (b->token[token] + i + 1,
   ends | (run | (blank & ~(blank + run))) >> 63 << 63);
}

/* What sz_mark_outside does. */
USE static inline void OF(outside)(struct sz_bytes *b, size_t i) {
  const OF(lanes) inside = OF(get)(b->inside + i);
  uint64_t *colon = b->token[SZ_TOKEN_COLON] + i + 1;
  uint64_t *close = b->token[SZ_TOKEN_CLOSE] + i + 1;
  OF(put)(b->escape + i, OF(get)(b->escape + i) & inside);
  OF(put)(b->comma + i, OF(get)(b->comma + i) & ~inside);
  OF(put)(b->begin + i, OF(get)(b->begin + i) & ~inside);
  OF(put)(b->blank + i, OF(get)(b->blank + i) & ~inside);
  OF(put)(colon, OF(get)(colon) & ~inside);
  OF(put)(close, OF(get)(close) & ~inside);
}

enum { OF(DENSE), OF(SPACED), OF(BLANK) };

/*
** The same for all blocks: returns whether there are no blanks, or some, or
** blocks of nothing else.
*/
USE static inline int OF(all_outside)(struct sz_bytes *b, size_t blocks) {
  const size_t whole = blocks / LANES * LANES;
  uint64_t any = 0;
  size_t i;
  int all = 0;
  for (i = 0; i < whole; i += LANES)
    OF(outside)(b, i);
  for (; i < blocks; i++)
    sz_mark_outside(b, i);
  for (i = 0; i < blocks; i++) {
    any |= b->blank[i];
    all |= !~b->blank[i];
  }
  return all ? OF(BLANK) : any ? OF(SPACED) : OF(DENSE);
}

/* What sz_mark_block does up to the keys' ends. */
USE SZ_ALWAYS void OF(first_half)(struct sz_bytes *b, size_t i, int spaced,
                                  const struct sz_marks *out) {
  const OF(lanes) open = OF(get)(out->quote + i) & OF(get)(b->inside + i);
  const OF(lanes) comma = OF(get)(b->comma + i), brace = OF(get)(b->brace + i);
  const OF(lanes) begin = OF(get)(b->begin + i);
  const OF(lanes) end = OF(get)(b->token[SZ_TOKEN_CLOSE] + i + 1) & ~brace;
  OF(lanes) values, after;
  OF(carry)(b, SZ_TOKEN_COLON, i, spaced);
  OF(carry)(b, SZ_TOKEN_CLOSE, i, spaced);
  values = OF(after)(b, SZ_TOKEN_COLON, i, spaced);
  after = OF(after)(b, SZ_TOKEN_CLOSE, i, spaced);
  OF(put)(b->token[SZ_TOKEN_KEY_BEGIN] + i + 1, open & ~values);
  OF(put)
  (b->token[SZ_TOKEN_BEGIN] + i + 1, (begin & brace) | (comma & ~after));
  OF(put)
  (b->token[SZ_TOKEN_LIST] + i + 1, (begin & ~brace) | (comma & after));
  OF(put)(out->check + i, (values & ~open) | OF(get)(b->escape + i));
  OF(put)(out->odd + i, (after & ~(comma | end)) | (end & ~after));
}

USE static inline OF(lanes)
    OF(wanted)(const struct sz_bytes *b, size_t i, unsigned wanted) {
  const OF(lanes) now = OF(get)(b->token[SZ_TOKEN_KEY_BEGIN] + i + 1);
  const OF(lanes) old = OF(get)(b->token[SZ_TOKEN_KEY_BEGIN] + i);
  OF(lanes) found = now ^ now;
  if (wanted & SZ_MARK_RAW)
    found |=
        OF(get)(b->raw + i) & (now << SZ_KEY_RAW | old >> (64 - SZ_KEY_RAW));
  if (wanted & SZ_MARK_LABEL)
    found |= OF(get)(b->label + i) &
             (now << SZ_KEY_LABEL | old >> (64 - SZ_KEY_LABEL));
  if (wanted & SZ_MARK_TITLE)
    found |= OF(get)(b->title + i) &
             (now << SZ_KEY_TITLE | old >> (64 - SZ_KEY_TITLE));
  return found;
}

/* What sz_mark_block does after the keys' ends. */
USE SZ_ALWAYS void OF(second_half)(struct sz_bytes *b, size_t i, int spaced,
                                   unsigned wanted,
                                   const struct sz_marks *out) {
  const OF(lanes) begin = OF(get)(b->begin + i);
  const OF(lanes) brace = OF(get)(b->brace + i), blank = OF(get)(b->blank + i);
  const OF(lanes) keys = OF(get)(b->token[SZ_TOKEN_KEY_BEGIN] + i + 1);
  OF(lanes) close = OF(get)(b->token[SZ_TOKEN_CLOSE] + i + 1);
  OF(lanes) colon = OF(get)(b->token[SZ_TOKEN_COLON] + i + 1);
  OF(lanes) odd = OF(get)(out->odd + i);
  enum sz_mark_token token;
  if (spaced) { /* what was carried is no token */
    close &= ~blank;
    colon &= ~blank;
    odd |= OF(get)(b->bad + i);
  }
  for (token = SZ_TOKEN_BEGIN; token <= SZ_TOKEN_VALUE; token++)
    OF(carry)(b, token, i, spaced);
  odd |= keys ^ OF(after)(b, SZ_TOKEN_BEGIN, i, spaced);
  odd |= begin ^ OF(after)(b, SZ_TOKEN_LIST, i, spaced);
  odd |= colon ^ OF(after)(b, SZ_TOKEN_KEY, i, spaced);
  odd |= OF(after)(b, SZ_TOKEN_VALUE, i, spaced) &
         ~(OF(get)(b->comma + i) | (close & brace));
  OF(put)(out->odd + i, odd);
  OF(put)(out->stop + i, odd | (close & ~brace));
  OF(put)
  (out->event + i, begin | OF(get)(out->check + i) | OF(wanted)(b, i, wanted));
}

/* Marks the first blocks, as many as whole lanes hold; returns how many. */
USE SZ_ALWAYS size_t OF(mark_lanes)(struct sz_mark_state *s,
                                    struct sz_bytes *b, size_t blocks,
                                    int spaced, unsigned wanted,
                                    const struct sz_marks *out) {
  const size_t whole = blocks / LANES * LANES;
  size_t i;
  for (i = 0; i < whole; i += LANES)
    OF(first_half)(b, i, spaced, out);
  for (i = 0; i < whole; i++)
    out->odd[i] |= sz_mark_key_ends(s, b, i, out->quote[i], out->slash[i]);
  for (i = 0; i < whole; i += LANES)
    OF(second_half)(b, i, spaced, wanted, out);
  return whole;
}

USE static void OF(batch)(struct sz_mark_state *s, const char *p,
                          size_t blocks, unsigned wanted,
                          const struct sz_marks *out) {
  struct sz_bytes b;
  size_t i = 0;
  int token;
  int blanks, low = OF(read)(s, p, blocks, wanted, &b, out);
  for (token = 0; token < SZ_TOKENS; token++)
    b.token[token][0] = s->last[token];
  blanks = OF(all_outside)(&b, blocks);
  if (low)
    OF(bad)(p, blocks, &b);
  else
    memset(b.bad, 0, blocks * sizeof *b.bad);
  if (LANES > 1 && !low && blanks == OF(DENSE))
    i = OF(mark_lanes)(s, &b, blocks, 0, wanted, out);
  else if (LANES > 1 && blanks != OF(BLANK))
    i = OF(mark_lanes)(s, &b, blocks, 1, wanted, out);
  for (; i < blocks; i++)
    sz_mark_block(s, &b, i, wanted, out);
  for (token = 0; token < SZ_TOKENS; token++)
    s->last[token] = b.token[token][blocks];
}
#undef LANES

USE static void OF(mark)(struct sz_mark_state *state, const char *p,
                         size_t blocks, unsigned wanted,
                         const struct sz_marks *marks) {
  struct sz_marks out = *marks;
  while (blocks) {
    size_t some = blocks < SZ_BATCH ? blocks : SZ_BATCH;
    OF(batch)(state, p, some, wanted, &out);
    sz_marks_pass(&out, some);
    blocks -= some;
    p += some * 64;
  }
}

/* Whether two texts are the same; a block of each can be read past them. */
USE static inline int OF(same)(const char *a, const char *b, size_t len) {
  for (; len > BLOCK; a += BLOCK, b += BLOCK, len -= BLOCK)
    if (OF(differ)(a, b, BLOCK))
      return 0;
  return !OF(differ)(a, b, len);
}

/* The end of the string at 'p'. 0: it is none, or has an escape. */
USE static inline size_t OF(string)(const char *p, size_t len) {
  size_t at = 1;
  if (*p != '"')
    return 0;
  for (; len - at >= SZ_PAST; at += BLOCK) {
    if (!OF(special)(p + at))
      continue;
    at += OF(first)(OF(special)(p + at));
    return p[at] == '"' ? at + 1 : 0;
  }
  return 0;
}

USE static size_t OF(match)(const struct sz_pattern *pattern, size_t part,
                            const char *p, size_t len, size_t *at,
                            struct sz_place *places) {
  const struct sz_part *t = pattern->parts;
  size_t from = *at;
  for (; part < pattern->count; part++) {
    size_t value = from + t[part].len, size = 0;
    __builtin_prefetch(p + from + AHEAD);
    __builtin_prefetch(p + from + AHEAD + 64);
    if (value + 2 * SZ_PAST > len ||
        !OF(same)(p + from, pattern->text + t[part].at, t[part].len))
      break;
    if (part + 1 < pattern->count) {
      if (t[part].like) {
        const struct sz_place *like = places + t[part].like - 1;
        if (like->len <= BLOCK &&
            !OF(differ)(p + value, p + like->at, like->len))
          size = like->len;
      }
      if (!size)
        size = OF(string)(p + value, len - value);
      if (!size)
        break;
      places[part].at = (uint32_t)value;
      places[part].len = (uint32_t)size;
    }
    from = value + size;
  }
  *at = from;
  return part;
}
