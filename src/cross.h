/*
** cross.h - crosses rows by what rows of their make have in common (guess.h),
** else by their structure (scan_marks.h): takes the wanted values out of a row
** and checks all of it as JSON, without a look at each byte. A row that holds
*more than plain cells, or an error, is left to the
** general reader (report_row.c). No Lua here.
*/
#ifndef SZ_CROSS_H
#define SZ_CROSS_H

#include "guess.h"

/* The longest row that is crossed, in bytes. */
enum { SZ_CROSS_MAX = 65536 };

#define SZ_CUT ((size_t)-1)

struct sz_cross {
  const struct sz_scanner *scanner;
  struct sz_marks
      marks;    /* owned: one block of memory; NULL before the first */
  size_t room;  /* masks in each of its arrays */
  size_t count; /* how many of them are complete */
  struct sz_mark_state state;
  size_t first;      /* the next row's first byte, as a bit of the masks */
  size_t looked;     /* masks that do not hold the row's end */
  uint64_t position; /* the offset in the answer of that byte */
  struct sz_guess guess;
};

/* A row that was crossed. */
struct sz_crossed {
  size_t from;         /* its bracket; before it are blanks, and the comma */
  size_t len;          /* with what is before it */
  int escaped;         /* a wanted text has escapes */
  struct sz_raw *raws; /* to be filled, one per column; NULL: no need */
  int again;           /* the call before gave SZ_CUT for the same row */
};

void sz_cross_init(struct sz_cross *x);
void sz_cross_free(struct sz_cross *x);

/* Call before the first row of a list. */
void sz_cross_begin(struct sz_cross *x);

/*
** Crosses the row at the beginning of 'text', which is at 'position' of the
** answer. 'comma': one must be before the row. Fills the slots, with offsets
*in
** 'text'; and row->raws, which begin at the
** row's bracket. 1: done. 0: the general reader must
** read the row. SZ_CUT: 'text' ends before the row does. Then call it again
** with the same bytes and more.
*/
size_t sz_cross_row(struct sz_cross *x, const char *text, size_t len,
                    uint64_t position, int comma, const struct sz_columns *c,
                    struct sz_slot *slots, struct sz_crossed *row);

#endif
