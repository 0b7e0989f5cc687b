-- What holds for a client as a whole: requests stay its own, outcomes are not lost, nothing leaks.

local alipayhk = require "alipayhk"
local gateway = require "spec.support.servers.gateway"
local samples = require "spec.support.data.samples"

describe("a prepared request", function()
  local client, request

  before_each(function()
    client = gateway.client("rsa")
    request = assert(client:prepare("order", samples.order()))
  end)
  after_each(function() client:close() end)

  local ALTERED = {
    { "another method", function() request.method = "GET" end, "POST" },
    { "another url", function() request.url = "https://127.0.0.1:1" .. request.path end, "url" },
    { "another path", function() request.path = "/x" end, "path" },
    { "a header that is no string", function() request.headers["X-Number"] = 1 end, "headers" },
    { "another client's id", function() request.headers["Client-Id"] = "x" end, "another client" },
  }
  for _, case in ipairs(ALTERED) do
    it("is not sent with " .. case[1], function()
      case[2]()
      local ok, message = pcall(client.send, client, request)
      assert.is_false(ok)
      assert.truthy(message:find(case[3], 1, true))
    end)
  end
end)

describe("a notification whose answer was lost", function()
  -- Answers by itself first, then lets the gateway answer.
  local function losing(first)
    local curl = require("alipayhk.curl").new()
    local calls = 0
    return function(request)
      calls = calls + 1
      local raw, failure = curl:send(request)
      if calls == 1 then return nil, first end
      return raw, failure
    end
  end

  it("says so when the repeated SEND is refused, also over a second send", function()
    local client = gateway.client("rsa", {
      retry = false,
      transport = losing { code = "timeout", message = "lost on purpose" },
    })
    local request = assert(client:prepare("contract_card", samples.card()))
    local _, first = client:send(request)
    assert.equal("timeout", first.code)
    local _, second = client:send(request)
    assert.equal("UN_SUPPORT_BUSINESS", second.code)
    assert.truthy(second.message:find("got no answer", 1, true))
  end)

  it("comes back with its last error when the client is closed while it waits", function()
    local client
    client = gateway.client("rsa", {
      transport = losing { code = "timeout", message = "lost on purpose" },
      retry = { max_attempts = 3, base_delay_ms = 1 },
      on_event = function(event) if event.name == "retry" then client:close() end end,
    })
    local response, err = client:sync_contract_card(samples.card())
    assert.is_nil(response)
    assert.equal("timeout", err.code)
    assert.equal(1, err.attempts)
  end)
end)

describe("what others must not see or share", function()
  it("a user's id that the answer repeats is not in the message", function()
    local order = samples.order()
    local loose = gateway.client("rsa", {
      transport = function()
        return {
          status = 200,
          headers = {},
          body = ('{"result":{"resultStatus":"F","resultCode":"X","resultMessage":"no user %s here"}}'):format(
            order.userId),
        }
      end,
    })
    local _, err = loose:sync_order(order)
    assert.equal("result", err.kind)
    assert.is_nil(tostring(err):find(order.userId, 1, true))
  end)

  it("a resultCode that is no string reaches no event", function()
    local codes = {}
    local client = gateway.client("rsa", {
      verify_response = false,
      on_event = function(event) codes[#codes + 1] = event.result_code end,
      transport = function()
        return { status = 200, headers = {}, body = '{"result":{"resultStatus":"S","resultCode":{"userId":"1"}}}' }
      end,
    })
    assert(client:sync_order(samples.order()))
    assert.same({}, codes)
  end)

  it("a transport that changes its tls table changes no other client's", function()
    local seen = {}
    local function config()
      local made = gateway.config("rsa", {
        retry = false,
        transport = function(request)
          seen[#seen + 1] = request.tls.min_version
          request.tls.min_version = "1.0"
          return nil, { code = "reset", message = "on purpose" }
        end,
      })
      made.tls = nil
      return made
    end
    assert(alipayhk.new(config())):sync_order(samples.order())
    assert(alipayhk.new(config())):sync_order(samples.order())
    assert.same({ "1.2", "1.2" }, seen)
  end)

  it("a proxy's password is in no error", function()
    for _, proxy in ipairs { "http://user:SECRETPW@host:99999", "ftp://user:SECRETPW@host:1", "SECRETPW" } do
      local client, err = alipayhk.new(gateway.config("rsa", { proxy = proxy }))
      assert.is_nil(client)
      assert.equal("proxy", err.code)
      assert.is_nil(tostring(err):find("SECRETPW", 1, true))
    end
  end)

  it("a retry of one call over retry = false has the default back-off", function()
    local delays = {}
    local client = gateway.client("rsa", {
      retry = false,
      transport = function() return nil, { code = "reset", message = "on purpose" } end,
      on_event = function(event) delays[#delays + 1] = event.delay_ms end,
    })
    client:sync_order(samples.order(), { retry = { max_attempts = 3 } })
    assert.equal(2, #delays)
    assert.is_true(delays[1] + delays[2] > 0)
  end)
end)
