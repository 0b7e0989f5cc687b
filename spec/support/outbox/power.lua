-- A disk whose power fails. It is told what a process did to a database (see spec/support/programs/disk.c), and makes
-- of it what a power cut may leave: all that was synced; of what was written to a file since it was last synced a
-- random choice of the sectors; of files that were made and removed since the directory was last synced a random first
-- part.

local power = {}

local SECTOR = 512

local Disk = {}
Disk.__index = Disk

-- ---- the log ---------------------------------------------------------------------------------------

-- The operations of a log, a function that gives one after the other: `{ name, file, offset, bytes }`; of a mark `file`
-- is its word and `offset` the id.
function power.operations(path)
  local log = assert(io.open(path, "rb"))
  return function()
    local line = log:read "*l"
    if not line then
      log:close()
      return nil
    end
    local name, file, offset, length = line:match("^(%l+) (%S+) (%S+) (%d+)$")
    length = tonumber(length)
    return { name = name, file = file, offset = tonumber(offset), id = offset,
      bytes = length > 0 and log:read(length) or "" }
  end
end

-- ---- files -----------------------------------------------------------------------------------------

-- The content of a file after an operation.
local function changed(content, operation)
  local offset = operation.offset
  if #content < offset then content = content .. ("\0"):rep(offset - #content) end
  if operation.name == "truncate" then return content:sub(1, offset) end
  return content:sub(1, offset) .. operation.bytes .. content:sub(offset + #operation.bytes + 1)
end

-- Writes a file as a cut leaves it. `lasts()`: whether a sector, or a new size, got onto the disk.
local function write_remains(path, file, lasts)
  local content = file.content
  local out = assert(io.open(path, "w+b"))
  out:write(content)
  for _, operation in ipairs(file.pending) do
    local at, bytes = operation.offset, operation.bytes
    if operation.name == "truncate" and lasts() then
      out:seek "set"
      content = changed(out:read "*a", operation)
      out:close()
      out = assert(io.open(path, "w+b"))
      out:write(content)
    end
    while #bytes > 0 do
      local length = SECTOR - at % SECTOR
      if lasts() then
        out:seek("set", at)
        out:write(bytes:sub(1, length))
      end
      at, bytes = at + length, bytes:sub(length + 1)
    end
  end
  out:close()
end

-- ---- the disk --------------------------------------------------------------------------------------

function power.disk()
  return setmetatable({
    files = {},   -- by name, as the process sees them: `{ content, pending }`, what is synced and what was done since
    names = {},   -- the same, as they are on the disk
    changes = {}, -- since that: `{ name, file }`; without a file: removed
  }, Disk)
end

-- The first `count` of the changes of names.
local function apply_changes(self, names, count)
  for i = 1, count do names[self.changes[i].name] = self.changes[i].file end
end

local function keep_changes(self, count)
  apply_changes(self, self.names, count)
  for _ = 1, count do table.remove(self.changes, 1) end
end

local function change(self, name, file)
  self.files[name] = file
  self.changes[#self.changes + 1] = { name = name, file = file }
end

local act = {}

function act.create(self, operation) change(self, operation.file, { content = "", pending = {} }) end

function act.unlink(self, operation) change(self, operation.file, nil) end

function act.syncdir(self) keep_changes(self, #self.changes) end

function act.write(self, operation)
  local pending = self.files[operation.file].pending
  pending[#pending + 1] = operation
end

act.truncate = act.write

-- What is synced is there, by its name.
function act.sync(self, operation)
  local file = self.files[operation.file]
  for _, done in ipairs(file.pending) do file.content = changed(file.content, done) end
  file.pending = {}
  for i = #self.changes, 1, -1 do
    if self.changes[i].file == file then return keep_changes(self, i) end
  end
end

-- Does an operation, of any but a mark.
function Disk:act(operation) act[operation.name](self, operation) end

local SUFFIXES = { db = "", journal = "-journal", wal = "-wal" }

-- How much of what was not synced is there after a cut: in some none, or all of it.
local function lasting(cut)
  local share = ({ 0, 1, 0.5, 0.9, 0.1 })[cut % 5 + 1]
  return function() return math.random() < share end
end

-- Writes what the cut with that number leaves of a database, to `path` and beside it.
function Disk:cut(path, cut)
  local names, lasts = {}, lasting(cut)
  for name, file in pairs(self.names) do names[name] = file end
  apply_changes(self, names, cut % 2 == 0 and math.random(0, #self.changes) or #self.changes)
  for name, file in pairs(names) do write_remains(path .. SUFFIXES[name], file, lasts) end
end

return power
