-- Authenticates signed messages: AlipayHK's answers and calls, and a merchant's requests at the local gateway. What is
-- signed, and the order of the checks, is the same for all of them.

local quote = require "alipayhk.base.quote"
local text = require "alipayhk.base.text"
local time = require "alipayhk.base.time"
local wire = require "alipayhk.exchange.wire"

local message = {}

-- ---- headers ---------------------------------------------------------------------------------------

-- Headers that may come only once.
local ONCE = { ["client-id"] = true, ["signature"] = true, ["request-time"] = true, ["response-time"] = true,
  ["encrypt"] = true }

-- Gives a request's headers by lower-case name; or nil and the name of one that is repeated and may not be. `given`: as
-- a server has them, with names in any case and a repeated one perhaps as a list.
function message.headers(given)
  local headers = {}
  for name, value in pairs(given) do
    name = text.lower(name)
    if ONCE[name] and (headers[name] or type(value) ~= "string") then return nil, name end
    if type(value) == "string" then headers[name] = value end
  end
  return headers
end

-- The value of a header; nil if it is absent or empty. `headers`: by lower-case name.
function message.header(headers, name)
  local value = headers[name]
  return value and value:find("[^ \t]") and value or nil
end

local header = message.header

-- A message if the body was compressed on its way (Content-Encoding). We never ask for that, and the signature is over
-- the bytes before compression. `personal`: values that no message may have, or nil, here and below.
function message.coding_fault(headers, personal)
  local coding = header(headers, "content-encoding")
  if not coding or text.lower(coding) == "identity" then return nil end
  return ("it has the Content-Encoding %s, which nobody asked for: does a proxy or CDN between compress it?"):format(
    text.shown(quote.without(coding, personal), 32))
end

-- ---- authentication --------------------------------------------------------------------------------

-- An answer. Its own time is signed, and the method and path of its request.
message.ANSWER = {
  time = "Response-Time",
  other_client = "its Client-Id is not ours: is this an answer to another client?",
  wrong = "is alipay_public_key AlipayHK's key for this environment?",
}
-- A merchant's request to the local gateway.
message.REQUEST = { time = "Request-Time", other_client = "its Client-Id is another's" }
-- A call from AlipayHK to us.
message.CALL = {
  time = "Request-Time",
  other_client = "its Client-Id is not ours",
  wrong = "does `path` stand for the path that AlipayHK called, proxies or not?",
}

-- A message if the Client-Id header names another client than us.
function message.client_fault(sort, headers, own)
  local client_id = header(headers, "client-id")
  return client_id and client_id ~= own.client_id and sort.other_client or nil
end

-- Whether it has neither a Signature nor its time. AlipayHK sends such an answer when it rejects the signature or the
-- client of a request.
function message.is_bare(sort, headers)
  return not header(headers, "signature") and not header(headers, text.lower(sort.time))
end

-- Whether it is signed by one of the keys, and for us: true; or nil, a code and a message. The codes: "client_id", it
-- is for another client; "unsigned", it has no signature or no time; "wrong", the signature is not of these bytes;
-- "unverified", the signature could not be checked. `sort`: message.ANSWER, message.REQUEST or message.CALL. `given`:
-- `{ method, path, headers, body, personal }`, header names in lower case. `own`: `{ client_id, peer_keys,
-- algorithms }`.
function message.verify(sort, given, own)
  local headers = given.headers
  local signature, at = header(headers, "signature"), header(headers, text.lower(sort.time))
  local fault = message.client_fault(sort, headers, own)
  if fault then return nil, "client_id", fault end
  if not signature and not at then
    return nil, "unsigned", ("it has neither a Signature nor a %s"):format(sort.time)
  end
  if not signature then return nil, "unsigned", ("it has a %s and no Signature"):format(sort.time) end
  if not at then return nil, "unsigned", ("it has a Signature and no %s"):format(sort.time) end
  if not own.peer_keys then return nil, "unverified", "the config has no alipay_public_key to verify with" end
  local coding = message.coding_fault(headers, given.personal)
  local content = wire.content(given.method, given.path, own.client_id, at, given.body)
  local ok, why = wire.verify(signature, content, own.peer_keys, own.algorithms, coding ~= nil)
  if ok then return true end
  if ok == nil then return nil, "unverified", why end
  local hint = coding or sort.wrong
  return nil, "wrong", hint and why .. "; " .. hint or why
end

-- ---- age -------------------------------------------------------------------------------------------

-- A message if its time is further than `max_ms` from the user's `clock`, or if that cannot be found out.
function message.age_fault(sort, headers, max_ms, clock, personal)
  local at = header(headers, text.lower(sort.time))
  local seconds, now = time.read(at), time.now(clock)
  if not seconds then
    return ("its %s cannot be read: %s"):format(sort.time, text.shown(quote.without(at, personal), 40))
  end
  if not now then return "the config's `now` does not tell how old it is" end
  local age_ms = math.floor(math.abs(now - seconds) * 1000 + 1 / 2)
  if age_ms <= max_ms then return nil end
  return ("its %s is %.0f s from our clock, %.0f s are allowed; is this machine's clock right?"):format(
    sort.time, age_ms / 1000, max_ms / 1000)
end

return message
