-- Paste C declarations, call C. Needs only the C library and libm.
--
--   cthunk run examples/quickstart.lua
local ffi = require "ffi"

ffi.cdef [[
int snprintf(char *buf, size_t size, const char *fmt, ...);
size_t strlen(const char *s);
char *getenv(const char *name);
void qsort(void *base, size_t count, size_t size, int (*compare)(const double *, const double *));

typedef long time_t;
struct tm {
  int tm_sec, tm_min, tm_hour, tm_mday, tm_mon, tm_year, tm_wday, tm_yday, tm_isdst;
  long tm_gmtoff;
  const char *tm_zone;
};
time_t time(time_t *now);
struct tm *gmtime_r(const time_t *when, struct tm *out);
size_t strftime(char *buf, size_t size, const char *fmt, const struct tm *tm);

double pow(double x, double y);
]]
local C = ffi.C
local m = ffi.load "m"

-- A variadic call: a Lua integer, a float and a string.
local buf = ffi.new("char[?]", 128)
local n = C.snprintf(buf, 128, "%d %ld %lld %.3f %s", 42, -7, 1 << 40, 3.14159, "hello")
assert(n == #"42 -7 1099511627776 3.142 hello")
print("snprintf  " .. ffi.string(buf))
assert(ffi.string(buf) == "42 -7 1099511627776 3.142 hello")

-- size_t has 64 bits: a Lua integer on Lua 5.3 and later, a cdata on others. ffi.tonumber gives a number on each.
local length = C.strlen "a string from Lua"
print("strlen    " .. tostring(length))
assert(ffi.tonumber(length) == 17)

-- A pointer may be NULL: compare it with ffi.NULL.
local home, missing = C.getenv "PATH", C.getenv "CTHUNK_NO_SUCH_VARIABLE"
assert(home ~= ffi.NULL and missing == ffi.NULL)
print("getenv    PATH has " .. #ffi.string(home) .. " bytes")

-- pow is in libm, which has a namespace of its own.
print("pow       " .. m.pow(2, 0.5))
assert(m.pow(2, 10) == 1024)

-- C calls Lua: qsort with a comparator. Indices of C arrays begin at 0.
local count = 10
local values = ffi.new("double[?]", count)
for i = 0, count - 1 do values[i] = (i * 7) % count + 0.5 end
local calls = 0
C.qsort(values, count, ffi.sizeof "double", function(a, b)
  calls = calls + 1
  return a[0] < b[0] and -1 or a[0] > b[0] and 1 or 0
end)
local sorted = {}
for i = 0, count - 1 do sorted[#sorted + 1] = values[i] end
print("qsort     " .. table.concat(sorted, " ") .. "  (" .. calls .. " calls of the comparator)")
for i = 1, count - 1 do assert(values[i - 1] < values[i]) end

-- An error in a callback is raised by the C call.
local ok, message = pcall(C.qsort, values, count, 8, function() error("not comparable", 0) end)
assert(not ok and message == "not comparable")
print("error     " .. message)

-- Structs: out-parameters, fields, pointers to them.
local now = ffi.new("time_t[1]")
C.time(now)
local tm = ffi.new "struct tm"
assert(C.gmtime_r(now, tm) ~= ffi.NULL)
local size = C.strftime(buf, 128, "%Y-%m-%d %H:%M:%S", tm)
print("strftime  " .. ffi.string(buf, size))
assert(ffi.string(buf, 4) == tostring(tm.tm_year + 1900))

-- An error message says what is wrong, where, and what would be right.
print("bad call  " .. select(2, pcall(C.strlen, {})))
print("bad decl  " .. select(2, pcall(ffi.cdef, "int f(int x;")))
