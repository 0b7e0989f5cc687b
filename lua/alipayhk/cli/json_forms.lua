-- The forms in which programs write the same JSON. Text in, text out: numbers and strings keep the way in which they
-- were written, which decoding and encoding would not.

local json_forms = {}

local DEPTH_MAX = 100
-- There are some 120 forms: those of a longer text would take too long.
local TEXT_MAX = 64 * 1024

-- ---- reading -------------------------------------------------------------------------------------------

-- A node is a scalar's text as it stands, or `{ open, close, keys, [1..n] = node }`, `keys` for an object alone.
local read_value

local function skip(s, at)
  return s:find("[^ \t\r\n]", at) or #s + 1
end

-- The end of the string that begins at a position.
local function string_end(s, at)
  at = at + 1
  while true do
    at = s:find('["\\]', at)
    if not at then return nil end
    if s:byte(at) == 34 then return at end
    at = at + 2
  end
end

local function read_string(s, at)
  local last = s:byte(at) == 34 and string_end(s, at)
  if not last then return nil end
  return s:sub(at, last), last + 1
end

-- A member's key, and the position of its value.
local function read_key(s, at)
  local key
  key, at = read_string(s, at)
  at = key and skip(s, at)
  if not at or s:sub(at, at) ~= ":" then return nil end
  return key, skip(s, at + 1)
end

local CLOSE = { ["{"] = "}", ["["] = "]" }

local function read_container(s, at, depth)
  local open = s:sub(at, at)
  local node = { open = open, close = CLOSE[open], keys = open == "{" and {} or nil }
  at = skip(s, at + 1)
  if s:sub(at, at) == node.close then return node, at + 1 end
  while true do
    local key, value
    if node.keys then
      key, at = read_key(s, at)
      if not key then return nil end
      node.keys[#node.keys + 1] = key
    end
    value, at = read_value(s, at, depth + 1)
    if not value then return nil end
    node[#node + 1] = value
    at = skip(s, at)
    local sign = s:sub(at, at)
    if sign == node.close then return node, at + 1 end
    if sign ~= "," then return nil end
    at = skip(s, at + 1)
  end
end

function read_value(s, at, depth)
  local first = s:sub(at, at)
  if depth > DEPTH_MAX then return nil end
  if CLOSE[first] then return read_container(s, at, depth) end
  if first == '"' then return read_string(s, at) end
  local scalar = s:match("^[-+.0-9A-Za-z]+", at)
  if not scalar then return nil end
  return scalar, at + #scalar
end

-- The tree of a text; nil if it is no JSON object or list.
local function read(s)
  local at = skip(s, 1)
  if not CLOSE[s:sub(at, at)] then return nil end
  local node, stop = read_value(s, at, 1)
  return node and skip(s, stop) > #s and node or nil
end

-- ---- how strings are written -----------------------------------------------------------------------------

local function utf8_of(code)
  if code < 0x80 then return string.char(code) end
  local tail = string.char(0x80 + code % 64)
  code = math.floor(code / 64)
  if code < 0x20 then return string.char(0xC0 + code) .. tail end
  tail = string.char(0x80 + code % 64) .. tail
  code = math.floor(code / 64)
  if code < 0x10 then return string.char(0xE0 + code) .. tail end
  return string.char(0xF0 + math.floor(code / 64), 0x80 + code % 64) .. tail
end

-- The characters of these escapes. Those that JSON wants escaped, and halves of a pair alone, stay.
local function plain_unit(high, low)
  local code = tonumber(high, 16)
  if low then code = 0x10000 + (code - 0xD800) * 0x400 + tonumber(low, 16) - 0xDC00 end
  if code < 0x20 or code == 0x22 or code == 0x5C or code >= 0xD800 and code < 0xE000 then return nil end
  return utf8_of(code)
end

local function plain_unicode(s)
  s = s:gsub("\\u([Dd][89ABab]%x%x)\\u([Dd][C-Fc-f]%x%x)", plain_unit)
  -- A backslash that is escaped itself begins no escape.
  return (s:gsub("\\(.)(%x?%x?%x?%x?)", function(sign, digits)
    if sign == "u" and #digits == 4 then return plain_unit(digits) end
    return nil
  end))
end

local function code_of(character)
  local first = character:byte()
  local code = first < 0xE0 and first % 0x20 or first < 0xF0 and first % 0x10 or first % 0x08
  for i = 2, #character do code = code * 64 + character:byte(i) % 64 end
  return code
end

local function escape_unicode(format)
  return function(s)
    return (s:gsub("[\194-\244][\128-\191][\128-\191]?[\128-\191]?", function(character)
      local code = code_of(character)
      if code < 0x10000 then return format:format(code) end
      code = code - 0x10000
      return format:format(0xD800 + math.floor(code / 0x400)) .. format:format(0xDC00 + code % 0x400)
    end))
  end
end

local function plain_slashes(s)
  return (s:gsub("\\(.)", function(sign) return sign == "/" and "/" or nil end))
end

local function escape_slashes(s)
  return (plain_slashes(s):gsub("/", "\\/"))
end

local function escape_all_of(characters)
  return function(s)
    return (s:gsub(characters, function(c) return ("\\u%04x"):format(c:byte()) end))
  end
end

local lower, upper = escape_unicode("\\u%04x"), escape_unicode("\\u%04X")

local function as_it_stands(s) return s end

-- Each with what a message says of it.
local STRINGS = {
  { as_it_stands },
  { plain_slashes, "/ unescaped" },
  { escape_slashes, "/ escaped as \\/" },
  { plain_unicode, "\\u escapes written out" },
  { function(s) return plain_unicode(plain_slashes(s)) end, "\\u and \\/ written out" },
  { lower, "non-ASCII as \\u escapes" },
  { upper, "non-ASCII as \\u escapes in capitals" },
  { function(s) return lower(escape_slashes(s)) end, "non-ASCII as \\u escapes, / as \\/" },
  { escape_all_of("[<>&]"), "< > & as \\u escapes" },
  { escape_all_of("[<>&'=]"), "< > & ' = as \\u escapes" },
}

-- ---- how the rest is written -----------------------------------------------------------------------------

local LAYOUTS = {
  { colon = ":", comma = ",", words = "without blanks" },
  { colon = ": ", comma = ", ", words = "with a blank after : and ," },
  { colon = ": ", comma = ",", words = "with a blank after :" },
  { colon = ": ", comma = ",", indent = "  ", words = "indented by 2" },
  { colon = ": ", comma = ",", indent = "    ", words = "indented by 4" },
  { colon = ": ", comma = ",", indent = "\t", words = "indented by tabs" },
}

local function sorted_order(node)
  local order = {}
  for i = 1, #node do order[i] = i end
  if node.keys then
    table.sort(order, function(a, b)
      local x, y = node.keys[a], node.keys[b]
      if x == y then return a < b end
      return x:sub(2, -2) < y:sub(2, -2)
    end)
  end
  return order
end

local function write(node, style, level, out)
  if type(node) == "string" then
    out[#out + 1] = node:byte() == 34 and style.string(node) or node
    return
  end
  local indent = style.layout.indent
  local line = indent and "\n" .. indent:rep(level + 1) or ""
  local order = style.is_sorted and sorted_order(node)
  out[#out + 1] = node.open
  for i = 1, #node do
    local at = order and order[i] or i
    out[#out + 1] = (i > 1 and style.layout.comma or "") .. line
    if node.keys then out[#out + 1] = style.string(node.keys[at]) .. style.layout.colon end
    write(node[at], style, level + 1, out)
  end
  if indent and #node > 0 then out[#out + 1] = "\n" .. indent:rep(level) end
  out[#out + 1] = node.close
end

local function written(node, style)
  local out = {}
  write(node, style, 0, out)
  return table.concat(out)
end

local function words_of(layout, is_sorted, strings)
  local words = { layout.words }
  if is_sorted then words[#words + 1] = "keys sorted" end
  words[#words + 1] = strings[2]
  return table.concat(words, ", ")
end

local function forms_of(s)
  local node = #s <= TEXT_MAX and read(s)
  local forms, seen = {}, { [s] = true }
  for _, is_sorted in ipairs(node and { false, true } or {}) do
    for _, layout in ipairs(LAYOUTS) do
      for _, strings in ipairs(STRINGS) do
        local form = written(node, { layout = layout, is_sorted = is_sorted, string = strings[1] })
        if not seen[form] then
          seen[form] = true
          forms[#forms + 1] = { form, words_of(layout, is_sorted, strings) }
        end
      end
    end
  end
  return forms
end

-- Those of the last text are kept: who looks for two mistakes asks for them once a variant of the rest.
local last_text, last_forms

-- Calls `visit(form, words)` for each other form of a text, none twice; for none if it is no JSON object or list, or
-- too long.
function json_forms.each(s, visit)
  if s ~= last_text then last_text, last_forms = s, forms_of(s) end
  for _, form in ipairs(last_forms) do visit(form[1], form[2]) end
end

return json_forms
