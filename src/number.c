/* number.c - reads the exact value of a JSON number. */
#include "number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the parts of a number's text lie. */
struct parts {
  int negative;
  size_t digits, ndigits;     /* before the point */
  size_t fraction, nfraction; /* after it */
  size_t exponent, nexponent; /* digits of the exponent */
  int exponent_negative;
  int is_real;
};

static size_t count_digits(const char *s, size_t from, size_t len) {
  size_t at = from;
  while (at < len && s[at] >= '0' && s[at] <= '9')
    at++;
  return at - from;
}

/* Reads the exponent at 'at', after the 'e'. Returns its end; 0: invalid. */
static size_t split_exponent(const char *s, size_t at, size_t len,
                             struct parts *p) {
  if (at < len && (s[at] == '+' || s[at] == '-')) {
    p->exponent_negative = s[at] == '-';
    at++;
  }
  p->exponent = at;
  p->nexponent = count_digits(s, at, len);
  return p->nexponent ? at + p->nexponent : 0;
}

/* Splits a number by RFC 8259, section 6. 0: not a JSON number. */
static int split(const char *s, size_t len, struct parts *p) {
  size_t at = 0;
  memset(p, 0, sizeof *p);
  if (at < len && s[at] == '-') {
    p->negative = 1;
    at++;
  }
  p->digits = at;
  p->ndigits = count_digits(s, at, len);
  if (!p->ndigits || (p->ndigits > 1 && s[at] == '0'))
    return 0;
  at += p->ndigits;
  if (at < len && s[at] == '.') {
    p->is_real = 1;
    p->fraction = ++at;
    p->nfraction = count_digits(s, at, len);
    if (!p->nfraction)
      return 0;
    at += p->nfraction;
  }
  if (at < len && (s[at] == 'e' || s[at] == 'E')) {
    p->is_real = 1;
    at = split_exponent(s, at + 1, len, p);
    if (!at)
      return 0;
  }
  return at == len;
}

/* Appends digits to '*value'. 0: the result does not fit 64 bits. */
static int add_digits(const char *s, size_t n, uint64_t *value) {
  uint64_t v = *value;
  size_t i;
  for (i = 0; i < n; i++) {
    uint64_t digit = (uint64_t)(s[i] - '0');
    if (v > (UINT64_MAX - digit) / 10)
      return 0;
    v = v * 10 + digit;
  }
  *value = v;
  return 1;
}

static void read_integer(const char *s, const struct parts *p,
                         struct sz_number *out) {
  uint64_t magnitude = 0;
  uint64_t limit = (uint64_t)INT64_MAX + (p->negative ? 1 : 0);
  if (!add_digits(s + p->digits, p->ndigits, &magnitude) ||
      magnitude > limit) {
    out->kind = SZ_NUMBER_TEXT;
    return;
  }
  if (p->negative && magnitude == 0) {
    out->kind = SZ_NUMBER_REAL;
    out->real = -0.0;
    return;
  }
  out->kind = SZ_NUMBER_INTEGER;
  out->integer = p->negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
}

/*
** Clinger's fast path: a mantissa below 2^53 and a power of ten up to 22 are
** exact doubles, so one multiplication or division rounds once.
*/
static int read_fast(const char *s, const struct parts *p, double *real) {
  static const double POWERS[] = {
      1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
      1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  uint64_t mantissa = 0;
  long exponent = 0;
  size_t i;
  double value;
  if (p->nexponent > 4 || p->nfraction > 400 ||
      !add_digits(s + p->digits, p->ndigits, &mantissa) ||
      !add_digits(s + p->fraction, p->nfraction, &mantissa) ||
      mantissa > (uint64_t)1 << 53)
    return 0;
  for (i = 0; i < p->nexponent; i++)
    exponent = exponent * 10 + (s[p->exponent + i] - '0');
  if (p->exponent_negative)
    exponent = -exponent;
  exponent -= (long)p->nfraction;
  if (exponent < -22 || exponent > 22)
    return 0;
  value = (double)mantissa;
  value = exponent < 0 ? value / POWERS[-exponent] : value * POWERS[exponent];
  *real = p->negative ? -value : value;
  return 1;
}

/* The exponent of the last digit. That of the text counts up to LIMIT. */
static long long read_exponent(const char *s, const struct parts *p) {
  const long long LIMIT = 1000000000000000000;
  long long exponent = 0;
  size_t i;
  for (i = 0; i < p->nexponent && exponent < LIMIT / 10; i++)
    exponent = exponent * 10 + (s[p->exponent + i] - '0');
  if (i < p->nexponent)
    exponent = LIMIT;
  if (p->exponent_negative)
    exponent = -exponent;
  return exponent - (long long)p->nfraction;
}

/*
** How many digits decide a double: a number halfway between two doubles has at
** most 767. Of further digits only matters whether all are zero.
*/
#define DIGITS 770

/*
** Copies the digits that matter to 'out', without leading zeros. Returns how
** many; '*exponent' becomes the exponent of the last one.
*/
static size_t copy_digits(const char *s, const struct parts *p, char *out,
                          long long *exponent) {
  size_t all = p->ndigits + p->nfraction, n = 0, i;
  int more = 0;
  for (i = 0; i < all; i++) {
    char digit =
        i < p->ndigits ? s[p->digits + i] : s[p->fraction + (i - p->ndigits)];
    if (n < DIGITS) {
      if (n || digit != '0')
        out[n++] = digit;
      continue;
    }
    more |= digit != '0';
    ++*exponent;
  }
  if (more || !n) { /* a 1 stands for all further digits; or it is zero */
    out[n++] = more ? '1' : '0';
    *exponent -= more;
  }
  return n;
}

/*
** Calls strtod on a copy: all digits, then the exponent. It has no point, as
** strtod expects the locale's.
*/
static double read_slow(const char *s, const struct parts *p) {
  char copy[DIGITS + 32]; /* sign, one more digit, exponent, NUL */
  long long exponent = read_exponent(s, p);
  size_t len = 1;
  copy[0] = p->negative ? '-' : '+';
  len += copy_digits(s, p, copy + 1, &exponent);
  snprintf(copy + len, sizeof copy - len, "e%lld", exponent);
  return strtod(copy, NULL);
}

/* ---- real text whose value is whole ---- */

/* A whole value's digits, from 'first' to the point; after the text zeros. */
struct whole {
  const char *text;
  const struct parts *parts;
  long long first, point;
};

static char digit_at(const struct whole *w, long long i) {
  const struct parts *p = w->parts;
  size_t at = (size_t)i;
  if (at < p->ndigits)
    return w->text[p->digits + at];
  at -= p->ndigits;
  return at < p->nfraction ? w->text[p->fraction + at] : '0';
}

/* Finds the first digit that is not zero, and the point. */
static void find_digits(const char *s, const struct parts *p,
                        struct whole *w) {
  long long all = (long long)(p->ndigits + p->nfraction);
  w->text = s;
  w->parts = p;
  w->point = all + read_exponent(s, p);
  for (w->first = 0; w->first < all && digit_at(w, w->first) == '0';)
    w->first++;
  if (w->first == all)
    w->point = w->first; /* zero, whatever the exponent */
}

static int has_fraction(const struct whole *w) {
  long long all = (long long)(w->parts->ndigits + w->parts->nfraction), i;
  for (i = w->point < w->first ? w->first : w->point; i < all; i++)
    if (digit_at(w, i) != '0')
      return 1;
  return 0;
}

/* Fills '*w'. 0: the value has a fraction. */
static int find_whole(const char *s, const struct parts *p, struct whole *w) {
  find_digits(s, p, w);
  return !has_fraction(w);
}

/* The digits before the point. 0: they do not fit 128 bits. */
static int whole_value(const struct whole *w, sz_wide *out) {
  long long i;
  *out = 0;
  for (i = w->first; i < w->point; i++)
    if (__builtin_mul_overflow(*out, 10, out) ||
        __builtin_add_overflow(*out, digit_at(w, i) - '0', out))
      return 0;
  if (w->parts->negative)
    *out = -*out;
  return 1;
}

/* Whether they equal a double. %.0f prints all its digits, without a point. */
static int is_double(const struct whole *w, double value) {
  char digits[320]; /* the greatest double has 309 */
  int i, n = snprintf(digits, sizeof digits, "%.0f", fabs(value));
  if (w->point - w->first != n)
    return 0;
  for (i = 0; i < n; i++)
    if (digits[i] != digit_at(w, w->first + i))
      return 0;
  return 1;
}

/*
** From 2^53 on not every whole number is a double. Keeps the double only if it
** is the exact value.
*/
static void settle_real(const char *s, const struct parts *p,
                        struct sz_number *out) {
  struct whole w;
  sz_wide value;
  int whole;
  if (fabs(out->real) < 9007199254740992.0)
    return;
  whole = isfinite(out->real) && find_whole(s, p, &w);
  out->loose = p->nexponent > 0 || !whole;
  if (whole && is_double(&w, out->real))
    return;
  out->kind = SZ_NUMBER_TEXT;
  if (!whole || !whole_value(&w, &value) || value < INT64_MIN ||
      value > INT64_MAX)
    return;
  out->kind = SZ_NUMBER_INTEGER;
  out->integer = (int64_t)value;
}

int sz_number_whole(const char *text, size_t len, sz_wide *out) {
  struct parts p;
  struct whole w;
  return split(text, len, &p) && find_whole(text, &p, &w) &&
         whole_value(&w, out);
}

int sz_number_floor(const char *text, size_t len, sz_wide *out) {
  struct parts p;
  struct whole w;
  if (!split(text, len, &p))
    return 0;
  find_digits(text, &p, &w);
  return whole_value(&w, out) && !(p.negative && has_fraction(&w) &&
                                   __builtin_sub_overflow(*out, 1, out));
}

/* ---- comparing ---- */

/* How many digits a number has from the first that is not zero; 0: zero. */
static long long length_of(const struct whole *w) {
  return (long long)(w->parts->ndigits + w->parts->nfraction) - w->first;
}

/* Compares two values without their signs. */
static int compare_digits(const struct whole *a, const struct whole *b) {
  long long a_len = length_of(a), b_len = length_of(b), i;
  long long most = a_len > b_len ? a_len : b_len;
  if (!a_len || !b_len)
    return (a_len > 0) - (b_len > 0);
  if (a->point - a->first != b->point - b->first)
    return a->point - a->first < b->point - b->first ? -1 : 1;
  for (i = 0; i < most; i++) {
    int x = digit_at(a, a->first + i), y = digit_at(b, b->first + i);
    if (x != y)
      return x < y ? -1 : 1;
  }
  return 0;
}

int sz_number_compare(const char *a, size_t a_len, const char *b, size_t b_len,
                      int *order) {
  struct parts a_parts, b_parts;
  struct whole x, y;
  int a_sign, b_sign;
  if (!split(a, a_len, &a_parts) || !split(b, b_len, &b_parts))
    return 0;
  find_digits(a, &a_parts, &x);
  find_digits(b, &b_parts, &y);
  a_sign = !length_of(&x) ? 0 : a_parts.negative ? -1 : 1;
  b_sign = !length_of(&y) ? 0 : b_parts.negative ? -1 : 1;
  *order = (a_sign > b_sign) - (a_sign < b_sign);
  if (a_sign == b_sign && a_sign)
    *order = compare_digits(&x, &y) * a_sign;
  return 1;
}

void sz_number_read(const char *text, size_t len, struct sz_number *out) {
  struct parts p;
  out->integer = 0;
  out->real = 0;
  out->loose = 0;
  if (!split(text, len, &p)) {
    out->kind = SZ_NUMBER_BAD;
    return;
  }
  if (!p.is_real) {
    read_integer(text, &p, out);
    return;
  }
  out->kind = SZ_NUMBER_REAL;
  if (!read_fast(text, &p, &out->real))
    out->real = read_slow(text, &p);
  settle_real(text, &p, out);
}
