-- Idioms of lua-resty-* and luapower modules.
local ffi = require "ffi"
local C = ffi.C
local ffi_new, ffi_str, ffi_cast, ffi_typeof, ffi_gc = ffi.new, ffi.string, ffi.cast, ffi.typeof, ffi.gc
local setmetatable, tonumber, type, pcall = setmetatable, tonumber, type, pcall

-- cdef guarded by pcall; declared twice.
local ok = pcall(ffi.cdef, "typedef struct resty_ctx_st { unsigned int h[8]; int len; } RESTY_CTX;")
print(ok, pcall(ffi.cdef, "typedef struct resty_ctx_st RESTY_CTX;"))
local function declared(name) return (pcall(function() return C[name] end)) end
print(declared "resty_nothing")
ffi.cdef [[
int gettimeofday(struct timeval *tv, void *tz);
struct timeval { long tv_sec; long tv_usec; };
size_t strlen(const char *s);
char *strchr(const char *s, int c);
void *memchr(const void *, int, size_t);
int memcmp(const void *a, const void *b, size_t n);
char *getenv(const char *name);
int setenv(const char *, const char *, int);
long strtol(const char *nptr, char **endptr, int base);
unsigned long long strtoull(const char *, char **, int);
double strtod(const char *, char **);

typedef long time_t; time_t time(time_t *);
]]
local tv = ffi_new "struct timeval"
C.gettimeofday(tv, nil)
print(tv.tv_sec > 1600000000, tonumber(tv.tv_sec) == math.floor(tonumber(tv.tv_sec)), type(tv.tv_sec), tv.tv_usec < 1000000)
print(tonumber(C.time(nil)) - os.time() < 2, type(C.time(nil)))

-- String buffers reused, NULL checks on results.
local str_type = ffi_typeof "uint8_t[?]"
local buf = ffi_new(str_type, 128)
local function get_string_buf(size) return size <= 128 and buf or ffi_new(str_type, size) end
local s = "key=value"
ffi.copy(buf, s)
local p = C.strchr(s, ("="):byte())
if p == nil then print "not found" else print(ffi_str(p + 1), tonumber(ffi_cast("intptr_t", p) - ffi_cast("intptr_t", ffi_cast("const char *", s)))) end
print(C.strchr(s, 64) == nil, C.memchr(s, 118, #s) ~= nil, C.memcmp(buf, s, #s), C.strlen(buf) == #s, tonumber(C.strlen(s)))
local function env(name)
  local v = C.getenv(name)
  return v ~= nil and ffi_str(v) or nil, v == nil
end
C.setenv("RESTY_TEST", "on", 1)
print(env "RESTY_TEST", env "RESTY_NOT_SET")

-- Out-parameters.
local endp = ffi_new "char *[1]"
print(tonumber(C.strtol("42abc", endp, 10)), ffi_str(endp[0]), C.strtoull("18446744073709551615", nil, 10), C.strtod("2.5e3x", endp), ffi_str(endp[0]))
print(C.strtol("-7", nil, 0), C.strtol("ff", nil, 16) == 255, tostring(C.strtol("1", nil, 10)))

-- Classes around opaque handles.
local M = { _VERSION = "0.01" }
local mt = { __index = M }
local ctx_ptr_type = ffi_typeof "RESTY_CTX[1]"
function M.new(self)
  local ctx = ffi_new(ctx_ptr_type)
  ctx[0].len = 0
  return setmetatable({ _ctx = ctx }, mt)
end
function M.update(self, s)
  for i = 1, #s do
    local n = self._ctx[0].len
    self._ctx[0].h[n % 8] = self._ctx[0].h[n % 8] * 31 + s:byte(i)
    self._ctx[0].len = n + 1
  end
  return self
end
function M.final(self)
  local out = {}
  for i = 0, 7 do out[#out + 1] = ("%08x"):format(self._ctx[0].h[i]) end
  return table.concat(out)
end
print(M:new():update "hello ":update "world, this is a test":final())

-- Bit flags, enums, and constants in a namespace table.
local bit = require "bit"
local flags = { READ = 0x01, WRITE = 0x02, EXEC = 0x04 }
local mode = bit.bor(flags.READ, flags.EXEC)
print(mode, bit.band(mode, flags.WRITE) ~= 0, bit.band(mode, flags.EXEC) ~= 0, bit.tohex(mode, 2))
ffi.cdef [[ typedef enum { STATE_IDLE, STATE_BUSY = 5, STATE_DONE } state_t; struct machine { state_t state; uint32_t count; const char *name; }; ]]
local m = ffi_new("struct machine", { "STATE_BUSY", 3, "m" })
print(m.state == "STATE_BUSY", m.state == C.STATE_BUSY, tonumber(m.state), type(m.state), m.count + 1, ffi_str(m.name))
m.state = "STATE_DONE"
print(m.state == "STATE_DONE", tonumber(m.state), ({ [C.STATE_DONE] = "done" })[tonumber(m.state)])

-- Iterating a C array as Lua would, and tables from it.
local n = 5
local arr = ffi_new("double[?]", n)
for i = 0, n - 1 do arr[i] = (i + 1) / 2 end
local t = {}
for i = 0, n - 1 do t[i + 1] = arr[i] end
print(table.concat(t, ", "), #t, unpack(t, 2, 3))

-- Formatting of all kinds of numbers.
print(("%d items, %.2f%%, 0x%04x, %s, %s"):format(7, 12.345, 48879, 1 / 3, 1e300))
print(10 / 2 .. "", 7 / 2, 2 ^ 0.5, 100 * 1.1, 0.1 + 0.2, 1e5, 123456.789e3)
