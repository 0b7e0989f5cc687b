-- What order_cases.lua is given: a directory, the shared gateway, and a Redis that was started with TLS.

local local_gateway = require "spec.support.servers.gateway"
local shell = require "spec.support.shell"

return function(store)
  local given = {
    cases = "spec.support.stress.order_cases", directory = shell.directory(), redis = store.url(),
    redis_port = store.port, redis_tls_port = assert(store.tls_port), redis_ca_file = store.ca_file,
  }
  for name, value in pairs(local_gateway.values()) do given["gateway." .. name] = value end
  return given
end
