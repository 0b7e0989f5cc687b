-- The steps from one status to the next, for every pair of statuses of every scenario of the order service.

local alipayhk = require "alipayhk"
local cjson = require "cjson"
local expectations = require "spec.support.data.order_expectations"
local faults = require "spec.support.asserting.faults"
local sorted_keys = require "spec.support.asserting.sorted_keys"
local thrown = require "spec.support.asserting.thrown"
local words_of = require "spec.support.asserting.words_of"

local put = expectations.put
local REFUSED = { "orderStatus transition" }

local function check(name, previous, status, validate)
  local given = put(expectations.full(name), "orderStatus", status)
  return faults("order", given, { previous_status = previous, validate = validate })
end

local function column(scenario, previous, number)
  return scenario.steps[previous]:sub(number, number)
end

describe("the table of steps", function()
  for _, name in ipairs(sorted_keys(expectations.scenarios)) do
    it("has every pair of " .. name .. ", and the same status again is allowed", function()
      local scenario = expectations.scenarios[name]
      assert.equal(#scenario.statuses, #scenario.steps)
      for i, line in ipairs(scenario.steps) do
        assert.equal(#scenario.statuses, #line)
        assert.matches("^[.wX]+$", line)
        assert.equal(".", line:sub(i, i))
      end
    end)
  end
end)

for _, name in ipairs(sorted_keys(expectations.scenarios)) do
  local scenario = expectations.scenarios[name]

  describe("an order of " .. name, function()
    for i, previous in ipairs(scenario.statuses) do
      local steps = { ["."] = {}, w = {}, X = {} }
      for j, status in ipairs(scenario.statuses) do
        table.insert(steps[column(scenario, i, j)], status)
      end

      it(("may go on from %s to %s"):format(previous, table.concat(steps["."], ", ")), function()
        for _, status in ipairs(steps["."]) do
          for _, validate in ipairs { true, "strict" } do
            local found, _, warnings = check(name, previous, status, validate)
            assert.same({}, found, status)
            assert.same({}, warnings, status)
          end
        end
      end)

      if #steps.w > 0 then
        it(("is warned of from %s to %s"):format(previous, table.concat(steps.w, ", ")), function()
          for _, status in ipairs(steps.w) do
            local found, _, warnings = check(name, previous, status)
            assert.same({}, found, status)
            assert.same(REFUSED, warnings, status)
            found, _, warnings = check(name, previous, status, "strict")
            assert.same(REFUSED, found, status)
            assert.same({}, warnings, status)
          end
        end)
      end

      if #steps.X > 0 then
        it(("is refused from %s to %s"):format(previous, table.concat(steps.X, ", ")), function()
          for _, status in ipairs(steps.X) do
            for _, validate in ipairs { true, "strict" } do
              local found, messages, warnings = check(name, previous, status, validate)
              assert.same(REFUSED, found, status)
              assert.same({}, warnings, status)
              local words = words_of(messages[1])
              assert.is_true(words[previous], messages[1])
              for _, allowed in ipairs(steps["."]) do assert.is_true(words[allowed], messages[1]) end
              for _, forbidden in ipairs(steps.X) do
                if forbidden ~= status then assert.is_nil(words[forbidden], messages[1]) end
              end
            end
          end
        end)
      end
    end

    it("names its statuses when it does not know the previous one", function()
      local foreign = name == "LINE_UP" and "TICKETED" or "NUMBER_ARRIVED"
      for _, previous in ipairs { "NONE_OF_THESE", foreign, scenario.statuses[1]:lower(), "" } do
        for j, status in ipairs(scenario.statuses) do
          local found, messages, warnings = check(name, previous, status)
          assert.same(REFUSED, found, previous)
          assert.same({}, warnings, previous)
          local words = words_of(messages[1])
          for _, known in ipairs(scenario.statuses) do assert.is_true(words[known], j .. messages[1]) end
        end
      end
    end)

    it("is asked for its statuses alone when the new one is none of them", function()
      assert.same({ "orderStatus enum" }, (check(name, scenario.statuses[1], "NONE_OF_THESE")))
      assert.same({ "orderStatus missing" }, (check(name, scenario.statuses[1], expectations.ABSENT)))
      assert.same({ "orderStatus type" }, (check(name, scenario.statuses[1], 5)))
    end)

    it("may start at any status", function()
      for _, status in ipairs(scenario.statuses) do assert.same({}, (check(name, nil, status))) end
    end)
  end)
end

describe("a step", function()
  it("is reported beside the other faults, and warned of beside them", function()
    local given = put(expectations.full("MOVIE_TICKET"), "extInfo", expectations.ABSENT)
    local found = faults("order", given, { previous_status = "USED" })
    table.sort(found)
    assert.same({ "extInfo missing", "orderStatus transition" }, found)

    given = put(expectations.full("RIDE_HAILING"), "extInfo", expectations.ABSENT)
    local others, _, warnings = faults("order", given, { previous_status = "CLOSED" })
    assert.same({ "extInfo missing" }, others)
    assert.same(REFUSED, warnings)
  end)

  it("of a scenario that is unknown or absent is not judged", function()
    for _, case in ipairs { { "NO_SUCH_TICKET", "enum" }, { expectations.ABSENT, "missing" } } do
      local given = put(expectations.full("MOVIE_TICKET"), "merchantBizType", case[1])
      assert.same({ "merchantBizType " .. case[2] }, (faults("order", given, { previous_status = "USED" })))
      assert.same({ "merchantBizType " .. case[2] }, (faults("order", given, { previous_status = "NONE_OF_THESE" })))
    end
  end)

  it("from a status that is no string throws, at the caller's position", function()
    for name in pairs(expectations.scenarios) do
      for _, previous in ipairs { 5, true, false, {}, { "TICKETED" }, cjson.null } do
        local given, opts = expectations.full(name), { previous_status = previous }
        local message = thrown(function() local _ = alipayhk.check("order", given, opts) end)
        assert.matches("order_steps_spec%.lua:%d+: alipayhk%.check: ", message)
        assert.matches("previous_status", message, 1, true)
      end
    end
  end)
end)
