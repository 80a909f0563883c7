/* http_callbacks.c - what libcurl calls: copies, and never decides. */
#include "http_private.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>

static const char *const header_names[SZ_HEADER_COUNT] = {
    "location", "retry-after", "content-type", "content-encoding"};

/*
** Connections are not for the programs the host starts. curl_multi_fdset
** leaves sockets out that do not fit its sets: remember that there was one.
*/
int sz_on_socket(void *arg, curl_socket_t fd, curlsocktype purpose) {
  struct sz_transfer *t = arg;
  (void)purpose;
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  if (fd >= FD_SETSIZE)
    t->http->beyond_fds = true;
  if (sz_kept_opened(t, fd))
    return CURL_SOCKOPT_OK;
  sz_transfer_fail(t, "limit", "not enough memory");
  return CURL_SOCKOPT_ERROR;
}

static bool body_ready(struct sz_transfer *t) {
  if (!t->body)
    t->body = malloc(SZ_BODY_BUFFER);
  if (!t->body)
    sz_transfer_fail(t, "limit", "not enough memory");
  return t->body != NULL;
}

/*
** Copies, or pauses when there is no room; libcurl then keeps these bytes and
** offers them again. Also called from inside curl_easy_pause. Lent bytes are
** not moved: someone may be reading them.
*/
size_t sz_on_body(char *data, size_t size, size_t n, void *arg) {
  struct sz_transfer *t = arg;
  size_t len = size * n;
  if (!body_ready(t))
    return 0;
  if (len > SZ_BODY_BUFFER - t->tail && t->head > 0 && !t->lent) {
    t->tail -= t->head;
    memmove(t->body, t->body + t->head, t->tail);
    t->head = 0;
  }
  t->held = t->http && sz_http_spent(t->http);
  if (t->held || len > SZ_BODY_BUFFER - t->tail) {
    t->paused = true;
    return CURL_WRITEFUNC_PAUSE;
  }
  memcpy(t->body + t->tail, data, len);
  t->tail += len;
  t->info.received += len;
  return len;
}

/* A status line: what an earlier one (100, 103) brought is void. */
void sz_answer_reset(struct sz_transfer *t) {
  int i;
  for (i = 0; i < SZ_HEADER_COUNT; i++) {
    free(t->answer[i]);
    t->answer[i] = NULL;
  }
}

static bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* A copy of the text without the space around it. NULL: no memory. */
static char *copy_trimmed(const char *text, size_t len) {
  char *copy;
  while (len > 0 && is_space(text[len - 1]))
    len--;
  while (len > 0 && is_space(*text)) {
    text++;
    len--;
  }
  copy = malloc(len + 1);
  if (!copy)
    return NULL;
  memcpy(copy, text, len);
  copy[len] = '\0';
  return copy;
}

static char small(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool sz_http_alike(const char *a, const char *b, size_t len) {
  size_t i;
  for (i = 0; i < len; i++)
    if (small(a[i]) != small(b[i]))
      return false;
  return true;
}

/* Keeps one header line if we want to know it. False: no memory. */
static bool answer_keep(struct sz_transfer *t, const char *line, size_t len) {
  int i;
  for (i = 0; i < SZ_HEADER_COUNT; i++) {
    size_t name = strlen(header_names[i]);
    if (len <= name || line[name] != ':' ||
        !sz_http_alike(line, header_names[i], name))
      continue;
    free(t->answer[i]);
    t->answer[i] = copy_trimmed(line + name + 1, len - name - 1);
    return t->answer[i] != NULL;
  }
  return true;
}

static bool starts_answer(const char *line, size_t len) {
  return len >= 5 && memcmp(line, "HTTP/", 5) == 0;
}

static bool ends_header(const char *line, size_t len) {
  return len == 0 || *line == '\r' || *line == '\n';
}

/*
** The final header is whole. False: that is no answer to the request, but an
** idle connection's end, which has crossed it.
*/
static bool header_done(struct sz_transfer *t) {
  long status = 0;
  curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
  t->stale = status == 408 && t->socket >= 0;
  if (t->stale)
    return false;
  t->info.status = status;
  t->info.headers_done = status >= 200;
  if (t->info.headers_done && !t->inspect)
    curl_easy_setopt(t->easy, CURLOPT_VERBOSE, 1L); /* see sz_on_log */
  return true;
}

/*
** Returning 0 ends the transfer; the failure set before is what is told, and
** without one a stale connection is left for a new one.
*/
size_t sz_on_header(char *line, size_t size, size_t n, void *arg) {
  struct sz_transfer *t = arg;
  size_t len = size * n;
  t->stale = t->header_bytes == 0 && sz_kept_early(t);
  if (t->stale)
    return 0;
  t->header_bytes += len;
  if (t->header_bytes > SZ_MAX_HEADERS) {
    sz_transfer_fail(t, "limit",
                     "the answer's headers are longer than 64 KiB");
    return 0;
  }
  if (t->info.headers_done)
    return len; /* a trailer */
  if (starts_answer(line, len)) {
    sz_answer_reset(t);
  } else if (ends_header(line, len)) {
    return header_done(t) ? len : 0;
  } else if (!answer_keep(t, line, len)) {
    sz_transfer_fail(t, "limit", "not enough memory");
    return 0;
  }
  return len;
}
