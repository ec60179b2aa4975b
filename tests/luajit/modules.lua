-- Chunks: modules in Lua 5.1's style, what a chunk is called with, byte-order marks, debug.getinfo of main chunks.
package.path = "./?.lua;" .. package.path
local old = require "modules_here.old_style"
print(old == modules_here.old_style, old.greet("me"), old.name, old.count, package.loaded["modules_here.old_style"] == old)
require "modules_here.nested"
print(modules_here.nested.value, modules_here.nested._M == modules_here.nested, modules_here.nested.print)
print(require "modules_here.no_value", loaded_without_value, require "modules_here.no_value")
local marked = require "modules_here.marked"
print(marked.line, marked.value, require "modules_here.marked" == marked)
print(pcall(require, "modules_here.broken"))
print((select(2, pcall(require, "modules_here.absent")):match("^[^\n]*\n[^\n]*")))
print((pcall(require)))
package.preload.given = function(...) return select("#", ...) .. " " .. tostring((...)) end
print(require "given", package.loaded.given)
table.insert(package.loaders, 2, function(name)
  if name == "found" then return function(...) return { name, select("#", ...) } end end
  return "\n\tnot by the second"
end)
print(unpack(require "found"))
print(select(2, pcall(require, "nowhere")):find("not by the second", 1, true) ~= nil)
package.preload.loop = function() require "loop" end
print((select(2, pcall(require, "loop")):gsub("^[^:]*:%d+: ", "")))

-- Marks and first lines.
local mark = "\239\187\191"
print(loadstring(mark .. "return 1")(), loadstring(mark .. "#!/bin/lua\nreturn debug.getinfo(1, 'l').currentline")())
print(loadstring("# comment\nreturn 2")(), loadstring("#")(), loadstring(mark)(), (loadstring(mark .. string.dump(print and function() end))))
print(load(coroutine.wrap(function() coroutine.yield(mark) coroutine.yield("return 3") end))())

-- Main chunks.
local info = debug.getinfo(1, "Sl")
print(info.what, info.linedefined, info.lastlinedefined, info.currentline, info.short_src)
local chunk = loadstring("local function f() return 1 == 2 end\nreturn f, debug.getinfo(1, 'S').what, debug.getinfo(f).what, debug.getinfo(f, 'S').linedefined\n", "=chunk")
print(debug.getinfo(chunk, "S").what, debug.getinfo(chunk).what, debug.getinfo(chunk, "S").linedefined, debug.getinfo(chunk, "S").lastlinedefined)
print(select(2, chunk()))
print(debug.getinfo(print).what, debug.getinfo(1, "f").func == debug.getinfo(1).func, debug.getinfo(1, "n").what, debug.getinfo(99))
print(debug.getinfo(coroutine.create(chunk), chunk, "S").what, (pcall(debug.getinfo, 1, "?")))
local thread = coroutine.create(loadstring("local x = 1 .. 2 coroutine.yield()", "=thread"))
coroutine.resume(thread)
print(debug.getinfo(thread, 1, "S").what, debug.getinfo(thread, 1, "l").currentline)
print(setfenv(chunk, { debug = debug }) == chunk, select(3, chunk()))
