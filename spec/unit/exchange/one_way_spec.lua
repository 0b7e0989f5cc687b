-- One order's way through the library, watched from a debug hook: a line without a step back, on which the payload is
-- looked up once and visited three times.

local core = require "alipayhk.core"
local double = require "spec.support.doubles.alipayhk_double"
local json = require "alipayhk.base.json"
local message = require "alipayhk.exchange.message"
local rules = require "alipayhk.rules"
local samples = require "spec.support.data.samples"
local schema = require "alipayhk.schema"

local gateway = double.new { algorithm = "p224" }

-- A client; what AlipayHK's double does of its own, signing above all, is not its way.
local function new_client(overrides)
  overrides = overrides or {}
  function overrides.transport(request)
    local hook, mask = debug.gethook()
    debug.sethook()
    local raw = gateway:receive(request)
    debug.sethook(hook, mask)
    return raw
  end
  return gateway:client(overrides)
end

-- Runs a call; gives the names of the watched functions that it called, in order.
local function trace(client, call)
  local key = client.config.private_key
  local watched = {
    [rules.alipayhk.form] = "look up",
    [core.is_plain] = "visit: can JSON carry it?",
    [schema.check] = "visit: check",
    [json.encode] = "visit: encode",
    [key.sign] = "sign",
    [client.transport.send] = "send",
    [message.verify] = "verify",
    [json.decode_object] = "decode",
  }
  local steps = {}
  local jit = rawget(_G, "jit")
  if jit then -- compiled code calls no hooks
    jit.off()
    jit.flush()
  end
  debug.sethook(function()
    local step = watched[debug.getinfo(2, "f").func]
    if step then steps[#steps + 1] = step end
  end, "c")
  local response, err = call()
  debug.sethook()
  if jit then jit.on() end
  assert.is_nil(err)
  assert.equal("SUCCESS", response.result.resultCode)
  return steps
end

local WAY = {
  "look up", "visit: can JSON carry it?", "visit: check", "visit: encode", "sign", "send", "verify", "decode",
}

describe("one order's way", function()
  it("is a line", function()
    local client = new_client()
    assert.same(WAY, trace(client, function() return client:sync_order(samples.order()) end))
  end)

  it("is the same for a notification, whose texts are encoded by themselves first", function()
    local client, with_texts = new_client(), {}
    for i, step in ipairs(WAY) do
      if step == "visit: encode" then with_texts[i] = step end
      with_texts[#with_texts + 1] = step
    end
    assert.same(with_texts, trace(client, function() return client:sync_contract_card(samples.card()) end))
  end)

  it("is the same without a check: what has another form on the wire is still found", function()
    local client = new_client { validate = false }
    assert.same(WAY, trace(client, function() return client:sync_order(samples.order()) end))
  end)
end)
