-- Text is cut at characters, shown on one line, and cased by ASCII alone.

local core = require "alipayhk.core"
local text = require "alipayhk.base.text"

local REPLACED = "?"

-- A generator of our own: the same texts under every Lua.
local state = 20240524
local function random(n)
  state = (state * 16807) % 2147483647
  return state % n + 1
end

local CHARACTERS = { "a", "Z", "0", "é", "ß", "漢", "￿", "\240\159\152\128", "\244\143\191\191", "\n", "\127", "\0",
  "e\204\129" }
local DAMAGE = { "\128", "\191", "\192", "\193\128", "\224\128", "\237\160\128", "\240\159\152", "\244\144\128\128",
  "\255" }

local function made_of(pieces, count)
  local list = {}
  for i = 1, count do list[i] = pieces[random(#pieces)] end
  return table.concat(list)
end

-- By another way: from the first character on, as long as they fit.
local function cut_by_characters(s, max)
  local last = 0
  for first, rest in s:gmatch("()[%z\1-\127\194-\244][\128-\191]*()") do
    if rest - 1 > max then break end
    assert(first == last + 1)
    last = rest - 1
  end
  return s:sub(1, last)
end

describe("a text is cut", function()
  it("behind the last character that fits, whatever its length", function()
    for length = 0, 12 do
      for _ = 1, 40 do
        local s = made_of(CHARACTERS, length)
        for max = 0, #s + 2 do assert.equal(cut_by_characters(s, max), text.cut(s, max)) end
      end
    end
  end)

  it("to nothing where not even one character fits", function()
    for max = 0, 3 do assert.equal("", text.cut("\240\159\152\128x", max)) end
    for max = 0, 2 do assert.equal("", text.cut("漢字", max)) end
    assert.equal("", text.cut("x", 0))
    assert.equal("", text.cut("", 0))
  end)

  it("near where it was to be, also where it is no UTF-8", function()
    for _ = 1, 500 do
      local s = made_of(random(2) == 1 and DAMAGE or CHARACTERS, random(6)) .. made_of(DAMAGE, random(6))
      for max = 0, #s + 2 do
        local cut = text.cut(s, max)
        assert.is_true(#cut <= max and #cut >= math.min(max, #s) - 3)
        assert.equal(s:sub(1, #cut), cut)
      end
    end
    assert.equal(("\128"):rep(10), text.cut(("\128"):rep(20), 10))
  end)
end)

describe("a text is shown", function()
  it("short, on one line and in UTF-8, whatever it is", function()
    for _ = 1, 500 do
      local s = made_of(CHARACTERS, random(5)) .. made_of(DAMAGE, random(4)) .. made_of(CHARACTERS, random(5))
      for max = 0, #s + 2 do
        local shown = text.shown(s, max)
        assert.is_true(#shown <= max)
        assert.is_number(core.utf8_length(shown))
        assert.is_nil(shown:find("[%z\1-\31\127]"))
      end
    end
  end)

  it("as it is where that needs no change", function()
    local s = "漢字 é \240\159\152\128 x"
    assert.equal(s, text.shown(s, #s))
    assert.equal("漢字 é ", text.shown(s, 12))
  end)

  it("with a sign for each byte that cannot be", function()
    assert.equal("a??b?c", text.shown("a\r\nb\255c", 40))
    assert.equal(REPLACED:rep(3), text.shown("\237\160\128", 40))
    assert.equal(REPLACED:rep(40), text.shown(("\254"):rep(1000), 40))
  end)
end)

it("a text on one line has a blank, or what is asked for, for each run of control characters", function()
  assert.equal("a b c", text.one_line("a\r\n\tb\0c"))
  assert.equal("a|b", text.one_line("a\127\nb", "|"))
  assert.equal("漢\194\133字", text.one_line("漢\194\133字"))
end)

it("a line is one of UTF-8, whatever it was made of", function()
  assert.equal("a b?漢c?", text.line("a\r\nb\255漢c\237"))
  assert.equal("é??", text.line("é\169\128"))
  assert.equal("é? 漢? \240\159\152\128?", text.line("é\169 漢\128 \240\159\152\128\128"))
  for _ = 1, 1000 do
    local line = text.line(made_of(DAMAGE, random(4)) .. made_of(CHARACTERS, random(4)) .. made_of(DAMAGE, random(4)))
    assert.is_number(core.utf8_length(line))
    assert.is_nil(line:find("[%z\1-\31\127]"))
  end
  local long = ("\255\128"):rep(200000) -- takes no longer than its length
  assert.equal(REPLACED:rep(#long), text.line(long))
end)

it("letters of ASCII have a case, and no others", function()
  local all = {}
  for byte = 0, 255 do all[#all + 1] = string.char(byte) end
  all = table.concat(all)
  local lower, upper = text.lower(all), text.upper(all)
  for byte = 0, 255 do
    local is_upper, is_lower = byte >= 65 and byte <= 90, byte >= 97 and byte <= 122
    assert.equal(is_upper and byte + 32 or byte, lower:byte(byte + 1))
    assert.equal(is_lower and byte - 32 or byte, upper:byte(byte + 1))
  end
  assert.equal("x-i", text.lower("x-i"))
  assert.equal("X-I", text.upper("X-I"))
end)

it("a key has a name in a path, and never its own tostring", function()
  local hostile = setmetatable({}, { __tostring = function() error("asked") end })
  for _, case in ipairs { { "a", "a" }, { 5, "5" }, { 2 ^ 40, "1099511627776" }, { -1.5, "-1.5" }, { 1e300, "1e+300" },
    { 1 / 0, "inf" }, { true, "(boolean)" }, { hostile, "(table)" }, { print, "(function)" } } do
    assert.equal(case[2], text.key(case[1]))
  end
  assert.equal(("x"):rep(64), text.key(("x"):rep(64)))
  assert.equal(("x"):rep(64), text.key(("x"):rep(65)))
end)

it("a wrong value is quoted, cut, and hidden where it may be somebody's id", function()
  for given, quoted in pairs {
    ["a\nb"] = '"a?b"', ["12345"] = '"12345"', ["id 123456"] = "a text of 9 characters",
    [("x"):rep(40)] = '"' .. ("x"):rep(40) .. '"', [("y"):rep(41)] = '"' .. ("y"):rep(40) .. '"',
  } do
    assert.equal(quoted, text.quoted(given))
  end
end)
