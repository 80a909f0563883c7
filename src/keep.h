/*
** keep.h - tests that decide which rows are kept. They are built once: a group
** is opened, its parts are added, the group is closed. No Lua here.
*/
#ifndef SZ_KEEP_H
#define SZ_KEEP_H

#include "columns.h"
#include "slot.h"

struct sz_keep; /* opaque */

/* NULL: out of memory. */
struct sz_keep *sz_keep_new(void);
void sz_keep_free(struct sz_keep *k);

/* ---- building; 0: memory ran out; -1: no number, or no network ---- */

/*
** Adds a field that tests may read; the first is number 0. 'why' is the error
** when the answer lacks the column; it may be empty.
*/
int sz_keep_field(struct sz_keep *k, const char *column, enum sz_member member,
                  const char *why);

enum sz_keep_group {
  SZ_KEEP_ALL, /* all parts must hold */
  SZ_KEEP_ANY, /* one part must hold */
  SZ_KEEP_NO   /* no part may hold */
};

/* Begins a group; '*group' is for sz_keep_close. */
int sz_keep_open(struct sz_keep *k, enum sz_keep_group kind, size_t *group);
/* All tests added since are the group's parts. */
void sz_keep_close(struct sz_keep *k, size_t group);

/* The field's text begins with, or contains, these bytes. */
int sz_keep_begins(struct sz_keep *k, size_t field, const char *s, size_t len);
int sz_keep_contains(struct sz_keep *k, size_t field, const char *s,
                     size_t len);

/* The field is a number from 'min' to 'max', JSON numbers; NULL: no bound. */
int sz_keep_between(struct sz_keep *k, size_t field, const char *min,
                    size_t min_len, const char *max, size_t max_len);

/* The field is one of the values that follow. */
int sz_keep_one_of(struct sz_keep *k, size_t field);
int sz_keep_text(struct sz_keep *k, const char *s, size_t len);
/* A JSON number. 'texts': a field that is text may be this number too. */
int sz_keep_number(struct sz_keep *k, const char *s, size_t len, int texts);
/* An address of a network, IPv4 or IPv6, with its length in bits. */
int sz_keep_network(struct sz_keep *k, const char *s, size_t len,
                    unsigned length);

/* Must be called when all tests have been added; the first one decides. */
int sz_keep_ready(struct sz_keep *k);

/* ---- using ---- */

/* The fields, in the order of their numbers, for sz_columns_project. */
const struct sz_select *sz_keep_fields(const struct sz_keep *k, size_t *count);
/* The error for a field whose column is missing; it may be empty. */
const char *sz_keep_why(const struct sz_keep *k, size_t field);

/*
** Whether a row is kept. 'wants' has the slot of each field. A value that is
** absent meets no test but SZ_KEEP_NO.
*/
int sz_keep_row(const struct sz_keep *k, const size_t *wants,
                const struct sz_slot *slots, const char *text);

#endif
