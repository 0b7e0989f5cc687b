-- What specs of a process ask: what this Lua and this machine have, and what the process holds open.

local lfs = require "lfs"

local process = {
  compile = loadstring or load, -- luacheck: ignore 113 143 (5.1's name)
  has_posix = (pcall(require, "posix.unistd")),
}
process.closes_variables = process.compile("local x <close> = nil") ~= nil

-- Without those of handles that earlier tests let go.
function process.open_files()
  local count = 0
  collectgarbage()
  collectgarbage()
  for _ in lfs.dir("/proc/self/fd") do count = count + 1 end
  return count
end

return process
