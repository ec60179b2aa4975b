module(..., package.seeall)
count = select("#", ...)
name = ...
function greet(who) return "hello " .. who .. " from " .. _NAME end
print("loaded", _NAME, _PACKAGE, count)
