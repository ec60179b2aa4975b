-- 32- and 64-bit hashes with `bit`, and C's arithmetic on 64-bit cdata.
local ffi = require "ffi"
local bit = require "bit"
local band, bor, bxor, bnot = bit.band, bit.bor, bit.bxor, bit.bnot
local lshift, rshift, rol, ror, tobit, bswap, tohex = bit.lshift, bit.rshift, bit.rol, bit.ror, bit.tobit, bit.bswap, bit.tohex

local function fnv1a64(s)
  local h = 0xcbf29ce484222325ULL
  for i = 1, #s do h = bxor(h, s:byte(i)) * 0x100000001b3ULL end
  return h
end
print(fnv1a64 "", fnv1a64 "a", tohex(fnv1a64 "foobar"))

local function splitmix64(seed)
  local state = ffi.new("uint64_t[1]", seed)
  return function()
    state[0] = state[0] + 0x9e3779b97f4a7c15ULL
    local z = state[0]
    z = bxor(z, rshift(z, 30)) * 0xbf58476d1ce4e5b9ULL
    z = bxor(z, rshift(z, 27)) * 0x94d049bb133111ebULL
    return bxor(z, rshift(z, 31))
  end
end
local random = splitmix64(1234567)
for i = 1, 3 do print(random()) end

local function xoshiro256(seed)
  local next64 = splitmix64(seed)
  local s = ffi.new("uint64_t[4]", next64(), next64(), next64(), next64())
  return function()
    local result = rol(s[1] * 5, 7) * 9
    local t = lshift(s[1], 17)
    s[2], s[3] = bxor(s[2], s[0]), bxor(s[3], s[1])
    s[1], s[0] = bxor(s[1], s[2]), bxor(s[0], s[3])
    s[2], s[3] = bxor(s[2], t), rol(s[3], 45)
    return result
  end
end
random = xoshiro256(42)
print(random(), random(), tonumber(random() % 1000), tonumber(rshift(random(), 11)) * 2 ^ -53)

local function murmur64a(key, seed)
  local m, r = 0xc6a4a7935bd1e995ULL, 47
  local len = #key
  local h = bxor(ffi.cast("uint64_t", seed), len * m)
  local data = ffi.cast("const uint8_t *", key)
  local words = ffi.cast("const uint64_t *", data)
  for i = 0, math.floor(len / 8) - 1 do
    local k = words[i] * m
    k = bxor(k, rshift(k, r)) * m
    h = bxor(h, k) * m
  end
  local rest = len % 8
  for i = rest - 1, 0, -1 do h = bxor(h, lshift(ffi.cast("uint64_t", data[len - rest + i]), 8 * i)) end
  if rest > 0 then h = h * m end
  h = bxor(h, rshift(h, r)) * m
  return bxor(h, rshift(h, r))
end
print(murmur64a("", 0), murmur64a("hello, world", 42), tohex(murmur64a(("x"):rep(23), 7)))

local function siphash24(key, message)
  local k = ffi.cast("const uint64_t *", ffi.cast("const char *", key))
  local v0, v1 = bxor(k[0], 0x736f6d6570736575ULL), bxor(k[1], 0x646f72616e646f6dULL)
  local v2, v3 = bxor(k[0], 0x6c7967656e657261ULL), bxor(k[1], 0x7465646279746573ULL)
  local function rounds(n)
    for _ = 1, n do
      v0 = v0 + v1 v1 = rol(v1, 13) v1 = bxor(v1, v0) v0 = rol(v0, 32)
      v2 = v2 + v3 v3 = rol(v3, 16) v3 = bxor(v3, v2)
      v0 = v0 + v3 v3 = rol(v3, 21) v3 = bxor(v3, v0)
      v2 = v2 + v1 v1 = rol(v1, 17) v1 = bxor(v1, v2) v2 = rol(v2, 32)
    end
  end
  local full = #message - #message % 8
  for i = 1, full, 8 do
    local m = ffi.cast("const uint64_t *", ffi.cast("const char *", message) + (i - 1))[0]
    v3 = bxor(v3, m) rounds(2) v0 = bxor(v0, m)
  end
  local last = lshift(#message + 0ULL, 56)
  for i = full + 1, #message do last = bor(last, lshift(message:byte(i) + 0ULL, 8 * (i - full - 1))) end
  v3 = bxor(v3, last) rounds(2) v0 = bxor(v0, last)
  v2 = bxor(v2, 0xff) rounds(4)
  return bxor(v0, v1, v2, v3)
end
local key = {}
for i = 0, 15 do key[#key + 1] = string.char(i) end
print(tohex(siphash24(table.concat(key), "")), tohex(siphash24(table.concat(key), table.concat(key, "", 1, 15))))

local crc_table = ffi.new "uint32_t[256]"
for i = 0, 255 do
  local c = i
  for _ = 1, 8 do c = band(c, 1) ~= 0 and bxor(0xedb88320, rshift(c, 1)) or rshift(c, 1) end
  crc_table[i] = c
end
local function crc32(s)
  local c = bnot(0)
  for i = 1, #s do c = bxor(crc_table[band(bxor(c, s:byte(i)), 0xff)], rshift(c, 8)) end
  return bnot(c)
end
print(crc32 "123456789", tohex(crc32 "123456789"), ("%08x"):format(band(crc32 "a", 0x7fffffff)), tonumber(ffi.cast("uint32_t", crc32 "b")))

local function sha256(message)
  local k, primes, candidate = ffi.new "uint32_t[64]", {}, 2
  while #primes < 64 do
    local prime = true
    for _, p in ipairs(primes) do if candidate % p == 0 then prime = false break end end
    if prime then primes[#primes + 1] = candidate end
    candidate = candidate + 1
  end
  local function fraction(x) return math.floor((x - math.floor(x)) * 2 ^ 32) end
  local h = ffi.new "uint32_t[8]"
  for i = 1, 64 do k[i - 1] = fraction(primes[i] ^ (1 / 3)) end
  for i = 1, 8 do h[i - 1] = fraction(primes[i] ^ (1 / 2)) end
  local bits = #message * 8
  message = message .. "\128" .. ("\0"):rep((55 - #message) % 64) .. ("\0"):rep(4) .. string.char(
    band(rshift(bits, 24), 255), band(rshift(bits, 16), 255), band(rshift(bits, 8), 255), band(bits, 255))
  assert(#message % 64 == 0)
  local w = ffi.new "uint32_t[64]"
  for chunk = 0, #message - 1, 64 do
    local words = ffi.cast("const uint32_t *", ffi.cast("const char *", message) + chunk)
    for i = 0, 15 do w[i] = bswap(words[i]) end
    for i = 16, 63 do
      local s0 = bxor(ror(w[i - 15], 7), ror(w[i - 15], 18), rshift(w[i - 15], 3))
      local s1 = bxor(ror(w[i - 2], 17), ror(w[i - 2], 19), rshift(w[i - 2], 10))
      w[i] = tobit(w[i - 16] + s0 + w[i - 7] + s1)
    end
    local a, b, c, d, e, f, g, j = h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7]
    for i = 0, 63 do
      local s1 = bxor(ror(e, 6), ror(e, 11), ror(e, 25))
      local t1 = tobit(j + s1 + bxor(band(e, f), band(bnot(e), g)) + k[i] + w[i])
      local s0 = bxor(ror(a, 2), ror(a, 13), ror(a, 22))
      local t2 = tobit(s0 + bxor(band(a, b), band(a, c), band(b, c)))
      j, g, f, e, d, c, b, a = g, f, e, tobit(d + t1), c, b, a, tobit(t1 + t2)
    end
    for i, value in ipairs { a, b, c, d, e, f, g, j } do h[i - 1] = tobit(h[i - 1] + value) end
  end
  local out = {}
  for i = 0, 7 do out[i + 1] = tohex(h[i]) end
  return table.concat(out)
end
print(sha256 "abc")
print(sha256(("a"):rep(200)))

-- Division, remainder and powers of 64-bit integers are C's.
print(7LL / 2, -7LL / 2, -7LL % 2, 7ULL / 2, 2LL ^ 62, -2LL ^ 3, 10 / 4LL, 2 ^ 3LL, -5LL, -5ULL, 1LL - 2, 1 - 2ULL)
print(0x7fffffffffffffffLL + 1, 0ULL - 1, 1LL * 2.9, 1e18 * 10LL, tostring(1LL):rep(2), #tostring(10ULL))
