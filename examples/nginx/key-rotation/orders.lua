-- POST /orders, an order as JSON: 200 or 502. More about that in ../sync-order.

local alipayhk = require "alipayhk"
local cjson = require "cjson.safe"

-- Not `require`: its file is no code of ours, and has no place on the package path.
local config = dofile "/etc/alipayhk/keys.lua"
config.client_id = "4Q5Y8W0WSG45P907917"
config.environment = "testing"
local client, message = alipayhk.new(config)
assert(client, tostring(message)) -- as a string: nginx shows no other error

local orders = {}

function orders.sync()
  ngx.req.read_body()
  local order = cjson.decode(ngx.req.get_body_data() or "")
  if type(order) ~= "table" then return ngx.exit(400) end
  local response, err = client:sync_order(order)
  if err then ngx.log(ngx.ERR, tostring(err)) end
  ngx.status = response and 200 or 502
  ngx.say(response and "synced" or tostring(err))
end

return orders
