-- What check says of a status that is nearly right, of texts that are empty, and of a list in place of one payload.

local cards = require "spec.support.data.card_expectations"
local double = require "spec.support.doubles.alipayhk_double"
local faults = require "spec.support.asserting.faults"
local samples = require "spec.support.data.samples"
local says = require "spec.support.asserting.check_says"

local STRICT = { validate = "strict" }

local function assert_has(message, ...)
  for _, part in ipairs { ... } do assert.matches(part, message, 1, true) end
end

describe("a status", function()
  it("with a character too many is told which, where", function()
    local CASES = {
      { "TICKETED\r", "control character (\\r) at its end" }, { "TICKETED\n", "control character (\\n) at its end" },
      { "TICKETED ", "blank at its end" }, { "\tTICKETED", "control character (\\t) at its start" },
      { "\239\187\191TICKETED", "blank at its start" }, { "TICKETED\226\128\139", "blank at its end" },
      { "NONE\r", "control character (\\r) at its end" },
    }
    for _, case in ipairs(CASES) do
      assert_has(says("order", samples.order { orderStatus = case[1] }, "orderStatus enum"), case[2], "TICKETED")
    end
    assert_has(says("order", samples.order { merchantBizType = "MOVIE_TICKET\r" }, "merchantBizType enum"),
      "control character (\\r) at its end")
    assert_has(says("contract_card", samples.card { command = "SEND\r" }, "command enum"),
      "control character (\\r) at its end")
  end)

  it("in other letters is asked after", function()
    for _, status in ipairs { "ticketed", "Ticketed", "TICKETD", "TICKETED\r" } do
      assert_has(says("order", samples.order { orderStatus = status }, "orderStatus enum"),
        'did you mean "TICKETED"?')
    end
  end)
end)

describe("the texts of a notification", function()
  local PATH = "syncDataInfo.languageBusinessInfo"

  it("that are an empty object count as missing where something in them is required", function()
    for template, rules in pairs(cards.TEMPLATES) do
      for _, status in ipairs(rules.statuses) do
        local said = rules.need[status] == "fault" and PATH .. " missing" or nil
        local message = says("contract_card", cards.card(template, status, {}), nil, said)
        if said then assert_has(message, "empty") end
      end
    end
    local found = faults("contract_card", cards.card("MOVIE_TICKET_DEFAULT", "AWAIT_SCREENING", {}), STRICT)
    assert.same({ PATH .. " missing" }, found)
  end)

  it("of a locale that are empty lack what is required, in either form", function()
    for _, empty in ipairs { {}, "{}", " { } " } do
      local given = cards.card("MOVIE_TICKET_DEFAULT", "AWAIT_SCREENING", { zh_HK = empty })
      local found, _, warnings = faults("contract_card", given)
      assert.equal(11, #found)
      assert.same({}, warnings)
      for _, text in ipairs(found) do assert.matches("%.languageBusinessInfo%.zh_HK%.[a-z_]+ missing$", text) end
      says("contract_card", cards.card("MOVIE_TICKET_DEFAULT", "CLOSED", { zh_HK = empty }))
    end
  end)

  it("are not missed where the notification is taken down", function()
    for template, rules in pairs(cards.TEMPLATES) do
      for _, status in ipairs(rules.closing) do
        for _, info in ipairs { {}, { amount = 5 }, { languageBusinessInfo = {} } } do
          local given = samples.card { command = "UPDATE", productTemplateCode = template, orderStatus = status,
            syncDataInfo = info }
          says("contract_card", given)
          assert.same({}, (faults("contract_card", given, STRICT)))
        end
      end
    end
  end)

  it("of a partner's own object are missing where it is empty and something in it is required", function()
    local fields = {
      { path = "extInfo.names", type = "object", required = true },
      { path = "extInfo.names.{locale}", type = "object" },
      { path = "extInfo.names.{locale}.name", type = "string", required_when = { "USED" } },
      { path = "extInfo.more", type = "object" }, { path = "extInfo.more.{locale}", type = "object" },
      { path = "extInfo.more.{locale}.name", type = "string", required = true },
    }
    local opts = { scenarios = { order = { MOVIE_TICKET = { fields = fields } } } }
    local function given(status) return samples.order { orderStatus = status, extInfo = { names = {}, more = {} } } end
    says("order", given("USED"), "extInfo.names missing", nil, opts)
    says("order", given("TICKETED"), nil, nil, opts)
  end)
end)

describe("a list of orders where one is expected", function()
  it("is said to be one, and nothing else of it", function()
    for api, sample in pairs { order = samples.order, contract_card = samples.card } do
      for _, list in ipairs { { sample(), sample() }, { sample() }, { 5 }, { "x" } } do
        assert_has(says(api, list, " type"), "a list")
      end
      assert.is_true(#faults(api, {}) > 1)
    end
  end)

  it("is refused as one by a client, which has filled in what it can", function()
    local gateway = double.new { algorithm = "p224" }
    local client = gateway:client()
    for _, err in ipairs {
      select(2, client:sync_order { samples.order(), samples.order() }),
      select(2, client:sync_contract_card { samples.card() }),
    } do
      assert.same({ "invalid", 1 }, { err.kind, #err.fields })
      assert_has(tostring(err), "found a list")
    end
    assert.equal(0, #gateway.requests)
  end)
end)
