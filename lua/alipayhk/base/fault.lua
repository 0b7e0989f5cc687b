-- One fault of a payload, or one warning about it: `{ path, code, message, ours }`. Prints as one line.

local Fault = {}
Fault.__name = "alipayhk.fault"

-- `path: message`, or the message alone if it is about the whole payload.
function Fault:__tostring()
  return self.path == "" and self.message or self.path .. ": " .. self.message
end

-- Makes a fault. `path`: such as "extInfo.amount.value", or "" for the whole payload; `code`: missing, type, too_long,
-- enum, format, unknown or transition; `message`: what was expected and what was found; `ours`: whether the check is
-- our own and on no page of AlipayHK, see `alipayhk.schema.slips`.
local function new(path, code, message, ours)
  return setmetatable({ path = path, code = code, message = message, ours = ours or nil }, Fault)
end

return { new = new }
