-- Sockets on loopback: a TCP server and three clients in one process, driven by poll; UDP; a pair of UNIX sockets.
--
--   cthunk run examples/real/sockets.lua;  luajit examples/real/sockets.lua
--
-- Idioms: "struct inheritance" by pointer casts (sockaddr_in as sockaddr), network byte order, errno with strerror,
-- arrays of structs for poll, a class that owns a file descriptor.
local ffi = require "ffi"

ffi.cdef [[
typedef uint32_t socklen_t;
typedef long ssize_t;
struct sockaddr { uint16_t sa_family; char sa_data[14]; };
struct in_addr { uint32_t s_addr; };
struct sockaddr_in { uint16_t sin_family, sin_port; struct in_addr sin_addr; uint8_t sin_zero[8]; };
struct pollfd { int fd; short events, revents; };
struct addrinfo {
  int ai_flags, ai_family, ai_socktype, ai_protocol; socklen_t ai_addrlen;
  struct sockaddr *ai_addr; char *ai_canonname; struct addrinfo *ai_next;
};
enum {
  AF_UNIX = 1, AF_INET = 2, SOCK_STREAM = 1, SOCK_DGRAM = 2, SOCK_NONBLOCK = 2048, SOL_SOCKET = 1, SO_REUSEADDR = 2, SO_TYPE = 3,
  POLLIN = 1, POLLOUT = 4, POLLHUP = 16, SHUT_WR = 1, EAGAIN = 11, EBADF = 9, ECONNREFUSED = 111, EINPROGRESS = 115, AI_NUMERICHOST = 4
};
int socket(int domain, int type, int protocol);
int socketpair(int domain, int type, int protocol, int sv[2]);
int bind(int fd, const struct sockaddr *addr, socklen_t len);
int listen(int fd, int backlog);
int accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags);
int connect(int fd, const struct sockaddr *addr, socklen_t len);
int getsockname(int fd, struct sockaddr *addr, socklen_t *len);
int getsockopt(int fd, int level, int name, void *value, socklen_t *len);
int setsockopt(int fd, int level, int name, const void *value, socklen_t len);
int shutdown(int fd, int how);
ssize_t send(int fd, const void *buf, size_t len, int flags);
ssize_t recv(int fd, void *buf, size_t len, int flags);
ssize_t sendto(int fd, const void *buf, size_t len, int flags, const struct sockaddr *to, socklen_t tolen);
ssize_t recvfrom(int fd, void *buf, size_t len, int flags, struct sockaddr *from, socklen_t *fromlen);
int poll(struct pollfd *fds, unsigned long n, int timeout);
int close(int fd);
uint16_t htons(uint16_t x);
uint16_t ntohs(uint16_t x);
uint32_t htonl(uint32_t x);
const char *inet_ntop(int af, const void *src, char *dst, socklen_t size);
int inet_pton(int af, const char *src, void *dst);
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **res);
void freeaddrinfo(struct addrinfo *res);
const char *gai_strerror(int code);
char *strerror(int e);
]]
local C = ffi.C
local number = ffi.tonumber or tonumber -- turns a boxed 64-bit integer into a Lua number, in every Lua
local NULL = ffi.NULL -- nil in LuaJIT, where `pointer == nil` asks for NULL

-- Turns -1 and errno into nil, a message and the code, as Lua's io library does.
local function result(n)
  n = number(n)
  if n >= 0 then return n end
  local e = ffi.errno()
  return nil, ffi.string(C.strerror(e)), e
end

local sockaddr = ffi.typeof "struct sockaddr *"
local function address(host, port)
  local a = ffi.new("struct sockaddr_in", { sin_family = C.AF_INET, sin_port = C.htons(port) })
  assert(C.inet_pton(C.AF_INET, host, a.sin_addr) == 1, "an IPv4 address")
  return a
end
local function describe(a)
  local text = ffi.new "char[16]"
  assert(C.inet_ntop(C.AF_INET, a.sin_addr, text, 16) ~= NULL)
  return ffi.string(text), C.ntohs(a.sin_port)
end

-- A socket is a struct around its file descriptor; the metatype closes it.
ffi.cdef "typedef struct { int fd; } loopback_socket;"
local Socket
local methods = {}
Socket = ffi.metatype("loopback_socket", {
  __index = methods,
  __gc = function(self) self:close() end,
  __tostring = function(self) return "socket " .. self.fd end,
})
function methods:close()
  if self.fd < 0 then return false end
  C.close(self.fd)
  self.fd = -1
  return true
end
function methods:bind(host, port)
  local yes = ffi.new("int[1]", 1)
  assert(result(C.setsockopt(self.fd, C.SOL_SOCKET, C.SO_REUSEADDR, yes, ffi.sizeof(yes))))
  local a = address(host, port)
  return assert(result(C.bind(self.fd, ffi.cast(sockaddr, a), ffi.sizeof(a))))
end
function methods:name()
  local a = ffi.new "struct sockaddr_in"
  local len = ffi.new("socklen_t[1]", ffi.sizeof(a))
  assert(result(C.getsockname(self.fd, ffi.cast(sockaddr, a), len)))
  assert(len[0] == ffi.sizeof(a))
  return describe(a)
end
function methods:connect(host, port)
  local a = address(host, port)
  return result(C.connect(self.fd, ffi.cast(sockaddr, a), ffi.sizeof(a)))
end
function methods:accept()
  local fd, message, code = result(C.accept4(self.fd, nil, nil, C.SOCK_NONBLOCK))
  if not fd then return nil, message, code end
  return Socket(fd)
end
function methods:send(text) return result(C.send(self.fd, text, #text, 0)) end
function methods:receive(size)
  local buf = ffi.new("char[?]", size or 4096)
  local n, message, code = result(C.recv(self.fd, buf, ffi.sizeof(buf), 0))
  if not n then return nil, message, code end
  return ffi.string(buf, n)
end
local function socket(kind)
  return Socket(assert(result(C.socket(C.AF_INET, kind, 0))))
end

-- TCP: a server that answers in capitals, and its clients.
local server = socket(C.SOCK_STREAM + C.SOCK_NONBLOCK)
server:bind("127.0.0.1", 0)
assert(result(C.listen(server.fd, 8)))
local host, port = server:name()
assert(host == "127.0.0.1" and port > 0)
local _, message, code = server:accept()
assert(code == C.EAGAIN, message)

local open, answers = { server }, {}
local words = { "first", "second", "third" }
for i, word in ipairs(words) do
  local client = socket(C.SOCK_STREAM)
  assert(client:connect("127.0.0.1", port))
  assert(client:send(word) == #word)
  C.shutdown(client.fd, C.SHUT_WR)
  open[#open + 1] = client
  answers[client.fd] = { text = "", index = i }
end

local connections = 0
while #open > 1 do
  local fds = ffi.new("struct pollfd[?]", #open)
  for i, s in ipairs(open) do fds[i - 1].fd, fds[i - 1].events = s.fd, C.POLLIN end
  assert(assert(result(C.poll(fds, #open, 5000))) > 0, "nothing happens for five seconds")
  for i = #open, 1, -1 do
    local s = open[i]
    if fds[i - 1].revents ~= 0 then
      if s == server then
        open[#open + 1], connections = assert(s:accept()), connections + 1
      else
        local text = assert(s:receive())
        local answer = answers[s.fd]
        if answer then answer.text = answer.text .. text elseif text ~= "" then assert(s:send(text:upper())) end
        if text == "" then
          s:close()
          table.remove(open, i)
        end
      end
    end
  end
end
local texts = {}
for _, answer in pairs(answers) do texts[answer.index] = answer.text end
print("TCP: " .. table.concat(texts, " "))
assert(connections == 3 and table.concat(texts, " ") == "FIRST SECOND THIRD")
assert(server:close() and not server:close())

-- The port is closed now.
_, message, code = socket(C.SOCK_STREAM):connect("127.0.0.1", port)
assert(code == C.ECONNREFUSED)
print("TCP: " .. message)

-- UDP: the sender's address comes with the datagram.
local a, b = socket(C.SOCK_DGRAM), socket(C.SOCK_DGRAM)
a:bind("127.0.0.1", 0)
b:bind("127.0.0.1", 0)
local _, a_port = a:name()
local _, b_port = b:name()
local to = address("127.0.0.1", b_port)
assert(result(C.sendto(a.fd, "datagram", 8, 0, ffi.cast(sockaddr, to), ffi.sizeof(to))) == 8)
local buf, from = ffi.new "char[64]", ffi.new "struct sockaddr_in"
local len = ffi.new("socklen_t[1]", ffi.sizeof(from))
local n = assert(result(C.recvfrom(b.fd, buf, 64, 0, ffi.cast(sockaddr, from), len)))
assert(ffi.string(buf, n) == "datagram" and select(2, describe(from)) == a_port)
print "UDP: the datagram came with its sender's address"

-- A pair of UNIX sockets; poll reports that the other end is closed.
local pair = ffi.new "int[2]"
assert(result(C.socketpair(C.AF_UNIX, C.SOCK_STREAM, 0, pair)))
local left, right = Socket(pair[0]), Socket(pair[1])
left:send "over there"
assert(right:receive() == "over there")
left:close()
local fd = ffi.new("struct pollfd", right.fd, C.POLLIN)
assert(result(C.poll(fd, 1, 1000)) == 1 and fd.revents == C.POLLIN + C.POLLHUP)
assert(right:receive() == "")
_, message, code = left:receive()
assert(code == C.EBADF, message)
print "UNIX: hang-up noticed"

-- getaddrinfo: a linked list that the library frees.
local hints = ffi.new("struct addrinfo", { ai_family = C.AF_INET, ai_flags = C.AI_NUMERICHOST })
local list = ffi.new "struct addrinfo *[1]"
assert(C.getaddrinfo("127.0.0.1", "80", hints, list) == 0)
local head, found = ffi.gc(list[0], C.freeaddrinfo), 0
local info = head
while info ~= NULL do
  local ip, p = describe(ffi.cast("struct sockaddr_in *", info.ai_addr))
  assert(ip == "127.0.0.1" and p == 80 and info.ai_family == C.AF_INET)
  found = found + 1
  info = info.ai_next
end
assert(found >= 1)
local failed = C.getaddrinfo("not an address", nil, hints, list)
assert(failed ~= 0 and #ffi.string(C.gai_strerror(failed)) > 0)
print "getaddrinfo: 127.0.0.1:80"
