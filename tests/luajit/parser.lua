-- A JSON reader over a byte buffer, and a binary record format.
local ffi = require "ffi"
local bit = require "bit"

local function parse(text)
  local p, at, size = ffi.cast("const uint8_t *", text), 0, #text
  local value
  local function fail(what) error(("%s at byte %d"):format(what, at), 0) end
  local function space() while at < size and (p[at] == 32 or p[at] == 10 or p[at] == 9) do at = at + 1 end end
  local function string_()
    local parts, from = {}, at + 1
    at = from
    while p[at] ~= 34 do
      if at >= size then fail "unfinished string" end
      if p[at] == 92 then
        parts[#parts + 1] = ffi.string(p + from, at - from)
        local escapes = { [110] = "\n", [116] = "\t", [34] = '"', [92] = "\\", [47] = "/" }
        local c = p[at + 1]
        if c == 117 then
          local code = tonumber(ffi.string(p + at + 2, 4), 16)
          parts[#parts + 1] = code < 128 and string.char(code)
            or string.char(bit.bor(0xc0, bit.rshift(code, 6)), bit.bor(0x80, bit.band(code, 0x3f)))
          at = at + 4
        else
          parts[#parts + 1] = escapes[c] or fail "bad escape"
        end
        at = at + 2
        from = at
      else
        at = at + 1
      end
    end
    parts[#parts + 1] = ffi.string(p + from, at - from)
    at = at + 1
    return table.concat(parts)
  end
  local words = { [116] = { "true", true }, [102] = { "false", false }, [110] = { "null", nil } }
  function value()
    space()
    local c = p[at]
    if c == 123 or c == 91 then
      local out, close = {}, c + 2
      at = at + 1
      space()
      while p[at] ~= close do
        local key = #out + 1
        if c == 123 then
          space()
          if p[at] ~= 34 then fail "key expected" end
          key = string_()
          space()
          if p[at] ~= 58 then fail "':' expected" end
          at = at + 1
        end
        out[key] = value()
        space()
        if p[at] == 44 then at = at + 1 elseif p[at] ~= close then fail "',' expected" end
      end
      at = at + 1
      return out
    elseif c == 34 then
      return string_()
    elseif words[c] then
      at = at + #words[c][1]
      return words[c][2]
    end
    local from = at
    while at < size and ffi.string(p + at, 1):find "[%d%.eE+-]" do at = at + 1 end
    return tonumber(ffi.string(p + from, at - from)) or fail "value expected"
  end
  return value()
end

local function show(v)
  if type(v) ~= "table" then return type(v) == "string" and ("%q"):format(v) or tostring(v) end
  local keys, out = {}, {}
  for k in pairs(v) do keys[#keys + 1] = k end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  for i, k in ipairs(keys) do out[i] = k .. "=" .. show(v[k]) end
  return "{" .. table.concat(out, ",") .. "}"
end
print(show(parse '{"a": [1, 2.5, -3e2, 1e15], "b": {"c": "x\\n\\u00e9\\"", "d": true}, "e": null, "f": 12345678901}'))
print(pcall(parse, '{"a" 1}'))
print(pcall(parse, "[1, oops]"))

ffi.cdef [[
  #pragma pack(push, 1)
  typedef struct { uint16_t magic; uint8_t version : 4, flags : 4; uint32_t length; int64_t when; char name[8]; } record_t;
  #pragma pack(pop)
  typedef union { double d; uint64_t u; struct { uint32_t lo, hi; }; uint8_t b[8]; } pun_t;
]]
local out = ffi.new("record_t", { magic = 0xcafe, version = 3, flags = 5, length = 77, when = 1234567890123LL, name = "abc" })
local wire = ffi.string(out, ffi.sizeof(out))
print(#wire, (wire:gsub(".", function(c) return ("%02x"):format(c:byte()) end)))
local back = ffi.cast("const record_t *", wire)
print(bit.tohex(back.magic, 4), back.version, back.flags, back.length, back.when, ffi.string(back.name), back.when == 1234567890123LL)
print(ffi.offsetof("record_t", "when"), ffi.offsetof("record_t", "flags"), ffi.alignof "record_t", pcall(function() back.magic = 1 end))
local pun = ffi.new("pun_t", 1.5)
print(pun.u, bit.tohex(pun.hi), pun.lo, pun.b[7], bit.tohex(pun.u))
pun.b[0] = 255
print(pun.d == 1.5, pun.lo)

local function varint(n)
  local bytes = {}
  n = ffi.cast("uint64_t", n)
  repeat
    local low = tonumber(bit.band(n, 0x7f))
    n = bit.rshift(n, 7)
    bytes[#bytes + 1] = string.char(n ~= 0 and low + 128 or low)
  until n == 0
  return table.concat(bytes)
end
for _, n in ipairs { 0, 127, 128, 300, 2 ^ 32, -1LL } do
  io.write((varint(n):gsub(".", function(c) return ("%02x"):format(c:byte()) end)), " ")
end
print()
