-- LuaJIT's FFI tutorial, section by section.
local ffi = require("ffi")

-- Motivating example: pixel arrays.
ffi.cdef[[
typedef struct { uint8_t red, green, blue, alpha; } rgba_pixel;
]]
local function image_ramp_green(n)
  local img = ffi.new("rgba_pixel[?]", n)
  local f = 255/(n-1)
  for i=0,n-1 do
    img[i].green = i*f
    img[i].alpha = 255
  end
  return img
end
local function image_to_grey(img, n)
  for i=0,n-1 do
    local y = 0.3*img[i].red + 0.59*img[i].green + 0.11*img[i].blue
    img[i].red = y; img[i].green = y; img[i].blue = y
  end
end
local N = 20*20
local img = image_ramp_green(N)
for i=1,10 do image_to_grey(img, N) end
print(img[0].red, img[100].red, img[N-1].green, ffi.sizeof(img), ffi.sizeof(img[0]))

-- Accessing standard system functions.
ffi.cdef[[
int poll(struct pollfd *fds, unsigned long nfds, int timeout);
int snprintf(char *s, size_t n, const char *fmt, ...);
char *strerror(int);
int open(const char *, int, ...);
]]
local function sleep(s) return ffi.C.poll(nil, 0, s*1000) end
print(sleep(0.001))
local buf = ffi.new("char[?]", 64)
local n = ffi.C.snprintf(buf, 64, "%s %d %g %c %5.2f %lld", "num", ffi.new("int", 5), 1.5, ffi.new("int", 65), 2, 7LL)
print(n, ffi.string(buf, n))
print(ffi.C.open("/no/such/file", 0), ffi.errno(), ffi.string(ffi.C.strerror(ffi.errno())))

-- Accessing the zlib compression library.
ffi.cdef[[
unsigned long compressBound(unsigned long sourceLen);
int compress2(uint8_t *dest, unsigned long *destLen,
	      const uint8_t *source, unsigned long sourceLen, int level);
int uncompress(uint8_t *dest, unsigned long *destLen,
	       const uint8_t *source, unsigned long sourceLen);
]]
local zlib = ffi.load(ffi.os == "Windows" and "zlib1" or "z")
local function compress(txt)
  local n = zlib.compressBound(#txt)
  local buf = ffi.new("uint8_t[?]", n)
  local buflen = ffi.new("unsigned long[1]", n)
  local res = zlib.compress2(buf, buflen, txt, #txt, 9)
  assert(res == 0)
  return ffi.string(buf, buflen[0])
end
local function uncompress(comp, n)
  local buf = ffi.new("uint8_t[?]", n)
  local buflen = ffi.new("unsigned long[1]", n)
  local res = zlib.uncompress(buf, buflen, comp, #comp)
  assert(res == 0)
  return ffi.string(buf, buflen[0])
end
local txt = string.rep("abcd", 1000)
print("Uncompressed size: ", #txt)
local c = compress(txt)
print("Compressed size: ", #c)
local txt2 = uncompress(c, #txt)
assert(txt2 == txt)

-- Defining metamethods for a C type.
ffi.cdef[[
typedef struct { double x, y; } point_t;
]]
local point
local mt = {
  __add = function(a, b) return point(a.x+b.x, a.y+b.y) end,
  __len = function(a) return math.sqrt(a.x*a.x + a.y*a.y) end,
  __eq = function(a, b) return a.x == b.x and a.y == b.y end,
  __index = {
    area = function(a) return a.x*a.x + a.y*a.y end,
  },
}
point = ffi.metatype("point_t", mt)
local a = point(3, 4)
print(a.x, a.y)  --> 3  4
print(#a)        --> 5
print(a:area())  --> 25
local b = a + point(0.5, 8)
print(#b)        --> 12.5
print(a == point(3, 4), a ~= b, a == b, (pcall(function() return a == nil end)))

-- Translating C idioms.
ffi.cdef[[
typedef struct idioms { int x, y; struct { int z; } inner; int arr[4]; struct idioms *next; } idioms;
double frexp(double x, int *exp);
int sprintf(char *, const char *, ...);
]]
local s = ffi.new("idioms", {x = 1, arr = {1, 2, 3}})
local p = ffi.cast("idioms *", s)
p.next = p
print(p.x, p.next.next.x, p[0].x, p.inner.z, s.arr[2], ffi.cast("int *", p)[0])
p.arr[1] = p.arr[1] + 5
local int_buf = s.arr
local q = int_buf + 1
print(q[0], q - int_buf, (q + 2) - q, q == int_buf + 1, q > int_buf, ffi.cast("char *", q) - ffi.cast("char *", int_buf))
local exp = ffi.new("int[1]")
print(ffi.C.frexp(8, exp), exp[0])
local arr = ffi.new("const char *[3]", {"a", "bc", "def"})
print(ffi.string(arr[2]), ffi.string(arr[0]), arr[1][1])

-- To cache or not to cache.
local abs = ffi.cdef"int abs(int);" or ffi.C.abs
print(abs(-5), ffi.C.abs(-3.7))
