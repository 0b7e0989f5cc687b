-- Types as annotations write them: where one ends, what it is made of.

local type_text = {}

-- The index behind a bracket, a name or a quoted word that begins at `at`; nil where none does.
local function behind_atom(text, at)
  for _, pattern in ipairs { '^"[^"]*"()', "^%b{}()", "^%b()()", "^[%a_][%w_.]*%b<>()", "^[%a_][%w_.]*()", "^%d+()" } do
    local behind = text:match(pattern, at)
    if behind then return behind end
  end
end

local behind_union

-- Behind the types that a `fun(...)` returns; each may have a name.
local function behind_results(text, at)
  local behind = at
  repeat
    behind = behind_union(text, text:match("^ *[%a_][%w_]*: *()", behind) or text:match("^ *()", behind))
    local comma = behind and text:match("^,()", behind)
    if comma then behind = comma end
  until not comma
  return behind
end

local function behind_unit(text, at)
  local behind = text:match("^fun%b()()", at)
  if behind then
    local colon = text:match("^:()", behind)
    return colon and behind_results(text, colon) or behind
  end
  behind = behind_atom(text, at)
  local suffix = behind
  while suffix do
    behind = suffix
    suffix = text:match("^%[%]()", behind) or text:match("^%?()", behind)
  end
  return behind
end

function behind_union(text, at)
  local behind = behind_unit(text, at)
  local bar = behind and text:match("^ *| *()", behind)
  return bar and behind_union(text, bar) or behind
end

-- A type and what stands behind it.
function type_text.split(text)
  local behind = behind_union(text, 1)
  if not behind then return nil end
  local rest = text:sub(behind)
  if rest ~= "" and not rest:find("^ ") then return nil end
  return text:sub(1, behind - 1), (rest:gsub("^ +", ""))
end

-- The alternatives of a union.
function type_text.alternatives(text)
  local list, at = {}, 1
  while at do
    local behind = behind_unit(text, at)
    list[#list + 1] = text:sub(at, behind - 1)
    at = text:match("^ *| *()", behind)
  end
  return list
end

-- Cut into pieces, each with whether it is the name of one of ours.
function type_text.pieces(text)
  local list, at = {}, 1
  while at <= #text do
    local first, last = text:find("alipayhk[%w_.]*", at)
    if (first or #text + 1) > at then list[#list + 1] = { text:sub(at, (first or #text + 1) - 1), false } end
    if first then list[#list + 1] = { text:sub(first, last), true } end
    at = last and last + 1 or #text + 1
  end
  return list
end

return type_text
