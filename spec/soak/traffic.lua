-- The traffic of a shop, until a file named `stop` is in its folder: orders through sync_many, and into an outbox in a
-- file and one in a Redis. Each order has two states, one behind the other. What it was told to be safe or accepted it
-- writes down, a line each: the way, merchantBizNo, status.
--
--     lua spec/soak/traffic.lua FOLDER CONFIG SQLITE_URL REDIS_URL

local alipayhk = require "alipayhk"
local core = require "alipayhk.core"

local folder, config, sqlite_url, redis_url = arg[1], dofile(arg[2]), arg[3], arg[4]

local BATCH, PUTS, PAUSE_MS = 20, 10, 400
local STATUSES = { "TICKETED", "USED" }

local client = assert(alipayhk.new(config))
local outboxes = {
  sqlite = assert(alipayhk.outbox { store = sqlite_url, client_id = config.client_id }),
  redis = assert(alipayhk.outbox { store = redis_url, client_id = config.client_id }),
}
local notes = assert(io.open(folder .. "/notes", "a"))
notes:setvbuf "line"
local count = 0

local function note(way, number, status) notes:write(way, " ", number, " ", status, "\n") end

local function order(number, status)
  return {
    merchantBizNo = number, merchantBizType = "MOVIE_TICKET", orderStatus = status, userId = "2160120012345678",
    orderCreateTime = 1716338541000, extInfo = { note = "soak" },
  }
end

local function new_number(way)
  count = count + 1
  return ("%s-%d"):format(way, count)
end

local function send_many()
  local list = {}
  for _ = 1, BATCH do
    local number = new_number "many"
    for _, status in ipairs(STATUSES) do list[#list + 1] = order(number, status) end
  end
  client:sync_many(list, { concurrency = 8, on_result = function(result)
    local sent = list[result.index]
    if result.response then note("many", sent.merchantBizNo, sent.orderStatus) end
  end })
end

-- A put whose answer was lost is put again, with the same key: the store may be away for a while.
local function put(way, number, status)
  local key = number .. status
  repeat
    local id, err = outboxes[way]:put(order(number, status), { key = key })
    if not id and not err.retryable then error(way .. ": " .. tostring(err)) end
    if not id then core.sleep(100) end
  until id
  note(way, number, status)
end

local function put_some(way)
  for _ = 1, PUTS do
    local number = new_number(way)
    for _, status in ipairs(STATUSES) do put(way, number, status) end
  end
end

local function is_told_to_stop()
  local file = io.open(folder .. "/stop")
  if file then file:close() end
  return file ~= nil
end

while not is_told_to_stop() do
  send_many()
  put_some "sqlite"
  put_some "redis"
  core.sleep(PAUSE_MS)
end
for _, outbox in pairs(outboxes) do outbox:close() end
client:close()
notes:close()
