--- Bytes to result: verify, open, decode, judge.
-- @module alipayhk.response

local Error = require "alipayhk.error"
local api = require "alipayhk.api"
local json = require "alipayhk.json"
local platform = require "alipayhk.api.platform"
local text = require "alipayhk.text"
local wire = require "alipayhk.wire"

local response = {}

-- Statuses of a server or proxy that could not answer now; any other says the same the next time.
local RETRYABLE_HTTP = { [429] = true, [500] = true, [502] = true, [503] = true, [504] = true }
local TEXT_MAX = 256

-- The other side's own text: on one line, and no longer than a line should be.
local function clean(value)
  if type(value) ~= "string" then return "" end
  return text.one_line(text.cut(value, TEXT_MAX))
end

local function tracer_id(headers)
  for _, name in ipairs(platform.tracer_headers) do
    if headers[name] and headers[name] ~= "" then return clean(headers[name]) end
  end
end

-- Without the user's ids, should AlipayHK repeat them.
local function without(message, personal)
  for _, value in ipairs(personal or {}) do
    local first, last = message:find(value, 1, true)
    while first do
      message = message:sub(1, first - 1) .. "***" .. message:sub(last + 1)
      first, last = message:find(value, first + 3, true)
    end
  end
  return message
end

-- Whether the answer is AlipayHK's: true or false, or nil and a message where it must be refused.
-- Unsigned is false: the platform answers so when it rejects a request's own signature or client.
local function authenticate(config, request, raw)
  local headers = raw.headers
  if headers["client-id"] and headers["client-id"] ~= config.client_id then
    return nil, "its Client-Id is not ours: is this an answer to another client?"
  end
  if not config.verify_response then return false end
  local signature, time = headers["signature"], headers["response-time"]
  if not signature and not time then return false end
  if not signature then return nil, "it has a Response-Time and no Signature" end
  if not time then return nil, "it has a Signature and no Response-Time" end
  local content = wire.content(request.method, request.path, config.client_id, time, raw.body)
  local ok, message = wire.verify(signature, content, config.alipay_keys, config.ecc224)
  if not ok then
    return nil, message .. "; is alipay_public_key AlipayHK's key for this environment?"
  end
  return true
end

-- What every failure of an answer that came says about it.
local function context(request, raw, extra)
  extra.http_status = raw.status
  extra.request_id = request.request_id
  extra.tracer_id = tracer_id(raw.headers)
  return extra
end

local function decode(body)
  local value, message = json.decode(body)
  if value == nil and message then return nil, "the answer is not JSON: " .. clean(message) end
  if type(value) ~= "table" or #value > 0 then return nil, "the answer is no JSON object" end
  if type(value.result) ~= "table" then return nil, "the answer has no `result` object" end
  return value
end

-- Retry goes by the code of this API first, then by the family's, then by the status.
local function retry_rule(description, result, overrides)
  local code = result.resultCode
  local override = overrides and overrides[code]
  if override ~= nil then return override end
  local known = api.result(description, code)
  if known and known.retry ~= nil then return known.retry end
  return result.resultStatus ~= "F"
end

local function refusal(description, request, answer, overrides)
  local result = answer.result
  local code, status = clean(result.resultCode), clean(result.resultStatus)
  local known = api.result(description, result.resultCode)
  local theirs = without(clean(result.resultMessage), request.personal)
  local message = ("AlipayHK answered %s (status %s): %s"):format(code, status, theirs)
  if status ~= "F" and status ~= "U" then message = message .. "; that status is none of S, F and U" end
  if known and known.meaning ~= theirs then message = message .. " [" .. known.meaning .. "]" end
  if not answer.authenticated then
    message = message .. "; this answer is not authenticated, so the outcome is unknown"
  end
  if known and known.after_lost_answer and request.lost_answer then
    message = message .. "; " .. known.after_lost_answer
  end
  local rule = retry_rule(description, result, overrides)
  return rule == "later", Error.new("result", message, {
    code = code,
    retryable = rule and true or false,
    response = answer,
    http_status = answer.http_status,
    request_id = answer.request_id,
    tracer_id = answer.tracer_id,
  })
end

--- Judges an answer.
-- @tparam table config
-- @tparam table request as `prepare` gave it
-- @tparam table raw `{ status, headers, body, timing }` of the transport
-- @tparam[opt] table overrides of the retry rule, `{ [resultCode] = boolean }`
-- @treturn[1] table the response
-- @treturn[2] nil
-- @treturn[2] error kind "http", "signature", "decrypt", "protocol" or "result"
-- @treturn[2] boolean whether a retry should wait first, whatever the jitter
function response.read(config, request, raw, overrides)
  local function fail(kind, message, extra)
    return nil, Error.new(kind, message, context(request, raw, extra or {}))
  end

  if raw.status ~= 200 then
    return fail("http", ("the server answered HTTP %d, not 200; is base_url (%s) right?"):format(
      raw.status, config.base.origin .. config.base.prefix), { retryable = RETRYABLE_HTTP[raw.status] })
  end
  local authenticated, message = authenticate(config, request, raw)
  if authenticated == nil then return fail("signature", "the answer is refused: " .. message) end

  local body = raw.body
  if raw.headers["encrypt"] then
    if not authenticated then
      return fail("signature", "the answer is refused: it is encrypted and its signature was not verified")
    end
    body = wire.open(raw.headers["encrypt"], body, config.private_key, config.encryption)
    if not body then return fail("decrypt", "the answer cannot be decrypted") end
  end

  local decoded
  decoded, message = decode(body)
  if not decoded then return fail("protocol", message) end
  local status = decoded.result.resultStatus
  if config.verify_response and not authenticated and status ~= "F" and status ~= "U" then
    return fail("signature", "the answer is refused: it is not signed, and only a failure may be")
  end

  local answer = context(request, raw, {
    result = decoded.result,
    body = decoded,
    response_time = raw.headers["response-time"],
    authenticated = authenticated,
    timing = raw.timing or {},
    warnings = request.warnings or {},
  })
  -- The status decides; that it goes with its code is AlipayHK's to see to.
  if status == "S" then return answer end
  local later, err = refusal(api.by_name[request.api], request, answer, overrides)
  return nil, err, later
end

return response
