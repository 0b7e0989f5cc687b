-- Lua code that runs in the middle of a C function, and what it must not be able to do.

local child = require "spec.support.child"
local core = require "alipayhk.core"
local curl = require "alipayhk.curl"
local keys = require "spec.support.data.keys"
local shell = require "spec.support.shell"

-- A table whose every absent field closes the handle.
local function closing(handle, fields)
  return setmetatable(fields or {}, { __index = function() handle:close() end })
end

describe("options with a metamethod that closes the handle", function()
  local private, public, transport

  before_each(function()
    local pair = keys.pair("merchant", "rsa")
    private = assert(core.private_key { file = pair.private })
    public = assert(core.public_key { file = pair.public })
    transport = curl.new()
  end)

  it("do not reach a key that signs, verifies, seals or opens", function()
    local signature = private:sign("m", closing(private))
    assert.is_true(public:verify("m", signature, closing(public)))
    local body, wrapped = core.seal("text", public, closing(public))
    assert.equal("text", core.open(body, wrapped, private, closing(private)))
    assert.equal("RSA", private:type())
    assert.equal("RSA", public:type())
  end)

  it("do not reach a transport that sends", function()
    local _, failure = transport:send(closing(transport, {
      method = "POST", url = "http://127.0.0.1:1/", headers = {}, body = "x",
      connect_timeout_ms = 500, timeout_ms = 500, max_response_bytes = 1, tls = closing(transport),
    }))
    assert.equal("connect", failure.code)
    assert.equal("alipayhk.curl (open)", tostring(transport))
  end)
end)

-- In a process of its own, whose heap is small: see busy_collector.lua.
describe("a finalizer at any allocation", function()
  it("that closes, signs, verifies or reads does not reach into a key in use", function()
    local script = shell.read("spec/support/programs/busy_collector.lua")
    local said, status = child.run(script, { keys.path("rsa", "pkcs8.der") })
    assert.equal(0, status, said)
    assert.matches("^%d+ finalizers\n$", said)
    assert.is_true(tonumber(said:match("%d+")) > 60)
  end)
end)
