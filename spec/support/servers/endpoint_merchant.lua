-- A merchant inside nginx, for the specs of alipayhk.nginx: its handler does what a call's `act` says, and counts.
-- luacheck: std +ngx_lua

local alipayhk = require "alipayhk"
local cjson = require "cjson"
local endpoint = require("alipayhk.nginx").endpoint
local settings = require "settings"

local merchant = {}

function merchant.new_client(client_id)
  return assert(alipayhk.new {
    client_id = client_id or settings.client_id,
    base_url = "https://gateway.example",
    private_key = { file = settings.private_key },
    alipay_public_key = { file = settings.alipay_public_key },
  })
end

merchant.client = merchant.new_client()
-- Of the same merchant, by the same keys.
merchant.another = merchant.new_client "ANOTHER"

local acts = {}

acts["true"] = function() return true end
acts["nothing"] = function() end
acts["nil alone"] = function() return nil end
acts["result"] = function(payload) return payload.result end
acts["false"] = function() return false end
acts["false and why"] = function() return false, "secret reason" end
acts["nil and why"] = function() return nil, "secret reason" end
acts["nil and lines"] = function() return nil, "first line\nsecond line\r\nthird line" end
acts["nil and a long text"] = function(payload) return nil, ("x"):rep(payload.offset) .. ("電"):rep(2000) end
acts["throw"] = function() error("secret reason") end
acts["throw a table"] = function() error({ secret = "secret reason" }) end
acts["throw what gives no text"] = function()
  error(setmetatable({}, { __tostring = function() error("secret reason") end }))
end
acts["throw what gives a table"] = function()
  error(setmetatable({}, { __tostring = function() return {} end }))
end
acts["throw nothing"] = function() error() end
acts["trip"] = function(payload) return payload.absent.field end
acts["sleep"] = function() ngx.sleep(0.3) return true end
acts["sleep and throw"] = function() ngx.sleep(0.05) error("secret reason") end
acts["unwritable"] = function() return { resultCode = "A", resultStatus = "S", resultMessage = print } end
acts["again"] = function() return { resultCode = "BUSY", resultStatus = "U", resultMessage = "busy" } end

acts["no code"] = function() return { resultStatus = "S", resultMessage = "x" } end
acts["no status"] = function() return { resultCode = "SUCCESS", resultMessage = "x" } end
acts["a number as status"] = function() return { resultCode = "SUCCESS", resultStatus = 1 } end

-- Fails the first time.
acts["recover"] = function(payload)
  if ngx.shared.handled:get(payload.id) == 1 then error("the first time") end
  return { resultCode = "RECOVERED", resultStatus = "S", resultMessage = "the second time" }
end

-- Says the how manieth time it is.
acts["count"] = function(payload)
  return { resultCode = "COUNTED", resultStatus = "S", resultMessage = tostring(ngx.shared.handled:get(payload.id)) }
end

acts["sleep and count"] = function(payload)
  ngx.sleep(0.6)
  return acts.count(payload)
end

-- As if its mark had expired meanwhile and the same call were being handled anew.
acts["outlive its mark and throw"] = function()
  for _, key in ipairs(ngx.shared.deliveries:get_keys(0)) do
    if ngx.shared.deliveries:get(key):find("^handling") then ngx.shared.deliveries:set(key, "handling anew", 100) end
  end
  error("too late")
end

-- Says for how many seconds its mark will be there.
acts["time its mark"] = function()
  local deliveries = ngx.shared.deliveries
  for _, key in ipairs(deliveries:get_keys(0)) do
    if deliveries:get(key):find("^handling") then
      return { resultCode = "TIMED", resultStatus = "S", resultMessage = ("%d"):format(deliveries:ttl(key)) }
    end
  end
end

-- The first time its mark expires, and it fails while the call is being handled the second time.
acts["be overtaken"] = function(payload)
  if ngx.shared.handled:get(payload.id) > 1 then
    ngx.sleep(1.5)
    return true
  end
  for _, key in ipairs(ngx.shared.deliveries:get_keys(0)) do
    if ngx.shared.deliveries:get(key):find("^handling") then ngx.shared.deliveries:delete(key) end
  end
  ngx.sleep(0.6)
  error("too late")
end

function merchant.handle(payload, request)
  ngx.shared.handled:incr(payload.id or "", 1, 0)
  ngx.shared.handled:set("payload", cjson.encode(payload))
  ngx.shared.handled:set("request", cjson.encode {
    method = request.method, path = request.path, body = request.body, signature = request.headers["Signature"],
  })
  return acts[payload.act or "true"](payload)
end

-- An endpoint for a location, of `merchant.client` or another one.
function merchant.endpoint(opts, client)
  return endpoint(client or merchant.client, merchant.handle, opts)
end

-- For how many seconds the result with that message is remembered.
function merchant.remembered()
  local deliveries = ngx.shared.deliveries
  for _, key in ipairs(deliveries:get_keys(0)) do
    if deliveries:get(key):find(ngx.var.arg_message, 1, true) then return ngx.print(deliveries:ttl(key)) end
  end
end

-- Answers how often a call with this id was handled.
function merchant.handled()
  ngx.print(ngx.shared.handled:get(ngx.unescape_uri(ngx.var.arg_key)) or 0)
end

local function exchange(port, bytes)
  local socket = ngx.socket.tcp()
  socket:settimeout(20000)
  assert(socket:connect("127.0.0.1", port))
  assert(socket:send(bytes))
  local answer = assert(socket:receive("*a"))
  socket:close()
  return answer
end

-- Sends requests, given byte for byte, all at once; says what came back, byte for byte.
function merchant.exchange()
  ngx.req.read_body()
  local threads, answers = {}, {}
  for i, bytes in ipairs(cjson.decode(ngx.req.get_body_data())) do
    threads[i] = ngx.thread.spawn(exchange, ngx.var.server_port, bytes)
  end
  for i, thread in ipairs(threads) do answers[i] = select(2, assert(ngx.thread.wait(thread))) end
  ngx.print(cjson.encode(answers))
end

return merchant
