/* fuzz.c - shared by the fuzz targets. */
#include "fuzz.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCANNERS 4 /* the most that one machine has */

/* ---- input ---- */

/* Names that the linker's --wrap makes: the input chooses the scanner. */
const struct sz_scanner *__real_sz_scanner_of(size_t n);
const struct sz_scanner *__wrap_sz_scanner_of(size_t n);

static size_t scanner;

const struct sz_scanner *__wrap_sz_scanner_of(size_t n) {
  const struct sz_scanner *s = __real_sz_scanner_of(n ? n : scanner);
  return s || n ? s : __real_sz_scanner_of(0);
}

int fuzz_input(struct input *in, const unsigned char *data, size_t size) {
  if (size < HEADER)
    return 0;
  in->header = (const char *)data;
  in->text = in->header + HEADER;
  in->len = size - HEADER;
  scanner = fuzz_option(in, OPTION_CUTS) % SCANNERS;
  return 1;
}

unsigned fuzz_option(const struct input *in, int which) {
  return (unsigned char)in->header[which] & 31u;
}

/* ---- cuts ---- */

void fuzz_chunks_init(struct chunks *c, const struct input *in,
                      enum feeding feeding) {
  memset(c, 0, sizeof *c);
  c->in = in;
  c->feeding = feeding;
  c->random = fuzz_option(in, OPTION_CUTS) * 2654435761u + 1;
}

void fuzz_chunks_free(struct chunks *c) {
  free(c->chunk);
  c->chunk = NULL;
}

/* A chunk's length: mostly a few bytes, sometimes none or several rows. */
static size_t cut(struct chunks *c) {
  unsigned choice;
  c->random = c->random * 1664525u + 1013904223u;
  choice = c->random >> 16;
  if (choice % 4 == 0)
    return choice / 4 % 400;
  return choice / 4 % 8;
}

int fuzz_chunks_next(struct chunks *c, const char **data, size_t *len) {
  size_t left = c->in->len - c->at;
  size_t size = c->feeding == FEED_WHOLE   ? left
                : c->feeding == FEED_BYTES ? 1
                                           : cut(c);
  if (!left)
    return 0;
  if (size > left)
    size = left;
  if (c->feeding != FEED_BYTES || !c->chunk) {
    free(c->chunk);
    c->chunk = malloc(size ? size : 1);
    fuzz_check(c->chunk != NULL, "memory");
  }
  memcpy(c->chunk, c->in->text + c->at, size);
  c->at += size;
  *data = c->chunk;
  *len = size;
  return 1;
}

/* ---- transcripts ---- */

void fuzz_say_text(struct sz_buffer *log, const char *text, size_t len) {
  fuzz_check(sz_buffer_append(log, text, len) == SZ_BUFFER_OK, "memory");
}

/* Without printf, which would take most of the time. */
void fuzz_say_number(struct sz_buffer *log, uint64_t n) {
  char digits[24];
  size_t at = sizeof digits;
  digits[--at] = ' ';
  do
    digits[--at] = (char)('0' + n % 10);
  while (n /= 10);
  fuzz_say_text(log, digits + at, sizeof digits - at);
}

void fuzz_say(struct sz_buffer *log, const char *format, ...) {
  char line[1024];
  va_list args;
  int len;
  va_start(args, format);
  len = vsnprintf(line, sizeof line, format, args);
  va_end(args);
  fuzz_check(len >= 0 && (size_t)len < sizeof line, "a line fits");
  fuzz_say_text(log, line, (size_t)len);
}

/* Prints the text around offset 'at'. */
static void show(const struct sz_buffer *log, size_t at) {
  size_t from = at < 300 ? 0 : at - 300;
  size_t to = log->len < at + 200 ? log->len : at + 200;
  fwrite(to > from ? log->data + from : "", 1, to - from, stderr);
  fputs("\n----\n", stderr);
}

void fuzz_same(const char *what, const struct sz_buffer *a,
               const struct sz_buffer *b) {
  size_t at = 0;
  if (a->len == b->len && (!a->len || !memcmp(a->data, b->data, a->len)))
    return;
  while (at < a->len && at < b->len && a->data[at] == b->data[at])
    at++;
  fprintf(stderr, "%s: not the same from %zu of %zu and %zu:\n", what, at,
          a->len, b->len);
  show(a, at);
  show(b, at);
  abort();
}

void fuzz_check(int holds, const char *what) {
  if (holds)
    return;
  fprintf(stderr, "does not hold: %s\n", what);
  abort();
}

/* ---- reports ---- */

static const struct sz_select FIELDS[] = {
    {"host", "host", SZ_RAW, 1},         {"octets", "sum_octets", SZ_RAW, 1},
    {"text", "sum_octets", SZ_LABEL, 1}, {"share", "share", SZ_LABEL, 1},
    {"rank", "rank", SZ_RAW, 1},         {"where", "direction", SZ_RAW, 0},
    {"again", "host", SZ_RAW, 1},        {"name", "host", SZ_TITLE, 1},
    {"must", "host", SZ_RAW, 0},
};

/* Each projection is a slice of FIELDS; the first is every column. */
static const struct {
  size_t from, count;
} PROJECTIONS[] = {{0, 0}, {0, 2}, {0, 8}, {1, 1}, {3, 6}, {5, 1}, {2, 2}};

#define PICK(list, n) (list)[(n) % (sizeof(list) / sizeof *(list))]

void fuzz_report_options(const struct input *in, struct sz_report_options *o) {
  static const size_t ROWS[] = {1 << 20, 1 << 20, 8, 30, 64, 200, 1};
  static const size_t HELD[] = {1 << 20, 1 << 20, 1, 100, 300, 1000};
  static const size_t DEPTHS[] = {64, 64, 8, 7, 6, 9, 3};
  static const uint64_t BODIES[] = {1 << 30, 1 << 30, 1, 100, 700};
  unsigned fields = fuzz_option(in, OPTION_FIELDS);
  unsigned flags = fuzz_option(in, OPTION_FLAGS);
  size_t count = PICK(PROJECTIONS, fields).count;
  memset(o, 0, sizeof *o);
  o->projection.fields =
      count ? FIELDS + PICK(PROJECTIONS, fields).from : NULL;
  o->projection.nfields = count;
  o->projection.order = "";
  o->directions = flags & 3 ? flags & 3 : 3;
  o->ordered = (flags & 4) != 0;
  o->projection.with_direction = (flags & 8) != 0;
  o->keep_graph = (flags & 16) != 0;
  o->utf8 = (enum sz_json_utf8)(fuzz_option(in, OPTION_UTF8) % 3);
  o->max_row = PICK(ROWS, fuzz_option(in, OPTION_ROW));
  o->max_held = PICK(HELD, fuzz_option(in, OPTION_HELD));
  o->max_depth = PICK(DEPTHS, fuzz_option(in, OPTION_DEPTH));
  o->max_body = PICK(BODIES, fuzz_option(in, OPTION_BODY));
}

enum sz_report_event fuzz_report_run(struct sz_report *r,
                                     const struct input *in,
                                     enum feeding feeding, fuzz_row *row,
                                     void *context) {
  struct chunks chunks;
  enum sz_report_event event;
  const char *data;
  size_t len;
  int finished = 0;
  fuzz_chunks_init(&chunks, in, feeding);
  for (;;) {
    event = sz_report_next(r);
    if (event == SZ_REPORT_ROW) {
      row(context, r);
      continue;
    }
    if (event != SZ_REPORT_MORE)
      break;
    fuzz_check(!finished, "nothing is asked for after the end");
    if (fuzz_chunks_next(&chunks, &data, &len)) {
      sz_report_feed(r, data, len);
    } else {
      sz_report_finish(r);
      finished = 1;
    }
  }
  fuzz_check(sz_report_next(r) == event, "the last event is final");
  fuzz_chunks_free(&chunks);
  return event;
}
