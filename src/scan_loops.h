/*
** scan_loops.h - the scanner's loops over blocks, made once per instruction
** set by including this with BLOCK (bytes in a block), USE (what its functions
** need said) and OF(name) (a function of the set) defined. See scan.h for
** what they do.
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

/* Whether 'len' bytes are the same; a whole last block of both is read. */
USE static inline int OF(same)(const char *p, const char *q, size_t len) {
  size_t at;
  for (at = 0; at < len; at += BLOCK)
    if (OF(different)(p + at, q + at) &&
        at + OF(first)(OF(different)(p + at, q + at)) < len)
      return 0;
  return 1;
}

/* Length of a text, of at most 'left' bytes, that may be 'guess' long. */
USE static inline size_t OF(text)(const char *p, size_t left, size_t guess) {
  if (guess < BLOCK && left >= BLOCK && OF(first_is)(OF(special)(p), guess))
    return guess;
  return OF(skip)(p, left);
}

USE static size_t OF(cross)(const struct sz_gap *gap, size_t count,
                            const char *gaps, const char *p, size_t left,
                            struct sz_place *place) {
  const struct sz_gap *last = gap + count - 1;
  size_t at = 0;
  for (;; gap++, place++) {
    const char *bytes = gaps + gap->at;
    size_t len = gap->len, rest = left - at;
    if (rest < len)
      return memcmp(p + at, bytes, rest) ? 0 : SZ_CUT;
    if (rest - len >= BLOCK ? !OF(same)(p + at, bytes, len)
                            : memcmp(p + at, bytes, len) != 0)
      return 0;
    at += len;
    if (gap == last)
      return at;
    len = OF(text)(p + at, left - at, place->len);
    at += len;
    place->len = len;
    place->end = at;
  }
}
