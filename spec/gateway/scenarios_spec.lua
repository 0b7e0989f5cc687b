-- The scenarios' rules at the local gateway: their samples pass, and what breaks a rule is told by its code and place.

local api = require "alipayhk.api"
local cjson = require "cjson"
local core = require "alipayhk.core"
local gateway = require "spec.support.servers.gateway"
local samples = require "spec.support.data.samples"

local METHODS = { order = "sync_order", contract_card = "sync_contract_card" }
local TIMES = { order = "orderModifyTime", contract_card = "bizDate" }
local INFO = "syncDataInfo.languageBusinessInfo."
local START = 1716338541000

-- Looks at nothing before it sends: the gateway has to.
local loose, checked

setup(function()
  loose = gateway.client("rsa", { retry = false, validate = false })
  checked = gateway.client("rsa", { retry = false })
end)
teardown(function()
  loose:close()
  checked:close()
end)

local function copy(value)
  if type(value) ~= "table" then return value end
  local copied = {}
  for key, item in pairs(value) do copied[key] = copy(item) end
  return copied
end

-- A scenario's sample as of an order that nobody knows yet, its status another where one is named.
local function fresh(scenario_name, status)
  for name, description in pairs(api.by_name) do
    for _, scenario in ipairs(description.scenarios) do
      if scenario.name == scenario_name then
        local sample = copy(scenario.sample)
        sample.merchantBizNo = samples.biz_no()
        sample.orderStatus = status or sample.orderStatus
        return sample, name
      end
    end
  end
end

-- Sends it, as a request of its own: the resultCode and the answer or the error.
local function send(client, name, given)
  given.requestId = core.hex_encode(core.random_bytes(16))
  local response, err = client[METHODS[name]](client, given)
  if response then
    assert.equal("S", response.result.resultStatus)
    return response.result.resultCode, response
  end
  assert.equal("result", err.kind, tostring(err))
  assert.is_true(err.response.authenticated)
  return err.code, err
end

for _, name in ipairs(api.names) do
  for _, scenario in ipairs(api.by_name[name].scenarios) do
    describe("the sample of " .. scenario.name, function()
      it("is accepted", function()
        for _, client in ipairs { checked, loose } do
          local code, response = send(client, name, (fresh(scenario.name)))
          assert.equal("SUCCESS", code)
          assert.same({}, response.warnings)
        end
      end)

      if name == "contract_card" then
        it("is accepted with its texts as strings of JSON", function()
          for _, client in ipairs { checked, loose } do
            local given = fresh(scenario.name)
            local texts = given.syncDataInfo.languageBusinessInfo
            for locale, info in pairs(texts) do texts[locale] = cjson.encode(info) end
            assert.equal("SUCCESS", (send(client, name, given)))
          end
        end)
      end

      it("is accepted in each of its statuses", function()
        for _, status in ipairs(scenario.statuses) do
          assert.equal("SUCCESS", (send(loose, name, (fresh(scenario.name, status.name)))), status.name)
        end
      end)

      it("is ORDER_STATUS_INVALID in any other status", function()
        for _, status in ipairs { "NONE_OF_THESE", scenario.statuses[1].name:lower() } do
          local code, err = send(loose, name, (fresh(scenario.name, status)))
          assert.equal("ORDER_STATUS_INVALID", code)
          assert.matches("orderStatus", err.message, 1, true)
        end
      end)
    end)
  end
end

describe("PARAM_ILLEGAL names the place of", function()
  -- The scenario, what is done to its sample, and the place.
  local function texts(change)
    return function(given)
      local info = given.syncDataInfo.languageBusinessInfo
      change(info.zh_HK)
      info.en_US = nil
    end
  end
  local WRONG = {
    { "MOVIE_TICKET", function(given) given.extInfo = nil end, "extInfo" },
    { "MOVIE_TICKET", function(given) given.orderStatus = nil end, "orderStatus" },
    { "MOVIE_TICKET", function(given) given.orderStatus = 5 end, "orderStatus" },
    { "AIR_TICKET_DEFAULT", function(given) given.orderStatus = "" end, "orderStatus" },
    { "SELF_PICK", function(given) given.amount = nil end, "amount" },
    { "SELF_PICK", function(given) given.amount.value = "88.00" end, "amount.value" },
    { "SELF_PICK", function(given) given.itemOrderList[2] = "tea" end, "itemOrderList[2]" },
    { "LINE_UP", function(given) given.shopInfo.extInfo.multiLang.fr = {} end, "shopInfo.extInfo.multiLang.fr" },
    { "CHARGING_PILE", function(given) given.extInfo.amount.currency = "XYZ" end, "extInfo.amount.currency" },
    { "TRAIN_TICKET", function(given) given.shopInfo = {} end, "shopInfo" },
    { "ALIPAY_COUPON", function(given) given.colour = "red" end, "colour" },
    { "PAYMENT_ORDER_DEFAULT", texts(function(info) info.bill_due_time = nil end), INFO .. "zh_HK.bill_due_time" },
    { "PAYMENT_ORDER_DEFAULT", texts(function(info) info.bill_amount = "570.00" end), INFO .. "zh_HK.bill_amount" },
    { "AIR_TICKET_DEFAULT", texts(function(info) info.start_time = "23:05" end), INFO .. "zh_HK.start_time" },
    { "MOVIE_TICKET_DEFAULT", texts(function(info) info.seat_num[2] = 5 end), INFO .. "zh_HK.seat_num[2]" },
    { "RIDE_HAILING_DEFAULT", texts(function(info) info.action_url = "x" end), INFO .. "zh_HK.action_url" },
  }
  for _, case in ipairs(WRONG) do
    it(("%s in %s"):format(case[3], case[1]), function()
      for _, is_text in ipairs { false, true } do
        local given, name = fresh(case[1])
        case[2](given)
        if name == "contract_card" and is_text then
          local info = given.syncDataInfo.languageBusinessInfo
          info.zh_HK = cjson.encode(info.zh_HK)
        end
        local code, err = send(loose, name, given)
        assert.equal("PARAM_ILLEGAL", code)
        assert.matches(case[3], err.message, 1, true)
        assert.equal("F", err.response.result.resultStatus)
      end
    end)
  end

  it("what a client would have filled in", function()
    for _, name in ipairs(api.names) do
      for _, field in ipairs { "requestId", TIMES[name] } do
        local given = fresh(name == "order" and "MOVIE_TICKET" or "AIR_TICKET_DEFAULT")
        given[field] = nil
        -- call does not know the API.
        local response, err = loose:call(api.by_name[name].path, given)
        assert.is_nil(response)
        assert.equal("PARAM_ILLEGAL", err.code)
        assert.matches(field, err.message, 1, true)
      end
    end
  end)

  it("nothing that is there only because the sample has it", function()
    local given, name = fresh("MOVIE_TICKET")
    given.extInfo = nil
    assert.equal("PARAM_ILLEGAL", (send(loose, name, given)))
    -- What was refused is not remembered: the same order may come again, in order.
    given.extInfo = {}
    assert.equal("SUCCESS", (send(loose, name, given)))
  end)
end)

describe("what is only inferred succeeds:", function()
  it("a field that is missing, or of another type", function()
    local WEAK = {
      { "PASS_TICKET", function(given) given.extInfo = nil end },
      { "MOVIE_TICKET", function(given) given.payAmount.value = nil end },
      { "GIFT_CARD_COUPON", function(given) given.amount = "100" end },
      { "CHARGING_PILE", function(given) given.extInfo.surcharge_amount = 5 end },
      { "TRAIN_TICKET_DEFAULT", function(given) given.syncDataInfo.languageBusinessInfo.zh_HK.from = nil end },
      { "PAYMENT_ORDER_DEFAULT", function(given)
        given.orderStatus, given.syncDataInfo.languageBusinessInfo.en_US.bill_name = "OVERDUED", nil
      end },
      { "FINANCE_ORDER_DEFAULT", function(given) given.syncDataInfo.languageBusinessInfo = nil end },
    }
    for _, case in ipairs(WEAK) do
      for _, client in ipairs { loose, checked } do
        local given, name = fresh(case[1])
        case[2](given)
        local code, response = send(client, name, given)
        assert.equal("SUCCESS", code, case[1])
        assert.equal(client == checked, #response.warnings > 0)
      end
    end
  end)
end)

describe("a status outside the list", function()
  it("beside another fault is PARAM_ILLEGAL, and both are told", function()
    local given, name = fresh("MOVIE_TICKET", "NONE_OF_THESE")
    given.extInfo = nil
    local code, err = send(loose, name, given)
    assert.equal("PARAM_ILLEGAL", code)
    assert.matches("orderStatus", err.message, 1, true)
    assert.matches("extInfo", err.message, 1, true)
  end)
end)

describe("the step", function()
  -- A scenario, its statuses one after the other, and which of them are refused.
  local STEPS = {
    { "SELF_PICK", { "TO_PICK_UP", "CLOSED" }, "SF" },
    { "SELF_PICK", { "TO_PICK_UP", "CLOSED", "FINISHED" }, "SFS" },
    { "SELF_PICK", { "ORDER_TAKEN", "PENDING" }, "SF" },
    { "SELF_PICK", { "ORDER_TAKEN", "CLOSED", "REFUNDED" }, "SSF" },
    { "MOVIE_TICKET", { "USED", "TICKETED" }, "SF" },
    { "MOVIE_TICKET", { "TICKETED", "USED", "USED", "REFUNDED", "USED" }, "SSSFS" },
    { "PASS_TICKET", { "REFUNDED", "USED" }, "SF" },
    { "CHARGING_PILE", { "COMPLETED", "SERVING", "FINISHED", "SERVING" }, "SSSF" },
    { "LINE_UP", { "CALL_NUM", "CALL_NUM", "NUMBER_ARRIVED", "CANCELLED" }, "SSSF" },
    { "LINE_UP", { "CALL_NUM", "CANCELLED", "CALL_NUM" }, "SSF" },
    { "LINE_UP", { "CANCELLED", "FINISHED" }, "SS" },
    { "RIDE_HAILING", { "ORDER_TAKEN", "TO_SEND", "ORDER_TAKEN", "CLOSED", "PENDING" }, "SSSSS" },
    { "ALIPAY_COUPON", { "TICKETED", "TICKETED" }, "SS" },
    { "PAYMENT_ORDER_DEFAULT", { "OVERDUED", "WAIT_PAY", "CLOSED", "WAIT_PAY" }, "SSSS" },
    { "AIR_TICKET_DEFAULT", { "FLIGHT_CANCELLATION", "NEAR_DEPART" }, "SS" },
  }
  for _, case in ipairs(STEPS) do
    it(("%s of %s: %s"):format(table.concat(case[2], ", "), case[1], case[3]), function()
      local given, name = fresh(case[1])
      local stored
      for i, status in ipairs(case[2]) do
        given.orderStatus, given[TIMES[name]] = status, START + i
        if name == "contract_card" then given.command = i == 1 and "SEND" or "UPDATE" end
        local code, answer = send(i % 2 == 1 and checked or loose, name, given)
        local is_refused = case[3]:sub(i, i) == "F"
        assert.equal(is_refused and "ORDER_STATUS_INVALID" or "SUCCESS", code, status)
        if is_refused then
          assert.matches(stored .. " .*" .. status, answer.message)
        else
          stored = status
          if name == "order" then assert.equal(status, answer.body.orderStatus) end
        end
      end
    end)
  end

  it("is not judged of an older event, which is ignored", function()
    local given, name = fresh("MOVIE_TICKET", "USED")
    given.orderModifyTime = START + 5
    assert.equal("SUCCESS", (send(loose, name, given)))
    given.orderStatus, given.orderModifyTime = "TICKETED", START + 4
    local code, response = send(loose, name, given)
    assert.equal("SUCCESS", code)
    assert.equal("USED", response.body.orderStatus)
    -- A later one is.
    given.orderModifyTime = START + 6
    assert.equal("ORDER_STATUS_INVALID", (send(loose, name, given)))
  end)

  it("is judged of each order by itself", function()
    assert.equal("SUCCESS", (send(loose, "order", (fresh("MOVIE_TICKET", "USED")))))
    assert.equal("SUCCESS", (send(loose, "order", (fresh("MOVIE_TICKET", "TICKETED")))))
  end)

  it("is judged of an event with the same time as the one before, too", function()
    local given = fresh("MOVIE_TICKET", "USED")
    given.orderModifyTime = START
    assert.equal("SUCCESS", (send(loose, "order", given)))
    given.orderStatus = "TICKETED"
    assert.equal("ORDER_STATUS_INVALID", (send(loose, "order", given)))
  end)

  it("is none from a scenario to another", function()
    local given = fresh("MOVIE_TICKET", "USED")
    given.orderModifyTime = START
    assert.equal("SUCCESS", (send(loose, "order", given)))
    local other = fresh("PASS_TICKET", "TICKETED")
    other.merchantBizNo, other.orderModifyTime = given.merchantBizNo, START + 1
    assert.equal("SUCCESS", (send(loose, "order", other)))
  end)
end)
