-- Times of two sides, taken in turns, so that both meet the same caches and neighbours; and memory.

local core = require "alipayhk.core"
local shell = require "spec.support.shell"

local measure = {}

local TURNS = 1001

-- CPU seconds of n calls of f.
function measure.cpu(f, n)
  local start = os.clock()
  for _ = 1, n do f() end
  return os.clock() - start
end

-- Seconds of n calls of f.
function measure.wall(f, n)
  local start = core.monotonic()
  for _ = 1, n do f() end
  return core.monotonic() - start
end

-- `ours` and `theirs` are functions(n) that give the seconds of n times. Gives `{ ours, theirs, ratio, median }`, in
-- microseconds of one time. The least of each side is what the work costs; the ratio of the medians shows what a busy
-- machine makes of it.
function measure.compare(ours, theirs, n)
  local a, b = {}, {}
  for i = 1, TURNS do a[i], b[i] = ours(n) / n * 1e6, theirs(n) / n * 1e6 end
  table.sort(a)
  table.sort(b)
  local middle = math.floor(TURNS / 2) + 1
  return { ours = a[1], theirs = b[1], ratio = a[1] / b[1], median = a[middle] / b[middle] }
end

-- KiB that this process has in memory.
function measure.resident()
  return tonumber(shell.read("/proc/self/status"):match("VmRSS:%s*(%d+)"))
end

return measure
