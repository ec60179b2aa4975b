-- Numbers that lie half-way between two decimals of many digits: away from zero, and read back as they were.
local numbers = {}
for i = 1, 511, 5 do
  numbers[#numbers + 1] = 15400360414514 + i / 512
  numbers[#numbers + 1] = -(1234567890123 + i / 1024)
  numbers[#numbers + 1] = 99999999999999 + i / 64
  numbers[#numbers + 1] = (2 ^ 49 + i) / 2 ^ (i % 60)
end
for _, n in ipairs { 15400360414514.0625, 99999999999999.9921875, 9999999999999.99951171875, 0.5, 2.5, 1e15 + 0.5, 1e15 + 0.125, 4503599627370497.5, 2 ^ -20, 1 / 0, -1 / 0, 0 } do
  numbers[#numbers + 1] = n
end
local changed = 0
for _, n in ipairs(numbers) do
  local text = ("%.17g"):format(n)
  if tonumber(text) ~= n and n == n then changed = changed + 1 end
  print(text, ("%.16g|%.18g|%.16e|%.17E|%.3f|%.4f"):format(n, n, n, n, n, n))
  print(("%+.17g|% .17g|%26.17g|%-26.17g|%026.17g|%#.17g|%+030.3f|%.17G"):format(n, n, n, n, n, n, n, n), ("%d %.17g %s"):format(1, n, "x"))
end
print(changed, #numbers)
