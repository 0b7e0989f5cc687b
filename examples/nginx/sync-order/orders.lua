-- POST /orders, an order as JSON:
--   200  AlipayHK has it; its result
--   400  no JSON object
--   422  it breaks a rule, and nothing was sent; `fields` lists every fault
--   502  AlipayHK refused it, or nobody knows: `retryable` says whether another try may help

local alipayhk = require "alipayhk"
local cjson = require "cjson.safe"

local client, message = alipayhk.new {
  client_id = "4Q5Y8W0WSG45P907917",
  environment = "testing",
  private_key = { file = "/etc/alipayhk/merchant.pem" },
  alipay_public_key = { file = "/etc/alipayhk/alipayhk.pem" },
  -- Somebody waits: at most 20 seconds, retries among them.
  retry = { budget_ms = 20000 },
}
assert(client, tostring(message)) -- as a string: nginx shows no other error

local orders = {}

local function answer(status, body)
  ngx.status = status
  ngx.header["Content-Type"] = "application/json"
  ngx.say(cjson.encode(body))
end

function orders.sync()
  ngx.req.read_body()
  local order = cjson.decode(ngx.req.get_body_data() or "")
  if type(order) ~= "table" then return answer(400, { message = "a JSON object is expected" }) end
  local response, err = client:sync_order(order)
  if response then return answer(200, response.result) end
  if err.kind == "invalid" then return answer(422, { fields = err.fields }) end
  -- One line with the ids that AlipayHK's support asks for; never a key, a body or a user's id.
  ngx.log(ngx.ERR, tostring(err))
  answer(502, { kind = err.kind, code = err.code, retryable = err.retryable })
end

return orders
