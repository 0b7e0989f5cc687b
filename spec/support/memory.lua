-- A process of its own whose memory another one, this, looks through.
--
--     local target = memory.start("5.4", chunk, arguments)
--     target:until_("open")           it has called stage("open"), and waits
--     target:counts { name = bytes }  how often they are in its memory
--     target:finish()                 it has ended well
--
-- The chunk gets the arguments; beside them it has `stage(name)`, and `secret(path)` of cleansing_host.c.

local nginx = require "spec.support.servers.nginx"
local shell = require "spec.support.shell"

local memory = {}

local PACKAGES = { ["5.4"] = "lua5.4", luajit = "luajit" }
local BUILD = "cc -std=c11 -D_GNU_SOURCE -Wall -Werror -O1 $(pkg-config --cflags %s) -o %s "
  .. "spec/support/programs/cleansing_host.c $(pkg-config --libs %s)"

-- Where it is, and that it waits there.
local PRELUDE = [[
local stages = ...
local function stage(name)
  collectgarbage() collectgarbage()
  local file = assert(io.open(stages, "w"))
  file:write(name, "\n")
  file:close()
  io.read()
end
]]

local hosts = {}

local function host_of(lua)
  if not hosts[lua] then
    hosts[lua] = shell.directory() .. "/cleansing_host"
    shell.must(BUILD:format(PACKAGES[lua], shell.quote(hosts[lua]), PACKAGES[lua]))
  end
  return hosts[lua]
end

local Target = {}
Target.__index = Target

-- Starts a chunk under that Lua.
function memory.start(lua, chunk, arguments)
  local directory = shell.directory()
  local self = setmetatable({ stages = directory .. "/stages", pid = nil, log = directory .. "/log" }, Target)
  shell.write(directory .. "/chunk.lua", PRELUDE .. chunk)
  local words = { shell.quote(host_of(lua)), shell.quote(directory .. "/chunk.lua"), shell.quote(self.stages) }
  for _, word in ipairs(arguments) do words[#words + 1] = shell.quote(word) end
  local line = ('eval "$(make -s env LUA=%s)"; echo $$ > %s/pid; exec %s > %s 2>&1'):format(lua, directory,
    table.concat(words, " "), self.log)
  self.pipe = assert(io.popen("exec sh -c " .. shell.quote(line), "w"))
  self.pid = nginx.await(20, function() return (shell.read(directory .. "/pid") or ""):match("%d+") end)
  return self
end

-- Has it go on, if it waits, until it is at that stage.
function Target:until_(name)
  if self.waits == name then return end
  if self.waits then
    os.remove(self.stages)
    self.pipe:write("\n")
    self.pipe:flush()
  end
  self.waits = nginx.await(30, function()
    local said = shell.read(self.stages)
    if said then return said:match("^(.*)\n$") end
    local log = shell.read(self.log)
    if log and log ~= "" then error(log, 0) end
  end)
  assert(self.waits == name, self.waits)
end

-- The parts of its memory that can be written to, one after the other.
function Target:parts()
  local parts = {}
  local mem = assert(io.open(("/proc/%s/mem"):format(self.pid), "rb"))
  for line in io.lines(("/proc/%s/maps"):format(self.pid)) do
    local first, last, mode = line:match("^(%x+)%-(%x+) (%S+)")
    if mode:find("^rw") then
      first, last = tonumber(first, 16), tonumber(last, 16)
      if mem:seek("set", first) then parts[#parts + 1] = mem:read(last - first) end
    end
  end
  mem:close()
  return parts
end

-- How often the bytes are there.
local function count(parts, bytes)
  local found = 0
  for _, part in ipairs(parts) do
    local at = part:find(bytes, 1, true)
    while at do
      found = found + 1
      at = part:find(bytes, at + 1, true)
    end
  end
  return found
end

-- How often each of these is there: `{ name = bytes }`.
function Target:counts(secrets)
  local parts, found = self:parts(), {}
  for name, bytes in pairs(secrets) do found[name] = count(parts, bytes) end
  return found
end

function Target:finish()
  self.pipe:write("\n")
  self.pipe:close()
  assert((shell.read(self.log)) == "", shell.read(self.log))
end

return memory
