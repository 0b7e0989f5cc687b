-- Finds invisible characters at the ends of a string, where they usually are by accident: the line break of a file,
-- blanks from a web form, a byte order mark.

local text = require "alipayhk.base.text"

local find, gmatch, match = string.find, string.gmatch, string.match

local edges = {}

local CONTROL = "[" .. text.CONTROL .. "]"
-- A character of UTF-8. A byte that cannot begin one does not match.
local CHARACTER = "[%z\1-\127\194-\244][\128-\191]*"

-- Ranges of invisible characters, first and last: white space, direction marks, zero-width characters. The two ends of
-- a range differ in their last byte only.
local BLANK_ROWS = {
  { " ", " " }, { "\194\128", "\194\160" }, { "\225\154\128", "\225\154\128" }, { "\226\128\128", "\226\128\143" },
  { "\226\128\168", "\226\128\175" }, { "\226\129\159", "\226\129\164" }, { "\227\128\128", "\227\128\128" },
  { "\239\187\191", "\239\187\191" },
}

local BLANK = {}
for _, row in ipairs(BLANK_ROWS) do
  local head = row[1]:sub(1, -2)
  for last = row[1]:byte(-1), row[2]:byte(-1) do BLANK[head .. string.char(last)] = true end
end

local SHOWN = { ["\r"] = "\\r", ["\n"] = "\\n", ["\t"] = "\\t", ["\0"] = "\\0" }

-- How a message shows a control character: `\n`, `\x1B`.
function edges.shown(character)
  return SHOWN[character] or ("\\x%02X"):format(character:byte())
end

-- What an invisible character is called in a message; nil for a visible one.
local function named(character)
  if not character then return nil end
  if find(character, CONTROL) then return ("a control character (%s)"):format(edges.shown(character)) end
  return BLANK[character] and "a blank" or nil
end

-- The invisible character at an end of a string, for a message: "a blank at its end"; nil if there is none.
function edges.stray(value)
  local what = named(match(value:sub(-4), CHARACTER .. "$"))
  if what then return what .. " at its end" end
  what = named(match(value, "^" .. CHARACTER))
  return what and what .. " at its start"
end

-- Whether a string consists of blanks; an empty one does not.
function edges.is_blank(value)
  local bytes = 0
  for character in gmatch(value, CHARACTER) do
    if not BLANK[character] then return false end
    bytes = bytes + #character
  end
  return bytes == #value and bytes > 0
end

return edges
