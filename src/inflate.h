/*
** inflate.h - decompresses gzip and deflate step by step: each step fills one
** window of fixed size, so memory does not depend on the compression ratio.
** No Lua and no curl here.
*/
#ifndef SZ_INFLATE_H
#define SZ_INFLATE_H

#include <stdbool.h>
#include <stddef.h>

enum sz_coding { SZ_PLAIN, SZ_GZIP, SZ_DEFLATE };

enum sz_inflated {
  SZ_INFLATED_DATA, /* the window holds bytes */
  SZ_INFLATED_MORE, /* more input is needed */
  SZ_INFLATED_BAD   /* broken data: see sz_inflate_message */
};

struct sz_inflate; /* opaque */

/* New inflater for SZ_GZIP or SZ_DEFLATE. NULL: out of memory. */
struct sz_inflate *sz_inflate_new(enum sz_coding coding);

/* Frees; NULL is allowed. */
void sz_inflate_free(struct sz_inflate *f);

/*
** Decodes the 'len' bytes at 'in' until the window is full or the bytes are
** used up. '*used' is how many bytes were used. After SZ_INFLATED_DATA '*out'
** and '*out_len' are the window, valid until the next step. After
** SZ_INFLATED_BAD every further step returns it again.
*/
enum sz_inflated sz_inflate_step(struct sz_inflate *f, const char *in,
                                 size_t len, size_t *used, const char **out,
                                 size_t *out_len);

/* True when the input may end here: no byte came yet, or a stream ended. */
bool sz_inflate_complete(const struct sz_inflate *f);

/* What was wrong: one line, valid as long as the inflater. */
const char *sz_inflate_message(const struct sz_inflate *f);

#endif
