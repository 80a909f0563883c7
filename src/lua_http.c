/*
** lua_http.c - the http userdata. Only http:wait blocks; nothing calls back
** into Lua. A caller's mistake raises; a failure of the network returns nil,
** kind, message.
*/
#include "lua_http.h"

#include "http.h"
#include "lua_source.h"

#include <string.h>

#define HTTP "scrutinizer.http"

/* Stack indices of http:start's options, and of a table for their texts. */
enum { OPTIONS = 2, TEXTS = 3 };

struct http_box {
  struct sz_http *http; /* NULL once closed */
};

static struct http_box *http_check(lua_State *L) {
  return luaL_checkudata(L, 1, HTTP);
}

/*
** A finalizer may close the object while another call uses it. So each call
** checks this just before it uses the object. On a closed object it returns
** nil, "cancelled", message.
*/

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
** Functions that read http:start's options. Each leaves its value on the
** stack, where the collector does not free it before the request is copied.
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

static long option_seconds(lua_State *L, const char *name) {
  option_get(L, name, LUA_TNUMBER);
  return lua_isnil(L, -1) ? 0 : sz_lua_milliseconds(L, lua_gettop(L), 1);
}

/*
** Pops the string on top into TEXTS, which keeps it alive even if a metamethod
** or finalizer changes the list that it is from.
*/
static void keep(lua_State *L) {
  lua_rawseti(L, TEXTS, (int)lua_rawlen(L, TEXTS) + 1);
}

/* Reads a list of strings. The array is a userdata on the stack. */
static const char *const *option_list(lua_State *L, const char *name,
                                      size_t *count) {
  const char **list;
  size_t i;
  option_get(L, name, LUA_TTABLE);
  *count = lua_istable(L, -1) ? sz_list_length(L, -1, name) : 0;
  list = lua_newuserdata(L, (*count + 1) * sizeof *list);
  for (i = 0; i < *count; i++) {
    lua_rawgeti(L, -2, (int)i + 1);
    if (lua_type(L, -1) != LUA_TSTRING)
      luaL_error(L, "option '%s' must be a list of strings", name);
    list[i] = text_check(L, name);
    if (strpbrk(list[i], "\r\n"))
      luaL_error(L, "option '%s' has a line break", name);
    keep(L);
  }
  return list;
}

/* Reads { name, value } on top of the stack. */
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
  keep(L);
  field->name = text_check(L, "form");
  keep(L);
}

static const struct sz_field *option_form(lua_State *L, size_t *count) {
  struct sz_field *form;
  size_t i;
  option_get(L, "form", LUA_TTABLE);
  if (lua_isnil(L, -1))
    return NULL;
  *count = sz_list_length(L, -1, "form");
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

static bool transfer_certificate(const void *t, size_t place,
                                 struct sz_certificate *c) {
  return sz_transfer_certificate(t, place, c);
}

SZ_SOURCE_TYPE(TRANSFER, sz_transfer, transfer_certificate);

/*
** http:start(options) -> transfer | nil, kind, message
*/
static int http_start(lua_State *L) {
  struct sz_request request;
  struct sz_failure why;
  struct sz_source *source;
  http_check(L);
  luaL_checktype(L, OPTIONS, LUA_TTABLE);
  lua_settop(L, OPTIONS);
  sz_checkstack(L, 40, "options");
  lua_newtable(L);
  options_read(L, &request);
  source = sz_lua_source_push(L, &TRANSFER);
  if (!http_check(L)->http)
    return sz_lua_source_closed(L);
  source->object = sz_transfer_start(http_check(L)->http, &request, &why);
  return source->object ? 1 : sz_lua_fail(L, &why);
}

/* The transfer at index 2; NULL: none, or it is closed, or of another kind. */
static struct sz_transfer *option_transfer(lua_State *L) {
  const struct sz_source *source;
  if (lua_isnoneornil(L, 2))
    return NULL;
  source = sz_lua_source_check(L, 2);
  return source && source->type == &TRANSFER ? source->object : NULL;
}

static int running_push(lua_State *L, int running,
                        const struct sz_failure *why) {
  if (running < 0)
    return sz_lua_fail(L, why);
  lua_pushinteger(L, running);
  return 1;
}

/* http:step([transfer]) -> running | nil, kind, message; see sz_http_step */
static int http_step(lua_State *L) {
  struct sz_http *h = http_check(L)->http;
  struct sz_failure why;
  if (!h)
    return sz_lua_source_closed(L);
  return running_push(L, sz_http_step(h, option_transfer(L), &why), &why);
}

/* http:step_ahead() -> running | nil, kind, message; see sz_http_step_ahead */
static int http_step_ahead(lua_State *L) {
  struct sz_http *h = http_check(L)->http;
  struct sz_failure why;
  if (!h)
    return sz_lua_source_closed(L);
  return running_push(L, sz_http_step_ahead(h, &why), &why);
}

/* http:idle(transfer) -> whether a step would find nothing to do for it */
static int http_idle(lua_State *L) {
  const struct sz_http *h = http_check(L)->http;
  struct sz_transfer *t = h ? option_transfer(L) : NULL;
  lua_pushboolean(L, t && sz_transfer_idle(t));
  return 1;
}

/* http:wait(seconds) -> true | nil, kind, message */
static int http_wait(lua_State *L) {
  struct sz_http *h = http_check(L)->http;
  int ms = sz_lua_milliseconds(L, 2, 0);
  struct sz_failure why;
  if (!h)
    return sz_lua_source_closed(L);
  if (!sz_http_wait(h, ms, &why))
    return sz_lua_fail(L, &why);
  lua_pushboolean(L, 1);
  return 1;
}

/*
** http:allow([seconds]): sets the time limit, see sz_http_allow; without
** seconds there is none
*/
static int http_allow(lua_State *L) {
  struct sz_http *h = http_check(L)->http;
  lua_Number seconds = luaL_optnumber(L, 2, -1);
  luaL_argcheck(L, seconds == seconds, 2, "number of seconds expected");
  if (h)
    sz_http_allow(h, seconds);
  return 0;
}

/*
** http:held([transfer]) -> whether bytes of it, or of any, wait because the
** time limit has passed
*/
static int http_held(lua_State *L) {
  const struct sz_http *h = http_check(L)->http;
  lua_pushboolean(L, h && sz_http_held(h, option_transfer(L)));
  return 1;
}

/* http:timeout([transfer]) -> seconds | nil when there is none */
static int http_timeout(lua_State *L) {
  struct sz_http *h = http_check(L)->http;
  long ms = h ? sz_http_timeout(h, option_transfer(L)) : -1;
  if (ms < 0)
    lua_pushnil(L);
  else
    lua_pushnumber(L, (lua_Number)ms / 1000);
  return 1;
}

/*
** http:fds([transfer]) -> list of { fd =, read =, write = } | nil, kind,
** message; with a transfer only its sockets, once it has one
*/
static int http_fds(lua_State *L) {
  struct http_box *box = http_check(L);
  struct sz_failure why;
  struct sz_fd *list;
  int count = box->http ? sz_http_fd_count(box->http) : 0;
  lua_settop(L, 2);
  list = lua_newuserdata(L, ((size_t)count + 1) * sizeof *list);
  if (!box->http)
    return sz_lua_source_closed(L);
  count = sz_http_fds(box->http, option_transfer(L), list, count, &why);
  if (count < 0)
    return sz_lua_fail(L, &why);
  sz_lua_fds_push(L, list, count);
  return 1;
}

static const luaL_Reg http_meta[] = {{"__gc", http_close},
                                     {"__close", http_close},
                                     {"__tostring", http_tostring},
                                     {NULL, NULL}};

static const luaL_Reg http_methods[] = {
    {"start", http_start}, {"step", http_step},
    {"wait", http_wait},   {"step_ahead", http_step_ahead},
    {"idle", http_idle},   {"timeout", http_timeout},
    {"fds", http_fds},     {"allow", http_allow},
    {"held", http_held},   {"close", http_close},
    {NULL, NULL}};

void sz_lua_http_register(lua_State *L) {
  sz_lua_register_type(L, HTTP, http_meta, http_methods);
}
