--- A fault of a payload, or a warning about one: `path`, `code`, `message`. Prints as one line.
-- @module alipayhk.fault

local Fault = {}
Fault.__index = Fault
Fault.__name = "alipayhk.fault"

--- `path: message`; the fault of the whole payload has no path.
function Fault:__tostring()
  return self.path == "" and self.message or self.path .. ": " .. self.message
end

--- @tparam string path such as "extInfo.amount.value"
-- @tparam string code missing, type, too_long, enum, format, unknown, transition
-- @tparam string message what was expected, what was found
-- @treturn fault
local function new(path, code, message)
  return setmetatable({ path = path, code = code, message = message }, Fault)
end

return { new = new }
