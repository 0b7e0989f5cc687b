-- The transport for scripts, over libcurl. It blocks, so it is never loaded inside nginx.

local transport = {}

-- Refuses nothing: libcurl follows every key of the config.
function transport.refuse() end

-- Gives `{ send, close }` over one libcurl handle, which keeps its connections.
function transport.new()
  local handle = require("alipayhk.curl").new()
  return {
    send = function(request) return handle:send(request) end,
    close = function() handle:close() end,
  }
end

return transport
