-- A fault of a payload, or a warning about one: `path`, `code`, `message`; `ours` on a warning that follows from no
-- page of AlipayHK's. Prints as one line.

local Fault = {}
Fault.__index = Fault
Fault.__name = "alipayhk.fault"

-- `path: message`; the fault of the whole payload has no path.
function Fault:__tostring()
  return self.path == "" and self.message or self.path .. ": " .. self.message
end

-- `path`: such as "extInfo.amount.value"; `code`: missing, type, too_long, enum, format, unknown, transition, older;
-- `message`: what was expected and what was found; `ours`: whether the check is ours, no rule of AlipayHK's.
local function new(path, code, message, ours)
  return setmetatable({ path = path, code = code, message = message, ours = ours or nil }, Fault)
end

return { new = new }
