-- Processes, shared memory and signals: mmap, fork, waitpid, kill, signalfd, a handler written in Lua.
--
--   cthunk run examples/real/processes.lua;  luajit examples/real/processes.lua
--
-- Idioms: sentinel pointers (MAP_FAILED, SIG_IGN, SIG_DFL), a struct laid over mapped memory, macros of <sys/wait.h> as
-- Lua functions, ffi.gc with a closure that knows the length, a global callback that C keeps.
local ffi = require "ffi"

-- In LuaJIT, compiled code must not call C functions that call back; the interpreter may.
if jit then jit.off(true, true) end

ffi.cdef [[
typedef int pid_t;
typedef struct { unsigned long bits[16]; } sigset_t;
typedef void (*sighandler_t)(int);
struct signalfd_siginfo { uint32_t ssi_signo; int32_t ssi_errno, ssi_code; uint32_t ssi_pid, ssi_uid; uint8_t rest[108]; };
struct shared { int32_t counter; uint32_t checksum; double values[16]; char text[64]; };
enum {
  PROT_READ = 1, PROT_WRITE = 2, MAP_SHARED = 1, MAP_PRIVATE = 2, MAP_ANONYMOUS = 0x20, MS_SYNC = 4,
  O_RDWR = 2, O_CREAT = 64, O_TRUNC = 512, SIGINT = 2, SIGKILL = 9, SIGUSR1 = 10, SIGUSR2 = 12, SIGTERM = 15, SIGCHLD = 17,
  SIG_BLOCK = 0, SIG_UNBLOCK = 1, WNOHANG = 1, ECHILD = 10, ENOMEM = 12, EINVAL = 22, _SC_PAGESIZE = 30
};
void *mmap(void *addr, size_t length, int prot, int flags, int fd, int64_t offset);
int munmap(void *addr, size_t length);
int msync(void *addr, size_t length, int flags);
int open(const char *path, int flags, ...);
int ftruncate(int fd, int64_t length);
int close(int fd);
long read(int fd, void *buf, size_t count);
long write(int fd, const void *buf, size_t count);
int pipe(int fds[2]);
long sysconf(int name);
pid_t fork(void);
pid_t getpid(void);
pid_t getppid(void);
pid_t waitpid(pid_t pid, int *status, int options);
void _exit(int status);
int kill(pid_t pid, int sig);
int raise(int sig);
int pause(void);
sighandler_t signal(int sig, sighandler_t handler);
int sigemptyset(sigset_t *set);
int sigaddset(sigset_t *set, int sig);
int sigprocmask(int how, const sigset_t *set, sigset_t *old);
int signalfd(int fd, const sigset_t *mask, int flags);
char *strsignal(int sig);
char *strerror(int e);
]]
local C = ffi.C
local number = ffi.tonumber or tonumber -- turns a boxed 64-bit integer into a Lua number, in every Lua

local function check(n)
  n = number(n)
  if n < 0 then error(ffi.string(C.strerror(ffi.errno())), 2) end
  return n
end

-- Memory that unmaps itself.
local MAP_FAILED = ffi.cast("void *", -1)
local function map(length, flags, fd)
  local memory = C.mmap(nil, length, C.PROT_READ + C.PROT_WRITE, flags, fd or -1, 0)
  if memory == MAP_FAILED then return nil, ffi.errno() end
  return ffi.gc(memory, function(m) C.munmap(m, length) end)
end
assert(select(2, map(0, C.MAP_PRIVATE + C.MAP_ANONYMOUS)) == C.EINVAL)

-- How a process ended: the macros of <sys/wait.h> in Lua.
local function ended(status)
  local signal = status % 128
  if signal == 0 then return "exit", math.floor(status / 256) % 256 end
  return "signal", signal
end
local function wait(pid)
  local status = ffi.new "int[1]"
  assert(check(C.waitpid(pid, status, 0)) == pid)
  return ended(status[0])
end
-- Runs `f` in a child process, which exits with the result of `f`, without finalisers and without flushing buffers.
local function child(f)
  io.stdout:flush()
  local pid = check(C.fork())
  if pid > 0 then return pid end
  local ok, status = pcall(f)
  C._exit(ok and status or 99)
end

-- A child writes into memory that parent and child share.
local memory = assert(map(4096, C.MAP_SHARED + C.MAP_ANONYMOUS))
local shared = ffi.cast("struct shared *", memory)
shared.counter = 1
local pid = child(function()
  for i = 0, 15 do shared.values[i] = i * 1.5 end
  ffi.copy(shared.text, "from the child")
  shared.counter = shared.counter + 41
  return C.getppid() > 0 and 7 or 0
end)
local how, code = wait(pid)
assert(how == "exit" and code == 7)
print(("child: %s %d, counter %d, text '%s'"):format(how, code, shared.counter, ffi.string(shared.text)))
assert(shared.counter == 42 and shared.values[15] == 22.5 and ffi.string(shared.text) == "from the child")
assert(C.waitpid(pid, nil, 0) == -1 and ffi.errno() == C.ECHILD)

-- The child's writes to a private mapping do not reach the parent.
local private = ffi.cast("int *", assert(map(4096, C.MAP_PRIVATE + C.MAP_ANONYMOUS)))
private[0] = 5
assert(select(2, wait(child(function() private[0] = 6 return private[0] end))) == 6)
assert(private[0] == 5)

-- A file, mapped and changed. The mode of `open` is a variable argument.
local path = os.tmpname()
local fd = check(C.open(path, C.O_RDWR + C.O_CREAT + C.O_TRUNC, ffi.cast("int", 384)))
check(C.ftruncate(fd, 8192))
local file = assert(map(8192, C.MAP_SHARED, fd))
C.close(fd)
local bytes = ffi.cast("char *", file)
ffi.copy(bytes + 4090, "across a page")
check(C.msync(file, 8192, C.MS_SYNC))
local f = assert(io.open(path, "rb"))
f:seek("set", 4090)
assert(f:read(13) == "across a page")
f:close()
os.remove(path)
print(("file: page size %d, text across pages"):format(number(C.sysconf(C._SC_PAGESIZE))))

-- Children that a signal ends; many children at once, waited for in any order.
pid = child(function() while true do C.pause() end end)
check(C.kill(pid, C.SIGTERM))
how, code = wait(pid)
assert(how == "signal" and code == C.SIGTERM)
print("killed: " .. ffi.string(C.strsignal(code)))
local sum = 0
for i = 1, 20 do child(function() return i end) end
for _ = 1, 20 do
  local status = ffi.new "int[1]"
  check(C.waitpid(-1, status, 0))
  sum = sum + select(2, ended(status[0]))
end
assert(sum == 210 and C.waitpid(-1, nil, C.WNOHANG) == -1)
print "20 children"

-- signalfd: signals are data, read at any time.
local set = ffi.new "sigset_t"
check(C.sigemptyset(set))
for _, sig in ipairs { C.SIGUSR1, C.SIGCHLD } do check(C.sigaddset(set, sig)) end
check(C.sigprocmask(C.SIG_BLOCK, set, nil))
local signals = check(C.signalfd(-1, set, 0))
local me = C.getpid()
pid = child(function() check(C.kill(me, C.SIGUSR1)) return 0 end)
local info, got = ffi.new "struct signalfd_siginfo", {}
assert(ffi.sizeof(info) == 128)
for i = 1, 2 do
  assert(check(C.read(signals, info, ffi.sizeof(info))) == 128)
  assert(info.ssi_pid == pid)
  got[i] = info.ssi_signo
end
assert(wait(pid) == "exit")
table.sort(got)
assert(got[1] == C.SIGUSR1 and got[2] == C.SIGCHLD)
print("signalfd: " .. ffi.string(C.strsignal(got[1])) .. ", " .. ffi.string(C.strsignal(got[2])))
C.close(signals)
check(C.sigprocmask(C.SIG_UNBLOCK, set, nil))

-- In LuaJIT, a handler in Lua is safe only if the signal comes at a known place: raise calls the handler before it returns.
local SIG_DFL, SIG_IGN = ffi.cast("sighandler_t", 0), ffi.cast("sighandler_t", 1)
local raised = {}
local handler = ffi.cast("sighandler_t", function(sig) raised[#raised + 1] = sig end)
assert(C.signal(C.SIGUSR2, handler) == SIG_DFL)
C.raise(C.SIGUSR2)
C.raise(C.SIGUSR2)
assert(#raised == 2 and raised[1] == C.SIGUSR2)
assert(C.signal(C.SIGUSR2, SIG_IGN) == handler, "the one before comes back")
C.raise(C.SIGUSR2)
assert(#raised == 2 and C.signal(C.SIGUSR2, SIG_DFL) == SIG_IGN)
handler:free()
print "signal: two handled, one ignored"

-- A pipe between two processes, read to its end.
local ends = ffi.new "int[2]"
check(C.pipe(ends))
pid = child(function()
  C.close(ends[0])
  for i = 1, 100 do
    local line = ("line %d\n"):format(i)
    check(C.write(ends[1], line, #line))
  end
  return 0
end)
C.close(ends[1])
local parts, buf = {}, ffi.new "char[100]"
while true do
  local n = check(C.read(ends[0], buf, 100))
  if n == 0 then break end
  parts[#parts + 1] = ffi.string(buf, n)
end
assert(wait(pid) == "exit" and select(2, table.concat(parts):gsub("\n", "")) == 100)
print "pipe: 100 lines"
C.close(ends[0])
