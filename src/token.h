/* token.h - checks of the smallest tokens of JSON. No Lua here. */
#ifndef SZ_TOKEN_H
#define SZ_TOKEN_H

#include <stddef.h>
#include <string.h>

static inline int sz_is_digit(char c) {
  return c >= '0' && c <= '9';
}

static inline size_t sz_pass_digits(const char *s, size_t at) {
  while (sz_is_digit(s[at]))
    at++;
  return at;
}

/*
** The end of the number at the beginning of 's', which something ends that is
** no part of a number. 0: it is none.
*/
static inline size_t sz_number_end(const char *s) {
  size_t at = *s == '-', from = at;
  at = s[at] == '0' ? at + 1 : sz_pass_digits(s, at);
  if (at == from)
    return 0;
  if (s[at] == '.') {
    from = at + 1;
    at = sz_pass_digits(s, from);
    if (at == from)
      return 0;
  }
  if (s[at] == 'e' || s[at] == 'E') {
    from = at + 1 + (s[at + 1] == '+' || s[at + 1] == '-');
    at = sz_pass_digits(s, from);
    if (at == from)
      return 0;
  }
  return at;
}

static inline int sz_is_hex(char c) {
  return sz_is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Whether the escape with this letter is valid; it is within a string. */
static inline int sz_escape_is_valid(const char *s) {
  if (*s != 'u')
    return *s && strchr("/bfnrt", *s) != NULL;
  return sz_is_hex(s[1]) && sz_is_hex(s[2]) && sz_is_hex(s[3]) &&
         sz_is_hex(s[4]);
}

#endif
