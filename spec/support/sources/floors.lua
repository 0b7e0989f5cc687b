-- The floors of lua/alipayhk, from the ground up, and what in a tree of sources goes against them.

local floors = {}

-- A module requires what is on its own floor or on one below. `top`: what users require.
floors.ORDER = { "base", "api", "schema", "rules", "transport", "exchange", "delivery", "top", "cli" }

local LEVEL = {}
for level, name in ipairs(floors.ORDER) do LEVEL[name] = level end

-- "alipayhk.exchange.retry" of "lua/alipayhk/exchange/retry.lua".
local function module_of(path)
  return (path:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", "."))
end

local C_MODULES = { ["alipayhk.core"] = true, ["alipayhk.curl"] = true, ["alipayhk.keytool"] = true,
  ["alipayhk.redis"] = true, ["alipayhk.sqlite"] = true }

-- The C modules are below every floor; annotations are on none.
local function floor_of(module)
  if C_MODULES[module] then return "core", 0 end
  local name = module:match("^alipayhk%.([a-z_]+)%.") or module:match("^alipayhk%.([a-z_]+)$")
  if not LEVEL[name] and not module:find("^alipayhk%.[a-z_]+%.") then name = "top" end
  return name, LEVEL[name]
end

-- What a source requires of ours, comments left out. One whose name is made at run time counts by what it begins with.
local function requires_of(source)
  local names = {}
  source = source:gsub("%-%-[^\n]*", "")
  for name in source:gmatch("require[%s(,]*[\"'](alipayhk[a-z0-9_.]*)[\"']") do names[#names + 1] = name end
  return names
end

local function add(faults, ...)
  faults[#faults + 1] = string.format(...)
end

local function check_directions(modules, faults)
  for module, requires in pairs(modules) do
    local floor, level = floor_of(module)
    if not level then add(faults, "%s is on no floor: %s", module, tostring(floor)) end
    for _, other in ipairs(level and requires or {}) do
      local its_floor, its_level = floor_of(other)
      if not its_level or its_level > level then
        add(faults, "%s (%s) requires %s (%s), which is above it", module, floor, other, tostring(its_floor))
      end
    end
  end
end

-- Depth first; `state`: nil, "open" while what it requires is looked at, "done".
local function find_cycle(modules, module, state, path, faults)
  if state[module] == "done" or not modules[module] then return end
  path[#path + 1] = module
  if state[module] == "open" then
    add(faults, "a cycle: %s", table.concat(path, " -> "))
  else
    state[module] = "open"
    for _, other in ipairs(modules[module]) do find_cycle(modules, other, state, path, faults) end
    state[module] = "done"
  end
  path[#path] = nil
end

-- What goes against the floors, sorted; none where all is right.
-- `sources`: by path, such as "lua/alipayhk/base/text.lua"
function floors.faults(sources)
  local modules, faults, state = {}, {}, {}
  for path, source in pairs(sources) do
    if not path:find("^lua/alipayhk/meta/") then modules[module_of(path)] = requires_of(source) end
  end
  check_directions(modules, faults)
  for module in pairs(modules) do find_cycle(modules, module, state, {}, faults) end
  table.sort(faults)
  return faults
end

return floors
