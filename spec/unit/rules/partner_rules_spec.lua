-- `scenarios`: the fields that a partner adds to AlipayHK's, and whose they are.

local cjson = require "cjson"
local double = require "spec.support.doubles.alipayhk_double"
local faults = require "spec.support.asserting.faults"
local samples = require "spec.support.data.samples"
local sorted_keys = require "spec.support.asserting.sorted_keys"

local ABSENT = samples.ABSENT
local INFO = "syncDataInfo.languageBusinessInfo."
local CARD = "PAYMENT_ORDER_DEFAULT"
local TIME = 1716338541000

local gateway = double.new { algorithm = "p224" }

local function rules(fields, scenario, api)
  return { [api or "order"] = { [scenario or "MOVIE_TICKET"] = { fields = fields } } }
end

local function own(properties)
  local made = { path = "extInfo.own" }
  for name, value in pairs(properties) do made[name] = value end
  return made
end

-- The faults and warnings of an order whose `extInfo` is given, with these fields added.
local function found_in(ext_info, fields, changes, validate)
  local order = samples.order { extInfo = ext_info }
  for name, value in pairs(changes or {}) do order[name] = value end
  local found, messages, warnings = faults("order", order, { scenarios = rules(fields), validate = validate })
  return { found, warnings }, messages
end

local function said(fault, warning) return { { fault }, { warning } } end

describe("a field that a partner adds", function()
  -- The field's properties; values that pass; by code, values that do not.
  local KINDS = {
    ["a string"] = { { type = "string" }, { "", "x", ("漢"):rep(1000) },
      { type = { 5, true, {}, { "x" }, cjson.null } } },
    ["a number"] = { { type = "number" }, { 0, -1, 0.5, TIME }, { type = { "5", true, {}, cjson.null } } },
    ["an object"] = { { type = "object" }, { {}, { a = 1 } }, { type = { "{}", 5, true, { "x" }, cjson.null } } },
    ["an array"] = { { type = "array" }, { { 1, "x", {} } }, { type = { "[]", 5, true, { a = 1 }, cjson.null } } },
    anything = { { type = "any" }, { "", 5, true, {}, { "x" }, cjson.null }, {} },
    ["an object or its JSON"] = { { type = "json_object" }, { {}, { a = 1 }, "{}", '{"a":1}' },
      { type = { 5, true, { "x" }, cjson.null }, format = { "", "x", "5", "[1]", "null" } } },
    ["a short string"] = { { type = "string", max_length = 3 }, { "", "abc", "漢字三" },
      { too_long = { "abcd", "漢字三四" }, type = { 5 } } },
    ["a string of cents"] = { { type = "string", unit = "cents" }, { "0", "18000" },
      { format = { "180.00", "-5", "x", "" }, type = { 18000 } } },
    ["a number of cents"] = { { type = "number", unit = "cents" }, { 0, 18000 },
      { format = { 0.5, -1 }, type = { "18000" } } },
    ["a time"] = { { type = "number", unit = "ms" }, { TIME }, { format = { TIME / 1000, 0, TIME + 0.5 } } },
    ["a string of minutes"] = { { type = "string", unit = "minutes" }, { "5", "five" }, { type = { 5 } } },
    ["a currency"] = { { type = "string", format = "ISO 4217" }, { "HKD", "MOP" }, { format = { "hkd", "XYZ", "" } } },
    ["a URL"] = { { type = "string", format = "URL" }, { "https://a.example/x", "alipayhk://p/startapp" },
      { format = { "a.example", "https://a b", "" } } },
    ["a month"] = { { type = "string", format = "yyyy-MM" }, { "2024-05" }, { format = { "2024-13", "2024-5" } } },
    ["a date"] = { { type = "string", format = "yyyy-MM-dd" }, { "2024-02-29" },
      { format = { "2023-02-29", "2024/02/29" } } },
    ["a date and time"] = { { type = "string", format = "yyyy-MM-dd HH:mm:ss" }, { "2024-05-24 23:59:59" },
      { format = { "2024-05-24 24:00:00", "2024-05-24" } } },
    ["a date with its weekday"] = { { type = "string", format = "yyyy/MM/dd (Weekday)" }, { "2024/05/24 (星期五)" },
      { format = { "2024/05/24", "2024/05/32 (Fri)" } } },
    ["a clock"] = { { type = "string", format = "mm:ss" }, { "19:30" }, { format = { "1930", "7:30" } } },
    ["one of a list"] = { { type = "string", enum = { "A", "B" } }, { "A", "B" }, { enum = { "C", "a" } } },
  }
  for _, title in ipairs(sorted_keys(KINDS)) do
    local properties, right, wrong = KINDS[title][1], KINDS[title][2], KINDS[title][3]
    it("may be " .. title, function()
      local fields = { own(properties) }
      for _, value in ipairs(right) do assert.same(said(), (found_in({ own = value }, fields)), tostring(value)) end
      for _, code in ipairs(sorted_keys(wrong)) do
        for _, value in ipairs(wrong[code]) do
          assert.same(said("extInfo.own " .. code), (found_in({ own = value }, fields)), tostring(value))
        end
      end
    end)
  end

  -- How it is asked for, by whether it is at fault (F) or warned of (W) in TICKETED and in USED.
  local NEEDS = {
    { { required = true }, "FF" }, { { required_when = { "USED" } }, "-F" }, { {}, "--" },
    { { expected = true }, "WW" }, { { expected_when = { "USED", "REFUNDED" } }, "-W" },
    { { required_when = { "USED" }, expected_when = { "TICKETED" } }, "WF" },
    { { required = true, confidence = "INFERRED" }, "WW" },
    { { required = false, expected = false }, "--" },
  }
  for _, case in ipairs(NEEDS) do
    it("may be asked for by " .. cjson.encode(case[1]), function()
      local fields = { own(case[1]) }
      fields[1].type = "string"
      for i, status in ipairs { "TICKETED", "USED" } do
        local mark = case[2]:sub(i, i)
        local missing = mark ~= "-" and "extInfo.own missing" or nil
        for _, value in ipairs { ABSENT, "" } do
          local ext_info = { own = value ~= ABSENT and value or nil }
          assert.same(said(mark == "F" and missing or nil, mark == "W" and missing or nil),
            (found_in(ext_info, fields, { orderStatus = status })))
          assert.same(said(missing), (found_in(ext_info, fields, { orderStatus = status }, "strict")))
        end
        assert.same(said(), (found_in({ own = "x" }, fields, { orderStatus = status })))
      end
    end)
  end

  it("may be empty where it says so", function()
    for _, may_be_empty in ipairs { true, false } do
      assert.same(said(not may_be_empty and "extInfo.own missing" or nil), (found_in({ own = "" },
        { { path = "extInfo.own", type = "string", required = true, may_be_empty = may_be_empty } })))
    end
  end)

  it("has but the keys it names", function()
    local fields = { own { type = "object", keys = { "A", "B" } } }
    assert.same(said(), (found_in({ own = { A = 1, B = {} } }, fields)))
    assert.same(said("extInfo.own.C enum"), (found_in({ own = { A = 1, C = 1 } }, fields)))
  end)

  it("may be in another, which is asked for its own only where it is there", function()
    local fields = {
      { path = "extInfo.own", type = "object" }, { path = "extInfo.own.seats", type = "array", required = true },
      { path = "extInfo.own.seats[]", type = "object" },
      { path = "extInfo.own.seats[].row", type = "string", required = true },
      { path = "extInfo.own.seats[].price", type = "array" },
      { path = "extInfo.own.seats[].price[]", type = "string", unit = "cents" },
      { path = "extInfo.names", type = "object" }, { path = "extInfo.names.{language}", type = "string" },
    }
    assert.same(said(), (found_in({}, fields)))
    assert.same(said("extInfo.own.seats missing"), (found_in({ own = {} }, fields)))
    assert.same(said("extInfo.own.seats[2] type"), (found_in({ own = { seats = { { row = "F" }, "F" } } }, fields)))
    assert.same(said("extInfo.own.seats[2].row missing"),
      (found_in({ own = { seats = { { row = "F", price = { "1", "2" } }, {} } } }, fields)))
    assert.same(said("extInfo.own.seats[1].price[2] format"),
      (found_in({ own = { seats = { { row = "F", price = { "1", "2.0" } } } } }, fields)))
    assert.same(said("extInfo.names.fr type"), (found_in({ names = { en = "x", fr = 5 } }, fields)))
  end)

  it("may be at the top, where it is unknown to everybody else", function()
    local fields = { { path = "colour", type = "string", enum = { "red" } } }
    assert.same(said(), (found_in({}, fields, { colour = "red" })))
    assert.same(said("colour enum"), (found_in({}, fields, { colour = "blue" })))
    assert.same(said("colour unknown"), (found_in({}, {}, { colour = "red" })))
    local _, messages = found_in({}, fields, { color = "red" })
    assert.matches('did you mean "colour"', messages[1], 1, true)
  end)

  it("may be in the texts of a notification, in either form of them", function()
    local scenarios = rules({ { path = INFO .. "{locale}.meter", type = "string", max_length = 5, required = true } },
      CARD, "contract_card")
    for _, form in ipairs { function(info) return info end, cjson.encode } do
      for meter, code in pairs { ["12345"] = false, ["123456"] = "too_long", [""] = "missing" } do
        local card = samples.card()
        local texts = card.syncDataInfo.languageBusinessInfo
        texts.zh_HK.meter = meter
        texts.en_US, texts.zh_HK = form(texts.zh_HK), form(texts.zh_HK)
        local found = faults("contract_card", card, { scenarios = scenarios })
        table.sort(found)
        assert.same(code and { INFO .. "en_US.meter " .. code, INFO .. "zh_HK.meter " .. code } or {}, found)
      end
    end
  end)

  it("that is personal is in no message", function()
    for _, value in ipairs { "SECRET", "hidden" } do
      for _, is_personal in ipairs { true, false } do
        local _, messages = found_in({ own = value },
          { own { type = "string", enum = { "A" }, personal = is_personal } })
        assert.equal(is_personal, messages[1]:find(value, 1, true) == nil)
      end
    end
  end)

  it("of type json_object is encoded on its way", function()
    local client = gateway:client { scenarios = rules { { path = "extInfo.own", type = "json_object" },
      { path = "extInfo.own.n", type = "number" }, { path = "extInfo.list", type = "array" },
      { path = "extInfo.list[]", type = "json_object" } } }
    local given = { own = { n = 5 }, list = { { a = "漢" }, '{"b":1}' } }
    local sent = cjson.decode(assert(client:prepare("order", samples.order { extInfo = given })).body).extInfo
    assert.same({ own = '{"n":5}', list = { '{"a":"漢"}', '{"b":1}' } }, sent)
    assert.same({ own = { n = 5 }, list = { { a = "漢" }, '{"b":1}' } }, given)
  end)

  it("may be filled in by the client, while it stands at the top", function()
    local config = { scenarios = rules { { path = "ownId", type = "string", required = true, filled = "hex32" } } }
    local body = cjson.decode(assert(gateway:client(config):prepare("order", samples.order())).body)
    assert.matches("^" .. ("%x"):rep(32) .. "$", body.ownId)
    assert.same({}, (faults("order", samples.order(), config)))
  end)
end)

describe("a partner's rules", function()
  local function mine() return rules { { path = "merchantBizNo", max_length = 5 } } end

  it("are those of one scenario and of one client", function()
    local strict, other = gateway:client { scenarios = mine() }, gateway:client()
    assert.is_nil((strict:prepare("order", samples.order())))
    assert.is_table(strict:prepare("order", samples.order { merchantBizType = "ALIPAY_COUPON" }))
    assert.is_table(strict:prepare("contract_card", samples.card()))
    assert.is_table(other:prepare("order", samples.order()))
    assert.same({}, (faults("order", samples.order())))
    assert.is_nil((strict:prepare("order", samples.order())))
  end)

  it("are not changed, and changes after alipayhk.new are not theirs", function()
    local given, before = mine(), mine()
    local client = gateway:client { scenarios = given }
    assert.same({ "merchantBizNo too_long" }, (faults("order", samples.order(), { scenarios = given })))
    assert.same(before, given)
    given.order.MOVIE_TICKET.fields[1].max_length = 32
    given.order.MOVIE_TICKET.fields[2] = { path = "extInfo.own", type = "string", required = true }
    local _, err = client:prepare("order", samples.order { merchantBizNo = "123456" })
    assert.same({ "merchantBizNo", 1 }, { err.fields[1].path, #err.fields })
    assert.same({ "extInfo.own missing" }, (faults("order", samples.order(), { scenarios = given })))
  end)

  it("are not changed either by later changes of a field that was added", function()
    local added = { path = "extInfo.own", type = "string" }
    local client = gateway:client { scenarios = rules { added } }
    added.required, added.type, added.path = true, "number", "colour"
    for _, ext_info in ipairs { {}, { own = "x" } } do
      assert(client:prepare("order", samples.order { extInfo = ext_info }))
    end
  end)

  it("are not changed either by later changes of a field's list", function()
    local own_field = { path = "extInfo.own", type = "string", enum = { "A", "B" }, required_when = { "USED" } }
    local keyed = { path = "extInfo.keyed", type = "object", keys = { "A" } }
    local ours = { path = "orderStatus", enum = { "TICKETED", "USED" } }
    local client = gateway:client { scenarios = rules { own_field, keyed, ours } }
    own_field.enum[2], own_field.required_when[1], keyed.keys[2], ours.enum[2] = "C", "TICKETED", "B", "REFUNDED"
    assert(client:prepare("order", samples.order()))
    local _, err = client:prepare("order", samples.order { extInfo = { own = "C", keyed = { B = 1 } } })
    assert.same({ "extInfo.own", "extInfo.keyed.B" }, { err.fields[1].path, err.fields[2].path })
    assert.matches("one of A, B,", err.fields[1].message, 1, true)
    _, err = client:prepare("order", samples.order { orderStatus = "REFUNDED" })
    assert.matches("one of TICKETED, USED,", err.message, 1, true)
  end)

  it("are what a client checks, as alipayhk.check does", function()
    gateway:answers { {} }
    local client = gateway:client { scenarios = rules { { path = "extInfo.own", type = "string", expected = true } } }
    assert.equal("extInfo.own", assert(client:sync_order(samples.order())).warnings[1].path)
    local _, err = client:sync_order(samples.order { extInfo = { own = 5 } })
    assert.equal("extInfo.own", err.fields[1].path)
    assert.equal(1, #gateway.requests)
  end)
end)
