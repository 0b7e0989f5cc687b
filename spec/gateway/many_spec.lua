-- sync_many over real connections, many at once: plain Lua over libcurl.

local alipayhk = require "alipayhk"
local child = require "spec.support.child"
local core = require "alipayhk.core"
local only_with = require "spec.support.asserting.only_with"
local samples = require "spec.support.data.samples"
local scripted = require "spec.support.servers.scripted_alipayhk"

local has_posix, unistd = pcall(require, "posix.unistd")
local wait = has_posix and require "posix.sys.wait"

-- A source of events: `count` of them over so many orders, each event later than the one before it.
local function events(count, orders)
  local i, prefix = 0, samples.biz_no()
  return function()
    i = i + 1
    if i > count then return nil end
    return samples.order { merchantBizNo = ("%s-%d"):format(prefix, i % orders) }
  end
end

local function run(server, source, opts, config)
  local results = {}
  opts.on_result = opts.on_result or function(result) results[#results + 1] = result end
  local client = assert(alipayhk.new(server:config(config)))
  local totals = client:sync_many(source, opts)
  client:close()
  return totals, results
end

local function in_order(server)
  local last = {}
  for _, event in ipairs(server:arrivals()) do
    if event.modified_ms < (last[event.number] or 0) then return false end
    last[event.number] = event.modified_ms
  end
  return true
end

describe("sync_many over libcurl", function()
  local server

  before_each(function() server = scripted.start { keepalive_requests = 7 } end)
  after_each(function() server:stop() end)

  it("has as many under way as it may, and no more", function()
    server:control { delay = "0.05" }
    local started = core.monotonic()
    local totals = run(server, events(120, 120), { concurrency = 16 })
    assert.equal(120, totals.accepted)
    assert.equal(16, (server:most()))
    -- One after the other they would take six seconds.
    assert.is_true(core.monotonic() - started < 4)
  end)

  it("keeps the events of an order apart and in order, though the server closes connections", function()
    server:control { delay = "0.002" }
    local totals, results = run(server, events(300, 10), { concurrency = 32 })
    assert.same({ 300, 300, 0, 0 }, { totals.taken, totals.accepted, totals.refused, totals.failed })
    assert.equal(300, #results)
    local all, of_one = server:most()
    assert.equal(1, of_one)
    assert.is_true(all > 1 and all <= 10, all)
    assert.is_true(in_order(server))
  end)

  it("retries an event in its place, and others meanwhile", function()
    server:control { codes = ("UNKNOWN_EXCEPTION/F,"):rep(5) }
    local attempts = 0
    local totals = run(server, events(60, 6), { concurrency = 8, retry = { base_delay_ms = 5 },
      on_result = function(result) attempts = attempts + result.response.attempts end })
    assert.equal(60, totals.accepted)
    assert.equal(65, attempts)
    assert.equal(65, #server:arrivals())
    assert.is_true(in_order(server))
  end)

  it("keeps to a rate", function()
    local totals = run(server, events(60, 60), { rate = 100 })
    assert.equal(60, totals.accepted)
    assert.is_true(totals.seconds > 0.55, totals.seconds)
  end)

  it("loses no result when the server dies", function()
    server:control { delay = "0.01" }
    local stopped = false
    local totals, results
    results = {}
    totals = run(server, events(200, 200), { concurrency = 8, retry = { budget_ms = 1200 }, on_result = function(result)
      results[result.index] = (results[result.index] or 0) + 1
      if result.index > 20 and not stopped then
        stopped = true
        server.nginx.signal("TERM")
      end
    end })
    assert.matches("could not be reached", totals.stopped, 1, true)
    assert.is_true(totals.accepted >= 20 and totals.failed >= 1, totals.accepted)
    for i = 1, totals.taken do assert.equal(1, results[i]) end
    assert.equal(totals.taken, #results)
  end)

  it("sends what a slow source has given, and does not wait for more of it", function()
    local next_event, taken, at_first = events(30, 30), 0, nil
    run(server, function()
      core.sleep(20)
      taken = taken + 1
      return next_event()
    end, { on_result = function() at_first = at_first or taken end })
    assert.is_true(at_first <= 5, at_first)
  end)

  it("waits for nothing where all that is under way was refused before it was sent", function()
    local order, list = samples.order { orderStatus = "EATEN" }, {}
    for i = 1, 500 do list[i] = order end
    for _, signers in ipairs { 0, 2 } do
      local totals = run(server, list, { signers = signers })
      assert.equal(500, totals.refused)
      assert.is_true(totals.seconds < 5, totals.seconds) -- and not 500
    end
    assert.same({}, server:arrivals())
  end)

  it("times out what gets no answer", function()
    server:control { hold = "1" }
    local totals, results = run(server, events(4, 4), { timeout_ms = 200, retry = false })
    assert.equal(4, totals.failed)
    for _, result in ipairs(results) do assert.equal("timeout", result.err.code) end
    server:control { hold = "0" }
  end)

  it("ends with few file descriptors: what could not be sent says so", function()
    local chunk = [[
      local alipayhk, samples = require "alipayhk", require "spec.support.data.samples"
      local base_url, ca_file, private, public = ...
      local client = assert(alipayhk.new { client_id = "4Q5Y8W0WSG45P907917", base_url = base_url,
        tls = { ca_file = ca_file }, private_key = { file = private }, alipay_public_key = { file = public },
        retry = false })
      local list = {}
      for i = 1, 150 do list[i] = samples.order() end
      local others = 0
      local totals = client:sync_many(list, { concurrency = 128, on_result = function(result)
        if result.err and not tostring(result.err):find("descriptors") then others = others + 1; print(result.err) end
      end })
      print(totals.taken, totals.accepted + totals.failed, totals.accepted > 20, others)
    ]]
    server:control { delay = "0.05" }
    local config = server:config()
    local path = package.path:gsub("%%s", "")
    local said = child.run("package.path = package.path .. ';./?.lua'\n" .. chunk, {
      config.base_url, config.tls.ca_file, config.private_key.file, config.alipay_public_key.file,
    }, { "prlimit", "--nofile=64", "--" })
    assert.equal("150\t150\ttrue\t0\n", said, path)
  end)
end)

-- What on_result may be given as: it counts the results of each index.
local function counter()
  local times = {}
  return times, function(result) times[result.index] = (times[result.index] or 0) + 1 end
end

local function assert_each_once(times, count)
  for i = 1, count do assert.equal(1, times[i], i) end
  assert.equal(count, #times)
end

describe("a long batch of one order", function()
  it("keeps its order, loses nothing, and needs no more memory at its end than at its beginning", function()
    local COUNT, CONCURRENCY, MODIFIED_MS = 5000, 8, 1716338541000
    local server, number, taken, lead, kib = scripted.start(), samples.biz_no(), 0, 0, {}
    local next_index = 1
    local totals = run(server, function()
      if taken == COUNT then return nil end
      taken = taken + 1
      return samples.order { merchantBizNo = number, orderModifyTime = MODIFIED_MS + taken }
    end, { concurrency = CONCURRENCY, on_result = function(result)
      assert.equal(next_index, result.index)
      next_index, lead = next_index + 1, math.max(lead, taken - result.index)
      if result.index == COUNT / 5 or result.index == COUNT - 100 then
        collectgarbage()
        collectgarbage()
        kib[#kib + 1] = collectgarbage("count")
      end
    end })
    assert.same({ COUNT, COUNT, 0, 0 }, { totals.taken, totals.accepted, totals.refused, totals.failed })
    assert.equal(COUNT + 1, next_index)
    local arrivals = server:arrivals()
    assert.equal(COUNT, #arrivals)
    for i, event in ipairs(arrivals) do assert.equal(MODIFIED_MS + i, event.modified_ms) end
    -- Few events wait at a time, and none that is done stays: each would be hundreds of bytes. (LuaJIT's compiler adds
    -- to what it has.)
    assert.is_true(lead <= 5 * CONCURRENCY, lead)
    assert.is_true((kib[2] - kib[1]) * 1024 / COUNT < 64, kib[2] - kib[1])
    server:stop()
  end)
end)

describe("a batch whose process is forked", function()
  local it_forks = only_with(has_posix, "needs luaposix for this Lua", it, pending)

  it_forks("goes on as if nothing had been, while children end at once", function()
    local COUNT = 200
    local server, children = scripted.start(), {}
    local times, count_result = counter()
    -- Four signers: threads that a child does not have, whatever they held.
    local totals = run(server, events(COUNT, COUNT), { concurrency = 16, signers = 4, on_result = function(result)
      count_result(result)
      if result.index % 20 ~= 0 then return end
      local pid = assert(unistd.fork())
      if pid == 0 then unistd._exit(7) end
      children[#children + 1] = pid
    end })
    assert.equal(COUNT, totals.accepted)
    assert_each_once(times, COUNT)
    assert.equal(COUNT, #server:arrivals())
    assert.equal(COUNT / 20, #children)
    for _, pid in ipairs(children) do assert.same({ pid, "exited", 7 }, { wait.wait(pid) }) end
    server:stop()
  end)

  for _, signers in ipairs { 0, 2 } do
    it_forks(("ends in a child that goes on with it, with %d signers"):format(signers), function()
      local COUNT, AT = 300, 100
      local server, child_pid, parent = scripted.start(), nil, unistd.getpid()
      local client, times, count_result = assert(alipayhk.new(server:config())), counter()
      local totals = client:sync_many(events(COUNT, COUNT), { concurrency = 64, signers = signers,
        on_result = function(result)
          count_result(result)
          if result.index == AT then child_pid = unistd.fork() end
        end })
      if unistd.getpid() ~= parent then
        unistd._exit((totals.stopped or ""):find("forked", 1, true) and #times == totals.taken and 7 or 8)
      end
      assert.equal(COUNT, totals.accepted)
      assert_each_once(times, COUNT)
      assert.equal(COUNT, #server:arrivals())
      local ended, how, status
      for _ = 1, 100 do
        ended, how, status = wait.wait(child_pid, wait.WNOHANG)
        if ended ~= 0 then break end
        core.sleep(50)
      end
      if ended == 0 then require("posix.signal").kill(child_pid, 9) end
      assert.same({ child_pid, "exited", 7 }, { ended, how, status })
      client:close()
      server:stop()
    end)
  end
end)

-- Nothing public closes a client's key, or makes it fail: these reach into the config.
describe("a batch whose signing key", function()
  local COUNT = 120
  local server

  before_each(function() server = scripted.start() end)
  after_each(function() server:stop() end)

  -- `after_some(client)` is called once, in the middle.
  local function batch(opts, after_some)
    local client, results = assert(alipayhk.new(server:config())), {}
    local times, count_result = counter()
    opts.on_result = function(result)
      count_result(result)
      results[#results + 1] = result
      if #results == COUNT / 4 then after_some(client) end
    end
    local ran, totals = pcall(client.sync_many, client, events(COUNT, COUNT), opts)
    client:close()
    return ran, totals, results, times
  end

  local function close_key(client) client.config.private_key:close() end

  it("is closed goes on: its threads have copies of it", function()
    local ran, totals, _, times = batch({ concurrency = 8, signers = 2 }, close_key)
    assert.same({ true, COUNT }, { ran, ran and totals.accepted })
    assert_each_once(times, COUNT)
  end)

  it("and AlipayHK's are closed goes on, too", function()
    local ran, totals = batch({ concurrency = 8, signers = 2 }, function(client)
      close_key(client)
      client.config.peer_keys:get():close()
    end)
    assert.same({ true, COUNT }, { ran, ran and totals.accepted })
  end)

  it("is closed ends with an error that says so, where it has no threads", function()
    local ran, message, results, times = batch({ concurrency = 8, signers = 0 }, close_key)
    assert.is_false(ran)
    assert.matches("the key is closed", message, 1, true)
    for _, result in ipairs(results) do
      local message_of = result.err and result.err.message or "the key is closed"
      assert.is_true(message_of:find("not sent") ~= nil or message_of:find("the key is closed") ~= nil, message_of)
    end
    assert_each_once(times, #results)
  end)

  it("fails in a thread says so for each of the rest", function()
    local pool_of, is_broken = core.pool, false
    -- Real threads: from some moment on they are to sign with AlipayHK's key, which is the second of them, and public.
    core.pool = function(...) -- luacheck: ignore 122
      local pool = pool_of(...)
      return {
        sign = function(_, key, ...) return pool:sign(is_broken and 2 or key, ...) end,
        verify = function(_, ...) return pool:verify(...) end,
        finished = function() return pool:finished() end,
        fd = function() return pool:fd() end,
        close = function() pool:close() end,
      }
    end
    finally(function() core.pool = pool_of end) -- luacheck: ignore 122
    local ran, totals, results, times = batch({ concurrency = 8, signers = 2 }, function() is_broken = true end)
    assert.is_true(ran, totals)
    assert_each_once(times, COUNT)
    assert.equal(COUNT, totals.accepted + totals.failed)
    -- What was signed by then has arrived; nothing was sent that was not.
    assert.is_true(totals.accepted >= COUNT / 4 and totals.accepted <= COUNT / 4 + 8, totals.accepted)
    assert.equal(totals.accepted, #server:arrivals())
    for _, result in ipairs(results) do
      if result.err then
        assert.equal("crypto", result.err.kind)
        assert.matches("public key cannot sign", result.err.message, 1, true)
      end
    end
  end)
end)

describe("a batch that is interrupted", function()
  it("leaves nothing behind when it is thrown out of", function()
    local server = scripted.start()
    server:control { delay = "0.02" }
    local before = core.monotonic()
    local ran, message = pcall(run, server, events(100, 100), { on_result = function() error("enough", 0) end })
    assert.same({ false, "enough" }, { ran, message })
    assert.is_true(core.monotonic() - before < 5)
    collectgarbage()
    server:stop()
  end)
end)
