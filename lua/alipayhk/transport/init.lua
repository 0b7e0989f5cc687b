--- Chooses how requests travel. A transport is `send(request)` with
-- `request = { method, url, headers, body, connect_timeout_ms, timeout_ms, max_response_bytes, tls,
-- proxy }`; it returns `{ status, headers, body, timing }`, header names in lower case, or
-- `nil, { code, message }`.
-- @module alipayhk.transport

local runtime = require "alipayhk.runtime"

local transport = {}

local function nothing() end

--- @tparam table config `transport` is "auto", "curl", "cosocket" or a function
-- @treturn[1] table `{ send, close }`
-- @treturn[2] nil
-- @treturn[2] string key of the config that this transport cannot follow
-- @treturn[2] string message
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
  for key, message in pairs(module.unsupported or {}) do
    if config.tls[key] then return nil, "tls." .. key, message end
  end
  return module.new()
end

--- A message where what a transport returned is no response.
function transport.fault(raw)
  if type(raw) ~= "table" or type(raw.status) ~= "number" or type(raw.body) ~= "string"
    or type(raw.headers) ~= "table" then
    return "the transport returned neither { status, headers, body } nor nil and { code, message }"
  end
end

return transport
