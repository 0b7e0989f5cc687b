--- The libcurl transport: for scripts. It blocks, so it is never loaded inside nginx.
-- @module alipayhk.transport.curl

local transport = {}

--- It follows every key of the config.
function transport.refuse() end

--- One libcurl handle, with its kept connections.
-- @treturn table `{ send, close }`
function transport.new()
  local handle = require("alipayhk.curl").new()
  return {
    send = function(request) return handle:send(request) end,
    close = function() handle:close() end,
  }
end

return transport
