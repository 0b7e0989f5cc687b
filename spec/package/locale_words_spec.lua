-- Nothing in the library asks the C library for the locale: see lua/alipayhk/base/text.lua. Read off its sources.

local shell = require "spec.support.shell"
local tokens_of = require "spec.support.sources.lua_tokens"

-- A literal that is a format, though it cannot be seen where it stands: its file, and how it begins.
local FORMATS = {
  ["lua/alipayhk/transport/dial.lua"] = "it is for another name",
}

local LOCAL_CLASS = "%%[acglpsuwACGLPSUW]"

local function files()
  return shell.must("find lua gateway -name '*.lua' | sort"):gmatch("[^\n]+")
end

local function text_at(tokens, i)
  return tokens[i] and tokens[i][2]
end

-- The index behind the bracket that closes around a token.
local function behind_bracket(tokens, i)
  local depth = 0
  for k = i, #tokens do
    if tokens[k][1] == "sign" and tokens[k][2] == "(" then depth = depth + 1 end
    if tokens[k][1] == "sign" and tokens[k][2] == ")" then
      depth = depth - 1
      if depth < 0 then return k + 1 end
    end
  end
  return #tokens + 1
end

-- The name that a literal is given to, where it is a statement's first: `name = "..."`.
local function name_of(tokens, i)
  return text_at(tokens, i - 1) == "=" and tokens[i - 2][1] == "name" and tokens[i - 2][2] or nil
end

local function is_only_formatted(tokens, name)
  local is_used = false
  for i, token in ipairs(tokens) do
    if token[1] == "name" and token[2] == name and text_at(tokens, i + 1) ~= "=" then
      if text_at(tokens, i + 1) ~= ":" or text_at(tokens, i + 2) ~= "format" then return false end
      is_used = true
    end
  end
  return is_used
end

local function is_date(tokens, i)
  return text_at(tokens, i - 2) == "date" and tokens[i][2]:find("^!?[-%%YmdHMST: ]+$") ~= nil
end

-- Functions of the command that format what they are given.
local FORMATTERS = { line = true, say = true, usage = true, unknown = true, refused = true, add = true, write = true }

-- The name of the function in whose call a token stands.
local function called_with(tokens, i)
  local depth = 0
  for k = i - 1, 2, -1 do
    if tokens[k][2] == ")" then depth = depth + 1 end
    if tokens[k][2] == "(" then depth = depth - 1 end
    if depth < 0 then return tokens[k - 1][2] end
  end
end

-- What is formatted uses no classes of patterns, %s and the like mean something else there.
local function is_format(file, tokens, i)
  local k = behind_bracket(tokens, i)
  if text_at(tokens, k) == ":" and text_at(tokens, k + 1) == "format" then return true end
  local name = name_of(tokens, i)
  if name and is_only_formatted(tokens, name) or is_date(tokens, i) then return true end
  if file:find("^lua/alipayhk/cli/") and FORMATTERS[called_with(tokens, i)] then return true end
  return FORMATS[file] ~= nil and tokens[i][2]:find(FORMATS[file], 1, true) == 1
end

local faults = {}

function faults.string(file, tokens, i)
  local content = tokens[i][2]:gsub("%%%%", "")
  if content:find(LOCAL_CLASS) and not is_format(file, tokens, i) then
    return "a pattern with a class that the locale decides: write the set"
  end
end

function faults.name(_, tokens, i)
  local name, before = tokens[i][2], text_at(tokens, i - 1)
  local is_string_s = before == ":" or before == "." and text_at(tokens, i - 2) == "string"
  if (name == "lower" or name == "upper") and is_string_s then
    return "lower and upper go by the locale: alipayhk.base.text has others"
  end
  if name == "setlocale" then return "the locale is the user's" end
end

function faults.number(_, tokens, i)
  if tokens[i][2]:find(".", 1, true) then
    return "Lua reads no number with a point where the locale's has two bytes: write 1 / 2"
  end
end

function faults.sign() end

local function faults_in(file, source)
  local found, tokens = {}, tokens_of(source)
  for i, token in ipairs(tokens) do
    local message = faults[token[1]](file, tokens, i)
    if message then found[#found + 1] = ("%s:%d: %s: %s"):format(file, token[3], token[2], message) end
  end
  return found
end

describe("the sources", function()
  for file in files() do
    it("ask no locale: " .. file, function()
      assert.same({}, faults_in(file, shell.read(file)))
    end)
  end
end)

describe("this spec finds", function()
  local FOUND = {
    [[x:find("^%s*$")]], [[x:match("[%w_]+")]], [[local BLANK = "%s"; x:gsub(BLANK, "")]], [[find(x, '%c')]],
    [[local A = "%a" print(A:format(5)) x:find(A)]], [==[x:find [[%u]]]==], [[x:find("%" .. "%l")]], [[x:lower()]],
    [[string.upper(x)]], [[y = 0.5]], [[y = .5]], [[y = 1.]], [[y = 1.5e3]], [[os.date("%a, %d %b %Y")]],
    [[os.date("%c")]],
    [[os.setlocale("C")]], [[x:find(("%%%s"):rep(2))]], "x = 1\n-- comment\n\ny = 0.5",
  }
  local PASSED = {
    [[x = ("%s is %c"):format(a, b)]], [[x = ("%s" .. " and %s"):format(a, b)]], [[local F = "%s" return F:format(a)]],
    [[x:find("^%d+%.%x$")]], [[x:find("100%%s")]], [[text.lower(x)]], [[local lower = text.lower]], [[y = 1 / 2]],
    [[y = 1e14]], [[y = 0xFF]], [[y = a.b .. c]], [[-- "%s" 0.5]], "--[[ x:lower() 0.5 ]]", [[y = "0.5"]],
    [[os.date("!%Y-%m-%dT%H:%M:%S", t)]], [[y = x[1][2] ]], [[y = "a\"%"]],
  }
  for _, source in ipairs(FOUND) do
    it(("a fault in `%s`"):format(source), function() assert.equal(1, #faults_in("x.lua", source)) end)
  end
  for _, source in ipairs(PASSED) do
    it(("none in `%s`"):format(source), function() assert.same({}, faults_in("x.lua", source)) end)
  end
end)
