-- `scenarios` over AlipayHK's own rules: a partner tightens them, and cannot loosen one.

local alipayhk = require "alipayhk"
local cjson = require "cjson"
local faults = require "spec.support.asserting.faults"
local samples = require "spec.support.data.samples"
local sorted_keys = require "spec.support.asserting.sorted_keys"

local ABSENT = samples.ABSENT
local INFO = "syncDataInfo.languageBusinessInfo."
local EN_CURRENCY, CURRENCY = INFO .. "en_US.bill_amount_currency", INFO .. "{locale}.bill_amount_currency"
local PAY_VALUE, START = "payAmount.value", "extInfo.service_start_time"
local GIFT, RIDE, CARD, AIR = "GIFT_CARD_COUPON", "RIDE_HAILING", "PAYMENT_ORDER_DEFAULT", "AIR_TICKET_DEFAULT"

local function api_of(scenario) return scenario:find("_DEFAULT$") and "contract_card" or "order" end

local function rules(scenario, field)
  return { [api_of(scenario)] = { [scenario] = { fields = { field } } } }
end

local function payload(scenario, changes)
  local is_order = api_of(scenario) == "order"
  local given = is_order and samples.order(changes) or samples.card(changes)
  given[is_order and "merchantBizType" or "productTemplateCode"] = scenario
  if scenario == RIDE then given.orderStatus = "SERVING" end
  return given
end

local function closed(info)
  return { orderStatus = "CLOSED", syncDataInfo = { languageBusinessInfo = { en_US = info } } }
end

-- Faults, then warnings.
local function found_in(scenario, given, opts)
  local found, _, warnings = faults(api_of(scenario), given, opts)
  return table.concat(found, ", ") .. "; " .. table.concat(warnings, ", ")
end

describe("a rule of AlipayHK's is tightened", function()
  -- The partner's field, its scenario, the payload's changes; what is found with the partner's rule and without it.
  local SHOP = { shopInfo = { extInfo = {} }, orderStatus = "FINISHED" }
  local CASES = {
    { { path = "merchantBizNo", max_length = 20 }, GIFT, { merchantBizNo = ("x"):rep(21) }, "merchantBizNo too_long" },
    { { path = "merchantBizNo", max_length = 20 }, GIFT, { merchantBizNo = ("漢"):rep(20) } },
    { { path = "merchantBizNo", max_length = 32 }, GIFT, { merchantBizNo = ("x"):rep(32) } },
    { { path = "tradeNo", max_length = 3 }, GIFT, { tradeNo = "漢字三四" }, "tradeNo too_long" },
    { { path = "tradeNo", required = true }, GIFT, {}, "tradeNo missing" },
    { { path = "tradeNo", required_when = { "USED" } }, GIFT, { orderStatus = "USED" }, "tradeNo missing" },
    { { path = "tradeNo", required_when = { "USED" } }, GIFT, { orderStatus = "TICKETED" } },
    { { path = "extInfo", required = true }, GIFT, { extInfo = ABSENT }, "extInfo missing", "; extInfo missing" },
    { { path = "extInfo", keys = { "a" } }, GIFT, { extInfo = { b = 1 } }, "extInfo.b enum" },
    { { path = "shopInfo.extInfo.multiLang", expected = true }, "LINE_UP", SHOP,
      "; shopInfo.extInfo.multiLang missing" },
    { { path = "orderStatus", enum = { "USED" } }, GIFT, {}, "orderStatus enum" },
    { { path = "tradeNo", format = "URL" }, GIFT, { tradeNo = "x y" }, "tradeNo format" },
    { { path = "tradeNo", unit = "cents" }, GIFT, { tradeNo = "1.00" }, "tradeNo format" },
    { { path = PAY_VALUE, confidence = "SEEN" }, "MOVIE_TICKET", { payAmount = { currency = "HKD" } },
      PAY_VALUE .. " missing", "; " .. PAY_VALUE .. " missing" },
    { { path = PAY_VALUE, required = true }, "MOVIE_TICKET", { payAmount = { currency = "HKD" } },
      PAY_VALUE .. " missing", "; " .. PAY_VALUE .. " missing" },
    { { path = PAY_VALUE, max_length = 9 }, "MOVIE_TICKET", { payAmount = { value = 5, currency = "HKD" } },
      PAY_VALUE .. " type", "; " .. PAY_VALUE .. " type" },
    { { path = PAY_VALUE, max_length = 3, confidence = "INFERRED" }, "MOVIE_TICKET",
      { payAmount = { value = "5000", currency = "HKD" } }, "; " .. PAY_VALUE .. " too_long" },
    { { path = "amount", confidence = "SEEN" }, GIFT, { amount = "1" }, "amount type", "; amount type" },
    { { path = START, type = "string" }, RIDE, { extInfo = { service_start_time = 5 } }, START .. " type" },
    { { path = START, type = "number" }, RIDE, { extInfo = { service_start_time = 5 } }, START .. " format" },
    { { path = START, type = "number" }, RIDE, { extInfo = { service_start_time = 1716338541000 } } },
    { { path = CURRENCY, enum = { "HKD" } }, CARD, closed { bill_amount_currency = "CNY" }, EN_CURRENCY .. " enum" },
    { { path = CURRENCY, enum = { "HKD" } }, CARD, closed { bill_amount_currency = "HKD" } },
    { { path = CURRENCY, required = true }, CARD, closed {}, EN_CURRENCY .. " missing" },
    { { path = CURRENCY, required_when = { "WAIT_PAY", "CLOSED" } }, CARD, closed {}, EN_CURRENCY .. " missing" },
    { { path = INFO:sub(1, -2), keys = { "zh_HK" } }, CARD, closed {}, INFO .. "en_US enum" },
  }
  for i, case in ipairs(CASES) do
    local field, scenario, with, without = case[1], case[2], case[4] or "", case[5] or ""
    local function full(text) return text:find(";", 1, true) and text or text .. "; " end
    it(("%d. by %s of %s"):format(i, cjson.encode(field), scenario), function()
      local given = payload(scenario, case[3])
      assert.equal(full(without), found_in(scenario, given))
      assert.equal(full(with), found_in(scenario, given, { scenarios = rules(scenario, field) }))
    end)
  end

  it("to a time that has to come after another, wherever both are", function()
    local function found_with(changes, field, ...)
      return found_in("MOVIE_TICKET", payload("MOVIE_TICKET", changes), {
        scenarios = { order = { MOVIE_TICKET = { fields = { field, ... } } } } })
    end
    local from = { path = "extInfo.from", type = "number", unit = "ms" }
    local to = { path = "extInfo.to", type = "number", unit = "ms", not_before = "from" }
    local times = { extInfo = { from = 1716338541000, to = 1716338540000 } }
    assert.equal("; extInfo.to format ours", found_with(times, from, to))
    -- The order of the rows is no matter.
    assert.equal("; extInfo.to format ours", found_with(times, to, from))
    assert.equal("; ", found_with(times, from, { path = "extInfo.to", type = "number", unit = "ms" }))
    local due = { path = "extInfo.from", type = "number", unit = "ms", tense = "future" }
    assert.equal("; extInfo.from format ours", found_with({ extInfo = { from = 1716338541000 } }, due))
    local money = { path = "extInfo.fee", type = "object", money = true }
    assert.equal("; extInfo.fee.value format ours", found_with({ extInfo = { fee = { value = "1.5" } } }, money))
    -- What the partner describes is a rule.
    local value = { path = "extInfo.fee.value", type = "string", unit = "cents" }
    assert.equal("extInfo.fee.value format; ", found_with({ extInfo = { fee = { value = "1.5" } } }, money, value))
  end)

  it("and what the partner does not name stays as it is", function()
    local opts = { scenarios = rules(CARD, { path = CURRENCY, enum = { "HKD" } }) }
    assert.equal(EN_CURRENCY .. " type; ", found_in(CARD, payload(CARD, closed { bill_amount_currency = 5 }), opts))
    local texts = samples.card().syncDataInfo.languageBusinessInfo.zh_HK
    texts.bill_amount_currency = nil
    local found = found_in(CARD, samples.card { syncDataInfo = { languageBusinessInfo = { en_US = texts } } }, opts)
    assert.equal(EN_CURRENCY .. " missing; ", found)
    texts.bill_amount_currency, texts.bill_due_time = "HKD", "tomorrow"
    found = found_in(CARD, samples.card { syncDataInfo = { languageBusinessInfo = { en_US = texts } } }, opts)
    assert.equal(INFO .. "en_US.bill_due_time format; ", found)
  end)

  it("by more than one row, all of which hold", function()
    local function found_with(...)
      local given = payload("MOVIE_TICKET", { merchantBizNo = ("x"):rep(22), tradeNo = "" })
      local scenarios = { order = { MOVIE_TICKET = { fields = { ... } } } }
      local ok, err = alipayhk.check("order", given, { scenarios = scenarios })
      assert.is_nil(ok)
      return err
    end
    local err = found_with({ path = "tradeNo", format = "URL" }, { path = "merchantBizNo", max_length = 25 },
      { path = "tradeNo", required = true }, { path = "merchantBizNo", max_length = 20 })
    assert.same({ "merchantBizNo", "tradeNo" }, { err.fields[1].path, err.fields[2].path })
    assert.same({ "too_long", "missing" }, { err.fields[1].code, err.fields[2].code })
    err = found_with({ path = "merchantBizNo", max_length = 20 }, { path = "merchantBizNo", max_length = 25 })
    assert.equal("scenarios.order.MOVIE_TICKET.fields[2].max_length", err.code)
  end)

  it("and a personal value is in no message from then on", function()
    local given = payload("MOVIE_TICKET", { orderStatus = "SECRET" })
    for _, is_personal in ipairs { true, false } do
      local field = is_personal and { path = "orderStatus", personal = true } or { path = "tradeNo", max_length = 9 }
      local found, messages = faults("order", given, { scenarios = rules("MOVIE_TICKET", field) })
      assert.same({ "orderStatus enum" }, found)
      assert.equal(is_personal, not messages[1]:find("SECRET", 1, true))
    end
  end)
end)

describe("a rule of AlipayHK's is not loosened", function()
  local LOOSER = {
    required = { { "extInfo", false }, { "merchantBizNo", false } },
    max_length = { { "merchantBizNo", 33 }, { "userId", 65 }, { "requestId", 36 } },
    type = { { "tradeNo", "any" }, { "tradeNo", "number" }, { "amount", "any" }, { "amount", "json_object" },
      { "extInfo", "array" }, { "orderCreateTime", "string" } },
    confidence = { { "tradeNo", "INFERRED" }, { "amount.value", "INFERRED" } },
    inferred = { { "tradeNo", { "type" } }, { "amount", { "type", "missing" } } },
    unit = { { "amount.value", "minutes" }, { "orderCreateTime", "s" } },
    format = { { "amount.currency", "URL" } },
    personal = { { "userId", false } },
    filled = { { "requestId", "uuid" } },
    id = { { "merchantBizNo", false }, { "tradeNo", false } },
    tense = { { "orderCreateTime", "future" } },
    not_before = { { "orderModifyTime", "orderModifyTime" } },
    -- "" would be enough where AlipayHK wants a text.
    may_be_empty = { { "merchantBizNo", true }, { "amount.value", true } },
  }
  local CARDS = {
    enum = { { "bill_amount_currency", { "HKD", "CNY", "USD" } }, { "bill_amount_currency", { "USD" } } },
    required_when = { { "bill_name", { "CLOSED" } }, { "bill_name", { "PAY_FAILED", "OVERDUED", "CLOSED" } } },
    format = { { "bill_due_time", "yyyy-MM" } },
    unit = { { "bill_amount", "dollars" } },
    except_when = { { "bill_name", { "CLOSED" } } },
  }

  local function assert_refused(scenario, field, property)
    local place = ("scenarios.%s.%s.fields[1].%s"):format(api_of(scenario), scenario, property)
    local ok, err = alipayhk.check(api_of(scenario), payload(scenario), { scenarios = rules(scenario, field) })
    assert.is_nil(ok, place .. " of " .. field.path)
    assert.equal("config", err.kind)
    assert.equal(place, err.code)
    assert.matches("`" .. place .. "`", err.message, 1, true)
  end

  for _, property in ipairs(sorted_keys(LOOSER)) do
    local cases = LOOSER[property]
    it("by its " .. property, function()
      for _, case in ipairs(cases) do
        assert_refused("MOVIE_TICKET", { path = case[1], [property] = case[2] }, property)
      end
    end)
  end

  for _, property in ipairs(sorted_keys(CARDS)) do
    local cases = CARDS[property]
    it("by its " .. property .. " in a notification", function()
      for _, case in ipairs(cases) do
        assert_refused(CARD, { path = INFO .. "{locale}." .. case[1], [property] = case[2] }, property)
      end
    end)
  end

  it("by the keys of an object", function()
    assert_refused(CARD, { path = INFO:sub(1, -2), keys = { "zh_HK", "en_US", "zh_CN" } }, "keys")
    assert_refused("LINE_UP", { path = "shopInfo.extInfo.multiLang", keys = { "fr" } }, "keys")
  end)

  it("by another name in the braces of its path", function()
    local given = payload(AIR, closed(5))
    given.orderStatus = "CLOSED"
    for _, name in ipairs { "locale", "language" } do
      local field = { path = INFO .. "{" .. name .. "}", type = "any" }
      local ok, err = alipayhk.check("contract_card", given, { scenarios = rules(AIR, field) })
      assert.is_nil(ok, field.path)
      if err.kind == "invalid" then assert.equal(INFO .. "en_US", err.fields[1].path) end
    end
  end)

  it("to less advice", function()
    assert_refused(CARD, { path = INFO:sub(1, -2), expected = false }, "expected")
    assert_refused(CARD, { path = INFO .. "{locale}.bill_name", expected_when = { "CLOSED" } }, "expected_when")
  end)

  it("by a row for one locale, which one for every locale describes already", function()
    assert_refused(CARD, { path = INFO .. "en_US", type = "json_object" }, "path")
  end)

  it("even where the partner asks for advice alone", function()
    local field = { path = "extInfo", expected = true }
    assert.equal("extInfo missing; ", found_in("MOVIE_TICKET", payload("MOVIE_TICKET", { extInfo = ABSENT }),
      { scenarios = rules("MOVIE_TICKET", field) }))
  end)
end)
