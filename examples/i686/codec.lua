-- One C file, compiled twice: as 32-bit fastcall code that 64-bit Lua calls through the gate, and as a library of the host.
-- Both give the same results.
--
--   i686-linux-gnu-gcc -O2 -c -ffreestanding -fno-stack-protector -fno-pic -o codec32.o examples/i686/codec.c
--   gcc -O2 -shared -fPIC -o codec64.so examples/i686/codec.c
--   cthunk run examples/i686/codec.lua ./codec32.o ./codec64.so

local object, library = ...
local host = require "ffi"
local guest = host.target "i686-unknown-linux-gnu"

local function declare(ffi, api)
  local declarations = [[
    struct statistics { unsigned runs, literals; unsigned long long bytes; double ratio; };
    unsigned API codec_hash(const uint8_t *data, unsigned size, unsigned seed);
    unsigned API codec_pack(const uint8_t *from, unsigned size, uint8_t *to, unsigned room, struct statistics *s,
                            void (API *progress)(unsigned at, double part));
    struct statistics API codec_unpack(const uint8_t *from, unsigned size, uint8_t *to, unsigned room);
  ]]
  ffi.cdef((declarations:gsub("API", api)))
end
declare(host, "")
declare(guest, "__fastcall")

-- A megabyte of runs and noise.
local function text()
  local parts, state = {}, 12345
  while #parts < 40000 do
    state = (state * 1103515245 + 12345) % 2 ^ 31
    local byte, count = string.char(math.floor(state / 65536) % 256), math.floor(state / 1024) % 50 + 1
    parts[#parts + 1] = byte:rep(count)
  end
  return table.concat(parts)
end
local data = text()

local function work(ffi, codec)
  local size, tonumber = #data, ffi.tonumber
  local from, packed, back = ffi.new("uint8_t[?]", size), ffi.new("uint8_t[?]", size + 1000), ffi.new("uint8_t[?]", size)
  ffi.copy(from, data, size)
  local hash = codec.codec_hash(from, size, 42)
  local s, calls, last = ffi.new "struct statistics", 0, 0
  local progress = ffi.cast(ffi.sizeof "void *" == 4 and "void (__fastcall *)(unsigned, double)" or "void (*)(unsigned, double)",
    function(at, part) calls, last = calls + 1, part end)
  local bytes = codec.codec_pack(from, size, packed, size + 1000, s, progress)
  progress:free()
  local u = codec.codec_unpack(packed, bytes, back, size)
  assert(ffi.string(back, size) == data, "unpacked as it was")
  assert(tonumber(u.bytes) == size and u.runs == s.runs and u.literals == s.literals)
  return ("%d bytes, hash %08x, packed to %d (%.4f) in %d runs and %d literals, %d calls of progress, the last at %.3f"):format(
    size, tonumber(hash), tonumber(bytes), s.ratio, tonumber(s.runs), tonumber(s.literals), calls, last)
end

local narrow, wide = work(guest, guest.load(object)), work(host, host.load(library))
print("32-bit: " .. narrow)
print("64-bit: " .. wide)
assert(narrow == wide, "both builds agree")
return narrow
