/* buffer.h - a growing byte buffer that is made with its maximum. */
#ifndef SZ_BUFFER_H
#define SZ_BUFFER_H

#include <stddef.h>

struct sz_buffer {
  char *data; /* owned; NULL while empty */
  size_t len;
  size_t cap;
  size_t max; /* bytes that 'len' may never pass */
};

enum sz_buffer_code { SZ_BUFFER_OK, SZ_BUFFER_FULL, SZ_BUFFER_NOMEM };

/* An empty buffer that will hold at most 'max' bytes. */
void sz_buffer_init(struct sz_buffer *b, size_t max);

/* Frees the bytes; the buffer stays usable. Any number of times. */
void sz_buffer_free(struct sz_buffer *b);

/* Appends 'len' bytes; on failure the buffer is as it was. */
enum sz_buffer_code sz_buffer_append(struct sz_buffer *b, const char *data,
                                     size_t len);

/* Room for 'len' more bytes at data + len, to be written by the caller. */
enum sz_buffer_code sz_buffer_reserve(struct sz_buffer *b, size_t len);

#endif
