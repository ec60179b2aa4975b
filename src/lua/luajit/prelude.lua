-- LuaJIT's globals and libraries where the running Lua has none or others. Arguments: the ffi table, and what is written in
-- Rust (src/lua/luajit/mod.rs). Returns the ffi table.
local ffi, native = ...

if _VERSION == "Luau" then error("LuaJIT mode is not for Luau, which loads no source text", 0) end
-- In LuaJIT itself there is nothing to do.
if rawget(_G, "jit") or package.loaded["ffi.luajit"] == ffi then return ffi end

local raw_type, raw_tostring, raw_tonumber = type, tostring, tonumber
local select, error, next, rawget, setmetatable = select, error, next, rawget, setmetatable
local getinfo, getupvalue, upvaluejoin = debug.getinfo, debug.getupvalue, debug.upvaluejoin
local concat, text, is_cdata = table.concat, native.text, native.is_cdata

ffi.option("null", "cdata")
ffi.option("int64", "cdata")
ffi.option("uint64", "cdata")
ffi.option("enum", "cdata")
ffi.option("redeclare", "first")
ffi.option("functions", "count")
ffi.option("varargs", "luajit")
ffi.option("wide", "none")

-- Values -----------------------------------------------------------------------------------------------------------

type, tostring, tonumber, getmetatable = native.type_of, native.to_string, native.to_number, native.get_metatable

local file_methods = debug.getmetatable(io.stdout).__index
print = native.print_with(tostring, file_methods.write, io.stdout)

-- Lua 5.1's passes no arguments.
if not select(2, xpcall(function(...) return select("#", ...) == 1 end, error, 1)) then
  local own_xpcall = native.adapt(xpcall, ".f.")
  function xpcall(f, handler, ...)
    local count, arguments = select("#", ...), { ... }
    return own_xpcall(function() return f(unpack(arguments, 1, count)) end, handler)
  end
end

-- Lua 5.1's raises texts only, Lua 5.5's no nil.
if raw_type(select(2, pcall(assert, false, {}))) ~= "table" or native.nil_error then
  local own_assert = assert
  function assert(...)
    if select("#", ...) < 2 or (...) then return own_assert(...) end
    local message = select(2, ...)
    if message == nil then message = native.nil_error end
    error(message, 0)
  end
end

unpack, newproxy = native.unpack, native.new_proxy
pairs, ipairs = native.pair_with(next), native.ipairs
function gcinfo() return collectgarbage("count") end
_VERSION = "Lua 5.1"

-- The error of an argument of a function of this file, for the place where it was called.
local function check(ok, n, name, wanted, ...)
  if ok then return end
  local got = select("#", ...) == 0 and "no value" or type((...))
  error(("bad argument #%d to '%s' (%s expected, got %s)"):format(n, name, wanted, got), 3)
end

local function is_text(value) return raw_type(value) == "string" or raw_type(value) == "number" end
local function number_of(value) return not is_cdata(value) and tonumber(value) end
local function is_function(f) return raw_type(f) == "function" and not is_cdata(f) end

-- Function environments --------------------------------------------------------------------------------------------

-- Some functions are in C in LuaJIT, and in Lua here.
local function is_library(f)
  local info = getinfo(f, "S")
  return info.what == "C" or info.source == "=ffi.luajit"
end

if rawget(_G, "setfenv") then
  local own_setfenv, own_debug_getfenv, own_debug_setfenv = setfenv, debug.getfenv, debug.setfenv
  getfenv = native.adapt(getfenv, "i.")
  function debug.getfenv(...)
    if is_cdata((...)) then return nil end
    return own_debug_getfenv(...)
  end
  function debug.setfenv(object, environment)
    if is_cdata(object) then error("'setfenv' cannot change environment of given object", 2) end
    return own_debug_setfenv(object, environment)
  end
  function setfenv(f, environment)
    if is_cdata(f) then
      error(("bad argument #1 to 'setfenv' (number expected, got %s)"):format(type(f)), 2)
    end
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
    if raw_type(f) == "function" and not is_cdata(f) then return f end
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

  debug.getfenv = function(...)
    local f = ...
    check(select("#", ...) > 0, 1, "getfenv", "value", ...)
    if raw_type(f) == "thread" or raw_type(f) == "userdata" and not is_cdata(f) then return _G end
    if not is_function(f) then return nil end
    local _, environment = environment_of(f)
    return environment
  end
  debug.setfenv = setfenv
end

-- Chunks -----------------------------------------------------------------------------------------------------------

function load(chunk, name, mode, environment)
  local source = raw_type(chunk) == "number" and tostring(chunk) or chunk
  if raw_type(name) == "number" then name = tostring(name) end
  if raw_type(mode) == "number" then mode = tostring(mode) end
  if raw_type(chunk) == "function" and not is_cdata(chunk) then
    local pieces = {}
    while true do
      local read, piece = pcall(chunk)
      if not read then return nil, piece end
      if piece == nil then break end
      if not is_text(piece) then return nil, "reader function must return a string" end
      if piece == "" then break end
      pieces[#pieces + 1] = tostring(piece)
    end
    source, name = concat(pieces), name or "=(load)"
  elseif raw_type(source) ~= "string" then
    error(("bad argument #1 to 'load' (function expected, got %s)"):format(type(chunk)), 2)
  end
  if name ~= nil and raw_type(name) ~= "string" then
    error(("bad argument #2 to 'load' (string expected, got %s)"):format(type(name)), 2)
  end
  if environment == nil then return native.load(source, name or source, mode or "bt") end
  return native.load(source, name or source, mode or "bt", environment)
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
  return load(source, name, mode, environment)
end

function dofile(file)
  local chunk, message = loadfile(file)
  if not chunk then error(message, 0) end
  return chunk()
end

package.searchpath = package.searchpath or function(...)
  local name, path, separator, replacement = ...
  check(is_text(name), 1, "searchpath", "string", ...)
  check(is_text(path), 2, "searchpath", "string", select(2, ...))
  check(separator == nil or is_text(separator), 3, "searchpath", "string", separator)
  check(replacement == nil or is_text(replacement), 4, "searchpath", "string", replacement)
  local escaped = (separator == nil and "." or tostring(separator)):gsub("%W", "%%%0")
  replacement = replacement == nil and package.config:sub(1, 1) or tostring(replacement)
  local file, tried = tostring(name), {}
  if escaped ~= "" then file = file:gsub(escaped, (replacement:gsub("%%", "%%%%"))) end
  path = tostring(path)
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

-- LuaJIT's passes a module its name and nothing else, for `module(...)`.
do
  local loaded, loading = package.loaded, newproxy()
  local message = "module '%s' not found:%s"

  local function find_loader(name)
    local tried = {}
    if raw_type(package.loaders) ~= "table" then error("'package.loaders' must be a table", 3) end
    for i = 1, math.huge do
      local searcher = rawget(package.loaders, i)
      if searcher == nil then error(message:format(name, concat(tried)), 3) end
      local loader, value = searcher(name)
      if raw_type(loader) == "function" then return loader, value end
      if raw_type(loader) == "string" then
        -- The searchers of Lua 5.4 leave the beginning of the line to their caller.
        tried[#tried + 1] = loader:find("^\n") and loader or "\n\t" .. loader
      end
    end
  end

  function require(...)
    local name = ...
    if raw_type(name) == "number" then name = tostring(name) end
    if raw_type(name) ~= "string" then
      local got = select("#", ...) == 0 and "no value" or type(name)
      error(("bad argument #1 to 'require' (string expected, got %s)"):format(got), 2)
    end
    local value = loaded[name]
    if value == loading then
      error(("loop or previous error loading module '%s'"):format(name), 2)
    elseif value then
      return value
    end
    local loader = find_loader(name)
    loaded[name] = loading
    value = loader(name)
    if value ~= nil then
      loaded[name] = value
    elseif loaded[name] == loading then
      loaded[name] = true
    end
    return loaded[name]
  end
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
    if raw_type(this) ~= "table" then
      error(("bad argument #1 to 'seeall' (table expected, got %s)"):format(type(this)), 2)
    end
    local metatable = getmetatable(this) or {}
    metatable.__index = _G
    setmetatable(this, metatable)
  end
end

-- Libraries --------------------------------------------------------------------------------------------------------

ffi.typeinfo = native.typeinfo

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
package.preload["table.new"] = library("new", function(...)
  local items, keys = ...
  check(number_of(items), 1, "new", "number", ...)
  check(number_of(keys), 2, "new", "number", select(2, ...))
  return {}
end)
package.preload["table.clear"] = library("clear", function(...)
  local t = ...
  check(raw_type(t) == "table", 1, "clear", "table", ...)
  for key in next, t do t[key] = nil end
end)

local function missing(library, functions)
  for name, value in next, functions do
    if library[name] == nil then library[name] = value end
  end
end

missing(table, {
  getn = function(...)
    local t = ...
    check(raw_type(t) == "table", 1, "getn", "table", ...)
    return #t
  end,
  maxn = function(...)
    local t, largest = ..., 0
    check(raw_type(t) == "table", 1, "maxn", "table", ...)
    for key in next, t do
      if raw_type(key) == "number" and key > largest then largest = key end
    end
    return largest
  end,
  foreach = function(...)
    local t, f = ...
    check(raw_type(t) == "table", 1, "foreach", "table", ...)
    check(is_function(f), 2, "foreach", "function", select(2, ...))
    for key, value in next, t do
      local result = f(key, value)
      if result ~= nil then return result end
    end
  end,
  foreachi = function(...)
    local t, f = ...
    check(raw_type(t) == "table", 1, "foreachi", "table", ...)
    check(is_function(f), 2, "foreachi", "function", select(2, ...))
    for i = 1, #t do
      local result = f(i, t[i])
      if result ~= nil then return result end
    end
  end,
})

-- Lua 5.3's counts a fraction as an error, and takes anything that has the metamethods.
function table.move(...)
  local from, first, last, at, to = ...
  check(raw_type(from) == "table", 1, "move", "table", ...)
  first, last, at = number_of(first), number_of(last), number_of(at)
  check(first, 2, "move", "number", select(2, ...))
  check(last, 3, "move", "number", select(3, ...))
  check(at, 4, "move", "number", select(4, ...))
  if to == nil then to = from end
  check(raw_type(to) == "table", 5, "move", "table", select(5, ...))
  local downwards = at > first and at <= last and to == from
  for i = downwards and last - first or 0, downwards and 0 or last - first, downwards and -1 or 1 do
    to[at + i] = from[first + i]
  end
  return to
end

for _, name in ipairs { "atan2", "cosh", "frexp", "ldexp", "log10", "pow", "sinh", "tanh" } do
  math[name] = native[name]
end
-- These compute with cdata, too.
function math.deg(...)
  local x = ...
  check(is_cdata(x) or raw_tonumber(x), 1, "deg", "number", ...)
  return x * (180 / math.pi)
end
function math.rad(...)
  local x = ...
  check(is_cdata(x) or raw_tonumber(x), 1, "rad", "number", ...)
  return x * (math.pi / 180)
end

local own_running = coroutine.running
local function running()
  local thread, main = own_running()
  return not main and thread or nil
end
coroutine.running = running
missing(coroutine, { isyieldable = function() return running() ~= nil end })

-- Lua 5.1's makes none of a C function.
if not pcall(coroutine.create, print) then
  for _, name in ipairs { "create", "wrap" } do
    local own = coroutine[name]
    coroutine[name] = function(...)
      local f = ...
      check(is_function(f), 1, name, "function", ...)
      return own(getinfo(f, "S").what == "C" and function(...) return f(...) end or f)
    end
  end
end

if raw_type(os.execute()) == "boolean" then
  local execute = os.execute
  function os.execute(command)
    if command == nil then return execute() and 1 or 0 end
    local _, how, code = execute(command)
    return how == "exit" and code * 256 or code
  end
end

-- Numbers are doubles: the library cuts fractions off, and prints 3.0 as 3. It takes no cdata for a table or a function.

os.difftime, os.date = native.diff_time, native.date_with(os.date)

-- Lua 5.2 and later are strict about the mode of a file; C is not, nor LuaJIT.
local open = io.open
function io.open(...)
  local file, mode = ...
  if is_text(mode) then
    mode = tostring(mode)
    local kind = mode:match("^[rwa]")
    if not kind and is_text(file) then return nil, file .. ": Invalid argument", 22 end
    mode = (kind or "r") .. (mode:find("+", 1, true) and "+" or "") .. (mode:find("b", 1, true) and "b" or "")
  end
  check(is_text(file), 1, "open", "string", ...)
  check(mode == nil or is_text(mode), 2, "open", "string", select(2, ...))
  return open(file, mode)
end

-- Lua 5.1's takes nil for a file.
if not pcall(io.lines, nil) then
  local own_lines = native.adapt(io.lines, "s.")
  function io.lines(...)
    if (...) == nil then return own_lines() end
    return own_lines(...)
  end
end

-- How a process ended is no result of closing it.
local close = file_methods.close
function file_methods.close(...)
  local closed, how, code = close(...)
  if how == nil or how == "exit" or how == "signal" then return true end
  return closed, how, code
end

local time = os.time
function os.time(date)
  check(date == nil or raw_type(date) == "table", 1, "time", "table", date)
  if date == nil then return time() end
  local whole = { isdst = date.isdst }
  for _, field in ipairs { "year", "month", "day", "hour", "min", "sec" } do
    local value = number_of(date[field])
    whole[field] = value and (value < 0 and math.ceil(value) or math.floor(value))
  end
  return time(whole)
end

-- Lua 5.2's counts bytes apart, too.
local collect = native.adapt(collectgarbage, "si.")
function collectgarbage(...) return (collect(...)) end

local gethook = debug.gethook
function debug.gethook(...)
  local hook, mask, count = gethook(...)
  return hook, mask or "", count or 0
end

-- Lua 5.1's has no separator.
if ("x"):rep(2, ",") ~= "x,x" then
  local own_rep = native.adapt(string.rep, "sis.")
  function string.rep(...)
    local text, count, separator = ...
    check(is_text(text), 1, "rep", "string", ...)
    check(number_of(count), 2, "rep", "number", select(2, ...))
    if separator == nil then return own_rep(text, count) end
    check(is_text(separator), 3, "rep", "string", select(3, ...))
    count = number_of(count)
    if count < 2 then return own_rep(text, count) end
    return own_rep(text .. separator, count - 1) .. text
  end
end
string.format = native.adapt_format(string.format)
debug.getinfo = native.adapt_info(debug.getinfo)
-- C functions have an order, as their addresses have. (The metatable of functions is the library's.)
local of_functions = debug.getmetatable(print)
if of_functions then of_functions.__lt, of_functions.__le = native.less, native.at_most end
local metatable_of = debug.getmetatable
function debug.getmetatable(...)
  local value = ...
  local metatable = metatable_of(...)
  if metatable == of_functions and not is_cdata(value) then return nil end
  return metatable
end
table.insert, table.remove, table.concat = native.insert, native.remove, native.concat
math.random, math.randomseed = native.random, native.randomseed

-- The kind of each argument: s a text, i an integer, l a long one, d a double, k a key, t a table, m a table or nil, f a function,
-- F a function or nil, c a coroutine, r what gsub takes, . anything. The last letter is for all arguments that follow, too; a ! drops these. With a = at the end
-- the result is true in the place of a file, with a ? the last result may be an error that is nil. b where a search begins, n a number as text, e the message of an error.
local arguments = {
  [_G] = { next = "tk!", rawget = "t.", rawset = "t.", select = "i.", setmetatable = "tm!", xpcall = ".f." },
  [string] = {
    byte = "sii.", char = "i", dump = "f!", find = "ssb.", gmatch = "ss!", gsub = "ssri.", len = "s.", lower = "s.", match = "ssb!",
    rep = "sis.", reverse = "s.", sub = "sii.", upper = "s.",
  },
  [table] = { foreach = "tf.", foreachi = "tf.", getn = "t.", maxn = "t.", sort = "tF!" },
  [math] = { atan = ".!", fmod = "d" },
  [coroutine] = { create = "f.", isyieldable = "!", resume = "c.?", status = "c.", wrap = "f." },
  [debug] = { getlocal = "i.", getupvalue = "fi.", setupvalue = "fi.", traceback = "nii", upvalueid = "fi.", upvaluejoin = "fifi." },
  [io] = { lines = "s.", write = "s=", flush = ".=" },
  [os] = { exit = "i.", getenv = "s.", remove = "s.", rename = "s.", setlocale = "s." },
  [package] = { loadlib = "s.", searchpath = "s." },
  [file_methods] = { write = ".s=", seek = ".sl." , read = ".i", setvbuf = ".si.", flush = ".=" },
}
for library, functions in next, arguments do
  for name, letters in next, functions do
    local own = rawget(library, name)
    if own then library[name] = native.adapt(own, letters) end
  end
end

_G.error = native.adapt_error(error)
if native.nil_error then pcall, xpcall = native.pcall, native.xpcall end

math.log = native.log
math.floor, math.ceil, math.modf = native.floor, native.ceil, native.modf
math.max, math.min = native.max, native.min

if native.integers then
  -- Programs ask for these to know whether numbers are integers or floats.
  for _, name in ipairs { "type", "tointeger", "ult", "maxinteger", "mininteger" } do math[name] = nil end
end

package.loaded["ffi.luajit"] = ffi
return ffi
