-- What the kernel knows of a connection and nginx does not tell.
--
-- Whether one without a request under way is quiet: nothing has come on it, and it was not closed.
-- What waits there would be taken for the answer to the next request. nginx closes an idle connection on which
-- something comes, but only when its event loop runs: who takes one from the pool in the same turn, after some work,
-- gets it with whatever has arrived. The kernel knows at once.

local has_ffi, ffi = pcall(require, "ffi") -- wherever there is lua-resty-core

local POLLIN, ERROR_SIZE = 1, 128

-- Names of our own: somebody else may declare the functions, too.
local DECLARATIONS = [[
  int alipayhk_poll(void *descriptors, unsigned long count, int timeout_ms) __asm__("poll");
  int alipayhk_descriptor(void *upstream, int replacement, unsigned char *err, size_t *err_size)
    __asm__("ngx_http_lua_ffi_socket_tcp_hack_fd");
  int alipayhk_setsockopt(int descriptor, int level, int name, const int *value, unsigned size) __asm__("setsockopt");
  int alipayhk_ioctl(int descriptor, unsigned long request, ...) __asm__("ioctl");
]]

-- Linux alone: IPPROTO_TCP and TCP_QUICKACK; SIOCOUTQ, where it has this number.
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

-- lua-nginx-module has `getfd` from 0.10.29 on. The releases from 0.10.18 to there have this function, and no longer
-- change.
local function before_getfd(socket)
  err_size[0] = ERROR_SIZE
  return ffi.C.alipayhk_descriptor(socket[1], -1, err, err_size)
end

-- The descriptor of a connected cosocket, or nil.
local function descriptor_of(socket)
  if not has_ffi then return nil end
  local ran, descriptor = pcall(socket.getfd or before_getfd, socket)
  return ran and type(descriptor) == "number" and descriptor >= 0 and descriptor or nil
end

-- Whether nothing has come on a connected cosocket, all of whose answer was read. False also where that cannot be
-- known.
function quiet.is_quiet(socket)
  local descriptor = descriptor_of(socket)
  if not descriptor then return false end
  asked[0].descriptor, asked[0].events, asked[0].found = descriptor, POLLIN, 0
  return ffi.C.alipayhk_poll(asked, 1, 0) == 0
end

-- Tells the peer at once that its answer has arrived. What it has written behind that answer may be held back until
-- then (Nagle); otherwise it would come once the next request acknowledges, and be taken for its answer.
function quiet.acknowledge(socket)
  local descriptor = is_linux and descriptor_of(socket)
  if not descriptor then return end
  number[0] = 1
  ffi.C.alipayhk_setsockopt(descriptor, TCP, QUICKACK, number, ffi.sizeof "int")
end

-- Whether the peer has received all that was sent: what it says before that is no answer to it. True also where that
-- cannot be known.
function quiet.is_acknowledged(socket)
  local descriptor = is_linux and descriptor_of(socket)
  if not descriptor then return true end
  number[0] = 0
  return ffi.C.alipayhk_ioctl(descriptor, OUTQ, number) ~= 0 or number[0] == 0
end

return quiet
