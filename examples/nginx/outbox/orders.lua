-- POST /orders, an order as JSON:
--   202  it is on the disk, and AlipayHK will get it, whatever is killed from now on
--   400  no JSON object, or no good Idempotency-Key
--   422  it breaks a rule, or is older than what was put before; `fields` lists every fault
--   503  the disk is full, or the file is locked: come again later, with the same Idempotency-Key
--   500  the file is gone or damaged: nginx's log says which
--
-- Orders of one merchantBizNo arrive in the order in which they were put, the others side by side. What AlipayHK
-- refuses for good is parked, and in nginx's log.

local alipayhk = require "alipayhk"
local cjson = require "cjson.safe"

local function must(value, message)
  return value or error(tostring(message), 2) -- as a string: nginx shows no other error
end

local client = must(alipayhk.new {
  client_id = "4Q5Y8W0WSG45P907917",
  environment = "testing",
  private_key = { file = "/etc/alipayhk/merchant.pem" },
  alipay_public_key = { file = "/etc/alipayhk/alipayhk.pem" },
})
local outbox = must(alipayhk.outbox { store = "sqlite:/var/lib/alipayhk/orders.db", client = client })

local orders = {}

-- ---- put ---------------------------------------------------------------------------------------------

local function answer(status, body)
  ngx.status = status
  ngx.header["Content-Type"] = "application/json"
  ngx.say(cjson.encode(body))
end

local function answer_error(err)
  if err.kind == "invalid" then return answer(422, { fields = err.fields }) end
  ngx.log(ngx.ERR, "an order was not put: ", tostring(err))
  if not err.retryable then return answer(500, { kind = err.kind, code = err.code }) end
  ngx.header["Retry-After"] = 1
  answer(503, { kind = err.kind, code = err.code })
end

-- A caller that is not sure whether an order was put may put it again: the same key stores nothing.
local function key_of_request()
  local key = ngx.req.get_headers()["Idempotency-Key"]
  if key == nil then return nil, true end
  return key, type(key) == "string" and #key >= 1 and #key <= 128
end

function orders.take()
  ngx.req.read_body()
  local order = cjson.decode(ngx.req.get_body_data() or "")
  if type(order) ~= "table" then return answer(400, { message = "a JSON object is expected" }) end
  local key, is_good = key_of_request()
  if not is_good then return answer(400, { message = "an Idempotency-Key has 1 to 128 bytes" }) end
  local id, err = outbox:put(order, { key = key })
  if not id then return answer_error(err) end
  answer(202, { id = id })
end

-- ---- delivery ----------------------------------------------------------------------------------------

-- After an error, and so that nothing grows for ever, it begins anew.
local AGAIN_S, AT_MOST_S = 5, 3600
-- What AlipayHK has taken is forgotten after so long, and its keys with it.
local KEPT_MS = 7 * 24 * 3600 * 1000

local function on_result(result)
  if result.err then ngx.log(ngx.ERR, "the event ", result.id, " was parked: ", tostring(result.err)) end
end

-- Every worker offers to deliver: the file elects one, and another one when that has ended. A worker that is to end
-- finishes what is under way.
local function deliver()
  if ngx.worker.exiting() then return end
  local ends = ngx.now() + AT_MOST_S
  local ran, totals, err = pcall(outbox.deliver, outbox, {
    stop = function() return ngx.worker.exiting() or ngx.now() > ends end,
    on_result = on_result,
  })
  if ran and totals and totals.taken > 0 then outbox:purge { older_than_ms = KEPT_MS } end
  local is_well = ran and totals ~= nil
  if not is_well then ngx.log(ngx.ERR, "the outbox is not delivered: ", tostring(err or totals)) end
  orders.start(is_well and 0 or AGAIN_S)
end

function orders.start(after)
  local ok, err = ngx.timer.at(after or 0, deliver)
  if not ok then ngx.log(ngx.ALERT, "this worker does not deliver, for there are too many timers: ", err) end
end

return orders
