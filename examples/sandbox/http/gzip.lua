-- Compresses a stream of texts with nginx's own zlib. gzip.new() returns a function: (text, last) -> bytes.
local ffi = require "ffi"

ffi.cdef [[
typedef struct {
  const char *next_in; unsigned int avail_in; unsigned long total_in;
  char *next_out; unsigned int avail_out; unsigned long total_out;
  const char *msg; void *state; void *zalloc; void *zfree; void *opaque;
  int data_type; unsigned long adler; unsigned long reserved;
} sandbox_z_stream;
const char *zlibVersion(void);
int deflateInit2_(sandbox_z_stream *, int level, int method, int bits, int memory, int strategy, const char *version, int size);
int deflate(sandbox_z_stream *, int flush);
int deflateEnd(sandbox_z_stream *);
]]

local zlib = ffi.load "libz.so.1"
local DEFLATED, GZIP_BITS, NO_FLUSH, SYNC_FLUSH, FINISH = 8, 31, 0, 2, 4
local ROOM = 65536

local gzip = {}

function gzip.new()
  local stream = ffi.new "sandbox_z_stream"
  assert(zlib.deflateInit2_(stream, 6, DEFLATED, GZIP_BITS, 8, 0, zlib.zlibVersion(), ffi.sizeof(stream)) == 0)
  ffi.gc(stream, zlib.deflateEnd)
  local room = ffi.new("char[?]", ROOM)
  return function(text, last)
    local parts = {}
    stream.next_in, stream.avail_in = text, #text
    repeat
      stream.next_out, stream.avail_out = room, ROOM
      zlib.deflate(stream, last and FINISH or (#text > 0 and SYNC_FLUSH or NO_FLUSH))
      parts[#parts + 1] = ffi.string(room, ROOM - stream.avail_out)
    until stream.avail_out > 0
    return table.concat(parts)
  end
end

return gzip
