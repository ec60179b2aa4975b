-- FFI Semantics: "Arithmetic on cdata objects"
local ffi = require "ffi"
local cthunk = jit == nil

local function fails(pattern, f, ...)
  local ok, message = pcall(f, ...)
  assert(not ok, "no error, expected: " .. pattern)
  assert(tostring(message):find(pattern), tostring(message) .. " (expected: " .. pattern .. ")")
end

local function i64(x) return ffi.new("int64_t", x) end
local function u64(x) return ffi.new("uint64_t", x) end
local op = {
  ["+"] = function(a, b) return a + b end,
  ["-"] = function(a, b) return a - b end,
  ["*"] = function(a, b) return a * b end,
  ["/"] = function(a, b) return a / b end,
  ["%"] = function(a, b) return a % b end,
  ["^"] = function(a, b) return a ^ b end,
}
local function check(a, o, b, expected)
  local result = tostring(op[o](a, b))
  assert(result == expected, ("%s %s %s = %s, expected %s"):format(tostring(a), o, tostring(b), result, expected))
end

-- 64-bit signed arithmetic; a Lua number is converted.
check(i64(5), "+", 3, "8LL")
check(3, "+", i64(5), "8LL")
check(i64(5), "+", i64(-9), "-4LL")
check(i64(5), "-", 3, "2LL")
check(3, "-", i64(5), "-2LL")
check(i64(-7), "*", 6, "-42LL")
check(i64(7), "/", 2, "3LL")
check(i64(-7), "/", 2, "-3LL")
check(7, "/", i64(-2), "-3LL")
check(i64(7), "%", 3, "1LL")
check(i64(-7), "%", 3, "-1LL")
check(i64(7), "%", -3, "1LL")
check(i64(2), "^", 10, "1024LL")
check(i64(-3), "^", 3, "-27LL")
check(i64(7), "^", 0, "1LL")
check(i64(2), "^", -1, "0LL")
check(i64(1), "^", -5, "1LL")
check(i64(-1), "^", -5, "-1LL")
check(i64(-1), "^", -4, "1LL")
check(i64(5), "+", 2.9, "7LL")
assert(tostring(-i64(5)) == "-5LL")

-- Unsigned if one operand is uint64_t.
check(u64(5), "+", 3, "8ULL")
check(u64(5), "+", i64(3), "8ULL")
check(i64(3), "-", u64(5), "18446744073709551614ULL")
check(u64(7), "/", 2, "3ULL")
check(u64(3), "*", 5, "15ULL")
check(u64(10), "%", 4, "2ULL")
check(u64(3), "^", 4, "81ULL")
assert(tostring(-u64(1)) == "18446744073709551615ULL")
local max = u64(0) - u64(1)
check(max, "/", 10, "1844674407370955161ULL")
check(max, "%", 10, "5ULL")
check(max, "+", 1, "0ULL")
check(max, "*", max, "1ULL")

-- Overflow wraps.
local top = i64(2) ^ 62 - 1 + i64(2) ^ 62
assert(tostring(top) == "9223372036854775807LL")
check(top, "+", 1, "-9223372036854775808LL")
local bottom = top + 1
check(bottom, "-", 1, "9223372036854775807LL")
check(bottom, "*", -1, "-9223372036854775808LL")
check(bottom, "/", -1, "-9223372036854775808LL")
check(bottom, "%", -1, "0LL")
assert(tostring(-bottom) == "-9223372036854775808LL")
check(i64(2), "^", 64, "0LL")

-- Division by zero does not crash.
check(i64(1), "/", 0, "-9223372036854775808LL")
check(i64(1), "%", 0, "-9223372036854775808LL")
check(u64(1), "/", 0, "9223372036854775808ULL")
check(u64(1), "%", 0, "9223372036854775808ULL")

-- Smaller integers, floats and enums become 64-bit integers, too.
check(ffi.new("int", 5), "+", 1, "6LL")
check(ffi.new("uint32_t", 4294967295), "+", 1, "4294967296LL")
check(ffi.new("int8_t", -1), "+", u64(1), "0ULL")
check(ffi.new("double", 1.5), "+", 1, "2LL")
check(ffi.new("double", 7.9), "*", 2, "14LL")
check(ffi.new("bool", true), "+", 1, "2LL")
ffi.cdef [[ enum ar_e { AR_ONE = 1, AR_TWO = 2 }; ]]
check(ffi.new("enum ar_e", 2), "+", 1, "3LL")
check(ffi.new("enum ar_e", 2), "*", ffi.new("enum ar_e", 2), "4LL")
check(ffi.new("enum ar_e", 1), "+", "AR_TWO", "3LL")

-- Pointers: plus and minus an integer, in elements.
local a = ffi.new("int[8]", 0, 1, 2, 3, 4, 5, 6, 7)
assert((a + 3)[0] == 3)
assert((3 + a)[0] == 3)
assert((a + 5 - 2)[0] == 3)
assert((a + 3 + 2)[0] == 5)
assert((a + 2.9)[0] == 2)
assert((a + i64(4))[0] == 4)
assert((i64(4) + a)[1] == 5)
assert(ffi.istype("int *", a + 1))
assert(tostring(a + 1):find("^cdata<int %*>: 0x"))
local p = a + 6
assert((p - 2)[0] == 4)
assert((p + -2)[0] == 4)
assert(ffi.istype("const int *", ffi.cast("const int *", a) + 1))
ffi.cdef [[ struct ar_s { char c[12]; }; struct ar_opaque; ]]
local s = ffi.new("struct ar_s[2]")
assert(ffi.cast("char *", s + 1) - ffi.cast("char *", s) == 12)

-- Differences, in elements.
assert(p - a == 6)
assert(a - p == -6)
assert((a + 3) - (a + 3) == 0)
assert(ffi.cast("const int *", p) - a == 6)
assert(type(p - a) == "number")
local row = ffi.new("int[2][3]")
assert(row + 1 - row == 1)

-- What is no arithmetic.
fails("attempt to perform arithmetic on 'int %[8%]' and 'int %*'", op["+"], a, p)
fails("attempt to perform arithmetic on 'number' and 'int %[8%]'", op["-"], 1, a)
fails("attempt to perform arithmetic on 'int %*' and 'number'", op["*"], p, 2)
fails("attempt to perform arithmetic on 'struct ar_s' and 'number'", op["+"], ffi.new("struct ar_s"), 1)
fails("attempt to perform arithmetic on 'int64_t' and 'table'", op["+"], i64(1), {})
fails("attempt to perform arithmetic on 'int64_t' and 'nil'", op["+"], i64(1), nil)
fails("attempt to perform arithmetic on 'int64_t' and 'boolean'", op["*"], i64(1), true)
fails("attempt to perform arithmetic on 'int64_t' and 'string'", op["+"], i64(1), "1")
fails("attempt to perform arithmetic on 'void %*'", op["+"], ffi.cast("void *", a), 1)
fails("attempt to perform arithmetic on 'struct ar_opaque %*'", op["+"], ffi.cast("struct ar_opaque *", a), 1)
fails("attempt to perform arithmetic", op["-"], ffi.cast("short *", a), a)
fails("attempt to perform arithmetic on 'int %*'", function() return -p end)

-- Length and concatenation are the metatype's business.
fails("attempt to get length of 'int %[8%]'", function() return #a end)
fails("attempt to concatenate 'int %[8%]' and 'string'", function() return a .. "x" end)
fails("attempt to concatenate 'string' and 'int64_t'", function() return "x" .. i64(1) end)

-- The result of an operation keeps what it points into (lifetime.lua).

-- Operators that only Lua 5.3 and later have.
if cthunk then
  local function try(code, ...)
    return tostring(assert(load("local a, b = ... return " .. code))(...))
  end
  assert(try("a // b", i64(-7), 2) == "-4LL")
  assert(try("a // b", i64(7), 2) == "3LL")
  assert(try("a // b", i64(7), -2) == "-4LL")
  assert(try("a // b", u64(7), 2) == "3ULL")
  assert(try("a // b", i64(1), 0) == "-9223372036854775808LL")
  assert(try("a & b", u64(12), 10) == "8ULL")
  assert(try("a | b", i64(12), 3) == "15LL")
  assert(try("a ~ b", i64(12), i64(10)) == "6LL")
  assert(try("~a", i64(0)) == "-1LL")
  assert(try("~a", u64(0)) == "18446744073709551615ULL")
  assert(try("a << b", u64(1), 63) == "9223372036854775808ULL")
  assert(try("a << b", i64(1), 63) == "-9223372036854775808LL")
  assert(try("a >> b", i64(-1), 1) == "9223372036854775807LL")
  assert(try("a >> b", u64(256), 4) == "16ULL")
  assert(try("a << b", i64(1), 64) == "0LL")
  assert(try("a >> b", i64(1), -4) == "16LL")
  assert(try("1 << a", i64(4)) == "16LL")
  fails("bitwise operation on 'int %[8%]' and 'number'", function() return try("a & 1", a) end)
end
