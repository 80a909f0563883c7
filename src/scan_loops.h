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

USE static void OF(mark)(struct sz_mark_state *state, const char *p,
                         size_t blocks, unsigned wanted,
                         struct sz_mark *marks) {
  struct sz_mark_state s = *state;
  struct sz_bytes b;
  for (; blocks; blocks--, p += 64, marks++) {
    uint64_t escaped, quote, inside;
    __builtin_prefetch(p + AHEAD);
    OF(bytes)(p, wanted, &b);
    escaped = sz_mark_escaped(&s, b.slash);
    quote = b.quote & ~escaped;
    inside = OF(prefix)(quote) ^ s.inside;
    s.inside = (uint64_t)0 - (inside >> 63);
    if (b.blank & ~inside) {
      b.strange = b.low & ~inside;
      if (b.strange)
        b.strange &= ~OF(white)(p);
      sz_mark_block(&s, &b, quote, inside, escaped, 1, marks);
    } else {
      sz_mark_block(&s, &b, quote, inside, escaped, 0, marks);
    }
  }
  *state = s;
}
