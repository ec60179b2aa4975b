-- FFI Tutorial, section by section
local ffi = require "ffi"

-- "Accessing Standard System Functions"
ffi.cdef [[
int snprintf(char *str, size_t size, const char *fmt, ...);
int poll(struct pollfd *fds, unsigned long nfds, int timeout);
]]
check(ffi.C.poll(nil, 0, 1) == 0)
local sleep = function(s) return ffi.C.poll(nil, 0, s * 1000) end
check(sleep(0.001) == 0)
local out = ffi.new("char[?]", 64)
check(ffi.C.snprintf(out, 64, "Hello %s!", "world") == 12)
check(ffi.string(out) == "Hello world!")

-- The first example of the FFI's own page: an array of structs instead of a table of tables.
ffi.cdef [[ typedef struct { uint8_t red, green, blue, alpha; } tut_pixel; ]]
local function image_ramp_green(n)
  local img = ffi.new("tut_pixel[?]", n)
  local f = 255 / (n - 1)
  for i = 0, n - 1 do
    img[i].green = i * f
    img[i].alpha = 255
  end
  return img
end
local function image_to_grey(img, n)
  for i = 0, n - 1 do
    local y = 0.3 * img[i].red + 0.59 * img[i].green + 0.11 * img[i].blue
    img[i].red, img[i].green, img[i].blue = y, y, y
  end
end
local n = 400
local img = image_ramp_green(n)
check(ffi.sizeof(img) == n * 4)
check(img[0].green == 0)
check(img[n - 1].green == 255)
check(img[200].green == 127)
image_to_grey(img, n)
check(img[200].red == 74)
check(img[200].green == 74)
check(img[200].blue == 74)
check(img[200].alpha == 255)
check(img[n - 1].red == 150)

-- "Accessing the zlib Compression Library": the shape of its functions, with libc's own.
ffi.cdef [[
unsigned long strtoul(const char *s, char **end, int base);
const char *strerror(int e);
void *memchr(const void *s, int c, size_t n);
]]
local function parse(text)
  local buf = ffi.new("char[?]", #text + 1, text)
  local stop = ffi.new "char *[1]"
  local value = ffi.C.strtoul(buf, stop, 16)
  return num(value), stop[0] - buf
end
local value, used = parse "ff rest"
check(value == 255)
check(used == 2)
local bytes = ffi.new("uint8_t[?]", 10)
local length = ffi.new("unsigned long[1]", 10)
check(num(length[0]) == 10)
length[0] = 5
check(ffi.string(bytes, length[0]) == "\0\0\0\0\0", "a boxed length is a length")
check(#ffi.string(ffi.C.strerror(2)) > 0)

-- "Defining Metamethods for a C Type"
ffi.cdef [[ typedef struct { double x, y; } tut_point; ]]
local point
local mt = {
  __add = function(a, b) return point(a.x + b.x, a.y + b.y) end,
  __len = function(a) return math.sqrt(a.x * a.x + a.y * a.y) end,
  __index = { area = function(a) return a.x * a.x + a.y * a.y end },
}
point = ffi.metatype("tut_point", mt)
local a = point(3, 4)
check(a.x == 3)
check(a.y == 4)
check(#a == 5)
check(a:area() == 25)
local b = a + point(0.5, 8)
check(b.x == 3.5)
check(b.y == 12)
check(#b == 12.5)
local points = ffi.new("tut_point[3]", { { 1, 2 }, { 3, 4 } })
check(#points[1] == 5, "the metatype applies to elements, too")
check(points[0]:area() == 5)
check((points[0] + points[1]).y == 6)

-- A fake type for handles that a library calls void *; __index is the library's namespace.
ffi.cdef [[
typedef struct tut_handle tut_handle;
tut_handle *tut_make(size_t n) __asm__("malloc");
void tut_drop(tut_handle *h) __asm__("free");
size_t length_of(const void *s) __asm__("strlen");
struct tut_text { char text[16]; };
]]
local handle = ffi.gc(ffi.C.tut_make(100), ffi.C.tut_drop)
check(tostring(handle):find "^cdata<struct tut_handle %*>: 0x")
check(ffi.istype("tut_handle *", handle))
ffi.C.tut_drop(ffi.gc(handle, nil))
ffi.metatype("struct tut_text", { __index = ffi.C })
check(num(ffi.new("struct tut_text", { "four" }):length_of()) == 4)

-- "Translating C Idioms"
local p = ffi.new("int[4]", 1, 2, 3, 4) + 0
local x = p[0]
check(x == 1, "x = *p")
p[0] = 10
check(p[0] == 10, "*p = y")
local i = 2
x = p[i]
check(x == 3, "x = p[i]")
p[i + 1] = 40
check(p[3] == 40, "p[i+1] = y")
local arr = ffi.new("int[4]")
arr[i + 1] = 7
check(arr[i + 1] == 7, "a[i+1] = y")
ffi.cdef [[ struct tut_foo { int field; }; ]]
local s = ffi.new "struct tut_foo"
s.field = 5
check(s.field == 5, "s.field")
local sp = ffi.new("struct tut_foo *", s)
check(sp.field == 5, "sp->field")
sp.field = 6
check(s.field == 6, "sp->field = y")
check((p + i)[0] == 3, "p + i")
check((p + i - 2)[0] == 10, "p - i")
check((p + 3) - p == 3, "p1 - p2")
check((arr + 3)[0] == 7, "&a[i]")
local address = num(ffi.cast("intptr_t", p))
check(type(address) == "number", "(intptr_t)p")
check(ffi.cast("int *", address) == p, "and back")
ffi.cdef [[ double frexp(double x, int *exp); double modf(double x, double *whole); ]]
local exponent = ffi.new("int[1]", 99)
check(ffi.C.frexp(8, exponent) == 0.5, "an out-argument")
check(exponent[0] == 4, "its value")
local whole = ffi.new "double[1]"
check(ffi.C.modf(3.25, whole) == 0.25)
check(whole[0] == 3)
ffi.C.snprintf(out, 64, "%g %d", 0.5, ffi.new("int", 1))
check(ffi.string(out) == "0.5 1", "variable arguments")

-- "To Cache or Not to Cache": both work.
local C = ffi.C
local frexp = C.frexp
check(C.frexp(1, exponent) == frexp(1, exponent))
check(C.frexp == frexp)
check(rawequal(C, ffi.C))
