/*
** ties.h - rows that tie: those on end with the same value in the column that
** a report is ordered by. An appliance may give them in another order each
** time it is asked, so where an answer ends among them, the next one may begin
** with the right row and still repeat some and lose others. This remembers
** who was given of the last rows that tie, and finds whoever comes again: as
** long as none does, none is lost either. No Lua here.
**
** Rows are known by the raw values of their cells. Memory: eight bytes a row
** that ties, doubled while it grows, up to the maximum; a row's own hash is
** keyed, so that nobody can choose rows that are taken for each other.
*/
#ifndef SZ_TIES_H
#define SZ_TIES_H

#include "shape.h"

struct sz_ties; /* opaque */

/* At most 'max' bytes are remembered. NULL: out of memory. */
struct sz_ties *sz_ties_new(size_t max);
void sz_ties_free(struct sz_ties *t);

/* The same memory once more; NULL: out of memory. */
struct sz_ties *sz_ties_copy(const struct sz_ties *t);

/*
** Another row has come, before it takes the place of the last one, whose JSON
** text is 'last' (NULL: not known). 'order' is its value in the column that
** the report is ordered by, NULL where nothing is known of that; offsets are
** of 'base'.
*/
void sz_ties_row(struct sz_ties *t, const struct sz_slot *order,
                 const char *base, const char *last, size_t last_len);

/* Whether the rows that come now have to be looked at one by one. */
int sz_ties_follow(const struct sz_ties *t);

/* Whether this row, told to sz_ties_row before, had been given already. */
int sz_ties_repeats(struct sz_ties *t, const char *row, size_t len);

/*
** A further answer is due, which begins with the last row given; 'last' is its
** text, NULL where it has been told before. 0: too many rows tied to be
** remembered, so that nothing can be told.
*/
int sz_ties_join(struct sz_ties *t, const char *last, size_t last_len);

enum { SZ_TIES_SAVED_ROWS = 1024, SZ_TIES_SAVED = 128 + 8 * 1024 };

/*
** Writes the memory as at most SZ_TIES_SAVED bytes, to be read by
** sz_ties_load in another process on a machine of the same kind. Returns how
** many; 0: there are too many rows that tie, or not all are remembered.
*/
size_t sz_ties_save(const struct sz_ties *t, char *bytes);

/* NULL: these are no such bytes, they do not fit 'max', or out of memory. */
struct sz_ties *sz_ties_load(size_t max, const char *bytes, size_t len);

#endif
