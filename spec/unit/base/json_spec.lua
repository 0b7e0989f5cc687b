-- What a text of JSON from outside becomes, and what is written; node is the judge.

local alipayhk = require "alipayhk"
local core = require "alipayhk.core"
local dkjson = require "dkjson"
local double = require "spec.support.doubles.alipayhk_double"
local json = require "alipayhk.base.json"
local samples = require "spec.support.data.samples"
local shell = require "spec.support.shell"
local sorted_keys = require "spec.support.asserting.sorted_keys"

-- Of Lua 5.3 and later.
local number_type, max_integer = rawget(math, "type"), rawget(math, "maxinteger")
local has_integers = number_type ~= nil
local REPLACEMENT = "\239\191\189"
local MARK = "\239\183\144" -- what json.lua itself marks strings with

local function one(text)
  local value, message = json.decode("[" .. text .. "]")
  assert(value, message)
  return value[1]
end

describe("a number of a text", function()
  it("that is an integer comes as one", function()
    for _, digits in ipairs { "0", "-1", "57000", "1716338541000", "99999999999999", "100000000000000",
      "9007199254740992", "-9007199254740992" } do
      local value = one(digits)
      assert.equal("number", type(value))
      assert.equal(digits, ("%.0f"):format(value))
      if has_integers then
        assert.equal("integer", number_type(value))
        assert.equal("order-" .. digits, "order-" .. value)
      end
    end
  end)

  it("that a double cannot hold comes as an integer where Lua has them, else as its digits", function()
    for _, digits in ipairs { "9007199254740993", "-9007199254740993", "9223372036854775807",
      "-9223372036854775808" } do
      local value = one(digits)
      assert.equal(has_integers and "integer" or nil, has_integers and number_type(value) or nil)
      assert.equal(digits, tostring(value))
    end
  end)

  it("above every double comes as its text", function()
    assert.equal("1e400", one("1e400"))
    assert.equal("-1.5E999", one("-1.5E999"))
  end)

  it("that no Lua can hold comes as its digits", function()
    for _, digits in ipairs { "9223372036854775808", "-9223372036854775809", "12345678901234567890",
      ("9"):rep(400) } do
      assert.equal(digits, one(digits))
    end
  end)

  it("has no sign where it is 0", function()
    assert.equal("0", ("%.0f"):format(one("-0")))
    assert.equal("-0", ("%.0f"):format(one("-0.0")))
    assert.equal("0|10", ("%.0f|%.0f"):format(one("-0,10"), one("10,-0")))
  end)

  it("with a point or an exponent stays what it is", function()
    for text, number in pairs { ["5.0"] = 5, ["0.5"] = 0.5, ["-12.25"] = -12.25, ["1e3"] = 1000, ["1E-2"] = 0.01,
      ["1.5e+300"] = 1.5e300, ["-0.0"] = 0 } do
      local value = one(text)
      assert.equal(number, value)
      if has_integers then assert.equal("float", number_type(value)) end
    end
  end)

  it("comes so at every place, and in a string of JSON within", function()
    local value = assert(json.decode('{"a":{"b":[1,{"c":9007199254740993}]},"d":2.5}'))
    assert.equal("1", tostring(value.a.b[1]))
    assert.equal("9007199254740993", tostring(value.a.b[2].c))
    assert.equal(2.5, value.d)
    assert.equal("7", tostring(json.decode("7")))
  end)

  it("as an answer has it reaches the caller", function()
    local alipay = double.new { algorithm = "p224" }
    alipay:answers { { body = '{"result":{"resultStatus":"S","resultCode":"SUCCESS"},"orderId":9007199254740993,'
      .. '"amount":57000}' } }
    local body = assert(alipay:client():sync_order(samples.order())).body
    assert.equal("order-57000", "order-" .. body.amount)
    assert.equal("9007199254740993", tostring(body.orderId))
  end)
end)

describe("a string of a text", function()
  it("that begins with our own mark is not taken for a number", function()
    for _, rest in ipairs { "", "i5", "f0.5", "d12", MARK, MARK .. "i5", "[]" } do
      assert.equal(MARK .. rest, one('"' .. MARK .. rest .. '"'))
      assert.equal(MARK .. rest, one('"\\ufdd0' .. rest .. '"'))
      assert.equal(MARK .. rest, one('"\\uFDD0' .. rest .. '",1.5'))
      assert.equal(1, json.decode('{"' .. MARK .. rest .. '":1}')[MARK .. rest])
    end
  end)

  it("with half an emoji has U+FFFD in its place", function()
    for text, value in pairs {
      ["abc\\ud83d"] = "abc" .. REPLACEMENT, ["\\ude00x"] = REPLACEMENT .. "x", ["\\ud83d\\ud83d"] = REPLACEMENT:rep(2),
      ["\\ud83dx\\ude00"] = REPLACEMENT .. "x" .. REPLACEMENT, ["\\ud83d\\n"] = REPLACEMENT .. "\n",
      ["\\ud83d\\ude00"] = "\240\159\152\128", ["\\uD83D\\uDE00"] = "\240\159\152\128",
    } do
      assert.equal(value, one('"' .. text .. '"'))
    end
  end)

  it("with a control character as it stands has it", function()
    for byte = 1, 31 do
      assert.equal("a" .. string.char(byte) .. "b", one('"a' .. string.char(byte) .. 'b"'))
    end
    assert.is_nil((json.decode('["a\0b"]')))
  end)

  it("with bytes that are no UTF-8 has U+FFFD for each", function()
    assert.equal("a" .. REPLACEMENT:rep(2) .. "b", one('"a\254\255b"'))
    assert.equal(REPLACEMENT:rep(3), one('"\237\160\128"'))
    assert.equal("漢" .. REPLACEMENT:rep(2), one('"漢' .. ("漢"):sub(1, 2) .. '"'))
  end)
end)

describe("an answer", function()
  local SUCCESS = '{"result":{"resultStatus":"S","resultCode":"SUCCESS","resultMessage":"success"}}'
  local alipay = double.new { algorithm = "p224" }
  local client = alipay:client { retry = false }

  local function answered(body)
    alipay:answers { { body = body } }
    return client:sync_order(samples.order())
  end

  it("with half an emoji, after a byte order mark, between blanks is read", function()
    local with_half = SUCCESS:gsub("success", "abc\\ud83d")
    for _, body in ipairs { with_half, "\239\187\191" .. SUCCESS, " \r\n\t" .. SUCCESS .. "\n" } do
      local response, err = answered(body)
      assert.equal("SUCCESS", assert(response, tostring(err)).result.resultCode)
    end
  end)

  local REFUSED = {
    ["a NUL behind it"] = SUCCESS .. "\0",
    ["a NUL and more behind it"] = SUCCESS .. '\0{"result":{"resultStatus":"F"}}',
    ["another answer behind it"] = SUCCESS .. SUCCESS,
    ["a letter behind it"] = SUCCESS .. "x",
    ["two results"] = '{"result":{"resultStatus":"F"},"result":{"resultStatus":"S","resultCode":"SUCCESS"}}',
    ["two results, one by escapes"] = '{"result":{"resultStatus":"F"},"re\\u0073ult":{"resultStatus":"S"}}',
    ["two statuses"] = '{"result":{"resultStatus":"F","resultStatus":"S"}}',
    ["two statuses, one by escapes"] = '{"result":{"resultStatu\\u0073":"F","resultStatus":"S"}}',
    ["a list around it"] = "[" .. SUCCESS .. "]",
    ["nothing in it"] = "",
    ["an end too early"] = SUCCESS:sub(1, -2),
    ["a comma too many"] = SUCCESS:gsub("}}", "},}"),
    ["single quotes"] = SUCCESS:gsub('"', "'"),
    ["a thousand levels"] = ('{"a":'):rep(1000) .. "1" .. ("}"):rep(1000),
  }
  for _, title in ipairs(sorted_keys(REFUSED)) do
    it("with " .. title .. " is no success", function()
      local response, err = answered(REFUSED[title])
      assert.is_nil(response)
      assert.equal("protocol", err.kind)
    end)
  end

  it("with a line break or a tab in a text is read", function()
    assert.truthy(answered((SUCCESS:gsub("success", "one\ntwo\tthree"))))
  end)

  -- With the two of its own.
  local function with_keys(count, more)
    local members = {}
    for i = 1, count - 2 do members[i] = (',"key%d":%d'):format(i, i) end
    return '{"result":{"resultStatus":"S","resultCode":"SUCCESS"' .. table.concat(members) .. (more or "") .. "}}"
  end

  it("may have 64 keys in its result, none of them twice", function()
    assert.equal(62, assert(answered(with_keys(64))).body.result.key62)
    local _, err = answered(with_keys(65))
    assert.matches("`result` has more than 64 keys", err.message, 1, true)
    for _, more in ipairs { ',"key62":1', ',"resultStatus":"F"' } do
      _, err = answered(with_keys(64, more))
      assert.matches("`result` has a key twice", err.message, 1, true)
    end
  end)

  it("has the same key however its characters are written", function()
    for plain, escaped in pairs {
      ["é"] = "\\u00e9", ["\194\128"] = "\\u0080", ["漢"] = "\\u6F22", ["\224\160\128"] = "\\u0800",
      ["😀"] = "\\ud83d\\ude00", ["\244\143\191\191"] = "\\udbff\\udfff", ["\254"] = "\\ufffd", ["/"] = "\\/",
    } do
      local _, err = answered(with_keys(4, (',"a%s":1,"a%s":2'):format(plain, escaped)))
      assert.matches("`result` has a key twice", err.message, 1, true)
    end
    assert.truthy(answered(with_keys(4, ',"é":1,"\\u00e8":2,"i":3,"漢":4,"\\u6f23":5,"😀":6,"\\ud83d\\ude01":7')))
  end)

  it("may be nested 32 levels deep", function()
    local function nested(levels)
      return '{"x":' .. ("["):rep(levels - 1) .. ("]"):rep(levels - 1) .. "," .. SUCCESS:sub(2)
    end
    assert.truthy(answered(nested(32)))
    local _, err = answered(nested(33))
    assert.matches("nested too deep", err.message, 1, true)
  end)

  it("may have other keys twice", function()
    assert.truthy(answered('{"x":1,"x":2,"y":{"z":1,"z":2},"result":{"resultStatus":"S","resultCode":"SUCCESS"}}'))
  end)
end)

describe("what is sent", function()
  local client = double.new({ algorithm = "p224" }):client()

  local function body_of(payload)
    local request, err = client:prepare("/any", payload)
    return assert(request, tostring(err)).body
  end

  it("has every digit of a whole number up to 2^53", function()
    for _, number in ipairs { 1e14, 123456789012345, 2 ^ 53, -2 ^ 53, 2 ^ 53 - 1 } do
      assert.equal(('{"n":%.0f}'):format(number), body_of { n = number })
    end
    if has_integers then assert.equal('{"n":9223372036854775807}', body_of { n = max_integer }) end
  end)

  it("has no number that may have lost digits already: it is to be a string", function()
    for _, number in ipairs { 2 ^ 53 * 2, 1e20, -1e300 } do
      local _, err = client:prepare("/any", { n = number })
      assert.equal("n", err.fields[1].path)
      assert.matches("no longer holds every digit: pass it as a string", err.fields[1].message, 1, true)
    end
  end)

  it("has no number that JSON has no form for", function()
    for _, number in ipairs { 1 / 0, -1 / 0, 0 / 0 } do
      assert.error_matches(function() core.json_number(number) end, "has no form in JSON", 1, true)
    end
  end)

  it("has a fraction as the shortest text that is it", function()
    assert.equal('{"n":0.1}', body_of { n = 0.1 })
    assert.equal(0.1 + 0.2, dkjson.decode(body_of { n = 0.1 + 0.2 }).n)
  end)

  it("has a string of no characters, beside whatever is written by ourselves", function()
    assert.same({ a = "", b = 0.1, list = { "", 0.1, "" } },
      dkjson.decode(body_of { a = "", b = 0.1, list = { "", 0.1, "" } }))
  end)

  it("has an empty list wherever it is asked for", function()
    assert.equal('{"list":[]}', body_of { list = alipayhk.empty_array })
    assert.equal('{"a":{"b":[1,[],{"c":[]}]}}', body_of { a = { b = { 1, alipayhk.empty_array,
      { c = alipayhk.empty_array } } } })
    assert.equal('{"list":{}}', body_of { list = {} })
    local request = assert(client:prepare("order", samples.order { extInfo = { tags = alipayhk.empty_array } }))
    assert.matches('"extInfo":{"tags":[]}', request.body, 1, true)
    assert.is_true(alipayhk.check("order", samples.order { extInfo = { tags = alipayhk.empty_array } }))
  end)

  it("has an empty list where the rules have one, in a string of JSON too", function()
    local card = samples.card { productTemplateCode = "MOVIE_TICKET_DEFAULT", orderStatus = "CLOSED" }
    card.syncDataInfo = { languageBusinessInfo = { zh_HK = { seat_num = {}, other = alipayhk.empty_array } } }
    local body = dkjson.decode(assert(client:prepare("contract_card", card)).body)
    local inner = body.syncDataInfo.languageBusinessInfo.zh_HK
    assert.matches('"seat_num":[]', inner, 1, true)
    assert.matches('"other":[]', inner, 1, true)
  end)

  it("has a string that looks like our mark as it is, and so a key", function()
    for _, rest in ipairs { "", "[]", "5", MARK, MARK .. "[]" } do
      assert.same({ a = MARK .. rest, list = { MARK .. rest }, [MARK .. rest] = 0.5 },
        dkjson.decode(body_of { a = MARK .. rest, list = { MARK .. rest }, [MARK .. rest] = 0.5 }))
      assert.same({ a = 'x"' .. MARK .. rest, b = 0.5 }, dkjson.decode(body_of { a = 'x"' .. MARK .. rest, b = 0.5 }))
      assert.same({ a = 'x\\"' .. MARK .. rest .. "\\", b = 0.5 },
        dkjson.decode(body_of { a = 'x\\"' .. MARK .. rest .. "\\", b = 0.5 }))
      -- In a list, so that it is written before the number.
      for _, before in ipairs { 'x"' .. MARK .. rest, 'x\\"' .. MARK .. rest .. "\\" } do
        assert.same({ list = { before, 0.5 } }, dkjson.decode(body_of { list = { before, 0.5 } }))
      end
    end
  end)
end)

-- ---- node's word on damaged texts --------------------------------------------------------------------

-- node takes a text or not, of bytes that are UTF-8.
local JUDGE = [[node -e '
  const texts = require("fs").readFileSync(0, "utf8").split("\n").slice(0, -1)
  const wellFormed = (_, value) => typeof value === "string" ? value.toWellFormed() : value
  for (const hex of texts) {
    const text = Buffer.from(hex, "hex").toString("utf8")
    let verdict = "refused"
    try { verdict = Buffer.from(JSON.stringify(JSON.parse(text, wellFormed))).toString("hex") } catch {}
    console.log(verdict)
  }']]

describe("a text that is damaged", function()
  local SEEDS = {
    '{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"ok"},"n":[1,-2.5e3,0.5,true,false,null]}',
    '[{"a":"\\u6f22\\ud83d\\ude00","b":"漢字 \240\159\152\128"},[[],{}],12345678901234567890]',
    ' {"k" : [ 1 , 2 ] , "e" : 1E+5 }\r\n',
  }
  local BYTES = { "{", "}", "[", "]", ",", ":", '"', "\\", "0", "1", "-", "+", ".", "e", "u", "t", " ", "\n", "/", "x" }

  -- A generator of our own: the same texts under every Lua.
  local state = 20240524
  local function random(n)
    state = (state * 16807) % 2147483647
    return state % n + 1
  end

  local function damaged()
    local text = SEEDS[random(#SEEDS)]
    for _ = 1, random(3) do
      local at, byte = random(math.max(1, #text)), BYTES[random(#BYTES)]
      local how = random(4)
      if how == 1 then text = text:sub(1, at - 1) .. byte .. text:sub(at)
      elseif how == 2 then text = text:sub(1, at - 1) .. text:sub(at + 1)
      elseif how == 3 then text = text:sub(1, at - 1) .. byte .. text:sub(at + 1)
      else text = text:sub(1, at) end
    end
    return text
  end

  local function unhex(hex)
    return (hex:gsub("%x%x", function(digits) return string.char(tonumber(digits, 16)) end))
  end

  -- Whether a value is node's; digits that a double cannot hold are a double there.
  local function is_same(ours, theirs)
    -- So node writes infinity, too.
    if theirs == dkjson.null then return ours == json.null or type(ours) == "string" and ours:find("[eE]") ~= nil end
    if type(theirs) == "number" then return tonumber(ours) + 0.0 == theirs + 0.0 end
    if type(theirs) ~= "table" then return ours == theirs end
    for key, value in pairs(theirs) do
      if not is_same(ours[key], value) then return false end
    end
    for key in pairs(ours) do
      if theirs[key] == nil then return false end
    end
    return true
  end

  it("is told by what is wrong first", function()
    for text, message in pairs {
      ['{"a\\q":1}'] = "an unknown escape in a string at byte 4",
      ['{"a'] = "it ends too early (cut off?): a string has no end",
      ['{"a\\u12"}'] = "\\u without four hex digits at byte 4", ["{1}"] = "a key in double quotes expected at byte 2",
      ['{"a" 1}'] = "a colon expected at byte 6",
      ["[-]"] = "not a number at byte 2", ["[x]"] = "a value expected at byte 2",
    } do
      assert.same({ message }, { select(2, json.decode(text)) })
    end
  end)

  it("is refused where node refuses it, and read as node reads it", function()
    local texts, lines = {}, {}
    while #texts < 4000 do
      local text = damaged()
      if core.utf8_length(text) then
        texts[#texts + 1] = text
        lines[#lines + 1] = core.hex_encode(text)
      end
    end
    local path = shell.directory() .. "/texts"
    shell.write(path, table.concat(lines, "\n") .. "\n")
    local n, taken = 0, 0
    for verdict in shell.must(JUDGE .. " < " .. path):gmatch("([^\n]*)\n") do
      n = n + 1
      local value, message = json.decode(texts[n])
      local is_refused = verdict == "refused"
      -- A control character within a string is let pass; between values it is white space or refused by both.
      local is_lenient = is_refused and value ~= nil and texts[n]:find("[%z\1-\31]") ~= nil
      assert.is_true(is_lenient or is_refused == (value == nil and message ~= nil),
        ("%q: %s"):format(texts[n], tostring(message)))
      if not is_refused then
        taken = taken + 1
        assert.is_true(is_same(value, (dkjson.decode(unhex(verdict), 1, dkjson.null))), ("%q"):format(texts[n]))
      end
    end
    assert.equal(#texts, n)
    assert.is_true(taken > 100)
  end)
end)
