/*
** columns.h - the columns of one table of an answer, and the projection of
** its cells onto the fields of a row. No Lua here.
*/
#ifndef SZ_COLUMNS_H
#define SZ_COLUMNS_H

#include "hash.h"
#include "json.h"

#define SZ_MAX_COLUMNS 10000 /* of one table */

enum sz_member { SZ_RAW, SZ_LABEL, SZ_TITLE };

/* One field that the caller asked for (query:select). */
struct sz_select {
  const char *name;   /* key in the row */
  const char *column; /* field name of a column, "rank" or "direction" */
  enum sz_member member;
  int optional; /* no error when the answer lacks the column */
};

struct sz_column {
  size_t element, label, title; /* offsets of texts in 'strings' */
  size_t name;                  /* the column's field name */
  int has_element, is_rank, numeric, sorted; /* defaultSort says something */
  size_t namesakes; /* later columns that wanted the same field name */
};

/* A value that must be taken out of each row. */
struct sz_want {
  size_t cell;
  enum sz_member member; /* where the cell keeps it on the wire */
  int numeric;           /* its text must be a JSON number */
};

/* A field of the row that comes out. */
struct sz_output {
  const char *name;
  size_t want; /* index, or SZ_DIRECTION */
};
#define SZ_DIRECTION ((size_t)-1)

#define SZ_NO_ORDER ((size_t)-1)

struct sz_columns {
  struct sz_column *list;
  size_t count, cap;
  struct sz_buffer strings; /* all texts, each ended by a NUL */
  size_t *index;            /* hash of field names: column + 1, 0 empty */
  size_t index_size;
  struct sz_hash_key hash_key;

  struct sz_want *wants; /* sorted by cell */
  size_t nwants;
  size_t order;       /* of them: see sz_columns_project; SZ_NO_ORDER */
  size_t *first_want; /* count + 1 entries: wants of cell c begin there */
  struct sz_output *outputs;
  size_t noutputs;
};

void sz_columns_init(struct sz_columns *c, size_t max_bytes);
void sz_columns_free(struct sz_columns *c);

const char *sz_columns_text(const struct sz_columns *c, size_t offset);

/*
** Reads the JSON text of a "columns" list, whose first byte has stream offset
** 'base'. Returns 0, or -1 with '*error' filled. The texts, and the list of
** columns, take at most the bytes that sz_columns_init named.
*/
int sz_columns_read(struct sz_columns *c, const char *text, size_t len,
                    uint64_t base, size_t max_depth, enum sz_json_utf8 utf8,
                    struct sz_json_error *error);

/*
** The rule for numbers. A column counts, so that its raw values come out as
** numbers, when its header says colHasBbp or canBeRate is 1, or when its
** element name begins with sum_ min_ max_ avg_ count_ countdistinct_, ends
** with _epoch, or is custom_interfacepercent.
*/
int sz_column_is_numeric(const char *element, int has_bbp, int can_be_rate);

/*
** The rule for row fields. Gives every column its field name: its element
** name; "rank" for the Rank column, which has none; title or column_<n> for
** another without. An element called rank or direction gets the suffix
** _column; the second column of one name is name#2, and so on.
*/
enum sz_buffer_code sz_columns_name_fields(struct sz_columns *c);

/*
** The rule for projections. Fills wants and outputs: the fields asked for, or
** with fields NULL every column's raw value (and the direction when
** 'with_direction'). With 'order', the name of the column that the report is
** ordered by ("": the one whose header says so), one want is its raw value as
** it stands. Returns the first field that must be there and is not;
** NULL when all is well, and '*nomem' set when memory ran out.
*/
const struct sz_select *sz_columns_project(struct sz_columns *c,
                                           const struct sz_select *fields,
                                           size_t nfields, int with_direction,
                                           const char *order, int *nomem);

#endif
