-- Stores that have much in them. What is counted is work, not time: steps of SQLite's machine, commands of a Redis, and
-- the memory of a process that delivers. STRESS=long has a million lanes.

local child = require "spec.support.child"
local databases = require "spec.support.databases"
local platform = require "alipayhk.api.platform"
local redis_server = require "spec.support.servers.redis"
local shell = require "spec.support.shell"
local statements = require "alipayhk.delivery.store.sqlite_statements"
local store = require "alipayhk.delivery.store"

local FEW, MANY = 1000, 100000
local LANES = os.getenv("STRESS") == "long" and 1000000 or 20000
local BATCH = 1000
local MEMORY_KB = 16 * 1024

local function record(merchant_biz_no, body)
  return {
    api = "order", merchant_biz_no = merchant_biz_no, request_id = "r", status = "TICKETED", body = body or "{}",
  }
end

-- Puts so many events; `name_of(i)`: the merchantBizNo of the i-th.
local function fill(url, count, name_of)
  local opened = assert(store.open(url, { client_id = "CLIENT", lease_ms = 60000, delay_max_ms = 300000 }))
  for first = 1, count, BATCH do
    local records = {}
    for i = first, math.min(first + BATCH - 1, count) do records[#records + 1] = record(name_of(i)) end
    assert(opened:put(records))
  end
  opened:close()
end

-- Claims and ends events in so many turns, and prints how many, and the most memory that the process had, in kB.
local WORKER = [[
local store = require("alipayhk.delivery.store").open(arg[1], {
  client_id = "CLIENT", lease_ms = 60000, delay_max_ms = 300000,
})
assert(store:begin_delivery())
local outcomes, count = {}, 0
for _ = 1, 50 do
  local turn = assert(store:turn(outcomes, 16))
  outcomes = {}
  for i, event in ipairs(turn.events) do outcomes[i] = { event = event, state = "accepted" } end
  count = count + #outcomes
end
assert(store:turn(outcomes, 0))
for line in io.lines "/proc/self/status" do
  local kb = line:match "^VmHWM:%s*(%d+) kB"
  if kb then print(count, kb) end
end]]

local function work(url)
  local count, kb = child.run(WORKER, { url }):match("(%d+)%s+(%d+)")
  return tonumber(count), tonumber(kb)
end

-- `worked`: how many a worker can end, since of a lane one goes at a time.
local SHAPES = {
  { name = "in one lane", count = MANY, name_of = function() return "A" end, worked = 50 },
  { name = "in as many lanes", count = LANES, name_of = function(i) return "A" .. i end, worked = 50 * 16 },
}

-- Calls `check(small, large)` with the URLs of two stores that differ in size, when both have been worked on.
local function compare(new_place, shape, check)
  local few, many = new_place(), new_place()
  fill(few.url, FEW, shape.name_of)
  fill(many.url, shape.count, shape.name_of)
  local few_before, many_before = few.work_done(), many.work_done()
  local few_count, few_kb = work(few.url)
  local many_count, many_kb = work(many.url)
  assert.same({ shape.worked, shape.worked }, { few_count, many_count })
  assert.is_true(many_kb - few_kb < MEMORY_KB, ("%d kB, then %d kB"):format(few_kb, many_kb))
  check(few.work_done() - few_before, many.work_done() - many_before, few, many)
end

describe("a large store in a file", function()
  -- What a query does there, in steps of SQLite's machine, and what it gives.
  local function steps(path, name, values)
    local lines = { ".stats on", ".parameter init" }
    for i, value in ipairs(values) do lines[#lines + 1] = (".parameter set ?%d %s"):format(i, value) end
    shell.write(path .. ".sql", table.concat(lines, "\n") .. "\n" .. statements[name] .. ";\n")
    local output = shell.must(("sqlite3 %s < %s"):format(shell.quote(path), shell.quote(path .. ".sql")))
    local count
    for found in output:gmatch("Virtual Machine Steps:%s*(%d+)") do count = tonumber(found) end
    return count, output
  end

  for _, shape in ipairs(SHAPES) do
    it(("takes no longer with %d events %s"):format(shape.count, shape.name), function()
      compare(function()
        local path = databases.path()
        return { url = "sqlite:" .. path, path = path, work_done = function() return 0 end }
      end, shape, function(_, _, few, many)
        local now_ms = 10 ^ 14
        for name, values in pairs {
          look = {}, find_due = { now_ms, 16 }, stats = {}, find_lane = { "'A900'", "'order'" },
          list = { 900, "NULL", "NULL", 10 }, list_state = { 900, "'waiting'", "NULL", 10 },
        } do
          local few_steps = steps(few.path, name, values)
          local many_steps, output = steps(many.path, name, values)
          assert.is_true(few_steps > 0 and many_steps <= few_steps * 1.2 + 20, ("%s: %d steps, then %d: %s"):format(
            name, few_steps, many_steps, output))
        end
      end)
    end)
  end

  it("reads no whole table, and sorts nothing", function()
    local path = databases.path()
    fill("sqlite:" .. path, 10, function(i) return "A" .. i end)
    for name, sql in pairs(statements) do
      if not name:find("^list.*_lane$") then -- those of one order: few
        local plan = databases.judge(path, "EXPLAIN QUERY PLAN " .. sql)
        assert.is_nil(plan:match "SCAN event" or plan:match "SCAN lane" or plan:match "TEMP", name .. ": " .. plan)
      end
    end
  end)
end)

describe("a large store in a Redis", function()
  local few_server, many_server

  setup(function() few_server, many_server = redis_server.start(), redis_server.start() end)
  teardown(function()
    few_server.stop()
    many_server.stop()
  end)

  for _, shape in ipairs(SHAPES) do
    it(("takes no more commands with %d events %s"):format(shape.count, shape.name), function()
      local servers = { few_server, many_server }
      compare(function()
        local server = table.remove(servers, 1)
        server.cli "flushall"
        return {
          url = server.url(),
          -- So many commands have run, those of scripts too.
          work_done = function()
            local count = 0
            for calls in server.cli("info", "commandstats"):gmatch("calls=(%d+)") do count = count + calls end
            return count
          end,
        }
      end, shape, function(few_work, many_work)
        assert.is_true(few_work > 0 and many_work <= few_work * 1.2, ("%d, then %d"):format(few_work, many_work))
        assert.is_nil(many_server.cli("info", "commandstats"):find("cmdstat_[hs]scan"))
      end)
    end)
  end
end)

describe("large bodies", function()
  local server

  setup(function() server = redis_server.start() end)
  teardown(function() server.stop() end)

  for name, url_of in pairs {
    ["a file"] = function() return "sqlite:" .. databases.path() end,
    ["a Redis"] = function() return server.url() end,
  } do
    it(("are claimed from %s a few at a time, and as they were put"):format(name), function()
      local opened = assert(store.open(url_of(), { client_id = "CLIENT", lease_ms = 60000, delay_max_ms = 300000 }))
      local sizes = { platform.body_max, platform.body_max - 1, 1024 * 1024, 1, platform.body_max }
      for i, size in ipairs(sizes) do
        assert(opened:put { record("A" .. i, ("%d"):format(i):rep(size)) })
      end
      assert(opened:begin_delivery())
      local outcomes, seen = {}, {}
      for _ = 1, 100 do
        local turn = assert(opened:turn(outcomes, 10))
        outcomes = {}
        local bytes = 0
        for i, event in ipairs(turn.events) do
          local number = event.merchant_biz_no:sub(2)
          bytes, seen[tonumber(number)] = bytes + #event.body, #event.body
          assert.is_nil(event.body:find("[^" .. number .. "]"))
          outcomes[i] = { event = event, state = "accepted" }
        end
        assert.is_true(bytes < 3 * platform.body_max, bytes)
        if #outcomes == 0 then break end
      end
      assert.same(sizes, seen)
      opened:close()
    end)
  end
end)
