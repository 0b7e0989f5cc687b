-- A mistake in a partner's `scenarios` is a `config` error that names its place, from check as from a client.

local alipayhk = require "alipayhk"
local cjson = require "cjson"
local double = require "spec.support.doubles.alipayhk_double"
local samples = require "spec.support.data.samples"
local sorted_keys = require "spec.support.asserting.sorted_keys"
local thrown = require "spec.support.asserting.thrown"

local FIELDS = "scenarios.order.SELF_PICK.fields"

local gateway = double.new { algorithm = "p224" }

local function fields(list) return { order = { SELF_PICK = { fields = list } } } end

-- The scenarios' mistake has to be found at `place`; gives the message.
local function refused(place, scenarios, label)
  local first
  -- check reads the rules also where they are another scenario's than the payload's.
  for _, made in ipairs {
    { alipayhk.new(gateway:config { scenarios = scenarios }) },
    { alipayhk.check("order", samples.order(), { scenarios = scenarios }) },
  } do
    local result, err = made[1], made[2]
    assert.is_nil(result and tostring(result), ("%s = %s was accepted"):format(place, tostring(label)))
    assert.same({ "config", place }, { err.kind, err.code })
    assert.matches("`" .. place .. "`", err.message, 1, true)
    assert.is_nil(tostring(err):find("%c"))
    first = first or err.message
    assert.equal(first, err.message)
  end
  return first
end

describe("scenarios are refused", function()
  -- What is wrong about the whole, its place and, where there is one, the hint.
  local WRONG = {
    ["an unknown API"] = { { orders = {} }, "scenarios.orders", 'did you mean "order"' },
    ["an API that is like none"] = { { refund = {} }, "scenarios.refund" },
    ["a list of APIs"] = { { "order" }, "scenarios.1" },
    ["an API's rules that are no table"] = { { order = 5 }, "scenarios.order" },
    ["an unknown scenario"] = { { order = { SELF_PICKS = { fields = {} } } }, "scenarios.order.SELF_PICKS",
      'did you mean "SELF_PICK"' },
    ["a scenario in lower case"] = { { order = { movie_ticket = { fields = {} } } }, "scenarios.order.movie_ticket",
      'did you mean "MOVIE_TICKET"' },
    ["a scenario of the other API"] = { { order = { AIR_TICKET_DEFAULT = { fields = {} } } },
      "scenarios.order.AIR_TICKET_DEFAULT" },
    ["a list of scenarios"] = { { order = { { fields = {} } } }, "scenarios.order.1" },
    ["a scenario that is no table"] = { { order = { SELF_PICK = true } }, "scenarios.order.SELF_PICK" },
    ["a key that is like fields"] = { { order = { SELF_PICK = { fields = {}, field = {} } } },
      "scenarios.order.SELF_PICK.field", 'did you mean "fields"' },
    ["statuses"] = { { order = { SELF_PICK = { fields = {}, statuses = {} } } },
      "scenarios.order.SELF_PICK.statuses" },
    ["fields without their key"] = { { order = { SELF_PICK = { { path = "x", type = "string" } } } },
      "scenarios.order.SELF_PICK.1" },
    ["a scenario without fields"] = { { order = { SELF_PICK = {} } }, FIELDS },
    ["fields that are no table"] = { fields("extInfo"), FIELDS },
    ["fields that are no list"] = { fields { path = "extInfo.a", type = "string" }, FIELDS },
    ["a list of fields and more"] = { fields { { path = "extInfo.a", type = "string" }, note = "x" }, FIELDS },
    ["a list of fields with a hole"] = { fields { [2] = { path = "extInfo.a", type = "string" } }, FIELDS },
    ["a field that is no table"] = { fields { "extInfo.a" }, FIELDS .. "[1]" },
    ["a field that is a list"] = { fields { { "extInfo.a", "string" } }, FIELDS .. "[1].1" },
    ["a property that is like none"] = { fields { { path = "extInfo.a", type = "string", colour = "red" } },
      FIELDS .. "[1].colour" },
    ["the second field"] = { fields { { path = "extInfo.a", type = "string" }, { path = "extInfo.b", type = "text" } },
      FIELDS .. "[2].type" },
    ["a field described twice, in two ways"] = {
      fields { { path = "extInfo.a", type = "string" }, { path = "extInfo.a", type = "number" } }, FIELDS .. "[2].type",
    },
    ["the other API's field"] = {
      { order = { SELF_PICK = { fields = {} } }, contract_card = { AIR_TICKET_DEFAULT = { fields = { {} } } } },
      "scenarios.contract_card.AIR_TICKET_DEFAULT.fields[1].path",
    },
  }
  for _, title in ipairs(sorted_keys(WRONG)) do
    it("for " .. title, function()
      local scenarios, place, hint = WRONG[title][1], WRONG[title][2], WRONG[title][3]
      local message = refused(place, scenarios)
      if hint then assert.matches(hint, message, 1, true) end
      assert.equal(hint ~= nil, message:find("did you mean", 1, true) ~= nil)
    end)
  end

  it("where they are no table: by alipayhk.new as a config, by check at the caller's line", function()
    for _, value in ipairs { 5, "x", true, false, print } do
      local client, err = alipayhk.new(gateway:config { scenarios = value })
      assert.is_nil(client)
      assert.same({ "config", "scenarios" }, { err.kind, err.code })
      local message = thrown(function() local _ = alipayhk.check("order", {}, { scenarios = value }) end)
      assert.matches("partner_mistakes_spec%.lua:%d+: alipayhk%.check: opts%.scenarios", message)
    end
  end)
end)

describe("a partner's field is refused", function()
  local FLAGS = { "true", 1, {}, cjson.null }
  local LISTS = { "PENDING", 5, true, {}, { 5 }, { "PENDING", 5 }, { a = "PENDING" }, { "PENDING", x = 1 },
    { [2] = "PENDING" }, cjson.null }
  local TEXTS = { 5, true, {}, { "x" }, cjson.null }
  local NAMES = { "x", "", 5, true, {}, { "string" }, cjson.null }

  -- Wrong values of a property; the type of the field, where it is not a string.
  local WRONG = {
    path = { 5, true, {}, { "extInfo.a" }, cjson.null },
    type = NAMES,
    required = FLAGS, expected = FLAGS, may_be_empty = FLAGS, personal = FLAGS,
    required_when = LISTS, expected_when = LISTS, enum = LISTS,
    max_length = { "5", true, {}, 0, -1, 1.5, 0 / 0, 1 / 0, -1 / 0, cjson.null },
    unit = TEXTS, note = TEXTS,
    format = { "yyyy", "url", "", 5, true, {}, cjson.null },
    confidence = { "seen", "NOT FOUND", "", 5, true, {} },
    inferred = { "type", 5, true, {}, { 5 } },
    filled = { "now", "", 5, true, {} },
    id = FLAGS, local_times = FLAGS, except_when = LISTS, not_before = TEXTS,
  }
  for _, property in ipairs(sorted_keys(WRONG)) do
    it("for a wrong " .. property, function()
      for _, value in ipairs(WRONG[property]) do
        local field = { path = "extInfo.a", type = "string" }
        field[property] = value
        refused(FIELDS .. "[1]." .. property, fields { field }, value)
      end
    end)
  end

  it("for wrong keys", function()
    for _, value in ipairs(LISTS) do
      refused(FIELDS .. "[1].keys", fields { { path = "extInfo.a", type = "object", keys = value } }, value)
    end
  end)

  it("for a property that its type has not", function()
    local NONE = {
      max_length = { 5, { "number", "object", "array", "any", "json_object" } },
      format = { "URL", { "number", "object", "array", "any", "json_object" } },
      enum = { { "a" }, { "number", "object", "array", "any", "json_object" } },
      keys = { { "a" }, { "string", "number", "array", "any" } },
      unit = { "cents", { "object", "array", "json_object" } },
      may_be_empty = { true, { "number", "object", "array" } },
      id = { true, { "number", "object", "array", "any", "json_object" } },
      tense = { "past", { "string", "object", "array", "any", "json_object" } },
      not_before = { "b", { "object", "array", "any", "json_object" } },
      local_times = { true, { "number", "object", "array", "any", "json_object" } },
      money = { true, { "string", "number", "array", "any", "json_object" } },
    }
    for _, property in ipairs(sorted_keys(NONE)) do
      for _, kind in ipairs(NONE[property][2]) do
        local field = { path = "extInfo.a", type = kind, [property] = NONE[property][1] }
        assert.matches(kind, refused(FIELDS .. "[1]." .. property, fields { field }, kind), 1, true)
      end
    end
    -- Here the type is AlipayHK's.
    refused(FIELDS .. "[1].max_length", fields { { path = "orderCreateTime", max_length = 13 } })
    refused(FIELDS .. "[1].enum", fields { { path = "amount", enum = { "HKD" } } })
  end)

  local MISSPELT = {
    Path = "path", types = "type", require = "required", requiredWhen = "required_when", expects = "expected",
    expectedWhen = "expected_when", maxLength = "max_length", units = "unit", fromat = "format", enums = "enum",
    key = "keys", notBefore = "not_before", localTimes = "local_times", exceptWhen = "except_when", tenses = "tense",
    may_be_emty = "may_be_empty", personnal = "personal", confidance = "confidence",
  }
  for _, name in ipairs(sorted_keys(MISSPELT)) do
    it(("for %s, with a hint at %s"):format(name, MISSPELT[name]), function()
      local field = { path = "extInfo.a", type = "string", [name] = true }
      assert.matches(('did you mean "%s"'):format(MISSPELT[name]), refused(FIELDS .. "[1]." .. name, fields { field }),
        1, true)
    end)
  end

  it("without its path or its type", function()
    assert.matches("required", refused(FIELDS .. "[1].path", fields { { type = "string" } }), 1, true)
    assert.matches("required", refused(FIELDS .. "[1].type", fields { { path = "extInfo.a" } }), 1, true)
  end)

  it("for a type that is nearly one, with a hint", function()
    for given, meant in pairs { strings = "string", Number = "number", jsonObject = "json_object" } do
      assert.matches(('did you mean "%s"'):format(meant),
        refused(FIELDS .. "[1].type", fields { { path = "extInfo.a", type = given } }), 1, true)
    end
  end)

  it("for a status that its scenario has not", function()
    for _, property in ipairs { "required_when", "expected_when", "except_when" } do
      for status, hint in pairs { pending = "PENDING", TO_PICKUP = "TO_PICK_UP", TICKETED = false, WAIT_PAY = false } do
        local message = refused(FIELDS .. "[1]." .. property,
          fields { { path = "extInfo.a", type = "string", [property] = { "FINISHED", status } } }, status)
        assert.matches(status, message, 1, true)
        assert.equal(hint or nil, message:match('did you mean "([^"]*)"'))
      end
    end
  end)

  it("for a path that is none", function()
    for _, path in ipairs { "", ".", "a.", ".a", "a..b", "extInfo.[1]", "itemOrderList[1]", "extInfo.a[", "extInfo.{",
      "extInfo.{}", "extInfo.a]", "extInfo.a[]b", "[]", "{locale}", "{a}.b", "extInfo a", "extInfo.a ", "extInfo/a" } do
      local message = refused(FIELDS .. "[1].path", fields { { path = path, type = "string" } }, path)
      assert.matches("expected a path", message, 1, true)
    end
  end)

  -- Nothing could ever be there, so that the rule would be silently without effect, or never be met.
  local PARENTS = {
    { "that nobody described", { "extInfo.a.b" }, "extInfo.a" },
    { "that is described later", { "extInfo.a.b", "extInfo.a" }, "extInfo.a" },
    { "whose elements nobody described", { "extInfo.a[]" }, "extInfo.a" },
    { "of type string", { "tradeNo.b" }, "tradeNo" },
    { "of type number", { "orderCreateTime.b" }, "orderCreateTime" },
    { "of type string, as a list", { "tradeNo[]" }, "tradeNo" },
    { "of type object, as a list", { "shopInfo[]" }, "shopInfo" },
    { "of type array, without []", { "itemOrderList.name" }, "itemOrderList" },
    { "of type array, with {}", { "itemOrderList.{name}" }, "itemOrderList" },
  }
  for _, case in ipairs(PARENTS) do
    it("in a parent " .. case[1], function()
      local list = {}
      for i, path in ipairs(case[2]) do list[i] = { path = path, type = "object" } end
      assert.matches(case[3], refused(FIELDS .. "[1].path", fields(list)), 1, true)
    end)
  end

  it("for a need or a unit that would be in force nowhere", function()
    for _, property in ipairs { "required", "expected" } do
      refused(FIELDS .. "[1]." .. property, fields { { path = "itemOrderList[]", [property] = true } })
    end
    refused(FIELDS .. "[1].unit", fields { { path = "extInfo.a", type = "string", unit = "ms" } })
    local message = refused(FIELDS .. "[1].unit", fields { { path = "extInfo.a", type = "number", unit = "Cents" } })
    assert.matches('did you mean "cents"', message, 1, true)
  end)

  it("to be a time, or not before one, where it is none", function()
    local MOMENT = "yyyy-MM-dd HH:mm:ss"
    local time = { path = "extInfo.from", type = "number", unit = "ms" }
    local moment = { path = "extInfo.at", type = "string", format = MOMENT }
    for _, case in ipairs {
      { "tense", { type = "number" } }, { "tense", { type = "number", unit = "cents" } },
      { "tense", { type = "number", unit = "ms", tense = "perfect" } },
      { "not_before", { type = "number", not_before = "from" } },
      { "not_before", { type = "string", not_before = "at" } },
      { "not_before", { type = "string", format = "yyyy-MM-dd", not_before = "at" } },
      { "local_times", { type = "string", format = "URL", local_times = true } },
      -- There is none of that name there, it is itself, or it is of another sort.
      { "not_before", { type = "number", unit = "ms", not_before = "until" } },
      { "not_before", { type = "number", unit = "ms", not_before = "orderCreateTime" } },
      { "not_before", { type = "number", unit = "ms", not_before = "to" } },
      { "not_before", { type = "number", unit = "ms", not_before = "at" } },
      { "not_before", { type = "string", format = MOMENT, not_before = "from" } },
    } do
      local field = { path = "extInfo.to" }
      for name, value in pairs(case[2]) do field[name] = value end
      if case[1] == "tense" and not field.tense then field.tense = "past" end
      refused(FIELDS .. "[3]." .. case[1], fields { time, moment, field })
    end
  end)

  it("in a parent of type any of the partner's own", function()
    local parent = { path = "extInfo.a", type = "any" }
    refused(FIELDS .. "[2].path", fields { parent, { path = "extInfo.a.b", type = "string" } })
  end)

  it("to be filled in where the client cannot do it", function()
    for _, field in ipairs {
      { path = "extInfo.a", type = "string", filled = "hex32" },
      { path = "ownId", type = "number", filled = "uuid" },
      { path = "ownTime", type = "string", filled = "now_ms" },
    } do
      local scenarios = { order = { MOVIE_TICKET = { fields = { field } } } }
      local client = alipayhk.new(gateway:config { scenarios = scenarios })
      -- What is taken has to work.
      if client then
        assert(client:prepare("order", samples.order()))
      else
        refused("scenarios.order.MOVIE_TICKET.fields[1].filled", scenarios)
      end
    end
  end)

  it("with a code of faults that there is not", function()
    refused(FIELDS .. "[1].inferred", fields { { path = "extInfo.a", type = "string", inferred = { "typo" } } })
  end)
end)
