-- Where a source can be changed so that a test should notice: a list of { line, text, from, to, new, what }: in line
-- `line`, which is `text`, bytes `from` to `to` are replaced by `new`; `what` says that to people.

local mask = require "spec.mutation.mask"

local COMPARISONS = { ["<"] = { "<=", ">=" }, ["<="] = { "<", ">" }, [">"] = { ">=", "<=" }, [">="] = { ">", "<" } }

-- A sign or a word, and what may stand in its place. Those with nothing are passed over whole.
local SWAPS = {
  lua = {
    ["=="] = { "~=" }, ["~="] = { "==" }, ["+"] = { "-" }, ["-"] = { "+" },
    ["and"] = { "or" }, ["or"] = { "and" }, ["not"] = { "" }, ["true"] = { "false" }, ["false"] = { "true" },
  },
  c = {
    ["=="] = { "!=" }, ["!="] = { "==" }, ["+"] = { "-" }, ["-"] = { "+" }, ["+="] = { "-=" }, ["-="] = { "+=" },
    ["&&"] = { "||" }, ["||"] = { "&&" }, ["!"] = { "" }, ["true"] = { "false" }, ["false"] = { "true" },
  },
}

local is_word = { ["return"] = true, ["break"] = true, ["goto"] = true, ["local"] = true, ["until"] = true }

-- Whether brackets close in it that it opened, and no others.
local function is_whole(text)
  local rest, count = text, 1
  while count > 0 do rest, count = rest:gsub("%b()", ""):gsub("%b[]", ""):gsub("%b{}", "") end
  return not rest:find "[%[%](){}]" and not rest:find "%f[%w_]function%f[^%w_]"
end

-- The part of a line that is a statement, by language: { its pattern, with empty captures around what is replaced; what
-- stands there instead; what it is called }.
local STATEMENTS = {
  lua = {
    { "^%s*()[%a_][%w_.:%[%]]*%s*%b()()%s*$", "", "dropped" },
    { "^%s*()[%a_][%w_.%[%]]*%s*=[^=,].*[^,%s]()%s*$", "", "dropped" },
    { "%f[%w_]return%s+()[^%s].-()%s+end%s*$", "nil", "returns" },
    { "%f[%w_]return%s+()[^%s].-()%s*$", "nil", "returns" },
  },
  c = {
    { "^%s*()[%a_][%w_.>%-]*%b();()%s*$", ";", "dropped" },
    { "^%s*()%(void%)[%a_][%w_.>%-]*%b();()%s*$", ";", "dropped" },
    { "^%s*()%*?[%a_][%w_.>%[%]+*-]*%s[|&]?=%s.*;()%s*$", ";", "dropped" },
    { "%f[%w_]return%s+()[^%s].-();%s*$", "0", "returns" },
  },
}
local OTHER = { ["nil"] = "true", ["0"] = "1", ["false"] = nil, ["true"] = nil, NULL = nil }
local PLAIN = { ["false"] = true, ["true"] = true, NULL = true }

local function statements(language, source, code, add)
  local at = 1
  for line in (code .. "\n"):gmatch("([^\n]*)\n") do
    for _, statement in ipairs(STATEMENTS[language]) do
      local from, to = line:match(statement[1])
      local text = from and line:sub(from, to - 1)
      if from and is_whole(text) and not is_word[text:match("^[%a_]*")] and not PLAIN[text] then
        local whole, new = source:sub(at + from - 1, at + to - 2), statement[2]
        if new == whole then new = OTHER[new] end
        add(at + from - 1, at + to - 2, new, statement[3] == "dropped" and "dropped" or "returns " .. new)
        break
      end
    end
    at = at + #line + 1
  end
end

local function signs(language, code, add)
  local swaps, at = SWAPS[language], 1
  while at <= #code do
    local text = code:match("^[%a_][%w_]*", at) or code:match("^%.?%d[%w.]*", at) or
                 code:match("^%-[%->]", at) or code:match("^[-+<>=~!|&]+", at) or code:sub(at, at)
    local number = text:match("^%d%d?%d?$") and tonumber(text)
    local news = number and { tostring(number + 1), number > 0 and tostring(number - 1) or nil } or
                 swaps[text] or COMPARISONS[text] or {}
    for _, new in ipairs(news) do
      add(at, at + #text - 1, new, new == "" and "without " .. text or text .. " -> " .. new)
    end
    at = at + #text
  end
end

local function line_at(source, at)
  local number, first = 1, 1
  for after in source:sub(1, at - 1):gmatch "\n()" do number, first = number + 1, after end
  return number, source:match("^%s*([^\n]*)", first):match("^(.-)%s*$")
end

return function(source, language)
  local code, points, seen = mask[language](source), {}, {}
  local function add(from, to, new, what)
    local line, text = line_at(source, from)
    -- The same change twice in a line: the second one says so.
    local name = line .. what
    seen[name] = (seen[name] or 0) + 1
    what = what .. (seen[name] > 1 and (" (%d)"):format(seen[name]) or "")
    points[#points + 1] = { line = line, text = text, from = from, to = to, new = new, what = what }
  end
  signs(language, code, add)
  statements(language, source, code, add)
  return points
end
