-- POST /orders, an order as JSON: 200 or 502. More about that in ../sync-order.

local alipayhk = require "alipayhk"
local cjson = require "cjson.safe"
local metrics = require "metrics"

local client, message = alipayhk.new {
  client_id = "4Q5Y8W0WSG45P907917",
  environment = "testing",
  private_key = { file = "/etc/alipayhk/merchant.pem" },
  alipay_public_key = { file = "/etc/alipayhk/alipayhk.pem" },
  on_event = metrics.on_event,
}
assert(client, tostring(message)) -- as a string: nginx shows no other error

local orders = {}

function orders.sync()
  ngx.req.read_body()
  local order = cjson.decode(ngx.req.get_body_data() or "")
  if type(order) ~= "table" then return ngx.exit(400) end
  local response, err = client:sync_order(order)
  ngx.status = response and 200 or 502
  ngx.say(response and "synced" or tostring(err))
end

return orders
