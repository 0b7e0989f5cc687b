-- The calls of planted.c for finalizers.lua, as finalizer_cases.lua has them for the product.

local planted = require "planted"

local cases = { modules = { "planted" }, same_as = {}, of = {} }

-- Those that have no handle are for failures.lua.
for _, name in ipairs {
  "planted()", "planted.unset_error", "planted.leak", "planted.leak_by_longjmp", "planted.leak_uncounted",
  "planted.verify", "planted.unchecked", "planted.throw", "planted.leak_descriptor", "planted.unsynced",
  "planted.unread", "planted:close", "planted:__gc", "planted:__close", "planted:__tostring",
} do cases.same_as[name] = "planted.new" end

local function add(f_name, ...)
  local more = { ... }
  cases.of["planted:" .. f_name] = { function()
    local handle = planted.new()
    return { f = debug.getmetatable(handle)[f_name], arguments = { n = 2, handle, more[1] }, handles = { handle } }
  end }
end

add("slices")
add("mixed", "a")
add("text")
cases.of["planted.new"] = { function()
  return { f = planted.new, arguments = { n = 0 }, read = function(_, handle) return type(handle) end }
end }

cases.uses = { planted = { mixed = function() return { "z" } end } }

function cases.judge_use() return nil end

return cases
