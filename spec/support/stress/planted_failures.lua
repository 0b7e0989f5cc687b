-- The calls of planted.c for failures.lua, as failure_cases.lua has them for the product.

local planted = require "planted"

local cases = { list = {} }

function cases.judge_failure() return nil end

for _, name in ipairs { "unset_error", "leak", "leak_by_longjmp", "leak_uncounted", "verify", "unchecked", "throw",
  "leak_descriptor", "unsynced", "unread",
} do
  cases.list[#cases.list + 1] = { name = name, set_up = function()
    return {
      f = planted[name], arguments = { n = 0 }, is_durable = true,
      judge = function(found) return not found and "gives false" or nil end,
    }
  end }
end

return cases
