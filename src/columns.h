/*
** columns.h - the columns of one table of an answer, and which of its cells
** become the fields of a row (the projection). No Lua here.
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
  int has_element, is_rank, numeric, sorted; /* sorted: has a defaultSort */
  size_t namesakes; /* how many later columns had the same name */
};

/* A value to take out of each row. */
struct sz_want {
  size_t cell;
  enum sz_member member; /* which member of the cell's JSON object has it */
  int numeric;           /* its text must be a JSON number */
};

/* A field of the resulting row. */
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
  size_t *index; /* hash table of field names: column + 1; 0: empty */
  size_t index_size;
  struct sz_hash_key hash_key;

  struct sz_want *wants; /* sorted by cell */
  size_t nwants;
  unsigned members;   /* 1 << member for each that any cell needs */
  size_t order;       /* a want, see sz_columns_project; or SZ_NO_ORDER */
  size_t *tested;     /* the want of each tested field */
  size_t *first_want; /* [c] is the first want of cell c; count + 1 entries */
  struct sz_output *outputs;
  size_t noutputs;
};

void sz_columns_init(struct sz_columns *c, size_t max_bytes);
void sz_columns_free(struct sz_columns *c);

const char *sz_columns_text(const struct sz_columns *c, size_t offset);

/*
** Reads the JSON text of a "columns" list; its first byte has stream offset
** 'base'. Returns 0, or -1 with '*error' filled. The texts take at most
** 'max_bytes' of sz_columns_init, and so does the list of columns.
*/
int sz_columns_read(struct sz_columns *c, const char *text, size_t len,
                    uint64_t base, size_t max_depth, enum sz_json_utf8 utf8,
                    struct sz_json_error *error);

/*
** The rule for numbers. A column is numeric (its raw values become numbers)
** when its header has colHasBbp or canBeRate 1, or when its element name
** begins with sum_ min_ max_ avg_ count_ countdistinct_, ends with _epoch,
** or is custom_interfacepercent.
*/
int sz_column_is_numeric(const char *element, int has_bbp, int can_be_rate);

/*
** The rule for row fields. Gives every column its field name: its element
** name. A column without one: "rank" for the Rank column, else the title, else
** column_<n>. An element called rank or direction gets the suffix _column. The
** second column with the same name is name#2, and so on.
*/
enum sz_buffer_code sz_columns_name_fields(struct sz_columns *c);

/* Whether a column has this element name. */
int sz_columns_has(const struct sz_columns *c, const char *element);

/* What the rows are to have; 'fields', 'order' and 'tested' are borrowed. */
struct sz_projection {
  const struct sz_select *fields; /* NULL: every column's raw value */
  size_t nfields;
  int with_direction; /* if 'fields' is NULL: the direction too */
  /*
  ** The column that the report is ordered by ("": the column whose header says
  ** so; NULL: do not care). Its raw value is wanted too, as text.
  */
  const char *order;
  const struct sz_select *tested; /* wanted too, and no field of the row */
  size_t ntested;
};

/*
** The rule for projections. Fills wants, outputs and tested. Returns the first
** required field that the columns lack, or NULL. When memory ran out it
** returns NULL and sets '*nomem'.
*/
const struct sz_select *sz_columns_project(struct sz_columns *c,
                                           const struct sz_projection *p,
                                           int *nomem);

#endif
