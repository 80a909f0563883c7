/*
** fuzz_report.c - the report reader gives the same rows, facts, columns and
** error however the answer is cut, and whether rows are crossed by their
** structure or read token by token, as where UTF-8 is looked at.
*/
#include "fuzz.h"

#include "../../src/utf8.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void say_columns(struct sz_buffer *log, const struct sz_columns *c) {
  size_t i;
  for (i = 0; i < c->count; i++)
    fuzz_say_number(log, c->list[i].namesakes * 2 + !!c->list[i].numeric);
  fuzz_say_text(log, c->strings.data, c->strings.len);
  for (i = 0; i < c->noutputs; i++)
    fuzz_say_number(log, c->outputs[i].want);
}

static void say_last_row(struct sz_buffer *log, const struct sz_report *r) {
  int d;
  for (d = 0; d < SZ_DIRECTIONS; d++) {
    const char *text;
    size_t len;
    if (!sz_report_last_row(r, (enum sz_direction)d, &text, &len))
      continue;
    fuzz_say_text(log, "last row ", 9);
    fuzz_say_number(log, (uint64_t)d);
    fuzz_say_text(log, text, len);
  }
}

static void say_row(void *context, const struct sz_report *r) {
  struct sz_buffer *log = context;
  const struct sz_slot *slots;
  const char *text;
  enum sz_direction d = sz_report_row(r, &slots, &text);
  const struct sz_columns *c = sz_report_columns(r, d);
  size_t i;
  fuzz_say_text(log, "row ", 4);
  fuzz_say_number(log, d);
  for (i = 0; i < c->nwants; i++) {
    fuzz_say_number(log, slots[i].type);
    if (slots[i].type == SZ_SLOT_INTEGER)
      fuzz_say_number(log, (uint64_t)slots[i].integer);
    if (slots[i].type != SZ_SLOT_ABSENT)
      fuzz_say_text(log, text + slots[i].at, slots[i].len);
    fuzz_say_text(log, "\n", 1);
  }
  say_last_row(log, r);
}

static void say_facts(struct sz_buffer *log, const struct sz_report *r) {
  int fact, d;
  for (fact = 0; fact < SZ_FACTS; fact++)
    for (d = 0; d < (fact >= SZ_FACT_TOTAL ? SZ_DIRECTIONS : 1); d++) {
      const char *text;
      size_t len;
      uint64_t position;
      if (!sz_report_fact(r, (enum sz_fact)fact, (enum sz_direction)d, &text,
                          &len, &position))
        continue;
      fuzz_say_text(log, "fact ", 5);
      fuzz_say_number(log, (uint64_t)fact);
      fuzz_say_number(log, (uint64_t)d);
      fuzz_say_number(log, position);
      fuzz_say_text(log, text, len);
    }
}

/* A fact's text equals the answer's bytes at its position. */
static void check_facts(const struct sz_report *r, const struct input *in) {
  int fact;
  for (fact = 0; fact < SZ_FACTS; fact++) {
    const char *text;
    size_t len;
    uint64_t at;
    struct sz_buffer kept, there;
    if (!sz_report_fact(r, (enum sz_fact)fact, SZ_INBOUND, &text, &len, &at))
      continue;
    fuzz_check(at + len <= in->len, "a fact lies in the answer");
    sz_buffer_init(&kept, in->len);
    sz_buffer_init(&there, in->len);
    fuzz_say_text(&kept, text, len);
    fuzz_say_text(&there, in->text + at, len);
    fuzz_same("fact", &kept, &there);
    sz_buffer_free(&kept);
    sz_buffer_free(&there);
  }
}

static void run(struct sz_buffer *log, const struct input *in,
                enum feeding feeding, int by_tokens) {
  struct sz_report_options options;
  struct sz_report *r;
  enum sz_report_event event;
  const struct sz_report_error *e;
  int d;
  fuzz_report_options(in, &options);
  for (d = 0; d < SZ_DIRECTIONS && fuzz_option(in, OPTION_UTF8) / 3 % 2; d++) {
    options.ties[d] = sz_ties_new(1 << 12);
    fuzz_check(options.ties[d] != NULL, "memory");
  }
  if (by_tokens)
    options.utf8 = SZ_UTF8_REPLACE;
  r = sz_report_new(&options);
  fuzz_check(r != NULL, "memory");
  event = fuzz_report_run(r, in, feeding, say_row, log);
  e = sz_report_error(r);
  fuzz_say(log, "%s %s at %llu\n", event == SZ_REPORT_DONE ? "done" : e->kind,
           e->message, (unsigned long long)e->position);
  fuzz_say(log, "found %d\n", sz_report_found(r));
  for (d = 0; d < SZ_DIRECTIONS; d++)
    if (sz_report_columns(r, (enum sz_direction)d))
      say_columns(log, sz_report_columns(r, (enum sz_direction)d));
  say_facts(log, r);
  say_last_row(log, r);
  check_facts(r, in);
  sz_report_free(r);
  for (d = 0; d < SZ_DIRECTIONS; d++)
    sz_ties_free(options.ties[d]);
}

/* Whether all texts are UTF-8: then nothing is replaced. */
static int is_utf8(const struct input *in) {
  size_t i;
  for (i = 0; i + 1 < in->len; i++)
    if (in->text[i] == '\\' && in->text[i + 1] == 'u')
      return 0; /* may be half of a pair */
  return sz_utf8_valid(in->text, in->len) == in->len;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) {
  static const char *const NAMES[] = {"whole", "byte by byte", "cut",
                                      "by tokens"};
  struct sz_buffer logs[FEEDINGS + 1];
  struct input in;
  int i;
  if (!fuzz_input(&in, data, size))
    return 0;
  for (i = 0; i <= FEEDINGS; i++) {
    int by_tokens = i == FEEDINGS;
    sz_buffer_init(&logs[i], (size_t)1 << 30);
    if (by_tokens && !is_utf8(&in))
      continue;
    run(&logs[i], &in, by_tokens ? FEED_WHOLE : (enum feeding)i, by_tokens);
    fuzz_same(NAMES[i], &logs[0], &logs[i]);
  }
  for (i = 0; i <= FEEDINGS; i++)
    sz_buffer_free(&logs[i]);
  return 0;
}
