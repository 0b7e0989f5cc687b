-- Puts changes of orders, one after the other, and writes down each that was acknowledged. After its death another one
-- goes on with the first change that was not, under the same key. Its arguments: see
-- spec/support/outbox/parameters.lua.

local points = require "spec.support.outbox.points"
local parameters = require "spec.support.outbox.parameters"

local given = parameters.read(arg)
points.watch(given)

local alipayhk = require "alipayhk"
local samples = require "spec.support.data.samples"

-- How many events of one stream an order gets, before there are other orders.
local EVENTS = 5

-- How many were acknowledged.
local function count(path)
  local file, lines = io.open(path), 0
  for _ in (file and file:lines() or function() end) do lines = lines + 1 end
  if file then file:close() end
  return lines
end

local acknowledged = count(given.acknowledged)
local log = assert(io.open(given.acknowledged, "a"))
log:setvbuf "line"
local outbox = assert(alipayhk.outbox { store = given.store, client_id = given.client_id })

for n = acknowledged + 1, acknowledged + tonumber(given.puts) do
  local change = ("%s-%d"):format(given.stream, n)
  local lane = ("%s-%d-%d"):format(given.orders, math.floor(n / given.lanes / EVENTS), n % given.lanes)
  local order = samples.order { merchantBizNo = lane, requestId = change .. "-" .. samples.biz_no() }
  points.reach "before put"
  local id = assert(outbox:put(order, { key = change }))
  points.reach "after put"
  log:write(("%s %s %s\n"):format(change, id, lane))
  points.reach "after the acknowledgement"
end
outbox:close()
