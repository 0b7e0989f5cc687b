-- Chooses how requests travel. A transport is `send(request)` with
-- `request = { method, url, headers, body, connect_timeout_ms, timeout_ms, max_response_bytes, tls,
-- proxy, once }` (`once`: nothing may be sent twice); it returns `{ status, headers, body, timing }`, header
-- names in lower case, or `nil, { code, message, timing, http_status }`: the last is that of a proxy which refused
-- (code `proxy`).
-- `resent = true` says that the request went out before, without an answer.

local runtime = require "alipayhk.base.runtime"

local transport = {}

local function nothing() end

-- `{ send, close }`; or nil, the key of the config that the transport cannot follow, and a message. `config.transport`:
-- "auto", "curl", "cosocket" or a function.
function transport.new(config)
  local choice = config.transport
  if type(choice) == "function" then return { send = choice, close = nothing } end
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
