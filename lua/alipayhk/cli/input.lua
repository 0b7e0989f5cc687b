-- Reads payloads from files, or from standard input: one JSON object a line, objects that stand on several lines, and
-- lists of them, one after the other. Of a file no more is held than one payload.

local failure = require "alipayhk.cli.failure"
local json = require "alipayhk.base.json"
local platform = require "alipayhk.api.platform"

local input = {}

local BLOCK = 65536

-- ---- lines -------------------------------------------------------------------------------------------

local Lines = {}
Lines.__index = Lines

-- The next block becomes what is at hand; false at the end.
local function read_block(self)
  local block, message = self.file:read(BLOCK)
  if message then failure.usage("%s: %s", self.name, message) end
  self.block, self.from = block or "", 1
  return block ~= nil
end

-- The next line, nil at the end; and whether it is longer than a payload may be, and was cut.
function Lines:next()
  if self.kept then
    local line = self.kept
    self.kept = nil
    return line, false
  end
  local parts, bytes = {}, 0
  local ends
  repeat
    ends = self.block:find("\n", self.from, true)
    local part = self.block:sub(self.from, (ends or #self.block + 1) - 1)
    parts[#parts + 1], bytes = part, bytes + #part
    self.from = (ends or #self.block) + 1
  until ends or bytes > platform.body_max or not read_block(self)
  if not ends and bytes == 0 then return nil end
  self.number = self.number + 1
  return table.concat(parts), bytes > platform.body_max
end

-- The next call gives this line once more.
function Lines:keep(line)
  self.kept = line
end

-- ---- one text after the other ------------------------------------------------------------------------

-- How many brackets a line leaves open. A string ends where its line does.
local function depth_of(line)
  local bare = line:gsub("\\.", ""):gsub('"[^"]*"', "")
  local _, opened = bare:gsub("[{%[]", "")
  local _, closed = bare:gsub("[}%]]", "")
  return opened - closed
end

-- A list that stands on many lines is read payload by payload: its own brackets are passed over.
local function is_between(line)
  return line:find("^\239?\187?\191?[%[%],\t\r ]*$") ~= nil
end

-- What follows a line that leaves brackets open, up to the one that closes them; or up to one that begins with a brace,
-- which begins the next payload: this one is broken.
local function read_on(lines, line)
  local parts, depth, bytes = { line }, depth_of(line), #line
  while depth > 0 and bytes <= platform.body_max do
    local following = lines:next()
    if not following then break end
    if following:sub(1, 1) == "{" and line:sub(1, 1) == "{" then
      lines:keep(following)
      break
    end
    parts[#parts + 1] = following
    depth, bytes = depth + depth_of(following), bytes + #following
  end
  return table.concat(parts, "\n"), bytes
end

local TOO_LONG = ("expected at most %d bytes a payload: is it JSON, one object a line?"):format(platform.body_max)

-- The next text and the number of its first line, or that and what is wrong with it; nil at the end.
local function next_text(lines)
  local line, is_cut
  repeat line, is_cut = lines:next() until not line or not is_between(line)
  if not line then return nil end
  local number = lines.number
  if is_cut then return "", number, TOO_LONG end
  if line:find("%z") then return "", number, "expected JSON, found a binary file" end
  local given, bytes = read_on(lines, line)
  return given, number, bytes > platform.body_max and TOO_LONG or nil
end

-- ---- payloads ----------------------------------------------------------------------------------------

-- What a text is: a list of payloads; or nil and a message.
local function decode(given)
  local value, message = json.decode((given:gsub(",[ \t\r]*$", "")))
  if message then return nil, "not JSON: " .. message end
  if json.is_object(value) then return { value } end
  if json.is_list(value) then return value end
  return nil, "expected a JSON object, found a " .. type(value)
end

-- Gives one entry for each payload of a text.
local function give(name, number, payloads)
  for _, payload in ipairs(payloads) do
    local is_object = json.is_object(payload)
    coroutine.yield {
      file = name, line = number, payload = is_object and payload or nil,
      message = not is_object and "expected a JSON object, found a " .. type(payload) or nil,
    }
  end
end

local function read_file(file, name)
  local lines = setmetatable({ file = file, name = name, block = "", from = 1, number = 0 }, Lines)
  local given, number, fault = next_text(lines)
  while given do
    local payloads, message
    if not fault then payloads, message = decode(given) end
    give(name, number, payloads or {})
    if fault or message then coroutine.yield { file = name, line = number, message = fault or message } end
    -- Where its lines are none, what follows is not worth a look.
    if fault then break end
    given, number, fault = next_text(lines)
  end
end

local STANDARD_INPUT = "-"

local function open(name)
  if name == STANDARD_INPUT then return io.stdin end
  local file, message = io.open(name, "rb")
  if not file then failure.usage("%s", message) end
  return file
end

-- An iterator over the payloads of files, "-" for standard input: an entry `{ file, line, payload }`, or
-- `{ file, line, message }` for what is none. Each file is opened before the first is read, so that a wrong name does
-- not come to light after half of the work.
function input.payloads(names)
  local files = {}
  for i, name in ipairs(names) do files[i] = open(name) end
  return coroutine.wrap(function()
    for i, name in ipairs(names) do
      read_file(files[i], name)
      if name ~= STANDARD_INPUT then files[i]:close() end
    end
  end)
end

return input
