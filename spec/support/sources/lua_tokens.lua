-- The tokens of a Lua file, comments and blanks passed over: a list of { kind, text, line, at }, the kind "name",
-- "number", "string" (text is its content as it is written, without the quotes) or "sign" (one character), `at` the
-- place of the text's first byte.

-- In this order: the first that matches is it. Captures: what is skipped or given.
local RULES = {
  { nil, "^[ \t\r\n]+" },
  { nil, "^%-%-%[(=*)%[", "long" },
  { nil, "^%-%-[^\n]*" },
  { "string", "^%[(=*)%[", "long" },
  { "string", "^[\"']", "quoted" },
  { "number", "^0[xX][0-9A-Fa-f.]+" },
  { "number", "^%.?[0-9][0-9.]*[eE][+-]?[0-9]+" },
  { "number", "^%.?[0-9][0-9.]*" },
  { "name", "^[A-Za-z_][A-Za-z0-9_]*" },
  { "sign", "^." },
}

-- Each gives where the content begins and ends, and where the token ends.
local ends = {}

function ends.long(source, at, last, level)
  local first, close = source:find("]" .. level .. "]", at, true)
  return last + 1, first - 1, close
end

function ends.quoted(source, at)
  local quote, i = source:sub(at, at), at + 1
  while source:sub(i, i) ~= quote do i = i + (source:sub(i, i) == "\\" and 2 or 1) end
  return at + 1, i - 1, i
end

local function next_token(source, at)
  for _, rule in ipairs(RULES) do
    local first, last, level = source:find(rule[2], at)
    if first then
      local from, to = first, last
      if rule[3] then from, to, last = ends[rule[3]](source, at, last, level) end
      return rule[1], source:sub(from, to), last, from
    end
  end
end

return function(source)
  local tokens, at, line = {}, 1, 1
  while at <= #source do
    local kind, content, last, from = next_token(source, at)
    if kind then tokens[#tokens + 1] = { kind, content, line, from } end
    line = line + select(2, source:sub(at, last):gsub("\n", ""))
    at = last + 1
  end
  return tokens
end
