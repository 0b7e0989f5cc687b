-- The object that users hold: reads arguments, and has the floors below do the work. What each method takes and gives
-- is described in `alipayhk.meta`.

local Error = require "alipayhk.base.error"
local api = require "alipayhk.api"
local arguments = require "alipayhk.base.arguments"
local batch = require "alipayhk.delivery.batch"
local call = require "alipayhk.exchange.call"
local config_reader = require "alipayhk.config"
local inbound = require "alipayhk.exchange.inbound"
local json = require "alipayhk.base.json"
local list = require "alipayhk.base.list"
local request_builder = require "alipayhk.exchange.request"
local send = require "alipayhk.exchange.send"
local suggest = require "alipayhk.base.suggest"
local transport = require "alipayhk.transport"

local Client = {}
Client.__index = Client
Client.__name = "alipayhk.client"

-- ---- arguments: one of the wrong type is thrown, at the caller's line ------------------------------

local TIMEOUT_MAX = 2147483647

local OPTIONS = {
  encrypt = arguments.of_type("boolean"),
  previous_status = arguments.of_type("string"),
  timeout_ms = arguments.milliseconds(1, TIMEOUT_MAX),
  retry = function(value)
    if value == false or type(value) == "table" then return nil end
    return "expected a table or false, " .. arguments.found(value)
  end,
}

local OPTION_PATHS = list.keys(OPTIONS)
for _, path in ipairs(config_reader.RETRY_PATHS) do OPTION_PATHS[#OPTION_PATHS + 1] = path end

local MANY_OPTIONS = { encrypt = OPTIONS.encrypt, timeout_ms = OPTIONS.timeout_ms, retry = OPTIONS.retry }
for name, check in pairs(batch.CHECKS) do MANY_OPTIONS[name] = check end

local RECEIVE_OPTIONS = { max_age_ms = arguments.milliseconds(0) }

-- Called first by every method: `client.sync_order(order)`, with a dot, would take the order for the client.
local function check_self(self, method)
  -- A user's own table over a client's fields will do.
  if type(self) == "table" and type(self.config) == "table" and type(self.transport) == "table" then return end
  error(("%s: called without its client; call it with a colon, as client:%s(...)"):format(method, method), 3)
end

local function options_fault(opts, has_steps)
  for name in pairs(type(opts) == "table" and opts or {}) do
    if not OPTIONS[name] and config_reader.has_key(name) then
      return ("opts.%s: no such option: it is a key of alipayhk.new's config"):format(name)
    end
  end
  local fault = arguments.options_fault(opts, OPTIONS, OPTION_PATHS)
  if not fault and opts and opts.previous_status and not has_steps then
    return "opts.previous_status: only orders and notifications have steps, and a prepared one has been checked"
  end
  return fault
end

local function arguments_fault(client, payload, opts, has_steps)
  if client.closed then return "the client is closed" end
  return arguments.type_fault(payload, "table") or options_fault(opts, has_steps)
end

local function call_fault(client, request)
  if client.closed then return "the client is closed" end
  return inbound.request_fault(request)
end

-- A message where a result is no table, or JSON cannot carry it.
local function result_fault(result)
  local fault = arguments.type_fault(result, "table")
  return fault and "result: " .. fault or json.fault(result, "result")
end

-- ---- sending ---------------------------------------------------------------------------------------

local function call_api(client, description, path, payload, opts)
  opts = opts or {}
  local policy, err = config_reader.read_retry(opts.retry, client.config.retry)
  if not policy then return nil, err end
  return call.run(client, description, path, payload, opts, policy)
end

-- ---- public ------------------------------------------------------------------------------------

-- One method an API, as its description names it: client:sync_order(order, opts) and its siblings.
for _, name in ipairs(api.names) do
  local description = api.by_name[name]
  local method = description.method
  Client[method] = function(self, payload, opts)
    check_self(self, method)
    local fault = arguments_fault(self, payload, opts, true)
    if fault then error(method .. ": " .. fault, 2) end
    return call_api(self, description, description.path, payload, opts)
  end
end

-- Sends what a source gives, many at once, events of one order one after the other.
function Client:sync_many(source, opts)
  check_self(self, "sync_many")
  local fault = self.closed and "the client is closed" or batch.source_fault(source)
    or arguments.options_fault(opts, MANY_OPTIONS)
  if fault then error("sync_many: " .. fault, 2) end
  opts = opts or {}
  local policy, err = config_reader.read_retry(opts.retry, self.config.retry)
  if not policy then return nil, err end
  return batch.run(self, source, opts, policy)
end

-- Any other API of the platform: signed, sent and verified the same way, nothing filled in and no fields checked.
function Client:call(path, payload, opts)
  check_self(self, "call")
  local fault = request_builder.path_fault(path) or arguments_fault(self, payload, opts)
  if fault then error("call: " .. fault, 2) end
  return call_api(self, nil, path, payload, opts)
end

-- Builds, checks and signs a request without sending it; `api_or_path`: an API's name, or a path.
function Client:prepare(api_or_path, payload, opts)
  check_self(self, "prepare")
  local description = api.by_name[api_or_path]
  local fault = not description and request_builder.path_fault(api_or_path)
  if fault then fault = fault .. suggest.name(api_or_path, api.names) end
  fault = fault or arguments_fault(self, payload, opts, description ~= nil)
  if fault then error("prepare: " .. fault, 2) end
  local path = description and description.path or api_or_path
  local request, err = call.build(self.config, description, path, payload, opts or {})
  if not request then return nil, err end
  request.is_seen = true -- by the user, who may change it and send it from two coroutines
  return request_builder.sign(self.config, request)
end

-- Sends what `prepare` gave, signed anew for each attempt.
function Client:send(request, opts)
  check_self(self, "send")
  local fault = request_builder.fault(self.config, request) or arguments_fault(self, request, opts)
  if not fault and opts and opts.encrypt ~= nil then
    fault = "opts.encrypt: it was decided when `prepare` built this"
  end
  if fault then error("send: " .. fault, 2) end
  opts = opts or {}
  local policy, err = config_reader.read_retry(opts.retry, self.config.retry)
  if not policy then return nil, err end
  return send.run(self, request, policy, opts.timeout_ms or self.config.timeout_ms)
end

-- The payload of a call from AlipayHK, verified and decrypted. Handlers have to bear the same call twice.
function Client:receive(request, opts)
  check_self(self, "receive")
  local fault = call_fault(self, request) or arguments.options_fault(opts, RECEIVE_OPTIONS)
  if fault then error("receive: " .. fault, 2) end
  local payload, err = inbound.receive(self.config, request, opts or {})
  return payload, err
end

-- The reply to a call from AlipayHK: signed, and encrypted where the call was. Only for a call that `receive` verified:
-- nobody but AlipayHK should get a signature of ours.
function Client:reply(request, result)
  check_self(self, "reply")
  local fault = call_fault(self, request)
  if not fault and result ~= nil then fault = result_fault(result) end
  if fault then error("reply: " .. fault, 2) end
  return inbound.reply(self.config, request, result)
end

-- Gives back the connections. The client cannot be used after that.
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

-- Makes a client; or nil and an error of kind "config".
local function new(given)
  local config, err = config_reader.read(given)
  if not config then return nil, err end
  local chosen, key, message = transport.new(config)
  if not chosen then return nil, Error.new("config", ("`%s`: %s"):format(key, message), { code = key }) end
  return setmetatable({ config = config, transport = chosen, closed = false }, Client)
end

return { new = new }
