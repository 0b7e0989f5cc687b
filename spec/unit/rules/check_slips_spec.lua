-- Slips that nobody can have meant: warnings of our own, marked so, which "strict" leaves warnings.

local alipayhk = require "alipayhk"
local cards = require "spec.support.data.card_expectations"
local cjson = require "cjson"
local core = require "alipayhk.core"
local double = require "spec.support.doubles.alipayhk_double"
local faults = require "spec.support.asserting.faults"
local samples = require "spec.support.data.samples"
local says = require "spec.support.asserting.check_says"

local HOUR_MS = 3600 * 1000
local DAY_MS = 24 * HOUR_MS
local INFO = "syncDataInfo.languageBusinessInfo."

local function now_ms() return math.floor(core.now() * 1000) end

local function assert_has(message, ...)
  for _, part in ipairs { ... } do assert.matches(part, message, 1, true) end
end

local function put(given, path, value)
  local at, last = given, nil
  for key in path:gmatch("[^.]+") do
    if last then at = at[last] end
    last = key
  end
  at[last] = value
  return given
end

local function full(scenario, changes)
  local order = samples.order(changes)
  order.merchantBizType = scenario
  return order
end

describe("a time", function()
  local AHEAD = { { "order", "orderCreateTime" }, { "order", "orderModifyTime" }, { "contract_card", "bizDate" } }
  local VALID = { order = samples.order, contract_card = samples.card }

  for _, case in ipairs(AHEAD) do
    local api, name = case[1], case[2]
    it(name .. " more than a day ahead gives a warning", function()
      local CASES = { [0] = false, [23 * HOUR_MS] = false, [25 * HOUR_MS] = true, [400 * DAY_MS] = true }
      for ahead, warned in pairs(CASES) do
        local given = VALID[api] { [name] = now_ms() + ahead }
        says(api, given, nil, warned and name .. " format ours" or nil)
      end
    end)
  end

  it("of a change before the order was made gives a warning", function()
    local made = 1716338541000
    for change, warned in pairs { [made] = false, [made + 1] = false, [made - 1] = true, [made - DAY_MS] = true } do
      local given = samples.order { orderCreateTime = made, orderModifyTime = change }
      local message = says("order", given, nil, warned and "orderModifyTime format ours" or nil)
      if warned then assert_has(message, "orderCreateTime") end
    end
    -- What is at fault by itself is not compared.
    says("order", samples.order { orderCreateTime = made, orderModifyTime = made / 1000 },
      "orderModifyTime format")
    says("order", samples.order { orderCreateTime = "x", orderModifyTime = made }, "orderCreateTime type")
  end)

  it("endDate that has passed gives a warning", function()
    local CASES = { [-400 * DAY_MS] = true, [-HOUR_MS] = true, [HOUR_MS] = false, [400 * DAY_MS] = false }
    for ahead, warned in pairs(CASES) do
      local given = samples.card { endDate = now_ms() + ahead }
      local message = says("contract_card", given, nil, warned and "endDate format ours" or nil)
      if warned then assert_has(message, "passed") end
    end
  end)

  it("is held against the client's own clock", function()
    local now = 1716338541
    local client = double.new({ algorithm = "p224" }):client { now = function() return now end }
    local function warned(api, given)
      local words = {}
      for i, warning in ipairs(assert(client:prepare(api, given)).warnings) do
        assert.is_true(warning.ours)
        words[i] = warning.path
      end
      return table.concat(words, " ")
    end
    local function order(ahead)
      return samples.order { orderCreateTime = now * 1000, orderModifyTime = now * 1000 + ahead }
    end
    assert.equal("", warned("order", order(DAY_MS)))
    assert.equal("orderModifyTime", warned("order", order(DAY_MS + 1)))
    assert.equal("", warned("contract_card", samples.card { endDate = now * 1000 }))
    assert.equal("endDate", warned("contract_card", samples.card { endDate = now * 1000 - 1 }))
  end)

  it("that is only warned of is sent, by a client whose checks are strict, too", function()
    local gateway = double.new { algorithm = "p224" }
    local client = gateway:client { validate = "strict" }
    gateway:answers { {} }
    local response = assert(client:sync_order(samples.order { orderModifyTime = 1616338541000 }))
    assert.same({ 1, true }, { #response.warnings, response.warnings[1].ours })
  end)

  it("that is no number is called by its name", function()
    for _, case in ipairs(AHEAD) do
      local api, name = case[1], case[2]
      local words = { NaN = 0 / 0, infinity = 1 / 0, ["a negative number"] = -5, ["a smaller number"] = 5 }
      words["-infinity"] = -1 / 0
      for word, value in pairs(words) do
        local message = says(api, VALID[api] { [name] = value }, name .. " format")
        assert_has(message, "found " .. word, "milliseconds")
      end
    end
    local card = samples.card()
    card.syncDataInfo.amount = 0 / 0
    assert_has(says("contract_card", card, "syncDataInfo.amount format"), "NaN")
  end)

  it("of null is to be left out, where it may be", function()
    assert_has(says("order", samples.order { orderModifyTime = cjson.null }, "orderModifyTime type"),
      "leave the field out")
    local message = says("order", samples.order { orderCreateTime = cjson.null }, "orderCreateTime type")
    assert.is_nil(message:find("leave the field out", 1, true))
  end)
end)

describe("service_start_time", function()
  local function ride(value)
    return full("RIDE_HAILING", { orderStatus = "SERVING", extInfo = { service_start_time = value } })
  end
  local function card(value)
    return cards.card("RIDE_HAILING_DEFAULT", "SERVING", { en_US = cards.info("RIDE_HAILING_DEFAULT", {
      service_start_time = value }) })
  end

  it("in seconds gives a warning, as a number and as a text", function()
    for _, value in ipairs { 1716338721, "1716338721", 1716338721.5 } do
      assert_has(says("order", ride(value), nil, "extInfo.service_start_time format ours"), "seconds", "1000")
      says("contract_card", card(value), nil, INFO .. "en_US.service_start_time format ours")
    end
  end)

  it("of any other form passes: nobody has seen one", function()
    for _, value in ipairs { 1716338721000, "1716338721000", "12:30", "", 5, true, "2024-05-22 08:42:21" } do
      says("order", ride(value))
      says("contract_card", card(value))
    end
  end)
end)

describe("money", function()
  it("with leading zeros gives a warning", function()
    for _, value in ipairs { "00", "018000", "000018000" } do
      local given = samples.order { amount = { value = value, currency = "HKD" } }
      says("order", given, nil, "amount.value format ours")
    end
    says("order", samples.order { amount = { value = "0", currency = "HKD" } })
    local info = cards.info("PAYMENT_ORDER_DEFAULT", { bill_amount = "057000" })
    says("contract_card", cards.card("PAYMENT_ORDER_DEFAULT", "WAIT_PAY", { zh_HK = info }), nil,
      INFO .. "zh_HK.bill_amount format ours")
    info = cards.info("RIDE_HAILING_DEFAULT", { estimated_cost = { "9600", "09600" } })
    says("contract_card", cards.card("RIDE_HAILING_DEFAULT", "SERVING", { zh_HK = info }), nil,
      INFO .. "zh_HK.estimated_cost[2] format ours")
  end)

  -- No page shows these objects' keys; somebody who takes them for money is told as elsewhere.
  local UNSEEN = {
    { "CHARGING_PILE", "SERVING", "extInfo.surcharge_amount" }, { "GIFT_CARD_COUPON", "TICKETED", "payAmount" },
  }
  for _, case in ipairs(UNSEEN) do
    it("in " .. case[3] .. " of " .. case[1] .. " is looked at, by us alone", function()
      local function given(money) return put(full(case[1], { orderStatus = case[2] }), case[3], money) end
      for _, money in ipairs { { value = "150", currency = "HKD" }, {}, { cent = 150 }, { value = "0" },
        { currency = "CNY" } } do
        says("order", given(money))
      end
      local words = faults("order", samples.order { amount = { value = "1.50", currency = "HKD" } })
      assert.same({ "amount.value format" }, words)
      says("order", given { value = "1.50", currency = "HKD" }, nil, case[3] .. ".value format ours")
      says("order", given { value = 150 }, nil, case[3] .. ".value type ours")
      says("order", given { value = "0150" }, nil, case[3] .. ".value format ours")
      says("order", given { currency = "hkd" }, nil, case[3] .. ".currency format ours")
    end)
  end

  it("that is wrong in an inferred field reads as in a seen one", function()
    local wrong = { value = "180.00", currency = "hkd" }
    local _, err = alipayhk.check("order", samples.order { amount = wrong })
    local ok, warnings = alipayhk.check("order", samples.order { payAmount = wrong })
    assert.is_true(ok)
    assert.equal(2, #err.fields)
    for i, field in ipairs(err.fields) do
      assert.equal(tostring(field), (tostring(warnings[i]):gsub("payAmount", "amount")))
      assert.is_nil(warnings[i].ours)
    end
    for _, case in ipairs(UNSEEN) do
      ok, warnings = alipayhk.check("order", put(full(case[1], { orderStatus = case[2] }), case[3], wrong))
      assert.is_true(ok)
      for i, field in ipairs(err.fields) do assert.equal(field.message, warnings[i].message) end
    end
  end)

  it("as a number says how to write it, be it cents or dollars", function()
    for _, value in ipairs { 18000, 180, 0.5 } do
      assert_has(says("order", samples.order { amount = { value = value, currency = "HKD" } }, "amount.value type"),
        'if these are dollars multiply by 100, then write it with string.format("%.0f", n)')
    end
  end)

  it("that ends in a control character or blank is told so", function()
    for text, word in pairs { ["18000\r"] = "control character (\\r) at its end", ["18000 "] = "blank at its end",
      [" 18000"] = "blank at its start" } do
      local given = samples.order { amount = { value = text, currency = "HKD" } }
      assert_has(says("order", given, "amount.value format"), word)
    end
    assert_has(says("order", samples.order { amount = { value = "1", currency = "HKD\n" } },
      "amount.currency format"), "control character (\\n) at its end")
  end)
end)

describe("a URL that is percent-encoded", function()
  local ENCODED = {
    "https%3A%2F%2Fwww.example.com%2Ficon.png", "https%3a%2f%2fwww.example.com/icon.png",
    "alipayhk%3A%2F%2Fplatformapi%2Fstartapp%3FappId%3D2100000000000000",
  }
  local function card(url)
    return cards.card("PAYMENT_ORDER_DEFAULT", "WAIT_PAY", { en_US = cards.info("PAYMENT_ORDER_DEFAULT", {
      order_url = url }) })
  end

  it("gives a warning: one page of AlipayHK's asks for it, the samples have plain ones", function()
    for _, url in ipairs(ENCODED) do
      assert_has(says("contract_card", card(url), nil, INFO .. "en_US.order_url format ours"), "percent-encoded")
    end
    local info = cards.info("RIDE_HAILING_DEFAULT", { action_url = { ENCODED[1] } })
    says("contract_card", cards.card("RIDE_HAILING_DEFAULT", "SERVING", { en_US = info }), nil,
      INFO .. "en_US.action_url[1] format ours")
  end)

  it("in part is a plain one", function()
    for _, url in ipairs { "https://www.example.com/a%20b", "https://www.example.com/?to=https%3A%2F%2Fother.example",
      "alipayhk://platformapi/startapp?page=pages%2Fa" } do
      says("contract_card", card(url))
    end
  end)

  it("and no URL either is refused", function()
    for _, url in ipairs { "https%3A%2F%2F", "https%3A%2F%2Fa b", "%3A%2F%2Fwww", "www.example.com%2Ficon.png" } do
      says("contract_card", card(url), INFO .. "en_US.order_url format")
    end
  end)
end)

describe("a show", function()
  local function movie(time)
    return cards.card("MOVIE_TICKET_DEFAULT", "AWAIT_SCREENING", { en_US = cards.info("MOVIE_TICKET_DEFAULT", {
      movie_start_time = time }) })
  end
  local function trip(template, from, to)
    return cards.card(template, cards.TEMPLATES[template].statuses[1], { en_US = cards.info(template, {
      start_time = from, end_time = to }) })
  end

  it("at a time that no clock shows gives a warning", function()
    for time, warned in pairs { ["19:30"] = false, ["00:00"] = false, ["24:00"] = false, ["25:30"] = false,
      ["30:00"] = true, ["19:60"] = true, ["99:99"] = true } do
      local path = INFO .. "en_US.movie_start_time format ours"
      says("contract_card", movie(time), nil, warned and path or nil)
    end
  end)

  it("that ends before it starts gives a warning", function()
    local path = INFO .. "en_US.end_time format ours"
    local CASES = {
      { "2024-05-24 09:15:00", "2024-05-24 10:14:00" }, { "2024-05-24 09:15:00", "2024-05-24 09:15:00" },
      { "2024-05-24 23:15:00", "2024-05-25 00:14:00" }, { "2024-05-24 09:15:00", "2024-05-24 09:14:59", true },
      { "2024-05-24 09:15:00", "2024-05-23 10:14:00", true }, { "2024-05-24 09:15:00", "2023-05-24 10:14:00", true },
    }
    for _, case in ipairs(CASES) do
      local message = says("contract_card", trip("TRAIN_TICKET_DEFAULT", case[1], case[2]), nil,
        case[3] and path or nil)
      if message then assert_has(message, "start_time") end
    end
    says("contract_card", trip("TRAIN_TICKET_DEFAULT", "2024-05-24 09:15:00", "2024-02-30 09:15:00"),
      INFO .. "en_US.end_time format")
  end)

  it("of a flight is by two clocks, at most 26 hours apart", function()
    local path = INFO .. "en_US.end_time format ours"
    local CASES = {
      { "2024-05-24 23:05:00", "2024-05-25 05:30:00" }, { "2024-05-24 21:00:00", "2024-05-24 09:00:00" },
      { "2024-03-01 01:00:00", "2024-02-28 23:00:00" }, { "2024-03-01 01:00:00", "2024-02-28 22:59:59", true },
      { "2024-01-01 09:00:00", "2023-12-31 07:00:00" }, { "2024-01-01 09:00:00", "2023-12-31 06:00:00", true },
      { "2024-05-24 09:00:00", "2024-05-14 10:00:00", true },
    }
    for _, case in ipairs(CASES) do
      says("contract_card", trip("AIR_TICKET_DEFAULT", case[1], case[2]), nil, case[3] and path or nil)
    end
  end)

  it("is looked at in a string of JSON, too", function()
    local info = cjson.encode(cards.info("TRAIN_TICKET_DEFAULT", {
      start_time = "2024-05-24 09:15:00", end_time = "2024-05-24 08:15:00" }))
    says("contract_card", cards.card("TRAIN_TICKET_DEFAULT", "AWAIT_SCREENING", { zh_HK = info }), nil,
      INFO .. "zh_HK.end_time format ours")
  end)
end)

describe("an id that is a program's word for nothing", function()
  for _, value in ipairs { "nil", "null", "undefined", "NaN", "userdata: NULL", "table: 0x55d0c8a4b2c0" } do
    it("gives a warning, also under strict: " .. value, function()
      for _, name in ipairs { "userId", "merchantBizNo" } do
        local ok, warnings = alipayhk.check("order", samples.order { [name] = value }, { validate = "strict" })
        assert.is_true(ok)
        assert.equal(name, warnings[1].path)
        assert.is_true(warnings[1].ours)
        assert_has(warnings[1].message, "leave the field out")
      end
    end)
  end
end)
