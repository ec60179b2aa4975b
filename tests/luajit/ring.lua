-- Data structures with metatypes: a ring buffer, a growing vector, a linked list, a bump allocator.
local ffi = require "ffi"
ffi.cdef [[
  typedef struct { int head, tail, capacity; double items[?]; } ring_t;
  typedef struct { float x, y; } pair_t;
  typedef struct vec { uint32_t n, capacity; pair_t *data; } vec_t;
  typedef struct list_node { int value; struct list_node *next; } list_node;
  typedef struct { size_t used, size; uint8_t memory[?]; } arena_t;
  void *malloc(size_t); void *realloc(void *, size_t); void free(void *);
]]

local Ring = {}
Ring.__index = Ring
Ring.__len = function(r) return (r.tail - r.head + r.capacity) % r.capacity end
Ring.__tostring = function(r) return ("ring(%d of %d)"):format(#r, r.capacity - 1) end
function Ring:push(x)
  local after = (self.tail + 1) % self.capacity
  if after == self.head then return nil, "full" end
  self.items[self.tail], self.tail = x, after
  return true
end
function Ring:pop()
  if self.head == self.tail then return nil, "empty" end
  local x = self.items[self.head]
  self.head = (self.head + 1) % self.capacity
  return x
end
local ring_t = ffi.metatype("ring_t", Ring)
local function ring(n) return ring_t(n + 1, { capacity = n + 1 }) end

local r = ring(4)
for i = 1, 5 do print(i, r:push(i / 2), #r, tostring(r)) end
for i = 1, 2 do print(r:pop()) end
print(r:push(10), r:push(11), r:push(12), r)
local sum = 0
while true do
  local x = r:pop()
  if x == nil then break end
  sum = sum + x
end
print(sum, r:pop(), ffi.sizeof(r), ffi.istype(ring_t, r))

local Vec = { __index = {} }
function Vec.__new(ct, capacity)
  local v = ffi.new(ct, 0, capacity)
  v.data = ffi.C.malloc(capacity * ffi.sizeof 'pair_t')
  return ffi.gc(v, function(self) ffi.C.free(self.data) end)
end
function Vec.__len(v) return v.n end
function Vec.__index.add(v, x, y)
  if v.n == v.capacity then
    v.capacity = v.capacity * 2
    v.data = ffi.C.realloc(v.data, v.capacity * ffi.sizeof 'pair_t')
  end
  v.data[v.n].x, v.data[v.n].y, v.n = x, y, v.n + 1
  return v
end
function Vec.__index.each(v)
  local i = -1
  return function()
    i = i + 1
    if i < v.n then return i, v.data[i].x, v.data[i].y end
  end
end
local vec = ffi.metatype("vec_t", Vec)(1)
for i = 1, 5 do vec:add(i, i / 4) end
for i, x, y in vec:each() do io.write(i, ":", x, ",", y, " ") end
print(#vec, vec.capacity, vec.data ~= nil)

local anchor, head = {}, nil
for i = 1, 4 do
  local node = ffi.new("list_node", i * i, head)
  anchor[#anchor + 1] = node
  head = node
end
local node, values = ffi.cast("list_node *", head), {}
while node ~= nil do
  values[#values + 1] = node.value
  node = node.next
end
print(table.concat(values, " -> "), head.next.next.value, head.next.next.next.next == nil)

local Arena = { __index = {} }
function Arena.__index:alloc(ct, n)
  ct = ffi.typeof(ct)
  local size = ffi.sizeof(ct) * (n or 1)
  if self.used + size > self.size then error("arena is full", 2) end
  local p = ffi.cast(ffi.typeof("$ *", ct), self.memory + self.used)
  self.used = self.used + size
  return p
end
local arena_t = ffi.metatype("arena_t", Arena)
local arena = arena_t(64, 0, 64)
local ints, point = arena:alloc("int", 4), arena:alloc("struct { double x, y; }")
ints[0], ints[3], point.x = 7, 9, 2.5
print(arena.used == 32, tonumber(arena.used), ints[0] + ints[3], point.x, point[0].y)
print(pcall(arena.alloc, arena, "char", 33))
print(tonumber(ffi.cast("uintptr_t", point) - ffi.cast("uintptr_t", ints)), ffi.cast("char *", point) - ffi.cast("char *", ints))
