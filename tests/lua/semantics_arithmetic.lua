-- FFI Semantics: "Arithmetic on cdata objects"
local ffi = require "ffi"

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
local function gives(a, o, b, expected)
  local result = tostring(op[o](a, b))
  check(result == expected, ("%s %s %s = %s, expected %s"):format(tostring(a), o, tostring(b), result, expected))
end

-- 64-bit signed arithmetic; a Lua number is converted.
gives(i64(5), "+", 3, "8LL")
gives(3, "+", i64(5), "8LL")
gives(i64(5), "+", i64(-9), "-4LL")
gives(i64(5), "-", 3, "2LL")
gives(3, "-", i64(5), "-2LL")
gives(i64(-7), "*", 6, "-42LL")
gives(i64(7), "/", 2, "3LL")
gives(i64(-7), "/", 2, "-3LL")
gives(7, "/", i64(-2), "-3LL")
gives(i64(7), "%", 3, "1LL")
gives(i64(-7), "%", 3, "-1LL")
gives(i64(7), "%", -3, "1LL")
gives(i64(2), "^", 10, "1024LL")
gives(i64(-3), "^", 3, "-27LL")
gives(i64(7), "^", 0, "1LL")
gives(i64(2), "^", -1, "0LL")
gives(i64(1), "^", -5, "1LL")
gives(i64(-1), "^", -5, "-1LL")
gives(i64(-1), "^", -4, "1LL")
gives(i64(5), "+", 2.9, "7LL")
check(tostring(-i64(5)) == "-5LL")

-- Unsigned if one operand is uint64_t.
gives(u64(5), "+", 3, "8ULL")
gives(u64(5), "+", i64(3), "8ULL")
gives(i64(3), "-", u64(5), "18446744073709551614ULL")
gives(u64(7), "/", 2, "3ULL")
gives(u64(3), "*", 5, "15ULL")
gives(u64(10), "%", 4, "2ULL")
gives(u64(3), "^", 4, "81ULL")
check(tostring(-u64(1)) == "18446744073709551615ULL")
local max = u64(0) - u64(1)
gives(max, "/", 10, "1844674407370955161ULL")
gives(max, "%", 10, "5ULL")
gives(max, "+", 1, "0ULL")
gives(max, "*", max, "1ULL")

-- Overflow wraps.
local top = i64(2) ^ 62 - 1 + i64(2) ^ 62
check(tostring(top) == "9223372036854775807LL")
gives(top, "+", 1, "-9223372036854775808LL")
local bottom = top + 1
gives(bottom, "-", 1, "9223372036854775807LL")
gives(bottom, "*", -1, "-9223372036854775808LL")
gives(bottom, "/", -1, "-9223372036854775808LL")
gives(bottom, "%", -1, "0LL")
check(tostring(-bottom) == "-9223372036854775808LL")
gives(i64(2), "^", 64, "0LL")

-- Division by zero does not crash.
gives(i64(1), "/", 0, "-9223372036854775808LL")
gives(i64(1), "%", 0, "-9223372036854775808LL")
gives(u64(1), "/", 0, "9223372036854775808ULL")
gives(u64(1), "%", 0, "9223372036854775808ULL")

-- Smaller integers, floats and enums become 64-bit integers, too.
gives(ffi.new("int", 5), "+", 1, "6LL")
gives(ffi.new("uint32_t", 4294967295), "+", 1, "4294967296LL")
gives(ffi.new("int8_t", -1), "+", u64(1), "0ULL")
gives(ffi.new("double", 1.5), "+", 1, "2LL")
gives(ffi.new("double", 7.9), "*", 2, "14LL")
gives(ffi.new("bool", true), "+", 1, "2LL")
ffi.cdef [[ enum ar_e { AR_ONE = 1, AR_TWO = 2 }; ]]
gives(ffi.new("enum ar_e", 2), "+", 1, "3LL")
gives(ffi.new("enum ar_e", 2), "*", ffi.new("enum ar_e", 2), "4LL")
gives(ffi.new("enum ar_e", 1), "+", "AR_TWO", "3LL")

-- Pointers: plus and minus an integer, in elements.
local a = ffi.new("int[8]", 0, 1, 2, 3, 4, 5, 6, 7)
check((a + 3)[0] == 3)
check((3 + a)[0] == 3)
check((a + 5 - 2)[0] == 3)
check((a + 3 + 2)[0] == 5)
check((a + 2.9)[0] == 2)
check((a + i64(4))[0] == 4)
check((i64(4) + a)[1] == 5)
check(ffi.istype("int *", a + 1))
check(tostring(a + 1):find("^cdata<int %*>: 0x"))
local p = a + 6
check((p - 2)[0] == 4)
check((p + -2)[0] == 4)
check(ffi.istype("const int *", ffi.cast("const int *", a) + 1))
ffi.cdef [[ struct ar_s { char c[12]; }; struct ar_opaque; ]]
local s = ffi.new("struct ar_s[2]")
check(ffi.cast("char *", s + 1) - ffi.cast("char *", s) == 12)

-- Differences, in elements.
check(p - a == 6)
check(a - p == -6)
check((a + 3) - (a + 3) == 0)
check(ffi.cast("const int *", p) - a == 6)
check(type(p - a) == "number")
local row = ffi.new("int[2][3]")
check(row + 1 - row == 1)

-- Operands that have no arithmetic.
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
if native64 then
  local function try(code, ...)
    return tostring(assert(compile("local a, b = ... return " .. code))(...))
  end
  check(try("a // b", i64(-7), 2) == "-4LL")
  check(try("a // b", i64(7), 2) == "3LL")
  check(try("a // b", i64(7), -2) == "-4LL")
  check(try("a // b", u64(7), 2) == "3ULL")
  check(try("a // b", i64(1), 0) == "-9223372036854775808LL")
  check(try("a & b", u64(12), 10) == "8ULL")
  check(try("a | b", i64(12), 3) == "15LL")
  check(try("a ~ b", i64(12), i64(10)) == "6LL")
  check(try("~a", i64(0)) == "-1LL")
  check(try("~a", u64(0)) == "18446744073709551615ULL")
  check(try("a << b", u64(1), 63) == "9223372036854775808ULL")
  check(try("a << b", i64(1), 63) == "-9223372036854775808LL")
  check(try("a >> b", i64(-1), 1) == "9223372036854775807LL")
  check(try("a >> b", u64(256), 4) == "16ULL")
  check(try("a << b", i64(1), 64) == "0LL")
  check(try("a >> b", i64(1), -4) == "16LL")
  check(try("1 << a", i64(4)) == "16LL")
  fails("bitwise operation on 'int %[8%]' and 'number'", function() return try("a & 1", a) end)
end
