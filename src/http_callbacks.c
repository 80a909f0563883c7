/* http_callbacks.c - what libcurl calls: copies, and never decides. */
#include "http_private.h"

#include <fcntl.h>
#include <stdio.h>
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

/* Whether it is that header's line; names have no case. */
static bool is_header(const char *line, size_t len, const char *name) {
  size_t size = strlen(name);
  return len > size && line[size] == ':' && sz_http_alike(line, name, size);
}

/* What several lines say of one coding after the other, as one line. */
static char *join_codings(char *before, char *more) {
  size_t len = before && more ? strlen(before) + strlen(more) + 3 : 0;
  char *both = len ? malloc(len) : NULL;
  if (both)
    snprintf(both, len, "%s, %s", before, more);
  if (before)
    free(more);
  free(before);
  return before ? both : more;
}

/* Keeps one header line if we want to know it. False: no memory. */
static bool answer_keep(struct sz_transfer *t, const char *line, size_t len) {
  int i;
  for (i = 0; i < SZ_HEADER_COUNT; i++) {
    size_t name = strlen(header_names[i]);
    char *text;
    if (!is_header(line, len, header_names[i]))
      continue;
    text = copy_trimmed(line + name + 1, len - name - 1);
    if (i == SZ_HEADER_CONTENT_ENCODING)
      text = join_codings(t->answer[i], text);
    else
      free(t->answer[i]);
    t->answer[i] = text;
    return text != NULL;
  }
  return true;
}

/* The length of the coding that a list of them begins with. */
static size_t coding_len(const char *list, size_t len) {
  const char *end = memchr(list, ',', len);
  len = end ? (size_t)(end - list) : len;
  while (len > 0 && is_space(list[len - 1]))
    len--;
  return len;
}

static bool is_coding(const char *s, size_t len, const char *name) {
  return len == strlen(name) && sz_http_alike(s, name, len);
}

/*
** libcurl undoes every transfer coding that a server names, in one go and
** without a bound; nobody asked for any but chunked. False: refused.
*/
static bool codings_allowed(struct sz_transfer *t, const char *list,
                            size_t len) {
  char text[120];
  while (len > 0) {
    size_t size = coding_len(list, len);
    if (is_space(*list) || *list == ',') {
      list++;
      len--;
      continue;
    }
    if (!is_coding(list, size, "chunked") &&
        !is_coding(list, size, "identity")) {
      snprintf(text, sizeof text,
               "the answer has the Transfer-Encoding \"%.*s\", which was not "
               "asked for",
               size > 40 ? 40 : (int)size, list);
      sz_transfer_fail(t, "http", text);
      return false;
    }
    list += size;
    len -= size;
  }
  return true;
}

/* One line of a header, trailers apart. False: see the failure. */
static bool header_line(struct sz_transfer *t, const char *line, size_t len) {
  static const char coding[] = "transfer-encoding";
  if (is_header(line, len, coding))
    return codings_allowed(t, line + sizeof coding, len - sizeof coding);
  if (!answer_keep(t, line, len))
    sz_transfer_fail(t, "limit", "not enough memory");
  return !t->failure.kind;
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
  } else if (!header_line(t, line, len)) {
    return 0;
  }
  return len;
}
