/*
** scan.c - runs the push scanner over files: whole, cut in two at every byte,
** and byte by byte; with every value read, and with every value skipped.
** Usage: scan file...
** Prints a line for each file: its name, then "accepts", or "refuses" with
** position and reason. Exits with 1 and a message when two ways differ.
*/
#include "../../src/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH 64
#define BYTES ((size_t)-1) /* means: cut after each byte */

static void die(const char *file, const char *what) {
  printf("%s: %s\n", file, what);
  exit(1);
}

struct text {
  const char *file;
  char *bytes;
  size_t len;
};

/* A scan's result: a hash of its tokens, and how it ended. */
struct said {
  uint64_t tokens;
  struct sz_json_error error;
};

static void say(struct said *said, const void *data, size_t len) {
  const unsigned char *byte = data;
  while (len--)
    said->tokens = (said->tokens ^ *byte++) * 1099511628211u;
}

static void say_token(struct said *said, const struct sz_json *j,
                      enum sz_json_token token) {
  say(said, &token, sizeof token);
  say(said, &j->start, sizeof j->start);
  if (token == SZ_JSON_KEY || token == SZ_JSON_STRING ||
      token == SZ_JSON_NUMBER)
    say(said, j->text, j->len);
}

/* Feeds the next piece, in memory of its own: ASan sees a read beyond it. */
static char *feed(struct sz_json *j, const struct text *t, size_t *at,
                  size_t cut) {
  size_t len = cut == BYTES ? 1 : *at < cut ? cut - *at : t->len - *at;
  char *piece = malloc(len ? len : 1);
  if (!piece)
    die(t->file, "not enough memory");
  if (len > t->len - *at)
    len = t->len - *at;
  memcpy(piece, t->bytes + *at, len);
  *at += len;
  sz_json_feed(j, piece, len);
  return piece;
}

static void scan(struct said *said, const struct text *t, size_t cut,
                 int skipping) {
  struct sz_json j;
  enum sz_json_token token;
  char *piece = NULL;
  size_t at = 0;
  memset(said, 0, sizeof *said);
  if (sz_json_init(&j, DEPTH, t->len, SZ_UTF8_PASS) < 0)
    die(t->file, "not enough memory");
  do {
    token = sz_json_next(&j);
    if (token == SZ_JSON_MORE) {
      free(piece);
      piece = NULL;
      if (at < t->len)
        piece = feed(&j, t, &at, cut);
      else
        sz_json_finish(&j);
      continue;
    }
    say_token(said, &j, token);
    if (skipping && (token == SZ_JSON_KEY || token == SZ_JSON_ARRAY))
      sz_json_skip(&j, NULL);
  } while (token != SZ_JSON_END && token != SZ_JSON_ERROR);
  said->error = j.error;
  free(piece);
  sz_json_free(&j);
}

static void must_say_the_same(const struct text *t, const struct said *a,
                              const struct said *b) {
  if (a->tokens != b->tokens || a->error.code != b->error.code ||
      a->error.position != b->error.position)
    die(t->file, "something else when it is cut");
}

/* The last useful cut: after a wrong byte cuts change nothing. */
static size_t last_cut(const struct text *t, const struct said *said) {
  if (said->error.code == SZ_JSON_OK || said->error.position >= t->len)
    return t->len;
  return (size_t)said->error.position + 1;
}

static void check_cuts(struct said *whole, const struct text *t,
                       int skipping) {
  struct said cut;
  size_t at, last;
  scan(whole, t, t->len, skipping);
  last = last_cut(t, whole);
  for (at = 0; at <= last; at++) {
    scan(&cut, t, at, skipping);
    must_say_the_same(t, whole, &cut);
  }
  scan(&cut, t, BYTES, skipping);
  must_say_the_same(t, whole, &cut);
}

static void check(const struct text *t) {
  struct said all, skipped;
  check_cuts(&all, t, 0);
  check_cuts(&skipped, t, 1);
  if (all.error.code != skipped.error.code ||
      all.error.position != skipped.error.position)
    die(t->file, "something else when values are skipped");
  if (all.error.code == SZ_JSON_OK)
    printf("%s accepts\n", t->file);
  else
    printf("%s refuses at %lu of %lu: %s\n", t->file,
           (unsigned long)all.error.position, (unsigned long)t->len,
           all.error.message);
}

static void read_file(struct text *t, const char *name) {
  FILE *file = fopen(name, "rb");
  long len;
  t->file = name;
  if (!file || fseek(file, 0, SEEK_END) != 0)
    die(name, "cannot be read");
  len = ftell(file);
  t->bytes = malloc((size_t)len + 1);
  if (!t->bytes || fseek(file, 0, SEEK_SET) != 0)
    die(name, "cannot be read");
  t->len = fread(t->bytes, 1, (size_t)len, file);
  fclose(file);
}

int main(int argc, char **argv) {
  int i;
  for (i = 1; i < argc; i++) {
    struct text t;
    read_file(&t, argv[i]);
    check(&t);
    free(t.bytes);
  }
  return 0;
}
