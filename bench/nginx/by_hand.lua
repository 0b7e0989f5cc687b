-- The same order sent without this library, as one would write it with what there is: lua-resty-openssl,
-- lua-cjson and lua-resty-http. Nothing is checked before it is sent; no retries, no deadline over all.
-- luacheck: std min+ngx_lua

local cjson = require "cjson.safe"
local http = require "resty.http"
local pkey = require "resty.openssl.pkey"
local rand = require "resty.openssl.rand"
local to_hex = require("resty.string").to_hex

local by_hand = {}

local PATH = "/api/open/alipay/v1/merchant/order/sync"

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

local Client = {}
Client.__index = Client

function Client:content(time, body)
  return "POST " .. PATH .. "\n" .. self.client_id .. "." .. time .. "." .. body
end

function Client:is_signed(answer)
  local signature, time = answer.headers["Signature"], answer.headers["Response-Time"]
  local text = signature and signature:match("signature=([^,]+)")
  local bytes = text and time and ngx.decode_base64(ngx.unescape_uri(text))
  return bytes and self.public_key:verify(bytes, self:content(time, answer.body), "sha256")
end

function Client:sync_order(order)
  order.requestId = to_hex(assert(rand.bytes(16)))
  order.orderModifyTime = math.floor(ngx.now() * 1000)
  local body = cjson.encode(order)
  local time = os.date("!%Y-%m-%dT%H:%M:%S", ngx.time() + 8 * 3600) .. "+08:00"
  local signature = assert(self.private_key:sign(self:content(time, body), "sha256"))
  local connection = http.new()
  connection:set_timeouts(5000, 15000, 15000)
  local answer, message = connection:request_uri(self.base_url .. PATH, {
    method = "POST",
    body = body,
    headers = {
      ["Client-Id"] = self.client_id,
      ["Content-Type"] = "application/json; charset=UTF-8",
      ["Request-Time"] = time,
      ["Signature"] = "algorithm=RSA256,keyVersion=1,signature=" .. ngx.escape_uri(ngx.encode_base64(signature)),
    },
    keepalive_timeout = 55000,
    ssl_verify = true,
  })
  if not answer then return nil, { kind = "transport", message = message } end
  if answer.status ~= 200 then return nil, { kind = "http", message = tostring(answer.status) } end
  if not self:is_signed(answer) then return nil, { kind = "signature", message = "the answer does not verify" } end
  local decoded = cjson.decode(answer.body)
  if not decoded or decoded.result.resultStatus ~= "S" then return nil, { kind = "result", message = answer.body } end
  return decoded
end

function by_hand.new(values)
  return setmetatable({
    client_id = values.rsa_client_id,
    base_url = values.ready,
    private_key = assert(pkey.new(read(values.rsa_private_key))),
    public_key = assert(pkey.new(read(values.rsa_alipay_public_key))),
  }, Client)
end

return by_hand
