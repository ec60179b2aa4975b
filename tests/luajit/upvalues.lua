-- debug.upvalueid and upvaluejoin, which Lua 5.1 does not have.
local shared, other = 1, 2
local function first() return shared end
local function second() return shared, other end
print(debug.upvalueid(first, 1) == debug.upvalueid(second, 1), debug.upvalueid(first, 1) == debug.upvalueid(second, 2), type(debug.upvalueid(first, 1)))
debug.upvaluejoin(first, 1, second, 2)
print(first(), second(), debug.upvalueid(first, 1) == debug.upvalueid(second, 2))
print((pcall(debug.upvalueid)), (pcall(debug.upvalueid, 1, 1)), (pcall(debug.upvalueid, first, {})), (pcall(debug.upvaluejoin, first, 9, second, 1)))
