/* aggregate_private.h - the groups, for aggregate.c and aggregate_order.c. */
#ifndef SZ_AGGREGATE_PRIVATE_H
#define SZ_AGGREGATE_PRIVATE_H

#include "aggregate.h"
#include "hash.h"

/* A group's 'by' values lie in 'keys', each as type, length, bytes. */
struct group {
  uint64_t hash, count;
  uint32_t key, key_len;
};

struct sz_aggregate {
  struct sz_aggregate_options options;
  size_t *wants[SZ_DIRECTIONS]; /* want of each field; ABSENT, SZ_DIRECTION */
  struct group *groups;
  struct sz_total *totals; /* 'nfolded' per group */
  size_t count, cap;
  /* Hash table: the high half of an entry is the hash's, the low half is the
  ** group's index + 1; 0: empty. So most entries are ruled out without reading
  ** the group, which lies elsewhere in memory. */
  uint64_t *table;
  size_t table_size;
  struct sz_hash_key hash_key;
  struct sz_buffer keys;
  struct sz_buffer key; /* key of the row being added */
};

#endif
