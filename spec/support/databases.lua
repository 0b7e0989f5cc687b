-- Databases for the specs, and what the sqlite3 command says of them: it is the judge, and shares no code of ours.

local sqlite = require "alipayhk.sqlite"
local shell = require "spec.support.shell"

local databases = {}

-- The path of one that is not there yet, in a directory of its own.
function databases.path(name) return shell.directory() .. "/" .. (name or "orders.db") end

function databases.write(db, sql)
  assert(db:lock())
  assert(db:execute(sql))
  assert(db:unlock())
end

-- One that is open, with the tables of `sql`: the handle and its path.
function databases.open(sql, options)
  local path = databases.path()
  local db = assert(sqlite.open(path, options))
  if sql then databases.write(db, sql) end
  return db, path
end

-- Writes over a part of a file.
function databases.overwrite(path, at, bytes)
  local file = assert(io.open(path, "r+b"))
  file:seek("set", at)
  file:write(bytes)
  file:close()
end

function databases.command(path, sql) return ("sqlite3 %s %s"):format(shell.quote(path), shell.quote(sql)) end

-- What the judge says, without the last newline.
function databases.judge(path, sql) return (shell.must(databases.command(path, sql)):gsub("\n$", "")) end

return databases
