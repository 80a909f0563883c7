/*
** top.h - the k greatest of many values, whatever their number, in memory for
** twice as many. Found by selection, not by sorting. No Lua here.
*/
#ifndef SZ_TOP_H
#define SZ_TOP_H

#include <stddef.h>
#include <stdint.h>

/* Greater values rank first; of equal ones the earlier. */
struct sz_sample {
  int64_t value;
  int64_t at;
};

struct sz_top {
  size_t keep;            /* how many are wanted: at least 1 */
  size_t len;             /* of 'samples', at most 2 * keep */
  uint64_t count;         /* of all that were added */
  struct sz_sample least; /* the last of the best, once 'full' */
  int full;
  struct sz_sample samples[1]; /* really 2 * keep */
};

/* Bytes of a sz_top for 'keep' samples, which is 1 to SZ_TOP_MAX. */
size_t sz_top_size(size_t keep);
#define SZ_TOP_MAX 50000000

/* Makes memory of that size empty. */
void sz_top_init(struct sz_top *top, size_t keep);

void sz_top_add(struct sz_top *top, int64_t value, int64_t at);

/*
** Puts the best into order at the front of 'samples'. Returns how many there
** are: 'keep', or all that were added. More may be added afterwards.
*/
size_t sz_top_finish(struct sz_top *top);

#endif
