-- libpng's simplified interface: draws a picture, writes it, reads it back.
--
--   apt install libpng-dev;  cthunk run examples/real/png.lua [FILE];  luajit examples/real/png.lua [FILE]
--
-- Idioms: a versioned control struct that the library fills, pixels as an array of structs, two calls for a size and
-- then the data, flags by arithmetic. (libpng's classic interface reports errors by longjmp, which must not cross Lua:
-- the simplified one catches them and returns.)
local ffi = require "ffi"

ffi.cdef [[
typedef struct {
  void *opaque;
  uint32_t version, width, height, format, flags, colormap_entries, warning_or_error;
  char message[64];
} png_image;
typedef struct { uint8_t r, g, b, a; } pixel;
enum { PNG_IMAGE_VERSION = 1, PNG_FORMAT_GRAY = 0, PNG_FORMAT_RGB = 2, PNG_FORMAT_RGBA = 3 };
int png_image_write_to_file(png_image *, const char *name, int convert_to_8bit, const void *buffer, int32_t stride, const void *colormap);
int png_image_write_to_memory(png_image *, void *memory, size_t *bytes, int convert_to_8bit, const void *buffer, int32_t stride, const void *colormap);
int png_image_begin_read_from_file(png_image *, const char *name);
int png_image_begin_read_from_memory(png_image *, const void *memory, size_t size);
int png_image_finish_read(png_image *, const void *background, void *buffer, int32_t stride, void *colormap);
void png_image_free(png_image *);
]]
local png = ffi.load "png16"
local number = ffi.tonumber or tonumber -- turns a boxed 64-bit integer into a Lua number, in every Lua

ffi.metatype("png_image", {
  __new = function(ct) return ffi.gc(ffi.new(ct, { version = png.PNG_IMAGE_VERSION }), png.png_image_free) end,
  __index = {
    check = function(self, ok)
      if ok == 0 or self.warning_or_error > 1 then error("libpng: " .. ffi.string(self.message), 3) end
    end,
  },
  __tostring = function(self) return ("PNG image, %d x %d"):format(self.width, self.height) end,
})
local Image = ffi.typeof "png_image"

-- A picture: RGBA, a variable-length array.
local width, height = 96, 64
local pixels = ffi.new("pixel[?]", width * height)
for y = 0, height - 1 do
  for x = 0, width - 1 do
    local p = pixels[y * width + x] -- a reference: writes change the array
    p.r, p.g, p.b = x * 2, y * 4, (x + y) % 256
    local dx, dy = x - width / 2, y - height / 2
    p.a = dx * dx + dy * dy < 900 and 255 or 128
  end
end

local function describe(image, format)
  image.width, image.height, image.format = width, height, format
  return image
end

-- Into a file.
local path = ... or os.tmpname()
local image = describe(Image(), png.PNG_FORMAT_RGBA)
image:check(png.png_image_write_to_file(image, path, 0, pixels, 0, nil))
print("wrote " .. tostring(image))

-- And back.
local function finish(img, format)
  img.format = format or img.format
  local size = img.width * img.height
  local buffer = ffi.new("pixel[?]", size)
  img:check(png.png_image_finish_read(img, nil, buffer, 0, nil))
  return buffer
end
local back = Image()
back:check(png.png_image_begin_read_from_file(back, path))
assert(back.width == width and back.height == height and back.format == png.PNG_FORMAT_RGBA)
local copy = finish(back)
for i = 0, width * height - 1 do
  local p, q = pixels[i], copy[i]
  assert(p.r == q.r and p.g == q.g and p.b == q.b and p.a == q.a, i)
end
print("read it back, all " .. width * height .. " pixels equal")

-- Into memory: once for the size, once for the bytes.
local function encode()
  local img, size = describe(Image(), png.PNG_FORMAT_RGBA), ffi.new "size_t[1]"
  img:check(png.png_image_write_to_memory(img, nil, size, 0, pixels, 0, nil))
  local memory = ffi.new("uint8_t[?]", size[0])
  img:check(png.png_image_write_to_memory(img, memory, size, 0, pixels, 0, nil))
  return ffi.string(memory, size[0])
end
local bytes = encode()
local file = assert(io.open(path, "rb"))
assert(file:read "*a" == bytes, "the same bytes as in the file")
file:close()
assert(bytes:sub(1, 8) == "\137PNG\r\n\26\n")
back = Image()
back:check(png.png_image_begin_read_from_memory(back, bytes, #bytes))
assert(finish(back, png.PNG_FORMAT_RGBA)[width * 10 + 5].g == 40)

-- The library's messages for a text that is no picture, and for half a picture.
local function decode(text)
  local img = Image()
  img:check(png.png_image_begin_read_from_memory(img, text, #text))
  return finish(img, png.PNG_FORMAT_RGBA)
end
for _, case in ipairs { { "this is no picture", "ot a PNG" }, { bytes:sub(1, 300), "libpng: " }, { "", "invalid argument" } } do
  local ok, message = pcall(decode, case[1])
  assert(not ok and message:find(case[2]), message)
end
print "no picture, half a picture and nothing are refused"
if not ... then os.remove(path) end
