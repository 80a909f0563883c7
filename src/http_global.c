/* http_global.c - what is done once per process. */
#define _GNU_SOURCE /* dladdr */
#include "http.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <string.h>

void sz_keep_loaded(const void *address) {
#ifdef RTLD_NODELETE
  Dl_info where;
  if (dladdr(address, &where) && where.dli_fname)
    (void)dlopen(where.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
#else
  (void)address;
#endif
}

/*
** Keeps libcurl loaded to the end of the process. Its threads that wait for
** a name server outlive the transfer (CURLOPT_QUICK_EXIT: closing does not
** wait for them); a host that ends its Lua state would unload the code they
** return to, and crash.
*/
static void keep_libcurl(void) {
  CURLcode (*function)(long) = curl_global_init;
  void *address;
  memcpy(&address, &function, sizeof address);
  sz_keep_loaded(address);
}

/* Thread-safe since libcurl 7.84, and counted: no guard of ours is needed. */
bool sz_http_global_init(void) {
  keep_libcurl();
  return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}
