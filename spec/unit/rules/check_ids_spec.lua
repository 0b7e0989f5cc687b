-- An id names something: what no id has is a fault, what none is likely to have a warning of our own.

local alipayhk = require "alipayhk"
local cards = require "spec.support.data.card_expectations"
local cjson = require "cjson"
local samples = require "spec.support.data.samples"
local says = require "spec.support.asserting.check_says"

local function assert_has(message, ...)
  for _, part in ipairs { ... } do assert.matches(part, message, 1, true) end
end

describe("an id", function()
  local IDS = {
    order = { "requestId", "merchantBizNo", "userId", "openId", "merchantAccountId", "merchantId", "tinyAppId",
      "tradeNo" },
    contract_card = { "requestId", "merchantBizNo", "userId", "openId" },
  }
  local VALID = { order = samples.order, contract_card = samples.card }
  local PERSONAL = { userId = true, openId = true }

  local GOOD = { "20240524000001", "A-1_b.c/d", "A 1", "1e5", "1.5", "漢字", "a\194\160b", "-", "0.0.1", "#5", "10.00" }
  local CONTROLS = { "A1\r", "A1\n", "\tA1", "A\0B", "A\27[31mB", "A1\127", "\r", "A1\r\n" }
  local BLANKS = { " ", "   ", "\194\160", "\227\128\128", "\239\187\191", " \226\128\139 " }
  local EDGED = {
    " A1", "A1 ", " A1 ", "A1\194\160", "\239\187\191A1", "A1\227\128\128", "\226\128\139A1", "A1\226\128\169",
  }
  local NUMBERS = {
    "2.1601200123457e+15", "20240524000001.0", "2.16012E+15", "1e+15", "2,16012E+15", "1e+300", "-5.0", "5.0",
  }

  for api, names in pairs(IDS) do
    for _, name in ipairs(names) do
      local function given(value) return VALID[api] { [name] = value } end

      describe(name .. " of " .. api, function()
        it("may have any sign that can be seen", function()
          for _, value in ipairs(GOOD) do says(api, given(value)) end
        end)

        it("has no control character, wherever", function()
          for _, value in ipairs(CONTROLS) do
            assert_has(says(api, given(value), name .. " format"), "control character")
          end
        end)

        it("is more than blanks", function()
          for _, value in ipairs(BLANKS) do
            assert_has(says(api, given(value), name .. " format"), "blanks")
          end
        end)

        it("that begins or ends with a blank gives a warning", function()
          for _, value in ipairs(EDGED) do
            assert_has(says(api, given(value), nil, name .. " format ours"), "blank")
          end
        end)

        it("that is a number's text gives a warning that says how to keep the digits", function()
          for _, value in ipairs(NUMBERS) do
            local message = says(api, given(value), nil, name .. " format ours")
            assert_has(message, '"%.0f"', "2^53", "text")
          end
        end)

        it("that is a number is told how to become a text, without losing digits", function()
          for _, value in ipairs { 5, 20240524000001, 2 ^ 53 - 1 } do
            local message = says(api, given(value), name .. " type")
            assert_has(message, 'string.format("%.0f"')
            assert.is_nil(message:find("tostring", 1, true))
          end
          for _, value in ipairs { 2 ^ 53, 2 ^ 60 } do
            local message = says(api, given(value), name .. " type")
            assert_has(message, "digits")
            assert.is_nil(message:find("tostring", 1, true))
            assert.is_nil(message:find("%.0f", 1, true))
          end
          for _, value in ipairs { 0.5, 1 / 0, 0 / 0 } do says(api, given(value), name .. " type") end
        end)

        it("of null is to be left out, where it may be", function()
          local message = says(api, given(cjson.null), name .. " type")
          assert.equal(name ~= "merchantBizNo", message:find("leave the field out", 1, true) ~= nil, message)
        end)

        if not PERSONAL[name] then
          it("says which control character, and where", function()
            assert_has(says(api, given("A1\r"), name .. " format"), "\\r", "byte 3")
            assert_has(says(api, given("A\0B"), name .. " format"), "\\0", "byte 2")
          end)
        end
      end)
    end
  end

  it("of a user is in no message, nor is an odd byte of it", function()
    for _, name in ipairs { "userId", "openId" } do
      for _, tail in ipairs { "\r", "\n", " ", "\194\160", "\0", ".0", "\255" } do
        local first
        for _, secret in ipairs { "2160120012345678", "81", "9" } do
          local ok, err = alipayhk.check("order", samples.order { [name] = secret .. tail })
          local said = tostring((ok and err or err.fields)[1])
          assert.is_nil(said:find(secret, 1, true))
          for _, mark in ipairs { "\\r", "\\n", "\\0" } do assert.is_nil(said:find(mark, 1, true)) end
          -- Nothing depends on what it is, but where UTF-8 ends.
          if tail ~= "\255" then
            first = first or said
            assert.equal(first, said)
          end
        end
      end
    end
  end)

  it("may be a field of a partner's own", function()
    local fields = { { path = "extInfo.seat", type = "string", id = true } }
    local opts = { scenarios = { order = { MOVIE_TICKET = { fields = fields } } } }
    local SAID = { ["A1"] = false, ["A1\r"] = "fault", [" "] = "fault", ["A1 "] = "ours", ["5.0"] = "ours" }
    for value, said in pairs(SAID) do
      local given = samples.order { extInfo = { seat = value } }
      says("order", given, said == "fault" and "extInfo.seat format" or nil,
        said == "ours" and "extInfo.seat format ours" or nil, opts)
    end
  end)
end)

describe("a text that is no id", function()
  it("may have blanks at its ends", function()
    for _, text in ipairs { " x ", "5.0", " ", "x\n" } do
      local given = cards.card("AIR_TICKET_DEFAULT", "CLOSED", { en_US = { airline_name = text, duration = text } })
      says("contract_card", given)
    end
  end)
end)
