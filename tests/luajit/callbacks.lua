-- Callbacks: registration, event loops, errors, reuse, upvalues; as in the semantics page.
local ffi = require "ffi"
ffi.cdef [[
typedef int (*compare_t)(const void *, const void *);
void qsort(void *, size_t, size_t, compare_t);
void *bsearch(const void *, const void *, size_t, size_t, compare_t);
typedef bool (*WNDENUMPROC)(void *hwnd, long long l);
typedef struct event { int kind; union { double number; const char *text; } u; } event_t;
typedef void (*handler_t)(const event_t *e, void *userdata);
]]
local count = 0
local cb = ffi.cast("WNDENUMPROC", function(hwnd, l)
  count = count + 1
  return count < l
end)
local windows = 0
while cb(nil, 3LL) do windows = windows + 1 end
print(count, windows, ffi.istype("WNDENUMPROC", cb))
cb:free()

local handlers = {}
local function on(kind, f) handlers[kind] = f end
local dispatch = ffi.cast("handler_t", function(e, userdata)
  local h = handlers[e.kind]
  if h then h(e.kind == 1 and e.u.number or ffi.string(e.u.text), userdata ~= nil and ffi.cast("int *", userdata)[0] or nil) end
end)
on(1, function(n, u) print("number", n, u) end)
on(2, function(s, u) print("text", s, u) end)
local user = ffi.new("int[1]", 99)
local e = ffi.new("event_t", { kind = 1, u = { number = 2.5 } })
dispatch(e, user)
e.kind, e.u.text = 2, "hello"
dispatch(e, nil)
dispatch(ffi.new("event_t", { kind = 3 }), user)

local people = { "carol", "alice", "bob", "dave" }
local names = ffi.new("const char *[4]", people)
local compare = ffi.cast("compare_t", function(a, b)
  local x, y = ffi.string(ffi.cast("const char **", a)[0]), ffi.string(ffi.cast("const char **", b)[0])
  return x < y and -1 or x > y and 1 or 0
end)
ffi.C.qsort(names, 4, ffi.sizeof "char *", compare)
for i = 0, 3 do io.write(ffi.string(names[i]), " ") end
local key = ffi.new("const char *[1]", { "bob" })
local found = ffi.C.bsearch(key, names, 4, ffi.sizeof "char *", compare)
print(found ~= nil and ffi.cast("const char **", found) - ffi.cast("const char **", names))
key[0] = "eve"
print(ffi.C.bsearch(key, names, 4, ffi.sizeof "char *", compare) == nil)
compare:set(function() return 0 end)
print(compare(nil, nil))
compare:free() dispatch:free()

-- The object, not the array element, is what keeps things alive.
local list = {}
for i = 1, 100 do list[i] = ffi.gc(ffi.new("int[1]", i), function(p) count = count + p[0] end) end
count, list = 0, nil
collectgarbage() collectgarbage()
print(count)
