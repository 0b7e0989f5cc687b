-- Whether anything waits on a connection; in a real nginx spec/nginx/pool_bounds_spec.lua asks.

local quiet = require "alipayhk.transport.quiet"
local only_with = require "spec.support.asserting.only_with"

local is_quiet = quiet.is_quiet

local has_ffi, ffi = pcall(require, "ffi")
local it_asks = only_with(has_ffi, "needs LuaJIT's ffi, as nginx has it", it, pending)

local function socket_of(descriptor)
  return { getfd = function() return descriptor end }
end

describe("a connection", function()
  it("of which nothing can be known is not quiet", function()
    for _, socket in ipairs {
      {}, { {} }, socket_of(nil), socket_of(-1), socket_of("0"), socket_of(1000000),
      { getfd = function() error "closed" end },
    } do assert.is_false(is_quiet(socket)) end
  end)

  it_asks("is quiet until something comes, or it is closed", function()
    ffi.cdef [[
      int socketpair(int domain, int type, int protocol, int *pair);
      long write(int descriptor, const void *bytes, size_t count);
      long read(int descriptor, void *bytes, size_t count);
      int close(int descriptor);
    ]]
    local pair = ffi.new "int[2]"
    assert.equal(0, ffi.C.socketpair(1, 1, 0, pair))
    local socket = socket_of(pair[0])
    assert.is_true(is_quiet(socket))
    assert.equal(1, tonumber(ffi.C.write(pair[1], "H", 1)))
    assert.is_false(is_quiet(socket))
    -- It was looked at, not read.
    assert.equal(1, tonumber(ffi.C.read(pair[0], ffi.new "char[2]", 2)))
    assert.is_true(is_quiet(socket))
    ffi.C.close(pair[1])
    assert.is_false(is_quiet(socket))
    ffi.C.close(pair[0])
    assert.is_false(is_quiet(socket))
  end)
end)
