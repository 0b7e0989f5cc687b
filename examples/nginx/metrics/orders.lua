-- POST /orders, an order as JSON, syncs it: 200 or 502. More about that in ../sync-order. POST /outbox puts it into the
-- outbox: 202 or 503, and one worker delivers it. More about that in ../outbox.

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

-- The client's on_event hears of it, too.
local outbox, fault = alipayhk.outbox { store = "sqlite:/var/lib/alipayhk/orders.db", client = client }
assert(outbox, tostring(fault))

local orders = {}

local function read_order()
  ngx.req.read_body()
  local order = cjson.decode(ngx.req.get_body_data() or "")
  return type(order) == "table" and order or ngx.exit(400)
end

function orders.sync()
  local response, err = client:sync_order(read_order())
  ngx.status = response and 200 or 502
  ngx.say(response and "synced" or tostring(err))
end

function orders.put()
  local id, err = outbox:put(read_order())
  ngx.status = id and 202 or 503
  ngx.say(id or tostring(err))
end

function orders.show_metrics()
  metrics.show(outbox)
end

-- ---- delivery ----------------------------------------------------------------------------------------

local AGAIN_S, AT_MOST_S = 1, 3600

local function deliver()
  if ngx.worker.exiting() then return end
  local ends = ngx.now() + AT_MOST_S
  local totals, err = outbox:deliver { stop = function() return ngx.worker.exiting() or ngx.now() > ends end }
  if not totals then ngx.log(ngx.ERR, "the outbox is not delivered: ", tostring(err)) end
  ngx.timer.at(AGAIN_S, deliver)
end

function orders.start()
  ngx.timer.at(0, deliver)
end

return orders
