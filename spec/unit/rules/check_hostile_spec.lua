-- Tables made to mislead the check: what is judged is what would be sent, and each fault is one short line.

local alipayhk = require "alipayhk"
local cjson = require "cjson"
local core = require "alipayhk.core"
local faults = require "spec.support.asserting.faults"
local gateway_double = require "spec.support.doubles.alipayhk_double"
local samples = require "spec.support.data.samples"

local function thrower() error("a metamethod was asked") end

local VIRTUAL = setmetatable({}, { __index = thrower, __len = thrower, __pairs = thrower })

local function filled(n)
  local many = {}
  for i = 1, n do many[i] = { i } end
  return many
end

describe("a table that cannot be looked into is refused, and nothing of it is asked", function()
  local CASES = {
    ["beside numbered keys"] = function() return samples.order { "x", amount = VIRTUAL } end,
    ["in a list with names"] = function() return samples.order { extInfo = { seats = { VIRTUAL, k = 1 } } } end,
    ["beside more tables than are looked at"] = function()
      return samples.order { extInfo = { many = filled(10001), last = VIRTUAL }, amount = VIRTUAL }
    end,
    ["beside a key that is no UTF-8"] = function() return samples.order { extInfo = { ["\255"] = VIRTUAL } } end,
    ["under a key that is a table"] = function() return samples.order { extInfo = { [{}] = VIRTUAL } } end,
    ["under a key that will not be a text"] = function()
      return samples.order { [setmetatable({}, { __tostring = thrower })] = 1 }
    end,
    ["whose metatable is hidden"] = function()
      local order = samples.order { extInfo = samples.ABSENT }
      return setmetatable(order, { __metatable = {}, __index = { extInfo = {} } })
    end,
    ["whose length throws behind a hidden metatable"] = function()
      return samples.order { extInfo = setmetatable({}, { __metatable = {}, __len = thrower }) }
    end,
  }
  for name, make in pairs(CASES) do
    it(name, function() assert.is_true(#faults("order", make()) > 0) end)
  end
end)

describe("a table that is half a list is refused", function()
  local CASES = {
    { 1, 2, nil, 4, x = 5 }, { "a", nil, "c", k = 1 }, { [1] = "a", [2] = "b", [2.5] = "c" }, { [0] = "a", "b" },
  }
  for i, case in ipairs(CASES) do
    it(tostring(i), function()
      assert.same({ "extInfo.x type" }, (faults("order", samples.order { extInfo = { x = case } })))
    end)
  end
end)

describe("faults", function()
  it("are the same each time, whatever the order of the keys", function()
    local first = faults("order", samples.order { extInfo = { [1.5] = 1, ["\255"] = 2, [true] = 3 } })
    for _ = 1, 30 do
      assert.same(first, (faults("order", samples.order { extInfo = { [true] = 3, ["\255"] = 2, [1.5] = 1 } })))
    end
  end)

  it("are short lines of UTF-8, whatever was given", function()
    local long = "2024/02/30 (\n" .. ("漢"):rep(500000) .. "\27[31m)"
    local card = samples.card { productTemplateCode = "MOVIE_TICKET_DEFAULT", orderStatus = ("漢"):rep(30) }
    local given = { movie_start_date = long, ["k\255\n"] = "\254" }
    card.syncDataInfo.languageBusinessInfo = { en_US = given, ["zh\255" .. ("漢"):rep(100)] = {} }
    local _, err = alipayhk.check("contract_card", card)
    for _, fault in ipairs(err.fields) do
      local text = fault.path .. fault.message
      assert.is_nil(text:find("%c"), fault.path)
      assert.truthy(core.utf8_length(text), fault.path)
      assert.is_true(#text < 1000, fault.path)
    end
  end)

  it("of very long values are told at once", function()
    local many = 1000000
    local LONG = {
      ("1"):rep(many) .. "+11", ("1"):rep(many) .. ".1", ("1"):rep(many) .. "e+1x", (" "):rep(many),
      ("\227\128\128"):rep(many), ("\128"):rep(many), "\194" .. ("\128"):rep(many) .. " ",
      ("a"):rep(many) .. "%3A", ("x"):rep(many) .. "\r",
      ("a%3A%2F%2F"):rep(many / 10), ("+"):rep(many), ("0"):rep(many), ("2024-05-24 09:15:00"):rep(many / 20),
    }
    for _, value in ipairs(LONG) do
      local card = samples.card { productTemplateCode = "AIR_TICKET_DEFAULT", orderStatus = value }
      card.merchantBizNo, card.openId = value, value
      card.syncDataInfo.languageBusinessInfo = {
        en_US = { end_time = value, start_time = value, order_url = value },
      }
      local started = os.clock()
      local _, err = alipayhk.check("contract_card", card)
      for _, fault in ipairs(err.fields) do assert.is_true(#tostring(fault) < 1000) end
      -- A quadratic search would take hours.
      assert.is_true(os.clock() - started < 10, value:sub(-10))
    end
  end)

  -- Once it took minutes; a quadratic search would make this spec the slowest by far.
  it("of very many keys are all told", function()
    local order = samples.order()
    for i = 1, 20000 do order[("x"):rep(40) .. i] = i end
    local _, err = alipayhk.check("order", order)
    assert.equal(20000, #err.fields)
  end)
end)

describe("personal values of a partner's fields", function()
  local FIELDS = {
    { path = "extInfo.phone", type = "string", personal = true },
    { path = "extInfo.number", type = "number", personal = true },
    { path = "extInfo.list", type = "array" },
    { path = "extInfo.list[]", type = "string", personal = true },
    { path = "extInfo.texts", type = "object" },
    { path = "extInfo.texts.{locale}", type = "json_object" },
    { path = "extInfo.texts.{locale}.name", type = "string", personal = true },
  }

  it("are cut out of what AlipayHK says, wherever they stand", function()
    local given = { phone = "85291234567", number = 4815162342, list = { "first-secret", "second-secret" },
      texts = { a = { name = "name-of-a" }, b = '{"name":"name-of-b"}' } }
    local secrets = { "85291234567", "4815162342", "first-secret", "second-secret", "name-of-a", "name-of-b" }
    local double = gateway_double.new()
    local result = { resultStatus = "F", resultCode = "PARAM_ILLEGAL", resultMessage = table.concat(secrets, " ") }
    double:answers { { body = cjson.encode { result = result } } }
    local client = double:client { scenarios = { order = { MOVIE_TICKET = { fields = FIELDS } } } }
    local _, err = client:sync_order(samples.order { extInfo = given })
    assert.equal("result", err.kind)
    for _, secret in ipairs(secrets) do assert.is_nil(tostring(err):find(secret, 1, true), secret) end
  end)
end)

-- With `validate = false` a value is sent in whatever shape it has.
describe("a value of another shape than its field", function()
  local FIELDS = {
    { path = "extInfo.map", type = "object" },
    { path = "extInfo.map.{key}", type = "object" },
    { path = "extInfo.map.{key}.deep", type = "json_object" },
    { path = "extInfo.texts", type = "object" },
    { path = "extInfo.texts.{locale}", type = "json_object" },
    { path = "extInfo.list", type = "array" },
    { path = "extInfo.list[]", type = "object" },
    { path = "extInfo.list[].phone", type = "string", personal = true },
    { path = "extInfo.list[].more", type = "json_object" },
  }
  local double = gateway_double.new()
  local client = double:client { validate = false, scenarios = { order = { MOVIE_TICKET = { fields = FIELDS } } } }

  local function sent(ext_info)
    local request = assert(client:prepare("order", samples.order { extInfo = ext_info }))
    return cjson.decode(request.body).extInfo
  end

  it("is sent with its content: a list for an object with free keys", function()
    assert.same({ texts = { '{"a":1}', '{"b":2}' } }, sent { texts = { { a = 1 }, { b = 2 } } })
    assert.same({ map = { { deep = '{"a":1}' } } }, sent { map = { { deep = { a = 1 } } } })
  end)

  it("is sent with its content, and cut out of messages: an object for a list", function()
    local given = { list = { a = { phone = "85291234567", more = { b = 1 } } } }
    assert.same({ list = { a = { phone = "85291234567", more = '{"b":1}' } } }, sent(given))
    local result = { resultStatus = "F", resultCode = "PARAM_ILLEGAL", resultMessage = "what is 85291234567?" }
    double:answers { { body = cjson.encode { result = result } } }
    local _, err = client:sync_order(samples.order { extInfo = given })
    assert.matches("what is ***?", err.message, 1, true)
  end)
end)

describe("a table that is marked as a list", function()
  it("is no object", function()
    local codec = cjson.new()
    for _, mark in ipairs { "array_mt", "empty_array_mt" } do
      if codec[mark] then
        local found = faults("order", samples.order { extInfo = setmetatable({ a = 1 }, codec[mark]) })
        assert.same({ "extInfo type" }, found, mark)
      end
    end
  end)
end)

describe("a personal value that JSON cannot carry", function()
  local gateway = gateway_double.new { algorithm = "p224" }

  for _, number in ipairs { 0 / 0, math.huge, -math.huge } do
    for _, validate in ipairs { true, false } do
      it(("is a fault and no exception: %s, validate = %s"):format(tostring(number), tostring(validate)), function()
        local response, err = gateway:client({ validate = validate }):sync_order(samples.order { userId = number })
        assert.is_nil(response)
        assert.equal("invalid", err.kind)
        assert.equal("userId", err.fields[1].path)
      end)
    end
  end
end)
