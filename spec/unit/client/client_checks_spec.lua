-- What a client does with the checks: `validate`, warnings beside an answer, and steps.

local alipayhk = require "alipayhk"
local api = require "alipayhk.api"
local cjson = require "cjson"
local double = require "spec.support.doubles.alipayhk_double"
local samples = require "spec.support.data.samples"
local thrown = require "spec.support.asserting.thrown"

local HERE = "client_checks_spec%.lua:%d+: "
local INFO = "syncDataInfo.languageBusinessInfo."

local gateway = double.new { algorithm = "p224" }
local client = gateway:client()

local function is_list_of(list, path, code)
  assert.is_true(#list > 0)
  for i, entry in pairs(list) do
    assert.is_number(i)
    assert.matches(path, entry.path)
    assert.equal(code, entry.code)
    assert.is_string(entry.message)
  end
  return #list
end

-- A train ticket whose texts lack all fields but one: eight warnings.
local function train()
  return samples.card {
    productTemplateCode = "TRAIN_TICKET_DEFAULT", orderStatus = "AWAIT_SCREENING",
    syncDataInfo = { languageBusinessInfo = { zh_HK = { from = "香港西九龍" } } },
  }
end

-- A ticket that lacks what is only inferred: one warning.
local function warned_of() return samples.order { merchantBizType = "PASS_TICKET", extInfo = samples.ABSENT } end

local function invalid(given, err)
  assert.is_nil(given)
  assert.equal("invalid", err.kind)
  assert.equal(0, #gateway.requests)
  return err
end

before_each(function() gateway:answers { {} } end)

describe("the config's validate", function()
  it("is true, false or \"strict\", and nothing else", function()
    for _, value in ipairs { true, false, "strict" } do assert.is_table(gateway:client { validate = value }) end
    for _, value in ipairs { "Strict", "STRICT", "strict ", "", "true", "false", "warn", 0, 1, {}, print } do
      local made, err = alipayhk.new(gateway:config { validate = value })
      assert.is_nil(made and tostring(value))
      assert.same({ "config", "validate" }, { err.kind, err.code })
      assert.matches("`validate`.*strict", err.message)
      assert.matches(HERE .. "alipayhk%.check: opts%.validate",
        thrown(function() local _ = alipayhk.check("order", {}, { validate = value }) end))
    end
  end)

  it("of \"strict\" makes a fault of what would be a warning, and of nothing else", function()
    local strict = gateway:client { validate = "strict" }
    for _, given in ipairs { warned_of(), train() } do
      local method = given.merchantBizType and "sync_order" or "sync_contract_card"
      local err = invalid(strict[method](strict, given))
      is_list_of(err.fields, given.merchantBizType and "^extInfo$" or "zh_HK%.", "missing")
      assert.equal(given.merchantBizType and 1 or 8, #err.fields)
      assert.same({}, err.warnings or {})
    end
    assert.same({}, assert(strict:sync_order(samples.order())).warnings)
    assert.same({}, assert(strict:sync_contract_card(samples.card())).warnings)
    assert.equal(2, #gateway.requests)
  end)

  it("of true sends what is only warned of, and no fault", function()
    for _, config in ipairs { {}, { validate = true } } do
      gateway:answers { {} }
      local checked = gateway:client(config)
      assert(checked:sync_order(warned_of()))
      assert.equal(1, #gateway.requests)
      gateway:answers { {} }
      invalid(checked:sync_order(samples.order { extInfo = samples.ABSENT }))
      invalid(checked:prepare("order", samples.order { extInfo = samples.ABSENT }))
    end
  end)

  it("of false sends anything, without a word", function()
    local loose = gateway:client { validate = false }
    local response = assert(loose:sync_order(samples.order { extInfo = samples.ABSENT, colour = "red" },
      { previous_status = "USED" }))
    assert.same({}, response.warnings)
    assert.same({}, assert(loose:sync_contract_card(train(), { previous_status = "NONE_OF_THESE" })).warnings)
    assert.is_table(loose:prepare("order", samples.order(), { previous_status = "REFUNDED" }))
    assert.equal(2, #gateway.requests)
    assert.equal("red", cjson.decode(gateway.requests[1].body).colour)
  end)

  it("of false sends the texts of a notification as strings of JSON all the same", function()
    local request = assert(gateway:client({ validate = false }):prepare("contract_card", train()))
    assert.is_string(cjson.decode(request.body).syncDataInfo.languageBusinessInfo.zh_HK)
  end)

  it("does not concern the partner's rules alone", function()
    local scenarios = { order = { MOVIE_TICKET = { fields = {
      { path = "extInfo.own", type = "string", required = true, confidence = "INFERRED" },
    } } } }
    for validate, outcome in pairs { [true] = 1, [false] = 0, strict = "invalid" } do
      local made = gateway:client { validate = validate, scenarios = scenarios }
      local response, err = made:sync_order(samples.order())
      assert.equal(outcome, response and #response.warnings or err.kind)
    end
  end)
end)

describe("the warnings", function()
  it("are an empty list beside the answer to what is in order", function()
    assert.same({}, assert(client:sync_order(samples.order())).warnings)
    assert.same({}, assert(client:sync_contract_card(samples.card())).warnings)
    assert.same({}, assert(client:call("/any", {})).warnings)
    local request = assert(client:prepare("order", samples.order()))
    assert.same({ {}, {} }, { request.warnings, assert(client:send(request)).warnings })
    assert.equal(4, #gateway.requests)
  end)

  it("are a list beside the answer to what is not quite", function()
    local response = assert(client:sync_contract_card(train()))
    assert.equal(8, is_list_of(response.warnings, "^" .. INFO .. "zh_HK%.", "missing"))
    assert.same({ "SUCCESS", 1 }, { response.result.resultCode, #gateway.requests })
    assert.equal(1, is_list_of(assert(client:sync_order(warned_of())).warnings, "^extInfo$", "missing"))
  end)

  it("are those of one call, not of the one before", function()
    assert.equal(8, #assert(client:sync_contract_card(train())).warnings)
    assert.same({}, assert(client:sync_contract_card(samples.card())).warnings)
    table.insert(client:sync_order(samples.order()).warnings, "mine")
    assert.same({}, assert(client:sync_order(samples.order())).warnings)
  end)

  it("are those of alipayhk.check", function()
    local given = train()
    local _, warnings = alipayhk.check("contract_card", given)
    assert.same(warnings, assert(client:sync_contract_card(given)).warnings)
  end)

  it("are there when AlipayHK refuses, in the error's response", function()
    gateway:answers { { code = "PARAM_ILLEGAL", status = "F" } }
    local response, err = client:sync_contract_card(train())
    assert.same({ nil, "result" }, { response, err.kind })
    assert.equal(8, is_list_of(err.response.warnings, "zh_HK%.", "missing"))
    response, err = client:sync_order(samples.order())
    assert.is_nil(response)
    assert.same({}, err.response.warnings)
  end)

  it("are there after retries", function()
    gateway:answers { { failure = "dns" }, { code = "X", status = "U" }, {} }
    local patient = gateway:client { retry = { max_attempts = 3, base_delay_ms = 0 } }
    local response = assert(patient:sync_order(warned_of()))
    assert.equal(3, response.attempts)
    assert.equal(1, is_list_of(response.warnings, "^extInfo$", "missing"))
  end)

  it("are beside the faults of what is not sent", function()
    local given = warned_of()
    given.amount = { value = "1.00", currency = "HKD" }
    local err = invalid(client:sync_order(given))
    assert.equal(1, is_list_of(err.fields, "^amount%.value$", "format"))
    assert.equal(1, is_list_of(err.warnings, "^extInfo$", "missing"))
  end)

  it("of a prepared request are beside the answer to it", function()
    local request = assert(client:prepare("contract_card", train()))
    assert.equal(8, is_list_of(assert(client:send(request)).warnings, "zh_HK%.", "missing"))
  end)
end)

describe("previous_status", function()
  it("keeps a forbidden step from being sent", function()
    local opts = { previous_status = "USED" }
    for _, err in ipairs {
      invalid(client:sync_order(samples.order(), opts)), invalid(client:prepare("order", samples.order(), opts)),
      invalid(client:sync_contract_card(samples.card(), opts)),
      invalid(client:prepare("contract_card", samples.card(), opts)),
    } do
      assert.equal(1, is_list_of(err.fields, "^orderStatus$", "transition"))
    end
    assert.same({ previous_status = "USED" }, opts)
  end)

  it("lets an allowed one pass, and the same status again", function()
    assert(client:sync_order(samples.order { orderStatus = "USED" }, { previous_status = "TICKETED" }))
    assert(client:sync_order(samples.order { orderStatus = "USED" }, { previous_status = "USED" }))
    local response = assert(client:sync_contract_card(samples.card(), { previous_status = "OVERDUED" }))
    assert.same({}, response.warnings)
    assert.equal(3, #gateway.requests)
    assert.is_nil(gateway.requests[1].body:find("previous", 1, true))
  end)

  it("is of one call alone", function()
    assert(client:sync_order(samples.order(), { previous_status = "TICKETED" }))
    assert(client:sync_order(samples.order()))
    assert.is_nil((client:sync_order(samples.order(), { previous_status = "USED" })))
    assert(client:sync_order(samples.order()))
    assert.equal(3, #gateway.requests)
  end)

  it("warns of a step whose rule is only inferred, and refuses it in strict checks", function()
    local opts = { previous_status = "CLOSED" }
    assert.equal(1, is_list_of(assert(client:sync_contract_card(samples.card(), opts)).warnings, "^orderStatus$",
      "transition"))
    assert.is_table(client:prepare("contract_card", samples.card(), opts))
    gateway:answers { {} }
    local strict = gateway:client { validate = "strict" }
    assert.equal("transition", invalid(strict:sync_contract_card(samples.card(), opts)).fields[1].code)
    assert.equal("transition", invalid(strict:prepare("contract_card", samples.card(), opts)).fields[1].code)
  end)

  it("of any other type throws at the caller's line, whatever `validate` is", function()
    for _, value in ipairs { 5, true, false, {}, { "TICKETED" }, print, cjson.null } do
      for _, made in ipairs { client, gateway:client { validate = false }, gateway:client { validate = "strict" } } do
        local opts = { previous_status = value }
        for _, call in ipairs {
          function() local _ = made:sync_order(samples.order(), opts) end,
          function() local _ = made:sync_contract_card(samples.card(), opts) end,
          function() local _ = made:prepare("order", samples.order(), opts) end,
        } do
          assert.matches("^[^\n]*" .. HERE .. ".*opts%.previous_status", thrown(call))
        end
      end
    end
    assert.equal(0, #gateway.requests)
  end)

  it("throws where no scenario is checked", function()
    local opts = { previous_status = "TICKETED" }
    local request = assert(client:prepare("order", samples.order()))
    for _, made in ipairs { client, gateway:client { validate = false } } do
      for _, call in ipairs {
        function() local _ = made:call("/any", {}, opts) end,
        function() local _ = made:prepare("/any", {}, opts) end,
        function() local _ = made:send(request, opts) end,
        function() local _ = made:call(api.by_name.order.path, samples.order(), opts) end,
        function() local _ = made:prepare(api.by_name.order.path, samples.order(), opts) end,
      } do
        assert.matches("^[^\n]*" .. HERE .. ".*previous_status", thrown(call))
      end
    end
    assert.equal(0, #gateway.requests)
  end)
end)
