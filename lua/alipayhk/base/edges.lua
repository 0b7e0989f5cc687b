--- What stands at the ends of a text and is no part of it: line ends of a file, blanks of a form, the mark with
-- which some programs begin a file.
-- @module alipayhk.base.edges

local text = require "alipayhk.base.text"

local find, gmatch, match = string.find, string.gmatch, string.match

local edges = {}

local CONTROL = "[" .. text.CONTROL .. "]"
-- A character of UTF-8; a byte that begins none is passed over.
local CHARACTER = "[%z\1-\127\194-\244][\128-\191]*"

-- Characters that show nothing, as the first and the last of a row: white space, marks of direction and of width none.
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

--- A control character as a message shows it.
-- @tparam string character one byte
function edges.shown(character)
  return SHOWN[character] or ("\\x%02X"):format(character:byte())
end

local function named(character)
  if not character then return nil end
  if find(character, CONTROL) then return ("a control character (%s)"):format(edges.shown(character)) end
  return BLANK[character] and "a blank" or nil
end

--- What a text has at an end that is not seen.
-- @tparam string value
-- @treturn ?string such as "a blank at its end"; nil where there is nothing
function edges.stray(value)
  local what = named(match(value:sub(-4), CHARACTER .. "$"))
  if what then return what .. " at its end" end
  what = named(match(value, "^" .. CHARACTER))
  return what and what .. " at its start"
end

--- Whether there is nothing in a text but blanks.
function edges.is_blank(value)
  local bytes = 0
  for character in gmatch(value, CHARACTER) do
    if not BLANK[character] then return false end
    bytes = bytes + #character
  end
  return bytes == #value and bytes > 0
end

return edges
