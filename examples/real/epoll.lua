-- epoll, eventfd, timerfd and pipes: a small event loop in which coroutines wait for file descriptors.
--
--   cthunk run examples/real/epoll.lua;  luajit examples/real/epoll.lua
--
-- Idioms: a packed struct with a union inside, user data in an event, flags by arithmetic, coroutines around C calls.
local ffi = require "ffi"

ffi.cdef [[
typedef union epoll_data { void *ptr; int fd; uint32_t u32; uint64_t u64; } epoll_data_t;
struct epoll_event { uint32_t events; epoll_data_t data; } __attribute__((packed));
struct timespec { long tv_sec, tv_nsec; };
struct itimerspec { struct timespec it_interval, it_value; };
enum {
  EPOLLIN = 1, EPOLLOUT = 4, EPOLLHUP = 16, EPOLL_CTL_ADD = 1, EPOLL_CTL_DEL = 2,
  EFD_NONBLOCK = 2048, O_NONBLOCK = 2048, CLOCK_MONOTONIC = 1, EEXIST = 17, EPERM = 1
};
int epoll_create1(int flags);
int epoll_ctl(int epfd, int op, int fd, struct epoll_event *event);
int epoll_wait(int epfd, struct epoll_event *events, int maxevents, int timeout);
int eventfd(unsigned initval, int flags);
int timerfd_create(int clock, int flags);
int timerfd_settime(int fd, int flags, const struct itimerspec *new_value, struct itimerspec *old_value);
int pipe2(int fds[2], int flags);
long read(int fd, void *buf, size_t count);
long write(int fd, const void *buf, size_t count);
int close(int fd);
char *strerror(int e);
]]
local C = ffi.C
local number = ffi.tonumber or tonumber -- turns a boxed 64-bit integer into a Lua number, in every Lua

-- On x86-64 the event is packed: without the attribute, a C compiler leaves a gap between its two members.
assert(ffi.sizeof "struct epoll_event" == 12 and ffi.offsetof("struct epoll_event", "data") == 4)
assert(ffi.alignof "struct epoll_event" == 1)

local function check(n)
  n = number(n)
  if n < 0 then error(ffi.string(C.strerror(ffi.errno())), 2) end
  return n
end

local loop = { fd = check(C.epoll_create1(0)), waiting = {}, count = 0 }
local batch = ffi.new "struct epoll_event[4]"

-- Suspends the running coroutine until one of `events` happens on `fd`; returns the events that happened.
function loop:wait(fd, events)
  local event = ffi.new("struct epoll_event", { events = events, data = { fd = fd } })
  check(C.epoll_ctl(self.fd, C.EPOLL_CTL_ADD, fd, event))
  self.waiting[fd], self.count = coroutine.running(), self.count + 1
  return coroutine.yield()
end

function loop:run()
  while self.count > 0 do
    local n = check(C.epoll_wait(self.fd, batch, 4, 5000))
    assert(n > 0, "nothing happens for five seconds")
    for i = 0, n - 1 do
      local fd, events = batch[i].data.fd, batch[i].events
      check(C.epoll_ctl(self.fd, C.EPOLL_CTL_DEL, fd, nil))
      local co = self.waiting[fd]
      self.waiting[fd], self.count = nil, self.count - 1
      assert(coroutine.resume(co, events))
    end
  end
end

local function spawn(f, ...)
  assert(coroutine.resume(coroutine.create(f), ...))
end
local function pipe()
  local fds = ffi.new "int[2]"
  check(C.pipe2(fds, C.O_NONBLOCK))
  return fds[0], fds[1]
end

-- A chain of ten pipes: each reader adds a letter and passes the text on.
local log = {}
local first_read, first_write = pipe()
local from = first_read
for i = 1, 10 do
  local to_read, to_write = pipe()
  spawn(function(source, target, letter)
    assert(loop:wait(source, C.EPOLLIN) % 2 == C.EPOLLIN, "and perhaps EPOLLHUP")
    local buf = ffi.new "char[64]"
    local n = check(C.read(source, buf, 64))
    local text = ffi.string(buf, n) .. letter
    assert(check(C.write(target, text, #text)) == #text)
    C.close(source)
    C.close(target)
  end, from, to_write, string.char(96 + i))
  from = to_read
end
spawn(function(source)
  loop:wait(source, C.EPOLLIN)
  local buf = ffi.new "char[64]"
  log[#log + 1] = ffi.string(buf, check(C.read(source, buf, 64)))
  assert(loop:wait(source, C.EPOLLIN) == C.EPOLLHUP, "the writer is gone")
  C.close(source)
end, from)

-- A timer starts the chain at its third tick.
spawn(function()
  local timer = check(C.timerfd_create(C.CLOCK_MONOTONIC, 0))
  local ms = 1000000
  check(C.timerfd_settime(timer, 0, ffi.new("struct itimerspec", { { 0, 5 * ms }, { 0, 1 * ms } }), nil))
  local ticks, expired = 0, ffi.new "uint64_t[1]"
  while ticks < 3 do
    loop:wait(timer, C.EPOLLIN)
    assert(check(C.read(timer, expired, 8)) == 8)
    ticks = ticks + number(expired[0])
  end
  C.close(timer)
  check(C.write(first_write, ">", 1))
end)

-- An eventfd is a 64-bit counter: no bit is lost.
local event = check(C.eventfd(0, C.EFD_NONBLOCK))
spawn(function()
  loop:wait(event, C.EPOLLIN)
  local value = ffi.new "uint64_t[1]"
  assert(check(C.read(event, value, 8)) == 8)
  log[#log + 1] = tostring(value[0]):gsub("ULL$", "")
end)
local large = ffi.new "uint64_t[1]"
large[0] = ffi.cast("uint64_t", 2 ^ 62) + 1
check(C.write(event, large, 8))
check(C.write(event, ffi.new("uint64_t[1]", 10), 8))

loop:run()
table.sort(log)
print(table.concat(log, " "))
assert(log[1] == "4611686018427387915" and log[2] == ">abcdefghij")

-- Errors: the same descriptor twice, and a file that epoll does not accept.
local one = ffi.new("struct epoll_event", { C.EPOLLIN })
check(C.epoll_ctl(loop.fd, C.EPOLL_CTL_ADD, event, one))
assert(C.epoll_ctl(loop.fd, C.EPOLL_CTL_ADD, event, one) == -1 and ffi.errno() == C.EEXIST)
assert(C.epoll_ctl(loop.fd, C.EPOLL_CTL_ADD, loop.fd, one) == -1 and ffi.errno() == 22)
print(ffi.string(C.strerror(C.EEXIST)))
for _, fd in ipairs { event, loop.fd, first_write } do C.close(fd) end
