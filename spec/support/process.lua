-- What specs of a process ask: what this Lua and this machine have, and what the process holds open.

local lfs = require "lfs"

local process = {
  compile = loadstring or load, -- luacheck: ignore 113 143 (5.1's name)
  has_posix = (pcall(require, "posix.unistd")),
}
process.closes_variables = process.compile("local x <close> = nil") ~= nil

local function count_files()
  local count = 0
  for _ in lfs.dir("/proc/self/fd") do count = count + 1 end
  return count
end

-- Without those of handles that earlier tests let go.
function process.open_files()
  collectgarbage()
  collectgarbage()
  return count_files()
end

-- The most that were ever open, `use` having been called so often. What it lets go is the collector's to find.
function process.most_open_files(times, use)
  local most = 0
  for _ = 1, times do
    use()
    most = math.max(most, count_files())
  end
  return most
end

return process
