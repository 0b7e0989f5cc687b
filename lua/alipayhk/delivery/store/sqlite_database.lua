-- A database of SQLite as the store uses it: its statements, prepared when they are first needed; transactions under
-- the writers' lock; and faults, which are thrown inside and returned outside.

local statements = require "alipayhk.delivery.store.sqlite_statements"

-- What the codes of alipayhk.sqlite are to a store, the longer name first: the code, and whether later may help.
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
  { "SQLITE_IOERR", "failed", true },
  { "SQLITE_NOMEM", "failed", true },
}

local Fault = {}

local function new_fault(code, message, is_retryable)
  return setmetatable({ code = code, message = message, is_retryable = is_retryable }, Fault)
end

local function fault_of(message, code)
  for _, row in ipairs(CODES) do
    if code:sub(1, #row[1]) == row[1] then return new_fault(row[2], message, row[3]) end
  end
  return new_fault("failed", message, false)
end

local function check(result, second, code)
  if result == nil then error(fault_of(second, code), 0) end
  return result, second
end

local Database = {}
Database.__index = Database

-- Runs `work` with the arguments: what it returns; or nil and the fault that it threw.
local function attempt(work, ...)
  local ran, result = pcall(work, ...)
  if ran then return result end
  if getmetatable(result) ~= Fault then error(result, 0) end
  return nil, result
end

local function new(handle, path)
  return setmetatable({ handle = handle, path = path, prepared = {} }, Database)
end

-- ---- inside: these throw -------------------------------------------------------------------------

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

-- The first row that it gives; false for none.
function Database:first(name, ...)
  return check(statement(self, name):first(...))
end

-- All of them.
function Database:all(name, ...)
  return check(statement(self, name):all(...))
end

function Database:fail(code, message, is_retryable)
  error(new_fault(code, self.path .. ": " .. message, is_retryable), 0)
end

-- For what alipayhk.sqlite gave: the result, or its fault.
Database.check = check

-- ---- outside -------------------------------------------------------------------------------------

Database.attempt = attempt

local function committed(self, work, ...)
  self:run "begin"
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
  if ran then return result end
  return attempt(error, result, 0)
end

return { new = new, fault_of = fault_of, attempt = attempt }
