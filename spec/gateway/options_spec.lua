-- What the gateway is told when it is started, and how it tells requests apart: a client of the user's own, times,
-- requestIds, versions of keys.

local alipayhk = require "alipayhk"
local connection = dofile "gateway/connection.lua"
local core = require "alipayhk.core"
local curl = require "alipayhk.curl"
local gateway = require "spec.support.servers.gateway"
local keys = require "spec.support.data.keys"
local samples = require "spec.support.data.samples"
local shell = require "spec.support.shell"

local function start(options)
  local environment = {}
  for name, value in pairs(options) do environment[#environment + 1] = name .. "=" .. shell.quote(value) end
  return gateway.start(table.concat(environment, " "))
end

-- What it says instead of starting.
local function refusal(options)
  local ran, message = pcall(start, options)
  if ran then gateway.stop(message) end
  assert.is_false(ran, "it started")
  return message
end

local function code_of(client, order, opts)
  local response, err = client:sync_order(order, opts)
  if response then return response.result.resultCode end
  assert.equal("result", err.kind, tostring(err))
  return err.code, err
end

describe("the gateway with a client of the user's own", function()
  -- The user has the private key, and gives the gateway the public one.
  local function own_config(values, pair, extra)
    local config = {
      client_id = values.own_client_id, base_url = values.base_url, private_key = { file = pair.private },
      alipay_public_key = { file = values.own_alipay_public_key }, tls = { ca_file = values.ca_file },
    }
    for key, value in pairs(extra or {}) do config[key] = value end
    return config
  end

  for kind, algorithm in pairs { rsa = "rsa", ec = "p224" } do
    it("knows it beside its own: " .. kind, function()
      local pair = keys.pair("merchant", algorithm)
      local values = start {
        GATEWAY_CLIENT_ID = "MINE-7", GATEWAY_MERCHANT_KEY = pair.public, GATEWAY_KEY_VERSION = "3",
      }
      finally(function() gateway.stop(values) end)
      assert.equal("MINE-7", values.own_client_id)
      local mine = assert(alipayhk.new(own_config(values, pair, { key_version = 3 })))
      assert.equal("SUCCESS", (code_of(mine, samples.order())))
      assert.equal("SUCCESS", (code_of(mine, samples.order(), { encrypt = kind == "rsa" })))
      local theirs = assert(alipayhk.new(connection.config(values, "rsa")))
      assert.equal("SUCCESS", (code_of(theirs, samples.order())))
      -- Another version than that under which it has the key.
      local other = assert(alipayhk.new(own_config(values, pair, { key_version = 1 })))
      local code, err = code_of(other, samples.order())
      assert.equal("INVALID_SIGNATURE", code)
      assert.matches("key version 1; the versions given are 3", err.message, 1, true)
    end)
  end

  it("is told what is wrong with the options, and starts nothing", function()
    local public = keys.pair("merchant").public
    assert.matches("GATEWAY_CLIENT_ID and GATEWAY_MERCHANT_KEY", refusal { GATEWAY_CLIENT_ID = "MINE" }, 1, true)
    assert.matches("GATEWAY_CLIENT_ID and GATEWAY_MERCHANT_KEY", refusal { GATEWAY_MERCHANT_KEY = public }, 1, true)
    assert.matches("GATEWAY_MERCHANT_KEY: ",
      refusal { GATEWAY_CLIENT_ID = "MINE", GATEWAY_MERCHANT_KEY = "no/such/file.pem" }, 1, true)
    assert.matches("GATEWAY_MERCHANT_KEY: ",
      refusal { GATEWAY_CLIENT_ID = "MINE", GATEWAY_MERCHANT_KEY = "README.md" }, 1, true)
    assert.matches("GATEWAY_CLIENT_ID: expected printable ASCII",
      refusal { GATEWAY_CLIENT_ID = "MI NE", GATEWAY_MERCHANT_KEY = public }, 1, true)
    assert.matches("line break", refusal { GATEWAY_CLIENT_ID = "MI\nNE", GATEWAY_MERCHANT_KEY = public }, 1, true)
    for _, value in ipairs { "many", "-1", "101" } do
      assert.matches("GATEWAY_FAIL_PERCENT: expected a number from 0 to 100",
        refusal { GATEWAY_FAIL_PERCENT = value }, 1, true)
    end
    assert.matches("GATEWAY_ANSWER: there is no such result code", refusal { GATEWAY_ANSWER = "NONE" }, 1, true)
    assert.matches("GATEWAY_KEYS: README.md is no folder", refusal { GATEWAY_KEYS = "README.md" }, 1, true)
    for _, value in ipairs { "many", "-1", "1.5" } do
      assert.matches("GATEWAY_TIME_TOLERANCE: expected a number of seconds", refusal { GATEWAY_TIME_TOLERANCE = value },
        1, true)
    end
  end)
end)

describe("the gateway's clock", function()
  local function at(values, seconds)
    local config = connection.config(values, "rsa")
    config.now = function() return core.now() + seconds end
    return assert(alipayhk.new(config))
  end

  it("is not asked by default: what AlipayHK allows is on no page", function()
    for _, seconds in ipairs { -86400, 86400 } do
      assert.equal("SUCCESS", (code_of(at(gateway.values(), seconds), samples.order())))
    end
  end)

  it("bounds Request-Time where it is told to, and says that this is its own rule", function()
    local values = start { GATEWAY_TIME_TOLERANCE = "300" }
    finally(function() gateway.stop(values) end)
    for _, seconds in ipairs { -200, 0, 200 } do
      assert.equal("SUCCESS", (code_of(at(values, seconds), samples.order())))
    end
    for _, seconds in ipairs { -400, 400 } do
      local code, err = code_of(at(values, seconds), samples.order())
      assert.equal("INVALID_SIGNATURE", code)
      assert.matches("Request%-Time is %d+ s from the gateway's clock.*GATEWAY_TIME_TOLERANCE.*not AlipayHK's",
        err.message)
      assert.is_true(err.response.authenticated)
    end
  end)
end)

describe("the gateway and a requestId", function()
  local client
  setup(function() client = gateway.client("rsa") end)
  teardown(function() client:close() end)

  local function new_id() return core.hex_encode(core.random_bytes(16)) end

  it("that comes again with the same content take it for a retry", function()
    local order = samples.order { requestId = new_id(), orderModifyTime = 1716338541000 }
    for _ = 1, 2 do assert.equal("SUCCESS", (code_of(client, order))) end
    -- Sealed anew each time, and the same all the same.
    assert.equal("SUCCESS", (code_of(client, order, { encrypt = true })))
  end)

  it("that comes again with another content refuse it", function()
    local order = samples.order { requestId = new_id(), orderModifyTime = 1716338541000 }
    assert.equal("SUCCESS", (code_of(client, order)))
    order.orderModifyTime = 1716338541001
    assert.equal("REPEAT_REQ_INCONSISTENT", (code_of(client, order)))
    order.requestId = new_id()
    assert.equal("SUCCESS", (code_of(client, order)))
  end)

  it("of a request that was refused for its content forget it", function()
    local loose = gateway.client("rsa", { validate = false })
    local order = samples.order { requestId = new_id() }
    order.orderStatus = nil
    assert.equal("PARAM_ILLEGAL", (code_of(loose, order)))
    order.orderStatus = "TICKETED"
    assert.equal("SUCCESS", (code_of(loose, order)))
    loose:close()
  end)

  it("of another client are not the same", function()
    local ec = gateway.client("ec")
    local id = new_id()
    assert.equal("SUCCESS", (code_of(client, samples.order { requestId = id })))
    assert.equal("SUCCESS", (code_of(ec, samples.order { requestId = id })))
    ec:close()
  end)
end)

describe("the gateway refuses", function()
  local handle
  setup(function() handle = curl.new() end)
  teardown(function() handle:close() end)

  -- What comes of an order whose headers `alter` has in its hands on their way.
  local function outcome(alter, opts)
    local client = gateway.client("rsa", {
      retry = false,
      transport = function(request)
        alter(request.headers)
        return handle:send(request)
      end,
    })
    return client:sync_order(samples.order(), opts)
  end

  local function replaced(name, pattern, by)
    return function(headers)
      local count
      headers[name], count = headers[name]:gsub(pattern, by)
      assert(count == 1)
    end
  end

  local ENCRYPTED = { encrypt = true }
  local REFUSED = {
    { "a signature by a version of the client's key that it does not have", "INVALID_SIGNATURE",
      "key version 2; the versions given are 1", replaced("Signature", "keyVersion=1", "keyVersion=2") },
    { "a body sealed for a version of its own key that it does not have", "PARAM_ILLEGAL",
      "encrypted for key version 2", replaced("Encrypt", "keyVersion=1", "keyVersion=2"), ENCRYPTED },
    { "a body sealed in another way than RSA_AES", "PARAM_ILLEGAL",
      "RSA_DES, and only RSA_AES is supported", replaced("Encrypt", "RSA_AES", "RSA_DES"), ENCRYPTED },
  }
  for _, case in ipairs(REFUSED) do
    it(case[1], function()
      local response, err = outcome(case[4], case[5])
      assert.is_nil(response)
      assert.equal(case[2], err.code, tostring(err))
      assert.matches(case[3], err.message, 1, true)
    end)
  end

  it("nothing that names no version", function()
    assert(outcome(replaced("Signature", "keyVersion=1,", "")))
    assert(outcome(replaced("Encrypt", "keyVersion=1,", ""), ENCRYPTED))
  end)

  it("nothing for its many headers, and leaves what has more than that unread", function()
    local function many(count)
      return function(headers)
        for i = 1, count do headers[("A-%d"):format(i)] = "x" end
      end
    end
    assert(outcome(many(300)))
    local response, err = outcome(many(600))
    assert.is_nil(response)
    assert.equal(400, err.http_status)
  end)
end)
