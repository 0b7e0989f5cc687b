-- A database of SQLite as the store uses it: its statements, prepared when they are first needed; transactions under
-- the writers' lock; and faults, which are thrown inside and returned outside.

local rows = require "alipayhk.delivery.store.sqlite_rows"
local schema = require "alipayhk.delivery.store.sqlite_schema"
local statements = require "alipayhk.delivery.store.sqlite_statements"

-- What the codes of alipayhk.sqlite are to a store: the code, and whether later may help. The first row whose name a
-- code begins with stands for it.
local CODES = {
  { "SQLITE_READONLY_DBMOVED", "gone", false },
  { "SQLITE_READONLY", "denied", false },
  { "SQLITE_PERM", "denied", false },
  { "SQLITE_CANTOPEN", "gone", false },
  { "SQLITE_FULL", "full", true },
  { "SQLITE_CORRUPT", "damaged", false },
  { "SQLITE_NOTADB", "damaged", false },
  { "SQLITE_MISMATCH", "foreign", false },
  { "FOREIGN", "foreign", false },
  { "SQLITE_BUSY", "locked", true },
  { "LOCKED", "locked", true },
  { "DESCRIPTORS", "failed", true },
  { "SQLITE_IOERR", "failed", true },
  { "SQLITE_NOMEM", "failed", true },
  { "", "failed", false },
}

-- ---- faults --------------------------------------------------------------------------------------

local Fault = {}

local function new_fault(code, message, is_retryable)
  return setmetatable({ code = code, message = message, is_retryable = is_retryable }, Fault)
end

-- The fault for what alipayhk.sqlite said.
local function fault_of(message, code)
  for _, row in ipairs(CODES) do
    if code:sub(1, #row[1]) == row[1] then return new_fault(row[2], message, row[3]) end
  end
end

-- What alipayhk.sqlite gave, or its fault is thrown.
local function check(result, second, code)
  if result == nil then error(fault_of(second, code), 0) end
  return result, second
end

-- What pcall gave: the result; or nil and the fault that was thrown. What else was thrown is thrown on.
local function caught(ran, result)
  if ran then return result end
  if getmetatable(result) ~= Fault then error(result, 0) end
  return nil, result
end

-- ---- inside: these throw -------------------------------------------------------------------------

local Database = {}
Database.__index = Database

-- `handle`: of alipayhk.sqlite.
local function new(handle, path)
  return setmetatable({ handle = handle, path = path, prepared = {} }, Database)
end

local function statement(self, name)
  local prepared = self.prepared[name]
  if not prepared then
    prepared = check(self.handle:prepare(statements[name]))
    self.prepared[name] = prepared
  end
  return prepared
end

-- Runs a statement by its name: how many rows it changed, and the number of the last one that was added.
function Database:run(name, ...)
  return check(statement(self, name):run(...))
end

local function checked(self, name, row)
  local column = rows.fault(name, row)
  if column then self:fail_damaged(("a value of `%s` is none that was written there"):format(column)) end
  return row
end

-- The first row that it gives; false for none.
function Database:first(name, ...)
  local row = check(statement(self, name):first(...))
  return row and checked(self, name, row)
end

-- All of them.
function Database:all(name, ...)
  local found = check(statement(self, name):all(...))
  for _, row in ipairs(found) do checked(self, name, row) end
  return found
end

-- Sees to it that there is ballast, which is given up when the disk is full: false where it is full already. A file
-- system that cannot keep room, as it compresses, is used without.
function Database:has_ballast(bytes)
  local done, message, code = self.handle:ballast(bytes)
  if done or fault_of(message, code).code ~= "full" then return true end
  return false, fault_of(message, code)
end

-- Throws a fault: `words` say what is wrong with the file, and what to do.
function Database:fail(code, words)
  error(new_fault(code, ("%s: %s"):format(self.path, words), false), 0)
end

-- The same for bytes that were changed by somebody else.
function Database:fail_damaged(words)
  self:fail("damaged", words .. ": the file is damaged; restore a copy")
end

-- Where the file is of a version that this code does not know: it may have become so since it was opened.
function Database:check_version()
  local version = self:first("version").user_version
  local message = schema.fault(version)
  if message then self:fail("newer", message) end
  return version
end

-- Brings the tables to this version.
function Database:migrate()
  local sql = schema.migration(self:check_version())
  if sql then check(self.handle:execute(sql)) end
end

-- ---- outside: these give nil and a fault -----------------------------------------------------------

-- Runs `work` with the arguments.
function Database.attempt(_, work, ...)
  return caught(pcall(work, ...))
end

local function committed(self, work, ...)
  self:run "begin"
  self:check_version()
  local result = work(...)
  self:run "commit"
  return result
end

-- Runs `work` as a transaction, under the lock that all who write to the file hold. What is thrown undoes it.
function Database:transact(work, ...)
  local locked, message, code = self.handle:lock()
  if not locked then return nil, fault_of(message, code) end
  local ran, result = pcall(committed, self, work, ...)
  self.handle:unlock() -- undoes what is open
  return caught(ran, result)
end

return { new = new, fault_of = fault_of, check = check }
