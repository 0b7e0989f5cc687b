-- A body that was stored becomes a request again, maybe long after: as it was, checked anew. By hand; the outboxes'
-- specs have it over their stores.

local cards = require "alipayhk.api.contract_card"
local double = require "spec.support.doubles.alipayhk_double"
local json = require "dkjson"
local orders = require "alipayhk.api.order"
local request_builder = require "alipayhk.exchange.request"
local samples = require "spec.support.data.samples"

local AT_MS = 1716360141000 -- 2024-05-22T06:42:21Z
local UUID_8 = "^%x%x%x%x%x%x%x%x%-%x%x%x%x%-8%x%x%x%-[89ab]%x%x%x%-%x%x%x%x%x%x%x%x%x%x%x%x$"

local gateway = double.new { algorithm = "p224" }
local config = gateway:client({ now = function() return AT_MS / 1000 end }).config

local function freeze(description, payload)
  return assert(request_builder.freeze(config, description, payload, nil, math.floor)).body
end

describe("a body that was stored", function()
  it("becomes the same request, byte for byte, however long ago that was", function()
    local body = freeze(orders, samples.order { requestId = "r1", openId = samples.OPEN_ID })
    local spaced = body:gsub("^{", "{ ")
    local request = assert(request_builder.thaw(config, orders, spaced, AT_MS))
    assert.equal(spaced, request.body)
    assert.same({ "POST", "https://gateway.example" .. orders.path, "order", "r1" },
      { request.method, request.url, request.api, request.request_id })
    assert.same({}, request.warnings)
    table.sort(request.personal)
    assert.same({ samples.USER_ID, samples.OPEN_ID }, request.personal)
  end)

  it("has other values where it is told to, and the rest as it was", function()
    local body = freeze(cards, samples.card { requestId = "r1" })
    local request = assert(request_builder.thaw(config, cards, body, AT_MS, { command = "UPDATE", requestId = "r2" }))
    assert.same({ "UPDATE", "r2" }, { request.command, request.request_id })
    local expected = json.decode(body)
    expected.command, expected.requestId = "UPDATE", "r2"
    assert.same(expected, json.decode(request.body))
  end)

  it("is asked about under another id, the same one each time", function()
    local first = request_builder.settling_changes(cards, "r1")
    assert.equal("UPDATE", first.command)
    assert.matches(UUID_8, first.requestId)
    assert.same(first, request_builder.settling_changes(cards, "r1"))
    assert.not_equal(first.requestId, request_builder.settling_changes(cards, "r2").requestId)
  end)

  it("is refused where it breaks a rule by now, or is no JSON object", function()
    local body = freeze(orders, samples.order())
    for broken, words in pairs {
      [body:gsub("TICKETED", "EATEN")] = "orderStatus", [body:sub(1, -2)] = "no JSON object",
      ["[1]"] = "no JSON object",
    } do
      local request, err = request_builder.thaw(config, orders, broken, AT_MS)
      assert.is_nil(request)
      assert.equal("invalid", err.kind)
      assert.matches(words, tostring(err), 1, true)
    end
  end)
end)
