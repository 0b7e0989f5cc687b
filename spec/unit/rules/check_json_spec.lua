-- What JSON cannot carry unchanged is refused at its path, whatever table it is given.

local alipayhk = require "alipayhk"
local cjson = require "cjson"
local double = require "spec.support.doubles.alipayhk_double"
local faults = require "spec.support.asserting.faults"
local random_tables = require "spec.support.data.random_tables"
local samples = require "spec.support.data.samples"
local sorted_keys = require "spec.support.asserting.sorted_keys"

local jit = rawget(_G, "jit")

-- P-224: its signatures cost least.
local client = double.new({ algorithm = "p224" }):client()

local function faults_in(ext_info)
  return (faults("order", samples.order { extInfo = ext_info }))
end

-- Ends a call that does not end by itself. Compiled code would run past the hook.
local function within_steps(steps, call)
  if jit then
    jit.off()
    jit.flush()
  end
  debug.sethook(function() error("still running after too many steps") end, "", steps)
  local ok, err = pcall(call)
  debug.sethook()
  if jit then jit.on() end
  assert.is_true(ok, err)
end

describe("text", function()
  local REFUSED = {
    ["a lone continuation byte"] = "\128",
    ["a character that is cut off"] = ("漢"):sub(1, 2),
    ["an overlong form"] = "\192\175",
    ["a surrogate"] = "\237\160\128",
    ["a code point above U+10FFFF"] = "\244\144\128\128",
    ["Big5"] = "\186\126",
  }
  for _, title in ipairs(sorted_keys(REFUSED)) do
    local text = REFUSED[title]
    it("with " .. title .. " is refused, in values and in keys", function()
      assert.same({ "merchantBizNo format" }, (faults("order", samples.order { merchantBizNo = text })))
      assert.same({ "userId format" }, (faults("order", samples.order { userId = text })))
      assert.same({ "extInfo.a.b format" }, faults_in { a = { b = "x" .. text } })
      assert.same({ "extInfo.a[2] format" }, faults_in { a = { "x", text } })
      assert.same({ "extInfo.a format" }, faults_in { a = { [text] = "x" } })
      assert.matches(" unknown$", (faults("order", samples.order { [text] = "x" }))[1])
    end)
  end

  it("of any script, and with any control character, passes", function()
    assert.same({}, faults_in { ["鍵"] = "煤氣賬單 ééé \240\159\152\128 \0\1\n\127", [""] = "" })
  end)
end)

it("a string of JSON with half a character is refused: it would be sent as it is", function()
  for _, half in ipairs { "\\ud83d", "\\ude00", "\\ud83dx\\ude00" } do
    local card = samples.card()
    card.syncDataInfo.languageBusinessInfo.zh_HK.bill_name = "HERE"
    local texts = card.syncDataInfo.languageBusinessInfo
    texts.zh_HK = cjson.encode(texts.zh_HK):gsub("\\/", "/")
    assert.same({}, (faults("contract_card", card)))
    texts.zh_HK = texts.zh_HK:gsub("HERE", half)
    local found, messages = faults("contract_card", card)
    assert.same({ "syncDataInfo.languageBusinessInfo.zh_HK format" }, found)
    assert.matches("half of a surrogate pair", messages[1])
  end
end)

describe("a number", function()
  local PLAIN = { 0, -1, 57000, 1716532941000, 99999999999999, -99999999999999, 0.5, -12.25, 1e-3 }
  local LONG = {
    1e14, 1.5e15, 123456789012345, 1234567890123456, 2 ^ 53, 2 ^ 53 - 1, -2 ^ 53, 1e15, 1e15 + 1, 1e20,
    0.1 + 0.2, 1 / 3, 3.141592653589793,
  }

  for _, number in ipairs(PLAIN) do
    it(("%.14g is written as it is"):format(number), function()
      assert.equal(('{"n":%.14g}'):format(number), assert(client:prepare("/any", { n = number })).body)
    end)
  end

  for _, number in ipairs(LONG) do
    it(("%.17g is written digit for digit, or refused with the advice to pass a string"):format(number), function()
      local request, err = client:prepare("/any", { n = number })
      if request then
        assert.equal(number, cjson.decode(request.body).n)
        if number % 1 == 0 then assert.equal(('{"n":%.0f}'):format(number), request.body) end
      else
        assert.equal("n", err.fields[1].path)
        assert.equal("format", err.fields[1].code)
        assert.matches("string", err.fields[1].message, 1, true)
      end
    end)
  end

  it("that is none is refused", function()
    for _, number in ipairs { 0 / 0, 1 / 0, -1 / 0 } do
      assert.same({ "extInfo.n format" }, faults_in { n = number })
      assert.same({ "extInfo.n[1] format" }, faults_in { n = { number } })
    end
  end)
end)

describe("a value", function()
  it("that JSON has no form for is refused", function()
    for _, value in ipairs { print, io.stdout, coroutine.create(function() end) } do
      assert.same({ "extInfo.v type" }, faults_in { v = value })
      assert.same({ "extInfo.v[2] type" }, faults_in { v = { 1, value } })
      assert.same({ "v unknown" }, (faults("order", samples.order { v = value })))
    end
  end)

  it("of null passes where nothing else is asked for", function()
    assert.same({}, faults_in { v = cjson.null, list = { cjson.null } })
  end)
end)

describe("a table", function()
  local REFUSED = {
    ["that is half a list"] = { { "x", key = "y" }, "extInfo.t type" },
    ["with a hole"] = { { "x", nil, nil, "y" }, "extInfo.t type" },
    ["with a number for a key"] = { { [5] = "x" }, "extInfo.t type" },
    ["with a fraction for a key"] = { { [0.5] = "x" }, "extInfo.t type" },
    ["with a boolean for a key"] = { { [true] = "x" }, "extInfo.t type" },
    ["with a table for a key"] = { { [{}] = "x" }, "extInfo.t type" },
  }
  for _, title in ipairs(sorted_keys(REFUSED)) do
    local case = REFUSED[title]
    it(title .. " is refused", function() assert.same({ case[2] }, faults_in { t = case[1] }) end)
  end

  it("is refused as a payload where it is half a list", function()
    local given = samples.order()
    given[1] = "x"
    assert.equal("1 unknown", (faults("order", given))[1])
  end)

  it("nested 20 deep passes", function()
    local nested = { "end" }
    for _ = 1, 20 do nested = { a = nested } end
    assert.same({}, faults_in(nested))
  end)

  it("that holds itself is refused", function()
    local object, list, far = {}, {}, {}
    object.own, list[1], far.a = object, list, { b = { far } }
    for _, cycle in ipairs { object, list, far } do
      local found = faults_in { t = cycle }
      assert.equal(1, #found)
      assert.matches("^extInfo%.t[%w.%[%]]* type$", found[1])
    end
  end)

  it("that holds itself twice is refused as soon", function()
    local cycle = {}
    cycle.left, cycle.right = cycle, cycle
    within_steps(1e7, function() assert.is_true(#faults_in { t = cycle } > 0) end)
  end)

  it("that is shared, without a cycle, passes", function()
    local shared = { value = "100", currency = "HKD" }
    assert.same({}, faults_in { a = shared, b = shared, list = { shared, shared } })
  end)
end)

it("the cjson that everybody shares keeps its settings", function()
  local fresh = cjson.new()
  assert(client:prepare("/any", { n = 1 }))
  for _, setting in ipairs { "encode_number_precision", "encode_max_depth", "decode_max_depth",
    "decode_invalid_numbers" } do
    assert.equal(fresh[setting](), cjson[setting]())
  end
end)

describe("the error", function()
  it("lists the faults in the same order whatever the order the table was built in", function()
    local names, forward, backward = {}, {}, {}
    for i = 1, 12 do names[i] = "field" .. i end
    for i = 1, #names do forward[names[i]] = print end
    for i = #names, 1, -1 do backward[names[i]] = print end
    assert.equal(#names, #faults_in(forward))
    assert.same(faults_in(forward), faults_in(backward))
  end)

  it("is one line whatever the keys", function()
    for _, given in ipairs { { ["a\nb"] = print }, { ["a\r\27[31m"] = { print } }, { ["\0"] = "\255" } } do
      local _, err = alipayhk.check("order", samples.order { extInfo = given })
      assert.is_nil(tostring(err):find("%c"), ("%q"):format(tostring(err)))
    end
  end)
end)

describe("for random tables", function()
  local RUNS = 1000
  local WORDS = {
    "requestId", "merchantBizNo", "orderStatus", "userId", "openId", "merchantBizType", "orderCreateTime",
    "orderModifyTime", "merchantId", "amount", "itemOrderList", "shopInfo", "extInfo", "bizDate", "command",
    "productTemplateCode", "syncDataInfo", "languageBusinessInfo", "zh_HK", "en_US", "endDate", "MOVIE_TICKET", "SEND",
  }

  for _, api in ipairs { "order", "contract_card" } do
    it("check of " .. api .. " says what is wrong and never throws", function()
      local random = random_tables.new(20240524)
      for _ = 1, RUNS do faults(api, random:table(WORDS)) end
    end)
  end

  it("prepare refuses them, or writes what they hold", function()
    local random = random_tables.new(1716532941)
    for _ = 1, RUNS / 2 do
      local request, err = client:prepare("/any", random:table(WORDS))
      if request then cjson.decode(request.body) else assert.equal("invalid", err.kind) end
    end
  end)

  it("prepare writes what JSON can carry", function()
    local random = random_tables.new(42)
    for _ = 1, RUNS / 2 do
      local given = random:json_table(WORDS)
      assert.same(given, cjson.decode(assert(client:prepare("/any", given)).body))
    end
  end)
end)
