/* buffer.h - a growing byte buffer with a maximum size. */
#ifndef SZ_BUFFER_H
#define SZ_BUFFER_H

#include <stddef.h>

struct sz_buffer {
  char *data; /* owned; NULL while empty */
  size_t len;
  size_t cap;
  size_t max; /* 'len' is never greater */
};

enum sz_buffer_code { SZ_BUFFER_OK, SZ_BUFFER_FULL, SZ_BUFFER_NOMEM };

/* An empty buffer that will hold at most 'max' bytes. */
void sz_buffer_init(struct sz_buffer *b, size_t max);

/* Frees the bytes; the buffer stays usable. May be called again. */
void sz_buffer_free(struct sz_buffer *b);

/* Appends 'len' bytes. On failure the buffer is unchanged. */
enum sz_buffer_code sz_buffer_append(struct sz_buffer *b, const char *data,
                                     size_t len);

/*
** Makes room for 'len' more bytes behind those in use. The caller writes them,
** and adds to b->len.
*/
enum sz_buffer_code sz_buffer_reserve(struct sz_buffer *b, size_t len);

#endif
