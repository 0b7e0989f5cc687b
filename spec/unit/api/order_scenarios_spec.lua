-- The fields of the nine scenarios of the order service, against facts that were copied by hand.

local cjson = require "cjson"
local expectations = require "spec.support.data.order_expectations"
local faults = require "spec.support.asserting.faults"
local sorted_keys = require "spec.support.asserting.sorted_keys"
local words_of = require "spec.support.asserting.words_of"

local ABSENT, put = expectations.ABSENT, expectations.put
local STRICT = { validate = "strict" }
-- Three bytes.
local CHARACTER = "漢"

local WRONG_TYPES = {
  id = { 5, true, {}, { "x" }, { x = 1 }, cjson.null },
  time = { "1716338541000", true, {}, cjson.null },
  object = { "{}", 5, true, { "x" }, cjson.null },
  array = { "[]", 5, true, { x = 1 }, cjson.null },
  -- 10000 is what somebody writes who takes it for a number of cents.
  cents = { 10000, 100.5, -5, 0, true, {}, { "x" }, cjson.null },
  currency = { 344, true, {}, { "x" }, cjson.null },
}
WRONG_TYPES.status, WRONG_TYPES.money = WRONG_TYPES.id, WRONG_TYPES.object

-- Keys that pages describe without naming them, under names that somebody could guess, and quite other ones.
local EXTRA = {
  start_time = "soon", end_time = true, multiLang = "x", templateCode = {}, codeInfo = 5, campaignId = { 1, 2 },
  nested = { list = { 1, { x = true } }, none = cjson.null },
}

-- A mark "F" wants a fault, "W" a warning that becomes a fault under "strict", "O" a warning of our own, which does
-- not; no code wants neither.
local function assert_said(given, path, code, mark, label)
  local said = code and { path .. " " .. code .. (mark == "O" and " ours" or "") } or {}
  local is_fault, is_ours = mark ~= "W" and mark ~= "O", mark == "O"
  local found, _, warnings = faults("order", given)
  assert.same(is_fault and said or {}, found, label)
  assert.same(is_fault and {} or said, warnings, label)
  local messages
  found, messages, warnings = faults("order", given, STRICT)
  assert.same(is_ours and {} or said, found, label)
  assert.same(is_ours and said or {}, warnings, label)
  return messages[1]
end

-- Every top-level key that some scenario has.
local TOP_LEVEL, STATUSES = {}, {}
for _, scenario in pairs(expectations.scenarios) do
  for _, row in ipairs(scenario.fields) do
    if not row[1]:find(".", 1, true) then TOP_LEVEL[row[1]] = row[2] end
  end
  for _, status in ipairs(scenario.statuses) do STATUSES[status] = true end
end

for _, name in ipairs(sorted_keys(expectations.scenarios)) do
  local scenario = expectations.scenarios[name]

  local function assert_field(row, value, code, mark)
    local label = ("%s = %s"):format(row[1], type(value) == "table" and cjson.encode(value) or tostring(value))
    return assert_said(put(expectations.full(name), row[1], value), row[1], code, mark or row[4], label)
  end

  local function describe_field(row)
    local path, kind, absence, limit = row[1], row[2], row[3], row[5]

    describe(path, function()
      it(absence == "-" and "may be absent" or "is required, whatever the status", function()
        for _, status in ipairs(path == "orderStatus" and { ABSENT } or scenario.statuses) do
          local given = put(put(expectations.full(name), "orderStatus", status), path, ABSENT)
          assert_said(given, path, absence ~= "-" and "missing" or nil, absence, tostring(status))
        end
      end)

      it("is of its type and of no other", function()
        for _, value in ipairs(WRONG_TYPES[kind]) do assert_field(row, value, "type") end
      end)

      if type((expectations.examples[kind] or function() return "" end)()) == "string" then
        it(absence == "-" and "may be empty" or "may not be empty", function()
          assert_field(row, "", absence ~= "-" and "missing" or nil, absence)
        end)
      end

      local format = expectations.formats[kind]
      if format then
        it("is of its format", function()
          for _, value in ipairs(format.right) do assert_field(row, value) end
          for _, value in ipairs(format.wrong) do assert_field(row, value, "format") end
        end)

        it("that nobody can have meant gives a warning of our own", function()
          for _, value in ipairs(format.slips or {}) do assert_field(row, value, "format", "O") end
        end)
      elseif kind == "money" then
        it("of which no page shows the keys is looked at by us alone", function()
          for _, money in ipairs { {}, { cent = 5 }, { value = "5" }, { currency = "HKD", other = 5 } } do
            assert_field(row, money)
          end
          local function assert_key(key, value, code)
            local given = put(expectations.full(name), path, { [key] = value })
            assert_said(given, path .. "." .. key, code, "O", tostring(value))
          end
          for key, form in pairs { value = expectations.formats.cents, currency = expectations.formats.currency } do
            for _, value in ipairs(form.wrong) do assert_key(key, value, "format") end
            for _, value in ipairs(form.slips or {}) do assert_key(key, value, "format") end
            for _, value in ipairs { 5, true, {} } do assert_key(key, value, "type") end
          end
        end)
      end

      if kind == "id" then
        it(limit and ("has at most %d characters"):format(limit) or "has no limit", function()
          for _, character in ipairs { "x", CHARACTER } do
            assert_field(row, character:rep(limit or 1000))
            if limit then assert_field(row, character:rep(limit + 1), "too_long") end
          end
        end)
      elseif kind == "cents" then
        it(limit and ("has at most %d digits"):format(limit) or "has no limit", function()
          assert_field(row, ("1"):rep(limit or 200))
          if limit then
            assert_field(row, ("1"):rep(limit + 1), "too_long")
            -- As many characters as it may have: only bytes would be too many.
            assert_field(row, CHARACTER:rep(limit), "format")
          end
        end)

        it("tells a number, a decimal point and a minus apart, and what to do", function()
          local number = assert_field(row, 10000, "type")
          local point = assert_field(row, "100.00", "format")
          local minus = assert_field(row, "-5", "format")
          assert.matches("string", number)
          assert.matches("cents", point)
          assert.truthy(minus:find("negative", 1, true) or minus:find("minus", 1, true) or minus:find("sign", 1, true),
            minus)
          local wordings = {}
          for _, message in ipairs { number, point, minus } do
            -- The value that a message repeats is no difference.
            local wording = message:gsub("[%d%p]+", "")
            assert.is_nil(wordings[wording], message)
            wordings[wording] = true
          end
        end)
      end
    end)
  end

  describe("an order of " .. name, function()
    it("passes with what is required, at every status", function()
      for _, status in ipairs(scenario.statuses) do
        assert_said(put(expectations.minimal(name), "orderStatus", status), nil, nil, nil, status)
      end
    end)

    it("passes with every known key, at every status", function()
      for _, status in ipairs(scenario.statuses) do
        assert_said(put(expectations.full(name), "orderStatus", status), nil, nil, nil, status)
      end
    end)

    it("has these statuses, and names them when it is given another", function()
      local others = {
        NONE_OF_THESE = true, [scenario.statuses[1]:lower()] = true, [scenario.statuses[1] .. " "] = true,
      }
      for status in pairs(STATUSES) do others[status] = true end
      for _, status in ipairs(scenario.statuses) do others[status] = nil end
      for _, other in ipairs(sorted_keys(others)) do
        local given = put(expectations.full(name), "orderStatus", other)
        local message = assert_said(given, "orderStatus", "enum", "F", other)
        local words = words_of(message)
        for _, status in ipairs(scenario.statuses) do assert.is_true(words[status], message) end
      end
    end)

    for _, row in ipairs(expectations.base) do describe_field(row) end
    for _, row in ipairs(scenario.fields) do describe_field(row) end

    it("reports all that is missing at once", function()
      local found, _, warnings = faults("order", { merchantBizType = name })
      local missing = { F = {}, W = {} }
      for _, rows in ipairs { expectations.base, scenario.fields } do
        for _, row in ipairs(rows) do
          local list = not row[1]:find(".", 1, true) and missing[row[3]]
          if list then list[#list + 1] = row[1] .. " missing" end
        end
      end
      for _, list in ipairs { missing.F, missing.W, found, warnings } do table.sort(list) end
      assert.same(missing.F, found)
      assert.same(missing.W, warnings)
    end)

    it("has no top-level key of another scenario", function()
      local own = {}
      for _, row in ipairs(scenario.fields) do own[row[1]] = true end
      for _, key in ipairs(sorted_keys(TOP_LEVEL)) do
        if not own[key] then
          local given = put(expectations.full(name), key, expectations.examples[TOP_LEVEL[key]]())
          assert_said(given, key, "unknown", "F", key)
        end
      end
    end)

    it("asks after a misspelt key", function()
      for _, case in ipairs { { "extinfo", "extInfo" }, { "order_status", "orderStatus" }, { "colour" } } do
        local message = assert_said(put(expectations.full(name), case[1], {}), case[1], "unknown", "F")
        assert.equal(case[2], message:match('did you mean "([^"]*)"'))
      end
    end)

    it("passes an empty extInfo and any keys in it", function()
      for _, status in ipairs(scenario.statuses) do
        for _, ext_info in ipairs { {}, EXTRA } do
          local given = put(put(expectations.minimal(name), "orderStatus", status), "extInfo", ext_info)
          assert_said(given, nil, nil, nil, status)
        end
      end
    end)
  end)
end

describe("an order of", function()
  -- Where somebody may add keys that no page names, and what is known there.
  local CASES = {
    { "LINE_UP", "shopInfo", { extInfo = {}, name = "茶餐廳", list = { 1 } } },
    { "LINE_UP", "shopInfo.extInfo", { name = "茶餐廳", multiLang = { zh_HK = { name = "x" }, en_US = {} } } },
    { "LINE_UP", "shopInfo.extInfo.multiLang", { zh_HK = {} } },
    { "LINE_UP", "shopInfo.extInfo.multiLang", { zh_HK = {}, zh_CN = {} }, "zh_CN enum" },
    { "LINE_UP", "shopInfo.extInfo.multiLang", { zh_hk = {} }, "zh_hk enum" },
    { "SELF_PICK", "shopInfo", {} },
    { "SELF_PICK", "shopInfo", EXTRA },
    { "SELF_PICK", "itemOrderList", { EXTRA, { quantity = "2" }, { quantity = 2, none = cjson.null } } },
    -- Keys seen in a status text alone: where they stand is inferred, their types nobody gives.
    { "RIDE_HAILING", "extInfo", { service_start_time = 1716338541000, driver_board_duration = 5 } },
    { "RIDE_HAILING", "extInfo", { driver_board_duration = "5", ride_dest_duration = "12" } },
  }
  for _, case in ipairs(CASES) do
    local path, code = (case[4] or ""):match("(%S+) (%S+)")
    it(("%s %s %s = %s"):format(case[1], code and "refuses" or "takes", case[2], cjson.encode(case[3])), function()
      assert_said(put(expectations.full(case[1]), case[2], case[3]), path and case[2] .. "." .. path, code, "F")
    end)
  end

  it("SELF_PICK has objects in itemOrderList, or none", function()
    local given = put(expectations.full("SELF_PICK"), "itemOrderList", { { name = "套餐" }, "飲品", 5 })
    assert.same({ "itemOrderList[2] type", "itemOrderList[3] type" }, (faults("order", given)))
    put(given, "itemOrderList", {})
    assert.same({}, (faults("order", given)))
  end)

  it("a scenario that is unknown or absent is held to the base fields alone", function()
    for _, case in ipairs { { "NO_SUCH_TICKET", "enum" }, { ABSENT, "missing" } } do
      local given = put(expectations.minimal("RIDE_HAILING"), "merchantBizType", case[1])
      put(put(given, "orderStatus", CHARACTER:rep(32)), "extInfo", ABSENT)
      assert_said(given, "merchantBizType", case[2], "F")
      for key in pairs(TOP_LEVEL) do given[key] = { x = 1 } end
      assert_said(given, "merchantBizType", case[2], "F")
      given.colour, given.orderStatus = "x", CHARACTER:rep(33)
      local found = faults("order", given)
      table.sort(found)
      assert.same({ "colour unknown", "merchantBizType " .. case[2], "orderStatus too_long" }, found)
    end
  end)

  it("any scenario is left as it was", function()
    for name in pairs(expectations.scenarios) do
      local given = expectations.full(name)
      local before = cjson.encode(given)
      faults("order", given, STRICT)
      assert.same(cjson.decode(before), given, name)
    end
  end)
end)
