/* http_allow.c - the time limit of transfers, see sz_http_allow. */
#include "http_private.h"

#include <time.h>

static double clock_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

bool sz_http_spent(const struct sz_http *h) {
  return h->until > 0 && clock_seconds() >= h->until;
}

void sz_http_allow(struct sz_http *h, double seconds) {
  h->until = seconds < 0 ? 0 : clock_seconds() + seconds;
}

bool sz_http_held(const struct sz_http *h, const struct sz_transfer *t) {
  if (t)
    return t->held;
  for (t = h->transfers; t; t = t->next)
    if (t->held)
      return true;
  return false;
}
