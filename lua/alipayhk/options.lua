--- The options that a call takes beside its arguments: which there are, and of what kind.
-- @module alipayhk.options

local suggest = require "alipayhk.suggest"

local options = {}

local function names_of(checks)
  local names = {}
  for name in pairs(checks) do names[#names + 1] = name end
  table.sort(names)
  return names
end

--- A check that lets some types pass.
-- @tparam string ... names of types
-- @treturn function gives a message for a value of another type
function options.types(...)
  local allowed = {}
  for _, name in ipairs { ... } do allowed[name] = true end
  return function(value)
    if not allowed[type(value)] then return ("a %s is not expected here"):format(type(value)) end
  end
end

--- What is wrong with options; nil where nothing is, or where there are none.
-- @param opts what was given
-- @tparam table checks by name of an option: gives a message where a value is not of its kind
-- @treturn ?string message
function options.fault(opts, checks)
  if opts == nil then return nil end
  if type(opts) ~= "table" then return ("opts: a table expected, found a %s"):format(type(opts)) end
  for name, value in pairs(opts) do
    local check = checks[name]
    if not check then
      return ("opts.%s: no such option%s"):format(tostring(name), suggest(name, names_of(checks)))
    end
    local message = check(value)
    if message then return ("opts.%s: %s"):format(name, message) end
  end
end

return options
