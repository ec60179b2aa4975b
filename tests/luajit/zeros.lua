-- Zeros have signs.
local x, n = -6, 3
print(-0, 0 * -1, -0.0, 0 - 0, 0 + -0, 1 / -0 < 0, 1 / (-6 % 3) > 0, -x % n, math.abs(-0))
print(-0 .. "", tostring(-0))
