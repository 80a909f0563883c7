/*
** plain.h - a second hand for the fuzz targets: JSON numbers as decimal digits,
** added and compared as at school. It shares no code with src/.
*/
#ifndef SZ_FUZZ_PLAIN_H
#define SZ_FUZZ_PLAIN_H

#include <stddef.h>

#define PLAIN_DIGITS 2048

/* sign * 0.digits * 10^point; no zeros at either end; sign 0: zero. */
struct plain {
  int sign;
  size_t count;
  char digits[PLAIN_DIGITS]; /* as characters */
  long long point;
  int is_real; /* written with a point or an exponent */
};

/* Reads a JSON number of at most PLAIN_DIGITS bytes. 0: it is none. */
int plain_read(const char *s, size_t len, struct plain *out);

/* -1, 0 or 1. Exponents count up to 10^18. */
int plain_order(const struct plain *a, const struct plain *b);

/* Whether it has no fraction and at most 39 digits. */
int plain_is_whole(const struct plain *p);

/* A whole number of any sign, the last digit first. */
#define PLAIN_WIDE 48
struct plain_wide {
  int digits[PLAIN_WIDE]; /* all of one sign after each call */
};

/* The whole number at or below a value of at most 40 digits. */
void plain_floor(const struct plain *p, struct plain_wide *out);
void plain_add(struct plain_wide *to, const struct plain_wide *value);
/* Whether it is from -(2^127 - 1) to 2^127 - 1; from -2^127 on, if 'least'. */
int plain_fits(const struct plain_wide *w, int least);
/* Writes it in decimal. Returns the length. */
size_t plain_text(const struct plain_wide *w, char out[PLAIN_WIDE + 2]);

#endif
