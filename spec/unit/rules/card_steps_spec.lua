-- Every pair of statuses of the six templates of contractCardSync.

local cards = require "spec.support.data.card_expectations"
local faults = require "spec.support.asserting.faults"
local samples = require "spec.support.data.samples"
local sorted_keys = require "spec.support.asserting.sorted_keys"

local STEP = "orderStatus transition"

-- Counted by hand: the pairs of a template, and how many of them are warned of.
local PAIRS = {
  PAYMENT_ORDER_DEFAULT = { 16, 3 }, FINANCE_ORDER_DEFAULT = { 9, 2 }, MOVIE_TICKET_DEFAULT = { 4, 1 },
  TRAIN_TICKET_DEFAULT = { 4, 1 }, AIR_TICKET_DEFAULT = { 25, 4 }, RIDE_HAILING_DEFAULT = { 100, 9 },
}

local function step(code, from, to, opts)
  local all = { previous_status = from }
  for name, value in pairs(opts or {}) do all[name] = value end
  return faults("contract_card", cards.card(code, to, { zh_HK = cards.info(code) }), all)
end

for _, code in ipairs(sorted_keys(PAIRS)) do
  local template = cards.TEMPLATES[code]
  local is_end = {}
  for _, status in ipairs(template.ends) do is_end[status] = true end

  describe("a step of " .. code, function()
    for _, from in ipairs(template.statuses) do
      it("from " .. from .. (is_end[from] and " is warned of" or " passes"), function()
        for _, to in ipairs(template.statuses) do
          local warned = is_end[from] and from ~= to and { STEP } or {}
          local found, _, warnings = step(code, from, to)
          assert.same({ {}, warned }, { found, warnings }, from .. " to " .. to)
          local strictly, _, left = step(code, from, to, { validate = "strict" })
          assert.same({ warned, {} }, { strictly, left }, from .. " to " .. to)
        end
      end)
    end

    it("is warned of as often as counted", function()
      local total, warned = 0, 0
      for _, from in ipairs(template.statuses) do
        for _, to in ipairs(template.statuses) do
          local _, _, warnings = step(code, from, to)
          total, warned = total + 1, warned + #warnings
        end
      end
      assert.same(PAIRS[code], { total, warned })
    end)

    it("from a status that it does not have is refused, and the message lists those that it has", function()
      local unknown = { "NONE_OF_THESE", "TICKETED", template.statuses[1]:lower(), "" }
      for _, from in ipairs(unknown) do
        for _, to in ipairs(template.statuses) do
          local found, messages, warnings = step(code, from, to)
          assert.same({ { STEP }, {} }, { found, warnings }, from .. " to " .. to)
          for _, status in ipairs(template.statuses) do assert.matches(status, messages[1], 1, true) end
        end
      end
    end)

    it("is not looked at without a previous status", function()
      for _, to in ipairs(template.statuses) do
        local found, _, warnings = faults("contract_card", cards.card(code, to, { zh_HK = cards.info(code) }), {})
        assert.same({ {}, {} }, { found, warnings })
      end
    end)

    it("is the same for both commands", function()
      for _, command in ipairs { "SEND", "UPDATE" } do
        local given = cards.card(code, template.statuses[1], { zh_HK = cards.info(code) })
        given.command = command
        local found, _, warnings = faults("contract_card", given, { previous_status = template.ends[1] })
        assert.same({ {}, { STEP } }, { found, warnings })
      end
    end)
  end)
end

describe("a step", function()
  it("is reported beside faults of the fields", function()
    local locales = { en_US = cards.info("PAYMENT_ORDER_DEFAULT", { bill_name = samples.ABSENT }) }
    local given = cards.card("PAYMENT_ORDER_DEFAULT", "WAIT_PAY", locales)
    local found, _, warnings = faults("contract_card", given, { previous_status = "CLOSED" })
    assert.same({ { cards.path("en_US", "bill_name") .. " missing" }, { STEP } }, { found, warnings })
    found = faults("contract_card", given, { previous_status = "NONE_OF_THESE" })
    table.sort(found)
    assert.same({ STEP, cards.path("en_US", "bill_name") .. " missing" }, found)
  end)

  it("is reported beside a warning of the fields", function()
    local locales = { en_US = cards.info("PAYMENT_ORDER_DEFAULT", { bill_name = samples.ABSENT }) }
    local given = cards.card("PAYMENT_ORDER_DEFAULT", "OVERDUED", locales)
    local found, _, warnings = faults("contract_card", given, { previous_status = "CLOSED" })
    table.sort(warnings)
    assert.same({ {}, { STEP, cards.path("en_US", "bill_name") .. " missing" } }, { found, warnings })
  end)

  it("is not looked at where the template is unknown", function()
    local given = cards.card("NONE_OF_THESE", "WAIT_PAY", { zh_HK = {} })
    assert.same({ "productTemplateCode enum" }, (faults("contract_card", given, { previous_status = "CLOSED" })))
  end)
end)
