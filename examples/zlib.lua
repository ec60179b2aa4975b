-- zlib: compress and uncompress a megabyte, and compare.
--
--   apt install zlib1g;  cthunk run examples/zlib.lua
local ffi = require "ffi"

ffi.cdef [[
unsigned long compressBound(unsigned long sourceLen);
int compress2(uint8_t *dest, unsigned long *destLen, const uint8_t *source, unsigned long sourceLen, int level);
int uncompress(uint8_t *dest, unsigned long *destLen, const uint8_t *source, unsigned long sourceLen);
unsigned long crc32(unsigned long crc, const uint8_t *buf, unsigned int len);
const char *zlibVersion(void);
const char *zError(int err);
]]
local zlib = ffi.load "z"
print("zlib " .. ffi.string(zlib.zlibVersion()))

local function check(status)
  if status ~= 0 then error("zlib: " .. ffi.string(zlib.zError(status)), 2) end
end

local function compress(text, level)
  local bound = ffi.tonumber(zlib.compressBound(#text))
  local buf = ffi.new("uint8_t[?]", bound)
  local len = ffi.new("unsigned long[1]", bound)
  check(zlib.compress2(buf, len, text, #text, level or 6))
  return ffi.string(buf, len[0])
end

local function uncompress(packed, size)
  local buf = ffi.new("uint8_t[?]", size)
  local len = ffi.new("unsigned long[1]", size)
  check(zlib.uncompress(buf, len, packed, #packed))
  return ffi.string(buf, len[0])
end

-- A megabyte of text that compresses a little.
local parts, x = {}, 42
for i = 1, 32 * 1024 do
  x = (x * 1103515245 + 12345) % 2147483648
  parts[i] = ("line %07d value %010d, next\n"):format(i, x):sub(1, 32)
end
local text = table.concat(parts)
assert(#text == 1024 * 1024)

for _, level in ipairs { 1, 6, 9 } do
  local packed = compress(text, level)
  local back = uncompress(packed, #text)
  assert(back == text)
  assert(zlib.crc32(0, back, #back) == zlib.crc32(0, text, #text))
  print(("level %d: %d -> %d bytes, and back"):format(level, #text, #packed))
end

-- Errors have zlib's own messages.
local ok, message = pcall(uncompress, "this is not zlib data", 100)
assert(not ok and message:find "data error")
print("broken data: " .. message)
local packed = compress(text)
ok, message = pcall(uncompress, packed, 1000)
assert(not ok and message:find "buffer error")
print("small buffer: " .. message)
