-- `make bench-growth`: a thousand to a million orders in one call of sync_many, each in a process of its own. Time has
-- to grow with them, memory must not. P-224, against a server that answers at once. GROWTH_MOST: 1000000.

package.path = package.path .. ";./?.lua"

local connection = dofile "gateway/connection.lua"
local canned = require "bench.canned"
local many = require "bench.many"
local measure = require "bench.measure"
local report = require "bench.report"
local shell = require "spec.support.shell"

local function one(gateway, url, count)
  local client = many.client(gateway, "ec", url)
  many.ours(client, 200, { concurrency = 64 })
  local most, after_1000 = 0, nil
  local rate = many.ours(client, count, { concurrency = 64, on_progress = function(progress)
    local now = measure.resident()
    most = math.max(most, now)
    if not after_1000 and progress.accepted >= 1000 then after_1000 = now end
  end })
  client:close()
  print(("%8d orders  %8.1f s  %6.0f a second  %6d KiB at most, %+d since the first 1000"):format(
    count, count / rate, rate, most, after_1000 and most - after_1000 or 0))
end

local text = io.read("*a")
local gateway = connection.parse(text)
if arg[1] then
  one(gateway, arg[1], tonumber(arg[2]))
  return
end

local machine, server, most = report.machine(), canned.start(gateway), tonumber(os.getenv("GROWTH_MOST") or 1000000)
print(("%s, %d processors; %s; %s"):format(machine.processor, machine.processors, machine.lua, machine.date))
local values = shell.directory() .. "/gateway.env"
shell.write(values, text)
local count = 1000
while count <= most do
  io.write(shell.must(("%s bench/growth.lua %s %d < %s"):format(arg[-1], server.url, count, values)))
  io.stdout:flush()
  count = count * 10
end
server.stop()
