-- Invisible characters at the ends of a text that do not belong to it: a file's line end, a form's blank, a byte order
-- mark.

local text = require "alipayhk.base.text"

local find, gmatch, match = string.find, string.gmatch, string.match

local edges = {}

local CONTROL = "[" .. text.CONTROL .. "]"
-- A character of UTF-8; a byte that begins none is passed over.
local CHARACTER = "[%z\1-\127\194-\244][\128-\191]*"

-- Invisible characters, as first and last of each range: white space, direction marks, zero-width characters.
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

-- A control character (one byte) as a message shows it.
function edges.shown(character)
  return SHOWN[character] or ("\\x%02X"):format(character:byte())
end

local function named(character)
  if not character then return nil end
  if find(character, CONTROL) then return ("a control character (%s)"):format(edges.shown(character)) end
  return BLANK[character] and "a blank" or nil
end

-- Names the invisible character at an end of a text, such as "a blank at its end"; nil where there is none.
function edges.stray(value)
  local what = named(match(value:sub(-4), CHARACTER .. "$"))
  if what then return what .. " at its end" end
  what = named(match(value, "^" .. CHARACTER))
  return what and what .. " at its start"
end

-- Whether a text consists of blanks alone.
function edges.is_blank(value)
  local bytes = 0
  for character in gmatch(value, CHARACTER) do
    if not BLANK[character] then return false end
    bytes = bytes + #character
  end
  return bytes == #value and bytes > 0
end

return edges
