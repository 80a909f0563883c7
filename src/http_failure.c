/* http_failure.c - translates libcurl's codes to our kinds of failure. */
#include "http_private.h"

#include <stdio.h>
#include <string.h>

void sz_failure_set(struct sz_failure *f, const char *kind, const char *text,
                    const char *peer) {
  f->kind = kind;
  snprintf(f->message, sizeof f->message, "%s%s", text, peer);
}

void sz_transfer_fail(struct sz_transfer *t, const char *kind,
                      const char *text) {
  if (!t->failure.kind)
    sz_failure_set(&t->failure, kind, text, t->peer);
}

static const struct {
  CURLcode code;
  const char *kind;
} curl_kinds[] = {
    {CURLE_COULDNT_RESOLVE_PROXY, "connect"},
    {CURLE_COULDNT_RESOLVE_HOST, "connect"},
    {CURLE_COULDNT_CONNECT, "connect"},
    {CURLE_GOT_NOTHING, "connect"},
    {CURLE_PROXY, "connect"},
    {CURLE_SSL_ENGINE_NOTFOUND, "tls"},
    {CURLE_SSL_ENGINE_SETFAILED, "tls"},
    {CURLE_SSL_ENGINE_INITFAILED, "tls"},
    {CURLE_SSL_CERTPROBLEM, "tls"},
    {CURLE_SSL_CIPHER, "tls"},
    {CURLE_SSL_CONNECT_ERROR, "tls"},
    {CURLE_SSL_CACERT_BADFILE, "tls"},
    {CURLE_SSL_SHUTDOWN_FAILED, "tls"},
    {CURLE_SSL_CRL_BADFILE, "tls"},
    {CURLE_SSL_ISSUER_ERROR, "tls"},
    {CURLE_SSL_PINNEDPUBKEYNOTMATCH, "tls"},
    {CURLE_SSL_INVALIDCERTSTATUS, "tls"},
    {CURLE_SSL_CLIENTCERT, "tls"},
    {CURLE_USE_SSL_FAILED, "tls"},
    {CURLE_PEER_FAILED_VERIFICATION, "tls"},
    {CURLE_OPERATION_TIMEDOUT, "timeout"},
    {CURLE_PARTIAL_FILE, "truncated"},
    {CURLE_OUT_OF_MEMORY, "limit"},
};

/*
** A connection reset has several codes. During the TLS handshake it is
** CURLE_SSL_CONNECT_ERROR with OpenSSL's SYSCALL. With TLS 1.3 a server that
** requires a client certificate sends its alert after the handshake.
*/
static const char *kind_by_progress(const struct sz_transfer *t,
                                    CURLcode code) {
  bool lost = strstr(t->error, "SYSCALL") || strstr(t->error, "reset by peer");
  if (code == CURLE_SSL_CONNECT_ERROR && lost)
    return "connect";
  if (code != CURLE_RECV_ERROR && code != CURLE_SEND_ERROR &&
      code != CURLE_HTTP2 && code != CURLE_HTTP2_STREAM)
    return NULL;
  if (t->header_bytes > 0)
    return "truncated";
  return strstr(t->error, " alert ") ? "tls" : "connect";
}

static const char *kind_of(const struct sz_transfer *t, CURLcode code) {
  size_t i;
  const char *kind = kind_by_progress(t, code);
  for (i = 0; !kind && i < sizeof curl_kinds / sizeof *curl_kinds; i++) {
    if (curl_kinds[i].code == code)
      kind = curl_kinds[i].kind;
  }
  return kind ? kind : "http";
}

/* libcurl looks names up in a thread; HAProxy's processes allow no threads. */
static bool lacks_threads(const struct sz_transfer *t, CURLcode code) {
  return (code == CURLE_COULDNT_RESOLVE_HOST ||
          code == CURLE_COULDNT_RESOLVE_PROXY) &&
         strstr(t->error, "thread failed") != NULL;
}

/*
** The permanent refusals of a SOCKS proxy: of this client, or of this target.
** Its other refusals may be temporary, like a failed connection.
*/
static const char *socks_kind(CURLproxycode code, const char **words) {
  switch (code) {
  case CURLPX_NO_AUTH:
  case CURLPX_USER_REJECTED:
  case CURLPX_IDENTD:
  case CURLPX_IDENTD_DIFFER:
    *words = "the proxy refuses this client";
    return "auth";
  case CURLPX_REPLY_NOT_ALLOWED:
  case CURLPX_REPLY_COMMAND_NOT_SUPPORTED:
  case CURLPX_REPLY_ADDRESS_TYPE_NOT_SUPPORTED:
    *words = "the proxy forbids this connection";
    return "connect";
  default:
    *words = "the proxy failed";
    return "connect";
  }
}

/* If the proxy refused: sets the failure and returns true. */
static bool fail_by_proxy(struct sz_transfer *t, CURLcode code) {
  char text[CURL_ERROR_SIZE + 40];
  const char *words, *kind;
  long status = 0, socks = 0;
  curl_easy_getinfo(t->easy, CURLINFO_HTTP_CONNECTCODE, &status);
  curl_easy_getinfo(t->easy, CURLINFO_PROXY_ERROR, &socks);
  if (status >= 300 && t->header_bytes == 0) {
    snprintf(text, sizeof text,
             "the proxy answers CONNECT with HTTP status %ld", status);
    sz_transfer_fail(t, status == 407 ? "auth" : "connect", text);
    return true;
  }
  if (code != CURLE_PROXY)
    return false;
  kind = socks_kind((CURLproxycode)socks, &words);
  snprintf(text, sizeof text, "%s: %s", words,
           t->error[0] ? t->error : curl_easy_strerror(code));
  sz_transfer_fail(t, kind, text);
  return true;
}

enum { TOO_LARGE = 100 }; /* CURLE_TOO_LARGE: libcurl 8.6 and later */

/*
** libcurl limits one line of a header (100 KB) or trailer (4 KB), and reports
** a longer line as "Out of memory" or as too large; libcurl 8 also limits the
** number of lines. NULL: it is not this error.
*/
static const char *header_too_long(const struct sz_transfer *t,
                                   CURLcode code) {
  bool large = (int)code == TOO_LARGE;
  if ((large || code == CURLE_RECV_ERROR) &&
      strstr(t->error, "Out of memory in chunked"))
    return "a line of the answer's trailer is longer than 4 KB";
  if (large && strstr(t->error, "Too many response headers"))
    return "the answer's header has more than 5000 lines";
  if ((large || code == CURLE_OUT_OF_MEMORY) && t->info.first_byte > 0 &&
      !t->info.headers_done)
    return "a line of the answer's header is longer than 100 KB";
  return NULL;
}

/* libcurl's text shows the whole URL, with its password. */
static bool proxy_malformed(const struct sz_transfer *t) {
  return strstr(t->error, "nsupported proxy s") != NULL;
}

void sz_transfer_fail_curl(struct sz_transfer *t, CURLcode code) {
  char text[80];
  long ms = t->connect_timeout;
  const char *too_long = header_too_long(t, code);
  if (t->easy && fail_by_proxy(t, code))
    return;
  if (code == CURLE_OPERATION_TIMEDOUT) { /* the only time limit we set */
    if (ms % 1000 == 0)
      snprintf(text, sizeof text, "connecting took longer than %ld s",
               ms / 1000);
    else
      snprintf(text, sizeof text, "connecting took longer than %ld ms", ms);
    sz_transfer_fail(t, "timeout", text);
    return;
  }
  if (too_long) {
    sz_transfer_fail(t, "limit", too_long);
    return;
  }
  if (proxy_malformed(t)) {
    sz_transfer_fail(t, "connect",
                     "the proxy from the environment is not a URL such as "
                     "http://user:password@host:port");
    return;
  }
  if (lacks_threads(t, code)) {
    sz_transfer_fail(t, "connect",
                     "host names cannot be looked up here, because this "
                     "process may not start threads; call client:warm() "
                     "while the host loads");
    return;
  }
  sz_transfer_fail(t, kind_of(t, code),
                   t->error[0] ? t->error : curl_easy_strerror(code));
}
