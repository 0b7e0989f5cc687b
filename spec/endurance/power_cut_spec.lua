-- The power fails while an outbox in a file is at work: at any moment what was acknowledged is there afterwards. What
-- the process writes and syncs is recorded, and replayed up to each of many cuts. Judges are the sqlite3 command and
-- what the outbox itself finds.

local disk = require "spec.support.outbox.disk"
local only_with = require "spec.support.asserting.only_with"
local power = require "spec.support.outbox.power"
local remains = require "spec.support.outbox.remains"
local shell = require "spec.support.shell"

local it_builds = only_with(disk.is_built_here, "needs a C compiler and Linux", it, pending)

-- The sqlite3 command looks at so many at once; after so many cuts one goes on with its work.
local BATCH, DELIVERED = 50, 24

-- The log of a diary, how many operations are in it, and how often what came of them: marks by their words, and others.
local function record(options)
  options.path = shell.directory() .. "/orders.db"
  local said, status, log = disk.run(options)
  assert.equal(0, status, said)
  local count, times = 0, {}
  for operation in power.operations(log) do
    local is_mark = operation.name == "mark"
    local name = is_mark and operation.file or operation.name .. " " .. operation.file
    times[name] = (times[name] or 0) + 1
    if not is_mark then count = count + 1 end
  end
  return log, count, times
end

-- Cuts the power `cuts` times during `count` operations: what was wrong afterwards.
local function faults_of(log, count, cuts)
  local replayed, promised, faults, paths = power.disk(), {}, {}, {}
  local directory, done, cut = shell.directory(), 0, 0

  local function look()
    faults[#faults + 1] = remains.damage(paths)
    paths = {}
    shell.must(("rm -r %s/*"):format(shell.quote(directory)))
  end

  local function cut_power()
    cut = cut + 1
    local path = ("%s/%d.db"):format(directory, cut)
    replayed:cut(path, cut)
    local fault = remains.fault(path, promised, cut % DELIVERED == 0)
    faults[#faults + 1] = fault and ("cut %d, after %d operations: %s"):format(cut, done, fault)
    paths[#paths + 1] = path
    if #paths == BATCH then look() end
  end

  for operation in power.operations(log) do
    if operation.name == "mark" then
      remains.note(promised, operation)
    else
      replayed:act(operation)
      done = done + 1
      while (cut + 1) * count <= done * cuts do cut_power() end
    end
  end
  assert.equal(cuts, cut)
  return faults
end

describe("an outbox in a file, after a power cut", function()
  it_builds("has all that was acknowledged, wherever the power failed", function()
    local log, count, times = record { sessions = 6, puts = 8 }
    for _, name in ipairs {
      "put", "sending", "accepted", "later", "parked", "retried", "dropped", "changing",
      "create db", "sync journal", "write wal", "sync wal", "write db", "sync db", "truncate db", "unlink wal",
    } do
      assert.is_true((times[name] or 0) > 0, name)
    end
    assert.same({}, faults_of(log, count, 1500))
  end)

  it_builds("would be seen to have lost what was not synced", function()
    local log, count = record { sessions = 1, puts = 8, synchronous = "NORMAL" }
    assert.matches("told as %w+, is lost", table.concat(faults_of(log, count, 100), "\n"))
  end)
end)
