-- Whether an endpoint's answer to a call is what AlipayHK expects, and what is wrong with it.

local foreign = require "alipayhk.exchange.foreign"
local json = require "alipayhk.base.json"
local message = require "alipayhk.exchange.message"
local platform = require "alipayhk.api.platform"
local text = require "alipayhk.base.text"
local time = require "alipayhk.base.time"
local wire = require "alipayhk.exchange.wire"

local judge = {}

local CLOCK_MAX_S = 60
local SHOWN_MAX = 80

local SORT = {
  time = "Response-Time",
  other_client = "its Client-Id is another than that of the call",
  wrong = "what has to be signed: POST, the path as AlipayHK called it, the Client-Id, the Response-Time, and the very "
    .. "bytes of the body",
}

-- ---- the body -----------------------------------------------------------------------------------------

-- The text of the body; or nil and a message.
local function opened(answer, made, roles)
  local header = message.header(answer.headers, "encrypt")
  if not made.encrypt then
    if header then return nil, "it is encrypted, and the call was not" end
    return answer.body
  end
  if not header then return nil, "it is not encrypted, and the call was: the reply to such a call has to be, too" end
  local body = wire.open(header, answer.body, roles.private_key, roles.sealing.options)
  if body then return body end
  return nil, "it cannot be decrypted: it has to be sealed for AlipayHK's public key, by RSA_AES"
end

local RESULT = { "resultCode", "resultStatus", "resultMessage" }

-- The result in a body; or nil and a message.
local function result_of(body, answer)
  local decoded = json.decode_object(body)
  if not decoded then return nil, "it is no JSON object but " .. foreign.describe(answer) end
  if type(decoded.result) ~= "table" then return nil, "there is no object `result` in it" end
  for _, name in ipairs(RESULT) do
    if type(decoded.result[name]) ~= "string" then return nil, ("result.%s: expected a string"):format(name) end
  end
  local status = decoded.result.resultStatus
  if status == "S" or status == "F" or status == "U" then return decoded.result end
  return nil, ("result.resultStatus: expected S, F or U, found %s"):format(text.quoted(status))
end

-- ---- the parts ----------------------------------------------------------------------------------------

-- Each adds what is wrong to `found`, by a name.
local CHECKS = {}

function CHECKS.status(found, answer)
  if answer.status ~= 200 then found("status", ("HTTP %d: AlipayHK expects 200"):format(answer.status)) end
end

function CHECKS.headers(found, answer)
  local media = text.lower(message.header(answer.headers, "content-type") or "")
  if not media:find("^application/json") then
    found("headers", ("Content-Type: expected %s, found %s"):format(platform.content_type,
      media == "" and "none" or text.shown(media, SHOWN_MAX)))
  end
  if not message.header(answer.headers, "client-id") then found("headers", "there is no Client-Id") end
end

function CHECKS.signature(found, answer, made, roles)
  local ok, code, why = message.verify(SORT, {
    method = made.method, path = made.path, headers = answer.headers, body = answer.body,
  }, roles.own)
  if ok then return end
  local hint = code == "unsigned" and "; that replies are signed is INFERRED, and client:reply does it" or ""
  found("signature", why .. hint)
end

function CHECKS.time(found, answer, _, roles)
  local at = message.header(answer.headers, "response-time")
  local seconds = at and time.read(at)
  if at and not seconds then return found("time", "Response-Time: expected ISO 8601 with an offset") end
  if seconds and math.abs(seconds - roles.now()) > CLOCK_MAX_S then
    found("time", ("Response-Time is %.0f s from our clock"):format(math.abs(seconds - roles.now())))
  end
end

local ORDER = { "status", "headers", "signature", "time" }

-- ---- together -----------------------------------------------------------------------------------------

local function refusal(made, roles)
  return ("the endpoint does not take the call for AlipayHK's. It has to have as alipay_public_key the public half of "
    .. "%s (SHA-256 %s) and as client_id %s, and to see the path %s (--path, where a proxy rewrites it)"):format(
    roles.file, roles.private_key:fingerprint(), roles.client_id, made.path)
end

local function judge_result(found, result, made, roles)
  if result.resultStatus == "S" then return end
  if result.resultCode == platform.inbound.not_alipayhk.resultCode then return found("result", refusal(made, roles)) end
  found("result", ("%s (%s): %s: not a success, so AlipayHK calls again"):format(
    text.shown(result.resultCode, SHOWN_MAX), result.resultStatus, text.shown(result.resultMessage, SHOWN_MAX)))
end

-- `{ faults = { { name, message }, ... }, result }` of an answer; `result` is nil where there is none that can be read.
function judge.answer(answer, made, roles)
  local faults = {}
  local function found(name, why) faults[#faults + 1] = { name = name, message = why } end
  local body, why = opened(answer, made, roles)
  local result
  if body then result, why = result_of(body, answer) end
  local is_refused = result and result.resultCode == platform.inbound.not_alipayhk.resultCode
  for _, name in ipairs(ORDER) do
    -- A refusal is not signed, and needs not be: nobody else is to get a signature.
    if not is_refused or name == "status" then CHECKS[name](found, answer, made, roles) end
  end
  if not result then found("body", why) else judge_result(found, result, made, roles) end
  return { faults = faults, result = result }
end

return judge
