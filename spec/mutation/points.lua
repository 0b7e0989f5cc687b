-- Where a source can be changed so that a test should notice: a list of { line, text, from, to, new, what }: in line
-- `line`, which is `text`, bytes `from` to `to` are replaced by `new`; `what` says that to people.

local mask = require "spec.mutation.mask"

-- A sign or a word, and what may stand in its place.
local COMPARISONS = { ["<"] = { "<=", ">=" }, ["<="] = { "<", ">" }, [">"] = { ">=", "<=" }, [">="] = { ">", "<" } }
local SWAPS = {
  lua = {
    ["=="] = "~=", ["~="] = "==", ["+"] = "-", ["-"] = "+", ["and"] = "or", ["or"] = "and", ["not"] = "",
    ["true"] = "false", ["false"] = "true",
  },
  c = {
    ["=="] = "!=", ["!="] = "==", ["+"] = "-", ["-"] = "+", ["+="] = "-=", ["-="] = "+=", ["&&"] = "||",
    ["||"] = "&&", ["!"] = "", ["true"] = "false", ["false"] = "true",
  },
}

-- Statements, each on a line of its own: a pattern with empty captures around what is replaced, and by what. Where that
-- stands there already, the last one takes its place.
local STATEMENTS = {
  lua = {
    { "^%s*()[%a_][%w_.:%[%]]*%s*%b()()%s*$", "" },
    { "^%s*()[%a_][%w_.%[%]]*%s*=[^=,].*[^,%s]()%s*$", "" },
    { "%f[%w_]return%s+()[^%s].-()%s+end%s*$", "nil", "true" },
    { "%f[%w_]return%s+()[^%s].-()%s*$", "nil", "true" },
  },
  c = {
    { "^%s*()[%a_][%w_.>%-]*%b();()%s*$", ";" },
    { "^%s*()%(void%)[%a_][%w_.>%-]*%b();()%s*$", ";" },
    { "^%s*()%*?[%a_][%w_.>%[%]+*-]*%s[|&]?=%s.*;()%s*$", ";" },
    { "%f[%w_]return%s+()[^%s].-();%s*$", "0", "1" },
  },
}
-- What begins or is no such statement. (`true` and `false` are swapped already.)
local OTHERS = { ["return"] = true, ["until"] = true, ["true"] = true, ["false"] = true, NULL = true }

-- Whether brackets close in it that it opened, and no others.
local function is_whole(text)
  local rest, count = text, 1
  while count > 0 do rest, count = rest:gsub("%b()", ""):gsub("%b[]", ""):gsub("%b{}", "") end
  return not rest:find "[%[%](){}]" and not rest:find "%f[%w_]function%f[^%w_]"
end

local function find_statement(language, line)
  for _, statement in ipairs(STATEMENTS[language]) do
    local from, to = line:match(statement[1])
    local text = from and line:sub(from, to - 1)
    if from and is_whole(text) and not OTHERS[text:match "^[%a_]*"] then
      return from, to - 1, statement[2], statement[3]
    end
  end
end

local function statements(language, source, code, add)
  for at, line in code:gmatch "()([^\n]+)" do
    local from, to, new, other = find_statement(language, line)
    if from then
      from, to = at + from - 1, at + to - 1
      if source:sub(from, to) == new then new = other end
      add(from, to, new, other and "returns " .. new or "dropped")
    end
  end
end

-- What comes next: a word, a number, C's -> and --, other signs.
local TOKENS = { "^[%a_][%w_]*", "^%.?%d[%w.]*", "^%-[%->]", "^[-+<>=~!|&]+", "^." }

local function token_at(code, at)
  for _, pattern in ipairs(TOKENS) do
    local text = code:match(pattern, at)
    if text then return text end
  end
  return "\n"
end

local function instead_of(language, token)
  local number = token:find "^%d%d?%d?$" and tonumber(token)
  if number then return { tostring(number + 1), number > 0 and tostring(number - 1) or nil } end
  return COMPARISONS[token] or { SWAPS[language][token] }
end

local function tokens(language, code, add)
  local at = 1
  while at <= #code do
    local token = token_at(code, at)
    for _, new in ipairs(instead_of(language, token)) do
      add(at, at + #token - 1, new, new == "" and "without " .. token or token .. " -> " .. new)
    end
    at = at + #token
  end
end

local function line_at(source, at)
  local number, first = 1, 1
  for after in source:sub(1, at - 1):gmatch "\n()" do number, first = number + 1, after end
  return number, source:match("^%s*([^\n]*)", first):match "^(.-)%s*$"
end

return function(source, language)
  local code, points, seen = mask[language](source), {}, {}
  local function add(from, to, new, what)
    local line, text = line_at(source, from)
    -- The same change twice in a line: the second one says so.
    local name = line .. what
    seen[name] = (seen[name] or 0) + 1
    if seen[name] > 1 then what = ("%s (%d)"):format(what, seen[name]) end
    points[#points + 1] = { line = line, text = text, from = from, to = to, new = new, what = what }
  end
  tokens(language, code, add)
  statements(language, source, code, add)
  return points
end
