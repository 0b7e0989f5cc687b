-- The form of the data: whatever a file under lua/alipayhk/api says, a reader and the generator can rely on.

local api = require "alipayhk.api"
local fields = require "alipayhk.schema.fields"
local pages = require "alipayhk.api.pages"
local platform = require "alipayhk.api.platform"
local rules = require "alipayhk.rules"

local CONFIDENCES = { SEEN = true, INFERRED = true, ["NOT FOUND"] = true }
local STATUS_KEYS = {
  name = true, meaning = true, effect = true, ends = true, closes = true, only_after = true, only_before = true,
  confidence = true, source = true, note = true,
}
local SCENARIO_KEYS = {
  name = true, title = true, summary = true, match = true, source = true, statuses = true, steps = true,
  fields = true, response = true, unknown = true, sample = true, sample_note = true,
}

local function assert_sources(tags, what)
  assert.is_true(#tags > 0, what)
  for _, tag in ipairs(tags) do assert.is_string(pages[tag], what .. ": " .. tag) end
end

local function assert_known(entry, keys, what)
  for key in pairs(entry) do assert.is_true(keys[key] ~= nil, what .. ": " .. tostring(key)) end
end

local function assert_fields(list, source, what)
  local by_key = {}
  for _, field in ipairs(list) do
    local place = what .. " " .. tostring(field.path)
    assert.same({}, { fields.fault(field) }, place)
    assert.same({}, { fields.fault_among(field, by_key) }, place)
    assert.is_nil(by_key[fields.key(field.path)], place)
    assert.is_string(field.confidence, place)
    assert_sources(field.source or source, place)
    by_key[fields.key(field.path)] = field
  end
  for _, field in ipairs(list) do assert.same({}, { fields.fault_in_all(field, by_key) }, what .. " " .. field.path) end
end

for _, name in ipairs(api.names) do
  local description = api.by_name[name]

  describe("the data of " .. name, function()
    it("has base fields and an answer in the form of a description", function()
      assert_sources(description.source, name)
      assert_fields(description.fields, description.source, name)
      assert_fields(description.response, description.source, name)
    end)

    for _, scenario in ipairs(description.scenarios) do
      describe(scenario.name, function()
        it("says what it is, and where that is from", function()
          assert_known(scenario, SCENARIO_KEYS, scenario.name)
          assert_sources(scenario.source, scenario.name)
          assert.is_string(scenario.title)
          assert.is_string(scenario.summary)
          assert.is_true(CONFIDENCES[scenario.match.confidence])
          assert.is_string(scenario.match.note)
          assert.equal(scenario.name, scenario.sample[description.scenario_field])
        end)

        it("has statuses and steps in their form", function()
          local names = {}
          for _, status in ipairs(scenario.statuses) do names[status.name] = true end
          for _, status in ipairs(scenario.statuses) do
            local place = scenario.name .. " " .. status.name
            assert_known(status, STATUS_KEYS, place)
            assert.is_string(status.meaning, place)
            assert.is_true(CONFIDENCES[status.confidence], place)
            assert.is_true(status.ends == nil or CONFIDENCES[status.ends], place)
            -- The page says so of each, at once or after some minutes.
            assert.is_true(status.closes == nil or status.closes == true, place)
            if status.closes then assert.is_string(status.effect, place) end
            assert_sources(status.source or scenario.source, place)
            for _, property in ipairs { "only_after", "only_before" } do
              for _, other in ipairs(status[property] or {}) do assert.is_true(names[other], place) end
            end
          end
          assert.is_true(CONFIDENCES[scenario.steps.confidence])
          assert_sources(scenario.steps.source or scenario.source, scenario.name)
        end)

        it("has fields in the form of a description", function()
          assert_fields(rules.fields(description, scenario), scenario.source, scenario.name)
          assert_fields(scenario.response or {}, scenario.source, scenario.name)
          for _, entry in ipairs(scenario.unknown or {}) do
            assert.is_string(entry.where)
            assert.is_string(entry.note)
          end
        end)
      end)
    end
  end)
end

describe("the data", function()
  it("cites no page that nothing rests on", function()
    local used = {}
    local function use(source)
      for _, tag in ipairs(source or {}) do used[tag] = true end
    end
    for _, name in ipairs(api.names) do
      local description = api.by_name[name]
      use(description.source)
      for _, field in ipairs(description.fields) do use(field.source) end
      for _, scenario in ipairs(description.scenarios) do
        use(scenario.source)
        use(scenario.steps.source)
        for _, list in ipairs { scenario.statuses, scenario.fields, scenario.response or {} } do
          for _, entry in ipairs(list) do use(entry.source) end
        end
      end
    end
    use(platform.encryption.source)
    use(platform.url_encoding.source)
    for tag in pairs(pages) do assert.is_true(used[tag], tag) end
  end)
end)
