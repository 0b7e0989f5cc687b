-- What runs in the worker that is measured: orders synced in several ways, and what the worker tells of itself.
-- luacheck: std min+ngx_lua

local alipayhk = require "alipayhk"
local cjson = require "cjson.safe"
local core = require "alipayhk.core"
local platform = require "alipayhk.api.platform"
local runtime = require "alipayhk.base.runtime"
local time = require "alipayhk.base.time"
local wire = require "alipayhk.exchange.wire"

local app = {}

local THREADS = 16

local clients, order, private_key, public_key, content = {}, nil, nil, nil, nil
local in_flight, most_in_flight = 0, 0
local outboxes, put_count = {}, 0

-- libcurl is refused inside nginx: this is how it would be if it were not.
local function blocking_transport(values)
  local handle
  return function(request)
    handle = handle or require("alipayhk.curl").new()
    request.tls = { ca_file = values.ca_file, min_version = "1.2" }
    return handle:send(request)
  end
end

local function read_values(path)
  local values = {}
  for line in io.lines(path) do
    local name, value = line:match("^([%w_]+)=(.*)$")
    values[name] = value
  end
  return values
end

-- Outboxes in files: what is put goes there in a thread, and in the worker as where nginx has none.
local function open_outboxes(values)
  local function open(name)
    return assert(alipayhk.outbox {
      store = ("sqlite:%s/%s.db"):format(values.folder, name), client = clients.ready, lease_ms = 70000,
    })
  end
  outboxes.thread = open "thread"
  local nginx = runtime.nginx()
  local run = nginx.run_worker_thread
  nginx.run_worker_thread = nil
  outboxes.worker = open "worker"
  nginx.run_worker_thread = run
end

-- Called in the master.
-- `path`: of lines of name=value: the keys, an order, the address of each gateway
function app.init(path)
  local values = read_values(path)
  local function client(base_url, transport)
    return assert(alipayhk.new {
      client_id = values.rsa_client_id,
      base_url = base_url,
      private_key = { file = values.rsa_private_key },
      alipay_public_key = { file = values.rsa_alipay_public_key },
      retry = false,
      timeout_ms = 60000,
      transport = transport,
    })
  end
  clients.ready = client(values.ready)
  clients.late = client(values.late)
  clients.later = client(values.later)
  clients.blocking = client(values.late, blocking_transport(values))
  open_outboxes(values)
  if values.has_peers == "true" then clients.by_hand = require("by_hand").new(values) end
  order = assert(cjson.decode(values.order))
  -- The two halves of a pair, so that one signature can be made and verified.
  private_key = assert(core.private_key { file = values.rsa_private_key })
  public_key = assert(core.public_key { file = values.rsa_public_key })
  content = wire.content("POST", "/", values.rsa_client_id, time.text(0, platform.utc_offset), values.order)
end

local function enter()
  in_flight = in_flight + 1
  most_in_flight = math.max(most_in_flight, in_flight)
  ngx.req.read_body()
  return cjson.decode(ngx.req.get_body_data())
end

local function leave()
  in_flight = in_flight - 1
end

-- Syncs the order that it is given and answers its caller, as in the README.
function app.handle(way)
  local response, err = clients[way]:sync_order(enter())
  if err then ngx.log(ngx.ERR, tostring(err)) end
  ngx.status = response and 200 or 502
  ngx.say(cjson.encode(response and response.result or { kind = err.kind, message = err.message }))
  leave()
end

-- Puts the order that it is given, each under a number of its own.
function app.put(where)
  local given = enter()
  put_count = put_count + 1
  given.merchantBizNo = "BENCH-" .. put_count
  local id, err = outboxes[where]:put(given)
  if err then ngx.log(ngx.ERR, tostring(err)) end
  ngx.status = id and 200 or 502
  ngx.say(id or "")
  leave()
end

-- Delivers what was put, in a timer, for `?seconds=` or until nothing waits: how many events, and how many seconds it
-- took.
function app.deliver()
  local seconds, totals, fault = tonumber(ngx.var.arg_seconds), nil, nil
  local ends = core.monotonic() + (seconds or math.huge)
  assert(ngx.timer.at(0, function()
    totals, fault = outboxes.thread:deliver {
      until_empty = seconds == nil, stop = function() return core.monotonic() > ends end,
    }
  end))
  repeat ngx.sleep(0.002) until totals or fault
  if fault then error(tostring(fault), 0) end
  ngx.say(cjson.encode { accepted = totals.accepted, seconds = totals.seconds })
end

-- The same without sending the order: what a handler that waits costs by itself.
function app.wait()
  local given = enter()
  ngx.sleep(4)
  ngx.say(cjson.encode { resultCode = "SUCCESS", merchantBizNo = given.merchantBizNo })
  leave()
end

local function measure(n, f)
  local cpu, wall = os.clock(), core.monotonic()
  f()
  return { cpu = (os.clock() - cpu) / n, wall = (core.monotonic() - wall) / n }
end

local function sync_all(client, n)
  local left, failure = n, nil
  local function work()
    while left > 0 do
      left = left - 1
      local response, err = client:sync_order(order)
      if not response then failure = tostring(err) end
    end
  end
  local threads = {}
  for i = 1, THREADS do threads[i] = ngx.thread.spawn(work) end
  for i = 1, THREADS do ngx.thread.wait(threads[i]) end
  if failure then error(failure) end
end

-- Orders from inside the worker, 16 at a time: `?way=` and `?n=` of them; seconds of each.
function app.sync()
  local client, n = clients[ngx.var.arg_way], tonumber(ngx.var.arg_n)
  ngx.say(cjson.encode(measure(n, function() sync_all(client, n) end)))
end

-- Orders of their own for so many seconds.
local function orders_for(seconds)
  local number, ends = 0, core.monotonic() + seconds
  return function()
    if core.monotonic() >= ends then return nil end
    number = number + 1
    local one = {}
    for name, value in pairs(order) do one[name] = value end
    one.merchantBizNo = "BATCH-" .. number
    return one
  end
end

local last_batch

-- One batch for `?seconds=`, at most `?rate=` orders a second, or as many as it can; `usage` tells how many it could.
function app.batch()
  local source, rate = orders_for(tonumber(ngx.var.arg_seconds)), tonumber(ngx.var.arg_rate)
  local totals = clients.ready:sync_many(source, { rate = rate })
  last_batch = totals.accepted / totals.seconds
  ngx.status = totals.accepted == totals.taken and 200 or 502
  ngx.say(cjson.encode(totals))
end

-- Signatures and verifications alone, `?n=` of each; seconds of each.
function app.keys()
  local n = tonumber(ngx.var.arg_n)
  local signature = private_key:sign(content)
  ngx.say(cjson.encode {
    sign = measure(n, function() for _ = 1, n do private_key:sign(content) end end),
    verify = measure(n, function() for _ = 1, n do assert(public_key:verify(content, signature)) end end),
  })
end

-- From here on the most that is resident counts anew.
local function reset()
  for _ = 1, 3 do collectgarbage() end
  most_in_flight = in_flight
  local file = assert(io.open("/proc/self/clear_refs", "w"))
  file:write("5")
  file:close()
end

-- Seconds of CPU, resident KiB now and at most (since `?reset=1`), orders in flight at most, orders a second of the
-- last batch.
function app.usage()
  if ngx.var.arg_reset then reset() end
  local file = assert(io.open("/proc/self/status"))
  local status = file:read("*a")
  file:close()
  ngx.say(cjson.encode {
    pid = ngx.worker.pid(),
    cpu = os.clock(),
    resident = tonumber(status:match("VmRSS:%s*(%d+)")),
    most_resident = tonumber(status:match("VmHWM:%s*(%d+)")),
    most_in_flight = most_in_flight,
    last_batch = last_batch,
  })
end

return app
