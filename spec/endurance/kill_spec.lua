-- Producers and workers of an outbox are killed, as by `kill -9`, at random times and at every named point of their
-- lives; and one is killed at each write to a file. The judge is AlipayHK's log of what came; of the file it is the
-- sqlite3 command.

local databases = require "spec.support.databases"
local disk = require "spec.support.outbox.disk"
local judge = require "spec.support.outbox.judge"
local later_schema = require "spec.support.outbox.later_schema"
local only_with = require "spec.support.asserting.only_with"
local power = require "spec.support.outbox.power"
local process = require "spec.support.process"
local redis_server = require "spec.support.servers.redis"
local remains = require "spec.support.outbox.remains"
local scripted = require "spec.support.servers.scripted_alipayhk"
local shell = require "spec.support.shell"

local it_kills = only_with(process.has_posix, "needs luaposix for this Lua", it, pending)
local it_builds = only_with(disk.is_built_here, "needs a C compiler and Linux", it, pending)

local KILLS = 1000

-- AlipayHK's first answers: every third has to be asked for again.
local ANSWERS = ("SUCCESS/S,SUCCESS/S,UNKNOWN_EXCEPTION/U,"):rep(150)

-- What a storm left behind, for the judge.
local function evidence(storm, server)
  local listed, count = storm:listed()
  return {
    arrivals = server:arrivals(), acknowledged = storm:acknowledged(), told = storm:told(), killed = storm.killed,
    listed = listed, count = count,
  }
end

describe("processes of an outbox that are killed", function()
  local server

  before_each(function() server = scripted.start { algorithm = "p224", keepalive_requests = 1000000 } end)
  after_each(function() server:stop() end)

  -- `points`: some that have to be among those where they died.
  local function survives(store, points, lanes)
    local storm = require("spec.support.outbox.storm").new { store = store, server = server, lanes = lanes }
    storm:run_once()
    local names = storm:points()
    server:control { codes = ANSWERS }
    storm:rage(KILLS, names)
    storm:run_once()
    storm:drain()
    local given = evidence(storm, server)
    assert.same({}, judge.complaints(given))
    assert.same({}, storm:missed())
    for _, name in ipairs(points) do assert.is_true(storm.by_point[name] ~= nil, name) end
    assert.is_true(storm.kills >= KILLS and storm.by_chance > KILLS / 10, storm.by_chance)
    assert.is_true(#given.arrivals > #given.acknowledged and #given.acknowledged > KILLS / 10, #given.acknowledged)
  end

  it_kills("lose nothing that a file had, turn no order back, and repeat only what was under way", function()
    survives("sqlite:" .. databases.path(), {
      "before put", "after begin", "before commit", "after commit", "after put", "before a request", "after a request",
      "after an answer",
    })
  end)

  -- Leases of the dead hold their lanes for seconds, so there are more of these.
  it_kills("lose nothing that a Redis had, turn no order back, and repeat only what was under way", function()
    local redis = redis_server.start()
    finally(redis.stop)
    survives(redis.url(), {
      "before put", "after put", "before turn", "after a question", "after turn", "inside a pipeline",
      "before a request", "after a request", "after an answer",
    }, 400)
  end)
end)

-- Notes in `promised` what the log of a process promises; the last operation that it finished, "nothing" for none.
local function read_log(path, promised)
  local last = "nothing"
  for operation in (shell.read(path) and power.operations(path) or function() end) do
    if operation.name == "mark" then
      remains.note(promised, operation)
    else
      last = operation.name .. " " .. operation.file
    end
  end
  return last
end

describe("a process of an outbox in a file that is killed at one of its writes and syncs", function()
  -- Runs it again and again, each time on a file of its own, and kills it `step` operations later than the last time,
  -- until it comes to its end. `model`: of which file that is a copy; nil: it makes it. Gives how often it died, and
  -- after what.
  local function kill_everywhere(step, options, model)
    local count, deaths, at = 0, {}, 1
    repeat
      local promised = {}
      options.path, options.die = shell.directory() .. "/orders.db", at
      if model then
        shell.must(("cp %s %s"):format(shell.quote(model.path), shell.quote(options.path)))
        read_log(model.log, promised)
      end
      local said, status, log = disk.run(options)
      local last = read_log(log, promised)
      if status ~= 0 then
        assert.equal(137, status, said)
        count, deaths[last] = count + 1, true
      end
      assert.is_nil(remains.fault(options.path, promised, true), "killed before operation " .. at)
      assert.is_nil(remains.damage { options.path }, "killed before operation " .. at)
      at = at + step
    until status == 0
    return count, deaths
  end

  local function died_after(deaths, names)
    for _, name in ipairs(names) do assert.is_true(deaths[name], "after " .. name) end
  end

  it_builds("loses nothing, be it during a put, a turn, a retry or a checkpoint, or while the file is made", function()
    local count, deaths = kill_everywhere(3, { sessions = 1, puts = 3 })
    assert.is_true(count > 60, count)
    died_after(deaths, { "nothing", "write wal", "sync wal", "write db" })
  end)

  it_builds("loses nothing while its tables become those of a later version", function()
    local model = { path = shell.directory() .. "/orders.db" }
    local said, status, log = disk.run { path = model.path, sessions = 1, puts = 2 }
    assert.equal(0, status, said)
    model.log = log
    later_schema.add()
    finally(later_schema.remove)
    local count, deaths = kill_everywhere(1, { sessions = 1, puts = 0, schema = "later" }, model)
    assert.is_true(count > 10, count)
    died_after(deaths, { "nothing", "write wal", "sync wal", "write db" })
  end)
end)

describe("the judge of them", function()
  -- Two changes of an order, the second one sent again after its worker was killed; `alter`: makes it a crime.
  local function complaints(alter)
    local function arrival(request_id, modified_ms, at)
      return { number = "O", modified_ms = modified_ms, request_id = request_id, digest = request_id, at = at }
    end
    local given = {
      arrivals = { arrival("A-1-x", 100, 1), arrival("A-2-x", 101, 2), arrival("A-2-x", 101, 3) },
      acknowledged = { { change = "A-1", id = "1", lane = "O" }, { change = "A-2", id = "2", lane = "O" } },
      told = {
        { worker = "1", name = "sending", id = "1", request_id = "A-1-x", at = 0.9 },
        { worker = "1", name = "accepted", id = "1", request_id = "A-1-x", at = 1.1 },
        { worker = "1", name = "sending", id = "2", request_id = "A-2-x", at = 1.9 },
        { worker = "2", name = "sending", id = "2", request_id = "A-2-x", at = 2.9 },
        { worker = "2", name = "accepted", id = "2", request_id = "A-2-x", at = 3.1 },
      },
      killed = { ["1"] = true },
      listed = {
        ["1"] = { state = "accepted", merchant_biz_no = "O", attempts = 1 },
        ["2"] = { state = "accepted", merchant_biz_no = "O", attempts = 2 },
      },
      count = 2,
    }
    alter(given, arrival)
    return table.concat(judge.complaints(given), "\n")
  end

  it("has nothing to say where all is well", function()
    assert.equal("", complaints(function() end))
  end)

  for crime, row in pairs {
    ["a loss"] = { "A-1 was acknowledged and never arrived", function(given) table.remove(given.arrivals, 1) end },
    ["a loss from the store"] = { "which the store does not list", function(given) given.listed["1"] = nil end },
    ["an event that did not end"] = { "A-2 is waiting, of O", function(given) given.listed["2"].state = "waiting" end },
    ["an event too many"] = { "2 changes became 3 events", function(given) given.count = 3 end },
    ["a lane that went backwards"] = { "O went backwards: A-2-x after A-1-x", function(given)
      given.arrivals[2].modified_ms, given.arrivals[3].modified_ms = 99, 99
    end },
    ["two events of one time"] = { "O has two events of one time", function(given)
      given.arrivals[1].modified_ms = 101
    end },
    ["an order that a repeat turned back"] = { "O went backwards: A-1-x after A-2-x", function(given, arrival)
      table.insert(given.arrivals, arrival("A-1-x", 100, 2.5))
    end },
    ["a change that became two"] = { "A-2 arrived as two requests", function(given)
      given.arrivals[3].request_id = "A-2-y"
    end },
    ["another body"] = { "A-2 was sent again with another body", function(given) given.arrivals[3].digest = "y" end },
    ["an accepted one that was sent again"] = { "A-2-x was sent again after it had been recorded", function(given)
      given.told[5].at = 2.5
    end },
    ["a repeat without a reason"] = { "A-2-x arrived 2 times, with 0 reasons", function(given) given.killed = {} end },
    ["a send that the store does not know of"] = { "A-2-x arrived 2 times, and the store knows of 1", function(given)
      given.listed["2"].attempts = 1
    end },
    ["a send that nobody made"] = { "no worker wrote down", function(given)
      table.remove(given.told, 1)
      table.remove(given.told, 1)
    end },
  } do
    it("sees " .. crime, function() assert.matches(row[1], complaints(row[2]), 1, true) end)
  end
end)
