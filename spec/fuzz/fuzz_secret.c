/*
** fuzz_secret.c - no byte of a secret stays in a text, however it is encoded
** and wherever the text is cut; what is no secret stays. Behind the HEADER,
** which chooses the cuts, the first line is the secret; in what follows \1 and
** a byte stand for the secret in the encodings that the byte names, \2 and a
** byte for the same with one byte of the secret changed into another.
*/
#include "fuzz.h"

#include "../../src/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

enum { SECRET = 120, PLANTS = 24, MOST = 1 << 16, LEAST = 4 };

struct bytes {
  unsigned char *s;
  size_t len;
};

struct plant {
  size_t from, four, to; /* 'four': behind its first four bytes */
  int is_secret;
};

struct task {
  struct input in;
  const unsigned char *secret;
  size_t secret_len;
  struct bytes text;
  struct plant plants[PLANTS];
  size_t count;
  struct sz_secret *made;
};

/* ---- encoders ---- */

static void put(struct bytes *out, unsigned c) {
  fuzz_check(out->len < MOST, "an encoded text fits");
  out->s[out->len++] = (unsigned char)c;
}

static void put_text(struct bytes *out, const char *s) {
  while (*s)
    put(out, (unsigned char)*s++);
}

static void put_hex(struct bytes *out, unsigned long code, int digits,
                    int upper) {
  const char *hex = upper ? "0123456789ABCDEF" : "0123456789abcdef";
  while (digits--)
    put(out, (unsigned char)hex[code >> 4 * digits & 15]);
}

/* Reads a character of UTF-8; a byte that begins none is one by itself. */
static unsigned long character(const unsigned char *s, size_t len, size_t *n) {
  static const unsigned long FIRST[] = {0, 0, 0x80, 0x800, 0x10000};
  size_t i, count = *s < 0xC0 ? 1 : *s < 0xE0 ? 2 : *s < 0xF0 ? 3 : 4;
  unsigned long code = *s & (0xFFu >> (count + 1));
  *n = 1;
  if (*s < 0x80)
    return *s;
  if (count == 1 || *s > 0xF4 || count > len)
    return 0x80000000ul | *s;
  for (i = 1; i < count; i++) {
    if (s[i] >> 6 != 2)
      return 0x80000000ul | *s;
    code = code << 6 | (s[i] & 0x3F);
  }
  if (code < FIRST[count] || code > 0x10FFFF ||
      (code >= 0xD800 && code <= 0xDFFF))
    return 0x80000000ul | *s;
  *n = count;
  return code;
}

static int is_plain(unsigned long c) {
  return c < 0x80 && (strchr("-_.~", (int)c) ||
                      (c >= '0' && c <= '9') ||
                      ((c | 32) >= 'a' && (c | 32) <= 'z')) && c;
}

/* 'how': 0 as it is, 1 beyond ASCII as \u, 2 all as \u. */
static void json(struct bytes *out, unsigned long c, const unsigned char *raw,
                 size_t n, int how) {
  static const char NAMED[] = "\"\"\\\\\bb\ff\nn\rr\tt//";
  const char *at = NAMED;
  size_t i;
  while (c && *at && (unsigned char)*at != c)
    at += 2;
  if (c && *at && how < 2) {
    put(out, '\\');
    put(out, (unsigned char)at[1]);
  } else if (c < 0x20 || (how && c >= 0x80 && c <= 0xFFFF) || (how == 2 && c < 0x80)) {
    put_text(out, "\\u");
    put_hex(out, c, 4, how == 1);
  } else if (how && c > 0xFFFF && c <= 0x10FFFF) {
    put_text(out, "\\u");
    put_hex(out, 0xD800 + ((c - 0x10000) >> 10), 4, 0);
    put_text(out, "\\u");
    put_hex(out, 0xDC00 + ((c - 0x10000) & 0x3FF), 4, 1);
  } else {
    for (i = 0; i < n; i++)
      put(out, raw[i]);
  }
}

static void url(struct bytes *out, const unsigned char *raw, size_t n,
                int form) {
  size_t i;
  for (i = 0; i < n; i++) {
    if (is_plain(raw[i])) {
      put(out, raw[i]);
    } else if (form && raw[i] == ' ') {
      put(out, '+');
    } else {
      put(out, '%');
      put_hex(out, raw[i], 2, form);
    }
  }
}

static void html(struct bytes *out, unsigned long c, const unsigned char *raw,
                 size_t n, int numbers) {
  static const char *const NAMES[] = {"&amp;", "&lt;", "&gt;", "&quot;",
                                      "&#39;"};
  const char *at = c && c < 0x80 ? strchr("&<>\"'", (int)c) : NULL;
  size_t i;
  if (numbers && c && c <= 0x10FFFF && !is_plain(c)) {
    put_text(out, "&#x");
    put_hex(out, c, c > 0xFFFF ? 6 : c > 0xFF ? 4 : 2, 0);
    put(out, ';');
  } else if (at) {
    put_text(out, NAMES[at - "&<>\"'"]);
  } else {
    for (i = 0; i < n; i++)
      put(out, raw[i]);
  }
}

/* Bytes read as Latin-1 and written as UTF-8. */
static void latin1(struct bytes *out, const unsigned char *raw, size_t n) {
  size_t i;
  for (i = 0; i < n; i++) {
    if (raw[i] >= 0x80)
      put(out, 0xC0u | raw[i] >> 6);
    put(out, raw[i] < 0x80 ? raw[i] : 0x80u | (raw[i] & 0x3F));
  }
}

enum { AS_IT_IS, JSON, JSON_ASCII, JSON_ALL, URL, FORM, HTML, HTML_NUMBERS };

static void encode(struct bytes *out, const unsigned char *s, size_t len,
                   unsigned how) {
  size_t at, n;
  for (at = 0; at < len; at += n) {
    unsigned long c = character(s + at, len - at, &n);
    if (how == AS_IT_IS)
      latin1(out, s + at, n); /* changes only what is beyond ASCII */
    else if (how <= JSON_ALL)
      json(out, c, s + at, n, (int)how - JSON);
    else if (how <= FORM)
      url(out, s + at, n, how == FORM);
    else
      html(out, c, s + at, n, how == HTML_NUMBERS);
  }
}

/*
** Up to three encodings, as the two high bits say. Letters and digits are
** encoded by the first one only: no encoder encodes its own again. No JSON is
** around that one: its first backslash would stay, which is none of the secret.
*/
static void encode_all(struct bytes *out, const unsigned char *s, size_t len,
                       unsigned how) {
  unsigned layers[3], i, count;
  unsigned char *a = malloc(MOST), *b = malloc(MOST);
  struct bytes from = {a, 0}, to = {b, 0}, swap;
  fuzz_check(a && b, "memory");
  layers[0] = how & 7;
  layers[1] = how >> 3 & 7;
  layers[2] = how >> 2 & 7;
  count = how >> 6;
  memcpy(from.s, s, len);
  from.len = len;
  for (i = 0; i < count; i++) {
    to.len = 0;
    if (i && layers[i] <= JSON_ALL && layers[i] >= JSON)
      layers[i] = layers[0] == JSON_ALL ? URL : JSON_ASCII;
    encode(&to, from.s, from.len, layers[i]);
    swap = from;
    from = to;
    to = swap;
  }
  for (i = 0; i < from.len; i++)
    put(out, from.s[i]);
  free(a);
  free(b);
}

/* ---- the text ---- */

/* The first bytes of the secret that end a character: four, or more. */
static size_t first_four(const struct task *t) {
  size_t at = 0, n;
  while (at < LEAST && at < t->secret_len) {
    character(t->secret + at, t->secret_len - at, &n);
    at += n;
  }
  return at;
}

/* Letters that no encoding is made of; a Z is in no such secret. */
static int is_apart(const struct task *t) {
  size_t i;
  for (i = 0; i < t->secret_len; i++)
    if (t->secret[i] < 'G' || t->secret[i] > 'Y')
      return 0;
  return 1;
}

static void plant(struct task *t, unsigned how, int is_secret) {
  struct plant *p = &t->plants[t->count];
  unsigned char changed[SECRET];
  size_t four = first_four(t);
  if (t->count == PLANTS || t->text.len > 1024)
    return;
  memcpy(changed, t->secret, t->secret_len);
  if (!is_secret)
    changed[how % t->secret_len] = 'Z';
  p->from = t->text.len;
  encode_all(&t->text, changed, four, how);
  p->four = t->text.len;
  t->text.len = p->from;
  encode_all(&t->text, changed, t->secret_len, how);
  p->to = t->text.len;
  p->is_secret = is_secret;
  t->count++;
}

static void make_text(struct task *t, const unsigned char *s, size_t len) {
  size_t i;
  for (i = 0; i < len; i++) {
    if ((s[i] == 1 || s[i] == 2) && i + 1 < len) {
      plant(t, s[i + 1], s[i] == 1);
      i++;
    } else {
      put(&t->text, s[i]);
    }
  }
}

/* ---- masking, as core.mask does ---- */

/*
** Appends the masked text to 'out', and sets 'covered' where a byte was
** masked. Returns from where on the text is held back.
*/
static size_t mask(struct task *t, const unsigned char *text, size_t len,
                   int least, struct bytes *out, unsigned char *covered) {
  unsigned char *marks = calloc(1, len + 1);
  const char *s = (const char *)text;
  size_t at = 0, end, held = len;
  fuzz_check(marks != NULL, "memory");
  sz_secret_find(t->made, s, len, marks);
  if (least >= 0)
    sz_secret_cut(t->made, s, len, (size_t)least, marks);
  while (at < held) {
    if (!marks[at]) {
      put(out, text[at++]);
      continue;
    }
    held = end = at;
    if (!(marks[at] & SZ_SECRET_CUT))
      end = sz_secret_end(t->made, s, len, marks, at, &held);
    fuzz_check(end >= at && end <= len && (held == len || held == end),
               "an occurrence has an end");
    if (end > at)
      put_text(out, "***");
    memset(covered + at, 1, end - at);
    at = end;
  }
  free(marks);
  return held;
}

/* Runs of * become one *. */
static void shorten(struct bytes *b) {
  size_t i, n = 0;
  for (i = 0; i < b->len; i++)
    if (b->s[i] != '*' || !n || b->s[n - 1] != '*')
      b->s[n++] = b->s[i];
  b->len = n;
}

/* Feeds the text in pieces, as a stream of secrets/init.lua does. */
static void stream(struct task *t, struct bytes *out) {
  struct chunks chunks;
  struct input in = t->in;
  unsigned char *held = malloc(MOST), *covered = malloc(MOST);
  size_t len = 0, rest, piece_len;
  const char *piece;
  fuzz_check(held && covered, "memory");
  in.text = (const char *)t->text.s;
  in.len = t->text.len;
  fuzz_chunks_init(&chunks, &in, FEED_CUT);
  while (fuzz_chunks_next(&chunks, &piece, &piece_len)) {
    memcpy(held + len, piece, piece_len);
    len += piece_len;
    rest = mask(t, held, len, 0, out, covered);
    memmove(held, held + rest, len - rest);
    len -= rest;
  }
  mask(t, held, len, -1, out, covered);
  fuzz_chunks_free(&chunks);
  free(held);
  free(covered);
}

/* ---- what must hold ---- */

static void check_covered(const struct task *t, const unsigned char *covered,
                          size_t from, size_t to, const char *what) {
  size_t i;
  for (i = from; i < to; i++)
    if (!covered[i]) {
      fprintf(stderr, "%.*s\nin %.*s\n", (int)t->secret_len, t->secret,
              (int)(to - from), t->text.s + from);
      fuzz_check(0, what);
    }
}

static int begins_encoding(unsigned char c) {
  return c == '\\' || c == '%' || c == '&' || c == '+' || c == 0xC2 ||
         c == 0xC3;
}

/* Raw occurrences are marked; in a text without encodings no other place. */
static void check_marks(struct task *t) {
  unsigned char *marks = calloc(1, t->text.len + 1);
  int encoded = 0;
  size_t i;
  fuzz_check(marks != NULL, "memory");
  sz_secret_find(t->made, (const char *)t->text.s, t->text.len, marks);
  for (i = 0; i < t->text.len; i++)
    encoded |= begins_encoding(t->text.s[i]);
  for (i = 0; i < t->text.len; i++) {
    int here = i + t->secret_len <= t->text.len &&
               !memcmp(t->text.s + i, t->secret, t->secret_len);
    fuzz_check(marks[i] || !here, "a secret is found");
    fuzz_check(here || !marks[i] || encoded, "no other text is");
  }
  for (i = 0; i < t->count && is_apart(t); i++)
    fuzz_check(t->plants[i].is_secret || !marks[t->plants[i].from],
               "another text is no secret");
  free(marks);
}

static void check_whole(struct task *t, struct bytes *out) {
  unsigned char *covered = calloc(1, t->text.len + 1);
  size_t i;
  fuzz_check(covered != NULL, "memory");
  fuzz_check(mask(t, t->text.s, t->text.len, -1, out, covered) == t->text.len,
             "nothing is held at the end");
  for (i = 0; i < t->count; i++)
    if (t->plants[i].is_secret)
      check_covered(t, covered, t->plants[i].from, t->plants[i].to,
                    "all of a secret is masked");
  for (i = 0; i + t->secret_len <= t->text.len; i++)
    if (!memcmp(t->text.s + i, t->secret, t->secret_len))
      check_covered(t, covered, i, i + t->secret_len, "all of it is masked");
  free(covered);
}

/* A text that is cut within the secret. */
static void check_cut(struct task *t, const struct plant *p, size_t cut) {
  unsigned char *covered = calloc(1, cut + 1), *copy = malloc(cut + 1);
  struct bytes out = {malloc(MOST), 0};
  size_t held;
  fuzz_check(covered && copy && out.s, "memory");
  memcpy(copy, t->text.s, cut); /* of this size: reading on is seen */
  held = mask(t, copy, cut, LEAST, &out, covered);
  check_covered(t, covered, p->from, held < cut ? (held > p->from ? held : p->from) : cut,
                "the secret's beginning is masked");
  free(covered);
  free(copy);
  free(out.s);
}

static void check(struct task *t) {
  struct bytes whole = {malloc(MOST), 0}, pieces = {malloc(MOST), 0};
  size_t i, step;
  fuzz_check(whole.s && pieces.s, "memory");
  check_marks(t);
  check_whole(t, &whole);
  stream(t, &pieces);
  shorten(&whole);
  shorten(&pieces);
  fuzz_check(whole.len == pieces.len &&
                 !memcmp(whole.s, pieces.s, whole.len),
             "a text in pieces is masked as a whole one");
  for (i = 0; i < t->count && i < 4; i++) {
    const struct plant *p = &t->plants[i];
    size_t cut = p->four;
    step = 1 + (p->to - cut) / 6 + fuzz_option(&t->in, OPTION_CUTS) % 7;
    for (; p->is_secret && t->secret_len >= LEAST && cut < p->to;
         cut += step)
      check_cut(t, p, cut);
  }
  free(whole.s);
  free(pieces.s);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) {
  struct task t;
  const unsigned char *line, *text;
  unsigned char *room, secret[SECRET];
  memset(&t, 0, sizeof t);
  if (!fuzz_input(&t.in, data, size) || size > 400)
    return 0;
  text = (const unsigned char *)t.in.text;
  line = t.in.len ? memchr(text, '\n', t.in.len) : NULL;
  if (!line || line == text || line - text > SECRET)
    return 0;
  t.secret_len = (size_t)(line - text);
  memcpy(secret, text, t.secret_len);
  t.secret = secret;
  room = malloc(sz_secret_size(t.secret_len));
  t.text.s = malloc(MOST);
  fuzz_check(room && t.text.s, "memory");
  t.made = sz_secret_init(room, (const char *)secret, t.secret_len);
  make_text(&t, line + 1, t.in.len - t.secret_len - 1);
  check(&t);
  free(room);
  free(t.text.s);
  return 0;
}
