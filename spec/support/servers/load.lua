-- Requests to a server from a process of their own, while the spec does something else.
--
--     local flow = load.start { url = server.url .. "/sync", connections = 4 }
--     local result = flow:stop() -- { answers = { ["200 SUCCESS"] = 812 }, failures = {}, resent = 0 }
--
-- `resent` counts the requests that met the end of a kept connection, and were sent once more.

local json = require "dkjson"

local nginx = require "spec.support.servers.nginx"
local shell = require "spec.support.shell"

local load = {}
load.__index = load

local START = "exec node spec/support/servers/load.js %s %s %d %d %d"

-- Starts it.
-- `options`: `url`, `connections` = 1 (at once), `requests` (on each connection; until `stop` when
--   absent), `pause_ms` = 0 between them
function load.start(options)
  local self = setmetatable({ directory = shell.directory() }, load)
  self.input = assert(io.popen(START:format(shell.quote(self.directory), shell.quote(options.url),
    options.connections or 1, options.requests or 0, options.pause_ms or 0), "w"))
  return self
end

-- Waits until every connection has had an answer.
function load:flows()
  return nginx.await(20, function() return shell.read(self.directory .. "/flowing") end) ~= nil
end

-- Waits for the answers that are due.
-- Gives `{ answers = { ["STATUS BODY"] = count }, failures = { [message] = count }, resent }`
function load:stop()
  self.input:close()
  local text = assert(shell.read(self.directory .. "/result"), "load.js ended without a result")
  return (json.decode(text))
end

return load
