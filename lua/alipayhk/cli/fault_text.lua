-- A fault or a warning of a payload as a line: `file:line: path  code  message`.

local input = require "alipayhk.cli.input"

local fault_text = {}

-- `descriptor`: of the output that it is for, 1 or 2.
function fault_text.line(out, descriptor, entry, fault, is_warning)
  local mark = is_warning and out:paint("yellow", "warning  ", descriptor) or ""
  local path = fault.path ~= "" and fault.path .. "  " or ""
  return ("%s %s%s%s  %s"):format(input.place(entry), mark, path, out:paint("bold", fault.code, descriptor),
    fault.message)
end

return fault_text
