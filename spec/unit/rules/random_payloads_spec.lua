-- Payloads that are nearly in order, and tables that are no plain ones: check says what is wrong and never throws.

local alipayhk = require "alipayhk"
local core = require "alipayhk.core"
local data = require "spec.support.data.data_samples"
local faults = require "spec.support.asserting.faults"
local random_tables = require "spec.support.data.random_tables"
local samples = require "spec.support.data.samples"

local VARIANTS = 300
local SEED = 20240524

-- Every table of a payload, in one order under every Lua.
local function tables_in(payload)
  local list = { payload }
  local i = 1
  while list[i] do
    local names = {}
    for key, value in pairs(list[i]) do
      -- A random value may hold tables by keys that have no order, and is deep enough by itself.
      if type(value) == "table" and (type(key) == "string" or type(key) == "number") then
        names[#names + 1] = { tostring(key), value }
      end
    end
    table.sort(names, function(a, b) return a[1] < b[1] end)
    for _, entry in ipairs(names) do list[#list + 1] = entry[2] end
    i = i + 1
  end
  return list
end

local function keys_of(holder)
  local names, keys = {}, {}
  for key in pairs(holder) do
    names[#names + 1] = tostring(key)
    keys[tostring(key)] = key
  end
  table.sort(names)
  for i, name in ipairs(names) do names[i] = keys[name] end
  return names
end

local function words_in(entry)
  local words = { entry.scenario.name, "SEND" }
  for _, row in ipairs(entry.rows) do words[#words + 1] = row.path:match("([%w_]+)[^%w_]*$") end
  for _, status in ipairs(entry.scenario.statuses) do words[#words + 1] = status.name end
  return words
end

-- One of three changes at one of the places of the sample.
local function change(random, holders, words)
  local holder = random:pick(holders)
  local keys = keys_of(holder)
  local key = #keys > 0 and random:pick(keys) or random:pick(words)
  local what = random:below(3)
  if what == 0 then
    holder[key] = random:value(words, 1)
  elseif what == 1 then
    holder[key] = nil
  else
    local added = random:below(8) == 0 and random:below(5) or random:pick(words)
    holder[added] = random:value(words, 1)
  end
end

local function assert_once(list)
  local seen = {}
  for _, text in ipairs(list) do
    assert(not seen[text], text .. " is told twice")
    seen[text] = true
  end
end

local function listed(entry, payload, opts)
  local found, messages, warnings = faults(entry.api, payload, opts)
  if not (opts and opts.validate) then assert_once(found) end
  assert_once(warnings)
  return table.concat(found, "\n") .. "\n;" .. table.concat(messages, "\n") .. "\n;" .. table.concat(warnings, "\n")
end

-- Such texts are put into answers and logs: whole characters, and none that ends a line.
describe("what check says of long texts", function()
  for _, case in ipairs { { "a value", function(text) return { orderStatus = text } end },
    { "a value of more lines", function(text) return { orderStatus = "\r\n" .. text .. "\0" } end },
    { "a key that is no UTF-8", function(text) return { extInfo = { ["\255\n" .. text] = print } } end },
    { "a key", function(text) return { [text] = 5 } end },
    { "a key of a list of keys", function(text)
      return { merchantBizType = "LINE_UP", orderStatus = "CALL_NUM",
        shopInfo = { extInfo = { multiLang = { [text] = {} } } } }
    end } } do
    it("is UTF-8, for " .. case[1], function()
      for length = 1, 70 do
        for _, character in ipairs { "x", "é", "漢", "\240\159\152\128" } do
          local _, err = alipayhk.check("order", samples.order(case[2]("x" .. character:rep(length))))
          assert.is_number(core.utf8_length(tostring(err)), err.message)
          for _, fault in ipairs(err.fields) do
            assert.is_number(core.utf8_length(fault.message), fault.message)
            assert.is_number(core.utf8_length(fault.path), fault.path)
            assert.is_nil((fault.path .. fault.message):find("%c"))
          end
        end
      end
    end)
  end
end)

-- busted would make a test of each of 4500.
describe("check of samples changed at random", function()
  for _, entry in ipairs(data.all) do
    it("says the same of one payload each time: " .. entry.scenario.name, function()
      local random, words = random_tables.new(SEED), words_in(entry)
      local passed, wrong = 0, 0
      for _ = 1, VARIANTS do
        local payload = entry.sample()
        -- Whoever they are: faults looks for the ids of the user.
        payload.userId, payload.openId = payload.userId and samples.USER_ID, payload.openId and samples.OPEN_ID
        local holders = tables_in(payload)
        for _ = 1, 1 + random:below(3) do change(random, holders, words) end
        local opts = {
          previous_status = random:below(2) == 0 and random:pick(words) or nil,
          validate = random:below(4) == 0 and "strict" or nil,
        }
        local ok, first = pcall(listed, entry, payload, opts)
        assert(ok, first)
        assert.equal(first, listed(entry, payload, opts))
        if alipayhk.check(entry.api, payload, opts) then passed = passed + 1 else wrong = wrong + 1 end
      end
      -- Some of each, or the changes are too small or too large to tell anything.
      assert.is_true(passed > 5 and wrong > 50, ("%d pass, %d do not"):format(passed, wrong))
    end)
  end
end)

it("check tells of what JSON cannot carry in the order of the paths", function()
  local names = { "f", "b", "h", "a", "d", "g", "c", "e" }
  local ext_info = {}
  for _, name in ipairs(names) do ext_info[name] = print end
  local found = faults("order", samples.order { extInfo = ext_info })
  table.sort(names)
  for i, name in ipairs(names) do assert.equal(("extInfo.%s type"):format(name), found[i]) end
end)

it("check tells of what JSON cannot carry once at its place, also where its type is only inferred", function()
  for _, value in ipairs { print, coroutine.create(function() end), 0 / 0 } do
    local order = samples.order { payAmount = { value = "100", currency = value } }
    for _, validate in ipairs { true, "strict" } do
      local found = faults("order", order, { validate = validate })
      assert.equal(1, #found, table.concat(found, ", "))
      assert.matches("^payAmount%.currency ", found[1])
    end
  end
end)

describe("check of a sample with a metatable", function()
  local function boom() error("a metamethod was called") end
  local HOSTILE = {
    __index = boom, __newindex = boom, __len = boom, __pairs = boom, __ipairs = boom, __tostring = boom,
    __eq = boom, __call = boom, __concat = boom, __lt = boom, __le = boom, __unm = boom, __name = "hostile",
  }
  -- A metatable, and whether a sample with it is as one without it; whose real one cannot be seen may be either.
  local METATABLES = {
    { HOSTILE, false }, { { __index = boom }, false }, { { __index = { extInfo = {} } }, false },
    { { __index = boom, __metatable = false } }, { { __metatable = "locked" } },
    { { __tostring = boom, __eq = boom, __newindex = boom }, true }, { { __mode = "k" }, true }, { {}, true },
  }

  for _, entry in ipairs(data.all) do
    it("never throws, wherever it stands in " .. entry.scenario.name, function()
      for number = 1, #tables_in(entry.sample()) do
        for i, case in ipairs(METATABLES) do
          local payload = entry.sample()
          setmetatable(tables_in(payload)[number], case[1])
          local ok, first = pcall(listed, entry, payload)
          assert(ok, first)
          assert.equal(first, listed(entry, payload))
          if case[2] ~= nil then assert.equal(case[2], first == listed(entry, entry.sample()), i) end
          if case[2] == false then assert.matches(" type\n", first, 1, true) end
        end
      end
    end)

    it("never throws for a value with one, at any key in " .. entry.scenario.name, function()
      local hostile = setmetatable({}, HOSTILE)
      for number = 1, #tables_in(entry.sample()) do
        local holder = tables_in(entry.sample())[number]
        local keys = keys_of(holder)
        keys[#keys + 1] = "other"
        keys[#keys + 1] = 5
        for _, key in ipairs(keys) do
          local payload = entry.sample()
          tables_in(payload)[number][key] = hostile
          local ok, first = pcall(listed, entry, payload)
          assert(ok, first)
          assert.is_nil((alipayhk.check(entry.api, payload)))
        end
      end
    end)
  end

  -- A table is no key that JSON has.
  local function assert_refused_with_key(number_of)
    for _, entry in ipairs(data.all) do
      for _, number in ipairs(number_of(#tables_in(entry.sample()))) do
        local payload = entry.sample()
        tables_in(payload)[number][setmetatable({}, HOSTILE)] = 5
        local ok, err = pcall(listed, entry, payload)
        assert(ok, err)
        assert.is_nil((alipayhk.check(entry.api, payload)))
      end
    end
  end

  it("never throws for a key with one in an object of a sample", function()
    assert_refused_with_key(function(count)
      local numbers = {}
      for number = 2, count do numbers[#numbers + 1] = number end
      return numbers
    end)
  end)

  it("never throws for a key with one at the top", function()
    assert_refused_with_key(function() return { 1 } end)
  end)
end)
