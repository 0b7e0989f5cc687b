--- The object users hold: the order of the steps, and retries.
-- @module alipayhk.client

local Error = require "alipayhk.error"
local api = require "alipayhk.api"
local config_reader = require "alipayhk.config"
local core = require "alipayhk.core"
local http1 = require "alipayhk.transport.http1"
local inbound = require "alipayhk.inbound"
local json = require "alipayhk.json"
local list = require "alipayhk.list"
local options = require "alipayhk.options"
local quote = require "alipayhk.quote"
local request_builder = require "alipayhk.request"
local response_reader = require "alipayhk.response"
local retry = require "alipayhk.retry"
local runtime = require "alipayhk.runtime"
local suggest = require "alipayhk.suggest"
local text = require "alipayhk.text"
local transport = require "alipayhk.transport"

local Client = {}
Client.__index = Client
Client.__name = "alipayhk.client"

local TIMEOUT_MAX = 2147483647
local number_fault, retry_fault = options.types("number"), options.types("table", "boolean")

local OPTIONS = {
  encrypt = options.types("boolean"),
  previous_status = options.types("string"),
  timeout_ms = function(value)
    local fault = number_fault(value)
    if fault or value >= 1 and value <= TIMEOUT_MAX then return fault end
    return ("expected milliseconds from 1 to %d"):format(TIMEOUT_MAX)
  end,
  retry = function(value)
    return value == true and "a table or false is expected" or retry_fault(value)
  end,
}

local RECEIVE_OPTIONS = { max_age_ms = inbound.age_fault }

-- ---- arguments: a message where they are of the wrong type; the public function throws it --------

-- Every method begins so: `client.sync_order(order)` would take the order for the client.
local function check_self(self, method)
  -- Somebody's own table over a client's will do.
  if type(self) == "table" and type(self.config) == "table" and type(self.transport) == "table" then return end
  error(("%s: called without its client; call it with a colon, as client:%s(...)"):format(method, method), 3)
end

-- What belongs one level deeper, or into the config.
local function misplaced(opts)
  for name in pairs(type(opts) == "table" and opts or {}) do
    if list.includes(config_reader.RETRY_KEYS, name) then
      return ("opts.%s: no such option, did you mean opts.retry.%s?"):format(name, name)
    elseif not OPTIONS[name] and config_reader.has_key(name) then
      return ("opts.%s: no such option: it is a key of alipayhk.new's config"):format(name)
    end
  end
end

local function options_fault(opts, has_steps)
  local fault = misplaced(opts) or options.fault(opts, OPTIONS)
  if not fault and opts and opts.previous_status and not has_steps then
    return "opts.previous_status: only orders and notifications have steps, and a prepared one has been checked"
  end
  return fault
end

local function arguments_fault(client, payload, opts, has_steps)
  if client.closed then return "the client is closed" end
  if type(payload) ~= "table" then return ("a table expected, found a %s"):format(type(payload)) end
  return options_fault(opts, has_steps)
end

local function path_fault(path)
  if type(path) ~= "string" or not path:find("^/[A-Za-z0-9/._~%%!$&'()*+,;=:@?-]*$") then
    return "path: expected a path from its first slash on, with the query string where there is one"
  end
end

-- What says how long a request is and where it goes is the transport's own.
local TRANSPORT_HEADERS = {
  ["host"] = true, ["content-length"] = true, ["transfer-encoding"] = true, ["connection"] = true,
}

local function header_fault(name, value)
  if type(name) ~= "string" or type(value) ~= "string" then return "its headers are strings, names and values" end
  if not name:find("^" .. http1.TOKEN .. "$") then
    return ("its header %q: a name of letters, digits and `-` expected"):format(name)
  end
  if TRANSPORT_HEADERS[text.lower(name)] then return ("its header %s is for the transport to set"):format(name) end
end

-- A request goes where it was signed for, in the name of the client that signed it.
local function request_fault(client, request)
  if type(request) ~= "table" or type(request.headers) ~= "table" then return "what `prepare` gave is expected" end
  for _, name in ipairs { "method", "url", "path", "body" } do
    if type(request[name]) ~= "string" then return ("what `prepare` gave is expected: no `%s`"):format(name) end
  end
  for name, value in pairs(request.headers) do
    local fault = header_fault(name, value)
    if fault then return fault end
  end
  if request.method ~= "POST" then return "its method has to be POST" end
  local fault = path_fault(request.path)
  if fault then return "its " .. fault end
  if request.url ~= client.config.base.origin .. request.path then
    return "its `url` and `path` are not those that this client prepares"
  end
  if request.headers["Client-Id"] ~= client.config.client_id then return "it was prepared by another client" end
end

-- ---- events ------------------------------------------------------------------------------------

-- A hook that throws must not lose the answer to an order that was sent; nginx's log hears of it.
local function emit(client, request, event)
  local on_event = client.config.on_event
  if not on_event then return end
  event.api = request.api
  event.request_id = request.request_id
  event.merchant_biz_no = request.merchant_biz_no
  local ok, thrown = pcall(on_event, event)
  if not ok then runtime.log("alipayhk: config.on_event", thrown) end
end

-- ---- sending -----------------------------------------------------------------------------------

local function transport_error(request, fault)
  local code, message, timing, http_status = transport.failure(fault)
  return Error.new("transport", quote.without(message, request.personal), {
    code = code,
    http_status = http_status,
    request_id = request.request_id,
    timing = timing,
  })
end

-- What a transport takes. The headers are its own: it may change them, and read them while another coroutine signs the
-- same request anew. Without room for what is not there the table is half as large: hundreds of these wait in a worker
-- at once.
local function transport_request(config, request, timeout_ms, once)
  local headers = {}
  for name, value in pairs(request.headers) do headers[name] = value end
  local given = {
    method = request.method,
    url = request.url,
    headers = headers,
    body = request.body,
    connect_timeout_ms = math.min(config.connect_timeout_ms, timeout_ms),
    timeout_ms = timeout_ms,
    max_response_bytes = config.max_response_bytes,
    tls = config.tls,
  }
  if config.proxy ~= nil then given.proxy = config.proxy end
  if once then given.once = true end
  return given
end

-- Sends once. Beside an error: what the answer said about another attempt, and whether this one may have arrived.
local function attempt(client, request, n, timeout_ms, policy, is_lost)
  local config = client.config
  -- What the user's clock throws is thrown on, unless something was sent before.
  local signed, err
  if n == 1 then
    signed, err = request_builder.sign(config, request)
  else
    local ran
    ran, signed, err = pcall(request_builder.sign, config, request)
    if not ran then signed, err = nil, Error.new("crypto", tostring(signed), { request_id = request.request_id }) end
  end
  if not signed then return nil, err, {}, is_lost end
  local response, after_ms
  local raw, fault = client.transport.send(transport_request(config, request, timeout_ms, policy.once))
  local malformed = raw ~= nil and transport.response_fault(raw)
  if raw == nil or malformed then
    err = transport_error(request, malformed or fault)
  else
    is_lost = is_lost or raw.resent
    response, err = response_reader.read(config, request, raw, is_lost)
    if response then return response end
    err.timing = raw.timing
    after_ms = retry.after_ms(raw.headers, config.now)
  end
  local rule = retry.rule(policy, api.by_name[request.api], err)
  err.retryable = rule and true
  return nil, err, { later = rule == "later", after_ms = after_ms }, is_lost or retry.was_lost(err)
end

local function string_or_nil(value)
  return type(value) == "string" and value or nil
end

local function outcome_event(name, n, response, err)
  local about = response or err
  return {
    name = name,
    attempt = n,
    http_status = about.http_status,
    result_code = response and string_or_nil(response.result.resultCode)
      or err and err.kind == "result" and err.code or nil,
    tracer_id = about.tracer_id,
    timing = about.timing,
    kind = err and err.kind or nil,
    code = err and err.code or nil,
  }
end

-- A hook may close the client before anything is sent.
local function closed_error(client, request)
  local err = Error.new("transport", "the client was closed before the request was sent", {
    code = "connect", request_id = request.request_id, attempts = 0,
  })
  emit(client, request, outcome_event("error", 1, nil, err))
  return err
end

-- Requests that may have arrived, as long as somebody holds them: the table is the user's, so the mark is here.
local lost = setmetatable({}, { __mode = "k" })

-- The error to give back: one that says that nothing was sent is no word on an attempt before it that may have arrived.
local function final_error(err, lost_err)
  if not lost_err or not retry.is_unsent(err) then return err end
  lost_err.attempts = err.attempts
  return lost_err
end

-- One attempt after the other. What comes back has the number of the last one.
local function deliver(client, request, opts, policy)
  local config = client.config
  local started = core.monotonic()
  local function spent_ms() return (core.monotonic() - started) * 1000 end
  local last_err, lost_err

  for n = 1, policy.max_attempts do
    emit(client, request, { name = "attempt", attempt = n })
    if client.closed then return nil, last_err and final_error(last_err, lost_err) or closed_error(client, request) end
    local left_ms = policy.budget_ms - spent_ms()
    if last_err and left_ms < 1 then return nil, final_error(last_err, lost_err) end
    local timeout_ms = math.max(1, math.floor(math.min(opts.timeout_ms or config.timeout_ms, left_ms)))
    local response, err, hints, is_lost = attempt(client, request, n, timeout_ms, policy, lost[request])
    if response then
      response.attempts = n
      emit(client, request, outcome_event("response", n, response))
      return response
    end
    if is_lost then lost[request] = true end
    last_err, err.attempts = err, n
    if retry.was_lost(err) then lost_err = err end
    if err.response then err.response.attempts = n end
    emit(client, request, outcome_event("error", n, nil, err))

    local delay_ms = retry.delay_ms(policy, n, err, hints, spent_ms())
    -- A connection that breaks while the worker is about to end: worker_shutdown_timeout may have cut it, and
    -- would cut no other.
    if not delay_ms or err.code == "reset" and runtime.is_exiting() then return nil, final_error(err, lost_err) end
    if not client.closed then emit(client, request, { name = "retry", attempt = n, delay_ms = delay_ms }) end
    if not client.closed then config.sleep(delay_ms) end
    -- Somebody may have closed it meanwhile: the last error still says most.
    if client.closed then return nil, final_error(err, lost_err) end
  end
end

local function read_policy(client, opts)
  local policy, path, message = config_reader.read_retry(opts.retry, client.config.retry)
  if policy then return policy end
  return nil, Error.new("config", ("`%s`: %s"):format(path, message), { code = path })
end

-- ---- building ----------------------------------------------------------------------------------

-- nginx's log has each warning once, whichever place of a list it is about: the samples look at none.
local function log_warnings(description, payload, warnings)
  for _, warning in ipairs(warnings) do
    local scenario = ("%s %s"):format(description.noun, tostring(payload[description.scenario_field]))
    local key = scenario .. " " .. warning.path:gsub("%[%d+%]", "[]")
    runtime.warn_once(key, ("alipayhk: warning: %s: %s"):format(scenario, tostring(warning)))
  end
end

local function build(client, description, path, payload, opts)
  local encrypt = client.config.encrypt
  if opts.encrypt ~= nil then encrypt = opts.encrypt end
  local request, err = request_builder.build(client.config, description, path, payload, encrypt, opts.previous_status)
  if not request then
    emit(client, { api = description and description.name }, { name = "error", kind = err.kind, code = err.code })
    return nil, err
  end
  if description then log_warnings(description, payload, request.warnings) end
  return request
end

local function call(client, description, path, payload, opts)
  opts = opts or {}
  local policy, request, err
  policy, err = read_policy(client, opts)
  if not policy then return nil, err end
  request, err = build(client, description, path, payload, opts)
  if not request then return nil, err end
  return deliver(client, request, opts, policy)
end

-- ---- public ------------------------------------------------------------------------------------

--- Sends the state of an order: `POST /api/open/alipay/v1/merchant/order/sync`.
-- Fills in `requestId` and `orderModifyTime` (now, ms) where they are absent.
-- @tparam table order AlipayHK's own field names
-- @tparam[opt] table opts `timeout_ms`, `retry`, `encrypt` over the client's own; `previous_status`: what
--   the order's status was, so that a step which AlipayHK's rules forbid is refused
-- @treturn[1] table response `{ result, body, request_id, tracer_id, response_time, http_status,
--   attempts, authenticated, timing, warnings }`
-- @treturn[2] nil
-- @treturn[2] error
function Client:sync_order(order, opts)
  check_self(self, "sync_order")
  local fault = arguments_fault(self, order, opts, true)
  if fault then error("sync_order: " .. fault, 2) end
  return call(self, api.by_name.order, api.by_name.order.path, order, opts)
end

--- Sends a performance notification:
-- `POST /api/open/alipay/intl/promotion/order/contractCardSync`.
-- Fills in `requestId` and `bizDate` (now, ms) where they are absent; values of
-- `syncDataInfo.languageBusinessInfo` may be tables.
-- @tparam table card
-- @tparam[opt] table opts as for `sync_order`
-- @return as `sync_order`
function Client:sync_contract_card(card, opts)
  check_self(self, "sync_contract_card")
  local fault = arguments_fault(self, card, opts, true)
  if fault then error("sync_contract_card: " .. fault, 2) end
  return call(self, api.by_name.contract_card, api.by_name.contract_card.path, card, opts)
end

--- Calls any other API of the platform: signed, sent and verified the same way, nothing filled in
-- and no fields checked.
-- @tparam string path with its query string
-- @tparam table payload
-- @tparam[opt] table opts as for `sync_order`
-- @return as `sync_order`
function Client:call(path, payload, opts)
  check_self(self, "call")
  local fault = path_fault(path) or arguments_fault(self, payload, opts)
  if fault then error("call: " .. fault, 2) end
  return call(self, nil, path, payload, opts)
end

--- Builds, checks and signs a request without sending it.
-- @tparam string api_or_path "order", "contract_card", or a path
-- @tparam table payload
-- @tparam[opt] table opts as for `sync_order`
-- @treturn[1] table `{ method, url, path, headers, body, request_id, warnings }`
-- @treturn[2] nil
-- @treturn[2] error
function Client:prepare(api_or_path, payload, opts)
  check_self(self, "prepare")
  local description = api.by_name[api_or_path]
  local fault = not description and path_fault(api_or_path)
    or arguments_fault(self, payload, opts, description ~= nil)
  if fault then
    error("prepare: " .. fault .. (description and "" or suggest(api_or_path, api.names)), 2)
  end
  local path = description and description.path or api_or_path
  local request, err = build(self, description, path, payload, opts or {})
  if not request then return nil, err end
  return request_builder.sign(self.config, request)
end

--- Sends what `prepare` gave, signed anew for each attempt.
-- @tparam table request
-- @tparam[opt] table opts as for `sync_order`
-- @return as `sync_order`
function Client:send(request, opts)
  check_self(self, "send")
  local fault = request_fault(self, request) or arguments_fault(self, request, opts)
  if not fault and opts and opts.encrypt ~= nil then
    fault = "opts.encrypt: it was decided when `prepare` built this"
  end
  if fault then error("send: " .. fault, 2) end
  opts = opts or {}
  local policy, err = read_policy(self, opts)
  if not policy then return nil, err end
  return deliver(self, request, opts, policy)
end

-- A call from AlipayHK as the server saw it.
local function call_fault(client, request)
  if client.closed then return "the client is closed" end
  if type(request) ~= "table" then return ("a table expected, found a %s"):format(type(request)) end
  for _, name in ipairs { "method", "path", "body" } do
    if type(request[name]) ~= "string" then return ("`%s`: a string expected"):format(name) end
  end
  if type(request.headers) ~= "table" then return "`headers`: a table expected" end
  for name in pairs(request.headers) do
    if type(name) ~= "string" then return "`headers`: names are strings" end
  end
end

-- What JSON cannot carry of a result.
local function result_fault(result)
  if type(result) ~= "table" then return ("result: a table expected, found a %s"):format(type(result)) end
  return json.fault(result, "result")
end

--- The payload of a call from AlipayHK, verified and decrypted. Handlers have to bear the same call twice.
-- @tparam table request `{ method, path, headers, body }`: the path with its query string as AlipayHK called
--   it (behind a proxy that rewrites it, the outer one), the very bytes of the body
-- @tparam[opt] table opts `max_age_ms`: how far Request-Time may be from our clock; any time when absent
-- @treturn[1] table payload
-- @treturn[2] nil
-- @treturn[2] error kind "signature", "decrypt" or "protocol"
function Client:receive(request, opts)
  check_self(self, "receive")
  local fault = call_fault(self, request) or options.fault(opts, RECEIVE_OPTIONS)
  if fault then error("receive: " .. fault, 2) end
  local payload, err = inbound.receive(self.config, request, opts or {})
  return payload, err
end

--- The reply to a call from AlipayHK: signed, and encrypted where the call was. Only for a call that `receive`
-- knew to be AlipayHK's: nobody else should get a signature of yours.
-- @tparam table request as given to `receive`
-- @tparam[opt] table result `{ resultCode, resultStatus, resultMessage }`, success when absent; "U" with
--   "UNKNOWN_EXCEPTION" to be called again
-- @treturn[1] table `{ status, headers, body }`
-- @treturn[2] nil
-- @treturn[2] error kind "crypto"
function Client:reply(request, result)
  check_self(self, "reply")
  local fault = call_fault(self, request)
  if not fault and result ~= nil then fault = result_fault(result) end
  if fault then error("reply: " .. fault, 2) end
  return inbound.reply(self.config, request, result)
end

--- Gives back the connections. The client cannot be used after that.
function Client:close()
  check_self(self, "close")
  if self.closed then return end
  self.closed = true
  self.transport.close()
end

Client.__close = Client.close
Client.__gc = Client.close

function Client:__tostring()
  return ("alipayhk.client (%s, %s)"):format(self.config.base.origin, self.closed and "closed" or "open")
end

--- Makes a client. See the README for the keys of the config.
-- @tparam table given
-- @treturn[1] client
-- @treturn[2] nil
-- @treturn[2] error kind "config"
local function new(given)
  local config, err = config_reader.read(given)
  if not config then return nil, err end
  local travels, key, message = transport.new(config)
  if not travels then return nil, Error.new("config", ("`%s`: %s"):format(key, message), { code = key }) end
  return setmetatable({ config = config, transport = travels, closed = false }, Client)
end

return { new = new }
