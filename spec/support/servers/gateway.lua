-- The local gateway, started once per process and ended with it.

local alipayhk = require "alipayhk"
local connection = dofile "gateway/connection.lua"
local shell = require "spec.support.shell"

local gateway = {}

local running

-- Starts a gateway of its own; the caller ends it with `gateway.stop(values)`.
function gateway.start(environment)
  return connection.parse(shell.must((environment or "") .. " gateway/start"))
end

function gateway.stop(values)
  shell.run("kill " .. values.pid)
  -- Gone only when its directory is.
  for _ = 1, 50 do
    if not shell.read(values.ca_file) then return true end
    shell.run("sleep 0.1")
  end
  return false
end

-- Ends it when this process has ended, however that comes about.
function gateway.watch(pid)
  local own_pid = shell.read("/proc/self/stat"):match("^%d+")
  shell.run(("(while kill -0 %s; do sleep 1; done; kill %s) > /dev/null 2>&1 &"):format(own_pid, pid))
end

-- The shared gateway's values.
function gateway.values()
  if not running then
    running = gateway.start()
    gateway.watch(running.pid)
  end
  return running
end

-- The config for a client of it.
-- `kind`: "rsa" or "ec"
-- `extra`: over that
function gateway.config(kind, extra)
  local config = connection.config(gateway.values(), kind)
  for key, value in pairs(extra or {}) do config[key] = value end
  return config
end

function gateway.client(kind, extra)
  return assert(alipayhk.new(gateway.config(kind, extra)))
end

return gateway
