-- Reads what a transport returned, which may be a user's function: `{ status, headers, body, timing }`, header names in
-- lower case; or nil and `{ code, message, timing, http_status }`.

local outcome = {}

local function is_status(value)
  return type(value) == "number" and value % 1 == 0 and value >= 100 and value <= 999
end

-- A message if `raw` is not a response.
function outcome.response_fault(raw)
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

-- Any failure as `code, message, timing, http_status`: two strings, a table or nil, an integer or nil. What is missing
-- or of the wrong type is replaced or dropped.
function outcome.failure(fault)
  if type(fault) ~= "table" then fault = { message = fault } end
  local code = type(fault.code) == "string" and fault.code or "protocol"
  local message = type(fault.message) == "string" and fault.message or "the transport failed and does not say why"
  return code, message, type(fault.timing) == "table" and fault.timing or nil,
    is_status(fault.http_status) and fault.http_status or nil
end

local SENT_NOTHING = { dns = true, connect = true, proxy = true, tls = true, phase = true }

-- Whether a failure with this code happened before anything was sent.
function outcome.sent_nothing(code)
  return SENT_NOTHING[code] or false
end

return outcome
