-- Chooses the transport that sends requests: a function `send(request)`, where `request` is `{ method, url, headers,
-- body, connect_timeout_ms, timeout_ms, max_response_bytes, tls, proxy, once }` (`once`: nothing may be sent twice).
--
-- It returns `{ status, headers, body, timing, resent }`, header names in lower case; `resent`: the request had been
-- sent before, without an answer. Or nil and `{ code, message, timing, http_status }`; `http_status` is that of a proxy
-- which refused the request (code `proxy`).

local runtime = require "alipayhk.base.runtime"

local transport = {}

local function nothing() end

-- Gives `{ send, close, is_foreign }` for the config's `transport`: "auto", "curl", "cosocket" or a function, which is
-- a foreign one. Or nil, the key of the config that this transport cannot follow, and a message.
function transport.new(config)
  local choice = config.transport
  if type(choice) == "function" then return { send = choice, close = nothing, is_foreign = true } end
  if choice == "auto" then choice = runtime.in_nginx() and "cosocket" or "curl" end
  if choice == "cosocket" and not runtime.in_nginx() then
    return nil, "transport", "cosockets exist inside nginx only: for scripts leave it \"auto\""
  end
  if choice == "curl" and runtime.in_nginx() then
    return nil, "transport", "libcurl would block the nginx worker: leave it \"auto\""
  end
  local module = require("alipayhk.transport." .. choice)
  local key, message = module.refuse(config)
  if key then return nil, key, message end
  return module.new()
end

return transport
