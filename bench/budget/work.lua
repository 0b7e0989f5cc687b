-- One kind of work, so many times, for callgrind to count: lua bench/budget/work.lua NAME TIMES. All of it happens in
-- this process: the answer of a call is at hand.

package.path = package.path .. ";./?.lua"

local alipayhk = require "alipayhk"
local answer = require "bench.answer"
local api = require "alipayhk.api"
local core = require "alipayhk.core"
local new_lanes = require("alipayhk.delivery.lanes").new
local new_pace = require("alipayhk.delivery.pace").new
local platform = require "alipayhk.api.platform"
local response = require "alipayhk.exchange.response"

local name, times, keys = arg[1], tonumber(arg[2]), arg[3]

local CLIENT_ID = "4Q5Y8W0WSG45P907917"
local BODY = answer.SUCCESS
local ORDER = {
  merchantBizNo = "BUDGET-1", merchantBizType = "SELF_PICK", orderStatus = "ORDER_TAKEN", userId = "2160120012345678",
  orderCreateTime = 1716338541000, amount = { value = "18000", currency = "HKD" },
  itemOrderList = { { name = "one", quantity = 1 }, { name = "two", quantity = 2 } },
  shopInfo = { name = "shop" }, extInfo = { text = "text" },
}

local client = assert(alipayhk.new {
  client_id = CLIENT_ID, environment = "testing", private_key = { file = keys .. "/merchant.pem" },
  alipay_public_key = { file = keys .. "/alipayhk.pub" }, transport = function() error("nothing is sent here") end,
})
local key = assert(core.private_key { file = keys .. "/alipayhk.pem" })
local public = assert(core.public_key { file = keys .. "/alipayhk.pub" })
local signature = assert(key:sign(BODY))
local request = assert(client:prepare("order", ORDER))

local response_time, answer_signature = answer.sign(key, CLIENT_ID, BODY)
local raw = {
  status = 200, body = BODY, timing = {},
  headers = {
    ["client-id"] = CLIENT_ID, ["response-time"] = response_time, ["content-type"] = platform.content_type,
    signature = answer_signature,
  },
}
local lanes, pace = new_lanes(), new_pace(32, nil, 60000)
local sample = api.by_name.contract_card.scenarios[1].sample
local machine = { sent_ms = 0 }

local WORK = {
  check = function() alipayhk.check("contract_card", sample) end,
  prepare = function() client:prepare("order", ORDER) end,
  sign = function() key:sign(BODY) end,
  verify = function() public:verify(BODY, signature) end,
  ["read an answer"] = function() assert(response.read(client.config, request, raw, false)) end,
  ["one event through the lanes"] = function()
    lanes:put("order", ORDER)
    local _, lane = lanes:take()
    pace:delay_ms(0, 10)
    pace:go(10)
    pace:succeeded(machine, 20)
    lanes:done(lane)
  end,
}

if name == "" then
  for each in pairs(WORK) do print(each) end
  return
end
-- The collector would come in one run and not in the other.
collectgarbage()
collectgarbage("stop")
for _ = 1, times do WORK[name]() end
