/*
** agree.c - compares all scanners of this machine with a plain loop: on random
** and adversarial bytes, at every alignment and length, with unreadable memory
** after them. Prints the scanners' names; fails at the first difference.
** (spec/core/scan_spec.lua)
*/
#include "scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAX_LEN 200
#define MAX_GAPS 8
#define ROOM 4096

static unsigned long long seed = 88172645463325252u;

static unsigned random_below(unsigned n) {
  seed ^= seed << 13;
  seed ^= seed >> 7;
  seed ^= seed << 17;
  return (unsigned)(seed >> 33) % n;
}

static void fail(const struct sz_scanner *s, const char *what, size_t len,
                 size_t got, size_t wanted) {
  printf("%s: %s of %zu bytes gives %zu, not %zu\n", s->name, what, len, got,
         wanted);
  exit(1);
}

/* ---- what is right ---- */

static size_t plain(const char *p, size_t len) {
  size_t at = 0;
  while (at < len && !sz_is_special((unsigned char)p[at]))
    at++;
  return at;
}

static size_t cross(const struct sz_gap *gap, size_t count, const char *gaps,
                    const char *p, size_t left, struct sz_place *place) {
  size_t at = 0, i, n;
  for (i = 0;; i++) {
    for (n = 0; n < gap[i].len; n++, at++) {
      if (at == left)
        return SZ_CUT;
      if (p[at] != gaps[gap[i].at + n])
        return 0;
    }
    if (i + 1 == count)
      return at;
    place[i].len = plain(p + at, left - at);
    at += place[i].len;
    place[i].end = at;
  }
}

/* ---- texts ---- */

/* Special bytes and their neighbours, which an inexact test would confuse. */
static char odd_byte(void) {
  static const unsigned char ODD[] = {0x00, 0x01, 0x1F, 0x20, 0x21, '"',
                                      '#',  '[',  '\\', ']',  0x7F, 0x80,
                                      0x9F, 0xA0, 0xA2, 0xDC, 0xFF};
  return (char)ODD[random_below(sizeof ODD)];
}

static void fill(char *p, size_t len, unsigned kind) {
  size_t i;
  for (i = 0; i < len; i++)
    p[i] = kind == 0   ? (char)random_below(256)
           : kind == 1 ? odd_byte()
                       : (char)('a' + random_below(26));
}

/* The end of a page; the memory after it cannot be read. */
static char *page_end(void) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  char *p = mmap(NULL, page * 3, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED || mprotect(p + page * 2, page, PROT_NONE))
    exit(2);
  return p + page * 2;
}

/* ---- comparing ---- */

static void compare_plain(const char *p, size_t len) {
  size_t wanted = plain(p, len), n;
  char copy[MAX_LEN + 16];
  const struct sz_scanner *s;
  for (n = 0; (s = sz_scanner_of(n)) != NULL; n++)
    if (s->plain(p, len) != wanted)
      fail(s, "plain", len, s->plain(p, len), wanted);
  s = sz_scanner_of(0);
  if (sz_scan_plain(p, len) != wanted)
    fail(s, "the short plain", len, sz_scan_plain(p, len), wanted);
  if (sz_copy_plain(copy, p, len) != wanted || memcmp(copy, p, wanted) != 0)
    fail(s, "copy", len, sz_copy_plain(copy, p, len), wanted);
}

/* Every length ends at the unreadable page, so all alignments are tested. */
static void all_plain(char *end) {
  size_t len, at;
  int round;
  for (len = 0; len <= MAX_LEN; len++) {
    for (round = 0; round < 60; round++) {
      fill(end - len, len, (unsigned)round % 3);
      compare_plain(end - len, len);
    }
    for (at = 0; at < len; at++) { /* one odd byte in plain text */
      fill(end - len, len, 2);
      end[at - len] = odd_byte();
      compare_plain(end - len, len);
    }
  }
}

struct text {
  struct sz_gap gap[MAX_GAPS];
  size_t count, len;
  char gaps[ROOM], bytes[ROOM];
};

/* Gaps that begin with a quote, and a text that fits them. */
static void make_text(struct text *t) {
  size_t i, n = 0;
  t->count = 1 + random_below(MAX_GAPS);
  t->len = 0;
  memset(t->gaps, 0, sizeof t->gaps);
  for (i = 0; i < t->count; i++) {
    size_t len = 1 + random_below(90), value = random_below(70);
    t->gap[i].at = n;
    t->gap[i].like = random_below(2) ? i : random_below((unsigned)i + 1);
    t->gap[i].len = len;
    fill(t->gaps + n, len, random_below(3));
    t->gaps[n] = '"';
    memcpy(t->bytes + t->len, t->gaps + n, len);
    n += len + random_below(9);
    t->len += len;
    if (i + 1 < t->count) {
      fill(t->bytes + t->len, value, 2);
      t->len += value;
    }
  }
}

static void compare_cross(const struct text *t, const char *p, size_t left) {
  struct sz_place wanted[MAX_GAPS], got[MAX_GAPS];
  size_t right = cross(t->gap, t->count, t->gaps, p, left, wanted), n, i;
  const struct sz_scanner *s;
  for (n = 0; (s = sz_scanner_of(n)) != NULL; n++) {
    size_t len;
    for (i = 0; i < MAX_GAPS; i++) /* a good guess, or a bad one */
      got[i].len = random_below(2) ? random_below(100) : wanted[i].len % 1000;
    len = s->cross(t->gap, t->count, t->gaps, p, left, got);
    if (len != right)
      fail(s, "cross", left, len, right);
    for (i = 0; right && right != SZ_CUT && i + 1 < t->count; i++)
      if (got[i].len != wanted[i].len || got[i].end != wanted[i].end)
        fail(s, "a place in cross", left, got[i].end, wanted[i].end);
  }
}

static void all_cross(char *end) {
  static struct text t;
  int round;
  for (round = 0; round < 3000; round++) {
    size_t left, i;
    make_text(&t);
    for (left = 0; left <= t.len; left += 1 + random_below(7)) { /* cut */
      memcpy(end - left, t.bytes, left);
      compare_cross(&t, end - left, left);
    }
    for (i = 0; i < 20; i++) { /* one byte wrong, something behind */
      size_t more = random_below(40);
      memcpy(end - t.len - more, t.bytes, t.len);
      fill(end - more, more, 0);
      if (i)
        end[random_below((unsigned)t.len) - t.len - more] = odd_byte();
      compare_cross(&t, end - t.len - more, t.len + more);
    }
  }
}

int main(void) {
  char *end = page_end();
  size_t n;
  all_plain(end);
  all_cross(end);
  printf("agree:");
  for (n = 0; sz_scanner_of(n); n++)
    printf(" %s", sz_scanner_of(n)->name);
  printf("\n");
  return 0;
}
