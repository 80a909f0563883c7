/* plain.c - see plain.h. */
#include "plain.h"

#include <string.h>

/* ---- reading ---- */

static int is_digit(char c) {
  return strchr("0123456789", c) != NULL && c;
}

/* Reads the number by its grammar, sign by sign; texts are NUL-terminated. */
static const char *skip_digits(const char *s) {
  while (is_digit(*s))
    s++;
  return s;
}

static int is_number(const char *s) {
  const char *from;
  s += *s == '-';
  from = s;
  s = skip_digits(s);
  if (s == from || (*from == '0' && s - from > 1))
    return 0;
  if (*s == '.') {
    from = ++s;
    s = skip_digits(s);
    if (s == from)
      return 0;
  }
  if (*s == 'e' || *s == 'E') {
    s++;
    s += *s == '+' || *s == '-';
    from = s;
    s = skip_digits(s);
    if (s == from)
      return 0;
  }
  return !*s;
}

static long long exponent_of(const char *s) {
  long long value = 0;
  int negative = *s == '-';
  s += *s == '-' || *s == '+';
  while (*s == '0')
    s++;
  if (strlen(s) > 18)
    s = "1000000000000000000";
  for (; *s; s++)
    value = value * 10 + (*s - '0');
  return negative ? -value : value;
}

/* Takes zeros off both ends. */
static void trim(struct plain *p) {
  size_t zeros = 0;
  while (zeros < p->count && p->digits[zeros] == '0')
    zeros++;
  memmove(p->digits, p->digits + zeros, p->count - zeros);
  p->count -= zeros;
  p->point -= (long long)zeros;
  while (p->count && p->digits[p->count - 1] == '0')
    p->count--;
  if (!p->count) {
    p->sign = 0;
    p->point = 0;
  }
}

int plain_read(const char *s, size_t len, struct plain *out) {
  char text[PLAIN_DIGITS + 1];
  const char *at, *point = NULL;
  memset(out, 0, sizeof *out);
  if (len > PLAIN_DIGITS || memchr(s, 0, len))
    return 0;
  memcpy(text, s, len);
  text[len] = '\0';
  if (!is_number(text))
    return 0;
  out->sign = text[0] == '-' ? -1 : 1;
  for (at = text + (text[0] == '-'); *at && *at != 'e' && *at != 'E'; at++) {
    if (*at == '.')
      point = at;
    else
      out->digits[out->count++] = *at;
  }
  out->point = (long long)out->count - (point ? at - point - 1 : 0);
  out->is_real = point || *at;
  if (*at)
    out->point += exponent_of(at + 1);
  trim(out);
  return 1;
}

/* ---- comparing ---- */

int plain_order(const struct plain *a, const struct plain *b) {
  size_t least = a->count < b->count ? a->count : b->count;
  int order;
  if (a->sign != b->sign)
    return a->sign < b->sign ? -1 : 1;
  if (!a->sign)
    return 0;
  if (a->point != b->point)
    return a->point < b->point ? -a->sign : a->sign;
  order = memcmp(a->digits, b->digits, least);
  if (!order)
    order = (a->count > b->count) - (a->count < b->count);
  return order < 0 ? -a->sign : order > 0 ? a->sign : 0;
}

/* ---- whole numbers ---- */

int plain_is_whole(const struct plain *p) {
  return !p->sign || (p->point >= (long long)p->count && p->point <= 39);
}

/* Carries, so that all digits have the sign of the first of them. */
static void settle(struct plain_wide *w) {
  int i, top = PLAIN_WIDE - 1, negative;
  for (i = 0; i < top; i++) { /* digits from 0 to 9 but for the last */
    while (w->digits[i] < 0) {
      w->digits[i] += 10;
      w->digits[i + 1]--;
    }
    w->digits[i + 1] += w->digits[i] / 10;
    w->digits[i] %= 10;
  }
  negative = w->digits[top] < 0;
  for (i = 0; negative && i < top; i++) { /* the same with digits from -9 */
    if (w->digits[i] > 0) {
      w->digits[i] -= 10;
      w->digits[i + 1]++;
    }
  }
}

void plain_add(struct plain_wide *to, const struct plain_wide *value) {
  int i;
  for (i = 0; i < PLAIN_WIDE; i++)
    to->digits[i] += value->digits[i];
  settle(to);
}

void plain_floor(const struct plain *p, struct plain_wide *out) {
  struct plain_wide one = {{-1}};
  long long i;
  memset(out, 0, sizeof *out);
  for (i = 0; i < p->point; i++)
    out->digits[p->point - 1 - i] =
        i < (long long)p->count ? p->sign * (p->digits[i] - '0') : 0;
  if (p->sign < 0 && p->point < (long long)p->count)
    plain_add(out, &one);
}

size_t plain_text(const struct plain_wide *w, char out[PLAIN_WIDE + 2]) {
  size_t n = 0;
  int i = PLAIN_WIDE - 1;
  while (i > 0 && !w->digits[i])
    i--;
  if (w->digits[i] < 0)
    out[n++] = '-';
  for (; i >= 0; i--)
    out[n++] =
        (char)('0' + (w->digits[i] < 0 ? -w->digits[i] : w->digits[i]));
  out[n] = '\0';
  return n;
}

int plain_fits(const struct plain_wide *w, int least) {
  static const char MOST[] = "170141183460469231731687303715884105727";
  char text[PLAIN_WIDE + 2];
  const char *digits = text;
  size_t len = plain_text(w, text);
  if (least && !strcmp(text, "-170141183460469231731687303715884105728"))
    return 1;
  digits += text[0] == '-';
  len -= text[0] == '-';
  return len < strlen(MOST) ||
         (len == strlen(MOST) && strcmp(digits, MOST) <= 0);
}
