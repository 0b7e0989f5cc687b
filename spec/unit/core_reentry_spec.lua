-- Lua code that runs in the middle of a C function, and what it must not be able to do.

local core = require "alipayhk.core"
local curl = require "alipayhk.curl"
local keys = require "spec.support.keys"

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

-- A finalizer may run at any allocation of Lua's. Here one does at nearly each: the collector is set to go
-- through a whole cycle at every chance it gets, and each finalizer leaves the next piece of garbage.
describe("a finalizer that", function()
  local MESSAGE = ("message "):rep(10)
  local content = keys.read("rsa", "pkcs8.der")
  local steady = assert(core.private_key(content))
  local signature = steady:sign(MESSAGE)
  local body, wrapped = core.seal(MESSAGE, steady)

  -- A userdata where tables have no finalizers (5.1, LuaJIT).
  local function leave_garbage(finalize)
    local proxy = newproxy -- luacheck: ignore 113 (of 5.1)
    if proxy then
      getmetatable(proxy(true)).__gc = finalize
    else
      setmetatable({}, { __gc = finalize })
    end
  end

  -- Runs `use` with a collector that is never at rest, and `act` in the n-th finalizer. Gives what pcall gives,
  -- and how many finalizers there were.
  local function with_busy_collector(use, act, n)
    local running, count = true, 0
    local result, mode, pause, multiplier
    local function finalize()
      if not running then return end
      leave_garbage(finalize)
      count = count + 1
      if count == n then act() end
    end
    if _VERSION == "Lua 5.4" then
      mode = collectgarbage("incremental", 1, 1000, 30) -- luacheck: ignore 143
    else
      pause, multiplier = collectgarbage("setpause", 0), collectgarbage("setstepmul", 1000000)
    end
    collectgarbage() -- the pause counts from the end of a cycle
    leave_garbage(finalize)
    result = { pcall(use) }
    running = false
    if mode then
      collectgarbage("incremental", 200, 100, 13)
      collectgarbage(mode)
    else
      collectgarbage("setpause", pause)
      collectgarbage("setstepmul", multiplier)
    end
    return result, count
  end

  -- Every function of the core that uses a key: what it gives with a key that nobody closes.
  local USES = {
    sign = function(key) return steady:verify(MESSAGE, key:sign(MESSAGE)) end,
    verify = function(key) return key:verify(MESSAGE, signature) end,
    fingerprint = function(key) return key:fingerprint() end,
    type = function(key) return key:type() end,
    bits = function(key) return key:bits() end,
    tostring = function(key) return (tostring(key):gsub("closed", "private RSA, 2048 bits")) end,
    ["core.private_key"] = function(key) return core.private_key(key) ~= nil end,
    ["core.open"] = function(key) return core.open(body, wrapped, key) end,
    ["core.seal"] = function(key)
      local sealed, sealed_key = core.seal(MESSAGE, key)
      return core.open(sealed, sealed_key, steady)
    end,
  }

  local ACTS = {
    ["closes the key"] = function(key) key:close() end,
    ["signs with the key"] = function(key) key:sign("other") end,
    ["verifies with the key"] = function(key) key:verify("other", "signature") end,
    ["reads another key"] = function() core.private_key(content) end,
  }

  local finalizers = 0
  for act_name, act in pairs(ACTS) do
    for use_name, use in pairs(USES) do
      it(("%s does not reach into %s"):format(act_name, use_name), function()
        local expected, n = use(steady), 0
        repeat
          local key = assert(core.private_key(content))
          n = n + 1
          local result, count = with_busy_collector(function() return use(key) end, function() act(key) end, n)
          if result[1] then
            assert.equal(expected, result[2])
          else
            assert.equal("closes the key", act_name)
            assert.matches("the key is closed", result[2], 1, true)
          end
          key:close()
        until count < n
        finalizers = finalizers + n - 1
      end)
    end
  end

  it("runs often enough to tell", function() assert.is_true(finalizers > 36) end)
end)
