-- Processes in the background: what they say, how they end. They end with this process, too.

local nginx = require "spec.support.servers.nginx"
local shell = require "spec.support.shell"

local background = {}

local START = [[
(@command@ < @log@.in > @log@.out 2> @log@.err &
echo $! > @log@.pid; wait $!; echo $? > @log@.status) > /dev/null 2>&1 &
(while kill -0 @own_pid@ && ! test -s @log@.status; do sleep 1; done
  test -s @log@.status || kill -9 $(cat @log@.pid)) > /dev/null 2>&1 &]]

local Started = {}
Started.__index = Started

-- Starts a command of a shell, one that becomes the process itself (`env ...`, `exec ...`). `opts`: `input`.
function background.start(command, opts)
  local log = shell.directory() .. "/log"
  shell.write(log .. ".in", opts and opts.input or "")
  shell.run((START:gsub("@([%w_]+)@", {
    command = command, log = log, own_pid = shell.read("/proc/self/stat"):match("^%d+"),
  })))
  local pid = nginx.await(20, function() return (shell.read(log .. ".pid") or ""):match("%d+") end)
  return setmetatable({ log = log, pid = pid }, Started)
end

-- What it has said so far, on standard output and on standard error.
function Started:said()
  return shell.read(self.log .. ".out") or "", shell.read(self.log .. ".err") or ""
end

function Started:signal(name)
  shell.run(("kill -%s %s"):format(name, self.pid))
end

-- The status that it has ended with; nil while it runs.
function Started:status()
  return tonumber((shell.read(self.log .. ".status") or ""):match("^%d+"))
end

-- Waits until it has ended: its status, standard output and standard error.
function Started:ended(seconds)
  return nginx.await(seconds or 30, function() return self:status() end), self:said()
end

return background
