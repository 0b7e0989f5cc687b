-- Processes that run a script, which this one starts, ends and waits for. It needs luaposix.

local child = require "spec.support.child"
local parameters = require "spec.support.outbox.parameters"
local signal = require "posix.signal"
local unistd = require "posix.unistd"
local wait = require "posix.sys.wait"

local Process = {}
Process.__index = Process

local processes = {}

-- Starts one. `script`: its path; `given`: its parameters; `library`: one that is loaded before others, nil for none.
function processes.start(script, given, library)
  local words = { child.interpreter(), script }
  for _, word in ipairs(parameters.words(given)) do words[#words + 1] = word end
  if library then table.insert(words, 1, "LD_PRELOAD=" .. library) end
  local pid = assert(unistd.fork())
  if pid == 0 then
    unistd.execp("env", words)
    unistd._exit(127)
  end
  return setmetatable({ pid = pid, given = given }, Process)
end

function Process:signal(name) signal.kill(self.pid, signal[name]) end

-- How it ended, "exited" or "killed", and its status or the signal; nil while it runs.
function Process:outcome()
  local pid, how, status = wait.wait(self.pid, wait.WNOHANG)
  if pid == self.pid then return how, status end
end

-- Waits for its end.
function Process:wait()
  local _, how, status = wait.wait(self.pid)
  return how, status
end

-- Runs one to its end, which has to be a good one.
function processes.run(...)
  local how, status = processes.start(...):wait()
  if how ~= "exited" or status ~= 0 then error(("%s: %s %s"):format((...), how, tostring(status)), 2) end
end

return processes
