-- What on_event gets to see, and what it never does.

local double = require "spec.support.doubles.alipayhk_double"
local samples = require "spec.support.data.samples"
local shell = require "spec.support.shell"

local FAST = { base_delay_ms = 1, max_delay_ms = 2 }

local gateway = double.new()

-- The events of one call, and what it returned.
local function events_of(script, payload, method)
  local events = {}
  local client = gateway:client { retry = FAST, agent_token = "secret-token",
    on_event = function(event) events[#events + 1] = event end }
  gateway:answers(script)
  return events, client[method or "sync_order"](client, payload)
end

local function outline(events)
  local list = {}
  for i, event in ipairs(events) do list[i] = ("%s %s"):format(event.name, tostring(event.attempt)) end
  return list
end

local function each_text(value, see)
  if type(value) == "table" then
    for key, child in pairs(value) do
      each_text(key, see)
      each_text(child, see)
    end
  else
    see(tostring(value))
  end
end

describe("on_event", function()
  local SCRIPT = {
    { failure = "timeout" },
    { http_status = 503, headers = { ["tracer-id"] = "trace-2" } },
    { headers = { ["tracer-id"] = "trace-3" } },
  }

  it("tells of a success after two failures, step by step", function()
    local order = samples.order()
    local events, response = events_of(SCRIPT, order)
    assert.same({
      "attempt 1", "error 1", "retry 1", "attempt 2", "error 2", "retry 2", "attempt 3", "response 3",
    }, outline(events))
    for _, event in ipairs(events) do
      assert.equal("order", event.api)
      assert.equal(response.request_id, event.request_id)
      assert.equal(order.merchantBizNo, event.merchant_biz_no)
      assert.equal(event.name == "retry", event.delay_ms ~= nil)
    end
    assert.is_nil(events[2].http_status)
    assert.equal(503, events[5].http_status)
    assert.equal("trace-2", events[5].tracer_id)
    assert.equal(200, events[8].http_status)
    assert.equal("SUCCESS", events[8].result_code)
    assert.equal("trace-3", events[8].tracer_id)
    assert.same({ total_ms = 1 }, events[8].timing)
  end)

  it("tells of a refusal with its code", function()
    local events = events_of({ { status = "F", code = "PARAM_ILLEGAL" } }, samples.card(), "sync_contract_card")
    assert.same({ "attempt 1", "error 1" }, outline(events))
    assert.equal("contract_card", events[2].api)
    assert.equal("PARAM_ILLEGAL", events[2].result_code)
    assert.equal(200, events[2].http_status)
  end)

  it("tells of a payload that was not sent, and of no attempt", function()
    local events = events_of({ {} }, samples.order { orderStatus = samples.ABSENT })
    assert.equal(1, #events)
    assert.equal("error", events[1].name)
    assert.equal("order", events[1].api)
  end)

  it("never tells of keys, signatures, bodies, tokens or users", function()
    local shown, secrets = 0, { samples.USER_ID, samples.OPEN_ID, "secret-token", '"result"' }
    local pem = shell.read(gateway.merchant.private)
    local function see(text)
      shown = shown + 1
      for _, secret in ipairs(secrets) do assert.is_nil(text:find(secret, 1, true), text) end
    end
    secrets[#secrets + 1] = pem:match("\n(%C+)\n")
    for _, script in ipairs { SCRIPT, { { status = "F" } }, { { signed = false } }, { { body = "no JSON" } } } do
      local events = events_of(script, samples.order { openId = samples.OPEN_ID })
      for _, request in ipairs(gateway.requests) do
        secrets[#secrets + 1] = request.body
        secrets[#secrets + 1] = request.headers["Signature"]:match("signature=(.*)")
      end
      each_text(events, see)
    end
    each_text((events_of({ {} }, samples.order { openId = samples.OPEN_ID, userId = 5, orderStatus = 5 })), see)
    assert.is_true(shown > 50)
  end)

  it("tells a code of AlipayHK's without a user's id that stands in it", function()
    local told = {}
    local client = gateway:client { retry = false, on_event = function(event) told[event.name] = event.result_code end }
    for status, event in pairs { S = "response", F = "error" } do
      gateway:answers { { code = "CODE_" .. samples.OPEN_ID, status = status } }
      client:sync_order(samples.order { openId = samples.OPEN_ID })
      assert.equal("CODE_***", told[event])
    end
  end)

  it("does no harm by throwing", function()
    local calls = 0
    local client = gateway:client { retry = FAST, on_event = function()
      calls = calls + 1
      error("a broken hook")
    end }
    gateway:answers { { failure = "timeout" }, {} }
    assert.equal(2, assert(client:sync_order(samples.order())).attempts)
    assert.equal(5, calls)
  end)

  it("does no harm by changing the event", function()
    local client = gateway:client { retry = FAST, on_event = function(event)
      for key in pairs(event) do event[key] = nil end
      event.timing = "changed"
    end }
    gateway:answers { { failure = "timeout" }, {} }
    assert.same({ total_ms = 1 }, assert(client:sync_order(samples.order())).timing)
  end)
end)
