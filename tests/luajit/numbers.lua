-- Numbers: remainders and zeros, tonumber, imaginary literals, rounding, random numbers.
local x, n = -6, 3
print(-6 % 3, x % n, 6 % -3, x % -n, -7 % 3, 7 % -3, 5.5 % 2, -5.5 % 2, 5.5 % -2, 0 % 5, -0 % 5, 1e15 % 7, 2^53 % 10)
print(1 % 0, 5 % math.huge, -5 % math.huge, math.huge % 2, 0/0 % 1, #{} % #{}, #{ 1 } % #{}, 5 % -5)
print(math.fmod(-6, 3), math.fmod(6, -3), math.fmod(-7, 3), math.fmod(7.5, 2), math.fmod(1, 0), math.fmod(#{ 1 }, #{}), math.fmod(-1, math.huge))
print(math.floor(-0.5), math.ceil(-0.5), math.floor(-3.5), math.ceil(3.2), math.floor("2.7"), math.floor(1e300), math.floor(2^53), math.ceil(-1e15))
print(math.modf(-3.7), math.modf(5), math.modf(-0.5), math.modf(math.huge), math.max(1, 2.5), math.min(-0, 0), math.sqrt(16), math.frexp(8), math.ldexp(0.5, 4))
print(10 / 2, 7 / 2, 2^10, 1e15, 1e14, 123456789012345, 1e100, 2^63, -2^63, 0.1, 1/3, 100, 1e2, 3.0, 1e15 + 0.5)
for i = 3, 1, -1 do io.write(i, " ", i % 2, " ") end print()
for i = 1, 2, 0.5 do io.write(i, " ") end print()

for _, text in ipairs { "0x10", " 10 ", "1e1", "0b11", "inf", "-inf", "infinity", "nan", "1e", "0x", "", " ", "1 1", "1LL", "1i", "0x1p4", "0x.8", "5.", ".5", ".", "1_0", "+5", "- 5",
  "--5", "1e+5", "1e-5", "0X1F", "1E2", "\t7\n", "7\0", "0b2", "08", "1e400", "-0", "0x1.8p1" } do
  io.write(("%q"):format(text), "=", tostring(tonumber(text)), " ")
end
print()
for _, case in ipairs { { 644, 8 }, { "644", 8 }, { "ff", 16 }, { "0xff", 16 }, { "zz", 36 }, { "ZZ", 36 }, { "  -7f ", 16 }, { "8", 8 }, { "", 10 }, { "", 2 }, { "1.5", 8 },
  { 12.5, 8 }, { "10", 2 }, { "99999999999999999999", 11 }, { "+11", 2 }, { "- 1", 2 }, { 10, 10 }, { "1e1", 10 }, { "0x", 16 }, { "7fffffffffffffff", 16 }, { "-1", 36 }, { "10", 2.9 } } do
  io.write(tostring(case[1]), "/", case[2], "=", tostring(tonumber(case[1], case[2])), " ")
end
print()
print((pcall(tonumber)), (pcall(tonumber, "1", 1)), (pcall(tonumber, "1", 37)), (pcall(tonumber, {}, 8)), tonumber(nil), tonumber({}), tonumber("7", nil), tonumber(true), (pcall(tonumber, nil, 8)))

print(2.5i, -12.5i, -(12.5i), - -12.5i, -0i, 0x10i, 1e3i, -1LL, -(1LL), - -5ULL, -9223372036854775807LL - 1, 0xffffffffffffffffULL)

math.randomseed(42)
local drawn = {}
for i = 1, 8 do drawn[i] = math.random(100) end
print(table.concat(drawn, " "), ("%.17g"):format(math.random()), math.random(-5, 5), math.random(1, 2^40), math.random(2.5), math.random(0), math.random(5, 1))
math.randomseed(2^40 + 0.5) print(math.random(1e9), math.random("10"))
math.randomseed("7") print(math.random(1000), (pcall(math.randomseed)), (pcall(math.random, "x")), (pcall(math.random, {}, 1)))
print(select("#", math.randomseed(1)))

print(("x"):rep(2.9), ("abc"):sub(1.9, 2.9), ("abc"):byte(-1.5), select(2.9, 1, 2, 3), ("abc"):sub(-math.huge), ("abc"):sub(1, math.huge), ("x"):rep(2^32), ("x"):rep(-2^40))
local list = { 1, 2, 3 }
table.insert(list, 2.7, "a") table.insert(list, 9, "far") print(list[2], list[3], list[9], table.remove(list, 1.5), table.remove(list, 99), table.remove({}))
print(table.concat({ 1, 2.5, 3.0, "x", 1e15, 2^53 }, 0.5), table.concat({ 1, 2, 3 }, ", ", 2.9, 3.1), table.concat({}, "x"), unpack({ 1, 2, 3 }, 1.9, 2.9))
print(("%d %5.1f %g %s %x %u %c %i"):format(3.99, 2.25, 1e20, 4.0, 255.9, -1, 65.5, -3.5), ("%q %q"):format(1, 2.5), ("%s"):format(#"abc"), ("%5s|%-5s|%.2s"):format(1, 2.0, "abc"))
print(("%.3f %.0f %e %a"):format(2.0005, 0.5, 1, 1), ("%g %g %g"):format(0/0, 1/0, -1/0), ("%d"):format(-0.5), ("%5d|%-5d|%05d|%+d"):format(1, 2, 3, 4), ("%%"):format())
print(tostring(0/0), tostring(-(0/0)), 1/0, -1/0, 0/0 == 0/0, tostring(1e15), tostring(-1e-5), 1e15 .. "", 2^31 .. "")
-- A NaN has no sign.
local nan, minus = 0 / 0, -(0 / 0)
for _, format in ipairs { "%g", "%+g", "% g", "%+ g", "%5.1f|", "%-7E|", "%+a", "%A", "%+08.3f|", "%#g", "% 6e|", "%+G" } do
  print(format, format:format(nan), format:format(minus), format:format(1 / 0), format:format(-1 / 0), (format .. " %+d"):format(minus, 3))
end
print(("%+g %+g %d"):format(nan, 1.5, 2), ("%+f%%%+f"):format(minus, nan), ("%+s"):format(nan))
