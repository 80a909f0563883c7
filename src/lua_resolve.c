/* lua_resolve.c - see lua_resolve.h. */
#include "lua_resolve.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { MAX_ADDRESSES = 16, ADDRESS_BYTES = 64 };

struct addresses {
  int count;
  char text[MAX_ADDRESSES][ADDRESS_BYTES];
};

/* Adds an address in numeric form, if it is IPv4 or IPv6. */
static void address_add(struct addresses *list, const struct addrinfo *info) {
  char *text = list->text[list->count];
  char plain[ADDRESS_BYTES - 2];
  if (info->ai_family != AF_INET && info->ai_family != AF_INET6)
    return;
  if (getnameinfo(info->ai_addr, info->ai_addrlen, plain, sizeof plain, NULL,
                  0, NI_NUMERICHOST))
    return;
  snprintf(text, ADDRESS_BYTES, info->ai_family == AF_INET6 ? "[%s]" : "%s",
           plain);
  list->count++;
}

/* Returns getaddrinfo's code. Frees its memory. */
static int look_up(const char *host, struct addresses *list) {
  struct addrinfo hints, *found = NULL, *at;
  int code;
  memset(&hints, 0, sizeof hints);
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  code = getaddrinfo(host, NULL, &hints, &found);
  if (code)
    return code;
  for (at = found; at && list->count < MAX_ADDRESSES; at = at->ai_next)
    address_add(list, at);
  freeaddrinfo(found);
  return list->count > 0 ? 0 : EAI_NONAME;
}

int sz_lua_resolve(lua_State *L) {
  const char *host = luaL_checkstring(L, 1);
  struct addresses list = {0};
  int i, code = look_up(host, &list);
  if (code) {
    lua_pushnil(L);
    lua_pushstring(L, gai_strerror(code));
    return 2;
  }
  lua_createtable(L, list.count, 0);
  for (i = 0; i < list.count; i++) {
    lua_pushstring(L, list.text[i]);
    lua_rawseti(L, -2, i + 1);
  }
  return 1;
}
