--- Chooses how requests travel. A transport is `send(request)` with
-- `request = { method, url, headers, body, connect_timeout_ms, timeout_ms, max_response_bytes, tls,
-- proxy, once }` (`once`: nothing may be sent twice); it returns `{ status, headers, body, timing }`, header
-- names in lower case, or `nil, { code, message, timing, http_status }`: the last is that of a proxy which refused
-- (code `proxy`).
-- `resent = true` says that the request went out before, without an answer.
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
  local key, message = module.refuse(config)
  if key then return nil, key, message end
  return module.new()
end

local function is_status(value)
  return type(value) == "number" and value % 1 == 0 and value >= 100 and value <= 999
end

--- A message where what a transport returned is no response.
function transport.response_fault(raw)
  if type(raw) ~= "table" or not is_status(raw.status) or type(raw.body) ~= "string"
    or type(raw.headers) ~= "table" then
    return "the transport returned neither { status, headers, body } nor nil and { code, message }"
  end
  for name, value in pairs(raw.headers) do
    if type(name) ~= "string" or type(value) ~= "string" then
      return "the transport returned a header that is no string"
    end
  end
end

--- What a transport returned beside nil, as `code, message, timing, http_status`: strings, a table or nil, a status
-- or nil, whatever it was.
function transport.failure(fault)
  if type(fault) ~= "table" then fault = { message = fault } end
  local code = type(fault.code) == "string" and fault.code or "protocol"
  local message = type(fault.message) == "string" and fault.message or "the transport failed and does not say why"
  return code, message, type(fault.timing) == "table" and fault.timing or nil,
    is_status(fault.http_status) and fault.http_status or nil
end

return transport
