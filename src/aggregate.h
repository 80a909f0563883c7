/*
** aggregate.h - groups rows as they stream in: sums, minima, maxima, counts.
** Whole numbers are added in 128 bits, so that the sums of any report are
** exact. No Lua here.
*/
#ifndef SZ_AGGREGATE_H
#define SZ_AGGREGATE_H

#include "number.h"
#include "report.h"

#define SZ_MAX_GROUPS 1000000
#define SZ_WIDE_TEXT 41 /* sign, 39 digits, NUL */

enum sz_fold { SZ_FOLD_SUM, SZ_FOLD_MIN, SZ_FOLD_MAX };

/* A column of the result: one field folded in one way. */
struct sz_folded {
  size_t field;
  enum sz_fold fold;
};

enum sz_by_kind {
  SZ_BY_VALUE,
  SZ_BY_NETWORK, /* the network of an address; other texts as they are */
  SZ_BY_STEP     /* the multiple of 'step' at or below a number */
};

/* A field that the rows are grouped by. */
struct sz_by {
  size_t field;
  enum sz_by_kind kind;
  unsigned bits4, bits6; /* the network's length: of IPv4, of IPv6 */
  int64_t step;
};

/* All arrays are borrowed and must live as long as the aggregate. */
struct sz_aggregate_options {
  const char *const *fields; /* names of the rows' fields */
  size_t nfields;
  const struct sz_by *by;
  size_t nby;
  const struct sz_folded *folded;
  size_t nfolded;
  size_t max_keys; /* bytes of the 'by' values of all groups, below 2^31 */
};

/* What one folded field holds in one group. */
struct sz_total {
  sz_wide whole; /* total of the whole numbers */
  double real;   /* total of the other numbers */
  int has_whole, has_real;
};

struct sz_aggregate; /* opaque */

/* NULL: out of memory. */
struct sz_aggregate *
sz_aggregate_new(const struct sz_aggregate_options *options);
void sz_aggregate_free(struct sz_aggregate *a);

/* Finds the fields among a direction's columns. Call before its first row. */
void sz_aggregate_bind(struct sz_aggregate *a, enum sz_direction direction,
                       const struct sz_columns *c);

enum sz_added {
  SZ_ADDED,
  SZ_ADD_TEXT, /* a folded field is text, or a number no total can hold */
  SZ_ADD_NO_ADDRESS, /* a field that is grouped by network is not text */
  SZ_ADD_NO_PREFIX,  /* it is an IPv4 address, and the prefix is for IPv6 */
  SZ_ADD_NO_NUMBER,  /* a field that is grouped in steps is no number */
  SZ_ADD_FULL,       /* more than SZ_MAX_GROUPS groups */
  SZ_ADD_LONG, /* the groups' 'by' values take more than max_keys bytes */
  SZ_ADD_NOMEM
};

/* Adds a row. If a value does not fit, '*field' is the field's name. */
enum sz_added sz_aggregate_add(struct sz_aggregate *a,
                               enum sz_direction direction,
                               const struct sz_slot *slots, const char *text,
                               const char **field);

/* How many groups there are; their indices are from 0. */
size_t sz_aggregate_groups(const struct sz_aggregate *a);

/*
** Sorts the groups by the first sum, or by the count when there is no sum;
** the largest first. Equal groups are sorted by the bytes of their 'by'
** values. Returns the indices of the first 'top' groups, or of all if there
** are fewer. The caller frees them. NULL: out of memory.
*/
size_t *sz_aggregate_order(const struct sz_aggregate *a, size_t top);

/* How many rows a group has. */
uint64_t sz_aggregate_count(const struct sz_aggregate *a, size_t group);
const struct sz_total *sz_aggregate_total(const struct sz_aggregate *a,
                                          size_t group, size_t folded);

/* The 'by' value number 'n' (from 0) of a group; its type is returned. */
enum sz_slot_type sz_aggregate_key(const struct sz_aggregate *a, size_t group,
                                   size_t n, const char **text, size_t *len);

/* Writes a whole number in decimal, with a NUL. Returns the text's length. */
size_t sz_wide_text(sz_wide value, char out[SZ_WIDE_TEXT]);

#endif
