-- The fields of the six templates of contractCardSync, in both forms and both locales.

local cjson = require "cjson"
local cards = require "spec.support.data.card_expectations"
local faults = require "spec.support.asserting.faults"
local samples = require "spec.support.data.samples"
local sorted_keys = require "spec.support.asserting.sorted_keys"

local ABSENT = samples.ABSENT
local STRICT = { validate = "strict" }
local WRONG_SCALARS = { 5, 1716532941000, true, {}, { "x" }, { a = "x" }, cjson.null }
local WRONG_LISTS = { "x", "", 5, true, { a = "x" }, cjson.null }
local ANYTHING = { "12", "", 12, -0.5, true, false, {}, { "x" }, { a = { 1 } }, cjson.null }

local function listed(found, locale)
  local prefix = cards.path(locale) .. "."
  local short = {}
  for i, text in ipairs(found) do short[i] = text:sub(1, #prefix) == prefix and text:sub(#prefix + 1) or text end
  return table.concat(short, ", ")
end

-- What is found in a BusinessInfo, paths cut to what is below the locale, in every form and locale.
local function assert_found(expected, code, status, changes, opts)
  for _, locale in ipairs(cards.LOCALES) do
    for i, form in ipairs(cards.FORMS) do
      local given = cards.card(code, status, { [locale] = form(cards.info(code, changes)) })
      local found, _, warnings = faults("contract_card", given, opts)
      local got = "faults: " .. listed(found, locale) .. "; warnings: " .. listed(warnings, locale)
      local wanted = "faults: " .. (expected.fault or "") .. "; warnings: " .. (expected.warning or "")
      -- luassert would take most of the time.
      if got ~= wanted then
        assert.equal(wanted, got, ("%s %s form %d %s"):format(status, locale, i, cjson.encode(changes or {})))
      end
    end
  end
end

local NOTHING = {}

local function fault(name, code) return { fault = code and name .. " " .. code } end

-- What a field of a template that is not there is.
local function absence(template, name, status)
  local need = not (template.optional and template.optional[name]) and template.need[status]
  return need and { [need] = name .. " missing" } or NOTHING
end

for _, code in ipairs(sorted_keys(cards.TEMPLATES)) do
  local template = cards.TEMPLATES[code]
  local statuses = template.statuses

  describe(code, function()
    it("passes with all fields, in each status, without a warning", function()
      for _, status in ipairs(statuses) do
        assert_found(NOTHING, code, status)
        assert_found(NOTHING, code, status, nil, STRICT)
      end
    end)

    it("has no other status, and names its own", function()
      local others = { "NONE_OF_THESE", statuses[1]:lower(), statuses[1] .. " " }
      for _, other in ipairs(sorted_keys(cards.TEMPLATES)) do
        for _, status in ipairs(cards.TEMPLATES[other].statuses) do
          if not (" " .. table.concat(statuses, " ") .. " "):find(" " .. status .. " ", 1, true) then
            others[#others + 1] = status
          end
        end
      end
      for _, status in ipairs(others) do
        local given = cards.card(code, status, { en_US = cards.info(code) })
        local found, messages, warnings = faults("contract_card", given)
        assert.same({ { "orderStatus enum" }, {} }, { found, warnings }, status)
        for _, own in ipairs(statuses) do assert.matches(own, messages[1], 1, true) end
      end
    end)

    for _, name in ipairs(sorted_keys(template.fields)) do
      local kind = template.fields[name]
      local rules = cards.KINDS[kind]
      local element = rules.of and cards.KINDS[rules.of]

      describe(name, function()
        it("is needed where the page says so, as far as it does", function()
          for _, status in ipairs(statuses) do
            local expected = absence(template, name, status)
            assert_found(expected, code, status, { [name] = ABSENT })
            local strict = { fault = expected.fault or expected.warning }
            assert_found(strict, code, status, { [name] = ABSENT }, STRICT)
          end
        end)

        if not element then
          it("of no character is absent, where it is needed", function()
            for _, status in ipairs(statuses) do
              local expected = absence(template, name, status)
              if rules.filled then expected = NOTHING
              elseif expected == NOTHING then expected = fault(name, rules.empty) end
              assert_found(expected, code, status, { [name] = "" })
            end
          end)
        end

        it("is of its type in every status", function()
          for _, status in ipairs(statuses) do
            for _, value in ipairs(element and WRONG_LISTS or WRONG_SCALARS) do
              assert_found(fault(name, "type"), code, status, { [name] = value })
            end
            for _, value in ipairs(element and WRONG_SCALARS or {}) do
              local good = element.good[1]
              assert_found(fault(name .. "[1]", "type"), code, status, { [name] = { value } })
              assert_found(fault(name .. "[2]", "type"), code, status, { [name] = { good, value, good } })
            end
          end
        end)

        it("is of its format in every status", function()
          local form = element or rules
          for _, status in ipairs(statuses) do
            for _, value in ipairs(form.good) do
              local changes = { [name] = element and { value, value } or value }
              if template.with and template.with[name] then changes[template.with[name]] = value end
              assert_found(NOTHING, code, status, changes)
            end
            for _, value in ipairs(form.slips or {}) do
              local changes = { [name] = element and { form.good[1], value } or value }
              local said = { warning = (element and name .. "[2]" or name) .. " format ours" }
              assert_found(said, code, status, changes)
              assert_found(said, code, status, changes, STRICT)
            end
            for _, value in ipairs(form.bad or {}) do
              local changes = { [name] = element and { form.good[1], value } or value }
              assert_found(fault(element and name .. "[2]" or name, form.code), code, status, changes)
            end
          end
        end)

        local long = (element or rules).long
        if long then
          it("has no limit", function()
            assert_found(NOTHING, code, statuses[1], { [name] = element and { long, long } or long })
          end)
        end

        if element then
          it("that is an empty list passes, and is written as one", function()
            for _, status in ipairs(statuses) do
              local given = cards.card(code, status, { en_US = cards.info(code, { [name] = {} }) })
              local found, _, warnings = faults("contract_card", given)
              assert.same({}, found)
              assert.same({}, warnings)
            end
          end)

          it("that is an empty list in a string of JSON passes: it is written already", function()
            for _, status in ipairs(statuses) do
              local text = cjson.encode(cards.info(code, { [name] = { "HERE" } })):gsub('%["HERE"%]', "[]")
              assert.same({}, (faults("contract_card", cards.card(code, status, { en_US = text }))))
            end
          end)

          it("has as many faults as wrong elements", function()
            local list = { 5, element.good[1], true }
            assert_found({ fault = name .. "[1] type, " .. name .. "[3] type" }, code, statuses[1], { [name] = list })
          end)
        end
      end)
    end

    for _, name in ipairs(template.named or {}) do
      it("takes anything for " .. name .. ", of which only the name is known", function()
        for _, value in ipairs(ANYTHING) do assert_found(NOTHING, code, statuses[1], { [name] = value }) end
      end)
    end

    it("takes keys that nobody described", function()
      for _, value in ipairs(ANYTHING) do
        assert_found(NOTHING, code, statuses[1], { order_Url = value, airline_logo = value })
      end
    end)

    it("points to order_Url where order_url is missing", function()
      for _, status in ipairs(statuses) do
        for _, form in ipairs(cards.FORMS) do
          local info = cards.info(code, { order_url = ABSENT, order_Url = "alipayhk://platformapi/startapp" })
          local found, messages = faults("contract_card", cards.card(code, status, { zh_HK = form(info) }), STRICT)
          local needed = template.need[status]
          assert.same(needed and { cards.path("zh_HK", "order_url") .. " missing" } or {}, found)
          if needed then assert.matches("order_Url", messages[1], 1, true) end
        end
      end
    end)
  end)
end

describe("languageBusinessInfo", function()
  local PATH = "syncDataInfo.languageBusinessInfo"

  for _, code in ipairs(sorted_keys(cards.TEMPLATES)) do
    local template = cards.TEMPLATES[code]

    it("of " .. code .. " is expected where it is shown, never required", function()
      local closing = " " .. table.concat(template.closing, " ") .. " "
      for _, status in ipairs(template.statuses) do
        local said = not closing:find(" " .. status .. " ", 1, true) and PATH .. " missing" or nil
        local given = cards.card(code, status)
        local found, _, warnings = faults("contract_card", given)
        assert.same({ {}, { said } }, { found, warnings }, status)
        assert.same({ said }, (faults("contract_card", given, STRICT)))
      end
    end)

    it("of " .. code .. " has two locales and no more", function()
      for _, other in ipairs { "zh_CN", "zh_TW", "zh_hk", "zh-HK", "en", "en_GB" } do
        for _, value in ipairs { cards.info(code), cjson.encode(cards.info(code)), {}, "{}" } do
          local given = cards.card(code, template.statuses[1], { zh_HK = cards.info(code), [other] = value })
          local found, messages, warnings = faults("contract_card", given)
          assert.same({ { cards.path(other) .. " enum" }, {} }, { found, warnings })
          for _, locale in ipairs(cards.LOCALES) do assert.matches(locale, messages[1], 1, true) end
        end
      end
    end)
  end

  it("at fault in both locales is reported at once, always in the same order", function()
    local code, first = "FINANCE_ORDER_DEFAULT", nil
    local names = { "bill_amount_currency", "bill_desc", "bill_icon_url", "bill_month_time", "bill_name" }
    local expected = {}
    for _, locale in ipairs { "en_US", "zh_HK" } do
      for _, text in ipairs { "action_url missing", "bill_amount type", "bill_due_time format", "order_url missing" } do
        expected[#expected + 1] = cards.path(locale, text)
      end
    end
    for run = 1, 20 do
      -- Tables of the same content are built in different orders, so that they differ inside.
      local locales = {}
      for i = 1, 2 do
        local info = { bill_amount = 10000, bill_due_time = "2024-02-30" }
        table.sort(names, function(a, b) return (a < b) == (run % 3 == 0) and a ~= b end)
        for _, name in ipairs(names) do info[name] = cards.value(cards.TEMPLATES[code].fields[name]) end
        locales[cards.LOCALES[run % 2 == 0 and i or 3 - i]] = cards.FORMS[run % 4 < 2 and i or 3 - i](info)
      end
      local found, _, warnings = faults("contract_card", cards.card(code, "OVERDUED", locales))
      first = first or table.concat(found, ", ")
      assert.equal(first, table.concat(found, ", "))
      assert.same({}, warnings)
      table.sort(found)
      assert.same(expected, found)
    end
  end)

  it("is not looked into where the template is unknown or absent", function()
    local given = cards.card("NONE_OF_THESE", "ANY", { zh_HK = { bill_due_time = 5 }, en_US = '{"seat_num":5}' })
    assert.same({ "productTemplateCode enum" }, (faults("contract_card", given)))
    given.productTemplateCode = nil
    assert.same({ "productTemplateCode missing" }, (faults("contract_card", given)))
  end)
end)

it("syncDataInfo takes other keys, the notification does not", function()
  local given = cards.card("AIR_TICKET_DEFAULT", "CLOSED", { en_US = {} })
  given.syncDataInfo.amount = nil
  given.syncDataInfo.currency = { "HKD" }
  local found, _, warnings = faults("contract_card", given)
  assert.same({ {}, {} }, { found, warnings })
  given.extInfo = {}
  assert.same({ "extInfo unknown" }, (faults("contract_card", given)))
end)
