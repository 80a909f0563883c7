/*
** report_carry.c - a row that the end of a chunk cuts. While it matches the
** known shape, its bytes are kept and matched again together with the next
** chunk. Otherwise the general reader gets the pieces as they came. It also
** gets them once matching has read the row's bytes too often: with many small
** chunks the time would grow with the square of the row's length.
*/
#include "report_private.h"

#define MAX_LOOKS 16 /* how often a row's byte is read, on average */
/* Further bytes, beyond twice the known row. */
#define CARRY_SPARE 256

enum carry sz_report_carry_begin(struct sz_report *r) {
  struct sz_json *in = r->in;
  if (in != &r->json || in->finished || r->over_body || r->later ||
      in->chunk_len - in->at > r->carry.max)
    return CARRY_NONE;
  r->cut_from = in->at;
  r->cut = 1;
  r->looked = 0;
  in->at = in->chunk_len;
  return CARRY_ON;
}

enum step sz_report_carry_stash(struct sz_report *r) {
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
static enum carry give_up(struct sz_report *r) {
  struct sz_json *in = &r->json;
  r->later = in->chunk;
  r->later_len = in->chunk_len;
  in->base -= r->carried;
  in->chunk = r->carry.data;
  in->chunk_len = r->carried;
  in->at = 0;
  r->carried = 0;
  return CARRY_NONE;
}

void sz_report_carry_resume(struct sz_report *r) {
  sz_json_feed(&r->json, r->later, r->later_len);
  r->later = NULL;
}

enum carry sz_report_carry_on(struct sz_report *r) {
  struct direction *d = &r->directions[r->current];
  struct sz_json *in = &r->json;
  size_t known = r->carried, take = in->chunk_len, len;
  size_t most = d->shape.text.len * 2 + CARRY_SPARE;
  if (take > most)
    take = most;
  if (take > r->carry.max - r->carry.len)
    take = r->carry.max - r->carry.len;
  r->looked += r->carry.len + take;
  if (r->looked > (r->carry.len + take) * MAX_LOOKS ||
      sz_buffer_append(&r->carry, in->chunk, take) != SZ_BUFFER_OK)
    return give_up(r);
  len = sz_report_row_match(r, r->carry.data, r->carry.len);
  if (len == SZ_CUT && take == in->chunk_len && !in->finished &&
      !r->over_body) {
    r->carried = r->carry.len;
    in->at = in->chunk_len;
    return CARRY_ON;
  }
  if (!len || len == SZ_CUT || len <= known)
    return give_up(r);
  r->carried = 0;
  in->at = len - known;
  return CARRY_ROW;
}
