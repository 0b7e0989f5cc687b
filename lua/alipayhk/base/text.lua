-- Text functions that do not depend on the locale. Lua's own %c, %s, %w, lower and upper ask the C library: in
-- ISO-8859-1 it finds control characters within UTF-8, in a Turkish locale I has another small letter. Nothing in this
-- library uses them, and no source has a number with a decimal point: in a locale whose decimal point has two bytes,
-- such as Persian, Lua cannot read such a file. A spec holds the library to that.

local core = require "alipayhk.core"

local text = {
  -- A pattern's set, without its brackets: ASCII's control characters.
  CONTROL = "%z\1-\31\127",
}

local CONTROLS = "[" .. text.CONTROL .. "]+"

local LOWER, UPPER = {}, {}
for byte = 65, 90 do
  local upper, lower = string.char(byte), string.char(byte + 32)
  LOWER[upper], UPPER[lower] = lower, upper
end

-- The text with ASCII letters in lower case.
function text.lower(s)
  return s:find("[A-Z]") and (s:gsub("[A-Z]", LOWER)) or s
end

-- The text with ASCII letters in upper case.
function text.upper(s)
  return s:find("[a-z]") and (s:gsub("[a-z]", UPPER)) or s
end

-- The text on one line: each run of control characters is replaced by `instead`, a blank when absent.
function text.one_line(s, instead)
  return (s:gsub(CONTROLS, instead or " "))
end

-- At most `max` bytes of a text, cut between two UTF-8 characters.
function text.cut(s, max)
  if #s <= max then return s end
  local last = max
  -- Bytes 10xxxxxx continue a character. A character has at most three of them: more are no UTF-8.
  while last > 0 and max - last < 4 and s:find("^[\128-\191]", last + 1) do last = last - 1 end
  if max - last == 4 then last = max end
  return s:sub(1, last)
end

-- A text from outside as a message may show it: at most `max` bytes, on one line, valid UTF-8.
function text.shown(s, max)
  s = text.cut(s, max):gsub("[" .. text.CONTROL .. "]", "?")
  local valid, position = core.utf8_length(s)
  while not valid do
    s = s:sub(1, position - 1) .. "?" .. s:sub(position + 1)
    valid, position = core.utf8_length(s)
  end
  return s
end

-- A key as a path shows it: cut, and by its type alone if it is no string or number, for `tostring` may run anything.
function text.key(key)
  if type(key) == "string" then return text.shown(key, 64) end
  if type(key) ~= "number" then return "(" .. type(key) .. ")" end
  -- The decimal point may be another character in this locale.
  return (("%.14g"):format(key):gsub("[^-+0-9a-z]+", "."))
end

-- A value that is not the expected word, in quotes. Digits are not shown: they may be somebody's id.
function text.quoted(s)
  if s:find("%d%d%d%d%d%d") then return ("a text of %d characters"):format(#s) end
  return ('"%s"'):format(text.shown(s, 40))
end

return text
