-- A source with all that is not code painted over, byte for byte: comments and the lines of C's preprocessor with
-- blanks, what stands between quotes with '"'. What is found in it stands in the source at the same place.

local process = require "spec.support.process"
local tokens_of = require "spec.support.sources.lua_tokens"

local mask = {}

local function paint(text, with) return (text:gsub("[^\n]", with)) end

-- The scripts that a Redis is given stand in long strings, with @NAME@ for what is filled in: they are code too.
local function is_code(text) return text:find "\n" and process.compile((text:gsub("@", " "))) end

function mask.lua(source)
  local out, at = {}, 1
  for _, token in ipairs(tokens_of(source)) do
    local kind, text, from = token[1], token[2], token[4]
    out[#out + 1] = paint(source:sub(at, from - 1), " ")
    out[#out + 1] = kind ~= "string" and text or is_code(text) and mask.lua(text) or paint(text, '"')
    at = from + #text
  end
  return table.concat(out) .. paint(source:sub(at), " ")
end

-- In this order: the first that matches is it. Contracts are not compiled in: no run could notice them.
local C_RULES = {
  { "^\n[ \t]*#[^\n]*", " " }, { "^/%*.-%*/", " " }, { "^//[^\n]*", " " }, { "^AHK_REQUIRE%b();", " " },
  { '^""', '"' }, { '^".-[^\\]"', '"' }, { "^'\\?.[^']*'", '"' },
  { "^[^\n/A\"']+" }, { "^." },
}

function mask.c(source)
  -- Escaped backslashes would make the quote after them look escaped, and a line that goes on look ended.
  local text = "\n" .. source:gsub("\\\\", "__"):gsub("\\\n", "__")
  local out, at = {}, 1
  while at <= #text do
    for _, rule in ipairs(C_RULES) do
      local _, last = text:find(rule[1], at)
      if last then
        local found = text:sub(at, last)
        out[#out + 1] = rule[2] and paint(found, rule[2]) or found
        at = last + 1
        break
      end
    end
  end
  -- An element's size is the same whichever it is.
  return (table.concat(out):sub(2):gsub("sizeof[ %w_().>-]*%[0%]", function(found) return paint(found, " ") end))
end

return mask
