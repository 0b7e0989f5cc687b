-- From an answer's bytes to a response or an error: verify, open, decode, judge.

local Error = require "alipayhk.base.error"
local api = require "alipayhk.api"
local fault = require "alipayhk.base.fault"
local foreign = require "alipayhk.exchange.foreign"
local json = require "alipayhk.base.json"
local message = require "alipayhk.exchange.message"
local platform = require "alipayhk.api.platform"
local quote = require "alipayhk.base.quote"
local time = require "alipayhk.base.time"
local wire = require "alipayhk.exchange.wire"

local response = {}

local ANSWER, header = message.ANSWER, message.header

-- Clocks that differ by more than this are mentioned in messages.
local SKEW_MAX_MS = 60000
-- HTTP statuses by which a gateway may refuse a request that is signed for another time.
local REFUSING = { [400] = true, [401] = true, [403] = true }

local function tracer_id(raw, personal)
  for _, name in ipairs(platform.tracer_headers) do
    local value = header(raw.headers, name)
    if value then return quote.short(value, personal) end
  end
end

-- ---- whose it is -----------------------------------------------------------------------------------

-- Whether the answer is AlipayHK's: true or false, or nil, a message and a code where it must be refused.
-- Unsigned is false: the platform answers so when it rejects a request's own signature or client.
local function authenticate(config, request, raw)
  local headers, authenticated = raw.headers, false
  local code, why
  if config.verify_response and not message.is_bare(ANSWER, headers) then
    authenticated, code, why = message.verify(ANSWER, {
      method = request.method, path = request.path, headers = headers, body = raw.body,
      personal = request.personal,
    }, config)
  else
    why, code = message.client_fault(ANSWER, headers, config), "client_id"
  end
  if why then return nil, why, code end
  if config.max_response_age_ms and header(headers, "response-time") then
    why = message.age_fault(ANSWER, headers, config.max_response_age_ms, config.now, request.personal)
    if why then return nil, why, "stale" end
  end
  return authenticated
end

-- ---- what it says ----------------------------------------------------------------------------------

-- Why an answer is not AlipayHK's, or not to this request: `{ kind, message, code }`.
local function failure(kind, why, code)
  return { kind = kind, message = "the answer " .. why, code = code }
end

local function open(config, request, raw, encrypt)
  local body, why = wire.open(encrypt, raw.body, config.private_key, config.encryption, request.personal)
  if body then return body end
  return nil, failure("decrypt", ("cannot be decrypted: %s"):format(
    why or "`encryption` (key_padding) and `private_key` have to be what AlipayHK seals with and for"))
end

local function decode(request, raw, body)
  local decoded, why = json.decode_object(body, "result")
  if decoded and type(decoded.result) == "table" then return decoded end
  local coding = message.coding_fault(raw.headers, request.personal)
  if decoded then
    why = "has no `result` object"
  elseif not coding and body == raw.body and why:find("^not JSON") and not json.is_begun(body) then
    why = ("is no JSON object but %s; does a login page or a proxy answer in AlipayHK's place?"):format(
      foreign.describe(raw, request.personal))
  else
    why = "is " .. quote.short(why, request.personal)
  end
  return nil, failure("protocol", coding and why .. "; " .. coding or why)
end

-- A signature does not bind an answer to its request. The ids that an answer repeats may show that it is to another
-- one.
local function other_request(request, decoded)
  for name, field in pairs(platform.identity) do
    local theirs, ours = json.id_text(decoded[field]), request[name]
    if theirs and theirs ~= "" and ours and theirs ~= ours then
      return failure("protocol", ("is to another request: its %s is %s, and %s was sent; the outcome of this one is "
        .. "unknown"):format(field, quote.short(theirs, request.personal), quote.short(ours, request.personal)),
        "another_request")
    end
  end
end

-- The object that was answered, and whether it is authenticated as AlipayHK's; or nil and a `failure`.
local function read_answer(config, request, raw)
  local authenticated, why, code = authenticate(config, request, raw)
  if authenticated == nil then return nil, failure("signature", "is refused: " .. why, code) end
  local body, encrypt = raw.body, header(raw.headers, "encrypt")
  local decoded, wrong
  if encrypt then
    if not authenticated then
      return nil, failure("signature", "is refused: it is encrypted and its signature was not verified", "unsigned")
    end
    body, wrong = open(config, request, raw, encrypt)
    if not body then return nil, wrong end
  end
  decoded, wrong = decode(request, raw, body)
  if not decoded then return nil, wrong end
  local status = decoded.result.resultStatus
  if config.verify_response and not authenticated and status ~= "F" and status ~= "U" then
    return nil, failure("signature", "is refused: it is not signed, and only a failure may be", "unsigned")
  end
  wrong = other_request(request, decoded)
  if wrong then return nil, wrong end
  return decoded, authenticated
end

-- The `result` in a body, whoever wrote it.
local function result_in(body)
  local decoded = json.decode_object(body, "result")
  return decoded and type(decoded.result) == "table" and decoded.result or nil
end

-- Whether a failure says more about an answer than its HTTP status does.
local function outweighs_status(wrong, status)
  return wrong.code == "another_request" or wrong.kind == "decrypt"
    or wrong.kind == "signature" and (status == "F" or status == "U")
end

-- The failure of an answer whose HTTP status is not 200; nil if it is a refusal of AlipayHK's. It is never a success.
local function judge_status(config, request, raw, decoded, wrong)
  local result = decoded and decoded.result or result_in(raw.body)
  local status = result and result.resultStatus
  if decoded and status ~= "S" then return nil end
  if wrong and outweighs_status(wrong, status) then return wrong end
  local said = ("the server answered HTTP %d, not 200"):format(raw.status)
  if status == "S" then
    said = ("%s, and a result that says S (%s): the outcome is unknown"):format(
      said, quote.short(result.resultCode, request.personal))
  else
    said = ("%s: %s"):format(said, message.coding_fault(raw.headers, request.personal)
      or foreign.describe(raw, request.personal))
  end
  local hint = foreign.hint(config, request, raw)
  return { kind = "http", message = hint and said .. "; " .. hint or said }
end

-- ---- what is made of it ----------------------------------------------------------------------------

-- Response-Time, or else HTTP's Date, minus our clock.
local function clock_skew_ms(config, raw)
  local at, date = header(raw.headers, "response-time"), raw.headers["date"]
  local theirs = at and time.read(at) or date and time.read(date)
  local ours = theirs and time.now(config.now)
  return ours and math.floor((theirs - ours) * 1000 + 1 / 2) or nil
end

-- Adds what every response and every error has.
local function context(config, request, raw, about)
  about.http_status = raw.status
  about.request_id = request.request_id
  about.tracer_id = tracer_id(raw, request.personal)
  about.clock_skew_ms = clock_skew_ms(config, raw)
  return about
end

local function clock_hint(skew_ms)
  if not skew_ms or math.abs(skew_ms) <= SKEW_MAX_MS then return "" end
  return ("; our clock is %.0f s %s the answer's: set this machine's clock (or the config's `now`)"):format(
    math.abs(skew_ms) / 1000, skew_ms > 0 and "behind" or "ahead of")
end

-- What a message shows of ours, by the `show` of a result code.
local SHOW = {
  public_key = function(config)
    local signing = config.signing
    local shown = ("; our public key's SHA-256 is %s: compare it with that of the file that was uploaded (alipayhk key "
      .. "FILE), and look at `private_key` and `key_version` (%s)"):format(config.private_key:fingerprint(),
      signing.key_version or "none")
    if not signing.setting then return shown end
    return ("%s; `%s` (digest %s, encoding %s) has to be what AlipayHK takes"):format(
      shown, signing.setting, signing.options.digest, signing.options.encoding)
  end,
  path = function(_, request) return "; the path tried is " .. foreign.path_of(request) end,
}

local function refusal(config, request, answer, lost_answer)
  local result = answer.result
  local code = quote.short(result.resultCode, request.personal)
  local status = quote.short(result.resultStatus, request.personal)
  local known = api.result(api.by_name[request.api], result.resultCode)
  local theirs = quote.short(result.resultMessage, request.personal)
  local said = ("AlipayHK answered %s (status %s): %s"):format(code, status, theirs)
  if status ~= "F" and status ~= "U" then said = said .. "; that status is none of S, F and U" end
  if known and known.meaning ~= theirs then said = said .. " [" .. known.meaning .. "]" end
  if known and known.show then said = said .. SHOW[known.show](config, request) end
  if status == "F" then said = said .. clock_hint(answer.clock_skew_ms) end
  if not answer.authenticated then
    said = said .. "; this answer is not authenticated, so the outcome is unknown"
  end
  if known and known.after_lost_answer and lost_answer then
    said = said .. "; " .. known.after_lost_answer
  end
  return Error.new("result", said, {
    code = code,
    response = answer,
    http_status = answer.http_status,
    request_id = answer.request_id,
    tracer_id = answer.tracer_id,
    clock_skew_ms = answer.clock_skew_ms,
  })
end

-- Whether an API's answers have the status that AlipayHK holds.
local function shows_status(description)
  for _, field in ipairs(description.response) do
    if field.path == description.status_field then return true end
  end
  return false
end

-- The warnings of a success. Of two events AlipayHK keeps the later one, whichever comes first: one that is older is
-- answered with success, and with the status of the other.
local function warnings_of(request, decoded)
  local warnings, description = request.warnings or {}, api.by_name[request.api]
  local sent, field = request.order_status, description and description.status_field
  local held = field and decoded[field]
  if type(held) ~= "string" or held == "" or type(sent) ~= "string" or held == sent then return warnings end
  if not shows_status(description) then return warnings end
  local all = {}
  for i, warning in ipairs(warnings) do all[i] = warning end
  all[#all + 1] = fault.new(field, "older",
    ("AlipayHK holds %s and was sent %s: this event is older than what it holds, and was not taken"):format(
      quote.short(held, request.personal), quote.short(sent, request.personal)))
  return all
end

-- Judges an answer: a response, or nil and an error of kind "http", "signature", "decrypt", "protocol" or "result".
-- `raw`: of a transport; `lost_answer`: whether an earlier attempt may have arrived.
function response.read(config, request, raw, lost_answer)
  local decoded, authenticated = read_answer(config, request, raw)
  local wrong = not decoded and authenticated or nil
  if raw.status ~= 200 then wrong = judge_status(config, request, raw, decoded, wrong) end
  if wrong then
    local about = context(config, request, raw, { code = wrong.code })
    local hint = wrong.kind == "http" and REFUSING[raw.status] and clock_hint(about.clock_skew_ms) or ""
    return nil, Error.new(wrong.kind, wrong.message .. hint, about)
  end
  local answer = context(config, request, raw, {
    result = decoded.result,
    body = decoded,
    response_time = header(raw.headers, "response-time"),
    authenticated = authenticated,
    timing = raw.timing or {},
  })
  -- The status alone decides: whether it fits the code is up to AlipayHK.
  if decoded.result.resultStatus == "S" then
    answer.warnings = warnings_of(request, decoded)
    return answer
  end
  answer.warnings = request.warnings or {}
  return nil, refusal(config, request, answer, lost_answer)
end

return response
