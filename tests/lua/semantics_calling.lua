-- FFI Semantics: calls of C functions. The library is tests/c/calls.c.
local ffi = require "ffi"
-- Older than the namespace of the library, and finalised after it at the end of the state.
LATE = newproxy and newproxy(true) or setmetatable({}, { __gc = true })
getmetatable(LATE).__gc = function()
  if not LATE_FUNCTION then return end
  local called, result = pcall(LATE_FUNCTION, 3)
  if not called or result ~= LATE_RESULT then os.exit(1) end
end
local T = ffi.load(TESTLIB)

ffi.cdef [[
int8_t t_i8(int8_t); uint8_t t_u8(uint8_t); int16_t t_i16(int16_t); uint16_t t_u16(uint16_t);
int32_t t_i32(int32_t); uint32_t t_u32(uint32_t); int64_t t_i64(int64_t); uint64_t t_u64(uint64_t);
float t_f32(float); double t_f64(double); bool t_bool(bool);
const char *t_str(const char *); void *t_ptr(void *);
enum color { RED, GREEN = 5, BLUE };
enum color t_enum(enum color); int t_const_enum(enum color);
double t_ten_doubles(double, double, double, double, double, double, double, double, double, double);
int64_t t_twenty(int8_t, double, uint16_t, float, int64_t, bool, double, int32_t, float, uint8_t,
                 int16_t, double, int64_t, float, int8_t, double, int32_t, double, int64_t, double);
int t_format(char *out, size_t size, const char *types, ...);
int t_set_errno(int e); int t_get_errno(void); void *t_null_with_errno(int e);
typedef int (*binary)(int, int);
binary t_operator(int minus);
int t_apply(binary f, int a, int b);
struct operations { binary add, sub; int (*format)(char *, size_t, const char *, ...); };
extern struct operations t_operations;
extern int t_counter;
extern int t_table[4];
double t_ms_mixed(int, double, int, double, int, double) __attribute__((ms_abi));
double __attribute__((ms_abi)) t_ms_sum(int n, ...);
int renamed(int32_t) __asm__("t_i32");
int __stdcall stdcall_is_ignored(int, int) __asm__("t_get_errno");
]]

-- Integers: the ends of every range, and results extended by their sign.
for bits = 8, 32, 8 do
  if bits ~= 24 then
    local signed, unsigned = T["t_i" .. bits], T["t_u" .. bits]
    check(signed(2 ^ (bits - 1) - 1) == 2 ^ (bits - 1) - 1)
    check(signed(-2 ^ (bits - 1)) == -2 ^ (bits - 1))
    check(unsigned(2 ^ bits - 1) == 2 ^ bits - 1)
    check(signed(-1) == -1 and unsigned(0) == 0)
  end
end
check(T.t_i32(1.9) == 1 and T.t_i32(-1.9) == -1) -- truncated, as in LuaJIT
check(digits(T.t_i64(-5)) == "-5")
check(num(T.t_u64(7)) == 7)
check(tostring(T.t_u64(ffi.cast("uint64_t", ffi.cast("int64_t", -1)))) == "18446744073709551615ULL")
if native64 and differs "int64" then
  check(math.type(T.t_u64(7)) == "integer" and T.t_u64(math.maxinteger) == math.maxinteger)
  check(tostring(T.t_u64(ffi.cast("uint64_t", 2 ^ 63))) == "9223372036854775808ULL")
  check(math.type(T.t_i64(-5)) == "integer" and T.t_i64(math.mininteger) == math.mininteger)
  check(math.type(T.t_i8(3)) == "integer" and math.type(T.t_f64(3)) == "float")
end

-- Floats, booleans, strings, pointers, enums.
check(T.t_f32(1.5) == 1.5 and T.t_f64(0.1) == 0.1 and T.t_f32(0.1) ~= 0.1)
check(T.t_f64(1e308 * 10) == math.huge and T.t_f64(0 / 0) ~= T.t_f64(0 / 0))
check(T.t_bool(true) == true and T.t_bool(false) == false)
check(ffi.string(T.t_str "hello") == "hello")
local null = ffi.cast("void *", 0)
check(T.t_str(nil) == ffi.cast("const char *", nil) and T.t_ptr(nil) == null)
local p = ffi.new "int[2]"
check(T.t_ptr(p) == ffi.cast("void *", p))
check(T.t_ptr(ffi.cast("int *", p)) == ffi.cast("void *", p))
check(T.t_const_enum "GREEN" == 50 and T.t_const_enum(6) == 60 and T.t_const_enum(T.BLUE) == 60)
check(num(T.t_enum "BLUE") == 6)

-- 64-bit cdata as arguments.
check(digits(T.t_i64(ffi.new("int64_t", 1234))) == "1234")
check(T.t_f64(ffi.new("int64_t", 12)) == 12)
check(T.t_i32(ffi.new("uint8_t", 200)) == 200)
check(T.t_i32(ffi.new("double", 2.5)) == 2)

-- More arguments than registers.
check(T.t_ten_doubles(1, 2, 3, 4, 5, 6, 7, 8, 9, 10) == 385)
local sum = T.t_twenty(1, 2, 3, 4, 5, true, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20)
check(digits(sum) == "2840") -- 6 * true is 6

-- The symbol of a declaration; the i386 keywords on x86-64.
check(T.renamed(99) == 99)
if ffi.arch == "x64" then check(pcall(T.stdcall_is_ignored, 1, 2)) end

-- The number of arguments.
fails("wrong number of arguments", T.t_i32, 1, 2)
fails("", T.t_i32)
if differs "argument-errors" then
  fails("bad argument #1 to 't_i32' %('int' expected, got no value%)", T.t_i32)
  fails("bad argument #3 to 't_apply' %('int' expected, got no value%)", T.t_apply, nil, 1)
  fails("wrong number of arguments to 't_i32' %(1 expected, got 2%)", T.t_i32, 1, 2)
end

-- Their types: function, argument, expected type and what came.
fails("bad argument #1 to '.-' %(cannot convert 'string' to 'int'%)", T.t_i32, "5")
fails("bad argument #1 to '.-' %(cannot convert 'table' to 'int'%)", T.t_i32, {})
fails("bad argument #1 to '.-' %(cannot convert 'nil' to 'int'%)", T.t_i32, nil)
fails("bad argument #1 to '.-' %(cannot convert 'string' to 'double'%)", T.t_f64, "1")
fails("bad argument #1 to '.-' %(cannot convert 'number' to 'const char %*'%)", T.t_str, 5)
fails("bad argument #2 to '.-'", T.t_twenty, 1, {}, 3, 4, 5, true, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20)
fails("bad argument #1 to '.-'", T.t_const_enum, "MAUVE")
fails("bad argument #1 to '.-' %(cannot convert 'string' to 'char %*'", T.t_format, "x", 1, "")

if differs "argument-errors" then fails("bad argument #1 to 't_i32' %(cannot convert 'string' to 'int'%)", T.t_i32, "5") end

-- Variable arguments.
local buf = ffi.new "char[256]"
local function format(types, ...)
  T.t_format(buf, 256, types, ...)
  return ffi.string(buf)
end
check(format("" ) == "" or format("x") == "")
check(format("dds", 1.5, -2.25, "end") == "1.5 -2.25 end ")
check(format("ss", "a", nil) == "a NULL ")
check(format("pp", nil, ffi.new "int[1]") == "null pointer ")
check(format("p", T.t_i32) == "pointer ")
check(format("iu", ffi.new("int8_t", -3), ffi.new("uint32_t", 4294967295)) == "-3 4294967295 ")
check(format("lL", ffi.new("int64_t", -3), ffi.new("uint64_t", ffi.new("int64_t", -1))) == "-3 18446744073709551615 ")
check(format("dd", ffi.new("float", 1.5), ffi.new("double", 2.5)) == "1.5 2.5 ")
check(format("s", ffi.new("char[6]", "array")) == "array ")
check(format("dddddddddddd", 1.0 + 0.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5, 10.5, 11.5, 12.5)
  == "1.5 2.5 3.5 4.5 5.5 6.5 7.5 8.5 9.5 10.5 11.5 12.5 ")
if differs "vararg-integers" and native64 and ffi.abi "64bit" then
  check(format("iiiiiiii", 1, 2, 3, 4, 5, 6, 7, 8) == "1 2 3 4 5 6 7 8 ")
  check(format("l", math.mininteger) == "-9223372036854775808 ")
  check(format("dlsdlsdlsdls", 1.5, 2, "x", 3.5, 4, "y", 5.5, 6, "z", 7.5, 8, "w")
    == "1.5 2 x 3.5 4 y 5.5 6 z 7.5 8 w ")
  check(format("i", true) == "1 ")
  fails("bad argument #4 to 't_format' %(cannot convert 'table' to a variable argument", format, "s", {})
  fails("bad argument #1 to 't_format' %('char %*' expected, got no value%)", T.t_format)
end
-- The same function with other types, and with the first ones again.
for i = 1, 3 do
  check(format("d", 1.5) == "1.5 ")
  check(format("s", "s") == "s ")
  check(format("ds", 1.5, "s") == "1.5 s ")
end

-- The Microsoft convention where it can run.
if ffi.arch == "x64" and differs "types" then
  check(T.t_ms_mixed(1, 2, 3, 4, 5, 6) == 91)
  check(T.t_ms_sum(5, 1.0, 2.0, 3.0, 4.0, 5.5) == 15.5)
end

-- errno is what C left.
T.t_set_errno(5)
check(T.t_get_errno() == 5)
if not apart then
  check(ffi.errno() == 5)
  check(ffi.errno(42) == 5 and ffi.errno() == 42 and T.t_get_errno() == 42)
  local result = T.t_null_with_errno(17)
  check(ffi.errno() == 17 and result == null)
end

-- Function pointers: results, struct fields, variables.
local add, sub = T.t_operator(0), T.t_operator(1)
check(add(2, 3) == 5 and sub(2, 3) == -1)
check(T.t_apply(add, 4, 5) == 9 and T.t_apply(sub, 4, 5) == -1)
check(T.t_operations.add(1, 2) == 3 and T.t_operations.sub(1, 2) == -1)
T.t_operations.format(buf, 256, "ds", 0.5, "via pointer")
check(ffi.string(buf) == "0.5 via pointer ")
fails("", function() return add(1) end)
fails("", function() return add(1, {}) end)
if differs "null-access" then
  fails("attempt to call a NULL pointer of type 'int %(%*%)%(int, int%)'", ffi.cast("binary", nil), 1, 2)
end

-- A function is a value that knows its type.
if differs "function-types" then check(ffi.istype("int32_t (int32_t)", T.t_i32)) end
local pointer = ffi.cast("int32_t (*)(int32_t)", T.t_i32)
check(pointer(77) == 77)
check(T.t_apply(ffi.cast("binary", T.t_operator(0)), 1, 1) == 2)
check(tostring(T.t_i32):find "^cdata<int %(")
-- An error has the place of the call, though the call goes through a metamethod here.
check(select(2, pcall(function() local x = pointer({}) return x end)):find "^[^:]+:%d+: ")
check(T.t_i32 == T.t_i32)

-- External variables.
check(T.t_counter == 7)
T.t_counter = T.t_counter + 1
check(T.t_counter == 8)
check(T.t_table[3] == 4)
T.t_table[3] = 40
check(T.t_table[3] == 40)

-- A closed library's functions stay callable while they live.
do
  local f = ffi.load(TESTLIB).t_i32
  collectgarbage() collectgarbage()
  check(f(5) == 5)
end

-- Many calls: nothing grows.
collectgarbage() collectgarbage()
local before = collectgarbage "count"
for i = 1, 20000 do T.t_f64(i) T.t_i32(i) end
collectgarbage() collectgarbage()
check(collectgarbage "count" < before + 64)

-- At the end of a state, and in a cycle, finalisers call functions of a library that was finalised before them.
LATE_RESULT = T.t_i32(3)
LATE_FUNCTION = differs "close-order" and T.t_i32 or nil
