-- What cannot be seen at the ends of a text.

local edges = require "alipayhk.base.edges"

-- In UTF-8, of a character below U+10000.
local function utf8(code)
  if code < 0x80 then return string.char(code) end
  if code < 0x800 then return string.char(0xC0 + math.floor(code / 64), 0x80 + code % 64) end
  return string.char(0xE0 + math.floor(code / 4096), 0x80 + math.floor(code / 64) % 64, 0x80 + code % 64)
end

-- Unicode's white space, and what has no width: first and last of each range.
local INVISIBLE = {
  { 0x20, 0x20 }, { 0x80, 0xA0 }, { 0x1680, 0x1680 }, { 0x2000, 0x200F }, { 0x2028, 0x202F }, { 0x205F, 0x2064 },
  { 0x3000, 0x3000 }, { 0xFEFF, 0xFEFF },
}

local function is_invisible(code)
  for _, range in ipairs(INVISIBLE) do
    if code >= range[1] and code <= range[2] then return true end
  end
  return false
end

describe("an invisible character", function()
  it("is found at either end, and no visible one is", function()
    local wrong = {}
    for code = 0x20, 0xFFFF do
      -- U+D800 to U+DFFF are no characters.
      if code ~= 0x7F and (code < 0xD800 or code > 0xDFFF) then
        local character, found = utf8(code), is_invisible(code)
        local is_right = edges.stray("x" .. character) == (found and "a blank at its end" or nil)
          and edges.stray(character .. "x") == (found and "a blank at its start" or nil)
          and edges.is_blank(character) == found
        if not is_right then wrong[#wrong + 1] = ("U+%04X"):format(code) end
      end
    end
    assert.same({}, wrong)
  end)

  it("may be a control character, which is shown", function()
    for character, shown in pairs { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ["\0"] = "\\0", ["\27"] = "\\x1B",
      ["\127"] = "\\x7F" } do
      assert.equal(shown, edges.shown(character))
      assert.equal(("a control character (%s) at its end"):format(shown), edges.stray("x" .. character))
      assert.equal(("a control character (%s) at its start"):format(shown), edges.stray(character .. "x"))
      assert.is_false(edges.is_blank(character))
    end
  end)

  it("is not found in the middle, or in what is no UTF-8", function()
    for _, value in ipairs { "", "x", "x y", "x\194\160y", "\160", "x\160", "\160x", "\240\159\152\128", "漢 字" } do
      assert.is_nil(edges.stray(value))
      assert.is_false(edges.is_blank(value))
    end
  end)

  it("may be all of a text", function()
    for _, value in ipairs { " ", "   ", "\194\160 \226\128\139" } do assert.is_true(edges.is_blank(value)) end
    for _, value in ipairs { " x ", " \160", "\160 ", " \n" } do assert.is_false(edges.is_blank(value)) end
  end)
end)
