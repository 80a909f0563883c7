/* raws.c - see raws.h. */
#include "raws.h"

#include "scan.h"

#include <string.h>

static size_t blanks(const char *s, size_t at, size_t len) {
  while (at < len && strchr(" \t\r\n", s[at]))
    at++;
  return at;
}

/* Where the JSON value at 'at' ends: a text with its quotes, or a word. */
static size_t value_end(const char *s, size_t at, size_t len) {
  if (at < len && s[at] == '"') {
    for (at++; at < len; at += 2) {
      at += sz_scan_plain(s + at, len - at);
      if (at < len && s[at] == '"')
        return at + 1;
    }
    return len;
  }
  while (at < len && !strchr(",]} \t\r\n", s[at]))
    at++;
  return at;
}

/* A walk over a row's text, from raw value to raw value. */
struct walk {
  const char *text;
  size_t len, at, depth;
  size_t cell; /* cells begun */
};

/* Passes the string at the walk; tells whether it is the key rawValue. */
static int pass_string(struct walk *w) {
  static const char name[] = "\"rawValue\"";
  size_t from = w->at, size = sizeof name - 1;
  w->at = value_end(w->text, from, w->len);
  if (w->at - from != size || memcmp(w->text + from, name, size) != 0)
    return 0;
  w->at = blanks(w->text, w->at, w->len);
  return w->at < w->len && w->text[w->at] == ':';
}

/* Finds the next raw value of a cell, from '*at' to the walk; 0: none. */
static int next_raw(struct walk *w, size_t *at) {
  while (w->at < w->len) {
    char c = w->text[w->at];
    if (c == '"') {
      if (!pass_string(w) || w->depth != 2)
        continue;
      *at = blanks(w->text, w->at + 1, w->len);
      w->at = *at;
      c = *at < w->len ? w->text[*at] : ',';
      if (c == '{' || c == '[')
        continue;
      w->at = value_end(w->text, *at, w->len);
      return 1;
    }
    if (c == '{' || c == '[')
      w->cell += ++w->depth == 2;
    else if (c == '}' || c == ']')
      w->depth--;
    w->at++;
  }
  return 0;
}

size_t sz_raws_find(const char *text, size_t len, struct sz_raw *raws,
                    size_t cells) {
  struct walk w = {text, len, 0, 0, 0};
  size_t at;
  if (cells)
    memset(raws, 0, cells * sizeof *raws);
  while (next_raw(&w, &at))
    if (w.cell <= cells) {
      raws[w.cell - 1].at = (uint32_t)at;
      raws[w.cell - 1].len = (uint32_t)(w.at - at);
    }
  return w.cell;
}
