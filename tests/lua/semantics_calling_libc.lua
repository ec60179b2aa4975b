-- FFI Semantics: "Calling a C function", with the C library's own functions
local ffi = require "ffi"

ffi.cdef [[
  size_t strlen(const char *s);
  int strcmp(const char *a, const char *b);
  char *strchr(const char *s, int c);
  int toupper(int c);
  int abs(int n);
  long labs(long n);
  double pow(double x, double y);
  double fabs(double x);
  float fabsf(float x);
  double ldexp(double x, int e);
  double frexp(double x, int *e);
  long strtol(const char *s, char **end, int base);
  unsigned long long strtoull(const char *s, char **end, int base);
  int snprintf(char *buffer, size_t size, const char *format, ...);
  void *memcpy(void *to, const void *from, size_t size);
  void *malloc(size_t size);
  void free(void *p);
  int fn_renamed(int c) __asm__("tolower");
  char *getenv(const char *name);
  typedef struct { int quot, rem; } fn_div_t;
]]
local C = ffi.C

-- Arguments are converted as in assignments; results as C values are.
check(num(C.strlen("hello")) == 5)
check(C.strcmp("a", "b") < 0 and C.strcmp("b", "a") > 0 and C.strcmp("x", "x") == 0)
check(C.toupper(97) == 65)
check(C.abs(-5) == 5)
check(num(C.labs(-5)) == 5)
check(C.pow(2, 10) == 1024)
check(C.fabs(-1.5) == 1.5 and C.fabsf(-1.5) == 1.5)
check(C.ldexp(1.5, 4) == 24)
check(C.abs(-5.9) == 5, "truncated")
check(C.abs(ffi.new("int8_t", -7)) == 7 and C.abs(ffi.new("int64_t", -7)) == 7)
check(C.pow(ffi.new("int", 3), ffi.new("float", 2)) == 9)
check(C.fabs(true) == 1)

-- Out-parameters: an array of one element, or a pointer.
local e = ffi.new("int[1]")
check(C.frexp(24, e) == 0.75 and e[0] == 5)
local ends = ffi.new("char *[1]")
local text = ffi.new("char[?]", 8, "123rest")
check(num(C.strtol(text, ends, 10)) == 123)
check(ends[0] - text == 3 and ffi.string(ends[0]) == "rest")
check(tostring(C.strtoull("18446744073709551615", nil, 10)) == "18446744073709551615ULL")

-- Pointers in, pointers out.
local s = ffi.new("char[6]", "hello")
local l = C.strchr(s, 108)
check(l - s == 2 and ffi.string(l) == "llo")
check(C.strchr(s, 122) == ffi.new("char *"), "NULL")
local buffer = ffi.gc(C.malloc(16), C.free)
C.memcpy(buffer, "copied", 7)
check(ffi.string(ffi.cast("char *", buffer)) == "copied")
check(ffi.string(C.memcpy(buffer, s, 6), 5) == "hello")

-- Variable arguments.
local out = ffi.new("char[100]")
local function format(...)
  local n = C.snprintf(out, 100, ...)
  return ffi.string(out, n)
end
check(format("plain") == "plain")
check(format("%s-%s", "a", ffi.new("char[2]", "b")) == "a-b")
check(format("%f %g", 1.5, 0.25) == "1.500000 0.25")
check(format("%d", ffi.new("int", -42)) == "-42")
check(format("%d %d", ffi.new("int8_t", -1), ffi.new("uint16_t", 65535)) == "-1 65535")
check(format("%u", ffi.new("unsigned int", 4294967295)) == "4294967295")
check(format("%lld %llu", ffi.new("int64_t", -5), ffi.new("uint64_t", 5)) == "-5 5")
check(format("%f", ffi.new("float", 0.5)) == "0.500000")
check(format("%d%d%d%d%d%d%d%d", ffi.new("int", 1), ffi.new("int", 2), ffi.new("int", 3), ffi.new("int", 4),
  ffi.new("int", 5), ffi.new("int", 6), ffi.new("int", 7), ffi.new("int", 8)) == "12345678")
check(format("%g%g%g%g%g%g%g%g%g%g", 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5, 10.5)
  == "1.52.53.54.55.56.57.58.59.510.5")
check(format("%p", ffi.cast("void *", 0x1000)) == "0x1000")
check(format("%d", true) == "1")
check(format("%p", nil) == "(nil)")
if differs "vararg-integers" and native64 then
  -- A Lua integer stays an integer; in LuaJIT every number becomes a double.
  check(format(ffi.abi "64bit" and "%d %ld %lld" or "%d %ld %d", 1, 2, 3) == "1 2 3")
  check(format("%d", -1) == "-1" and format("%x", 255) == "ff")
  check(format("%g %d", 2.0, 7) == "2 7")
else
  check(format("%g %g %.1f", 1, -2, 3) == "1 -2 3.0")
end

-- Functions are found by another symbol with __asm__.
check(C.fn_renamed(65) == 97)

-- A function is a value: it converts to a function pointer and to void *.
local pointer = ffi.cast("int (*)(int)", C.toupper)
check(pointer(98) == 66)
check(ffi.typeof(C.toupper) ~= nil)
local table_of = ffi.new("struct { int (*f)(int); double (*g)(double, double); }", { C.toupper, C.pow })
check(table_of.f(97) == 65 and table_of.g(2, 3) == 8)
table_of.f = C.abs
check(table_of.f(-3) == 3)
check(ffi.cast("void *", C.abs) == ffi.cast("void *", table_of.f))

-- Too few and too many arguments, arguments that do not convert.
fails("number of arguments", C.abs, 1, 2)
if differs "argument-errors" then
  fails("bad argument #1 to 'abs' %('int' expected, got no value%)", C.abs)
  fails("bad argument #1 to 'abs'.*cannot convert 'string' to 'int'", C.abs, "5")
  fails("bad argument #2 to 'pow'.*cannot convert 'nil' to 'double'", C.pow, 1, nil)
else
  fails("number of arguments", C.abs)
  fails("cannot convert 'string' to 'int'", C.abs, "5")
end
fails("cannot convert 'number' to 'const char %*'", C.strlen, 5)
fails("cannot convert 'table' to 'const char %*'", C.strlen, {})
fails("cannot convert 'int %[1%]' to 'const char %*'", C.strlen, e)
fails("cannot convert 'string' to 'char %*'", C.snprintf, "x", 1, "y")
fails("cannot convert 'table'", format, "%d", {})

-- Values that cannot be called.
fails("'int' is not callable", function() ffi.new("int")() end)
fails("'struct %d+' is not callable", function() ffi.new("fn_div_t")() end)
if differs "null-access" then
  fails("NULL", ffi.new("int (*)(int)"), 5)
end

-- errno is C's, through other calls of the library.
ffi.cdef [[ int close(int fd); ]]
check(C.close(-1) == -1)
if not apart then
  local errno = ffi.errno()
  check(errno == 9, "EBADF")
  local _ = ffi.new("int[10]"), ffi.typeof("char *"), tostring(ffi.new("int64_t", 5)), ffi.C.fabs(-1)
  check(ffi.errno() == errno)
end
