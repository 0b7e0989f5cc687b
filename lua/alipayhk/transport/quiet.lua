-- Asks the kernel for facts about a connection that nginx does not give.
--
-- An idle connection is quiet if nothing has arrived on it and it was not closed. Bytes that wait there would be taken
-- for the answer to the next request. nginx closes an idle connection on which something arrives, but only when its
-- event loop runs: code that takes one from the pool before that would get it with these bytes.

local has_ffi, ffi = pcall(require, "ffi") -- absent if nginx was built with plain Lua

local POLLIN, ERROR_SIZE = 1, 128

-- Declared under names of our own: other code may declare the same functions in another way.
local DECLARATIONS = [[
  int alipayhk_poll(void *descriptors, unsigned long count, int timeout_ms) __asm__("poll");
  int alipayhk_descriptor(void *upstream, int replacement, unsigned char *err, size_t *err_size)
    __asm__("ngx_http_lua_ffi_socket_tcp_hack_fd");
  int alipayhk_setsockopt(int descriptor, int level, int name, const int *value, unsigned size) __asm__("setsockopt");
  int alipayhk_ioctl(int descriptor, unsigned long request, ...) __asm__("ioctl");
]]

-- Linux only: IPPROTO_TCP, TCP_QUICKACK, and SIOCOUTQ, which has this number on the architectures listed.
local TCP, QUICKACK, OUTQ = 6, 12, 0x5411
local HAS_OUTQ = { x64 = true, x86 = true, arm = true, arm64 = true }
local is_linux = has_ffi and ffi.os == "Linux" and HAS_OUTQ[ffi.arch] or false

local quiet = {}

local asked, err, err_size, number
if has_ffi then
  ffi.cdef(DECLARATIONS)
  asked = ffi.new "struct { int descriptor; short events; short found; }[1]"
  err, err_size = ffi.new("unsigned char[?]", ERROR_SIZE), ffi.new "size_t[1]"
  number = ffi.new "int[1]"
end

-- The descriptor for lua-nginx-module before 0.10.29, which has no public `getfd`. This internal function exists from
-- 0.10.18 on; relying on it is safe, since those releases do not change any more.
local function before_getfd(socket)
  err_size[0] = ERROR_SIZE
  return ffi.C.alipayhk_descriptor(socket[1], -1, err, err_size)
end

-- The file descriptor of a connected cosocket; nil if it cannot be found out.
local function descriptor_of(socket)
  if not has_ffi then return nil end
  local ran, descriptor = pcall(socket.getfd or before_getfd, socket)
  return ran and type(descriptor) == "number" and descriptor >= 0 and descriptor or nil
end

-- Whether a connected cosocket, whose answer was read in full, is quiet. False also if that cannot be found out.
function quiet.is_quiet(socket)
  local descriptor = descriptor_of(socket)
  if not descriptor then return false end
  asked[0].descriptor, asked[0].events, asked[0].found = descriptor, POLLIN, 0
  return ffi.C.alipayhk_poll(asked, 1, 0) == 0
end

-- Acknowledges the answer at once. The server's kernel may hold back what was written after that answer until it is
-- acknowledged (Nagle's algorithm). With a later acknowledgement these bytes would arrive after our next request was
-- sent, and be taken for its answer.
function quiet.acknowledge(socket)
  local descriptor = is_linux and descriptor_of(socket)
  if not descriptor then return end
  number[0] = 1
  ffi.C.alipayhk_setsockopt(descriptor, TCP, QUICKACK, number, ffi.sizeof "int")
end

-- Whether the server has acknowledged all that we sent: an answer that arrives earlier is not to this request. True
-- also if that cannot be found out.
function quiet.is_acknowledged(socket)
  local descriptor = is_linux and descriptor_of(socket)
  if not descriptor then return true end
  number[0] = 0
  return ffi.C.alipayhk_ioctl(descriptor, OUTQ, number) ~= 0 or number[0] == 0
end

return quiet
