-- A server that is no good Redis; no_redis.js has its behaviours. It ends with this process too.

local nginx = require "spec.support.servers.nginx"
local shell = require "spec.support.shell"

-- Gives `{ port, stop }`.
return function(behaviour)
  local path = shell.directory() .. "/port"
  local input = assert(io.popen(("exec node spec/support/servers/no_redis.js %s %s"):format(behaviour, path), "w"))
  local port = nginx.await(10, function() return tonumber(shell.read(path) or "") end)
  return { port = assert(port, "node does not start"), stop = function() input:close() end }
end
