-- libcurl on file:// URLs: an upload from Lua, a download to Lua.
--
--   apt install libcurl4-openssl-dev;  cthunk run examples/real/curl.lua;  luajit examples/real/curl.lua
--
-- Idioms: a variadic setter, whose arguments carry their C types; callbacks with a user pointer; out-parameters whose
-- type depends on the option; a handle that keeps its strings and callbacks alive.
local ffi = require "ffi"

-- In LuaJIT, compiled code must not call C functions that call back; the interpreter may.
if jit then jit.off(true, true) end

ffi.cdef [[
typedef struct CURL CURL;
typedef size_t (*curl_data)(char *buffer, size_t size, size_t items, void *user);
enum {
  CURLE_OK = 0, CURLE_WRITE_ERROR = 23, CURLE_FILE_COULDNT_READ_FILE = 37,
  CURLOPT_WRITEDATA = 10001, CURLOPT_URL = 10002, CURLOPT_READDATA = 10009, CURLOPT_ERRORBUFFER = 10010,
  CURLOPT_WRITEFUNCTION = 20011, CURLOPT_READFUNCTION = 20012, CURLOPT_INFILESIZE_LARGE = 30115,
  CURLOPT_UPLOAD = 46, CURLOPT_NOSIGNAL = 99, CURLOPT_RANGE = 10007,
  CURLINFO_EFFECTIVE_URL = 0x100001, CURLINFO_SIZE_DOWNLOAD = 0x300008, CURLINFO_SIZE_DOWNLOAD_T = 0x600008,
  CURLINFO_OS_ERRNO = 0x200019, CURL_GLOBAL_DEFAULT = 3, CURLE_URL_MALFORMAT = 3
};
int curl_global_init(long flags);
void curl_global_cleanup(void);
CURL *curl_easy_init(void);
int curl_easy_setopt(CURL *, int option, ...);
int curl_easy_getinfo(CURL *, int info, ...);
int curl_easy_perform(CURL *);
void curl_easy_cleanup(CURL *);
const char *curl_easy_strerror(int code);
char *curl_easy_escape(CURL *, const char *text, int length);
void curl_free(void *);
]]
local C = ffi.load "curl"
local number = ffi.tonumber or tonumber -- turns a boxed 64-bit integer into a Lua number, in every Lua
assert(C.curl_global_init(C.CURL_GLOBAL_DEFAULT) == C.CURLE_OK)

-- Each argument of `...` has its C type: `long`, `curl_off_t`, a function pointer, a text.
local function long(n) return ffi.cast("long", n) end
local function text(s) return ffi.cast("const char *", s) end

local Easy = {}
Easy.__index = Easy

function Easy.new(url)
  local self = setmetatable({ error = ffi.new "char[256]", callbacks = {} }, Easy)
  self.handle = ffi.gc(C.curl_easy_init(), C.curl_easy_cleanup)
  self:set(C.CURLOPT_NOSIGNAL, long(1))
  self:set(C.CURLOPT_ERRORBUFFER, self.error)
  self:set(C.CURLOPT_URL, text(url)) -- curl copies it
  return self
end

function Easy:set(option, value)
  local status = C.curl_easy_setopt(self.handle, option, value)
  if status ~= C.CURLE_OK then error("curl: " .. ffi.string(C.curl_easy_strerror(status)), 2) end
  return self
end

function Easy:on(option, f)
  local callback = ffi.cast("curl_data", f)
  self.callbacks[#self.callbacks + 1] = callback
  return self:set(option, callback)
end

function Easy:perform()
  local status = C.curl_easy_perform(self.handle)
  if status ~= C.CURLE_OK then
    local detail = ffi.string(self.error)
    return nil, status, detail ~= "" and detail or ffi.string(C.curl_easy_strerror(status))
  end
  return true
end

function Easy:info(which, ctype)
  local out = ffi.new(ctype .. "[1]")
  assert(C.curl_easy_getinfo(self.handle, which, out) == C.CURLE_OK)
  return out[0]
end

function Easy:close()
  C.curl_easy_cleanup(ffi.gc(self.handle, nil))
  for _, callback in ipairs(self.callbacks) do callback:free() end
end

local function download(url, range)
  local easy, pieces = Easy.new(url), {}
  easy:on(C.CURLOPT_WRITEFUNCTION, function(buffer, size, items)
    local n = number(size) * number(items)
    pieces[#pieces + 1] = ffi.string(buffer, n)
    return n
  end)
  if range then easy:set(C.CURLOPT_RANGE, text(range)) end
  local ok, status, message = easy:perform()
  local bytes = easy:info(C.CURLINFO_SIZE_DOWNLOAD, "double")
  assert(bytes == number(easy:info(C.CURLINFO_SIZE_DOWNLOAD_T, "int64_t")))
  assert(ffi.string(easy:info(C.CURLINFO_EFFECTIVE_URL, "char *")) == url)
  easy:close()
  if not ok then return nil, status, message end
  return table.concat(pieces), bytes
end

local function upload(url, source)
  local easy, at = Easy.new(url), 1
  easy:set(C.CURLOPT_UPLOAD, long(1)):set(C.CURLOPT_INFILESIZE_LARGE, ffi.cast("int64_t", #source))
  easy:on(C.CURLOPT_READFUNCTION, function(buffer, size, items)
    local piece = source:sub(at, at + number(size) * number(items) - 1)
    at = at + #piece
    ffi.copy(buffer, piece, #piece)
    return #piece
  end)
  local ok, _, message = easy:perform()
  easy:close()
  assert(ok, message)
end

-- Upload a file from a Lua string, download it into another.
local path = os.tmpname()
local lines = {}
for i = 1, 20000 do lines[i] = "line " .. i .. "\n" end
local sent = table.concat(lines)
upload("file://" .. path, sent)
local file = assert(io.open(path, "rb"))
assert(file:read "*a" == sent)
file:close()
local received, bytes = download("file://" .. path)
assert(received == sent and bytes == #sent)
print(("sent %d bytes, received %d"):format(#sent, bytes))
assert(download("file://" .. path, "5-10") == sent:sub(6, 11))
print("bytes 5 to 10: " .. (download("file://" .. path, "5-10"):gsub("\n", "\\n")))

-- Errors: the code, and curl's message.
local none, status, message = download "file:///no/such/file"
assert(none == nil and status == C.CURLE_FILE_COULDNT_READ_FILE and message:find "/no/such/file")
print(message)

-- A callback that takes fewer bytes than it gets stops the transfer.
local easy, calls = Easy.new("file://" .. path), 0
easy:on(C.CURLOPT_WRITEFUNCTION, function() calls = calls + 1 return 0 end)
local ok, code = easy:perform()
assert(not ok and code == C.CURLE_WRITE_ERROR and calls == 1)
easy:close()

-- A function whose result the caller frees.
local handle = ffi.gc(C.curl_easy_init(), C.curl_easy_cleanup)
local escaped = ffi.gc(C.curl_easy_escape(handle, "a b/ü", 0), C.curl_free)
print("escaped: " .. ffi.string(escaped))
assert(ffi.string(escaped) == "a%20b%2F%C3%BC")
escaped = nil
collectgarbage()
C.curl_easy_cleanup(ffi.gc(handle, nil))
C.curl_global_cleanup()
os.remove(path)
