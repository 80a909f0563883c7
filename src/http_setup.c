/* http_setup.c - the options of a transfer. */
#include "http_private.h"

/* Each setter returns libcurl's code. */

#define SET(option, value)                                                    \
  do {                                                                        \
    if (code == CURLE_OK)                                                     \
      code = curl_easy_setopt(easy, option, value);                           \
  } while (0)

static CURLcode set_callbacks(CURL *easy, struct sz_transfer *t) {
  CURLcode code = CURLE_OK;
  SET(CURLOPT_PRIVATE, t);
  SET(CURLOPT_ERRORBUFFER, t->error);
  SET(CURLOPT_WRITEFUNCTION, sz_on_body);
  SET(CURLOPT_WRITEDATA, t);
  SET(CURLOPT_HEADERFUNCTION, sz_on_header);
  SET(CURLOPT_HEADERDATA, t);
  SET(CURLOPT_SOCKOPTFUNCTION, sz_on_socket);
  SET(CURLOPT_SOCKOPTDATA, t);
  SET(CURLOPT_CLOSESOCKETFUNCTION, sz_on_close);
  SET(CURLOPT_CLOSESOCKETDATA, t->http);
  SET(CURLOPT_PREREQFUNCTION, sz_on_request);
  SET(CURLOPT_PREREQDATA, t);
  SET(CURLOPT_DEBUGFUNCTION, sz_on_log);
  SET(CURLOPT_DEBUGDATA, t);
  return code;
}

/* Options of every request. The caller enforces the time limits. */
static CURLcode set_house_rules(CURL *easy) {
  CURLcode code = CURLE_OK;
  SET(CURLOPT_NOSIGNAL, 1L);
  SET(CURLOPT_FOLLOWLOCATION, 0L);
  SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  SET(CURLOPT_BUFFERSIZE, (long)SZ_CURL_BUFFER);
  SET(CURLOPT_TCP_NODELAY, 1L);
  SET(CURLOPT_TCP_KEEPALIVE, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
  /* When closing, do not wait for a name server that does not answer. */
  SET(CURLOPT_QUICK_EXIT, 1L);
#endif
  return code;
}

static CURLcode set_route(CURL *easy, const struct sz_request *r) {
  CURLcode code = CURLE_OK;
  SET(CURLOPT_URL, r->url);
  SET(CURLOPT_PROTOCOLS_STR, r->allow_http ? "http,https" : "https");
  SET(CURLOPT_HTTP_VERSION,
      r->http2 ? (long)CURL_HTTP_VERSION_2TLS : (long)CURL_HTTP_VERSION_1_1);
  SET(CURLOPT_CONNECTTIMEOUT_MS, r->connect_timeout);
  SET(CURLOPT_FRESH_CONNECT, r->fresh ? 1L : 0L);
  SET(CURLOPT_USERAGENT, r->user_agent);
  SET(CURLOPT_UNIX_SOCKET_PATH, r->unix_socket);
  if (r->proxy) {
    SET(CURLOPT_PROXY, r->proxy);
    SET(CURLOPT_NOPROXY, ""); /* the option overrides no_proxy */
  }
  return code;
}

static CURLcode set_blob(CURL *easy, CURLoption option,
                         const struct sz_bytes *bytes) {
  struct curl_blob blob;
  if (!bytes->data)
    return CURLE_OK;
  blob.data = (void *)bytes->data;
  blob.len = bytes->len;
  blob.flags = CURL_BLOB_COPY;
  return curl_easy_setopt(easy, option, &blob);
}

/* If no passphrase were set, OpenSSL would ask for it at the terminal. */
static CURLcode set_client_certificate(CURL *easy,
                                       const struct sz_request *r) {
  CURLcode code = CURLE_OK;
  if (!r->cert.data)
    return code;
  SET(CURLOPT_SSLCERTTYPE, "PEM");
  SET(CURLOPT_SSLKEYTYPE, "PEM");
  SET(CURLOPT_KEYPASSWD, r->passphrase ? r->passphrase : "");
  if (code == CURLE_OK)
    code = set_blob(easy, CURLOPT_SSLCERT_BLOB, &r->cert);
  if (code == CURLE_OK)
    code = set_blob(easy, CURLOPT_SSLKEY_BLOB, &r->key);
  return code;
}

/* A given CA replaces the system's CAs, so the CA directory is unset, too. */
static CURLcode set_tls(CURL *easy, const struct sz_request *r) {
  CURLcode code = CURLE_OK;
  SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2); /* or later */
  SET(CURLOPT_SSL_VERIFYPEER, r->insecure ? 0L : 1L);
  SET(CURLOPT_SSL_VERIFYHOST, r->insecure ? 0L : 2L);
  if (r->pin)
    SET(CURLOPT_PINNEDPUBLICKEY, r->pin);
  if (r->ca.data)
    SET(CURLOPT_CAPATH, NULL);
  if (code == CURLE_OK)
    code = set_blob(easy, CURLOPT_CAINFO_BLOB, &r->ca);
  if (code == CURLE_OK)
    code = set_client_certificate(easy, r);
  return code;
}

/* False: out of memory. */
static bool append(struct curl_slist **list, const char *line) {
  struct curl_slist *longer = curl_slist_append(*list, line);
  if (longer)
    *list = longer;
  return longer != NULL;
}

/*
** Sets Accept-Encoding as a plain header, so that libcurl does not decompress:
** it would go on while paused.
*/
static CURLcode set_headers(CURL *easy, struct sz_transfer *t,
                            const struct sz_request *r) {
  static const char *const fixed[] = {"Accept-Encoding: gzip", "Expect:"};
  CURLcode code = CURLE_OK;
  size_t i;
  for (i = 0; i < r->header_count + 2; i++) {
    if (!append(&t->headers, i < 2 ? fixed[i] : r->headers[i - 2]))
      return CURLE_OUT_OF_MEMORY;
  }
  SET(CURLOPT_HTTPHEADER, t->headers);
  return code;
}

static CURLcode set_resolve(CURL *easy, struct sz_transfer *t,
                            const struct sz_request *r) {
  CURLcode code = CURLE_OK;
  size_t i;
  for (i = 0; i < r->resolve_count; i++) {
    if (!append(&t->resolve, r->resolve[i]))
      return CURLE_OUT_OF_MEMORY;
  }
  SET(CURLOPT_RESOLVE, t->resolve);
  return code;
}

static CURLcode set_form(CURL *easy, struct sz_transfer *t,
                         const struct sz_request *r) {
  CURLcode code = CURLE_OK;
  size_t i;
  t->form = curl_mime_init(easy);
  if (!t->form)
    return CURLE_OUT_OF_MEMORY;
  for (i = 0; code == CURLE_OK && i < r->form_count; i++) {
    const struct sz_field *field = &r->form[i];
    curl_mimepart *part = curl_mime_addpart(t->form);
    if (!part)
      return CURLE_OUT_OF_MEMORY;
    code = curl_mime_name(part, field->name);
    if (code == CURLE_OK)
      code = curl_mime_data(part, field->value.data, field->value.len);
  }
  SET(CURLOPT_MIMEPOST, t->form);
  return code;
}

static CURLcode set_body(CURL *easy, struct sz_transfer *t,
                         const struct sz_request *r) {
  CURLcode code = CURLE_OK;
  if (!r->post) {
    SET(CURLOPT_HTTPGET, 1L);
    return code;
  }
  if (r->form)
    return set_form(easy, t, r);
  SET(CURLOPT_POST, 1L);
  SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.len);
  SET(CURLOPT_COPYPOSTFIELDS, r->body.data ? r->body.data : "");
  return code;
}

/* An inspecting transfer gets no request, so none can be sent by mistake. */
static CURLcode set_errand(struct sz_transfer *t, const struct sz_request *r) {
  CURLcode code;
  if (r->inspect)
    return sz_inspect_setup(t);
  code = set_tls(t->easy, r);
  if (code == CURLE_OK)
    code = set_headers(t->easy, t, r);
  if (code == CURLE_OK)
    code = set_body(t->easy, t, r);
  return code;
}

CURLcode sz_transfer_setup(struct sz_transfer *t, const struct sz_request *r) {
  CURLcode code = set_callbacks(t->easy, t);
  if (code == CURLE_OK)
    code = set_house_rules(t->easy);
  if (code == CURLE_OK)
    code = set_route(t->easy, r);
  if (code == CURLE_OK)
    code = set_resolve(t->easy, t, r);
  if (code == CURLE_OK)
    code = set_errand(t, r);
  return code;
}
