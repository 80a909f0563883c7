/*
** top.h - the k greatest of any number of values, in memory for 2 * k values.
** Found by selection, not by sorting. No Lua here.
*/
#ifndef SZ_TOP_H
#define SZ_TOP_H

#include <stddef.h>
#include <stdint.h>

/* Greater values rank first; of equal values the smaller 'at'. */
struct sz_sample {
  int64_t value;
  int64_t at;
};

struct sz_top {
  size_t keep;            /* how many are wanted: at least 1 */
  size_t len;             /* samples in use, at most 2 * keep */
  uint64_t count;         /* samples added so far */
  struct sz_sample least; /* the last of the best 'keep', once 'full' */
  int full;
  struct sz_sample samples[1]; /* allocated: 2 * keep */
};

/* Bytes that a sz_top for 'keep' samples (1 to SZ_TOP_MAX) takes. */
size_t sz_top_size(size_t keep);
#define SZ_TOP_MAX 50000000

/* Initializes memory of that size. */
void sz_top_init(struct sz_top *top, size_t keep);

/* Adds a sample; 'at' is its time or index. */
void sz_top_add(struct sz_top *top, int64_t value, int64_t at);

/*
** Sorts the best to the front of 'samples'. Returns how many there are:
** 'keep', or all that were added if fewer. More may be added afterwards.
*/
size_t sz_top_finish(struct sz_top *top);

#endif
