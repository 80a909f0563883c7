/*
** scan_loops.h - the scanner's loops over blocks. scan.c includes this file
** once per instruction set, with these macros: BLOCK (bytes in a block), USE
** (the functions' attributes), OF(name) (a function of the set) and AHEAD.
** See scan.h for what the functions do.
*/

USE static inline size_t OF(skip)(const char *p, size_t len) {
  size_t at = 0;
  for (; len - at >= BLOCK; at += BLOCK) {
    if (OF(special)(p + at))
      return at + OF(first)(OF(special)(p + at));
  }
  while (at < len && !sz_is_special((unsigned char)p[at]))
    at++;
  return at;
}

USE static size_t OF(plain)(const char *p, size_t len) {
  return OF(skip)(p, len);
}

/* Whether 'len' bytes, at least one, are equal; reads whole blocks. */
USE static inline int OF(same)(const char *p, const char *q, size_t len) {
  for (; len > BLOCK; p += BLOCK, q += BLOCK, len -= BLOCK) {
    __builtin_prefetch(p + AHEAD);
    if (OF(different)(p, q))
      return 0;
  }
  return !OF(within)(OF(different)(p, q), len);
}

/*
** Matches pairs of gap and text while the texts are shorter than a block.
** There must be as many bytes as 'plenty' says. Returns how many pairs
** matched; '*at' is the offset after them.
*/
USE static inline size_t OF(hurry)(const struct sz_gap *gap, size_t pairs,
                                   const char *gaps, const char *p,
                                   struct sz_place *place, size_t *at) {
  const char *from = p, *end = p;
  size_t i;
  for (i = 0; i < pairs; i++) {
    size_t guess = place[gap[i].like].len;
    if (!OF(same)(p, gaps + gap[i].at, gap[i].len))
      break;
    p += gap[i].len;
    if (guess >= BLOCK || !OF(first_is)(OF(special)(p), guess)) {
      if (!OF(special)(p))
        break;
      guess = OF(first)(OF(special)(p));
    }
    p += guess;
    place[i].len = guess;
    place[i].end = (size_t)(p - from);
    end = p;
  }
  *at = (size_t)(end - from);
  return i;
}

/* How many bytes 'hurry' may read. */
USE static inline size_t OF(plenty)(const struct sz_gap *gap, size_t count) {
  const struct sz_gap *last = gap + count - 1;
  return last->at + last->len + (count + 1) * BLOCK;
}

USE static size_t OF(cross)(const struct sz_gap *gap, size_t count,
                            const char *gaps, const char *p, size_t left,
                            struct sz_place *place) {
  size_t at = 0, i = 0;
  if (left >= OF(plenty)(gap, count))
    i = OF(hurry)(gap, count - 1, gaps, p, place, &at);
  for (;; i++) {
    const char *bytes = gaps + gap[i].at;
    size_t len = gap[i].len, rest = left - at;
    if (rest < len)
      return memcmp(p + at, bytes, rest) ? 0 : SZ_CUT;
    if (rest - len >= BLOCK ? !OF(same)(p + at, bytes, len)
                            : memcmp(p + at, bytes, len) != 0)
      return 0;
    at += len;
    if (i == count - 1)
      return at;
    len = OF(skip)(p + at, left - at);
    at += len;
    place[i].len = len;
    place[i].end = at;
  }
}
