/* http.c - see http.h. */
#include "http_private.h"
#include "list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Life of a transfer */

static bool http_forked(const struct sz_http *h) {
  return getpid() != h->pid;
}

static bool http_usable(const struct sz_http *h, struct sz_failure *why) {
  if (!http_forked(h))
    return true;
  sz_failure_set(why, "phase", "forked: connect again in this process", "");
  return false;
}

static int http_version(CURL *easy) {
  long version = CURL_HTTP_VERSION_NONE;
  curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &version);
  switch (version) {
  case CURL_HTTP_VERSION_1_0:
    return 10;
  case CURL_HTTP_VERSION_1_1:
    return 11;
  case CURL_HTTP_VERSION_2_0:
    return 20;
  case CURL_HTTP_VERSION_3:
    return 30;
  default:
    return 0;
  }
}

static void transfer_snapshot(struct sz_transfer *t) {
  long opened = 0;
  curl_off_t microseconds = 0;
  curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &t->info.status);
  curl_easy_getinfo(t->easy, CURLINFO_NUM_CONNECTS, &opened);
  curl_easy_getinfo(t->easy, CURLINFO_STARTTRANSFER_TIME_T, &microseconds);
  t->info.http_version = http_version(t->easy);
  t->info.reused = opened == 0 && t->header_bytes > 0;
  t->info.first_byte = (double)microseconds / 1e6;
}

/* Takes the transfer out of the counts of those that run. */
static void transfer_discount(struct sz_transfer *t) {
  t->http->running--;
  t->http->queued -= t->queued;
  t->http->ahead -= t->ahead;
  t->queued = t->ahead = false;
}

/* Frees everything except the bytes received. */
static void transfer_release(struct sz_transfer *t) {
  if (t->easy) {
    curl_multi_remove_handle(t->http->multi, t->easy);
    curl_easy_cleanup(t->easy);
    t->easy = NULL;
    sz_watch_disown(t);
    transfer_discount(t);
  }
  curl_mime_free(t->form);
  curl_slist_free_all(t->headers);
  curl_slist_free_all(t->resolve);
  t->form = NULL;
  t->headers = t->resolve = NULL;
}

static void transfer_finish(struct sz_transfer *t, CURLcode code) {
  transfer_snapshot(t);
  if (code != CURLE_OK)
    sz_transfer_fail_curl(t, code);
  transfer_release(t);
  t->info.done = true;
}

static void transfer_free_body(struct sz_transfer *t) {
  free(t->body);
  sz_inflate_free(t->inflate);
  t->body = NULL;
  t->inflate = NULL;
}

/* Frees the body; not yet while the reader has borrowed bytes of it. */
static void transfer_drop_body(struct sz_transfer *t) {
  t->dropped = true;
  t->head = t->tail = 0;
  t->window_len = 0;
  if (!t->borrowed)
    transfer_free_body(t);
}

/*
** After fork() parent and child share the sockets and TLS sessions. If the
** child closed them by libcurl, libcurl would send a TLS close on them; if it
** closed the descriptors' numbers, it could close files opened since. So the
** child leaks them. They are marked close-on-exec.
*/
static void transfer_abandon(struct sz_transfer *t) {
  t->easy = NULL;
  t->form = NULL;
  t->headers = t->resolve = NULL;
  transfer_drop_body(t);
  http_usable(t->http, &t->failure);
  t->info.done = true;
}

void sz_transfer_cancel(struct sz_transfer *t) {
  if (t->easy && http_forked(t->http)) {
    transfer_abandon(t);
    return;
  }
  if (t->easy) {
    transfer_snapshot(t);
    transfer_release(t);
  }
  transfer_drop_body(t);
  t->info.done = true;
  sz_failure_set(&t->failure, "cancelled", "closed", "");
}

static void transfer_unlink(struct sz_transfer *t) {
  if (!t->http)
    return;
  SZ_LIST_REMOVE(t);
  t->http = NULL;
}

static void transfer_link(struct sz_http *h, struct sz_transfer *t) {
  t->http = h;
  SZ_LIST_ADD(h->transfers, t);
}

void sz_transfer_free(struct sz_transfer *t) {
  if (!t)
    return;
  sz_transfer_cancel(t);
  transfer_unlink(t);
  sz_answer_reset(t);
  sz_inspect_free(t);
  transfer_free_body(t);
  free(t);
}

/* Sets t->peer to " (host:port)"; to "" if libcurl will refuse the URL. */
static void peer_name(struct sz_transfer *t, const char *url) {
  char *host = NULL, *port = NULL;
  CURLU *parts = curl_url();
  if (parts && !curl_url_set(parts, CURLUPART_URL, url, 0) &&
      !curl_url_get(parts, CURLUPART_HOST, &host, 0) &&
      !curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT))
    snprintf(t->peer, sizeof t->peer, " (%s:%s)", host, port);
  curl_free(host);
  curl_free(port);
  curl_url_cleanup(parts);
}

static bool is_https(const char *url) {
  return url && curl_strnequal(url, "https:", 6);
}

/* Finds the proxy as libcurl does, but ignores no_proxy. */
static bool has_tls_proxy(const struct sz_request *r) {
  static const char *const names[] = {"http_proxy", "https_proxy",
                                      "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
  size_t i;
  if (r->proxy)
    return is_https(r->proxy);
  for (i = 0; i < sizeof names / sizeof *names; i++)
    if (is_https(getenv(names[i])))
      return true;
  return false;
}

static struct sz_transfer *transfer_new(struct sz_http *h) {
  struct sz_transfer *t = calloc(1, sizeof *t);
  if (!t)
    return NULL;
  t->easy = sz_watch_reserve(h) ? curl_easy_init() : NULL;
  if (!t->easy) {
    free(t);
    return NULL;
  }
  t->id = ++h->last_id;
  t->socket = -1;
  transfer_link(h, t);
  t->queued = t->ahead = true;
  h->running++;
  h->queued++;
  h->ahead++;
  return t;
}

struct sz_transfer *sz_transfer_start(struct sz_http *h,
                                      const struct sz_request *request,
                                      struct sz_failure *why) {
  struct sz_transfer *t;
  CURLcode code;
  if (!http_usable(h, why))
    return NULL;
  t = transfer_new(h);
  if (!t) {
    sz_failure_set(why, "limit", "not enough memory", "");
    return NULL;
  }
  peer_name(t, request->url);
  t->connect_timeout =
      request->connect_timeout ? request->connect_timeout : 300000;
  t->inspect = request->inspect;
  t->tls_proxy = has_tls_proxy(request);
  code = sz_transfer_setup(t, request);
  if (code == CURLE_OK)
    return t;
  sz_transfer_fail_curl(t, code);
  *why = t->failure;
  sz_transfer_free(t);
  return NULL;
}

/* Reading */

/* Lets the server send on once half the buffer is free. */
static void transfer_resume(struct sz_transfer *t) {
  CURLcode code;
  if (!t->paused || !t->easy || t->tail - t->head > SZ_BODY_BUFFER / 2 ||
      http_forked(t->http))
    return;
  t->paused = false; /* before: sz_on_body may run in there and pause again */
  code = curl_easy_pause(t->easy, CURLPAUSE_CONT);
  if (code != CURLE_OK)
    transfer_finish(t, code);
}

static void transfer_take(struct sz_transfer *t, size_t n) {
  t->head += n;
  if (t->head == t->tail)
    t->head = t->tail = 0;
  transfer_resume(t);
}

/* The body is broken: the transfer fails and drops the rest. */
static void transfer_spoil(struct sz_transfer *t, const char *kind,
                           const char *text) {
  sz_transfer_fail(t, kind, text);
  if (t->easy)
    transfer_finish(t, CURLE_OK);
  t->head = t->tail = 0;
}

static bool is_coding(const char *name, const char *coding) {
  size_t len = strlen(coding);
  return strlen(name) == len && sz_http_alike(name, coding, len);
}

static enum sz_coding coding_of(const char *name, bool *known) {
  *known = true;
  if (!name || !*name || is_coding(name, "identity"))
    return SZ_PLAIN;
  if (is_coding(name, "gzip") || is_coding(name, "x-gzip"))
    return SZ_GZIP;
  *known = is_coding(name, "deflate");
  return SZ_DEFLATE;
}

/* Called when the body has bytes. False: the transfer has failed. */
static bool transfer_open_coding(struct sz_transfer *t) {
  bool known;
  enum sz_coding coding =
      coding_of(t->answer[SZ_HEADER_CONTENT_ENCODING], &known);
  if (known && (coding == SZ_PLAIN || t->inflate))
    return true;
  if (!known) {
    char text[120];
    snprintf(text, sizeof text, "unknown Content-Encoding \"%.40s\"",
             t->answer[SZ_HEADER_CONTENT_ENCODING]);
    transfer_spoil(t, "decode", text);
    return false;
  }
  t->inflate = sz_inflate_new(coding);
  if (!t->inflate)
    transfer_spoil(t, "limit", "not enough memory");
  return t->inflate != NULL;
}

static void transfer_inflate(struct sz_transfer *t) {
  size_t used, len = 0;
  enum sz_inflated result =
      sz_inflate_step(t->inflate, t->body + t->head, t->tail - t->head, &used,
                      &t->window, &len);
  transfer_take(t, used);
  if (result == SZ_INFLATED_DATA)
    t->window_len = len;
  if (result == SZ_INFLATED_BAD) {
    char text[160];
    snprintf(text, sizeof text, "the compressed answer is damaged: %s",
             sz_inflate_message(t->inflate));
    transfer_spoil(t, "decode", text);
  }
}

/* Points the window at the next bytes, decompressed if needed. */
static void transfer_fill(struct sz_transfer *t) {
  if (!t->body)
    return;
  if (t->tail > t->head && !transfer_open_coding(t))
    return;
  if (t->inflate) {
    if (t->window_len == 0)
      transfer_inflate(t);
    return;
  }
  t->window = t->body + t->head;
  t->window_len = t->tail - t->head;
}

/*
** Whether far more bytes have arrived than the answer's content needs. Chunk
** extensions, gzip's header, empty blocks and members have no content, so a
** server could send them without end and pass no other limit. A server that
** sends each byte in its own chunk and deflate block needs 13 bytes for it.
** Call it when the reader has had everything, except what libcurl held (less
** than SZ_SPARE) while paused.
*/
static bool transfer_is_hollow(const struct sz_transfer *t) {
  return t->arrived > SZ_SPARE + SZ_SPARE_PER_BYTE * t->info.decoded;
}

/* When there are no bytes: WAIT, END or ERROR. */
static enum sz_read transfer_verdict(struct sz_transfer *t) {
  if (transfer_is_hollow(t))
    transfer_spoil(t, "limit",
                   "more than 1 MiB plus 16 times the answer's length was "
                   "received; most of it is framing or compressed data "
                   "without content");
  if (!t->info.done)
    return SZ_READ_WAIT;
  if (!t->failure.kind && t->inflate && !sz_inflate_complete(t->inflate))
    sz_transfer_fail(t, "truncated", "the compressed answer was cut short");
  return t->failure.kind ? SZ_READ_ERROR : SZ_READ_END;
}

/* Whether there may be bytes for the reader. */
static bool transfer_has_more(const struct sz_transfer *t) {
  if (t->dropped)
    return false;
  return t->tail > t->head || t->window_len > 0 ||
         (t->inflate && !sz_inflate_complete(t->inflate));
}

enum sz_read sz_transfer_peek(struct sz_transfer *t, const char **data,
                              size_t *len) {
  if (t->easy && http_forked(t->http))
    transfer_abandon(t);
  if (transfer_has_more(t) && t->http && sz_http_spent(t->http))
    return SZ_READ_WAIT;
  if (!t->dropped)
    transfer_fill(t);
  t->borrowed = t->window_len > 0;
  *data = t->window;
  *len = t->window_len;
  if (t->http && t->http->until > 0 && *len > SZ_LEND)
    *len = SZ_LEND;
  return t->borrowed ? SZ_READ_DATA : transfer_verdict(t);
}

void sz_transfer_consume(struct sz_transfer *t, size_t n) {
  t->borrowed = false;
  if (t->dropped) { /* cancelled while bytes were borrowed */
    transfer_free_body(t);
    return;
  }
  if (n > t->window_len)
    n = t->window_len;
  t->window += n;
  t->window_len -= n;
  t->info.decoded += n;
  if (!t->inflate)
    transfer_take(t, n);
}

const struct sz_failure *sz_transfer_error(const struct sz_transfer *t) {
  return &t->failure;
}

void sz_transfer_info(struct sz_transfer *t, struct sz_info *info) {
  if (t->easy && !http_forked(t->http))
    transfer_snapshot(t);
  t->info.buffered = t->tail - t->head + (t->inflate ? t->window_len : 0);
  t->info.location = t->answer[SZ_HEADER_LOCATION];
  t->info.retry_after = t->answer[SZ_HEADER_RETRY_AFTER];
  t->info.content_type = t->answer[SZ_HEADER_CONTENT_TYPE];
  *info = t->info;
}

/* All transfers */

struct sz_http *sz_http_new(void) {
  struct sz_http *h = calloc(1, sizeof *h);
  if (!h)
    return NULL;
  h->pid = getpid();
  h->multi = curl_multi_init();
  if (!h->multi || sz_watch_setup(h) != CURLM_OK) {
    curl_multi_cleanup(h->multi);
    free(h);
    return NULL;
  }
  curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, (long)SZ_MAX_IDLE);
  sz_tls_find(&h->tls);
  return h;
}

void sz_http_free(struct sz_http *h) {
  if (!h)
    return;
  while (h->transfers) {
    struct sz_transfer *t = h->transfers;
    if (t->easy)
      sz_transfer_cancel(t);
    transfer_unlink(t);
  }
  if (!http_forked(h)) /* see transfer_abandon */
    curl_multi_cleanup(h->multi);
  sz_kept_free(h);
  free(h->watched);
  free(h);
}

static bool multi_ok(CURLMcode code, struct sz_failure *why) {
  if (code == CURLM_OK)
    return true;
  sz_failure_set(why, code == CURLM_OUT_OF_MEMORY ? "limit" : "http",
                 curl_multi_strerror(code), "");
  return false;
}

/* libcurl reports success when the connection closes within the header. */
static void transfer_end(struct sz_transfer *t, CURLcode code) {
  if (t->inspect && code == CURLE_SSL_PINNEDPUBKEYNOTMATCH) {
    sz_inspect_keep(t);
    transfer_finish(t, CURLE_OK);
    return;
  }
  if (code == CURLE_OK && !t->info.headers_done)
    sz_transfer_fail(t, "truncated", "the answer's header was cut short");
  transfer_finish(t, code);
}

/* Sends the same request again, on a new connection, which is never stale. */
static bool transfer_again(struct sz_transfer *t) {
  curl_multi_remove_handle(t->http->multi, t->easy);
  curl_easy_setopt(t->easy, CURLOPT_FRESH_CONNECT, 1L);
  curl_easy_setopt(t->easy, CURLOPT_FORBID_REUSE, 0L);
  curl_easy_setopt(t->easy, CURLOPT_VERBOSE, 0L);
  sz_answer_reset(t);
  t->error[0] = '\0';
  t->header_bytes = 0;
  t->arrived = 0;
  t->stale = false;
  t->socket = -1;
  return curl_multi_add_handle(t->http->multi, t->easy) == CURLM_OK;
}

/* Ends a transfer. True: it starts again on a new connection. */
static bool transfer_over(struct sz_transfer *t, CURLcode code) {
  bool again = sz_kept_failed(t, code);
  if (again && transfer_again(t))
    return true;
  transfer_end(t, again ? CURLE_OUT_OF_MEMORY : code);
  return false;
}

/* Ends the transfers that libcurl has finished. True: one starts again. */
static bool http_harvest(struct sz_http *h) {
  bool again = false;
  int left;
  CURLMsg *news = curl_multi_info_read(h->multi, &left);
  for (; news; news = curl_multi_info_read(h->multi, &left)) {
    char *t = NULL;
    CURLcode code = news->data.result; /* 'news' is freed with its handle */
    curl_easy_getinfo(news->easy_handle, CURLINFO_PRIVATE, &t);
    again |= transfer_over((struct sz_transfer *)(void *)t, code);
  }
  return again;
}

static bool is_for(const struct sz_transfer *t, enum sz_whose whose,
                   const struct sz_transfer *one) {
  return whose == SZ_OF_ALL || (whose == SZ_AHEAD ? t->ahead : t == one);
}

/*
** Gives a new transfer to libcurl, or resumes one that the last time limit
** paused.
*/
static void transfer_wake(struct sz_transfer *t) {
  if (t->queued) {
    t->queued = false;
    t->http->queued--;
    if (curl_multi_add_handle(t->http->multi, t->easy))
      transfer_finish(t, CURLE_OUT_OF_MEMORY);
  } else if (t->held) {
    t->held = false;
    transfer_resume(t);
  }
}

/* Has libcurl do what is due by time, new transfers included. */
static CURLMcode http_serve_timers(struct sz_http *h) {
  long ms = -1;
  int running;
  CURLMcode code = curl_multi_timeout(h->multi, &ms);
  if (code == CURLM_OK && ms == 0)
    code =
        curl_multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0, &running);
  return code;
}

/* Each transfer that starts may take long: after each we look at the time. */
static CURLMcode http_wake(struct sz_http *h, enum sz_whose whose,
                           struct sz_transfer *one) {
  struct sz_transfer *t, *next;
  CURLMcode code = CURLM_OK;
  if (whose == SZ_OF_ONE) {
    transfer_wake(one);
    return http_serve_timers(h);
  }
  for (t = h->transfers; t && code == CURLM_OK; t = next) {
    next = t->next;
    if (!(t->queued || t->held) || !is_for(t, whose, one))
      continue;
    if (sz_http_spent(h))
      break;
    transfer_wake(t);
    code = http_serve_timers(h);
  }
  return code;
}

static bool http_serve(struct sz_http *h, enum sz_whose whose,
                       struct sz_transfer *t, struct sz_failure *why) {
  bool good = multi_ok(http_wake(h, whose, t), why) &&
              multi_ok(sz_watch_serve(h, whose, t), why);
  do
    good = good && multi_ok(http_serve_timers(h), why);
  while (good && http_harvest(h));
  return good;
}

int sz_http_step_ahead(struct sz_http *h, struct sz_failure *why) {
  if (!http_usable(h, why) ||
      (h->ahead > 0 && !http_serve(h, SZ_AHEAD, NULL, why)))
    return -1;
  return h->running;
}

int sz_http_step(struct sz_http *h, struct sz_transfer *t,
                 struct sz_failure *why) {
  if (!http_usable(h, why))
    return -1;
  if (!t)
    return http_serve(h, SZ_OF_ALL, NULL, why) ? h->running : -1;
  if (t->http != h || !t->easy)
    return h->running;
  h->ahead -= t->ahead;
  t->ahead = false;
  if (!http_serve(h, SZ_OF_ONE, t, why))
    return -1;
  return sz_http_spent(h) ? h->running : sz_http_step_ahead(h, why);
}

bool sz_transfer_idle(struct sz_transfer *t) {
  long ms = -1;
  if (!t->easy || http_forked(t->http) || t->queued || t->ahead || t->held ||
      t->tail > t->head)
    return false;
  curl_multi_timeout(t->http->multi, &ms);
  return ms != 0 && !sz_watch_ready(t->http, t);
}

bool sz_http_wait(struct sz_http *h, int ms, struct sz_failure *why) {
  if (!http_usable(h, why))
    return false;
  return h->queued > 0 ||
         multi_ok(curl_multi_poll(h->multi, NULL, 0, ms, NULL), why);
}

long sz_http_timeout(struct sz_http *h, const struct sz_transfer *t) {
  long ms = -1;
  if (http_forked(h) || (t && t->info.sent && h->ahead == 0))
    return ms;
  if (t ? t->queued : h->queued > 0)
    return 0;
  curl_multi_timeout(h->multi, &ms);
  return ms;
}

int sz_http_fds(struct sz_http *h, struct sz_transfer *t, struct sz_fd *list,
                int max, struct sz_failure *why) {
  return http_usable(h, why) ? sz_watch_list(h, t, list, max) : -1;
}
