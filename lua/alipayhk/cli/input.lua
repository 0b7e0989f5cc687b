-- Reads payloads from files, or from standard input: one JSON object a line, objects that stand on several lines, and
-- lists of them, one after the other. Of a file no more is held than one payload.

local failure = require "alipayhk.cli.failure"
local json = require "alipayhk.base.json"
local json_place = require "alipayhk.cli.json_place"
local platform = require "alipayhk.api.platform"

local input = {}

local BLOCK = 65536
-- A read that a signal has ended: whoever catches signals wants to end.
local EINTR = 4

-- ---- lines -------------------------------------------------------------------------------------------

local Lines = {}
Lines.__index = Lines

-- The next block becomes what is at hand; false at the end.
local function read_block(self)
  local block, message, code = self.file:read(BLOCK)
  if message and code ~= EINTR then failure.usage("%s: %s", self.name, message) end
  self.is_interrupted = message ~= nil
  self.before = self.before + #self.block
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

-- A member of an object that has not begun.
local function is_headless(line)
  return line:find('^\239?\187?\191?[ \t]*"[^"]*"[ \t]*:') ~= nil
end

local HEADLESS = "not JSON: it begins with a member of an object: is the { before it missing?"

-- Passes over the rest of such an object.
local function pass_headless(lines, line)
  local depth = depth_of(line)
  while depth >= 0 do
    local following = lines:next()
    if not following then return end
    if following:sub(1, 1) == "{" then return lines:keep(following) end
    depth = depth + depth_of(following)
  end
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
  if is_headless(line) then
    pass_headless(lines, line)
    return "", number, HEADLESS
  end
  local given, bytes = read_on(lines, line)
  return given, number, bytes > platform.body_max and TOO_LONG or nil
end

-- ---- payloads ----------------------------------------------------------------------------------------

-- What a text is: a list of payloads; or nil and a message.
local function decode(given, number)
  local value, message = json.decode((given:gsub(",[ \t\r]*$", "")))
  if message then return nil, "not JSON: " .. json_place.named(message, given, number) end
  if json.is_object(value) then return { value } end
  if json.is_list(value) then return value end
  return nil, "expected a JSON object, found a " .. type(value)
end

-- Gives one entry for each payload of a text: how many there are.
local function give(name, number, payloads)
  for _, payload in ipairs(payloads) do
    local is_object = json.is_object(payload)
    coroutine.yield {
      file = name, line = number, payload = is_object and payload or nil,
      message = not is_object and "expected a JSON object, found a " .. type(payload) or nil,
    }
  end
  return #payloads
end

-- A file with nothing in it is no success: whatever was to write it did not.
local function read_file(lines)
  local name, count = lines.name, 0
  local given, number, fault = next_text(lines)
  while given do
    local payloads, message
    if not fault then payloads, message = decode(given, number) end
    count = count + give(name, number, payloads or {})
    if fault or message then
      coroutine.yield { file = name, line = number, message = fault or message }
      count = count + 1
    end
    -- Where its lines are none, what follows is not worth a look.
    if fault and fault ~= HEADLESS then break end
    given, number, fault = next_text(lines)
  end
  if count == 0 and not lines.is_interrupted then coroutine.yield { file = name, message = "holds nothing" } end
end

-- ---- files -------------------------------------------------------------------------------------------

local Source = {}
Source.__index = Source

local STANDARD_INPUT = "-"

local function open(name)
  if name == STANDARD_INPUT then return io.stdin end
  local file, message = io.open(name, "rb")
  if not file then failure.usage("%s", message) end
  return file
end

local function new_lines(file, name)
  return setmetatable({ file = file, name = name, block = "", from = 1, before = 0, number = 0 }, Lines)
end

-- Looks where each begins, and where it ends. A pipe has neither.
local function measure(self)
  self.bytes = 0
  for i, file in ipairs(self.files) do
    local begin = file:seek()
    local ends = begin and file:seek("end")
    if ends then file:seek("set", begin) end
    self.begins[i] = ends and begin
    self.bytes = self.bytes and ends and self.bytes + ends - begin
  end
end

-- Files that are open. `bytes`: how many there are in all, nil where one of them cannot tell. Each is opened before the
-- first is read, so that a wrong name does not come to light after half of the work.
function input.open(names)
  local self = setmetatable({ names = names, files = {}, begins = {}, read_before = 0 }, Source)
  for i, name in ipairs(names) do self.files[i] = open(name) end
  measure(self)
  return self
end

-- How many bytes of all have been read, up to the payload that was given last.
function Source:position()
  local lines = self.lines
  return self.read_before + (lines and lines.before + lines.from - 1 or 0)
end

-- Where an entry stands.
function input.place(entry)
  return entry.line and ("%s:%d:"):format(entry.file, entry.line) or entry.file .. ":"
end

-- An iterator over the payloads of all of them: an entry `{ file, line, payload }`, or `{ file, line, message }` for
-- what is none; without `line` for a file that holds nothing.
function Source:payloads()
  self.read_before = 0
  return coroutine.wrap(function()
    for i, name in ipairs(self.names) do
      self.lines = new_lines(self.files[i], name)
      read_file(self.lines)
      self.read_before, self.lines = self:position(), nil
    end
  end)
end

-- A copy of what comes from a pipe, for this process alone; or nil and a message.
local function copy_of(file)
  local copy, message = io.tmpfile()
  local written = copy
  repeat
    local block = written and file:read(BLOCK)
    if block then written, message = copy:write(block) end
  until not block
  if written then written, message = copy:seek("set") end
  return written and copy, message
end

-- Has what cannot be read twice read to its end, so that it can.
function Source:keep()
  for i, file in ipairs(self.files) do
    if not self.begins[i] then
      local copy, message = copy_of(file)
      if not copy then
        failure.usage("%s: it has to be read twice, and cannot be kept meanwhile: %s; give a file", self.names[i],
          message)
      end
      self.files[i] = copy
    end
  end
  measure(self)
end

-- From their beginning again.
function Source:rewind()
  for i, file in ipairs(self.files) do file:seek("set", self.begins[i]) end
end

-- An iterator over the payloads of files, "-" for standard input.
function input.payloads(names)
  return input.open(names):payloads()
end

return input
