-- What a driver prints: "at: ..." before each step, so that whoever reads it knows where a crash was; in the end
-- "fault: ..." for the first fault of each kind, and "points: N". (It also prints "count: N NAME" for each call.)

local report = {}

local faults, points = {}, 0

-- Before anything that may crash.
function report.at(...)
  io.stdout:write("at: ", (...):format(select(2, ...)), "\n")
  io.stdout:flush()
end

-- A fault of a kind: a call, and what was done to it.
function report.fault(kind, ...)
  local sentence = (...):format(select(2, ...))
  local fault = faults[kind]
  if not fault then
    fault = { kind = kind, first = sentence, more = 0 }
    faults[kind], faults[#faults + 1] = fault, fault
  else
    fault.more = fault.more + 1
  end
end

function report.count(more)
  points = points + more
end

function report.finish()
  for _, fault in ipairs(faults) do
    local more = fault.more > 0 and (" (and %d more)"):format(fault.more) or ""
    print(("fault: %s, %s%s"):format(fault.kind, fault.first, more))
  end
  print("points: " .. ("%d"):format(points))
  io.stdout:flush() -- the leak sanitizer ends a process without that
end

return report
