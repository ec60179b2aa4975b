-- Memory of the host that holds pointers, flexible arrays, assignments that fail (docs/security.md, MEM-3 to MEM-5).
local C = ffi.C
local function forged(ty, n) return ffi.cast(ty .. " *", ffi.new("uint64_t[1]", { n }))[0] end
local pointer, given, null = "where it holds a pointer", "did not give out", "NULL for"
local config = C.config
local function at(offset) return ffi.cast("char *", config) + offset end
local title, hook, owner, tag = 8, 16, 24, 32
assert(ffi.offsetof("struct config", "title") == title and ffi.offsetof("struct config", "tag") == tag)

section "pointers of the host"
for name, value in pairs {
  ["its own memory"] = ffi.new("char[8]", "mine"), ["a string"] = "mine", ["a forged pointer"] = forged("const char *", 4096),
  ["a string of C"] = C.name(), ["a trusted text"] = C.trusted_name(0),
} do
  if not name:find "C" and not name:find "trusted" then
    attempt(name .. " in a member", function() config.title = value end, given)
    attempt(name .. " in a variable", function() C.title = value end, given)
    attempt(name .. " through a pointer", function() ffi.cast("const char **", at(title))[0] = value end, given)
    attempt(name .. " through a result", function() C.config_of().title = value end, given)
  end
end
for name, value in pairs {
  ["its own memory"] = ffi.cast("struct handle *", ffi.new "int[4]"), ["another handle"] = ffi.cast("struct handle *", C.other_open()),
  ["a forged pointer"] = forged("struct handle *", 4096), ["a function"] = ffi.cast("struct handle *", C.twice),
} do
  attempt(name .. " as a handle in a member", function() config.owner = value end, given)
  attempt(name .. " as a handle in a variable", function() C.owner = value end, given)
  attempt(name .. " as a handle in an array", function() C.owners[1] = value end, given)
  attempt(name .. " as a handle in a nested struct", function() C.nest["in"][1].h = value end, given)
  attempt(name .. " as a handle through a pointer", function() ffi.cast("struct handle **", at(owner))[0] = value end, given)
end
attempt("NULL in a member", function() config.title = nil end, null)
attempt("NULL in a variable", function() C.owner = nil end, null)
attempt("NULL for a function", function() config.hook = nil end, null)
attempt("NULL in a variable for a function", function() C.hook = nil end, null)
attempt("ffi.NULL in a member", function() config.owner = ffi.NULL end, null)
attempt("a function of another type", function() config.hook = C.sum end, "")
attempt("a forged function", function() config.hook = ffi.cast("int (**)(int)", ffi.new("uint64_t[1]", { 4096 }))[0] end, "permission `function_pointer_casts`")
attempt("data as a function", function() C.hook = ffi.cast("void *", ffi.new "int[1]") end, "")
attempt("a freed callback", function()
  local f = ffi.cast(ffi.typeof(config.hook), function(x) return x end)
  f:free()
  config.hook = f
end, "permission `function_pointer_casts`")
attempt("another type at a pointer", function() ffi.cast("struct other **", at(owner))[0] = C.other_open() end, pointer)
attempt("a pointer to another type at a function", function() ffi.cast("struct handle **", at(hook))[0] = C.handle_open() end, pointer)
attempt("a pointer half beside a pointer", function() ffi.cast("struct handle **", at(owner - 4))[0] = C.handle_open() end, "")

section "bytes of pointers"
for place, offset in pairs { title = title, hook = hook, owner = owner } do
  for _, size in ipairs { 1, 2, 4, 8 } do
    local ty = "uint" .. size * 8 .. "_t *"
    for inside = 0, 8 - size, math.max(8 - size, 1) do
      attempt(size .. " bytes of " .. place .. " at " .. inside, function() ffi.cast(ty, at(offset + inside))[0] = 0 end, pointer)
    end
  end
  attempt("ffi.copy over " .. place, function() ffi.copy(at(offset), ("x"):rep(8), 8) end, pointer)
  attempt("ffi.copy over the end of " .. place, function() ffi.copy(at(offset + 7), "x", 1) end, pointer)
  attempt("ffi.copy of itself over " .. place, function() ffi.copy(at(offset), at(offset), 8) end, pointer)
  attempt("ffi.fill over " .. place, function() ffi.fill(at(offset), 8) end, pointer)
  attempt("ffi.fill from before " .. place, function() ffi.fill(config, offset + 1) end, pointer)
  attempt("C over " .. place, function() C.fill_in(ffi.cast("unsigned char *", at(offset)), 8, 65) end, pointer)
  attempt("C over one byte of " .. place, function() C.fill_in(ffi.cast("unsigned char *", at(offset + 3)), 1, 65) end, pointer)
  attempt("C copies over " .. place, function()
    C.copy_apart(ffi.cast("unsigned char *", at(offset)), ffi.new("unsigned char[8]"), 8)
  end, pointer)
  attempt("a double over " .. place, function() ffi.cast("double *", at(offset))[0] = 1 end, pointer)
  attempt("a bool over " .. place, function() ffi.cast("bool *", at(offset))[0] = true end, pointer)
  attempt("a struct over " .. place, function() ffi.cast("struct pair *", at(offset))[0] = { 1, 2 } end, pointer)
  attempt("a member of a struct over " .. place, function() ffi.cast("struct pair *", at(offset)).b = 2 end, pointer)
  attempt("an array over " .. place, function() ffi.cast("char (*)[8]", at(offset))[0] = "bytes" end, pointer)
  attempt("a reference over " .. place, function() ffi.cast("int64_t (&)[1]", at(offset))[0] = 1 end, pointer)
end
attempt("a whole struct of the host", function() ffi.cast("struct config *", config)[0] = ffi.new "struct config" end, pointer)
attempt("a variable as a whole", function() C.config = ffi.new "struct config" end, pointer)
attempt("a variable from a table", function() C.config = {} end, pointer)
attempt("an array of pointers as a whole", function() C.owners = { C.handle_open() } end, pointer)
attempt("a variable of itself", function() C.config = C.config end, pointer)
attempt("a nested struct as a whole", function() C.nest["in"][0] = { c = 66 } end, pointer)
attempt("an array of structs as a whole", function() C.nest["in"] = { { c = 66 } } end, pointer)
attempt("all bytes of an array of structs", function() ffi.fill(C.nest["in"], 32) end, pointer)
attempt("a text with a NUL for C to write to", function() C.copy_text(ffi.cast("char *", at(0)), "abcdefgh", 9) end, pointer)
attempt("a trusted result as a whole", function() ffi.cast("struct config *", C.config_of())[0] = {} end, pointer)
attempt("ffi.fill of a trusted result", function() ffi.fill(C.config_of(), 16) end, pointer)
attempt("behind the array of pointers", function() ffi.cast("struct handle **", C.owners)[3] = C.handle_open() end, "24 bytes")
attempt("a metamethod that writes", function()
  ffi.metatype("struct config", { __newindex = function(self, k, v) ffi.fill(self, 16) end })
  config.nothing = 1
end, pointer)

section "flexible arrays"
attempt("an element behind", function() return C.flexible_variable.data[0] end, "bytes")
attempt("an assignment behind", function() C.flexible_variable.data[0] = 1 end, "bytes")
attempt("a table for the variable", function() C.flexible_variable = { 4, { 1, 2, 3, 4, 5 } } end, "too many")
attempt("a table for its array", function() C.flexible_variable.data = { 1 } end, "too many")
attempt("by value", function() C.by_value_flexible { 4, { 1, 2, 3, 4, 5, 6, 7, 8 } } end, "cannot be passed")
attempt("by value, very long", function()
  local t = {}
  for i = 1, 10000 do t[i] = i end
  C.by_value_flexible { 4, t }
end, "cannot be passed")
for _, room in ipairs { 0, 1, 3, 7 } do
  local function memory() return ffi.new("int[?]", 1 + room) end
  local function ones(n) local t = {} for i = 1, n do t[i] = i end return t end
  local ways = {
    ["a pointer"] = function() local m = memory() return ffi.cast("struct flexible *", m), m end,
    ["a reference"] = function() local m = memory() return ffi.cast("struct flexible &", m), m end,
    ["a reference to a reference"] = function() local m = memory() return ffi.cast("struct flexible &", ffi.cast("struct flexible &", m)), m end,
  }
  for name, get in pairs(ways) do
    local what = name .. " with room for " .. room
    attempt("an element behind, " .. what, function() return get().data[room] end, "")
    attempt("an assignment behind, " .. what, function() get().data[room] = 1 end, "")
    attempt("a table for the array, " .. what, function() local s, m = get() s.data = ones(room + 1) end, "too many")
    attempt("an element of the whole, " .. what, function() local s, m = get() ffi.cast("struct flexible *", s)[0] = { 1, ones(room + 1) } end, "too many")
  end
end

section "a failure has changed nothing"
-- Runs `change`, which fails, and compares the bytes before and after.
local function unchanged(what, object, change)
  survives(what, function()
    local before = ffi.string(ffi.cast("char *", object), ffi.sizeof(object))
    local ok, message = pcall(change)
    if ok then return "nothing stops it" end
    return ffi.string(ffi.cast("char *", object), ffi.sizeof(object)) == before
  end)
end
local a = ffi.new("struct pair[3]", { { 1, 2 }, { 3, 4 }, { 5, 6 } })
local q = ffi.cast("struct pair *", a)
local bad = { "text", {}, function() end, coroutine.create(function() end), setmetatable({}, {}), io and io.stdout or {} }
for i, value in ipairs(bad) do
  local kind = type(value) .. " " .. i
  unchanged("a " .. kind .. " for the second member", a, function() a[1] = { 9, value } end)
  unchanged("a " .. kind .. " by name", a, function() a[1] = { a = 9, b = value } end)
  unchanged("a " .. kind .. " through a pointer", a, function() q[2] = { 9, value } end)
  unchanged("a " .. kind .. " through a reference", a, function() ffi.cast("struct pair (&)[3]", a)[0] = { 9, value } end)
  unchanged("a " .. kind .. " in the last element", a, function() ffi.cast("struct pair (*)[3]", a)[0] = { { 9 }, { 9 }, { 9, value } } end)
  unchanged("a " .. kind .. " in a variable", C.table_of_four, function() C.table_of_four = { 9, 9, 9, value } end)
end
unchanged("too many members", a, function() ffi.cast("struct pair (*)[2]", a)[0] = { { 9 }, { 9 }, { 9 } } end)
unchanged("too many elements of a variable", C.table_of_four, function() C.table_of_four = { 9, 9, 9, 9, 9 } end)
unchanged("ffi.copy from what is too short", a, function() ffi.copy(a, ffi.new("char[4]"), 8) end)
unchanged("ffi.copy to what is too short", a, function() ffi.copy(a, ffi.new("char[400]"), 400) end)
unchanged("ffi.fill of what is too short", a, function() ffi.fill(a, 400) end)
unchanged("a string that is not UTF-8", a, function() ffi.cast("char16_t (*)[12]", a)[0] = "ab\255" end)
unchanged("C with a bad second argument", a, function() C.fill_in(ffi.cast("unsigned char *", a), 8, {}) end)
unchanged("C with too many bytes", a, function() C.fill_in(ffi.cast("unsigned char *", a), 25, 0) end)

section "metatables"
for name, value in pairs {
  ["a function"] = print, ["a C function"] = C.sum, ["a function of the library"] = ffi.new, ["a cdata"] = a, ["a ctype"] = ffi.typeof "int",
  ["ffi.C"] = C, ["a scope"] = ffi.scope(), ["a callback"] = ffi.cast(ffi.typeof(config.hook), print), ["a number"] = ffi.new("int64_t", 1),
  ["a reference"] = q[1], ["a handle"] = C.handle_open(), ["a userdata of the host"] = userdata,
} do
  attempt("of " .. name, function()
    local metatable = getmetatable(value)
    metatable.__index = metatable
  end, "")
  if type(value) ~= "table" then
    attempt("set for " .. name, function() setmetatable(value, {}) end, "")
  end
end

-- What is permitted works, and C finds its pointers as they were.
config.owner, C.owner, C.owners[2], C.nest["in"][0].h = C.handle_open(), C.handle_open(), C.handle_open(), C.handle_open()
ffi.cast("struct handle **", at(owner))[0] = C.handle_open()
config.hook, C.hook = C.twice, C.twice
assert(C.check_config() == 4)
config.level, config.tag, config.pairs = 5, "other", { { 7, 8 }, { 9, 10 } }
config.pairs[1] = { 11, 12 }
ffi.copy(config.tag, "copied")
C.fill_in(ffi.cast("unsigned char *", config.tag), 8, 66)
C.nest.before, C.nest["in"][1].c, C.nest.after = 3, 67, 4
assert(config.level == 5 and config.pairs[1].b == 12 and ffi.string(config.tag, 8) == "BBBBBBBB" and ffi.tonumber(C.nest.after) == 4)
config.hook = function(x) return x + 40 end
assert(C.check_config() == 43)
config.hook = C.twice
assert(C.check_config() == 4)
