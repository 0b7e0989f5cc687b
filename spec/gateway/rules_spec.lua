-- The local gateway as a test double: what it remembers and the documented codes it answers with.

local gateway = require "spec.support.servers.gateway"
local samples = require "spec.support.data.samples"

local client

-- The resultCode, whether the call succeeded or not.
local function code_of(response, err)
  return response and response.result.resultCode or err.code
end

describe("orders at the gateway", function()
  setup(function() client = gateway.client("rsa", { retry = false }) end)
  teardown(function() client:close() end)

  it("keep their orderId over updates", function()
    local order = samples.order { orderModifyTime = 1716338541000 }
    local first = assert(client:sync_order(order))
    order.orderStatus, order.orderModifyTime = "USED", order.orderModifyTime + 1
    local second = assert(client:sync_order(order))
    assert.equal(first.body.orderId, second.body.orderId)
    assert.equal("USED", second.body.orderStatus)
  end)

  it("ignore an update older than what is stored", function()
    local order = samples.order { orderStatus = "USED", orderModifyTime = 1716338542000 }
    assert(client:sync_order(order))
    order.orderStatus, order.orderModifyTime = "TICKETED", 1716338541999
    local response = assert(client:sync_order(order))
    assert.equal("USED", response.body.orderStatus)
    assert.truthy(response.result.resultMessage:find("ignored", 1, true))
  end)

  it("that break a rule are PARAM_ILLEGAL, with the fault named", function()
    local loose = gateway.client("rsa", { validate = false })
    local order = samples.order { merchantBizType = "MOVIE" }
    local _, err = loose:sync_order(order)
    loose:close()
    assert.equal("PARAM_ILLEGAL", err.code)
    assert.truthy(err.message:find("merchantBizType", 1, true))
    assert.is_true(err.response.authenticated)
  end)
end)

describe("notifications at the gateway", function()
  setup(function() client = gateway.client("rsa", { retry = false }) end)
  teardown(function() client:close() end)

  local function sync(card, changes)
    for key, value in pairs(changes or {}) do card[key] = value end
    return code_of(client:sync_contract_card(card))
  end

  it("SEND once, UPDATE after that", function()
    local card = samples.card()
    assert.equal("ORDER_NOT_FOUND", sync(card, { command = "UPDATE" }))
    assert.equal("SUCCESS", sync(card, { command = "SEND" }))
    assert.equal("UN_SUPPORT_BUSINESS", sync(card))
    assert.equal("SUCCESS", sync(card, { command = "UPDATE", orderStatus = "OVERDUED" }))
  end)

  it("SEND again once the old one has expired", function()
    local card = samples.card { endDate = 1716338541000 }
    assert.equal("SUCCESS", sync(card))
    assert.equal("SUCCESS", sync(card, { command = "UPDATE" }))
    assert.equal("SUCCESS", sync(card, { command = "SEND" }))
  end)

  it("ignore a late UPDATE", function()
    local card = samples.card { bizDate = 1716338542000 }
    assert.equal("SUCCESS", sync(card))
    card.command, card.bizDate = "UPDATE", 1716338541999
    local response = assert(client:sync_contract_card(card))
    assert.truthy(response.result.resultMessage:find("ignored", 1, true))
  end)
end)
