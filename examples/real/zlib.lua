-- zlib as a stream: a Deflater and an Inflater class over `z_stream`, and a gzip file that grows piece by piece.
--
--   apt install zlib1g-dev;  cthunk run examples/real/zlib.lua;  luajit examples/real/zlib.lua
--
-- Idioms: a struct that C keeps state in between calls, a class by ffi.metatype that owns it through ffi.gc,
-- library constants as an enum, an error made from the struct's message pointer.
local ffi = require "ffi"

ffi.cdef [[
typedef struct z_stream_s {
  const uint8_t *next_in;  unsigned avail_in;  unsigned long total_in;
  uint8_t *next_out;       unsigned avail_out; unsigned long total_out;
  const char *msg;
  struct internal_state *state;
  void *(*zalloc)(void *opaque, unsigned items, unsigned size);
  void (*zfree)(void *opaque, void *address);
  void *opaque;
  int data_type;
  unsigned long adler, reserved;
} z_stream;
typedef struct { z_stream z; uint8_t out[4096]; int status; } zlib_deflater;
typedef struct { z_stream z; uint8_t out[4096]; int status; } zlib_inflater;
enum { Z_NO_FLUSH = 0, Z_SYNC_FLUSH = 2, Z_FINISH = 4, Z_OK = 0, Z_STREAM_END = 1, Z_BUF_ERROR = -5, Z_DEFLATED = 8 };
const char *zlibVersion(void);
const char *zError(int err);
int deflateInit2_(z_stream *, int level, int method, int windowBits, int memLevel, int strategy, const char *version, int size);
int deflate(z_stream *, int flush);
int deflateEnd(z_stream *);
int inflateInit2_(z_stream *, int windowBits, const char *version, int size);
int inflate(z_stream *, int flush);
int inflateEnd(z_stream *);
unsigned long crc32(unsigned long crc, const uint8_t *data, unsigned size);
]]
local zlib = ffi.load "z"

-- 64-bit results are boxed if the running Lua has no such integers; this function gives a number in each case.
local number = ffi.tonumber or tonumber
-- `p == NULL` is right in cthunk, where a NULL pointer equals `ffi.NULL`, and in LuaJIT, where `ffi.NULL` is nil.
local NULL = ffi.NULL

local GZIP = 15 + 16 -- the largest window, with gzip's header and trailer

local function check(stream, status)
  if status < 0 and status ~= zlib.Z_BUF_ERROR then
    local message = stream.z.msg
    error("zlib: " .. ffi.string(message == NULL and zlib.zError(status) or message), 3)
  end
  stream.status = status
  return status
end

-- Feeds `text` to `step` and gives each full buffer to `sink`.
local function pump(stream, step, text, flush, sink)
  local z, size = stream.z, ffi.sizeof(stream.out)
  z.next_in, z.avail_in = text, #text
  repeat
    z.next_out, z.avail_out = stream.out, size
    local status = check(stream, step(z, flush))
    if z.avail_out < size then sink(ffi.string(stream.out, size - z.avail_out)) end
  until z.avail_out > 0 or status == zlib.Z_STREAM_END
  z.next_in = nil -- the string belongs to Lua
end

local Deflater = ffi.metatype("zlib_deflater", {
  __new = function(ct, level)
    local self = ffi.new(ct)
    local size = ffi.sizeof "z_stream"
    check(self, zlib.deflateInit2_(self.z, level, zlib.Z_DEFLATED, GZIP, 8, 0, zlib.zlibVersion(), size))
    return ffi.gc(self, function(deflater) zlib.deflateEnd(deflater.z) end)
  end,
  __index = {
    write = function(self, text, sink) pump(self, zlib.deflate, text, zlib.Z_NO_FLUSH, sink) end,
    finish = function(self, sink) pump(self, zlib.deflate, "", zlib.Z_FINISH, sink) end,
  },
})

local Inflater = ffi.metatype("zlib_inflater", {
  __new = function(ct)
    local self = ffi.new(ct)
    check(self, zlib.inflateInit2_(self.z, GZIP, zlib.zlibVersion(), ffi.sizeof "z_stream"))
    return ffi.gc(self, function(inflater) zlib.inflateEnd(inflater.z) end)
  end,
  __index = {
    write = function(self, text, sink)
      pump(self, zlib.inflate, text, zlib.Z_NO_FLUSH, sink)
      return self.status == zlib.Z_STREAM_END
    end,
  },
})

-- 20,000 lines go in one by one; zlib gives compressed pieces when it has them.
local deflater, pieces, crc, bytes = Deflater(6), {}, 0, 0
local function keep(piece) pieces[#pieces + 1] = piece end
for i = 1, 20000 do
  local line = ("%d %d\n"):format(i, i * i % 9973)
  crc, bytes = zlib.crc32(crc, line, #line), bytes + #line
  deflater:write(line, keep)
end
deflater:finish(keep)
assert(deflater.status == zlib.Z_STREAM_END)
local packed = table.concat(pieces)
assert(packed:sub(1, 2) == "\31\139", "gzip's magic number")
print(("%d bytes became %d in %d pieces"):format(bytes, #packed, #pieces))
assert(number(deflater.z.total_in) == bytes and number(deflater.z.total_out) == #packed)

-- Decompress, in pieces of an odd size.
local inflater, back_crc, lines, done = Inflater(), 0, 0, false
for at = 1, #packed, 777 do
  done = inflater:write(packed:sub(at, at + 776), function(piece)
    back_crc = zlib.crc32(back_crc, piece, #piece)
    for _ in piece:gmatch "\n" do lines = lines + 1 end
  end)
end
assert(done and lines == 20000 and number(back_crc) == number(crc))
print(("and back: %d lines, the same CRC"):format(lines))

-- zlib's message for broken data.
local ok, message = pcall(function() Inflater():write("no gzip at all", keep) end)
assert(not ok and message:find "incorrect header check", message)
local broken = packed:sub(1, -9) .. ("?"):rep(8) -- where the CRC and the length were
ok, message = pcall(function() Inflater():write(broken, function() end) end)
assert(not ok and message:find "incorrect data check", message)
print "broken data is refused"

-- Many streams at once, all closed by the garbage collector: each holds about 300 KB of C memory.
for i = 1, 300 do
  Deflater(1):write(("x"):rep(i), keep)
  if i % 50 == 0 then collectgarbage() end
end
print "300 abandoned streams"
