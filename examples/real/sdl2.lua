-- SDL2 without a screen: software rendering, pixels read back, events, silent sound.
--
--   apt install libsdl2-dev;  cthunk run examples/real/sdl2.lua;  luajit examples/real/sdl2.lua
--
-- Idioms: a tagged union of structs (SDL_Event), pixels through a void pointer in a struct, structs passed by address,
-- bit masks. SDL calls audio callbacks on a thread of its own, where no Lua may run; SDL_QueueAudio needs no callback.
local ffi = require "ffi"

ffi.cdef [[
int setenv(const char *name, const char *value, int overwrite);
typedef struct SDL_Window SDL_Window;
typedef struct SDL_Renderer SDL_Renderer;
typedef struct SDL_PixelFormat { uint32_t format; void *palette; uint8_t BitsPerPixel, BytesPerPixel; } SDL_PixelFormat;
typedef struct SDL_Rect { int x, y, w, h; } SDL_Rect;
typedef struct SDL_Point { int x, y; } SDL_Point;
typedef struct SDL_Surface {
  uint32_t flags; SDL_PixelFormat *format; int w, h, pitch; void *pixels;
} SDL_Surface;
typedef struct SDL_version { uint8_t major, minor, patch; } SDL_version;
typedef struct SDL_Keysym { int scancode; int32_t sym; uint16_t mod; uint32_t unused; } SDL_Keysym;
typedef struct SDL_KeyboardEvent {
  uint32_t type, timestamp, windowID; uint8_t state, repeated, padding2, padding3; SDL_Keysym keysym;
} SDL_KeyboardEvent;
typedef struct SDL_UserEvent {
  uint32_t type, timestamp, windowID; int32_t code; void *data1, *data2;
} SDL_UserEvent;
typedef union SDL_Event { uint32_t type; SDL_KeyboardEvent key; SDL_UserEvent user; uint8_t padding[56]; } SDL_Event;
typedef struct SDL_AudioSpec {
  int freq; uint16_t format; uint8_t channels, silence; uint16_t samples, padding; uint32_t size;
  void (*callback)(void *user, uint8_t *stream, int len); void *userdata;
} SDL_AudioSpec;
enum {
  SDL_INIT_AUDIO = 0x10, SDL_INIT_VIDEO = 0x20, SDL_KEYDOWN = 0x300, SDL_KEYUP, SDL_USEREVENT = 0x8000,
  AUDIO_S16LSB = 0x8010, SDL_PIXELFORMAT_ARGB8888 = 0x16362004
};
int SDL_Init(uint32_t flags);
void SDL_Quit(void);
const char *SDL_GetError(void);
const char *SDL_GetCurrentVideoDriver(void);
const char *SDL_GetCurrentAudioDriver(void);
void SDL_GetVersion(SDL_version *);
SDL_Surface *SDL_CreateRGBSurfaceWithFormat(uint32_t flags, int w, int h, int depth, uint32_t format);
void SDL_FreeSurface(SDL_Surface *);
int SDL_FillRect(SDL_Surface *, const SDL_Rect *, uint32_t color);
SDL_Renderer *SDL_CreateSoftwareRenderer(SDL_Surface *);
void SDL_DestroyRenderer(SDL_Renderer *);
int SDL_SetRenderDrawColor(SDL_Renderer *, uint8_t r, uint8_t g, uint8_t b, uint8_t a);
int SDL_RenderClear(SDL_Renderer *);
int SDL_RenderFillRect(SDL_Renderer *, const SDL_Rect *);
int SDL_RenderDrawLines(SDL_Renderer *, const SDL_Point *, int count);
int SDL_RenderReadPixels(SDL_Renderer *, const SDL_Rect *, uint32_t format, void *pixels, int pitch);
void SDL_RenderPresent(SDL_Renderer *);
int SDL_PushEvent(SDL_Event *);
int SDL_PollEvent(SDL_Event *);
uint32_t SDL_RegisterEvents(int count);
uint32_t SDL_OpenAudioDevice(const char *device, int capture, const SDL_AudioSpec *, SDL_AudioSpec *, int changes);
int SDL_QueueAudio(uint32_t device, const void *data, uint32_t len);
uint32_t SDL_GetQueuedAudioSize(uint32_t device);
void SDL_PauseAudioDevice(uint32_t device, int pause);
void SDL_CloseAudioDevice(uint32_t device);
void SDL_Delay(uint32_t ms);
]]
local SDL = ffi.load "SDL2"
local number = ffi.tonumber or tonumber -- turns a boxed 64-bit integer into a Lua number, in every Lua
local NULL = ffi.NULL -- nil in LuaJIT, where `pointer == nil` asks for NULL

local function check(status)
  if status ~= 0 then error("SDL: " .. ffi.string(SDL.SDL_GetError()), 2) end
end
local function own(pointer, free)
  if pointer == NULL then error("SDL: " .. ffi.string(SDL.SDL_GetError()), 2) end
  return ffi.gc(pointer, free)
end

ffi.C.setenv("SDL_VIDEODRIVER", "dummy", 1)
ffi.C.setenv("SDL_AUDIODRIVER", "dummy", 1)
check(SDL.SDL_Init(SDL.SDL_INIT_VIDEO + SDL.SDL_INIT_AUDIO))
local version = ffi.new "SDL_version"
SDL.SDL_GetVersion(version)
print(("SDL %d, video driver %s, audio driver %s"):format(version.major,
  ffi.string(SDL.SDL_GetCurrentVideoDriver()), ffi.string(SDL.SDL_GetCurrentAudioDriver())))

-- A surface: a rectangle filled by SDL, a diagonal drawn by Lua through the pixel pointer.
local size = 64
local surface = own(SDL.SDL_CreateRGBSurfaceWithFormat(0, size, size, 32, SDL.SDL_PIXELFORMAT_ARGB8888), SDL.SDL_FreeSurface)
assert(surface.w == size and surface.format.BytesPerPixel == 4 and surface.pitch == size * 4)
check(SDL.SDL_FillRect(surface, nil, 0xff000000))
check(SDL.SDL_FillRect(surface, ffi.new("SDL_Rect", 8, 8, 16, 16), 0xff336699))
local pixels = ffi.cast("uint32_t *", surface.pixels)
assert(pixels[8 * size + 8] == 0xff336699 and pixels[7 * size + 8] == 0xff000000)
for i = 0, size - 1 do pixels[i * size + i] = 0xffffffff end

-- The software renderer draws on the surface; the pixels are read back.
local renderer = own(SDL.SDL_CreateSoftwareRenderer(surface), SDL.SDL_DestroyRenderer)
check(SDL.SDL_SetRenderDrawColor(renderer, 255, 0, 0, 255))
check(SDL.SDL_RenderFillRect(renderer, ffi.new("SDL_Rect", { x = 32, w = 8, h = 8 })))
check(SDL.SDL_SetRenderDrawColor(renderer, 0, 255, 0, 255))
local corners = ffi.new("SDL_Point[5]", { { 40, 40 }, { 60, 40 }, { 60, 60 }, { 40, 60 }, { 40, 40 } })
check(SDL.SDL_RenderDrawLines(renderer, corners, 5))
SDL.SDL_RenderPresent(renderer)
local shot = ffi.new("uint32_t[?]", size * size)
check(SDL.SDL_RenderReadPixels(renderer, nil, SDL.SDL_PIXELFORMAT_ARGB8888, shot, size * 4))
local counts = {}
for i = 0, size * size - 1 do
  local color = ("%08x"):format(number(shot[i]))
  counts[color] = (counts[color] or 0) + 1
end
print(("%d red, %d green, %d blue, %d white pixels"):format(counts.ffff0000, counts.ff00ff00, counts.ff336699, counts.ffffffff))
assert(counts.ffff0000 == 64 and counts.ff00ff00 == 80 and counts.ff336699 == 16 * 16 - 16)
assert(shot[3 * size + 35] == 0xffff0000 and shot[40 * size + 50] == 0xff00ff00)

-- Events: a union whose first member says which of the other members is valid.
local event, log = ffi.new "SDL_Event", {}
while SDL.SDL_PollEvent(event) ~= 0 do end -- events of the start
local mine = SDL.SDL_RegisterEvents(1)
assert(mine >= SDL.SDL_USEREVENT)
event.type = SDL.SDL_KEYDOWN
event.key.keysym.sym = ("q"):byte()
assert(SDL.SDL_PushEvent(event) == 1)
local payload = ffi.new("int[1]", 4711)
assert(SDL.SDL_PushEvent(ffi.new("SDL_Event", { user = { type = mine, code = 7, data1 = payload } })) == 1)
while SDL.SDL_PollEvent(event) ~= 0 do
  if event.type == SDL.SDL_KEYDOWN then
    log[#log + 1] = "key " .. string.char(event.key.keysym.sym)
  elseif event.type == mine then
    log[#log + 1] = ("mine %d %d"):format(event.user.code, ffi.cast("int *", event.user.data1)[0])
  end
end
print("events: " .. table.concat(log, ", "))
assert(table.concat(log, ", ") == "key q, mine 7 4711")

-- Sound: a quarter of a second of 440 Hz goes into the queue of a dummy device.
local want = ffi.new("SDL_AudioSpec", { freq = 22050, format = SDL.AUDIO_S16LSB, channels = 1, samples = 512 })
local got = ffi.new "SDL_AudioSpec"
local device = SDL.SDL_OpenAudioDevice(nil, 0, want, got, 0)
assert(device ~= 0, "an audio device")
assert(got.freq == 22050 and got.channels == 1 and got.size == 1024)
local samples = math.floor(22050 / 4)
local wave = ffi.new("int16_t[?]", samples)
for i = 0, samples - 1 do wave[i] = 30000 * math.sin(2 * math.pi * 440 * i / 22050) end
check(SDL.SDL_QueueAudio(device, wave, ffi.sizeof(wave)))
assert(SDL.SDL_GetQueuedAudioSize(device) == samples * 2)
SDL.SDL_PauseAudioDevice(device, 0)
local waited = 0
while SDL.SDL_GetQueuedAudioSize(device) > 0 and waited < 500 do
  SDL.SDL_Delay(10)
  waited = waited + 1
end
assert(SDL.SDL_GetQueuedAudioSize(device) == 0, "the queue is played")
print "the sound was played"
SDL.SDL_CloseAudioDevice(device)

SDL.SDL_DestroyRenderer(ffi.gc(renderer, nil))
SDL.SDL_FreeSurface(ffi.gc(surface, nil))
SDL.SDL_Quit()
