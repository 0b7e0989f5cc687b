-- The quick question and the full check are two walks over one description: they must agree.

local api = require "alipayhk.api"
local samples = require "spec.support.samples"
local schema = require "alipayhk.schema"

local SAMPLES = {
  order = function() return samples.order { requestId = "r", orderModifyTime = 1716338541000 } end,
  contract_card = function() return samples.card { requestId = "r", bizDate = 1716338541000 } end,
}

-- What is put in the place of each field in turn; nil leaves it out.
local VALUES = {
  [0] = nil, "", "x", ("x"):rep(33), ("電"):rep(33), ("x"):rep(65), "SEND", "MOVIE_TICKET", '{"a":1}', "[1]",
  0, -1, 1.5, 1716338541, 1716338541000, 1716338541000000, true, false, {}, { 1 }, { a = 1 },
  { languageBusinessInfo = {} }, { languageBusinessInfo = { fr_FR = "{}" } },
  { languageBusinessInfo = { zh_HK = 1 } }, { languageBusinessInfo = { zh_HK = "{}", en_US = { a = 1 } } },
  { amount = "1" }, { amount = -1 }, { amount = 1, other = 2 },
}

local function assert_agree(compiled, payload, what)
  local faults = 0
  schema.check(compiled, payload, function() faults = faults + 1 end, true)
  assert.equal(faults == 0, schema.passes(compiled, payload), what)
  return faults == 0
end

describe("schema.passes and schema.check", function()
  for name, sample in pairs(SAMPLES) do
    it("agree on every field of " .. name .. " with every value", function()
      local compiled = api.schema(api.by_name[name])
      assert.is_true(assert_agree(compiled, sample(), "the sample"))
      local good = 0
      for _, field in ipairs(compiled.root.names) do
        for i = 0, #VALUES do
          local payload = sample()
          payload[field] = VALUES[i]
          if assert_agree(compiled, payload, field .. ", value " .. i) then good = good + 1 end
        end
      end
      assert.is_true(good > 10)
      local unknown = sample()
      unknown.orderstatus = "x"
      assert.is_false(assert_agree(compiled, unknown, "an unknown field"))
    end)
  end
end)
