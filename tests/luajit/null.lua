-- NULL is a cdata that equals nil: it has a type, is true, and is added to.
local ffi = require "ffi"
ffi.cdef "struct N { struct N *next; int v; char *s; void (*f)(void); }; char *getenv(const char *); void *calloc(size_t, size_t); void free(void *);"
local n = ffi.new "struct N"
print(n.next == nil, nil == n.next, n.next ~= nil, type(n.next), tostring(n.next), not n.next, n.s == ffi.NULL, n.next == ffi.cast("void *", 0))
print(ffi.C.getenv "NOPE_X" == nil, type(ffi.C.getenv "NOPE_X"), ffi.C.getenv "NOPE_X" and "truthy" or "falsy")
local t = { n.next, n.s, n.f } print(#t, select("#", n.next, n.s))
local p = n.next local c = 0 while p ~= nil do c = c + 1 p = p.next end print(c)
local cb = ffi.cast("int (*)(const char *, struct N *)", function(s, q) print(s == nil, type(s), q == nil, type(q)) return s == nil and 1 or 0 end)
print(cb(nil, nil), cb("x", n)) cb:free()
print(ffi.cast("intptr_t", n.next), tonumber(ffi.cast("intptr_t", n.s)), ffi.istype("struct N *", n.next), ffi.istype("void *", n.next))
n.next = n n.next = nil print(n.next == nil) n.next = ffi.NULL
local g = ffi.gc(n.next, function() print "gc" end) print(g == nil, type(g)) ffi.gc(g, nil)
print(ffi.new("int *") == nil, ffi.new("int *[2]")[1] == nil, type(ffi.new("int *[2]")[1]), next({ [tostring(n.s)] = 1 }))
local s = {} s[1] = n.next print(#s, s[1] == nil, rawequal(s[1], nil))
print(n.s + 5 == ffi.cast("char *", 5), n.s - n.s, n.next < n.next + 1, n.f == nil, type(n.f))
-- A buffer that begins as NULL.
local b = ffi.new "struct { char *at, *last; }"
local function reserve(size)
  if b.at + size <= b.last then return "room" end
  return "full"
end
print(reserve(16), reserve(0), b.at ~= nil)
