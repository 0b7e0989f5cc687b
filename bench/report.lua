-- The benchmarks' table, ratios first, or the same as JSON.

local core = require "alipayhk.core"
local json = require "alipayhk.base.json"
local shell = require "spec.support.shell"

local report = {}

local function line_of(command)
  return (shell.run(command):match("[^\n]+"))
end

-- What the figures were taken on.
function report.machine()
  local jit = rawget(_G, "jit")
  return {
    processor = line_of("sed -n 's/^model name[^:]*: //p' /proc/cpuinfo") or line_of("uname -m"),
    processors = core.processors(),
    lua = jit and jit.version or _VERSION,
    openssl = line_of("openssl version"),
    curl = (line_of("curl --version") or ""):match("libcurl/%S+"),
    date = os.date("!%Y-%m-%d"),
  }
end

local function is_met(row)
  if row.is_cost then return row.ratio <= row.target end
  return row.ratio >= row.target
end

local function target_text(row)
  if not row.target then return "" end
  return ("%s %.3f%s"):format(row.is_cost and "<=" or ">=", row.target, is_met(row) and "" or "  MISSED")
end

function report.print_row(row)
  local theirs = row.theirs and ("/ %9.1f"):format(row.theirs) or ""
  print(("%8s  %-17s  %-52s %9.1f %11s %s%s"):format(row.ratio and ("%.3f"):format(row.ratio) or "", target_text(row),
    row.name, row.ours, theirs, row.unit, row.median and ("  (medians %.3f)"):format(row.median) or ""))
end

function report.print_head(machine)
  print(("%s, %d processors; %s; %s; %s; %s\n"):format(machine.processor, machine.processors, machine.lua,
    machine.openssl, machine.curl or "", machine.date))
  print(("%8s  %-17s  %-52s %9s %11s"):format("ratio", "target", "what", "ours", "/ theirs"))
end

function report.json(machine, rows)
  return json.encode { machine = machine, rows = rows }
end

return report
