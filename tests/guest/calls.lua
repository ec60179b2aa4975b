-- Calls, callbacks, memory and libraries of 32-bit code in a 64-bit process. OBJECT is tests/guest/library.c, compiled.
local host = require "ffi"
local ffi = host.target "i686-unknown-linux-gnu"
local tonumber = ffi.tonumber

local function fails(message, f, ...)
  local ok, error = pcall(f, ...)
  assert(not ok, "no error, expected: " .. message)
  assert(tostring(error):find(message, 1, true), tostring(error) .. "\nexpected: " .. message)
end

assert(ffi == host.target "i686-unknown-linux-gnu" and ffi ~= host)
assert(ffi.sizeof "void *" == 4 and ffi.sizeof "long" == 4 and ffi.sizeof "size_t" == 4)
assert(host.sizeof "void *" == 8)
assert(ffi.alignof "struct { double d; }" == 4 and ffi.sizeof "long double" == 12)
assert(ffi.abi "32bit" and not ffi.abi "64bit" and ffi.arch == "x86" and ffi.os == "Linux")

ffi.cdef [[
  struct pair { int a, b; };
  struct node { const char *name; struct node *next; double weight; };
  int counter;
  int add(int a, int b);
  long long __fastcall mul(long long a, int b);
  double __stdcall half(double x);
  float scale(float x, double by);
  long double third(long double x);
  struct pair swap(struct pair p);
  unsigned length(const char *s);
  bool negate(bool b);
  int next(void);
  int sum(int n, ...);
  double total(const struct node *n);
  void fill(int *to, int n, int (__stdcall *f)(int, void *), void *data);
  int descend(int (*f)(int), int n);
  int outside(int);
  int use_outside(int x);
]]

fails("undefined symbol 'outside'", ffi.load, OBJECT)
fails("No such file", ffi.load, "/nowhere.o")
local outside_calls = 0
local L = ffi.load(OBJECT, { outside = function(x) outside_calls = outside_calls + 1; return x * 10 end })

-- calls
assert(L.add(2, 3) == 5 and L.add(-1, 0) == -1)
assert(L.mul(1 << 40, -3) == -3 * (1 << 40))
assert(L.half(5) == 2.5 and L.scale(1.5, 2) == 3)
assert(math.abs(tonumber(L.third(10)) - 10 / 3) < 1e-15)
assert(L.negate(false) == true and L.negate(true) == false)
assert(L.length "hello" == 5 and L.length(ffi.new("char[?]", 4, "abc")) == 3)
assert(L.sum(4, ffi.new("int", 1), ffi.new("int", 2), ffi.new("int", 3), ffi.new("int", 4)) == 10)
assert(L.sum(3, 1, -2, ffi.new("int", 30)) == 29 and L.sum(2, 0xFFFFFFFF, 3) == 2)
assert(L.sum(3, 1 << 33, 5) == 7, "a large integer takes two words")
assert(L.use_outside(4) == 41 and outside_calls == 1)
local p = L.swap(ffi.new("struct pair", 1, 2))
assert(p.a == 2 and p.b == 1)
fails("bad argument #2 to 'add'", L.add, 1)
fails("bad argument #1 to 'add'", L.add, {}, 1)
fails("wrong number of arguments to 'add' (2 expected, got 3)", L.add, 1, 2, 3)

-- variables
assert(L.counter == 41)
L.counter = 99
assert(L.next() == 100 and L.counter == 100)

-- memory below 4 GiB, with pointers of 4 bytes in it
local names = { ffi.new("char[?]", 4, "abc"), ffi.new("char[?]", 3, "de") }
local second = ffi.new("struct node", names[2], nil, 2)
local first = ffi.new("struct node", names[1], second, 1.5)
assert(ffi.sizeof "struct node" == 16)
assert(L.total(first) == 3 * 1.5 + 2 * 2)
assert(first.next.weight == 2 and ffi.string(first.next.name) == "de" and first.next.next == ffi.NULL)
first.next = ffi.NULL
assert(L.total(first) == 4.5)
local address = tonumber(ffi.cast("uintptr_t", ffi.cast("void *", second)))
assert(address > 0 and address < 2 ^ 32)
fails("a Lua string is not in memory of 32-bit code", function() first.name = "text" end)
fails("out of reach of a 32-bit pointer", ffi.cast, "void *", 2 ^ 40)
fails("out of reach of a 32-bit pointer", function() first.next = io.stdout end)
assert(tonumber(ffi.cast("uintptr_t", ffi.cast("void *", -1))) == 2 ^ 32 - 1)
local big = ffi.new("uint8_t[?]", 1 << 20)
ffi.fill(big, 1 << 20, 7)
assert(big[(1 << 20) - 1] == 7)
ffi.copy(big, "copied")
assert(ffi.string(big) == "copied")

-- callbacks
local to = ffi.new "int[10]"
L.fill(to, 10, function(i, data) return i * i + tonumber(ffi.cast("int *", data)[0]) end, ffi.new("int[1]", 1))
for i = 0, 9 do assert(to[i] == i * i + 1) end
local callback = ffi.cast("int (*)(int)", function(n) return n end)
assert(L.descend(callback, 5) == 6)
callback:set(function(n) return n == 0 and 100 or L.descend(callback, n - 1) end)
assert(L.descend(callback, 10) == 111)
callback:set(function() error "from a callback" end)
fails("from a callback", L.descend, callback, 1)
callback:set(function(n) return n * 2 end)
assert(L.descend(callback, 4) == 9, "the guest goes on after an error")
callback:free()
fails("freed", function() callback(1) end)
local thread = coroutine.wrap(function() return L.descend(function(n) return n + 1 end, 1) end)
assert(thread() == 3)

-- code as bytes: mov eax, [esp+4]; imul eax, eax; ret
local square = ffi.cast("int (*)(int)", ffi.code "\x8b\x44\x24\x04\x0f\xaf\xc0\xc3")
collectgarbage()
assert(square(12) == 144)
-- stdcall code under a cdecl declaration: ret 4
first.name = ffi.cast("const char *", "kept by its pointer")
local wrong = ffi.cast("int (*)(int)", ffi.code "\x31\xc0\xc2\x04\x00")
fails("the function popped 4 bytes", function() wrong(1) end)
assert(ffi.cast("int (__stdcall *)(int)", ffi.code "\x31\xc0\xc2\x04\x00")(1) == 0)

-- a Windows target has names and rules of its own
assert(ffi.explain("int __fastcall f(int, int)"):find "ecx")
local msvc = host.target "i686-pc-windows-msvc"
assert(msvc.alignof "struct { double d; }" == 8 and msvc.explain("struct { float f; } f(void)"):find "eax")

-- what is made here is not the host's
fails("cannot convert", function() host.cdef "int abs(int);"; host.C.abs(ffi.new("int[1]")) end)
fails("there is no C library", function() return ffi.C.add end)

-- functions print their types, whatever other platforms there are
assert(tostring(L.add):find "^cdata<int %(int, int%)>: 0x" and tostring(host.C.abs):find "^cdata<int %(int%)>: 0x")
assert(tostring(print):find "^function: ")

-- until something is loaded in its place
local imports = { outside = function(x) return x * 2 end }
local globals = ffi.load(OBJECT, imports, true)
assert(ffi.C.add(2, 3) == 5 and ffi.C.use_outside(4) == globals.use_outside(4))
ffi.C.counter = 7
assert(globals.counter == 7 and L.counter == 100)
ffi.cdef "int nowhere(void);"
fails("undefined symbol 'nowhere': not in the libraries that were loaded for `ffi.C`", function() return ffi.C.nowhere end)
fails("there is no C library for i686-pc-windows-msvc", function() msvc.cdef "int f(void);" return msvc.C.f end)

-- memory comes back
for _ = 1, 2000 do ffi.new("char[100000]") end
for _ = 1, 1000 do L.length(("x"):rep(100)) end
