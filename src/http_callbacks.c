/* http_callbacks.c - the functions that libcurl calls. */
#include "http_private.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const header_names[SZ_HEADER_COUNT] = {
    "location", "retry-after", "content-type", "content-encoding"};

/*
** Sets close-on-exec: the programs that the host starts must not inherit
** connections.
*/
int sz_on_socket(void *arg, curl_socket_t fd, curlsocktype purpose) {
  struct sz_transfer *t = arg;
  (void)purpose;
  fcntl(fd, F_SETFD, FD_CLOEXEC);
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
** Copies the bytes, or pauses when there is no room; then libcurl keeps the
** bytes and offers them again. curl_easy_pause may call this, too. Borrowed
** bytes are not moved: the reader may be using them.
*/
size_t sz_on_body(char *data, size_t size, size_t n, void *arg) {
  struct sz_transfer *t = arg;
  size_t len = size * n;
  if (!body_ready(t))
    return 0;
  if (len > SZ_BODY_BUFFER - t->tail && t->head > 0 && !t->borrowed) {
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

/* At a status line: forgets the header of an earlier answer (100, 103). */
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

/* A copy without leading and trailing space. NULL: no memory. */
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

/* Whether it is that header's line; case does not matter. */
static bool is_header(const char *line, size_t len, const char *name) {
  size_t size = strlen(name);
  return len > size && line[size] == ':' && sz_http_alike(line, name, size);
}

/* Joins the values of several Content-Encoding lines with a comma. */
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

/* Keeps a header line if it is one of enum sz_header. False: no memory. */
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

/* The length of the first coding in a list. */
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
** libcurl decodes every transfer coding that a server names, without a memory
** limit. We only asked for chunked, so all others are refused: false.
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
      snprintf(
          text, sizeof text,
          "the answer has the Transfer-Encoding \"%.*s\"; only chunked is "
          "supported",
          size > 40 ? 40 : (int)size, list);
      sz_transfer_fail(t, "http", text);
      return false;
    }
    list += size;
    len -= size;
  }
  return true;
}

/* Handles one header line, not of trailers. False: see the failure. */
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
** The final header is complete. False: it is not the answer to this request;
** the server closed an idle connection while the request was on its way.
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
** Returning 0 ends the transfer with the failure set before. Without a failure
** the connection is stale, and the request is sent again on a new one.
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
