-- POST /orders, an order as JSON:
--   202  it waits to be sent
--   400  no JSON object
--   422  it breaks a rule and will not be sent; `fields` lists every fault
--   503  too many wait: come again later
--
-- The queue is a table in the worker's memory. At a reload and `nginx -s quit` a worker sends what waits
-- before it ends. What waits is LOST, and nobody is told, when the worker crashes or is killed, at
-- `nginx -s stop`, and with the machine. An order that may not be lost: write it into your database, in the
-- transaction that changes it, and let a process beside nginx sync it from there and mark it as done. Or
-- let the caller wait, and send it again himself where it fails: ../sync-order.

local alipayhk = require "alipayhk"
local cjson = require "cjson.safe"

-- In each worker: 500 orders of at most 64 KiB as JSON, and far fewer timers than lua_max_running_timers
-- (256), beyond which nginx does not run them.
local WAITING_MAX, RUNNING_MAX = 500, 20

local client, message = alipayhk.new {
  client_id = "4Q5Y8W0WSG45P907917",
  environment = "testing",
  private_key = { file = "/etc/alipayhk/merchant.pem" },
  alipay_public_key = { file = "/etc/alipayhk/alipayhk.pem" },
}
assert(client, tostring(message)) -- as a string: nginx shows no other error

local orders = {}

-- waiting[first] .. waiting[last]
local waiting, first, last = {}, 1, 0
local running = 0

local function give_up(order, err)
  ngx.log(ngx.ERR, "the order ", order.merchantBizNo, " is not synced: ", tostring(err))
end

-- One timer sends one order after the other, all the more when it is called early (`premature`): then the
-- worker is about to end.
local function send_waiting()
  while first <= last do
    local order = waiting[first]
    waiting[first] = nil
    first = first + 1
    -- With the client's retries. A timer that died of an error would count as running for ever.
    local ran, response, err = pcall(client.sync_order, client, order)
    if not ran or not response then give_up(order, err or response) end
  end
  running = running - 1
end

-- False where the order cannot wait here.
local function enqueue(order)
  if last - first + 1 >= WAITING_MAX then return false end
  if running < RUNNING_MAX and ngx.timer.at(0, send_waiting) then running = running + 1 end
  if running == 0 then return false end
  last = last + 1
  waiting[last] = order
  return true
end

local function answer(status, body)
  ngx.status = status
  ngx.header["Content-Type"] = "application/json"
  ngx.say(cjson.encode(body))
end

function orders.take()
  ngx.req.read_body()
  local order = cjson.decode(ngx.req.get_body_data() or "")
  if type(order) ~= "table" then return answer(400, { message = "a JSON object is expected" }) end
  -- Now, while somebody is there to be told.
  local ok, err = alipayhk.check("order", order)
  if not ok then return answer(422, { fields = err.fields }) end
  -- The time of the event, not of its sending: two states of one order may overtake each other on their
  -- way, and AlipayHK keeps the later one by this field. (nginx's clock stands still while the worker works.)
  ngx.update_time()
  order.orderModifyTime = order.orderModifyTime or math.floor(ngx.now() * 1000)
  if enqueue(order) then return answer(202, { waiting = last - first + 1 }) end
  ngx.header["Retry-After"] = 1
  answer(503, { message = "too many orders wait" })
end

return orders
