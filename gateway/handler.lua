--- A stand-in for AlipayHK's gateway: verifies, opens, checks, remembers and answers as documented.
-- It runs in nginx and reads every AlipayHK fact from alipayhk.api.

local api = require "alipayhk.api"
local check = require "alipayhk.check"
local core = require "alipayhk.core"
local json = require "alipayhk.json"
local keyring = require "alipayhk.keyring"
local platform = require "alipayhk.api.platform"
local rules = require "alipayhk.rules"
local steps = require "alipayhk.steps"
local wire = require "alipayhk.wire"

local handler = {}

local DAY_MS = 24 * 60 * 60 * 1000
-- One client for each algorithm, its keys beside the configuration.
local CLIENTS = { LOCAL_RSA256 = "rsa", LOCAL_ECC224 = "ec" }
local ALGORITHMS = { rsa = "RSA256", ec = "ECC224" }

local clients = {}

--- Reads the keys. Called once, in the master.
-- @tparam string directory
function handler.init(directory)
  for client_id, kind in pairs(CLIENTS) do
    local algorithm = ALGORITHMS[kind]
    local merchant = assert(keyring.new { file = directory .. "/merchant-" .. kind .. ".pub" })
    clients[client_id] = {
      client_id = client_id,
      merchant = merchant,
      sealing = { keys = merchant, default_version = "1" },
      private_key = assert(core.private_key { file = directory .. "/alipayhk-" .. kind .. ".pem" }),
      signing = { algorithm = algorithm, key_version = "1" },
      now = ngx.now,
    }
  end
end

-- ---- answering ---------------------------------------------------------------------------------

local function result_of(description, code, message)
  local known = api.result(description, code)
  return { resultCode = code, resultStatus = known.status, resultMessage = message or known.meaning }
end

-- Signed and, where the request was, encrypted for a client that is known; plain otherwise.
local function answer(request, client, body)
  local text = json.encode(body)
  local header = ngx.header
  header["Content-Type"] = platform.content_type
  header["Tracer-Id"] = core.hex_encode(core.random_bytes(8))
  if client then
    if request.encrypted then
      text, header["Encrypt"] = assert(wire.seal(text, client.sealing))
    end
    local time, signature = wire.sign_now(client, request.method, request.path, text)
    header["Client-Id"] = client.client_id
    header["Response-Time"] = assert(time, signature)
    header["Signature"] = signature
  end
  header["Content-Length"] = #text
  ngx.print(text)
end

-- ---- reading the request -----------------------------------------------------------------------

local function read_body()
  ngx.req.read_body()
  local data = ngx.req.get_body_data()
  local path = not data and ngx.req.get_body_file()
  if not path then return data or "" end
  local file = assert(io.open(path, "rb"))
  data = file:read("*a")
  file:close()
  return data
end

local function read_request()
  local headers = ngx.req.get_headers()
  -- A header that comes twice is a table: no client sends that on purpose.
  local function text(name)
    local value = headers[name]
    return type(value) == "string" and value or nil
  end
  return {
    method = ngx.req.get_method(),
    path = ngx.var.request_uri,
    body = read_body(),
    client_id = text("client-id"),
    content_type = text("content-type"),
    time = text("request-time"),
    signature = text("signature"),
    encrypted = text("encrypt"),
  }
end

local function is_timestamp(text)
  return text:find("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d[%d.]*[Z+-][%d:]*$") ~= nil
end

-- The client when the request is its own; otherwise nil, a result code and what to say.
local function authenticate(request)
  if request.method ~= "POST" then return nil, "METHOD_NOT_SUPPORTED" end
  if not request.client_id then return nil, "INVALID_CLIENT", "no Client-Id header" end
  local client = clients[request.client_id]
  if not client then return nil, "INVALID_CLIENT" end
  if not request.signature then return nil, "INVALID_SIGNATURE", "no Signature header" end
  if not request.time or not is_timestamp(request.time) then
    return nil, "INVALID_SIGNATURE", "no Request-Time header in ISO 8601 with an offset"
  end
  local content = wire.content(request.method, request.path, client.client_id, request.time, request.body)
  local ok, message = wire.verify(request.signature, content, client.merchant)
  if not ok then return nil, "INVALID_SIGNATURE", message end
  return client
end

local function read_payload(request, client)
  local kind = request.content_type or ""
  if not kind:find("^application/json") and not (request.encrypted and kind:find("^text/plain")) then
    return nil, "MEDIA_TYPE_NOT_ACCEPTABLE"
  end
  local body = request.body
  if request.encrypted then
    body = wire.open(request.encrypted, body, client.private_key)
    if not body then return nil, "PARAM_ILLEGAL", "the body cannot be decrypted" end
  end
  local payload = json.decode(body)
  if type(payload) ~= "table" then return nil, "PARAM_ILLEGAL", "the body is no JSON object" end
  return payload
end

-- ---- the orders --------------------------------------------------------------------------------

local function load(key)
  local text = ngx.shared.orders:get(key)
  return text and json.decode(text)
end

local function save(key, stored)
  assert(ngx.shared.orders:set(key, json.encode(stored)))
end

-- Refuses a step that a rule on AlipayHK's pages forbids; what is only inferred passes.
local function step_fault(description, stored, payload)
  if not stored or stored.scenario ~= payload[description.scenario_field] then return nil end
  local scenario = rules.alipayhk:scenario(description, payload)
  local message, is_warning = steps.fault(scenario, stored.status, payload[description.status_field])
  return not is_warning and message or nil
end

-- By API: gives a result code, a message, and further fields of the answer. One worker and no yield
-- between load and save keep each of them atomic.
local apply = {}

local OLDER = "success (older than what is stored: ignored)"

function apply.order(description, client, payload)
  local key = client.client_id .. ":order:" .. payload.merchantBizNo
  local stored = load(key)
  local sequence, status = payload[description.sequence_field], payload[description.status_field]
  if stored and sequence < stored.sequence then
    return "SUCCESS", OLDER, { orderId = stored.order_id, orderStatus = stored.status }
  end
  local fault = step_fault(description, stored, payload)
  if fault then return "ORDER_STATUS_INVALID", fault end
  local order_id = stored and stored.order_id or ("LOCAL%012d"):format(ngx.shared.orders:incr("orders", 1, 0))
  save(key, {
    sequence = sequence, status = status, scenario = payload[description.scenario_field], order_id = order_id,
  })
  return "SUCCESS", nil, { orderId = order_id, orderStatus = status }
end

function apply.contract_card(description, client, payload)
  local key = client.client_id .. ":contract_card:" .. payload.merchantBizNo
  local stored = load(key)
  local sequence, status = payload[description.sequence_field], payload[description.status_field]
  local valid = stored and stored.end_date > ngx.now() * 1000
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
    end_date = payload.endDate or valid and stored.end_date or math.floor(ngx.now() * 1000) + DAY_MS,
  })
  return "SUCCESS"
end

-- ---- the handler -------------------------------------------------------------------------------

-- A status outside the scenario's list has a code of its own, where nothing else is wrong.
local function code_of(description, faults)
  local only = #faults == 1 and faults[1]
  return only and only.path == description.status_field and only.code == "enum" and "ORDER_STATUS_INVALID"
    or "PARAM_ILLEGAL"
end

local function process(request, client)
  local path = request.path:gsub("%?.*$", "")
  local description = api.by_path[path]
  if not description then return { result = result_of(nil, "INVALID_API") } end
  local payload, code, message = read_payload(request, client)
  if not payload then return { result = result_of(description, code, message) } end
  local ok, err = check.payload(rules.alipayhk, description, payload, { complete = true, is_encoded = true })
  if not ok then return { result = result_of(description, code_of(description, err.fields), err.message) } end
  local body
  code, message, body = apply[description.name](description, client, payload)
  body = body or {}
  body.result = result_of(description, code, message)
  return body
end

function handler.handle()
  local request = read_request()
  local client, code, message = authenticate(request)
  if client then
    answer(request, client, process(request, client))
  else
    answer(request, nil, { result = result_of(nil, code, message) })
  end
end

return handler
