-- The base fields of both APIs against expectations written down from AlipayHK's pages, not from our data.
-- The fields of the scenarios have specs of their own.

local alipayhk = require "alipayhk"
local cjson = require "cjson"
local faults = require "spec.support.asserting.faults"
local samples = require "spec.support.data.samples"
local sorted_keys = require "spec.support.asserting.sorted_keys"
local thrown = require "spec.support.asserting.thrown"

local NOW_MS = 1716532941000
-- Three bytes each.
local CHARACTER = "漢"

-- A field: type, whether it is needed, and its limit in characters, its values, or that those go by scenario.
local APIS = {
  order = {
    valid = samples.order,
    fields = {
      requestId = { "string", "filled", 32 },
      merchantBizNo = { "string", "required", 32 },
      orderStatus = { "string", "required", "by scenario" },
      userId = { "string", "either", 64 },
      openId = { "string", "either", 64 },
      merchantBizType = { "string", "required", "by scenario" },
      orderCreateTime = { "number", "required" },
      orderModifyTime = { "number", "filled" },
      merchantAccountId = { "string", "optional", 64 },
      merchantId = { "string", "optional", 64 },
      tinyAppId = { "string", "optional" },
    },
    misspelt = {
      orderstatus = "orderStatus", merchant_biz_no = "merchantBizNo", MerchantBizType = "merchantBizType",
      orderCreatTime = "orderCreateTime", userID = "userId", ext_info = "extInfo",
    },
    free = { "extInfo" },
    scenario_field = "merchantBizType",
    scenarios = {
      "PASS_TICKET", "ALIPAY_COUPON", "GIFT_CARD_COUPON", "CHARGING_PILE", "MOVIE_TICKET", "LINE_UP",
      "RIDE_HAILING", "SELF_PICK", "TRAIN_TICKET",
    },
  },
  contract_card = {
    valid = samples.card,
    fields = {
      requestId = { "string", "filled" },
      bizDate = { "number", "filled" },
      command = { "string", "required", { "SEND", "UPDATE" } },
      merchantBizNo = { "string", "required" },
      orderStatus = { "string", "required", "by scenario" },
      productTemplateCode = { "string", "required", "by scenario" },
      syncDataInfo = { "object", "required" },
      endDate = { "number", "optional" },
      openId = { "string", "either" },
      userId = { "string", "either" },
    },
    misspelt = {
      bizdate = "bizDate", Command = "command", productTemplateCodes = "productTemplateCode",
      sync_data_info = "syncDataInfo", endDat = "endDate",
    },
    free = { "syncDataInfo" },
    scenario_field = "productTemplateCode",
    scenarios = {
      "AIR_TICKET_DEFAULT", "FINANCE_ORDER_DEFAULT", "MOVIE_TICKET_DEFAULT", "PAYMENT_ORDER_DEFAULT",
      "RIDE_HAILING_DEFAULT", "TRAIN_TICKET_DEFAULT",
    },
  },
}

local WRONG_TYPES = {
  string = { 5, true, {}, { "x" }, cjson.null },
  number = { tostring(NOW_MS), true, {}, cjson.null },
  object = { "{}", 5, true, { "x" }, cjson.null },
}

for _, api in ipairs(sorted_keys(APIS)) do
  local expected = APIS[api]
  local valid = expected.valid

  describe("check of " .. api, function()
    it("passes a sample", function()
      assert.same({}, (faults(api, valid())))
    end)

    for _, name in ipairs(sorted_keys(expected.fields)) do
      local kind, need, limit = expected.fields[name][1], expected.fields[name][2], expected.fields[name][3]

      local function assert_found(code, value)
        assert.same(code and { name .. " " .. code } or {}, (faults(api, valid { [name] = value })), tostring(value))
      end

      describe(name, function()
        if need ~= "either" then
          it(need == "required" and "is required" or "may be absent", function()
            assert_found(need == "required" and "missing" or nil, samples.ABSENT)
          end)
        end

        it("is a " .. kind .. " and nothing else", function()
          for _, value in ipairs(WRONG_TYPES[kind]) do assert_found("type", value) end
        end)

        if type(limit) == "number" then
          it(("has at most %d characters"):format(limit), function()
            for _, character in ipairs { "x", CHARACTER } do
              assert_found(nil, character:rep(limit))
              assert_found("too_long", character:rep(limit + 1))
            end
          end)
        elseif type(limit) == "table" then
          it("is one of the documented values", function()
            for _, value in ipairs(limit) do assert_found(nil, value) end
            for _, value in ipairs { "NONE_OF_THESE", limit[1]:lower(), limit[1] .. " " } do
              assert_found("enum", value)
            end
            assert_found("missing", "")
          end)
        elseif limit == "by scenario" then
          it("is one of the documented values", function()
            assert_found("enum", "NONE_OF_THESE")
            assert_found("missing", "")
          end)
        elseif kind == "string" then
          it("has no limit", function() assert_found(nil, CHARACTER:rep(1000)) end)
        end
      end)
    end

    it("names the scenarios", function()
      for _, value in ipairs { "NONE_OF_THESE", expected.scenarios[1]:lower(), expected.scenarios[1] .. " " } do
        local found, messages = faults(api, valid { [expected.scenario_field] = value })
        assert.same({ expected.scenario_field .. " enum" }, found)
        for _, name in ipairs(expected.scenarios) do assert.matches(name, messages[1], 1, true) end
      end
    end)

    it("wants one of userId and openId, and names both", function()
      local found, messages = faults(api, valid { userId = samples.ABSENT })
      assert.same({ "userId missing" }, found)
      assert.same(found, (faults(api, valid { userId = "", openId = "" })))
      assert.matches("userId", messages[1], 1, true)
      assert.matches("openId", messages[1], 1, true)
      assert.same({}, (faults(api, valid { userId = samples.ABSENT, openId = samples.OPEN_ID })))
      assert.same({}, (faults(api, valid { openId = samples.OPEN_ID })))
    end)

    for _, name in ipairs(sorted_keys(expected.misspelt)) do
      local meant = expected.misspelt[name]
      it(("refuses the unknown %s and asks for %s"):format(name, meant), function()
        local found, messages = faults(api, valid { [name] = "x" })
        assert.same({ name .. " unknown" }, found)
        assert.matches(('did you mean "%s"'):format(meant), messages[1], 1, true)
      end)
    end

    it("refuses an unknown field that is like none, without a hint", function()
      local found, messages = faults(api, valid { colour = "x" })
      assert.same({ "colour unknown" }, found)
      assert.is_nil(messages[1]:find("did you mean", 1, true))
    end)

    for _, name in ipairs(expected.free) do
      it("passes other keys in " .. name, function()
        local extra = { anything = "x", nested = { list = { 1, 2 }, flag = true, none = cjson.null } }
        assert.same({}, (faults(api, valid { [name] = extra })))
      end)
    end

    it("leaves the payload as it was", function()
      local given = valid { extra = {} }
      local copy = cjson.decode(cjson.encode(given))
      faults(api, given)
      assert.same(copy, given)
    end)
  end)
end

describe("check of a time in milliseconds", function()
  local ACCEPTED = { NOW_MS, 1632833743000, NOW_MS + 1, 4102444800000 }
  local REFUSED = {
    { NOW_MS / 1000, "seconds" },
    { 1000000000, "seconds" },
    { NOW_MS * 1000, "microseconds" },
    { NOW_MS * 1000000 },
    { NOW_MS + 0.5, "whole" },
    { 0 }, { -1 }, { -NOW_MS }, { 20240524 },
    { 0 / 0 }, { 1 / 0 }, { -1 / 0 },
  }
  local TIMES = { { "order", "orderCreateTime" }, { "order", "orderModifyTime" },
    { "contract_card", "bizDate" }, { "contract_card", "endDate" } }

  for _, time in ipairs(TIMES) do
    local api, field = time[1], time[2]
    it(field, function()
      for _, value in ipairs(ACCEPTED) do assert.same({}, (faults(api, APIS[api].valid { [field] = value }))) end
      for _, case in ipairs(REFUSED) do
        local found, messages = faults(api, APIS[api].valid { [field] = case[1] })
        assert.same({ field .. " format" }, found, tostring(case[1]))
        assert.matches(case[2] or "milliseconds", messages[1], 1, true)
      end
    end)
  end
end)

describe("check of syncDataInfo", function()
  local CASES = {
    { { amount = 0 } },
    { { amount = 57000 } },
    { { amount = 0.5 }, "amount format" },
    { { amount = -1 }, "amount format" },
    { { amount = "57000" }, "amount type" },
    { { languageBusinessInfo = "{}" }, "languageBusinessInfo type" },
    { { languageBusinessInfo = { {} } }, "languageBusinessInfo type" },
    { { languageBusinessInfo = {} } },
    { { languageBusinessInfo = { zh_HK = '{"bill_name":"煤氣賬單"}', en_US = { bill_name = "Gas" } } } },
    { { languageBusinessInfo = { en_US = "{}" } } },
    { { languageBusinessInfo = { en_US = {} } } },
    { { languageBusinessInfo = { zh_CN = {} } }, "languageBusinessInfo.zh_CN enum" },
    { { languageBusinessInfo = { en_US = "no JSON" } }, "languageBusinessInfo.en_US format" },
    { { languageBusinessInfo = { en_US = "" } }, "languageBusinessInfo.en_US format" },
    { { languageBusinessInfo = { en_US = "5" } }, "languageBusinessInfo.en_US format" },
    { { languageBusinessInfo = { en_US = "null" } }, "languageBusinessInfo.en_US format" },
    { { languageBusinessInfo = { en_US = "[1]" } }, "languageBusinessInfo.en_US format" },
    { { languageBusinessInfo = { en_US = 5 } }, "languageBusinessInfo.en_US type" },
    { { languageBusinessInfo = { en_US = { "x" } } }, "languageBusinessInfo.en_US type" },
  }
  for _, case in ipairs(CASES) do
    it(cjson.encode(case[1]) .. (case[2] and " is refused" or " passes"), function()
      assert.same(case[2] and { "syncDataInfo." .. case[2] } or {},
        (faults("contract_card", samples.card { orderStatus = "CLOSED", syncDataInfo = case[1] })))
    end)
  end
end)

describe("check", function()
  local MANY = {
    merchantBizNo = 5, orderStatus = ("x"):rep(33), merchantBizType = "NONE", orderCreateTime = 1716532941,
    red = 1, green = 2, blue = 3, white = 4, black = 5, brown = 6,
  }
  local FOUND = {
    "merchantBizNo type", "orderStatus too_long", "merchantBizType enum", "orderCreateTime format",
    "userId missing", "black unknown", "blue unknown", "brown unknown", "green unknown", "red unknown", "white unknown",
  }

  it("reports all faults at once, always in the same order", function()
    for _ = 1, 20 do assert.same(FOUND, (faults("order", MANY))) end
  end)

  it("names the API and the first faults in its message, and how many there are", function()
    local _, err = alipayhk.check("order", MANY)
    assert.matches("order", err.message, 1, true)
    assert.matches("11 faults", err.message, 1, true)
    assert.matches("merchantBizNo", err.message, 1, true)
  end)

  local THROWS = {
    { "an unknown api", { "ordr", {} }, 'did you mean "order"' },
    { "no api", { nil, {} }, 'expected one of "order", "contract_card"' },
    { "an api that is no string", { {}, {} }, 'expected one of "order", "contract_card"' },
    { "no payload", { "order" }, "payload: expected a table" },
    { "a payload that is no table", { "order", "{}" }, "payload: expected a table" },
  }
  for _, case in ipairs(THROWS) do
    it("throws for " .. case[1] .. ", at the caller's position", function()
      local message = thrown(function() local _ = alipayhk.check(case[2][1], case[2][2]) end)
      assert.matches("check_spec%.lua:%d+: alipayhk%.check: ", message)
      assert.matches(case[3], message, 1, true)
    end)
  end
end)
