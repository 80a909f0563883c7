/*
** report_names.c - rows that come before their columns. Each cell names its
** column: its dataJson is {"column":"..."}. So the first row gives the
** columns, as far as their names tell; the header is compared when it comes.
*/
#include "report_private.h"

#include "text.h"
#include "utf8.h"

#include <string.h>

static int is_text(const struct sz_json *j, const char *text) {
  return j->len == strlen(text) && !memcmp(j->text, text, j->len);
}

/*
** Appends the header of a cell whose dataJson has this text: 1. 0: the text
** names no column, or there is no memory.
*/
static int name_column(struct sz_buffer *out, const char *text, size_t len) {
  struct sz_json j;
  int named = 0;
  if (sz_json_init(&j, 2, len + 1, SZ_UTF8_ERROR) < 0)
    return 0;
  sz_json_feed(&j, text, len);
  j.finished = 1;
  if (sz_json_next(&j) == SZ_JSON_OBJECT && sz_json_next(&j) == SZ_JSON_KEY &&
      is_text(&j, "column") && sz_json_next(&j) == SZ_JSON_STRING && j.len > 0)
    named = sz_buffer_append(out, "{\"elementName\":", 15) == SZ_BUFFER_OK &&
            sz_text_json(out, j.text, j.len) == SZ_BUFFER_OK &&
            sz_buffer_append(out, "}", 1) == SZ_BUFFER_OK &&
            sz_json_next(&j) == SZ_JSON_OBJECT_END &&
            sz_json_next(&j) == SZ_JSON_END;
  sz_json_free(&j);
  return named;
}

/* What a cell tells of its column. */
struct cell {
  int named, raw, rank; /* has a dataJson; a rawValue; "Rank: " as title */
};

/* Reads one cell, past its brace. 0: it does not name its column. */
static int read_cell(struct sz_json *j, struct sz_buffer *out, int first) {
  struct cell cell = {0, 0, 0};
  enum sz_json_token token;
  while ((token = sz_json_next(j)) == SZ_JSON_KEY) {
    int data = is_text(j, "dataJson"), title = is_text(j, "title");
    cell.raw |= is_text(j, "rawValue");
    if (!data && !title)
      sz_json_skip(j, NULL);
    token = sz_json_next(j);
    if (data && (cell.named || token != SZ_JSON_STRING ||
                 !name_column(out, j->text, j->len)))
      return 0;
    cell.named |= data;
    if (title && token != SZ_JSON_STRING)
      return 0;
    cell.rank |= title && j->len > 6 && !memcmp(j->text, "Rank: ", 6);
  }
  if (token != SZ_JSON_OBJECT_END)
    return 0;
  if (cell.named)
    return 1;
  return first && cell.rank && !cell.raw &&
         sz_buffer_append(out, "{\"title\":\"Rank\"}", 16) == SZ_BUFFER_OK;
}

/* Writes the columns' list, as a header would be, from a row's text. */
static int read_row(struct sz_json *j, struct sz_buffer *out) {
  enum sz_json_token token = sz_json_next(j);
  int first = 1;
  if (token != SZ_JSON_ARRAY || sz_buffer_append(out, "[", 1) != SZ_BUFFER_OK)
    return 0;
  while ((token = sz_json_next(j)) == SZ_JSON_OBJECT) {
    if (!first && sz_buffer_append(out, ",", 1) != SZ_BUFFER_OK)
      return 0;
    if (!read_cell(j, out, first))
      return 0;
    first = 0;
  }
  return token == SZ_JSON_ARRAY_END && !first &&
         sz_buffer_append(out, "]", 1) == SZ_BUFFER_OK;
}

int sz_report_names_read(struct sz_report *r, const char *row, size_t len,
                         struct sz_buffer *out) {
  struct sz_json j;
  int named;
  if (sz_json_init(&j, r->options.max_depth, len + 1, SZ_UTF8_ERROR) < 0)
    return 0;
  sz_json_feed(&j, row, len);
  named = read_row(&j, out);
  sz_json_free(&j);
  return named;
}

/* ---- the header, when it comes ---- */

void sz_report_names_note(struct sz_report *r) {
  const struct direction *d = sz_report_current(r);
  size_t i;
  for (i = 0; i < d->columns.nwants; i++)
    d->texts[i] |= r->slots[i].type == SZ_SLOT_STRING;
}

/* Whether a raw value of a column was given as text. */
static int was_text(const struct direction *d, size_t column) {
  size_t i;
  for (i = 0; i < d->columns.nwants; i++)
    if (d->columns.wants[i].cell == column &&
        d->columns.wants[i].member == SZ_RAW && d->texts[i])
      return 1;
  return 0;
}

static const char *name_of(const struct sz_columns *c, size_t i) {
  return c->list[i].is_rank ? "Rank" : sz_columns_text(c, c->list[i].element);
}

enum step sz_report_names_compare(struct sz_report *r, uint64_t position) {
  const struct direction *d = sz_report_current(r);
  const struct sz_columns *rows = &d->columns, *header = &d->header;
  size_t i;
  if (!header->count)
    return sz_report_no_columns(r);
  if (rows->count != header->count)
    return sz_report_fail(r, "changed", position,
                          "the rows came before their columns and name %zu, "
                          "but there are %zu",
                          rows->count, header->count);
  for (i = 0; i < rows->count; i++) {
    if (rows->list[i].is_rank != header->list[i].is_rank ||
        strcmp(name_of(rows, i), name_of(header, i)) != 0)
      return sz_report_fail(r, "changed", position,
                            "the rows came before their columns: column %zu "
                            "is '%.100s' in the rows, but '%.100s' in the "
                            "columns",
                            i + 1, name_of(rows, i), name_of(header, i));
    if (rows->list[i].numeric != header->list[i].numeric && was_text(d, i))
      return sz_report_fail(r, "changed", position,
                            "the rows came before their columns: only these "
                            "tell that '%.100s' has numbers, and its values "
                            "were given as text",
                            name_of(rows, i));
  }
  return GO_ON;
}
