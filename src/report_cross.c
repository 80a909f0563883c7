/*
** report_cross.c - reads rows at once, by their structure. The bytes of a row
** that the end of a chunk cuts are kept, and looked at together with the next
** chunk. What is no plain row goes to the general reader; it gets the pieces
** as they came.
*/
#include "report_private.h"

#include "utf8.h"

#include <string.h>

#define STEP 1024 /* bytes of the next chunk that are added at once */

/* Whether rows may be crossed here. '*comma': one must be before the row. */
static int may_cross(struct sz_report *r, int *comma) {
  const struct sz_json *in = r->in;
  *comma = sz_json_comma(in);
  return *comma >= 0 && r->options.utf8 == SZ_UTF8_PASS &&
         sz_report_current(r)->has_columns && in->max_depth - in->depth >= 2;
}

/* Copies the slots' texts, and replaces their escapes. 0: no room. */
static int unescape(struct sz_report *r, const char *text) {
  size_t i, n = sz_report_current(r)->columns.nwants;
  struct sz_buffer *out = &r->row_text;
  out->len = 0;
  for (i = 0; i < n; i++) {
    struct sz_slot *slot = &r->slots[i];
    const char *from = text + slot->at;
    if (slot->type == SZ_SLOT_ABSENT)
      continue;
    slot->at = out->len;
    if (sz_buffer_append(out, from, slot->len) != SZ_BUFFER_OK)
      return 0;
    if (memchr(from, '\\', slot->len))
      slot->len = sz_utf8_unescape(out->data + slot->at, slot->len);
    out->len = slot->at + slot->len;
  }
  r->row_base = out->data;
  return 1;
}

/* As sz_cross_row; '*len': the row's length, with what is before it. */
static size_t cross(struct sz_report *r, const char *text, size_t left,
                    size_t known, int comma, size_t *len) {
  struct direction *d = sz_report_current(r);
  struct sz_crossed row;
  size_t found;
  row.raws = sz_report_last_look(r) ? d->next_raws : NULL;
  row.again = known > 0;
  found = sz_cross_row(&r->cross, text, left, sz_json_position(r->in) - known,
                       comma, &d->columns, r->slots, &row);
  if (found != 1)
    return found;
  *len = row.len;
  r->row_base = text;
  if (row.len <= known || row.len - row.from > r->row_raw.max)
    return 0;
  if (row.escaped && !unescape(r, text))
    return 0;
  sz_json_pass(r->in, row.len - known);
  sz_report_last_tell(r);
  sz_report_last_slice(r, text + row.from, row.len - row.from);
  if (row.raws)
    sz_report_last_raws(r);
  return 1;
}

static enum crossing crossed(struct sz_report *r) {
  return sz_report_last_check(r) == GIVE_ROW ? CROSS_ROW : CROSS_STOP;
}

/* The chunk ends in a row, which begins at the next byte. */
static enum crossing carry_begin(struct sz_report *r) {
  struct sz_json *in = r->in;
  if (in != &r->json || in->finished || r->over_body || r->later ||
      in->chunk_len == in->at || in->chunk_len - in->at > r->carry.max)
    return CROSS_NONE;
  r->cut_from = in->at;
  r->cut = 1;
  in->at = in->chunk_len;
  return CROSS_USED;
}

enum step sz_report_cross_stash(struct sz_report *r) {
  const struct sz_json *in = &r->json;
  if (!r->cut)
    return GO_ON;
  r->cut = 0;
  r->carry.len = 0;
  if (sz_buffer_append(&r->carry, in->chunk + r->cut_from,
                       in->chunk_len - r->cut_from) != SZ_BUFFER_OK)
    return sz_report_fail(r, "memory", r->bytes, "not enough memory");
  r->carried = r->carry.len;
  return GO_ON;
}

/* Gives the general reader the carried bytes, then this chunk's. */
static enum crossing give_up(struct sz_report *r) {
  struct sz_json *in = &r->json;
  r->later = in->chunk;
  r->later_len = in->chunk_len;
  in->base -= r->carried;
  in->chunk = r->carry.data;
  in->chunk_len = r->carried;
  in->at = 0;
  r->carried = 0;
  return CROSS_NONE;
}

void sz_report_cross_resume(struct sz_report *r) {
  sz_json_feed(&r->json, r->later, r->later_len);
  r->later = NULL;
}

/* The next chunk has come. */
static enum crossing carry_on(struct sz_report *r, int comma) {
  struct sz_json *in = &r->json;
  size_t known = r->carried, taken = 0, found, len;
  do {
    size_t step = in->chunk_len - taken;
    if (step > STEP)
      step = STEP;
    if (sz_buffer_append(&r->carry, in->chunk + taken, step) != SZ_BUFFER_OK)
      return give_up(r);
    taken += step;
    found = cross(r, r->carry.data, r->carry.len, known, comma, &len);
  } while (found == SZ_CUT && taken < in->chunk_len);
  if (found == SZ_CUT && !in->finished && !r->over_body) {
    r->carried = r->carry.len;
    in->at = in->chunk_len;
    return CROSS_USED;
  }
  if (found != 1)
    return give_up(r);
  r->carried = 0;
  return crossed(r);
}

enum crossing sz_report_cross(struct sz_report *r) {
  struct sz_json *in = r->in;
  size_t found, len;
  int comma;
  if (!may_cross(r, &comma))
    return CROSS_NONE;
  if (r->carried)
    return carry_on(r, comma);
  found = cross(r, in->chunk + in->at, in->chunk_len - in->at, 0, comma, &len);
  if (found == SZ_CUT)
    return carry_begin(r);
  return found == 1 ? crossed(r) : CROSS_NONE;
}
