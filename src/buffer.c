/* buffer.c - a growing byte buffer with a maximum size. */
#include "buffer.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAP 256

void sz_buffer_init(struct sz_buffer *b, size_t max) {
  b->data = NULL;
  b->len = 0;
  b->cap = 0;
  b->max = max;
}

void sz_buffer_free(struct sz_buffer *b) {
  free(b->data);
  b->data = NULL;
  b->len = 0;
  b->cap = 0;
}

enum sz_buffer_code sz_buffer_reserve(struct sz_buffer *b, size_t len) {
  size_t need, cap;
  char *grown;
  if (len > b->max - b->len)
    return SZ_BUFFER_FULL;
  need = b->len + len;
  if (need <= b->cap)
    return SZ_BUFFER_OK;
  cap = b->cap ? b->cap : FIRST_CAP;
  while (cap < need)
    cap = cap > b->max / 2 ? b->max : cap * 2;
  grown = realloc(b->data, cap);
  if (!grown)
    return SZ_BUFFER_NOMEM;
  b->data = grown;
  b->cap = cap;
  return SZ_BUFFER_OK;
}

enum sz_buffer_code sz_buffer_append(struct sz_buffer *b, const char *data,
                                     size_t len) {
  enum sz_buffer_code code;
  if (!len)
    return SZ_BUFFER_OK;
  code = sz_buffer_reserve(b, len);
  if (code != SZ_BUFFER_OK)
    return code;
  memcpy(b->data + b->len, data, len);
  b->len += len;
  return SZ_BUFFER_OK;
}
