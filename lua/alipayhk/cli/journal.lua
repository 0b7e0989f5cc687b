-- What of some files AlipayHK has accepted, in a file of its own: a second run passes it over.
--
-- The first line says whose journal it is, as JSON. Each line after it is the mark of a payload that was accepted: a
-- digest, as often as that content was accepted. A line is written in one go. One that was torn all the same, as the
-- disk was full or the process was killed, is no mark unless all of its digits are there, and the next one begins a
-- line of its own.

local core = require "alipayhk.core"
local digest = require "alipayhk.cli.digest"
local failure = require "alipayhk.cli.failure"
local json = require "alipayhk.base.json"
local text = require "alipayhk.base.text"

local journal = {}

-- Another layout gets another number.
local FORMAT = 1
-- A first line is shorter.
local HEAD_MAX = 65536
local PATH_MAX = 4096

-- ---- its text ----------------------------------------------------------------------------------------

-- What `owner` says, in the order in which a message compares it.
local OWNER = { "client_id", "address", "files" }

local function shown(value)
  return type(value) == "table" and table.concat(value, ", ") or tostring(value)
end

-- The first line, without its end. `owner`: `client_id`; `address`, where it sends to; `files`, a list of paths.
function journal.head(owner)
  local members = { ('"alipayhk":"send","format":%d'):format(FORMAT) }
  for _, name in ipairs(OWNER) do
    members[#members + 1] = ('"%s":%s'):format(name, json.encode({ owner[name] }):sub(2, -2))
  end
  return "{" .. table.concat(members, ",") .. "}"
end

-- A message where a first line is not that of `owner`.
function journal.head_fault(line, owner)
  local head = json.decode_object(line)
  if not head or head.alipayhk ~= "send" then return "it is no journal of this command: name another file" end
  if head.format ~= FORMAT then return "a later version of alipayhk has made it: upgrade, or name another file" end
  for _, name in ipairs(OWNER) do
    local theirs, ours = shown(head[name]), shown(owner[name])
    if theirs ~= ours then
      return ("it is the journal of another %s: of %s, not of %s; name another file"):format(
        name == "files" and "input" or name, text.shown(theirs, 400), text.shown(ours, 400))
    end
  end
end

-- How often each mark stands in what follows the first line.
function journal.marks(content)
  local marks = {}
  for line in content:gmatch("[^\n]+") do
    if #line == digest.DIGITS and line:find("^%x+$") then marks[line] = (marks[line] or 0) + 1 end
  end
  return marks
end

-- A path from the root on: the same file has the same name, whatever folder the command runs in.
function journal.full_path(path, folder)
  if path == "-" then return path end
  if path:sub(1, 1) ~= "/" then path = folder .. "/" .. path end
  local names = {}
  for name in path:gmatch("[^/]+") do
    if name == ".." then
      names[#names] = nil
    elseif name ~= "." then
      names[#names + 1] = name
    end
  end
  return text.shown("/" .. table.concat(names, "/"), PATH_MAX)
end

-- ---- the file ----------------------------------------------------------------------------------------

local Journal = {}
Journal.__index = Journal

local function fail(path, message)
  failure.usage("--journal: %s: %s", path, message)
end

local function exists(path)
  local file = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil
end

-- What is in it: the first line, nil where it has none that is whole; and what follows that.
local function read(path)
  local file, message = io.open(path, "rb")
  if not file then failure.usage("--journal: %s", message) end
  local begin, fault = file:read(HEAD_MAX)
  if fault then fail(path, fault) end
  local head, rest = (begin or ""):match("^([^\n]*)\n(.*)$")
  if head then rest = rest .. (file:read("*a") or "") end
  file:close()
  return head, rest or begin or ""
end

-- Opens it for writing. `content`: what is in it.
local function open_file(path, mode, content)
  local file, message = io.open(path, mode)
  if not file then failure.usage("--journal: %s", message) end
  file:setvbuf("no") -- a line is one write, and nothing stays behind
  if content ~= "" and content:sub(-1) ~= "\n" then
    local written, fault = file:write("\n")
    if not written then fail(path, fault) end
  end
  return file
end

local function begin_file(path, head)
  local file = open_file(path, "wb", "")
  local written, message = file:write(head .. "\n")
  if not written then fail(path, message) end
  return file
end

local function lock(path)
  local held, message = core.lock_file(path)
  if held == nil then failure.usage("--journal: %s", message) end
  if not held then fail(path, "another run writes it: wait until that has ended") end
  return held
end

-- Opens the journal of `owner`, or begins one. `is_looking`: nothing is written, and nobody kept away.
function journal.open(path, owner, is_looking)
  local self = setmetatable({ path = path, marks = {} }, Journal)
  if is_looking and not exists(path) then return self end
  self.lock = not is_looking and lock(path) or nil
  local expected = journal.head(owner)
  local head, content = read(path)
  local is_new = not head and expected:sub(1, #content) == content -- or the first line of one was torn
  local message = not is_new and journal.head_fault(head or content, owner)
  if message then
    self:close()
    fail(path, message)
  end
  if not is_new then self.marks = journal.marks(content) end
  if is_looking then return self end
  self.file = is_new and begin_file(path, expected) or open_file(path, "ab", content)
  return self
end

-- Whether nothing was accepted before.
function Journal:is_empty()
  return next(self.marks) == nil
end

-- A function that is asked for each payload's mark, in the order of the files, and says whether it was accepted before.
function Journal:reader()
  local marks, used = self.marks, {}
  return function(mark)
    local count = (used[mark] or 0) + 1
    if count > (marks[mark] or 0) then return false end
    used[mark] = count
    return true
  end
end

-- Notes that a payload was accepted: true; or nil and a message.
function Journal:note(mark)
  local written, message = self.file:write(mark .. "\n")
  if written then return true end
  return nil, ("--journal: %s: %s"):format(self.path, message)
end

function Journal:close()
  if self.file then self.file:close() end
  if self.lock then self.lock:close() end
end

return journal
