--- Chooses how requests travel. A transport is `send(request)` with
-- `request = { method, url, headers, body, connect_timeout_ms, timeout_ms, max_response_bytes, tls,
-- proxy }`; it returns `{ status, headers, body, timing }`, header names in lower case, or
-- `nil, { code, message }`.
-- @module alipayhk.transport

local runtime = require "alipayhk.runtime"

local transport = {}

local function nothing() end

--- @param choice "auto", "curl", "cosocket" or a function
-- @treturn table `{ send, close }`
function transport.new(choice)
  if type(choice) == "function" then return { send = choice, close = nothing } end
  if choice == "auto" then choice = runtime.in_nginx() and "cosocket" or "curl" end
  return require("alipayhk.transport." .. choice).new()
end

--- A message where what a transport returned is no response.
function transport.fault(raw)
  if type(raw) ~= "table" or type(raw.status) ~= "number" or type(raw.body) ~= "string"
    or type(raw.headers) ~= "table" then
    return "the transport returned neither { status, headers, body } nor nil and { code, message }"
  end
end

return transport
