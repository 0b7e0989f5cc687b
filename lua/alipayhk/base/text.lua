--- Text whatever the locale. Lua's own %c, %s, %w, lower and upper ask the C library: under ISO-8859-1 it finds
-- control characters within UTF-8, under a Turkish locale it knows another small letter for I. Nothing in this
-- library uses them, and no number is written with a point: where the locale's own has two bytes, as in Persian, Lua
-- reads no file that has one. A spec holds the library to that.
-- @module alipayhk.base.text

local core = require "alipayhk.core"

local text = {
  --- A pattern's set, without its brackets: ASCII's control characters.
  CONTROL = "%z\1-\31\127",
}

local CONTROLS = "[" .. text.CONTROL .. "]+"

local LOWER, UPPER = {}, {}
for byte = 65, 90 do
  local upper, lower = string.char(byte), string.char(byte + 32)
  LOWER[upper], UPPER[lower] = lower, upper
end

--- With ASCII's letters in lower case.
function text.lower(s)
  return s:find("[A-Z]") and (s:gsub("[A-Z]", LOWER)) or s
end

--- With ASCII's letters in upper case.
function text.upper(s)
  return s:find("[a-z]") and (s:gsub("[a-z]", UPPER)) or s
end

--- On one line: what others wrote may have line breaks.
-- @tparam string s
-- @tparam[opt] string instead of control characters that stand together, a blank when absent
function text.one_line(s, instead)
  return (s:gsub(CONTROLS, instead or " "))
end

--- At most `max` bytes, cut between two characters of UTF-8.
function text.cut(s, max)
  if #s <= max then return s end
  local last = max
  -- What follows is the rest of a character while its bytes are 10xxxxxx; of what is no UTF-8 three are enough.
  while last > 0 and max - last < 4 and s:find("^[\128-\191]", last + 1) do last = last - 1 end
  if max - last == 4 then last = max end
  return s:sub(1, last)
end

--- A text from outside as a message may show it: short, on one line, valid UTF-8.
-- @tparam string s
-- @tparam integer max bytes
-- @treturn string
function text.shown(s, max)
  s = text.cut(s, max):gsub("[" .. text.CONTROL .. "]", "?")
  local valid, position = core.utf8_length(s)
  while not valid do
    s = s:sub(1, position - 1) .. "?" .. s:sub(position + 1)
    valid, position = core.utf8_length(s)
  end
  return s
end

-- How a path names a key: short, and what is no string or number by its type alone, for `tostring` may run anything.
function text.key(key)
  if type(key) == "string" then return text.shown(key, 64) end
  if type(key) ~= "number" then return "(" .. type(key) .. ")" end
  -- Whatever the locale has for a decimal point.
  return (("%.14g"):format(key):gsub("[^-+0-9a-z]+", "."))
end

--- A word that stands where another is expected, in quotes. Not one of digits: that may be somebody's id.
function text.quoted(s)
  if s:find("%d%d%d%d%d%d") then return ("a text of %d characters"):format(#s) end
  return ('"%s"'):format(text.shown(s, 40))
end

return text
