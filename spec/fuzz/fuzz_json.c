/*
** fuzz_json.c - the scanner gives the same tokens however its text is cut. A
** skipped value ends where its tokens end, and is checked as they are. The
** captured bytes are those of the text. Numbers are read as strtod reads them.
** Plain text ends where a loop over single bytes finds its end.
*/
#include "fuzz.h"
#include "plain.h"

#include "../../src/number.h"
#include "../../src/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

#define DEPTHS 12

/* Whether two texts are the same number; 'other' is short. */
static int same_number(const struct plain *number, const char *other) {
  struct plain p;
  fuzz_check(plain_read(other, strlen(other), &p), "a number of ours is one");
  return plain_order(number, &p) == 0;
}

/* A number of a moderate length, against a plain reading. */
static void check_exact(const struct plain *number, const struct sz_number *n,
                        double real) {
  char text[400]; /* %.0f writes 309 digits at most */
  int large = real >= 0x1p53 || real <= -0x1p53, same;
  if (n->kind == SZ_NUMBER_INTEGER) {
    snprintf(text, sizeof text, "%lld", (long long)n->integer);
    fuzz_check(same_number(number, text), "an integer is exact");
    return;
  }
  snprintf(text, sizeof text, "%.0f", isfinite(real) ? real : 0.0);
  same = isfinite(real) && large && same_number(number, text);
  if (n->kind == SZ_NUMBER_REAL)
    fuzz_check(!large || same, "a large double is exact");
  else /* digits alone are text beyond 64 bits, also where a double has them */
    fuzz_check(number->is_real
                   ? large && !same
                   : !isfinite(real) || real >= 0x1p63 || real <= -0x1p63,
               "a number is text only when no number holds it");
}

static void check_number(const struct sz_json *j) {
  struct sz_number n;
  struct plain number;
  char *copy = malloc(j->len + 1), *end;
  double real;
  fuzz_check(copy != NULL, "memory");
  memcpy(copy, j->text, j->len);
  copy[j->len] = '\0';
  sz_number_read(j->text, j->len, &n);
  real = strtod(copy, &end);
  fuzz_check(*end == '\0', "a number is one for strtod");
  if (n.kind == SZ_NUMBER_REAL)
    fuzz_check(!memcmp(&real, &n.real, sizeof real),
               "a double is the nearest");
  if (plain_read(j->text, j->len, &number))
    check_exact(&number, &n, real);
  free(copy);
}

/* Every scanner finds the same as a loop over single bytes. */
static void check_plain(const char *text, size_t left, size_t plain,
                        char *copy) {
  const struct sz_scanner *s;
  size_t i;
  for (i = 0; (s = sz_scanner_of(i)) != NULL; i++)
    fuzz_check(s->plain(text, left) == plain, s->name);
  fuzz_check(sz_scan_plain(text, left) == plain, "plain text ends there");
  fuzz_check(sz_copy_plain(copy, text, left) == plain &&
                 !memcmp(copy, text, plain),
             "plain text is copied");
}

static void check_scan(const struct input *in) {
  char *copy = malloc(in->len + 16);
  size_t from = 0;
  fuzz_check(copy != NULL, "memory");
  while (from < in->len) {
    const char *text = in->text + from;
    size_t left = in->len - from, plain = 0;
    while (plain < left && !sz_is_special((unsigned char)text[plain]))
      plain++;
    check_plain(text, left, plain, copy);
    from += plain + 1;
  }
  free(copy);
}

/* Writes how it ended, on a line of its own. */
static void say_end(struct sz_buffer *log, const struct sz_json *j,
                    enum sz_json_token token) {
  if (token == SZ_JSON_ERROR)
    fuzz_say(log, "error %d %s at %llu\n", j->error.code, j->error.message,
             (unsigned long long)j->error.position);
  else
    fuzz_say(log, "end at %llu\n", (unsigned long long)sz_json_position(j));
}

static void say_token(struct sz_buffer *log, const struct sz_json *j,
                      enum sz_json_token token) {
  fuzz_say_number(log, token);
  fuzz_say_number(log, j->start);
  fuzz_say_number(log, sz_json_position(j));
  fuzz_say_number(log, j->depth);
  if (token != SZ_JSON_KEY && token != SZ_JSON_STRING &&
      token != SZ_JSON_NUMBER)
    return;
  fuzz_say_text(log, j->text, j->len);
  if (token == SZ_JSON_NUMBER)
    check_number(j);
  else if (j->utf8 != SZ_UTF8_PASS)
    fuzz_check(sz_utf8_valid(j->text, j->len) == j->len, "text is UTF-8");
}

/* The next token; feeds chunks when the scanner needs them. */
static enum sz_json_token next(struct sz_json *j, struct chunks *chunks) {
  for (;;) {
    enum sz_json_token token = sz_json_next(j);
    const char *data;
    size_t len;
    if (token != SZ_JSON_MORE)
      return token;
    fuzz_check(!j->finished, "nothing is asked for after the end");
    if (fuzz_chunks_next(chunks, &data, &len))
      sz_json_feed(j, data, len);
    else
      sz_json_finish(j);
  }
}

static size_t max_depth(const struct input *in) {
  unsigned option = fuzz_option(in, OPTION_DEPTH);
  return option < 2 ? 64 : option % DEPTHS + 1;
}

static void walk(struct sz_buffer *log, const struct input *in,
                 enum feeding feeding, size_t max_text,
                 enum sz_json_utf8 utf8) {
  struct sz_json j;
  struct chunks chunks;
  enum sz_json_token token;
  fuzz_check(!sz_json_init(&j, max_depth(in), max_text, utf8), "memory");
  fuzz_chunks_init(&chunks, in, feeding);
  while ((token = next(&j, &chunks)) != SZ_JSON_ERROR &&
         token != SZ_JSON_END) {
    say_token(log, &j, token);
    fuzz_say_text(log, "\n", 1);
  }
  say_end(log, &j, token);
  fuzz_check(token == sz_json_next(&j), "the last token is final");
  fuzz_chunks_free(&chunks);
  sz_json_free(&j);
}

/* Whether a value, or an array's end, must come after this token. */
static int may_skip(const struct sz_json *j, enum sz_json_token token) {
  int in_array = j->depth && !j->nest[j->depth - 1];
  return token == SZ_JSON_KEY || (in_array && token != SZ_JSON_MORE);
}

static void check_capture(const struct sz_json *j, const struct sz_buffer *b,
                          const struct input *in) {
  size_t to = (size_t)sz_json_position(j);
  fuzz_check(b->len <= to && b->len > 0 &&
                 !memcmp(b->data, in->text + to - b->len, b->len),
             "what is captured is what stands there");
  fuzz_check(j->start >= to - b->len && j->start < to,
             "a skipped value begins in what is captured");
}

/* Skips every n-th value; writes its end, or the error, to the log. */
static void walk_skipping(struct sz_buffer *log, const struct input *in,
                          enum feeding feeding, unsigned every) {
  struct sz_json j;
  struct chunks chunks;
  struct sz_buffer captured;
  enum sz_json_token token = SZ_JSON_MORE;
  unsigned n = 0;
  fuzz_check(!sz_json_init(&j, max_depth(in), in->len, SZ_UTF8_PASS),
             "memory");
  sz_buffer_init(&captured, in->len);
  fuzz_chunks_init(&chunks, in, feeding);
  do {
    int skipping = may_skip(&j, token) && n++ % every == 0;
    captured.len = 0;
    if (skipping)
      sz_json_skip(&j, n % 2 ? &captured : NULL);
    token = next(&j, &chunks);
    if (token == SZ_JSON_SKIPPED && n % 2)
      check_capture(&j, &captured, in);
  } while (token != SZ_JSON_ERROR && token != SZ_JSON_END);
  say_end(log, &j, token);
  fuzz_chunks_free(&chunks);
  sz_buffer_free(&captured);
  sz_json_free(&j);
}

static void compare_walks(const struct input *in) {
  static const size_t MAX[] = {1 << 20, 1 << 20, 1 << 20, 16, 3, 0};
  size_t max = MAX[fuzz_option(in, OPTION_ROW) % 6];
  enum sz_json_utf8 utf8 =
      (enum sz_json_utf8)(fuzz_option(in, OPTION_UTF8) % 3);
  struct sz_buffer logs[FEEDINGS];
  int i;
  for (i = 0; i < FEEDINGS; i++) {
    sz_buffer_init(&logs[i], (size_t)1 << 30);
    walk(&logs[i], in, (enum feeding)i, max, utf8);
    fuzz_same("tokens", &logs[0], &logs[i]);
  }
  for (i = 0; i < FEEDINGS; i++)
    sz_buffer_free(&logs[i]);
}

/* Keeps only the last line: how it ended. */
static void keep_end(struct sz_buffer *log) {
  size_t at = log->len - 1;
  while (at && log->data[at - 1] != '\n')
    at--;
  log->len = log->len - at;
  memmove(log->data, log->data + at, log->len);
}

static void compare_skips(const struct input *in) {
  unsigned every = fuzz_option(in, OPTION_FLAGS) % 5 + 1;
  struct sz_buffer end, skipped;
  int i;
  sz_buffer_init(&end, (size_t)1 << 30);
  sz_buffer_init(&skipped, (size_t)1 << 30);
  for (i = 0; i < FEEDINGS; i++) {
    skipped.len = 0;
    walk_skipping(&skipped, in, (enum feeding)i, every);
    if (!i) {
      walk(&end, in, FEED_WHOLE, in->len, SZ_UTF8_PASS);
      keep_end(&end);
    }
    fuzz_same("skipped", &end, &skipped);
  }
  sz_buffer_free(&end);
  sz_buffer_free(&skipped);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) {
  struct input in;
  if (!fuzz_input(&in, data, size))
    return 0;
  check_scan(&in);
  compare_walks(&in);
  compare_skips(&in);
  return 0;
}
