/*
** fuzz.h - shared by the fuzz targets: an input's options, its cuts, and the
** transcript of a run. Two runs over the same bytes are compared by their
** transcripts.
**
** An input begins with HEADER bytes that choose options and cuts. Only their
** low five bits count, so letters are enough. The rest is the text.
*/
#ifndef SZ_FUZZ_H
#define SZ_FUZZ_H

#include "../../src/report.h"
#include "../../src/scan.h"

#define HEADER 8

/* Which byte of the header chooses what. */
enum {
  OPTION_FIELDS,
  OPTION_FLAGS,
  OPTION_UTF8,
  OPTION_ROW,
  OPTION_HELD,
  OPTION_DEPTH,
  OPTION_BODY,
  OPTION_CUTS
};

/* How the bytes are fed. */
enum feeding { FEED_WHOLE, FEED_BYTES, FEED_CUT, FEEDINGS };

struct input {
  const char *header, *text;
  size_t len;
};

/* Splits an input. 0: it is too short. */
int fuzz_input(struct input *in, const unsigned char *data, size_t size);

/* The low five bits of a byte of the header. */
unsigned fuzz_option(const struct input *in, int which);

/* Chunks of the text, each in memory of its own, freed at the next one. */
struct chunks {
  const struct input *in;
  enum feeding feeding;
  size_t at;
  char *chunk;
  uint32_t random;
};

void fuzz_chunks_init(struct chunks *c, const struct input *in,
                      enum feeding feeding);
/* The next chunk; 0 after the last. */
int fuzz_chunks_next(struct chunks *c, const char **data, size_t *len);
void fuzz_chunks_free(struct chunks *c);

/* A transcript. */
void fuzz_say(struct sz_buffer *log, const char *format, ...);
void fuzz_say_number(struct sz_buffer *log, uint64_t n);
void fuzz_say_text(struct sz_buffer *log, const char *text, size_t len);

/* Aborts and prints both transcripts, unless they are the same. */
void fuzz_same(const char *what, const struct sz_buffer *a,
               const struct sz_buffer *b);

/* Aborts unless 'holds'. */
void fuzz_check(int holds, const char *what);

/* The options of a report that the header chooses. */
void fuzz_report_options(const struct input *in, struct sz_report_options *o);

/* Feeds all bytes and calls 'row' for each row. Returns the last event. */
typedef void fuzz_row(void *context, const struct sz_report *r);
enum sz_report_event fuzz_report_run(struct sz_report *r,
                                     const struct input *in,
                                     enum feeding feeding, fuzz_row *row,
                                     void *context);

#endif
