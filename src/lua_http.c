/*
** lua_http.c - http and transfer userdata. Nothing here waits but http:wait,
** and nothing calls back into Lua. What the caller gets wrong raises; what
** the network does comes back as nil, kind, message.
*/
#include "lua_http.h"

#include <limits.h>
#include <string.h>
#include <sys/select.h>

#define HTTP "scrutinizer.http"
#define TRANSFER "scrutinizer.transfer"

enum { OPTIONS = 2 }; /* stack index of http:start's table */

struct http_box {
  struct sz_http *http; /* NULL once closed */
};

struct transfer_box {
  struct sz_transfer *transfer; /* NULL before it began */
  bool closed;
};

int sz_lua_http_fail(lua_State *L, const struct sz_failure *why) {
  lua_pushnil(L);
  lua_pushstring(L, why->kind);
  lua_pushstring(L, why->message);
  return 3;
}

static struct http_box *http_check(lua_State *L) {
  return luaL_checkudata(L, 1, HTTP);
}

static struct sz_http *http_open(lua_State *L) {
  struct http_box *box = http_check(L);
  if (!box->http)
    luaL_error(L, "attempt to use a closed http");
  return box->http;
}

int sz_lua_http_new(lua_State *L) {
  struct http_box *box = lua_newuserdata(L, sizeof *box);
  box->http = NULL;
  luaL_setmetatable(L, HTTP);
  box->http = sz_http_new();
  if (!box->http)
    return luaL_error(L, "not enough memory");
  return 1;
}

/* close, __close and __gc: any number of times. */
static int http_close(lua_State *L) {
  struct http_box *box = http_check(L);
  sz_http_free(box->http);
  box->http = NULL;
  return 0;
}

static int http_tostring(lua_State *L) {
  lua_pushstring(L, http_check(L)->http ? HTTP : HTTP " (closed)");
  return 1;
}

/*
** Reading http:start's options. Each leaves its value on the stack, where it
** is safe from the collector until the request has been copied.
*/

static void option_get(lua_State *L, const char *name, int type) {
  lua_getfield(L, OPTIONS, name);
  if (!lua_isnil(L, -1) && lua_type(L, -1) != type)
    luaL_error(L, "option '%s' must be a %s, not a %s", name,
               lua_typename(L, type), luaL_typename(L, -1));
}

static struct sz_bytes option_bytes(lua_State *L, const char *name) {
  struct sz_bytes bytes;
  option_get(L, name, LUA_TSTRING);
  bytes.data = lua_tolstring(L, -1, &bytes.len);
  return bytes;
}

/* Text that goes to libcurl as a C string. */
static const char *text_check(lua_State *L, const char *name) {
  size_t len;
  const char *text = lua_tolstring(L, -1, &len);
  if (text && strlen(text) != len)
    luaL_error(L, "option '%s' has a zero byte", name);
  return text;
}

static const char *option_text(lua_State *L, const char *name) {
  option_get(L, name, LUA_TSTRING);
  return text_check(L, name);
}

static bool option_flag(lua_State *L, const char *name, bool otherwise) {
  option_get(L, name, LUA_TBOOLEAN);
  return lua_isnil(L, -1) ? otherwise : lua_toboolean(L, -1);
}

/* Seconds as milliseconds, at least one; what is too much is a lot. */
static int milliseconds(lua_State *L, int index, int least) {
  lua_Number seconds = luaL_checknumber(L, index);
  luaL_argcheck(L, seconds >= 0, index, "seconds must not be negative");
  if (seconds >= INT_MAX / 1000)
    return INT_MAX;
  seconds *= 1000;
  return seconds < least ? least : (int)seconds;
}

static long option_seconds(lua_State *L, const char *name) {
  option_get(L, name, LUA_TNUMBER);
  return lua_isnil(L, -1) ? 0 : milliseconds(L, lua_gettop(L), 1);
}

/*
** A list of strings. Its array is scratch memory owned by the stack; the
** table keeps the strings alive.
*/
static const char *const *option_list(lua_State *L, const char *name,
                                      size_t *count) {
  const char **list;
  size_t i;
  option_get(L, name, LUA_TTABLE);
  *count = lua_istable(L, -1) ? lua_rawlen(L, -1) : 0;
  list = lua_newuserdata(L, (*count + 1) * sizeof *list);
  for (i = 0; i < *count; i++) {
    lua_rawgeti(L, -2, (int)i + 1);
    if (lua_type(L, -1) != LUA_TSTRING)
      luaL_error(L, "option '%s' must be a list of strings", name);
    list[i] = text_check(L, name);
    if (strpbrk(list[i], "\r\n"))
      luaL_error(L, "option '%s' has a line break", name);
    lua_pop(L, 1);
  }
  return list;
}

/* { name, value } at the top of the stack, which keeps both alive. */
static void field_check(lua_State *L, struct sz_field *field) {
  bool pair = lua_istable(L, -1);
  if (pair) {
    lua_rawgeti(L, -1, 1);
    lua_rawgeti(L, -2, 2);
    pair = lua_type(L, -2) == LUA_TSTRING && lua_type(L, -1) == LUA_TSTRING;
  }
  if (!pair)
    luaL_error(L, "option 'form' must be a list of { name, value }");
  field->value.data = lua_tolstring(L, -1, &field->value.len);
  lua_pop(L, 1);
  field->name = text_check(L, "form");
  lua_pop(L, 1);
}

static const struct sz_field *option_form(lua_State *L, size_t *count) {
  struct sz_field *form;
  size_t i;
  option_get(L, "form", LUA_TTABLE);
  if (lua_isnil(L, -1))
    return NULL;
  *count = lua_rawlen(L, -1);
  form = lua_newuserdata(L, (*count + 1) * sizeof *form);
  for (i = 0; i < *count; i++) {
    lua_rawgeti(L, -2, (int)i + 1);
    field_check(L, &form[i]);
    lua_pop(L, 1);
  }
  return form;
}

static bool option_post(lua_State *L) {
  const char *method = option_text(L, "method");
  if (!method || !strcmp(method, "GET"))
    return false;
  if (strcmp(method, "POST") != 0)
    luaL_error(L, "option 'method' must be GET or POST");
  return true;
}

static void options_read(lua_State *L, struct sz_request *r) {
  memset(r, 0, sizeof *r);
  r->url = option_text(L, "url");
  if (!r->url)
    luaL_error(L, "option 'url' is missing");
  r->post = option_post(L);
  r->body = option_bytes(L, "body");
  r->form = option_form(L, &r->form_count);
  r->headers = option_list(L, "headers", &r->header_count);
  r->resolve = option_list(L, "resolve", &r->resolve_count);
  r->connect_timeout = option_seconds(L, "connect_timeout");
  r->insecure = !option_flag(L, "verify", true);
  r->ca = option_bytes(L, "ca_blob");
  r->pin = option_text(L, "pin");
  r->cert = option_bytes(L, "cert");
  r->key = option_bytes(L, "key");
  r->passphrase = option_text(L, "passphrase");
  r->http2 = option_flag(L, "http2", false);
  r->allow_http = option_flag(L, "allow_http", false);
  r->fresh = option_flag(L, "fresh", false);
  r->inspect = option_flag(L, "inspect", false);
  r->proxy = option_text(L, "proxy");
  r->unix_socket = option_text(L, "unix_socket");
  r->user_agent = option_text(L, "user_agent");
}

/* A transfer that has not begun, and keeps the http at index 1 alive. */
static struct transfer_box *transfer_push(lua_State *L) {
  struct transfer_box *box = lua_newuserdata(L, sizeof *box);
  box->transfer = NULL;
  box->closed = false;
  luaL_setmetatable(L, TRANSFER);
  lua_createtable(L, 1, 0);
  lua_pushvalue(L, 1);
  lua_rawseti(L, -2, 1);
  sz_setuservalue(L, -2);
  return box;
}

/*
** http:start(options) -> transfer | nil, kind, message
** Whether http is open is asked last: a finalizer may have closed it.
*/
static int http_start(lua_State *L) {
  struct sz_request request;
  struct sz_failure why;
  struct transfer_box *box;
  http_check(L);
  luaL_checktype(L, OPTIONS, LUA_TTABLE);
  lua_settop(L, OPTIONS);
  luaL_checkstack(L, 40, "options");
  options_read(L, &request);
  box = transfer_push(L);
  box->transfer = sz_transfer_start(http_open(L), &request, &why);
  return box->transfer ? 1 : sz_lua_http_fail(L, &why);
}

/* http:step() -> running | nil, kind, message */
static int http_step(lua_State *L) {
  struct sz_failure why;
  int running = sz_http_step(http_open(L), &why);
  if (running < 0)
    return sz_lua_http_fail(L, &why);
  lua_pushinteger(L, running);
  return 1;
}

/* http:wait(seconds) -> true | nil, kind, message */
static int http_wait(lua_State *L) {
  struct sz_http *h = http_open(L);
  struct sz_failure why;
  if (!sz_http_wait(h, milliseconds(L, 2, 0), &why))
    return sz_lua_http_fail(L, &why);
  lua_pushboolean(L, 1);
  return 1;
}

/* http:timeout() -> seconds | nil when there is none */
static int http_timeout(lua_State *L) {
  long ms = sz_http_timeout(http_open(L));
  if (ms < 0)
    lua_pushnil(L);
  else
    lua_pushnumber(L, (lua_Number)ms / 1000);
  return 1;
}

static void fd_push(lua_State *L, const struct sz_fd *fd) {
  lua_createtable(L, 0, 3);
  lua_pushinteger(L, fd->fd);
  lua_setfield(L, -2, "fd");
  lua_pushboolean(L, fd->read);
  lua_setfield(L, -2, "read");
  lua_pushboolean(L, fd->write);
  lua_setfield(L, -2, "write");
}

/* http:fds() -> list of { fd =, read =, write = } | nil, kind, message */
static int http_fds(lua_State *L) {
  struct sz_fd list[FD_SETSIZE];
  struct sz_failure why;
  int i, count = sz_http_fds(http_open(L), list, FD_SETSIZE, &why);
  if (count < 0)
    return sz_lua_http_fail(L, &why);
  lua_createtable(L, count, 0);
  for (i = 0; i < count; i++) {
    fd_push(L, &list[i]);
    lua_rawseti(L, -2, i + 1);
  }
  return 1;
}

static struct transfer_box *transfer_check(lua_State *L) {
  return luaL_checkudata(L, 1, TRANSFER);
}

static struct sz_transfer *transfer_open(lua_State *L) {
  struct sz_transfer *t = sz_lua_transfer_check(L, 1);
  if (!t)
    luaL_error(L, "attempt to use a closed transfer");
  return t;
}

struct sz_transfer *sz_lua_transfer_check(lua_State *L, int index) {
  struct transfer_box *box = luaL_checkudata(L, index, TRANSFER);
  return box->closed ? NULL : box->transfer;
}

/* close and __close. The memory of what is lent to a decoder stays. */
static int transfer_close(lua_State *L) {
  struct transfer_box *box = transfer_check(L);
  if (box->transfer && !box->closed)
    sz_transfer_cancel(box->transfer);
  box->closed = true;
  return 0;
}

static int transfer_gc(lua_State *L) {
  struct transfer_box *box = transfer_check(L);
  sz_transfer_free(box->transfer);
  box->transfer = NULL;
  box->closed = true;
  return 0;
}

static int transfer_tostring(lua_State *L) {
  bool closed = transfer_check(L)->closed;
  lua_pushstring(L, closed ? TRANSFER " (closed)" : TRANSFER);
  return 1;
}

static int read_push(lua_State *L, struct sz_transfer *t, const char *data,
                     size_t len, size_t max) {
  if (len > max)
    len = max;
  lua_pushlstring(L, data, len); /* may raise: nothing is lost, read again */
  sz_transfer_consume(t, len);
  return 1;
}

/*
** transfer:read([max]) -> decoded bytes, never ""; false: none yet;
** nil: the answer is complete; nil, kind, message: it is not
*/
static int transfer_read(lua_State *L) {
  struct sz_transfer *t = transfer_open(L);
  lua_Integer max = luaL_optinteger(L, 2, INT_MAX);
  const char *data;
  size_t len;
  luaL_argcheck(L, max > 0, 2, "size must be positive");
  switch (sz_transfer_peek(t, &data, &len)) {
  case SZ_READ_DATA:
    return read_push(L, t, data, len, (size_t)max);
  case SZ_READ_WAIT:
    lua_pushboolean(L, 0);
    return 1;
  case SZ_READ_END:
    lua_pushnil(L);
    return 1;
  default:
    return sz_lua_http_fail(L, sz_transfer_error(t));
  }
}

static void set_integer(lua_State *L, const char *name, uint64_t value) {
  lua_pushinteger(L, (lua_Integer)value);
  lua_setfield(L, -2, name);
}

static void set_flag(lua_State *L, const char *name, bool value) {
  lua_pushboolean(L, value);
  lua_setfield(L, -2, name);
}

static void set_text(lua_State *L, const char *name, const char *value) {
  lua_pushstring(L, value); /* NULL: nil */
  lua_setfield(L, -2, name);
}

static const char *version_text(int version) {
  switch (version) {
  case 10:
    return "1.0";
  case 11:
    return "1.1";
  case 20:
    return "2";
  case 30:
    return "3";
  default:
    return NULL;
  }
}

/* transfer:info() -> table; status and http_version are absent before them */
static int transfer_info(lua_State *L) {
  struct sz_info info;
  sz_transfer_info(transfer_open(L), &info);
  lua_createtable(L, 0, 13);
  if (info.status > 0)
    set_integer(L, "status", (uint64_t)info.status);
  set_text(L, "http_version", version_text(info.http_version));
  set_text(L, "location", info.location);
  set_text(L, "retry_after", info.retry_after);
  set_text(L, "content_type", info.content_type);
  set_integer(L, "received", info.received);
  set_integer(L, "decoded", info.decoded);
  set_integer(L, "buffered", info.buffered);
  set_flag(L, "headers_done", info.headers_done);
  set_flag(L, "done", info.done);
  set_flag(L, "reused", info.reused);
  lua_pushnumber(L, info.first_byte);
  lua_setfield(L, -2, "first_byte");
  return 1;
}

/*
** transfer:certificate() -> { subject =, issuer =, from =, to =, pin = }, or
** nil when it did not inspect or saw none
*/
static int transfer_certificate(lua_State *L) {
  struct sz_certificate certificate;
  if (!sz_transfer_certificate(transfer_open(L), &certificate)) {
    lua_pushnil(L);
    return 1;
  }
  lua_createtable(L, 0, 5);
  set_text(L, "subject", certificate.subject);
  set_text(L, "issuer", certificate.issuer);
  set_text(L, "from", certificate.from);
  set_text(L, "to", certificate.to);
  set_text(L, "pin", certificate.pin);
  return 1;
}

static const luaL_Reg http_meta[] = {{"__gc", http_close},
                                     {"__close", http_close},
                                     {"__tostring", http_tostring},
                                     {NULL, NULL}};

static const luaL_Reg http_methods[] = {
    {"start", http_start}, {"step", http_step},
    {"wait", http_wait},   {"timeout", http_timeout},
    {"fds", http_fds},     {"close", http_close},
    {NULL, NULL}};

static const luaL_Reg transfer_meta[] = {{"__gc", transfer_gc},
                                         {"__close", transfer_close},
                                         {"__tostring", transfer_tostring},
                                         {NULL, NULL}};

static const luaL_Reg transfer_methods[] = {
    {"read", transfer_read},
    {"info", transfer_info},
    {"close", transfer_close},
    {"certificate", transfer_certificate},
    {NULL, NULL}};

/* Methods have a table of their own: object.__gc is out of reach. */
static void register_type(lua_State *L, const char *name, const luaL_Reg *meta,
                          const luaL_Reg *methods) {
  luaL_newmetatable(L, name);
  luaL_setfuncs(L, meta, 0);
  lua_newtable(L);
  luaL_setfuncs(L, methods, 0);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}

void sz_lua_http_register(lua_State *L) {
  register_type(L, HTTP, http_meta, http_methods);
  register_type(L, TRANSFER, transfer_meta, transfer_methods);
}
