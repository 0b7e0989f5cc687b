-- A stand-in for AlipayHK's gateway: verifies, opens, checks, remembers and answers as documented.
-- It runs in nginx and reads every AlipayHK fact from alipayhk.api.

local api = require "alipayhk.api"
local check = require "alipayhk.rules.check"
local clients = require "clients"
local connection = require "connection"
local core = require "alipayhk.core"
local faults = require "faults"
local journal = require "journal"
local json = require "alipayhk.base.json"
local message = require "alipayhk.exchange.message"
local nginx_request = require "alipayhk.transport.nginx_request"
local orders = require "orders"
local platform = require "alipayhk.api.platform"
local rules = require "alipayhk.rules"
local terminal_log = require "terminal_log"
local text = require "alipayhk.base.text"
local time = require "alipayhk.base.time"
local wire = require "alipayhk.exchange.wire"

local handler = {}

local DAY_S = 24 * 60 * 60
-- How far Request-Time may be from our clock; nil: any time will do.
local tolerance_s

-- Reads the keys and the options that gateway/start was given. Called once, in the master.
function handler.init(directory)
  local file = assert(io.open(directory .. "/options"))
  local options = connection.parse(file:read("*a"))
  file:close()
  if options.time_tolerance_s then
    if not options.time_tolerance_s:find("^%d+$") then
      connection.refuse("GATEWAY_TIME_TOLERANCE", "expected a number of seconds, in digits")
    end
    tolerance_s = tonumber(options.time_tolerance_s)
  end
  clients.init(directory, options)
  faults.init(options)
  terminal_log.init(options)
end

-- ---- answering ---------------------------------------------------------------------------------

local function result_of(description, code, said)
  local known = api.result(description, code)
  return { resultCode = code, resultStatus = known.status, resultMessage = said or known.meaning }
end

-- The answer, `{ status, result, headers, body }`. For a known client it is signed and, if the request was, encrypted
-- (`opened` is its plaintext then); for others it is plain.
local function new_reply(request, client, body)
  local headers = {
    ["Content-Type"] = platform.content_type, ["Tracer-Id"] = core.hex_encode(core.random_bytes(8)),
  }
  faults.set_date(headers)
  local reply = { status = 200, result = body.result, headers = headers, body = json.encode(body) }
  if not client then return reply end
  if request.encrypted and client.kind == "rsa" then
    reply.opened = reply.body
    reply.body, headers["Encrypt"] = assert(wire.seal(reply.body, client.sealing))
  end
  local at, signature = wire.sign_now(client, request.method, request.path, reply.body, faults.now())
  headers["Client-Id"] = client.client_id
  headers["Response-Time"] = assert(at, signature)
  headers["Signature"] = signature
  return reply
end

local function answer(request, client, body)
  terminal_log.note("result", body.result)
  local reply = new_reply(request, client, body)
  for name, value in pairs(reply.headers) do ngx.header[name] = value end
  ngx.header["Content-Length"] = #reply.body
  ngx.print(reply.body)
  journal.add(request, reply)
end

-- Answers with an HTTP status and nothing else; nginx' own 444 closes the connection. `result`: what the answer would
-- have said, where the request was taken.
local function refuse(request, status, result)
  journal.add(request, { status = status, headers = {}, body = "", result = result })
  return ngx.exit(status)
end

-- ---- reading the request -----------------------------------------------------------------------

-- Reads the request. With it, where it cannot be read, the HTTP status to answer with.
local function read_request()
  local began = core.monotonic()
  local given, status = nginx_request.read(ngx)
  local request = given or { method = ngx.req.get_method(), path = ngx.var.request_uri, headers = {}, body = "" }
  request.began, request.protocol = began, ngx.var.server_protocol
  if not given then return request, status end
  -- No client sends one of these headers twice on purpose.
  local headers, repeated = message.headers(request.headers)
  if not headers then
    request.headers, request.fault = {}, ("the header %s is there more than once"):format(repeated)
    return request, 400
  end
  request.headers = headers
  request.content_type = message.header(headers, "content-type")
  request.time = message.header(headers, "request-time")
  request.encrypted = message.header(headers, "encrypt")
  return request
end

-- The seconds since the epoch of a time in ISO 8601, the one form that clients may use; nil for any other text.
local function read_time(value)
  return value:find("^%d%d%d%d%-%d%d%-%d%dT") and time.read(value) or nil
end

-- The client that signed the request; or nil, a result code and a message.
local function authenticate(request)
  if request.method ~= "POST" then return nil, "METHOD_NOT_SUPPORTED" end
  local client_id = message.header(request.headers, "client-id")
  if not client_id then return nil, "INVALID_CLIENT", "no Client-Id header" end
  local client = clients.by_id[client_id]
  if not client then return nil, "INVALID_CLIENT" end
  local ok, _, why = message.verify(message.REQUEST, request, client)
  if not ok then return nil, "INVALID_SIGNATURE", why end
  if not read_time(request.time) then
    return nil, "INVALID_SIGNATURE", "its Request-Time is not ISO 8601 with an offset"
  end
  return client
end

-- A check of ours, off by default: no page says what AlipayHK allows.
local function time_fault(request)
  if not tolerance_s then return nil end
  local seconds = math.abs(faults.now() - read_time(request.time))
  if seconds <= tolerance_s then return nil end
  return ("Request-Time is %.0f s from the gateway's clock, and GATEWAY_TIME_TOLERANCE is %.0f (the gateway's own "
    .. "rule, not AlipayHK's)"):format(seconds, tolerance_s)
end

-- The plaintext of an encrypted body; or nil and a message.
local function open_body(request, client)
  local pairs_ = core.parse_pairs(request.encrypted)
  local version = pairs_ and pairs_.keyVersion
  if version and version ~= "" and version ~= clients.KEY_VERSION then
    return nil, ("it is encrypted for key version %s; the gateway's key has version %s"):format(
      text.shown(version, 16), clients.KEY_VERSION)
  end
  if client.kind ~= "rsa" then return nil, "it is encrypted, and the gateway's key for this client is none of RSA" end
  local body, why = wire.open(request.encrypted, request.body, client.private_key)
  return body, why or "it cannot be decrypted"
end

local function read_payload(request, client)
  local kind = request.content_type or ""
  if not kind:find("^application/json") and not (request.encrypted and kind:find("^text/plain")) then
    return nil, "MEDIA_TYPE_NOT_ACCEPTABLE"
  end
  local body, why = request.body, nil
  if request.encrypted then body, why = open_body(request, client) end
  if not body then return nil, "PARAM_ILLEGAL", "the body: " .. why end
  request.opened = request.encrypted and body or nil
  local payload, fault = json.decode_object(body)
  if not payload then return nil, "PARAM_ILLEGAL", "the body is " .. fault end
  return payload, body
end

-- ---- the handler -------------------------------------------------------------------------------

-- Whether a requestId was used before with another content. With the same content it is a retry.
local function is_inconsistent(client, request, payload, body)
  local key = client.client_id .. ":" .. payload[platform.identity.request_id]
  local content = ngx.sha1_bin(request.path .. "\n" .. body)
  local added, err = ngx.shared.requests:add(key, content, DAY_S)
  assert(added or err == "exists", err)
  return not added and ngx.shared.requests:get(key) ~= content
end

-- A status that is not the scenario's has its own code, if it is the only fault.
local function code_of(description, found)
  local only = #found == 1 and found[1]
  return only and only.path == description.status_field and only.code == "enum" and "ORDER_STATUS_INVALID"
    or "PARAM_ILLEGAL"
end

local function process(request, client)
  local fault = time_fault(request)
  if fault then return { result = result_of(nil, "INVALID_SIGNATURE", fault) } end
  local path = request.path:gsub("%?.*$", "")
  local description = api.by_path[path]
  if not description then return { result = result_of(nil, "INVALID_API") } end
  local payload, opened, why = read_payload(request, client)
  if not payload then return { result = result_of(description, opened, why) } end
  terminal_log.note("payload", payload)
  request.description, request.payload = description, payload
  local form = rules.alipayhk:form(description, payload)
  local ok, err = check.payload(form, payload, { complete = true, is_encoded = true })
  if not ok then return { result = result_of(description, code_of(description, err.fields), err.message) } end
  if is_inconsistent(client, request, payload, opened) then
    return { result = result_of(description, "REPEAT_REQ_INCONSISTENT") }
  end
  local code, said, body = orders.apply(description, client, payload)
  request.is_ignored = code == "SUCCESS" and said ~= nil
  body = body or {}
  body.result = result_of(description, code, said)
  return body
end

function handler.handle()
  local request, status = read_request()
  if status then return refuse(request, status) end
  local client, code, why = authenticate(request)
  request.fault, request.is_verified = why, client ~= nil
  if not client then return answer(request, nil, { result = result_of(nil, code, why) }) end
  faults.serve(request, client, { process = process, answer = answer, refuse = refuse })
end

return handler
