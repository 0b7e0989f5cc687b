-- The functions that Lua can reach in our C modules, by name: "MODULE.FUNCTION" for a module's, "TYPE:METHOD" for a
-- handle's.

local handles = {}

-- Adds to `names` those of a module.
function handles.of_module(names, module)
  names[module .. "()"] = true
  for name, value in pairs(require(module)) do
    if type(value) == "function" then names[module .. "." .. name] = true end
  end
end

-- Adds to `names` those of a value that a function gave, if it is a handle.
function handles.of_value(names, value)
  local metatable = type(value) == "userdata" and debug.getmetatable(value)
  for name, method in pairs(metatable or {}) do
    if type(method) == "function" then names[metatable.__metatable .. ":" .. name] = true end
  end
end

return handles
