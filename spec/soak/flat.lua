-- What processes hold: descriptors, threads and memory, sampled while they run. Whether that is flat is told by two
-- thirds of the samples: a process that leaks has more at its end than in its middle.

local shell = require "spec.support.shell"

local flat = {}
flat.__index = flat

-- Fewer say nothing: a process that has just begun grows.
local SHOWN_LEAST, JUDGED_LEAST = 6, 18
-- By how much the last third may be above the middle one: a batch has threads and sockets for a moment.
local SLACK = { descriptors = 8, threads = 4, kib = 4096 }
local NAMES = { "descriptors", "threads", "kib" }

function flat.new() return setmetatable({ by_process = {} }, flat) end

-- `name`: of the process in the table of the end; `pid`: its own, for samples of one that was started again begin anew.
function flat:sample(name, pid)
  local status = shell.read(("/proc/%s/status"):format(pid))
  local threads = status and status:match("\nThreads:%s*(%d+)")
  local kib = status and status:match("\nVmRSS:%s*(%d+)")
  if not kib then return end
  local key = name .. " " .. pid
  local samples = self.by_process[key] or { name = name }
  self.by_process[key] = samples
  samples[#samples + 1] = {
    descriptors = tonumber(shell.run(("ls /proc/%s/fd | wc -l"):format(pid)):match("%d+")) or 0,
    threads = tonumber(threads), kib = tonumber(kib),
  }
end

local function most(samples, what, from, to)
  local found = 0
  for i = from, to do found = math.max(found, samples[i][what]) end
  return found
end

-- A line for each process that has enough samples, and sentences about those that grow.
function flat:summary()
  local lines, found = {}, {}
  for _, samples in pairs(self.by_process) do
    local count = #samples
    if count >= SHOWN_LEAST then
      local third = math.floor(count / 3)
      local words = {}
      for _, what in ipairs(NAMES) do
        local middle = most(samples, what, third + 1, count - third)
        local last = most(samples, what, count - third + 1, count)
        words[#words + 1] = ("%s %d, %d"):format(what, middle, last)
        if count >= JUDGED_LEAST and last > middle + SLACK[what] then
          found[#found + 1] = ("%s: %s grew from %d to %d"):format(samples.name, what, middle, last)
        end
      end
      lines[#lines + 1] = ("  %-22s %3d samples: %s"):format(samples.name, count, table.concat(words, "; "))
    end
  end
  table.sort(lines)
  return lines, found
end

return flat
