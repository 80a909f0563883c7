/* lua_source.c - see lua_source.h. Nothing here blocks or calls Lua code. */
#include "lua_source.h"

#include "buffer.h"
#include "lua_json.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define TRANSFER "scrutinizer.transfer"
#define TEXT "scrutinizer.text"
#define HEAD_BYTES 200 /* first bytes of a kept answer, for messages */

struct transfer_box {
  struct sz_source source;
  struct sz_guard guard;
  struct sz_buffer kept; /* see transfer:keep */
  bool closed;
};

/* ---- shared by the objects that start transfers ---- */

int sz_lua_fail(lua_State *L, const struct sz_failure *why) {
  lua_pushnil(L);
  lua_pushstring(L, why->kind);
  lua_pushstring(L, why->message);
  return 3;
}

int sz_lua_milliseconds(lua_State *L, int index, int least) {
  lua_Number seconds = luaL_checknumber(L, index);
  luaL_argcheck(L, seconds >= 0, index, "seconds must not be negative");
  if (seconds >= INT_MAX / 1000)
    return INT_MAX;
  seconds *= 1000;
  return seconds < least ? least : (int)seconds;
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

void sz_lua_fds_push(lua_State *L, const struct sz_fd *list, int count) {
  int i;
  lua_createtable(L, count, 0);
  for (i = 0; i < count; i++) {
    lua_createtable(L, 0, 3);
    set_integer(L, "fd", (uint64_t)list[i].fd);
    set_flag(L, "read", list[i].read);
    set_flag(L, "write", list[i].write);
    lua_rawseti(L, -2, i + 1);
  }
}

void sz_lua_register_type(lua_State *L, const char *name, const luaL_Reg *meta,
                          const luaL_Reg *methods) {
  luaL_newmetatable(L, name);
  luaL_setfuncs(L, meta, 0);
  lua_newtable(L);
  luaL_setfuncs(L, methods, 0);
  lua_setfield(L, -2, "__index");
  sz_lua_seal(L);
  lua_pop(L, 1);
}

/* ---- the transfer ---- */

struct sz_source *sz_lua_source_push(lua_State *L,
                                     const struct sz_source_type *type) {
  struct transfer_box *box = lua_newuserdata(L, sizeof *box);
  memset(box, 0, sizeof *box);
  box->source.type = type;
  sz_buffer_init(&box->kept, 0);
  luaL_setmetatable(L, TRANSFER);
  lua_createtable(L, 1, 1);
  lua_pushvalue(L, 1);
  lua_rawseti(L, -2, 1);
  sz_setuservalue(L, -2);
  return &box->source;
}

static struct transfer_box *transfer_check(lua_State *L, int index) {
  return luaL_checkudata(L, index, TRANSFER);
}

struct sz_source *sz_lua_source_check(lua_State *L, int index) {
  struct transfer_box *box = transfer_check(L, index);
  return box->closed || !box->source.object ? NULL : &box->source;
}

int sz_lua_source_closed(lua_State *L) {
  lua_pushnil(L);
  lua_pushliteral(L, "cancelled");
  lua_pushliteral(L, "closed");
  return 3;
}

/* The source at index 1, also if closed: its facts stay known. */
static struct sz_source *transfer_known(lua_State *L) {
  struct sz_source *source = &transfer_check(L, 1)->source;
  if (!source->object)
    luaL_error(L,
               "attempt to use a transfer that was not started, or is gone");
  return source;
}

/* close and __close. Bytes that a decoder has borrowed stay valid. */
static int transfer_close(lua_State *L) {
  struct transfer_box *box = transfer_check(L, 1);
  if (!box->closed)
    sz_source_cancel(&box->source);
  box->closed = true;
  return 0;
}

static int transfer_gc(lua_State *L) {
  struct transfer_box *box = transfer_check(L, 1);
  sz_source_free(&box->source);
  sz_buffer_free(&box->kept);
  box->closed = true;
  return 0;
}

static int transfer_tostring(lua_State *L) {
  bool closed = transfer_check(L, 1)->closed;
  lua_pushstring(L, closed ? TRANSFER " (closed)" : TRANSFER);
  return 1;
}

static int read_push(lua_State *L, const struct sz_source *source,
                     const char *data, size_t len, size_t max) {
  if (len > max)
    len = max;
  lua_pushlstring(L, data, len); /* may raise: then the bytes are kept */
  sz_source_consume(source, len);
  return 1;
}

/* Pushes the error; from a copy, as a finalizer may change it meanwhile. */
static int push_error(lua_State *L, const struct sz_source *source) {
  struct sz_failure why = *sz_source_error(source);
  return sz_lua_fail(L, &why);
}

static int read_some(lua_State *L, const struct sz_source *source,
                     size_t max) {
  const char *data;
  size_t len;
  switch (sz_source_peek(source, &data, &len)) {
  case SZ_READ_DATA:
    return read_push(L, source, data, len, max);
  case SZ_READ_WAIT:
    lua_pushboolean(L, 0);
    return 1;
  case SZ_READ_END:
    lua_pushnil(L);
    return 1;
  default:
    return push_error(L, source);
  }
}

/*
** Checks the arguments of read and keep. Returns 0, or the number of results
** pushed.
*/
static int take_check(lua_State *L, const struct transfer_box *box,
                      lua_Number max) {
  luaL_argcheck(L, max >= 1, 2, "size must be positive");
  if (!sz_lua_source_check(L, 1))
    return sz_lua_source_closed(L);
  if (box->source.borrower)
    return luaL_error(L, "attempt to read a transfer that a decoder reads");
  return 0;
}

/*
** transfer:read([max]) -> decoded bytes, never "" | false: none yet |
** nil: the answer is complete | nil, kind, message
*/
static int transfer_read(lua_State *L) {
  struct transfer_box *box = transfer_check(L, 1);
  lua_Number max = luaL_optnumber(L, 2, INT_MAX);
  int results = take_check(L, box, max);
  if (results)
    return results;
  if (!sz_guard_enter(L, &box->guard, 1, transfer_read))
    return sz_guard_refuse(L, &box->guard, 1, "read: the transfer");
  results = read_some(L, &box->source, max < INT_MAX ? (size_t)max : INT_MAX);
  sz_guard_leave(&box->guard);
  return results;
}

/* ---- a whole answer: kept in C memory, decoded at once ---- */

/* Appends the bytes. Returns 0, or the number of results pushed. */
static int keep_bytes(lua_State *L, struct transfer_box *box, const char *data,
                      size_t len) {
  enum sz_buffer_code code = sz_buffer_append(&box->kept, data, len);
  if (code == SZ_BUFFER_NOMEM)
    return luaL_error(L, "not enough memory");
  if (code == SZ_BUFFER_FULL) {
    char text[80];
    snprintf(text, sizeof text,
             "the answer is longer than %zu bytes (max_body)", box->kept.max);
    sz_buffer_free(&box->kept);
    lua_pushnil(L);
    lua_pushliteral(L, "limit");
    lua_pushstring(L, text);
    return 3;
  }
  sz_source_consume(&box->source, len);
  return 0;
}

static int keep_rest(lua_State *L, struct transfer_box *box) {
  const char *data;
  size_t len;
  for (;;) {
    int results;
    switch (sz_source_peek(&box->source, &data, &len)) {
    case SZ_READ_DATA:
      results = keep_bytes(L, box, data, len);
      if (results)
        return results;
      break;
    case SZ_READ_WAIT:
      lua_pushboolean(L, 0);
      return 1;
    case SZ_READ_END:
      lua_pushnil(L);
      return 1;
    default:
      return push_error(L, &box->source);
    }
  }
}

/*
** transfer:keep(max) -> false: wait for bytes | nil: the answer is complete
** and kept | nil, kind, message; kind "limit": it has more than 'max' bytes
*/
static int transfer_keep(lua_State *L) {
  struct transfer_box *box = transfer_check(L, 1);
  lua_Number max = luaL_checknumber(L, 2);
  int results = take_check(L, box, max);
  if (results)
    return results;
  if (!sz_guard_enter(L, &box->guard, 1, transfer_keep))
    return sz_guard_refuse(L, &box->guard, 1, "keep: the transfer");
  box->kept.max = max < 9e15 ? (size_t)max : (size_t)1 << 53;
  results = keep_rest(L, box);
  sz_guard_leave(&box->guard);
  return results;
}

/* transfer:kept() -> how many bytes are kept, and the first HEAD_BYTES */
static int transfer_kept(lua_State *L) {
  const struct sz_buffer *kept = &transfer_check(L, 1)->kept;
  size_t len = kept->len, head = len < HEAD_BYTES ? len : HEAD_BYTES;
  char bytes[HEAD_BYTES]; /* a copy: a finalizer may call transfer:decode */
  if (head)
    memcpy(bytes, kept->data, head);
  lua_pushinteger(L, (lua_Integer)len);
  lua_pushlstring(L, bytes, head);
  return 2;
}

static int text_free(lua_State *L) {
  sz_buffer_free(luaL_checkudata(L, 1, TEXT));
  return 0;
}

/* Moves the kept bytes into a userdata that no other call can reach. */
static struct sz_buffer *push_kept(lua_State *L, struct transfer_box *box) {
  struct sz_buffer *text = lua_newuserdata(L, sizeof *text);
  sz_buffer_init(text, 0);
  luaL_setmetatable(L, TEXT);
  *text = box->kept;
  sz_buffer_init(&box->kept, 0);
  return text;
}

/*
** transfer:decode(options): decodes the kept bytes and frees them; results and
** options as core.decode
*/
static int transfer_decode(lua_State *L) {
  struct transfer_box *box = transfer_check(L, 1);
  struct sz_lua_json_how how;
  struct sz_json_error error;
  struct sz_buffer *text;
  int good;
  sz_lua_json_options(L, 2, &how);
  text = push_kept(L, box);
  good = sz_lua_json_push(L, text->data ? text->data : "", text->len, &how, 0,
                          &error);
  sz_buffer_free(text);
  return good ? 1 : sz_lua_json_fail(L, &error);
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

static size_t text_size(const char *text) {
  return text ? strlen(text) + 1 : 0;
}

/* Copies a text to '*to', and moves '*to' behind it. */
static const char *text_copy(char **to, const char *text) {
  size_t size = text_size(text);
  char *copy = *to;
  if (!text)
    return NULL;
  memcpy(copy, text, size);
  *to += size;
  return copy;
}

/*
** Copies the info of an answer; its texts are in a userdata that is left on
** the stack. While we make Lua values, a finalizer may change the transfer.
*/
static void info_take(lua_State *L, const struct sz_source *source,
                      struct sz_info *info) {
  size_t room = 0, size;
  char *texts = NULL;
  for (;;) {
    sz_source_info(source, info);
    size = text_size(info->location) + text_size(info->retry_after) +
           text_size(info->content_type);
    if (size <= room)
      break;
    room = size;
    texts = lua_newuserdata(L, room);
  }
  info->location = text_copy(&texts, info->location);
  info->retry_after = text_copy(&texts, info->retry_after);
  info->content_type = text_copy(&texts, info->content_type);
}

/* transfer:info() -> table; no status or http_version before the header */
static int transfer_info(lua_State *L) {
  struct sz_info info;
  const struct sz_source *source = transfer_known(L);
  sz_checkstack(L, 40, "info");
  info_take(L, source, &info);
  lua_createtable(L, 0, 14);
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
  set_flag(L, "sent", info.sent);
  lua_pushnumber(L, info.first_byte);
  lua_setfield(L, -2, "first_byte");
  return 1;
}

/* transfer:ready() -> whether transfer:read would give bytes or the end */
static int transfer_ready(lua_State *L) {
  struct sz_info info;
  sz_source_info(transfer_known(L), &info);
  lua_pushboolean(L, info.done || info.buffered > 0);
  return 1;
}

/*
** transfer:certificate([place]) -> { subject =, issuer =, from =, to =,
** pin = } | nil: there is none, or the transfer did not inspect. Place 1, the
** default, is the server's own certificate; only it has a pin.
*/
static int transfer_certificate(lua_State *L) {
  const struct sz_source *source = transfer_known(L);
  lua_Integer place = luaL_optinteger(L, 2, 1);
  struct sz_certificate c;
  if (!source->type->certificate || place < 1 ||
      !source->type->certificate(source->object, (size_t)place - 1, &c)) {
    lua_pushnil(L);
    return 1;
  }
  lua_createtable(L, 0, 5);
  set_text(L, "subject", c.subject);
  set_text(L, "issuer", c.issuer);
  set_text(L, "from", c.from);
  set_text(L, "to", c.to);
  set_text(L, "pin", c.pin);
  return 1;
}

static const luaL_Reg META[] = {{"__gc", transfer_gc},
                                {"__close", transfer_close},
                                {"__tostring", transfer_tostring},
                                {NULL, NULL}};

static const luaL_Reg METHODS[] = {{"read", transfer_read},
                                   {"keep", transfer_keep},
                                   {"kept", transfer_kept},
                                   {"decode", transfer_decode},
                                   {"info", transfer_info},
                                   {"ready", transfer_ready},
                                   {"close", transfer_close},
                                   {"certificate", transfer_certificate},
                                   {NULL, NULL}};

void sz_lua_source_register(lua_State *L) {
  luaL_newmetatable(L, TEXT);
  lua_pushcfunction(L, text_free);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
  sz_lua_register_type(L, TRANSFER, META, METHODS);
}
