-- What a sandbox has in place of functions of Lua's library. `native` has functions of Rust (library.rs).
local native, loaded, given = ...
local _G, type, rawget, select, error, tostring = _G, type, rawget, select, error, tostring
local load, loadstring, setmetatable, setfenv = load, loadstring, setmetatable, setfenv

-- C loops over more elements than this are loops of Lua here, which its hooks see.
local MANY = 10000

-- The error handler of `xpcall` would run inside the hook that ends a script, where no hook stops it.
local xpcall = xpcall
function _G.xpcall(f, handler, ...)
  if handler ~= nil then handler = native.handler(handler) end
  return xpcall(f, handler, ...)
end

-- Lua calls the finaliser of a table while no hook runs.
if native.finalizes_tables then
  function _G.setmetatable(...)
    local _, metatable = ...
    if type(metatable) == "table" and rawget(metatable, "__gc") ~= nil then
      error("not permitted: '__gc' of a table (ffi.gc gives a C value a finaliser)", 2)
    end
    return setmetatable(...)
  end
end

-- A coroutine that a hook has ended must not be closed: its variables would be closed while no hook runs.
local coroutine = coroutine
local close = coroutine.close
if native.closes_coroutines and close then
  local create, resume = coroutine.create, coroutine.resume
  function coroutine.close(...)
    if type((...)) == "thread" and native.is_ended((...)) then
      return false, "the budget of the coroutine was spent"
    end
    return close(...)
  end
  local function finish(co, ok, ...)
    if ok then return ... end
    if coroutine.status(co) == "dead" then coroutine.close(co) end
    local message = ...
    if type(message) == "string" then error(message, 3) end
    error(message, 0)
  end
  function coroutine.wrap(f)
    local co = create(f)
    return function(...) return finish(co, resume(co, ...)) end
  end
end

-- Source text only.
local function pieces(next_piece)
  local list, n = {}, 0
  while true do
    local piece = next_piece()
    if piece == nil or piece == "" then return table.concat(list) end
    if type(piece) ~= "string" then error("reader function must return a string", 3) end
    n = n + 1
    list[n] = piece
  end
end

local function load_text(chunk, name, mode, ...)
  if type(chunk) == "function" then
    if name == nil then name = "=(load)" end
    chunk = pieces(chunk)
  end
  local refused = native.refuses_text(chunk)
  if refused then return nil, refused end
  if name == nil then name = chunk end
  if loadstring then
    local f, message = loadstring(chunk, name)
    if f and setfenv and select("#", ...) > 0 then setfenv(f, (...)) end
    return f, message
  end
  return load(chunk, name, "t", ...)
end
_G.load = load_text
if loadstring then
  function _G.loadstring(chunk, name) return load_text(chunk, name) end
end

-- Modules: what the host gave, as text or as a value.
function _G.require(name)
  local value = loaded[name]
  if value ~= nil then return value end
  local source = given[name]
  if source == nil then
    error("module '" .. tostring(name) .. "' not found: the host gives no such module", 2)
  end
  local f, message = load_text(source, "@" .. name)
  if not f then error("error loading module '" .. name .. "':\n\t" .. message, 2) end
  value = f(name)
  if loaded[name] == nil then loaded[name] = value == nil and true or value end
  return loaded[name]
end

local collectgarbage = collectgarbage
function _G.collectgarbage(what)
  if what == "count" then return collectgarbage("count") end
  if what ~= nil and what ~= "collect" and what ~= "step" then
    error("not permitted: collectgarbage '" .. tostring(what) .. "'", 2)
  end
  native.tick()
  collectgarbage("collect")
  native.tick()
  return 0
end

-- C functions that call Lua functions call each other as deep as a script likes, where Lua does not count them.
if native.counts_no_depth then
  local check_depth = native.check_depth
  local function checked(f)
    return function(...)
      check_depth()
      return f(...)
    end
  end
  local wrap = coroutine.wrap
  function coroutine.wrap(f) return checked(wrap(f)) end
  coroutine.resume = checked(coroutine.resume)
  table.sort, string.format = checked(table.sort), checked(string.format)
  _G.tostring = checked(tostring)
end

local table = table
local insert, remove, sort, move = table.insert, table.remove, table.sort, table.move

function table.insert(t, ...)
  if select("#", ...) ~= 2 or type(t) ~= "table" then return insert(t, ...) end
  local position, value = ...
  local last = #t + 1
  if type(position) ~= "number" or (last - position <= MANY and position >= 1) then
    return insert(t, position, value)
  end
  if position < 1 or position > last then error("bad argument #2 to 'insert' (position out of bounds)", 2) end
  for i = last, position + 1, -1 do t[i] = t[i - 1] end
  t[position] = value
end

function table.remove(t, ...)
  local position = ...
  if position == nil or type(t) ~= "table" or type(position) ~= "number" then return remove(t, ...) end
  local size = #t
  if size - position <= MANY then return remove(t, position) end
  if position < 1 then error("bad argument #2 to 'remove' (position out of bounds)", 2) end
  local value = t[position]
  for i = position, size - 1 do t[i] = t[i + 1] end
  t[size] = nil
  return value
end

if move then
  function table.move(a, first, last, to, ...)
    if type(first) ~= "number" or type(last) ~= "number" or type(to) ~= "number" or last - first <= MANY then
      return move(a, first, last, to, ...)
    end
    local b = (...) or a
    if to > last or to <= first or a ~= b then
      for i = 0, last - first do b[to + i] = a[first + i] end
    else
      for i = last - first, 0, -1 do b[to + i] = a[first + i] end
    end
    return b
  end
end

local function less(a, b) return a < b end

-- Heapsort: no order of elements makes it slow.
local function sift(t, before, from, size)
  local value = t[from]
  while true do
    local child = 2 * from
    if child > size then break end
    if child < size and before(t[child], t[child + 1]) then child = child + 1 end
    if not before(value, t[child]) then break end
    t[from] = t[child]
    from = child
  end
  t[from] = value
end

function table.sort(t, ...)
  local before = ...
  if type(t) ~= "table" or (before ~= nil and type(before) ~= "function") then return sort(t, ...) end
  local size = #t
  if size <= MANY then return sort(t, ...) end
  before = before or less
  for i = (size - size % 2) / 2, 1, -1 do sift(t, before, i, size) end
  for last = size, 2, -1 do
    t[1], t[last] = t[last], t[1]
    sift(t, before, 1, last - 1)
  end
end

-- Strings. A pattern can take exponential time.
local string = string
local sub, rep, format = string.sub, string.rep, string.format

function string.rep(s, n, ...)
  local separator = (...) or ""
  if s == "" and separator == "" and type(n) == "number" then return "" end
  return rep(s, n, ...)
end

string.find, string.match = native.find, native.match
local next_match, concat = native.next_match, table.concat

local function text(value, n, name)
  local kind = type(value)
  if kind == "number" then return tostring(value) end
  if kind ~= "string" then
    error(format("bad argument #%d to '%s' (string expected, got %s)", n, name, value == nil and "no value" or kind), 3)
  end
  return value
end

function string.gmatch(s, pattern, init)
  s, pattern = text(s, 1, "gmatch"), text(pattern, 2, "gmatch")
  local position, last = 1, nil
  if init and not native.nothing_follows then
    position = init < 0 and #s + init + 1 or init
    if position < 1 then position = 1 end
  end
  local function step(first, final, ...)
    if not first then
      position = #s + 2
      return nil
    end
    if native.nothing_follows then
      position = final + (final < first and 2 or 1)
    else
      position, last = final + 1, final
    end
    if select("#", ...) == 0 then return sub(s, first, final) end
    return ...
  end
  return function() return step(next_match(s, pattern, position, last)) end
end

-- What `gsub` puts in, as a list of texts and of numbers of captures.
local function parts_of(replacement)
  local parts, from = {}, 1
  while true do
    local at = native.find(replacement, "%", from, true)
    parts[#parts + 1] = sub(replacement, from, (at or 0) - 1)
    if not at then return parts end
    local after = sub(replacement, at + 1, at + 1)
    local digit = after ~= "" and native.find("0123456789", after, 1, true)
    if digit then
      parts[#parts + 1] = digit - 1
    elseif after == "%" or native.patterns_of_51 then
      parts[#parts + 1] = after
    else
      error("invalid use of '%' in replacement string", 3)
    end
    from = at + 2
  end
end

local function expanded(parts, whole, ...)
  local texts, count = {}, select("#", ...)
  for i = 1, #parts do
    local part = parts[i]
    if type(part) == "number" then
      if part == 0 or (part == 1 and count == 0) then
        part = whole
      elseif part > count then
        error(format("invalid capture index %%%d in replacement string", part), 4)
      else
        part = (select(part, ...))
      end
    end
    texts[i] = part
  end
  return concat(texts)
end

function string.gsub(s, pattern, replacement, limit)
  s, pattern = text(s, 1, "gsub"), text(pattern, 2, "gsub")
  local kind = type(replacement)
  if kind == "number" then kind, replacement = "string", tostring(replacement) end
  if kind ~= "string" and kind ~= "table" and kind ~= "function" then
    error("bad argument #3 to 'gsub' (string/function/table expected, got " .. (replacement == nil and "nil" or kind) .. ")", 2)
  end
  local parts = kind == "string" and parts_of(replacement)
  local anchored = sub(pattern, 1, 1) == "^"
  local pieces, count, position, copied, last = {}, 0, 1, 1, nil
  limit = limit or #s + 1

  local function put(first, final, ...)
    if not first then return false end
    local whole = sub(s, first, final)
    local value
    if parts then
      value = expanded(parts, whole, ...)
    else
      local key = whole
      if select("#", ...) > 0 then key = (...) end
      if kind == "table" then
        value = replacement[key]
      elseif select("#", ...) > 0 then
        value = replacement(...)
      else
        value = replacement(whole)
      end
      if not value then
        value = whole
      elseif type(value) ~= "string" and type(value) ~= "number" then
        error("invalid replacement value (a " .. type(value) .. ")", 3)
      end
    end
    pieces[#pieces + 1] = sub(s, copied, first - 1)
    pieces[#pieces + 1] = value
    copied = final + 1
    if native.nothing_follows then
      position = final < first and final + 2 or final + 1
    else
      position, last = final + 1, final
    end
    return true
  end

  while count < limit and position <= #s + 1 and put(next_match(s, pattern, position, last, anchored)) do
    count = count + 1
    if anchored then break end
  end
  if count == 0 then return s, 0 end
  pieces[#pieces + 1] = sub(s, copied)
  return concat(pieces), count
end
