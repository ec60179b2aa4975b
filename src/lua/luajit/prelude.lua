-- LuaJIT's globals and libraries where the running Lua has none or others. Arguments: the ffi table, and what is written in
-- Rust (src/lua/luajit/mod.rs). Returns the ffi table.
local ffi, native = ...

if _VERSION == "Luau" then error("LuaJIT mode is not for Luau, which loads no source text", 0) end
-- In LuaJIT itself there is nothing to do.
if rawget(_G, "jit") or package.loaded["ffi.luajit"] == ffi then return ffi end

local raw_type, raw_tostring, raw_tonumber = type, tostring, tonumber
local select, error, pairs, rawget, setmetatable = select, error, pairs, rawget, setmetatable
local getinfo, getupvalue, upvaluejoin = debug.getinfo, debug.getupvalue, debug.upvaluejoin
local concat, text, is_cdata = table.concat, native.text, native.is_cdata

ffi.option("null", "nil")
ffi.option("int64", "cdata")
ffi.option("uint64", "cdata")
ffi.option("enum", "cdata")
ffi.option("redeclare", "first")

-- Values -----------------------------------------------------------------------------------------------------------

function type(...)
  local name = raw_type(...)
  if (name == "userdata" or name == "function") and is_cdata(...) then return "cdata" end
  return name
end

function tostring(...)
  if raw_type((...)) == "number" then return raw_tostring(text((...))) end
  return raw_tostring(...)
end

function tonumber(...)
  if select("#", ...) == 1 or (select("#", ...) == 2 and select(2, ...) == nil) then
    return native.to_double((...))
  end
  return raw_tonumber(...)
end

local stdout = io.stdout

function print(...)
  local count = select("#", ...)
  local line = { ... }
  for i = 1, count do
    line[i] = _G.tostring(line[i])
    if raw_type(line[i]) ~= "string" then error("'tostring' must return a string to 'print'") end
  end
  stdout:write(concat(line, "\t", 1, count), "\n")
end

-- Lua 5.1's passes no arguments.
if not select(2, xpcall(function(...) return select("#", ...) == 1 end, error, 1)) then
  local own_xpcall = xpcall
  function xpcall(f, handler, ...)
    local count, arguments = select("#", ...), { ... }
    return own_xpcall(function() return f(unpack(arguments, 1, count)) end, handler)
  end
end

unpack = rawget(_G, "unpack") or table.unpack
newproxy = rawget(_G, "newproxy") or native.new_proxy
function gcinfo() return collectgarbage("count") end
_VERSION = "Lua 5.1"

-- Function environments --------------------------------------------------------------------------------------------

-- What LuaJIT has in C is here partly in Lua.
local function is_library(f)
  local info = getinfo(f, "S")
  return info.what == "C" or info.source == "=ffi.luajit"
end

if rawget(_G, "setfenv") then
  local own_setfenv = setfenv
  function setfenv(f, environment)
    if raw_type(f) == "function" and is_library(f) then
      error("'setfenv' cannot change environment of given object", 2)
    end
    local level = raw_tonumber(f)
    local changed = own_setfenv(level and level > 0 and level + 1 or f, environment)
    return changed
  end
else
  -- Of functions that have no global variables.
  local environments = setmetatable({}, { __mode = "k" })

  local function environment_of(f)
    for i = 1, 255 do
      local name, value = getupvalue(f, i)
      if name == "_ENV" then return i, value end
      if not name then return nil, environments[f] or _G end
    end
  end

  -- `level` counts from the caller of the function that asks.
  local function function_at(f, name)
    if raw_type(f) == "function" then return f end
    local level = raw_tonumber(f)
    if not level or level < 0 then error(("bad argument #1 to '%s' (number expected, got %s)"):format(name, type(f)), 3) end
    local info = getinfo(level + 2, "f")
    if not info then error(("bad argument #1 to '%s' (invalid level)"):format(name), 3) end
    return info.func
  end

  function getfenv(f)
    if f == 0 then return _G end
    local _, environment = environment_of(function_at(f or 1, "getfenv"))
    return environment
  end

  function setfenv(f, environment)
    if raw_type(environment) ~= "table" then
      error(("bad argument #2 to 'setfenv' (table expected, got %s)"):format(type(environment)), 2)
    end
    if f == 0 then error("'setfenv' cannot change the environment of a thread in this Lua", 2) end
    local target = function_at(f, "setfenv")
    if is_library(target) then
      error("'setfenv' cannot change environment of given object", 2)
    end
    local index = environment_of(target)
    if index then
      upvaluejoin(target, index, function() return environment end, 1)
    else
      environments[target] = environment
    end
    return target
  end

  debug.getfenv = function(f)
    local _, environment = environment_of(f)
    return environment
  end
  debug.setfenv = setfenv
end

-- Chunks -----------------------------------------------------------------------------------------------------------

-- Lua 5.1 asks no metamethod about the order of operands of two types.
local order
if not native.mixed_order then
  local less, at_most = native.less, native.at_most
  local function mixed(a, b) return raw_type(a) ~= raw_type(b) and (is_cdata(a) or is_cdata(b)) end
  order = {
    function(a, b) if mixed(a, b) then return less(a, b) and true or false end return a < b end,
    function(a, b) if mixed(a, b) then return at_most(a, b) and true or false end return a <= b end,
    function(a, b) if mixed(a, b) then return less(b, a) and true or false end return a > b end,
    function(a, b) if mixed(a, b) then return at_most(b, a) and true or false end return a >= b end,
  }
end

function load(chunk, name, mode, environment)
  local source = chunk
  if raw_type(chunk) == "function" then
    local pieces = {}
    for piece in chunk do
      if raw_type(piece) ~= "string" then return nil, "reader function must return a string" end
      if piece == "" then break end
      pieces[#pieces + 1] = piece
    end
    source, name = concat(pieces), name or "=(load)"
  elseif raw_type(chunk) ~= "string" then
    error(("bad argument #1 to 'load' (string expected, got %s)"):format(type(chunk)), 2)
  end
  if environment == nil then return native.load(source, name or source, mode or "bt", order) end
  return native.load(source, name or source, mode or "bt", order, environment)
end

loadstring = load

function loadfile(file, mode, environment)
  local source, name
  if file == nil then
    source, name = io.read("*a"), "=stdin"
  else
    local handle, message = io.open(file, "rb")
    if not handle then return nil, "cannot open " .. message end
    source, name = handle:read("*a"), "@" .. file
    handle:close()
    if not source then return nil, "cannot read " .. file end
  end
  return load(source:gsub("^#[^\n]*", ""), name, mode, environment)
end

function dofile(file)
  local chunk, message = loadfile(file)
  if not chunk then error(message, 0) end
  return chunk()
end

package.searchpath = package.searchpath or function(name, path, separator, replacement)
  local file = name:gsub("%" .. (separator or "."), replacement or package.config:sub(1, 1))
  local tried = {}
  for template in path:gmatch("[^;]+") do
    local candidate = template:gsub("%?", (file:gsub("%%", "%%%%")))
    local handle = io.open(candidate, "rb")
    if handle then
      handle:close()
      return candidate
    end
    tried[#tried + 1] = "\n\tno file '" .. candidate .. "'"
  end
  return nil, concat(tried)
end

package.loaders = package.searchers or package.loaders
package.loaders[2] = function(name)
  local file, tried = package.searchpath(name, package.path)
  if not file then return tried end
  local chunk, message = loadfile(file)
  if not chunk then
    error(("error loading module '%s' from file '%s':\n\t%s"):format(name, file, message), 0)
  end
  return chunk, file
end

if not rawget(_G, "module") then
  local function find_table(root, path)
    local found = root
    for name in path:gmatch("[^.]+") do
      local inner = rawget(found, name)
      if inner == nil then
        inner = {}
        found[name] = inner
      elseif raw_type(inner) ~= "table" then
        error(("name conflict for module '%s'"):format(path), 3)
      end
      found = inner
    end
    return found
  end

  function module(name, ...)
    local this = package.loaded[name]
    if raw_type(this) ~= "table" then
      this = find_table(_G, name)
      package.loaded[name] = this
    end
    if this._NAME == nil then
      this._M, this._NAME, this._PACKAGE = this, name, name:match("^(.*%.)[^.]*$") or ""
    end
    setfenv(getinfo(2, "f").func, this)
    for i = 1, select("#", ...) do select(i, ...)(this) end
  end

  function package.seeall(this)
    local metatable = getmetatable(this) or {}
    metatable.__index = _G
    setmetatable(this, metatable)
  end
end

-- Libraries --------------------------------------------------------------------------------------------------------

bit = native.bit
package.loaded.bit = bit

jit = {
  version = "LuaJIT 2.1 (cthunk " .. native.version .. ")",
  version_num = 20100,
  os = ffi.os,
  arch = ffi.arch,
  status = function() return true end,
  on = function() end,
  off = function() end,
  flush = function() end,
  attach = function() end,
  opt = { start = function() end },
}
package.loaded.jit, package.loaded["jit.opt"] = jit, jit.opt

local function library(name, value)
  return function()
    table[name] = value
    return value
  end
end
package.preload["table.new"] = library("new", function() return {} end)
package.preload["table.clear"] = library("clear", function(t)
  for key in pairs(t) do t[key] = nil end
end)

local function missing(library, functions)
  for name, value in pairs(functions) do
    if library[name] == nil then library[name] = value end
  end
end

missing(table, {
  getn = function(t) return #t end,
  maxn = function(t)
    local largest = 0
    for key in pairs(t) do
      if raw_type(key) == "number" and key > largest then largest = key end
    end
    return largest
  end,
  foreach = function(t, f)
    for key, value in pairs(t) do
      local result = f(key, value)
      if result ~= nil then return result end
    end
  end,
  foreachi = function(t, f)
    for i = 1, #t do
      local result = f(i, t[i])
      if result ~= nil then return result end
    end
  end,
  move = function(from, first, last, at, to)
    to = to or from
    local downwards = at > first and at <= last and to == from
    for i = downwards and last - first or 0, downwards and 0 or last - first, downwards and -1 or 1 do
      to[at + i] = from[first + i]
    end
    return to
  end,
})

local libm = ffi.scope()
libm.cdef [[
  double cosh(double), sinh(double), tanh(double), frexp(double, int *), ldexp(double, int);
]]
local exponent
missing(math, {
  pow = function(x, y) return x ^ y end,
  log10 = function(x) return math.log(x, 10) end,
  atan2 = function(y, x) return math.atan(y, x) end,
  cosh = function(x) return libm.C.cosh(x) end,
  sinh = function(x) return libm.C.sinh(x) end,
  tanh = function(x) return libm.C.tanh(x) end,
  ldexp = function(x, e) return libm.C.ldexp(x, e) end,
  frexp = function(x)
    exponent = exponent or ffi.new("int[1]")
    return libm.C.frexp(x, exponent), exponent[0]
  end,
})

local running = coroutine.running
function coroutine.running()
  local thread, main = running()
  if not main then return thread end
end

if raw_type(os.execute()) == "boolean" then
  local execute = os.execute
  function os.execute(command)
    if command == nil then return execute() and 1 or 0 end
    local _, how, code = execute(command)
    return how == "exit" and code * 256 or code
  end
end

string.format = native.adapt_format(string.format)

-- Numbers are doubles: the library cuts fractions off, and prints 3.0 as 3.
if native.integers then
  local function adapt(owner, name, texts, integers)
    if owner[name] then owner[name] = native.adapt(owner[name], texts, integers) end
  end
  local all = 0xffffffff
  -- Which arguments are texts and which are integers: 1 for the first, 2 for the second, 4 for the third …
  for name, sets in pairs {
    byte = { 1, 6 }, char = { 0, all }, find = { 3, 4 }, gmatch = { 3, 0 }, gsub = { 7, 8 }, len = { 1, 0 },
    lower = { 1, 0 }, upper = { 1, 0 }, reverse = { 1, 0 }, match = { 3, 4 }, rep = { 5, 2 }, sub = { 1, 6 },
  } do
    adapt(string, name, sets[1], sets[2])
  end
  adapt(_G, "select", 0, 1)
  adapt(_G, "unpack", 0, 6)
  adapt(table, "remove", 0, 2)
  adapt(math, "random", 0, all)
  adapt(math, "randomseed", 0, all)
  adapt(os, "date", 0, 2)
  adapt(os, "exit", 0, all)
  adapt(io, "write", all, 0)
  adapt(debug.getmetatable(io.stdout).__index, "write", all, 0)

  local insert, insert_at = table.insert, native.adapt(table.insert, 0, 2)
  function table.insert(t, ...)
    if select("#", ...) == 1 then return insert(t, (...)) end
    return insert_at(t, ...)
  end

  local math_type = math.type
  local function result_as_text(value)
    return math_type(value) == "float" and tostring(value) or value
  end

  local gsub = string.gsub
  function string.gsub(s, pattern, replacement, ...)
    local replace = replacement
    if raw_type(replacement) == "function" then
      replace = function(...) return result_as_text(replacement(...)) end
    elseif raw_type(replacement) == "table" then
      replace = function(key) return result_as_text(replacement[key]) end
    end
    return gsub(s, pattern, replace, ...)
  end

  function table.concat(t, separator, first, last)
    first, last = first or 1, last or #t
    if math_type(separator) then separator = tostring(separator) end
    for i = first, last do
      if math_type(t[i]) then
        local texts = {}
        for k = first, last do texts[k] = math_type(t[k]) and tostring(t[k]) or t[k] end
        return concat(texts, separator, first, last)
      end
    end
    return concat(t, separator, first, last)
  end
end

package.loaded["ffi.luajit"] = ffi
return ffi
