-- An nginx content handler for AlipayHK's calls:
--
--     local endpoint = require("alipayhk.nginx").endpoint(client, function(payload) ... end)
--     -- location = /alipayhk { content_by_lua_block { require("mine").endpoint() } }

local arguments = require "alipayhk.base.arguments"
local core = require "alipayhk.core"
local inbound = require "alipayhk.exchange.inbound"
local json = require "alipayhk.base.json"
local nginx_request = require "alipayhk.transport.nginx_request"
local platform = require "alipayhk.api.platform"
local runtime = require "alipayhk.base.runtime"

local nginx = {}

local SUCCESS, AGAIN = platform.inbound.success, platform.inbound.call_again

-- How long the result of a call is remembered: until AlipayHK sends the call for the last time, and one hour more.
local REMEMBER_S = 3600
for _, wait in ipairs(platform.inbound.resent_after_s) do REMEMBER_S = REMEMBER_S + wait end
-- How long a call counts as being handled: longer than a handler takes, and shorter than the time until the call is
-- sent again, so that a handler that died does not block that.
local HANDLING_S = platform.inbound.resent_after_s[1] - 20
local MARK = "handling " -- followed by a random id of whoever handles the call

-- The answer to a caller that is not known to be AlipayHK. It is unsigned: nobody else should get a signature of ours,
-- and signing would cost time.
local REFUSAL = json.encode { result = platform.inbound.not_alipayhk }

-- ---- the request -------------------------------------------------------------------------------

-- The request, or nil and the HTTP status to answer with.
local function read_request(ngx, opts)
  local path = opts.path
  if type(path) == "function" then path = path() end
  local request, status = nginx_request.read(ngx)
  if not request then return nil, status end
  request.path = path or request.path
  return request
end

-- ---- handling ----------------------------------------------------------------------------------

-- A message if the handler returned something else than a result.
local function result_fault(result)
  if type(result) ~= "table" then return "it returned neither true nor a result" end
  if type(result.resultCode) ~= "string" or type(result.resultStatus) ~= "string" then
    return "its result has no resultCode or no resultStatus"
  end
  return json.fault(result, "result")
end

-- The result of a handler from what pcall gave; or nil and the reason why there is none. No value at all means success,
-- nil means failure.
local function judge(ran, ...)
  local result, message = ...
  if not ran then return nil, result end
  if select("#", ...) == 0 or result == true then return SUCCESS end
  if not result then return nil, message end
  local fault = result_fault(result)
  if fault then return nil, fault end
  return result
end

-- Calls the handler, and gives its result. If it fails, the result asks AlipayHK to call again.
local function handle(handler, payload, request)
  local result, reason = judge(pcall(handler, payload, request))
  if result then return result end
  runtime.log("alipayhk.nginx: the handler failed, AlipayHK will call again", reason)
  return AGAIN
end

-- The key of a call in the shared dictionary. It is the same whenever the call is sent again, even if encrypted anew.
-- It covers the whole content: a call with other content is another call.
local function delivery_key(ngx, client_id, path, plaintext)
  return "alipayhk:" .. core.hex_encode(ngx.sha1_bin(client_id .. "\n" .. path .. "\n" .. plaintext))
end

-- Logs what is wrong after `add` or `set` of a shared dictionary.
local function report(done, err, forgot)
  if not done then runtime.log("alipayhk.nginx: the shared dictionary does not remember a call", err) end
  if forgot then runtime.log("alipayhk.nginx: the shared dictionary is too small: it forgot an earlier call") end
end

-- Handles a call unless it succeeded before: then its stored result is the answer. If it is being handled at the
-- moment, the answer asks AlipayHK to call again.
local function handle_once(dict, key, handler, payload, request)
  local mark = MARK .. core.hex_encode(assert(core.random_bytes(8)))
  local added, err, forgot = dict:add(key, mark, HANDLING_S)
  if not added and err == "exists" then
    local known = dict:get(key)
    local has_result = known and known:find(MARK, 1, true) ~= 1
    return has_result and json.decode(known) or AGAIN
  end
  report(added, err, forgot)
  local result = handle(handler, payload, request)
  if result.resultStatus == "S" then
    report(dict:set(key, json.encode(result), REMEMBER_S))
  elseif dict:get(key) == mark then -- otherwise the mark has expired, and the call may be handled again by another
    dict:delete(key)
  end
  return result
end

-- ---- the endpoint ------------------------------------------------------------------------------

local function refuse(ngx)
  ngx.header["Content-Type"] = platform.content_type
  ngx.header["Content-Length"] = #REFUSAL
  ngx.print(REFUSAL)
end

local function answer(ngx, client, request, result)
  local reply, err = client:reply(request, result)
  if not reply then
    runtime.log(tostring(err))
    return ngx.exit(500)
  end
  for name, value in pairs(reply.headers) do ngx.header[name] = value end
  ngx.header["Content-Length"] = #reply.body
  ngx.print(reply.body)
end

local OPTIONS = {
  path = arguments.of_type("string", "function"),
  max_age_ms = arguments.milliseconds(0),
  deliveries = arguments.of_type("string"),
}

local function is_client(value)
  return type(value) == "table" and type(value.config) == "table" and type(value.receive) == "function"
end

local function arguments_fault(client, handler, opts)
  local ngx = runtime.nginx()
  if not ngx then return "only inside nginx: elsewhere there are client:receive and client:reply" end
  if not is_client(client) then return "client: what alipayhk.new gives is expected" end
  local fault = arguments.type_fault(handler, "function")
  if fault then return "handler: " .. fault end
  fault = arguments.options_fault(opts, OPTIONS)
  if fault then return fault end
  if opts.deliveries and not ngx.shared[opts.deliveries] then
    return ("opts.deliveries: the configuration has no lua_shared_dict %s"):format(opts.deliveries)
  end
end

-- Makes a function for content_by_lua that verifies AlipayHK's calls, hands each payload to `handler`, and signs the
-- answer. A call that does not verify gets the result `INVALID_SIGNATURE`, unsigned; nginx's log has the reason.
--
-- `handler(payload, request)` returns true or no value for success; a result, `{ resultCode, resultStatus,
-- resultMessage }`; or nil and a message (or throws) to be called again. `request`: `{ method, path, headers, body,
-- plaintext }`, where `plaintext` is what the payload was decoded from.
--
-- `opts`: `path`, the path that AlipayHK calls, or a function that gives it, if a proxy rewrites it; `max_age_ms`, how
-- far Request-Time may be from our clock; `deliveries`, the name of a lua_shared_dict, so that a call that is sent
-- again (the same bytes within 25 hours) is not handled again.
function nginx.endpoint(client, handler, opts)
  if opts == nil then opts = {} end
  local fault = arguments_fault(client, handler, opts)
  if fault then error("alipayhk.nginx.endpoint: " .. fault, 2) end
  local ngx = runtime.nginx()
  local dict = opts.deliveries and ngx.shared[opts.deliveries]

  local function handle_call(payload, request)
    if not dict then return handle(handler, payload, request) end
    local key = delivery_key(ngx, client.config.client_id, request.path, request.plaintext)
    return handle_once(dict, key, handler, payload, request)
  end

  return function()
    if client.closed then
      runtime.log("alipayhk.nginx: the client is closed")
      return ngx.exit(500)
    end
    local request, status = read_request(ngx, opts)
    if not request then return ngx.exit(status) end
    local payload, err, plaintext = inbound.receive(client.config, request, opts)
    if payload then
      request.plaintext = plaintext
      return answer(ngx, client, request, handle_call(payload, request))
    end
    runtime.log(tostring(err))
    if err.kind == "signature" then return refuse(ngx) end
    return answer(ngx, client, request, platform.inbound.unreadable)
  end
end

return nginx
