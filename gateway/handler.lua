-- A stand-in for AlipayHK's gateway: verifies, opens, checks, remembers and answers as documented.
-- It runs in nginx and reads every AlipayHK fact from alipayhk.api.

local algorithms = require "alipayhk.exchange.algorithms"
local api = require "alipayhk.api"
local check = require "alipayhk.rules.check"
local connection = require "connection"
local core = require "alipayhk.core"
local faults = require "faults"
local json = require "alipayhk.base.json"
local keyring = require "alipayhk.exchange.keyring"
local message = require "alipayhk.exchange.message"
local nginx_request = require "alipayhk.transport.nginx_request"
local platform = require "alipayhk.api.platform"
local rules = require "alipayhk.rules"
local steps = require "alipayhk.rules.steps"
local terminal_log = require "terminal_log"
local text = require "alipayhk.base.text"
local time = require "alipayhk.base.time"
local wire = require "alipayhk.exchange.wire"

local handler = {}

local DAY_S = 24 * 60 * 60
local DAY_MS = DAY_S * 1000
-- One client for each algorithm.
local CLIENT_PREFIX = "LOCAL_"
-- What the core is told for each algorithm.
local OPTIONS = algorithms.read {}
-- The version of the gateway's own keys, and of a client's key unless GATEWAY_KEY_VERSION says otherwise.
local KEY_VERSION = "1"

local clients = {}
-- How far Request-Time may be from our clock; nil: any time will do.
local tolerance_s

-- The word for a type of key in file names.
local function kind_of(key_type)
  return text.lower(key_type)
end

-- Makes a client from the file of its public key; or nil and a message. `algorithm`: by default that of the key's type.
local function new_client(directory, client_id, key_file, key_version, algorithm)
  local merchant, why = keyring.new { [key_version] = { file = key_file } }
  if not merchant then return nil, why end
  local key_type = merchant:get():type()
  algorithm = algorithm or algorithms.default(key_type).name
  local kind = kind_of(key_type)
  return {
    client_id = client_id,
    kind = kind,
    peer_keys = merchant,
    algorithms = OPTIONS,
    sealing = { keys = merchant },
    private_key = assert(core.private_key { file = directory .. "/alipayhk-" .. kind .. ".pem" }),
    signing = { algorithm = algorithm, options = OPTIONS[algorithm], key_version = KEY_VERSION },
    now = core.now,
  }
end

local function refuse_option(name, why)
  error(("%s: %s"):format(name, why), 0)
end

-- Adds the user's own client, and tells gateway/start, in a file, which of our keys signs its answers.
local function add_own_client(directory, options)
  if options.client_id:find("[^!-~]") then
    refuse_option("GATEWAY_CLIENT_ID", "expected printable ASCII without blanks, as `client_id` in the config is")
  end
  local client, why = new_client(directory, options.client_id, options.merchant_key, options.key_version)
  if not client then refuse_option("GATEWAY_MERCHANT_KEY", why) end
  clients[client.client_id] = client
  local file = assert(io.open(directory .. "/own", "w"))
  assert(file:write("own_client_id=", client.client_id, "\n"))
  assert(file:write("own_alipay_public_key=", directory, "/alipayhk-", client.kind, ".pub\n"))
  assert(file:close())
end

-- Reads the keys and the options that gateway/start was given. Called once, in the master.
function handler.init(directory)
  for _, algorithm in ipairs(platform.algorithms) do
    local client_id = CLIENT_PREFIX .. algorithm.name
    local key_file = ("%s/merchant-%s.pub"):format(directory, kind_of(algorithm.key_type))
    clients[client_id] = assert(new_client(directory, client_id, key_file, KEY_VERSION, algorithm.name))
  end
  local file = assert(io.open(directory .. "/options"))
  local options = connection.parse(file:read("*a"))
  file:close()
  if options.time_tolerance_s then
    if not options.time_tolerance_s:find("^%d+$") then
      refuse_option("GATEWAY_TIME_TOLERANCE", "expected a number of seconds, in digits")
    end
    tolerance_s = tonumber(options.time_tolerance_s)
  end
  if options.client_id then add_own_client(directory, options) end
  faults.init(options, refuse_option)
  terminal_log.init(options)
end

-- ---- answering ---------------------------------------------------------------------------------

local function result_of(description, code, said)
  local known = api.result(description, code)
  return { resultCode = code, resultStatus = known.status, resultMessage = said or known.meaning }
end

-- Answers. For a known client the answer is signed and, if the request was, encrypted; for others it is plain.
local function answer(request, client, body)
  terminal_log.note("result", body.result)
  local encoded = json.encode(body)
  local header = ngx.header
  faults.set_date(header)
  header["Content-Type"] = platform.content_type
  header["Tracer-Id"] = core.hex_encode(core.random_bytes(8))
  if client then
    if request.encrypted and client.kind == "rsa" then
      encoded, header["Encrypt"] = assert(wire.seal(encoded, client.sealing))
    end
    local at, signature = wire.sign_now(client, request.method, request.path, encoded, faults.now())
    header["Client-Id"] = client.client_id
    header["Response-Time"] = assert(at, signature)
    header["Signature"] = signature
  end
  header["Content-Length"] = #encoded
  ngx.print(encoded)
end

-- ---- reading the request -----------------------------------------------------------------------

-- Reads the request; or gives nil and the HTTP status to answer with.
local function read_request()
  local request, status = nginx_request.read(ngx)
  if not request then return nil, status end
  -- No client sends one of these headers twice on purpose.
  local headers = message.headers(request.headers)
  if not headers then return nil, 400 end
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
  local client = clients[client_id]
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
  if version and version ~= "" and version ~= KEY_VERSION then
    return nil, ("it is encrypted for key version %s; the gateway's key has version %s"):format(
      text.shown(version, 16), KEY_VERSION)
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
  local payload, fault = json.decode_object(body)
  if not payload then return nil, "PARAM_ILLEGAL", "the body is " .. fault end
  return payload, body
end

-- ---- the orders --------------------------------------------------------------------------------

local function load(key)
  local stored = ngx.shared.orders:get(key)
  return stored and json.decode(stored)
end

local function save(key, stored)
  assert(ngx.shared.orders:set(key, json.encode(stored)))
end

-- A message for a step that a rule on AlipayHK's pages forbids; steps that are only inferred to be wrong pass.
local function step_fault(description, stored, payload)
  if not stored or stored.scenario ~= payload[description.scenario_field] then return nil end
  local scenario = rules.alipayhk:form(description, payload).scenario
  local fault, is_warning = steps.fault(scenario, stored.status, payload[description.status_field])
  return not is_warning and fault or nil
end

-- Whether a requestId was used before with another content. With the same content it is a retry.
local function is_inconsistent(client, request, payload, body)
  local key = client.client_id .. ":" .. payload[platform.identity.request_id]
  local content = ngx.sha1_bin(request.path .. "\n" .. body)
  local added, err = ngx.shared.requests:add(key, content, DAY_S)
  assert(added or err == "exists", err)
  return not added and ngx.shared.requests:get(key) ~= content
end

local OLDER = "success (older than what is stored: ignored)"

local function key_of(description, client, payload)
  return ("%s:%s:%s"):format(client.client_id, description.name, payload[platform.identity.merchant_biz_no])
end

-- What an answer shows of a stored event: the fields among these that the API's answers have.
local function shown(description, stored)
  local known, body = { orderId = stored.order_id, orderStatus = stored.status }, {}
  for _, field in ipairs(description.response) do body[field.path] = known[field.path] end
  return body
end

-- Stores an event unless a later one is stored. It is atomic: there is one worker, and no yield from load to save.
local function keep(description, client, payload)
  local key = key_of(description, client, payload)
  local stored = load(key)
  local sequence = payload[description.sequence_field]
  if stored and sequence < stored.sequence then return "SUCCESS", OLDER, shown(description, stored) end
  local fault = step_fault(description, stored, payload)
  if fault then return "ORDER_STATUS_INVALID", fault end
  stored = {
    sequence = sequence,
    status = payload[description.status_field],
    scenario = payload[description.scenario_field],
    order_id = stored and stored.order_id or ("LOCAL%012d"):format(ngx.shared.orders:incr("orders", 1, 0)),
  }
  save(key, stored)
  return "SUCCESS", nil, shown(description, stored)
end

-- The APIs that do more than `keep`: each gives a result code, a message, and further fields of the answer.
local apply = {}

function apply.contract_card(description, client, payload)
  local key = key_of(description, client, payload)
  local stored = load(key)
  local sequence, status = payload[description.sequence_field], payload[description.status_field]
  local valid = stored and stored.end_date > core.now() * 1000
  if payload.command == "SEND" then
    if valid then return "UN_SUPPORT_BUSINESS", "SEND for a notification that exists and is valid" end
  else
    if not stored then return "ORDER_NOT_FOUND" end
    if not valid then return "SUCCESS", "success (the notification is no longer valid: ignored)" end
    if sequence < stored.sequence then return "SUCCESS", OLDER end
    local fault = step_fault(description, stored, payload)
    if fault then return "ORDER_STATUS_INVALID", fault end
  end
  save(key, {
    sequence = sequence, status = status, scenario = payload[description.scenario_field],
    end_date = payload.endDate or valid and stored.end_date or math.floor(core.now() * 1000) + DAY_MS,
  })
  return "SUCCESS"
end

-- ---- the handler -------------------------------------------------------------------------------

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
  local form = rules.alipayhk:form(description, payload)
  local ok, err = check.payload(form, payload, { complete = true, is_encoded = true })
  if not ok then return { result = result_of(description, code_of(description, err.fields), err.message) } end
  if is_inconsistent(client, request, payload, opened) then
    return { result = result_of(description, "REPEAT_REQ_INCONSISTENT") }
  end
  local code, said, body = (apply[description.name] or keep)(description, client, payload)
  body = body or {}
  body.result = result_of(description, code, said)
  return body
end

function handler.handle()
  local request, status = read_request()
  if not request then return ngx.exit(status) end
  local client, code, why = authenticate(request)
  if client then
    faults.serve(request, client, process, answer)
  else
    answer(request, nil, { result = result_of(nil, code, why) })
  end
end

return handler
