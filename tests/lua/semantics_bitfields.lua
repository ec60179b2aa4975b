-- Bit-fields: reading, writing, signs, neighbours, containers of all sizes.
local ffi = require "ffi"

ffi.cdef [[
  struct bf_mix { unsigned a : 3; int b : 5; bool c : 1; unsigned d : 23; };
  struct bf_small { uint8_t lo : 4, hi : 4; int16_t s : 9; };
]]

local m = ffi.new("struct bf_mix")
check(ffi.sizeof(m) == 4)
for a = 0, 7 do
  m.a = a
  check(m.a == a and m.b == 0 and m.c == false and m.d == 0)
end
for b = -16, 15 do
  m.b = b
  check(m.a == 7 and m.b == b and m.c == false and m.d == 0)
end
m.c, m.d = true, 0x7fffff
check(m.a == 7 and m.b == 15 and m.c == true and m.d == 0x7fffff)
m.b = 0
check(m.a == 7 and m.b == 0 and m.c == true and m.d == 0x7fffff)

-- A value that does not fit is cut to the width of the bit-field.
m.a = 9
check(m.a == 1)
m.b = 16
check(m.b == -16)
m.d = 2 ^ 23 + 5
check(m.d == 5)
m.c = 2
check(m.c == true)

local s = ffi.new("struct bf_small", { lo = 10, hi = 5, s = -256 })
check(s.lo == 10 and s.hi == 5 and s.s == -256)
check(ffi.cast("uint8_t *", s)[0] == 0x5a)

-- ffi.offsetof gives the place: offset, position and size in bits.
local offset, position, size = ffi.offsetof("struct bf_mix", "b")
check(offset == 0 and position == 3 and size == 5)
offset, position, size = ffi.offsetof("struct bf_mix", "d")
check(offset * 8 + position == 9 and size == 23)

-- 64-bit bit-fields, enum bit-fields, packed ones across their containers: LuaJIT has none.
if differs "types" then
  ffi.cdef [[
    struct bf_wide { uint64_t low : 40; int64_t high : 24; };
    struct bf_packed { uint8_t tag; uint64_t wide : 60; uint32_t rest : 4; } __attribute__((packed));
  ]]
  ffi.cdef [[ enum bf_e { BF_X, BF_Y = 3 }; struct bf_enum { enum bf_e e : 2; }; ]]
  check(ffi.new("struct bf_enum", { 3 }).e == 3 and ffi.new("struct bf_enum", { "BF_Y" }).e == 3)
  local w = ffi.new("struct bf_wide")
  w.low, w.high = 2 ^ 40 - 1, -1
  check(digits(w.low) == "1099511627775" and num(w.high) == -1)
  w.high = 5
  check(digits(w.low) == "1099511627775" and num(w.high) == 5)
  local p = ffi.new("struct bf_packed", 1, ffi.cast("uint64_t", 2 ^ 59), 9)
  check(p.tag == 1 and digits(p.wide) == "576460752303423488" and p.rest == 9)
  check(ffi.sizeof(p) == 9)
end
