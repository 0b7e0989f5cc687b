-- What an answer repeats of its request: an answer to another is none to this one, and a status that AlipayHK did
-- not take is told.

local double = require "spec.support.doubles.alipayhk_double"
local samples = require "spec.support.data.samples"

local gateway = double.new { algorithm = "p224" }
local FAST = { base_delay_ms = 0, max_delay_ms = 0 }

local function body_of(status, more)
  return ('{"result":{"resultCode":"A_CODE","resultStatus":"%s"}%s}'):format(status, more)
end

describe("an answer to another request", function()
  local client = gateway:client { retry = FAST }

  local function order() return samples.order { requestId = "r1", merchantBizNo = "12" } end

  local OTHERS = { ',"requestId":"r2"', ',"merchantBizNo":"13"', ',"merchantBizNo":13', ',"requestId":"R1"',
    ',"requestId":"r1","merchantBizNo":"13"', ',"requestId":" r1"' }
  for _, other in ipairs(OTHERS) do
    it("is no success, and no failure either:" .. other, function()
      for _, answer in ipairs { { body = body_of("S", other) }, { body = body_of("F", other) },
        { body = body_of("F", other), signed = false }, { body = body_of("F", other), http_status = 400 },
        { body = body_of("S", other), encrypt = true } } do
        local rsa = answer.encrypt and double.new() or gateway
        local by = answer.encrypt and rsa:client { retry = FAST } or client
        rsa:answers { answer }
        local response, err = by:sync_order(order())
        assert.is_nil(response)
        assert.same({ "protocol", "another_request", true, 3 }, { err.kind, err.code, err.retryable, err.attempts })
        assert.is_nil(err.response)
        assert.matches("another request", err.message, 1, true)
        assert.matches("outcome of this one is unknown", err.message, 1, true)
        assert.is_nil(tostring(err):find(samples.USER_ID, 1, true))
      end
    end)
  end

  it("is none that repeats our id of 19 digits as a number", function()
    local id = "2026112600000012345"
    gateway:answers { { body = body_of("S", (',"requestId":%s'):format(id)) } }
    assert.equal(1, assert(client:sync_order(samples.order { requestId = id })).attempts)
    gateway:answers { { body = body_of("S", (',"requestId":%s'):format("2026112600000012346")) } }
    local _, err = client:sync_order(samples.order { requestId = id })
    assert.matches("its requestId is 2026112600000012346, and 2026112600000012345 was sent", err.message, 1, true)
  end)

  it("is followed by another attempt, which may get its own", function()
    gateway:answers { { body = body_of("S", ',"requestId":"r2"') }, { body = body_of("S", ',"requestId":"r1"') } }
    assert.equal(2, assert(client:sync_order(order())).attempts)
  end)

  local OWN = { "", ',"requestId":"r1"', ',"requestId":"r1","merchantBizNo":"12"', ',"merchantBizNo":12',
    ',"requestId":null', ',"requestId":""', ',"requestId":{}', ',"requestId":[]', ',"requestid":"r2"' }
  for _, own in ipairs(OWN) do
    it("is not one that repeats ours, or nothing:" .. own, function()
      gateway:answers { { body = body_of("S", own) } }
      assert.equal(1, assert(client:sync_order(order())).attempts)
    end)
  end

  it("is found for every API, by what was sent", function()
    gateway:answers { { body = body_of("S", ',"requestId":"r2"') } }
    local _, err = client:call("/v1/ask", { requestId = "r1" })
    assert.equal("another_request", err.code)
    assert(client:call("/v1/ask", { id = "r1" }))
    _, err = client:sync_contract_card(samples.card())
    assert.equal("another_request", err.code)
    _, err = client:send(assert(client:prepare("order", order())))
    assert.equal("another_request", err.code)
  end)
end)

describe("a status that AlipayHK holds", function()
  local function ask(held, sent, config, more)
    gateway:answers { { body = body_of("S", held and (',"orderStatus":"%s"'):format(held) or more or "") } }
    return assert(gateway:client(config):sync_order(samples.order(sent and { orderStatus = sent })))
  end

  local function warning_of(response)
    for _, warning in ipairs(response.warnings) do
      if warning.path == "orderStatus" then return warning end
    end
  end

  it("and that is another than the one sent is a warning", function()
    local sent = samples.order().orderStatus
    local warning = warning_of(ask("USED_UP"))
    assert.equal("older", warning.code)
    assert.matches("holds USED_UP", warning.message, 1, true)
    assert.matches("sent " .. sent, warning.message, 1, true)
    assert.matches("not taken", warning.message, 1, true)
    assert.matches("^orderStatus: ", tostring(warning))
  end)

  it("and that is the same, or none, is none", function()
    assert.is_nil(warning_of(ask(samples.order().orderStatus)))
    assert.is_nil(warning_of(ask()))
    assert.is_nil(warning_of(ask("")))
    for _, none in ipairs { "null", "5", "{}" } do
      assert.is_nil(warning_of(ask(nil, nil, nil, ',"orderStatus":' .. none)))
    end
  end)

  it("comes beside other warnings, and is of that answer alone", function()
    local client = gateway:client()
    local request = assert(client:prepare("order", samples.order()))
    local before = #request.warnings
    gateway:answers { { body = body_of("S", ',"orderStatus":"USED_UP"') }, { body = body_of("S", "") } }
    assert.equal(before + 1, #assert(client:send(request)).warnings)
    assert.equal(before, #request.warnings)
    assert.equal(before, #assert(client:send(request)).warnings)
  end)

  it("says nothing of a failure, nor of an API whose answers do not show it", function()
    gateway:answers { { body = body_of("F", ',"orderStatus":"USED_UP"') } }
    local _, err = gateway:client():sync_order(samples.order(), { retry = false })
    assert.is_nil(warning_of(err.response))
    gateway:answers { { body = body_of("S", ',"orderStatus":"USED_UP"') } }
    assert.is_nil(warning_of(assert(gateway:client():sync_contract_card(samples.card()))))
    assert.is_nil(warning_of(assert(gateway:client():call("/v1/ask", { orderStatus = "A" }))))
  end)

  it("is a short line, whatever it is", function()
    local warning = warning_of(ask(("x"):rep(5000) .. "\\n" .. samples.USER_ID))
    assert.is_true(#warning.message < 700)
    warning = warning_of(ask("no \\n " .. samples.USER_ID))
    assert.is_nil(tostring(warning):find("%c"))
    assert.is_nil(tostring(warning):find(samples.USER_ID, 1, true))
  end)

  it("is compared with what was sent unchecked, too", function()
    assert.equal("older", warning_of(ask("B", "A", { validate = false })).code)
  end)
end)
