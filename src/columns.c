/* columns.c - the columns of a table, and the projection onto rows. */
#include "columns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sz_columns_init(struct sz_columns *c, size_t max_bytes) {
  memset(c, 0, sizeof *c);
  sz_buffer_init(&c->strings, max_bytes);
}

void sz_columns_free(struct sz_columns *c) {
  size_t max = c->strings.max;
  free(c->list);
  free(c->index);
  free(c->wants);
  free(c->first_want);
  free(c->tested);
  free(c->outputs);
  sz_buffer_free(&c->strings);
  sz_columns_init(c, max);
}

const char *sz_columns_text(const struct sz_columns *c, size_t offset) {
  return c->strings.data + offset;
}

/* ---- reading the headers ---- */

struct reader {
  struct sz_columns *columns;
  struct sz_json json;
  struct sz_json_error *error;
  struct sz_column *column;
  int has_bbp, can_be_rate;
};

static int fail(struct reader *r, enum sz_json_code code,
                const char *message) {
  r->error->code = code;
  r->error->message = message;
  r->error->position = r->json.start;
  return -1;
}

/* Turns the result of a buffer into 0, or -1 with the error filled. */
static int kept(struct reader *r, enum sz_buffer_code code) {
  if (code == SZ_BUFFER_OK)
    return 0;
  if (code == SZ_BUFFER_NOMEM)
    return fail(r, SZ_JSON_NOMEM, "not enough memory");
  return fail(r, SZ_JSON_LIMIT, "the columns take more than max_held bytes");
}

/* Stores a text; its offset goes to '*at'. Refuses a text with a NUL. */
static int keep_text(struct reader *r, const char *s, size_t len, size_t *at) {
  struct sz_buffer *strings = &r->columns->strings;
  enum sz_buffer_code code;
  if (memchr(s, '\0', len))
    return fail(r, SZ_JSON_SYNTAX, "a NUL byte in a column's name");
  *at = strings->len;
  code = sz_buffer_append(strings, s, len);
  if (code == SZ_BUFFER_OK)
    code = sz_buffer_append(strings, "", 1);
  return kept(r, code);
}

static int is_one(enum sz_json_token token, const struct sz_json *j) {
  if (token == SZ_JSON_TRUE)
    return 1;
  return (token == SZ_JSON_NUMBER || token == SZ_JSON_STRING) && j->len == 1 &&
         j->text[0] == '1';
}

static int read_text(struct reader *r, enum sz_json_token token, size_t *at) {
  *at = 0; /* the last of duplicate keys counts */
  if (token == SZ_JSON_NULL)
    return 0;
  if (token != SZ_JSON_STRING)
    return fail(r, SZ_JSON_SYNTAX,
                "a column's elementName, label or title is not a string");
  return keep_text(r, r->json.text, r->json.len, at);
}

enum header { H_ELEMENT, H_LABEL, H_TITLE, H_BBP, H_RATE, H_SORT, H_OTHER };

static enum header header_of(const char *key, size_t len) {
  static const char *const NAMES[] = {"elementName", "label",
                                      "title",       "colHasBbp",
                                      "canBeRate",   "defaultSort"};
  int i;
  for (i = 0; i < H_OTHER; i++)
    if (strlen(NAMES[i]) == len && !memcmp(NAMES[i], key, len))
      return (enum header)i;
  return H_OTHER;
}

/* The value of a header's member. */
static int read_member(struct reader *r, enum header header,
                       enum sz_json_token token) {
  struct sz_column *column = r->column;
  switch (header) {
  case H_ELEMENT:
    column->has_element = token != SZ_JSON_NULL;
    return read_text(r, token, &column->element);
  case H_LABEL:
    return read_text(r, token, &column->label);
  case H_TITLE:
    return read_text(r, token, &column->title);
  case H_SORT:
    column->sorted = r->json.skipped == SZ_JSON_STRING;
    return 0;
  case H_BBP:
    r->has_bbp = is_one(token, &r->json);
    break;
  default:
    r->can_be_rate = is_one(token, &r->json);
  }
  if (token == SZ_JSON_OBJECT || token == SZ_JSON_ARRAY)
    return fail(r, SZ_JSON_SYNTAX,
                "colHasBbp or canBeRate is an object or a list");
  return 0;
}

static int add_column(struct reader *r) {
  struct sz_columns *c = r->columns;
  if (c->count == SZ_MAX_COLUMNS)
    return fail(r, SZ_JSON_LIMIT, "a table has more than 10000 columns");
  if (c->count == c->cap) {
    size_t cap = c->cap ? c->cap * 2 : 16;
    struct sz_column *grown = realloc(c->list, cap * sizeof *grown);
    if (!grown)
      return fail(r, SZ_JSON_NOMEM, "not enough memory");
    c->list = grown;
    c->cap = cap;
  }
  r->column = &c->list[c->count++];
  memset(r->column, 0, sizeof *r->column); /* offset 0 is the empty text */
  r->has_bbp = r->can_be_rate = 0;
  return 0;
}

static void end_column(struct reader *r) {
  struct sz_column *column = r->column;
  const char *title = sz_columns_text(r->columns, column->title);
  const char *element = sz_columns_text(r->columns, column->element);
  column->is_rank = !column->has_element && !strcmp(title, "Rank");
  column->numeric = column->is_rank ||
                    sz_column_is_numeric(element, r->has_bbp, r->can_be_rate);
}

/* One header, past its opening brace. */
static int read_header(struct reader *r) {
  for (;;) {
    enum sz_json_token token = sz_json_next(&r->json);
    enum header header;
    if (token == SZ_JSON_OBJECT_END) {
      end_column(r);
      return 0;
    }
    if (token != SZ_JSON_KEY)
      break;
    header = header_of(r->json.text, r->json.len);
    if (header >= H_SORT) /* a value of any type */
      sz_json_skip(&r->json, NULL);
    token = sz_json_next(&r->json);
    if (token == SZ_JSON_ERROR)
      break;
    if (header != H_OTHER && read_member(r, header, token) < 0)
      return -1;
  }
  *r->error = r->json.error;
  return -1;
}

static int read_list(struct reader *r) {
  enum sz_json_token token = sz_json_next(&r->json);
  if (token == SZ_JSON_NULL)
    return 0;
  if (token != SZ_JSON_ARRAY && token != SZ_JSON_ERROR)
    return fail(r, SZ_JSON_SYNTAX, "columns is not a list");
  for (;;) {
    token = sz_json_next(&r->json);
    if (token == SZ_JSON_ARRAY_END)
      return 0;
    if (token == SZ_JSON_ERROR) {
      *r->error = r->json.error;
      return -1;
    }
    if (token != SZ_JSON_OBJECT)
      return fail(r, SZ_JSON_SYNTAX, "a column is not an object");
    if (add_column(r) < 0 || read_header(r) < 0)
      return -1;
  }
}

int sz_columns_read(struct sz_columns *c, const char *text, size_t len,
                    uint64_t base, size_t max_depth, enum sz_json_utf8 utf8,
                    struct sz_json_error *error) {
  struct reader r;
  int code;
  memset(&r, 0, sizeof r);
  sz_columns_free(c);
  r.columns = c;
  r.error = error;
  if (sz_json_init(&r.json, max_depth, len * 3 + 1, utf8) < 0)
    return fail(&r, SZ_JSON_NOMEM, "not enough memory");
  sz_json_reset(&r.json, base);
  sz_json_feed(&r.json, text, len);
  code = kept(&r, sz_buffer_append(&c->strings, "", 1));
  if (code == 0)
    code = read_list(&r);
  sz_json_free(&r.json);
  if (code == 0)
    code = kept(&r, sz_columns_name_fields(c));
  return code;
}

/* ---- the rule for numbers ---- */

int sz_column_is_numeric(const char *element, int has_bbp, int can_be_rate) {
  static const char *const PREFIXES[] = {"sum_", "min_",   "max_",
                                         "avg_", "count_", "countdistinct_"};
  size_t i, len = strlen(element);
  if (has_bbp || can_be_rate)
    return 1;
  for (i = 0; i < sizeof PREFIXES / sizeof *PREFIXES; i++)
    if (!strncmp(element, PREFIXES[i], strlen(PREFIXES[i])))
      return 1;
  if (len >= 6 && !strcmp(element + len - 6, "_epoch"))
    return 1;
  return !strcmp(element, "custom_interfacepercent");
}

/* ---- the rule for row fields ---- */

/* The table's entry for a field name, or the empty entry for it. */
static size_t *find_place(const struct sz_columns *c, const char *name) {
  size_t at = sz_hash(&c->hash_key, name, strlen(name)) & (c->index_size - 1);
  while (c->index[at] &&
         strcmp(sz_columns_text(c, c->list[c->index[at] - 1].name), name) != 0)
    at = (at + 1) & (c->index_size - 1);
  return &c->index[at];
}

/* Stores a text that is not in 'strings' yet. */
static enum sz_buffer_code keep_name(struct sz_columns *c, const char *name,
                                     size_t *at) {
  *at = c->strings.len;
  return sz_buffer_append(&c->strings, name, strlen(name) + 1);
}

/* Stores the text at offset 'stem', followed by #n. */
static enum sz_buffer_code keep_numbered(struct sz_columns *c, size_t stem,
                                         size_t n, size_t *at) {
  char suffix[32];
  enum sz_buffer_code code;
  size_t len = strlen(sz_columns_text(c, stem));
  snprintf(suffix, sizeof suffix, "#%zu", n);
  code = sz_buffer_reserve(&c->strings, len + sizeof suffix);
  if (code != SZ_BUFFER_OK)
    return code;
  *at = c->strings.len;
  sz_buffer_append(&c->strings, sz_columns_text(c, stem), len);
  sz_buffer_append(&c->strings, suffix, strlen(suffix) + 1);
  return SZ_BUFFER_OK;
}

/* The field name of a column before it is made unique. */
static enum sz_buffer_code wanted_name(struct sz_columns *c, size_t i) {
  struct sz_column *column = &c->list[i];
  const char *element = sz_columns_text(c, column->element);
  const char *title = sz_columns_text(c, column->title);
  char numbered[32];
  if (column->is_rank)
    return keep_name(c, "rank", &column->name);
  if (column->has_element && *element) {
    if (!strcmp(element, "rank"))
      return keep_name(c, "rank_column", &column->name);
    if (!strcmp(element, "direction"))
      return keep_name(c, "direction_column", &column->name);
    column->name = column->element;
    return SZ_BUFFER_OK;
  }
  if (*title) {
    column->name = column->title;
    return SZ_BUFFER_OK;
  }
  snprintf(numbered, sizeof numbered, "column_%zu", i + 1);
  return keep_name(c, numbered, &column->name);
}

/* Makes the name of column 'i' unique: name#2, name#3 … */
static enum sz_buffer_code settle_name(struct sz_columns *c, size_t i) {
  size_t stem = c->list[i].name;
  size_t *place = find_place(c, sz_columns_text(c, stem));
  size_t first = *place;
  while (*place) {
    size_t n = ++c->list[first - 1].namesakes + 1;
    enum sz_buffer_code code = keep_numbered(c, stem, n, &c->list[i].name);
    if (code != SZ_BUFFER_OK)
      return code;
    place = find_place(c, sz_columns_text(c, c->list[i].name));
  }
  *place = i + 1;
  return SZ_BUFFER_OK;
}

enum sz_buffer_code sz_columns_name_fields(struct sz_columns *c) {
  enum sz_buffer_code code = SZ_BUFFER_OK;
  size_t i;
  c->hash_key = sz_hash_key(c);
  c->index_size = 16;
  while (c->index_size < c->count * 2)
    c->index_size *= 2;
  free(c->index);
  c->index = calloc(c->index_size, sizeof *c->index);
  if (!c->index)
    return SZ_BUFFER_NOMEM;
  for (i = 0; i < c->count && code == SZ_BUFFER_OK; i++) {
    code = wanted_name(c, i);
    if (code == SZ_BUFFER_OK)
      code = settle_name(c, i);
  }
  return code;
}

/* ---- the rule for projections ---- */

/* The member of the cell to read. The Rank column has its number as label. */
static struct sz_want want_of(const struct sz_columns *c, size_t cell,
                              enum sz_member member) {
  struct sz_want want;
  want.cell = cell;
  want.member = member == SZ_RAW && c->list[cell].is_rank ? SZ_LABEL : member;
  want.numeric = member == SZ_RAW && c->list[cell].numeric;
  return want;
}

/* The column that the report is ordered by, as index + 1; 0: not known. */
static size_t order_column(const struct sz_columns *c, const char *order) {
  size_t i;
  if (!order)
    return 0;
  for (i = 0; i < c->count; i++) {
    const struct sz_column *column = &c->list[i];
    if (*order ? !strcmp(sz_columns_text(c, column->element), order)
               : column->sorted)
      return i + 1;
  }
  return 0;
}

int sz_columns_has(const struct sz_columns *c, const char *element) {
  return *element && order_column(c, element) > 0;
}

/* The raw value of that column, as text even if the column is numeric. */
static struct sz_want order_want(const struct sz_columns *c, size_t cell) {
  struct sz_want want = want_of(c, cell, SZ_RAW);
  want.numeric = 0;
  return want;
}

static int compare_wants(const void *a, const void *b) {
  const struct sz_want *x = a, *y = b;
  if (x->cell != y->cell)
    return x->cell < y->cell ? -1 : 1;
  if (x->member != y->member)
    return x->member < y->member ? -1 : 1;
  return x->numeric - y->numeric;
}

static size_t find_want(const struct sz_columns *c, struct sz_want want) {
  size_t i;
  for (i = 0; i < c->nwants; i++)
    if (!compare_wants(&c->wants[i], &want))
      break;
  return i;
}

/* The column of a field, as index + 1; 0: the answer has none. */
static size_t column_of(const struct sz_columns *c,
                        const struct sz_select *field) {
  return *find_place(c, field->column);
}

/* Adds what the tests read. Returns a field that is missing, or NULL. */
static const struct sz_select *want_tested(struct sz_columns *c,
                                           const struct sz_projection *p) {
  size_t i;
  for (i = 0; i < p->ntested; i++) {
    size_t column = column_of(c, &p->tested[i]);
    struct sz_want want;
    if (!column)
      return &p->tested[i];
    want = want_of(c, column - 1, p->tested[i].member);
    if (find_want(c, want) == c->nwants)
      c->wants[c->nwants++] = want;
  }
  return NULL;
}

static void find_tested(struct sz_columns *c, const struct sz_projection *p) {
  size_t i;
  for (i = 0; i < p->ntested; i++) {
    size_t column = column_of(c, &p->tested[i]);
    c->tested[i] = find_want(c, want_of(c, column - 1, p->tested[i].member));
  }
}

static const struct sz_select *project_all(struct sz_columns *c,
                                           const struct sz_projection *p,
                                           size_t sorted) {
  const struct sz_select *missing;
  size_t i, at = 0;
  for (i = 0; i < c->count; i++)
    c->wants[i] = want_of(c, i, SZ_RAW);
  c->nwants = c->count;
  missing = want_tested(c, p);
  if (missing)
    return missing;
  qsort(c->wants, c->nwants, sizeof *c->wants, compare_wants);
  for (i = 0; i < c->count; i++) {
    struct sz_want raw = want_of(c, i, SZ_RAW);
    while (compare_wants(&c->wants[at], &raw))
      at++;
    c->outputs[i].name = sz_columns_text(c, c->list[i].name);
    c->outputs[i].want = at;
  }
  c->noutputs = c->count;
  if (p->with_direction) {
    c->outputs[c->noutputs].name = "direction";
    c->outputs[c->noutputs++].want = SZ_DIRECTION;
  }
  if (sorted) /* every column is wanted */
    c->order = c->outputs[sorted - 1].want;
  return NULL;
}

/* Adds what the fields, the order and the tests need. */
static const struct sz_select *
want_some(struct sz_columns *c, const struct sz_projection *p, size_t sorted) {
  size_t i;
  for (i = 0; i < p->nfields; i++) {
    size_t column = column_of(c, &p->fields[i]);
    if (!strcmp(p->fields[i].column, "direction"))
      continue;
    if (column)
      c->wants[c->nwants++] = want_of(c, column - 1, p->fields[i].member);
    else if (!p->fields[i].optional)
      return &p->fields[i];
  }
  if (sorted)
    c->wants[c->nwants++] = order_want(c, sorted - 1);
  return want_tested(c, p);
}

static const struct sz_select *project_some(struct sz_columns *c,
                                            const struct sz_projection *p,
                                            size_t sorted) {
  const struct sz_select *missing = want_some(c, p, sorted);
  size_t i;
  if (missing)
    return missing;
  qsort(c->wants, c->nwants, sizeof *c->wants, compare_wants);
  for (i = 0; i < p->nfields; i++) {
    size_t column = column_of(c, &p->fields[i]);
    struct sz_output *output = &c->outputs[c->noutputs];
    output->name = p->fields[i].name;
    if (!strcmp(p->fields[i].column, "direction"))
      output->want = SZ_DIRECTION;
    else if (column)
      output->want = find_want(c, want_of(c, column - 1, p->fields[i].member));
    else
      continue;
    c->noutputs++;
  }
  if (sorted)
    c->order = find_want(c, order_want(c, sorted - 1));
  return NULL;
}

static void index_wants(struct sz_columns *c) {
  size_t cell, want;
  c->members = 0;
  for (want = 0; want < c->nwants; want++)
    c->members |= 1u << c->wants[want].member;
  want = 0;
  for (cell = 0; cell <= c->count; cell++) {
    while (want < c->nwants && c->wants[want].cell < cell)
      want++;
    c->first_want[cell] = want;
  }
}

const struct sz_select *sz_columns_project(struct sz_columns *c,
                                           const struct sz_projection *p,
                                           int *nomem) {
  size_t room = (p->fields ? p->nfields : c->count) + p->ntested + 2;
  size_t sorted = order_column(c, p->order);
  const struct sz_select *missing;
  c->order = SZ_NO_ORDER;
  c->wants = calloc(room, sizeof *c->wants);
  c->outputs = calloc(room, sizeof *c->outputs);
  c->first_want = calloc(c->count + 1, sizeof *c->first_want);
  c->tested = calloc(p->ntested + 1, sizeof *c->tested);
  *nomem = !c->wants || !c->outputs || !c->first_want || !c->tested;
  if (*nomem)
    return NULL;
  missing = p->fields ? project_some(c, p, sorted) : project_all(c, p, sorted);
  if (!missing)
    find_tested(c, p);
  index_wants(c);
  return missing;
}
