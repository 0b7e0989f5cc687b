-- Each row of our data has the effect that the data says, tried on each scenario's sample. That the data itself is
-- right is held by the specs of the scenarios and steps, against facts copied by hand.

local cjson = require "cjson"
local core = require "alipayhk.core"
local data = require "spec.support.data.data_samples"
local faults = require "spec.support.asserting.faults"
local steps = require "alipayhk.rules.steps"
local words_of = require "spec.support.asserting.words_of"

local ABSENT = data.ABSENT

local WRONG_TYPES = {
  string = { 5, true, { x = 1 }, { "x" }, cjson.null },
  number = { "5", true, { x = 1 }, { 5 }, cjson.null },
  object = { "{}", 5, true, { "x" }, cjson.null },
  array = { "[]", 5, true, { x = 1 }, cjson.null },
  json_object = { 5, true, { "x" }, cjson.null },
  any = {},
}
local BAD_FORMATS = {
  ["ISO 4217"] = { "hkd", "XYZ", "HK" },
  URL = { "www.example.com", "https://www.example.com/a b" },
  ["yyyy-MM"] = { "2024-13", "2024-5", "2024-05-01" },
  ["yyyy-MM-dd"] = { "2024-02-30", "2023-02-29", "20240501" },
  ["yyyy-MM-dd HH:mm:ss"] = { "2024-05-24 24:00:00", "2024-05-24T09:15:00", "2024-05-24" },
  ["yyyy/MM/dd (Weekday)"] = { "2024/02/30 (Friday)", "2024/05/24 Friday", "2024/05/24" },
  ["mm:ss"] = { "7:30", "19:30:00", "aa:bb" },
}
local BAD_UNITS = {
  string = { cents = { "1.00", "-1", "1,000", "x" } },
  number = { cents = { 0.5, -1 }, ms = { 1716338541, 0, -1716338541000 } },
}

local function includes(list, value)
  for _, item in ipairs(list or {}) do
    if item == value then return true end
  end
  return false
end

-- What is wrong in a row is a fault where it is SEEN and advice where it is INFERRED.
local function is_advice(row, code)
  return row.confidence == "INFERRED" or includes(row.inferred, code)
end

-- How the absence of a row's field is taken in a status: "F" a fault, "W" a warning, nil not at all. The texts that
-- are shown are not expected in a status that closes what shows them.
local function absence(entry, row, status)
  if row.filled then return nil end
  if row.required or includes(row.required_when, status.name) then return is_advice(row, "missing") and "W" or "F" end
  if row.path == entry.description.texts_field and status.closes then return nil end
  return (row.expected or includes(row.expected_when, status.name)) and "W" or nil
end

-- One fault or one warning and nothing else, or neither. "strict" makes a fault of a warning, but not of our own (O).
local function assert_said(entry, payload, text, mark, label)
  local found, _, warnings = faults(entry.api, payload)
  local got = table.concat(found, ", ") .. "; " .. table.concat(warnings, ", ")
  local wanted = (mark == "F" and text or "") .. "; " .. ((mark == "W" or mark == "O") and text or "")
  -- luassert would take most of the time.
  if got ~= wanted then assert.equal(wanted, got, label) end
  found, _, warnings = faults(entry.api, payload, { validate = "strict" })
  local strict = mark == "O" and { {}, { text } } or { { mark and text }, {} }
  if table.concat(found, ", ") ~= (strict[1][1] or "") or table.concat(warnings, ", ") ~= (strict[2][1] or "") then
    assert.same(strict, { found, warnings }, label)
  end
end

local function assert_value(entry, row, value, code)
  local mark = code and (code:find(" ours$") and "O" or is_advice(row, code) and "W" or "F")
  local label = ("%s = %s"):format(row.path, type(value) == "table" and cjson.encode(value) or tostring(value))
  assert_said(entry, data.put(entry.sample(), row.path, value), data.place(row.path) .. " " .. tostring(code), mark,
    label)
end

local ALL_STATUSES = {}
for _, entry in ipairs(data.all) do
  for _, status in ipairs(entry.scenario.statuses) do ALL_STATUSES[status.name] = true end
end

for _, entry in ipairs(data.all) do
  local scenario, field = entry.scenario, entry.description.status_field

  local function in_status(status) return data.put(entry.sample(), field, status) end

  describe("the data of " .. scenario.name, function()
    it("has a sample that passes, with every row's place in it", function()
      assert_said(entry, entry.sample(), nil, nil)
      for _, row in ipairs(entry.rows) do assert.is_table(data.holder(entry.sample(), row.path), row.path) end
    end)

    it("says in which statuses a field is needed", function()
      for _, row in ipairs(entry.rows) do
        local values = row.type == "string" and row.required and { ABSENT, "" } or { ABSENT }
        -- One of userId and openId is enough, and a list of no elements is no absence: specs of their own.
        if row.path:find("Id$") and row.personal or row.path:find("%[%]$") then values = {} end
        for _, status in ipairs(row.path == field and { ABSENT } or scenario.statuses) do
          for _, value in ipairs(row.filled and { ABSENT } or values) do
            local payload = data.put(in_status(status.name), row.path, value)
            assert_said(entry, payload, data.place(row.path) .. " missing", absence(entry, row, status),
              row.path .. " in " .. tostring(status.name))
          end
        end
      end
    end)

    it("says which types a field has not", function()
      for _, row in ipairs(entry.rows) do
        for _, value in ipairs(WRONG_TYPES[row.type]) do assert_value(entry, row, value, "type") end
      end
    end)

    it("says how long a field is at most", function()
      for _, row in ipairs(entry.rows) do
        -- No status is so long.
        if row.max_length and row.path ~= field then
          for _, character in ipairs(row.unit == "cents" and { "1" } or { "x", "漢" }) do
            assert_value(entry, row, character:rep(row.max_length))
            assert_value(entry, row, character:rep(row.max_length + 1), "too_long")
          end
        end
      end
    end)

    it("says which values a field may have", function()
      for _, row in ipairs(entry.rows) do
        for _, value in ipairs(row.enum or {}) do assert_value(entry, row, value) end
        for _, value in ipairs(row.enum and { "NONE_OF_THESE", row.enum[1]:lower(), row.enum[1] .. " " } or {}) do
          assert_value(entry, row, value, "enum")
        end
        for _, value in ipairs(row.format and assert(BAD_FORMATS[row.format]) or {}) do
          assert_value(entry, row, value, "format")
        end
        local bad_units = row.unit and BAD_UNITS[row.type] and BAD_UNITS[row.type][row.unit]
        for _, value in ipairs(bad_units or {}) do assert_value(entry, row, value, "format") end
        if row.keys then
          local payload = entry.sample()
          local holder, key = data.holder(payload, row.path)
          holder[key].xx_XX = {}
          assert_said(entry, payload, data.place(row.path) .. ".xx_XX enum", "F")
        end
      end
    end)

    it("says what is an id", function()
      for _, row in ipairs(entry.rows) do
        for _, value in ipairs(row.id and { "A1", "A 1", "漢" } or {}) do assert_value(entry, row, value) end
        for _, value in ipairs(row.id and { "A1\r", "\0", " " } or {}) do assert_value(entry, row, value, "format") end
        for _, value in ipairs(row.id and { "A1 ", "1.5e+15" } or {}) do
          assert_value(entry, row, value, "format ours")
        end
      end
    end)

    it("says what nobody can have meant", function()
      local day_ms, now_ms = 24 * 3600 * 1000, core.now() * 1000
      for _, row in ipairs(entry.rows) do
        local slips = row.type == "string" and row.unit == "cents" and { "0100" }
          or row.format == "URL" and { "https%3A%2F%2Fwww.example.com" } or row.format == "mm:ss" and { "99:99" }
          or row.tense == "future" and { 1716338541000 }
          or row.type == "any" and row.unit == "ms" and { 1716338541, "1716338541" } or {}
        for _, value in ipairs(slips) do assert_value(entry, row, value, "format ours") end
        if row.tense == "past" then
          local payload = data.put(entry.sample(), row.path, math.floor(now_ms + 2 * day_ms))
          -- Nothing of the order is before its first event then.
          if payload.orderModifyTime then payload.orderModifyTime = payload[row.path] end
          local found, _, warnings = faults(entry.api, payload)
          assert.same({ {}, row.path .. " format ours" }, { found, warnings[1] })
        end
        if row.not_before then
          local holder, key = data.holder(entry.sample(), (row.path:gsub("[^.]+$", row.not_before)))
          local before = row.type == "number" and 1616338541000 or "1999-05-24 09:15:00"
          assert.is_true(holder[key] > before)
          assert_value(entry, row, before, "format ours")
        end
        if row.money then
          local payload = data.put(entry.sample(), row.path, { value = "1.50", currency = "HKD" })
          assert_said(entry, payload, data.place(row.path) .. ".value format ours", "O", row.path)
        end
      end
    end)

    it("is that of one scenario among others, with no other key at the top", function()
      local path = entry.description.scenario_field
      for _, name in ipairs { "NONE_OF_THESE", scenario.name:lower(), scenario.name .. " " } do
        assert_said(entry, data.put(entry.sample(), path, name), path .. " enum", "F", name)
      end
      local found, messages = faults(entry.api, data.put(entry.sample(), "colour", "red"))
      assert.same({ "colour unknown" }, found)
      assert.matches(scenario.name, messages[1], 1, true)
    end)

    it("lists the statuses", function()
      local own = {}
      for _, status in ipairs(scenario.statuses) do
        own[status.name] = true
        assert_said(entry, in_status(status.name), nil, nil, status.name)
      end
      for status in pairs(ALL_STATUSES) do
        if not own[status] then assert_said(entry, in_status(status), field .. " enum", "F", status) end
      end
    end)

    it("says which steps are allowed", function()
      for i, from in ipairs(scenario.statuses) do
        local after = steps.after(scenario, from.name)
        -- The same status again is no step.
        assert.is_false(includes(after, from.name))
        for j, to in ipairs(scenario.statuses) do
          local opts = { previous_status = from.name }
          local found, messages, warnings = faults(entry.api, in_status(to.name), opts)
          local mark = #found > 0 and "F" or #warnings > 0 and "W" or "."
          local label = from.name .. " to " .. to.name
          assert.same(mark == "F" and { field .. " transition" } or {}, found, label)
          assert.same(mark == "W" and { field .. " transition" } or {}, warnings, label)
          assert.equal(from.name == to.name or includes(after, to.name), mark == ".", label)
          if mark == "F" then
            local words = words_of(messages[1])
            for _, allowed in ipairs(after) do assert.is_true(words[allowed], messages[1]) end
          end
          -- What the rows of the statuses say, read here once more.
          local is_back = j < i and scenario.steps.forward_only
          local rules = {
            [from.ends or "-"] = true, [is_back or "-"] = true,
            [(to.only_after and not includes(to.only_after, from.name)) and "SEEN" or "-"] = true,
            [(from.only_before and not includes(from.only_before, to.name)) and "SEEN" or "-"] = true,
          }
          local expected = from.name ~= to.name and (rules.SEEN and "F" or rules.INFERRED and "W") or "."
          assert.equal(expected, mark, label)
        end
      end
    end)
  end)
end
