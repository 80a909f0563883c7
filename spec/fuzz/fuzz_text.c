/*
** fuzz_text.c - a text written as a CSV cell or a JSON string reads back as
** the same bytes: JSON with the scanner, CSV with a reader of ten lines. The
** guard adds one quote in front, or nothing. A written number reads back as
** itself.
*/
#include "fuzz.h"

#include "../../src/text.h"
#include "../../src/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

#define MOST ((size_t)1 << 20)

/* JSON: reads back as the text with its broken parts replaced. */
static void check_json(const char *text, size_t len) {
  struct sz_buffer written, wanted;
  struct sz_json j;
  sz_buffer_init(&written, MOST);
  sz_buffer_init(&wanted, MOST);
  fuzz_check(sz_text_json(&written, text, len) == SZ_BUFFER_OK &&
                 sz_buffer_append(&wanted, text, len) == SZ_BUFFER_OK &&
                 sz_utf8_replace(&wanted) == SZ_BUFFER_OK,
             "memory");
  fuzz_check(sz_json_init(&j, 4, MOST, SZ_UTF8_ERROR) == 0, "memory");
  sz_json_feed(&j, written.data, written.len);
  fuzz_check(sz_json_next(&j) == SZ_JSON_STRING, "it is a string");
  fuzz_check(j.len == wanted.len &&
                 (!j.len || !memcmp(j.text, wanted.data, j.len)),
             "the string reads back");
  sz_json_finish(&j);
  fuzz_check(sz_json_next(&j) == SZ_JSON_END, "there is nothing behind it");
  sz_json_free(&j);
  sz_buffer_free(&written);
  sz_buffer_free(&wanted);
}

/* Reads a cell's text into 'out'. 0: it is no valid cell. */
static int read_cell(const struct sz_buffer *cell, char separator, char *out,
                     size_t *len) {
  size_t at = 1;
  *len = 0;
  if (!cell->len || cell->data[0] != '"') {
    for (at = 0; at < cell->len; at++)
      if (cell->data[at] == separator || memchr("\"\r\n", cell->data[at], 3))
        return 0;
    memcpy(out, cell->len ? cell->data : "", cell->len);
    *len = cell->len;
    return 1;
  }
  for (; at < cell->len - 1; at++) {
    if (cell->data[at] == '"' && cell->data[++at] != '"')
      return 0;
    out[(*len)++] = cell->data[at];
  }
  return at == cell->len - 1 && cell->data[at] == '"';
}

static void check_csv(const char *text, size_t len, struct sz_csv how) {
  struct sz_buffer cell;
  char *out = malloc(len + 4);
  size_t got, extra;
  fuzz_check(out != NULL, "memory");
  sz_buffer_init(&cell, MOST);
  fuzz_check(sz_text_csv(&cell, &how, text, len) == SZ_BUFFER_OK, "memory");
  fuzz_check(read_cell(&cell, how.separator, out, &got), "it is a cell");
  extra = how.guard && got == len + 1;
  fuzz_check(got == len + extra && (!extra || out[0] == '\'') &&
                 (!len || !memcmp(out + extra, text, len)),
             "the cell reads back");
  fuzz_check(!how.guard || !got || !memchr("=+@\t\r\n", out[0], 6),
             "the guard leaves no formula");
  free(out);
  sz_buffer_free(&cell);
}

/* The input's first bytes as a whole number and as a double. */
static void check_numbers(const char *text) {
  struct sz_buffer b;
  char wanted[24];
  int64_t whole;
  double real, back;
  memcpy(&whole, text, sizeof whole);
  memcpy(&real, text, sizeof real);
  sz_buffer_init(&b, MOST);
  snprintf(wanted, sizeof wanted, "%lld", (long long)whole);
  fuzz_check(sz_text_integer(&b, whole) == SZ_BUFFER_OK &&
                 b.len == strlen(wanted) && !memcmp(b.data, wanted, b.len),
             "a whole number has its digits");
  b.len = 0;
  fuzz_check(sz_text_real(&b, real) == SZ_BUFFER_OK &&
                 sz_buffer_append(&b, "", 1) == SZ_BUFFER_OK,
             "memory");
  back = strtod(b.data, NULL);
  fuzz_check(isnan(real) ? isnan(back) : !memcmp(&back, &real, sizeof real),
             "a double reads back");
  sz_buffer_free(&b);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) {
  const char *text = (const char *)data;
  struct sz_csv plain = {',', false}, guarded = {';', true};
  if (size >= 8)
    check_numbers(text);
  check_json(text, size);
  check_csv(text, size, plain);
  check_csv(text, size, guarded);
  return 0;
}
