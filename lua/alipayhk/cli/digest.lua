-- A digest of a payload: the same for the same content, however it is written down, and in every Lua.

local core = require "alipayhk.core"
local json = require "alipayhk.base.json"

local DIGITS = 32

local add

local function add_list(to, list)
  to[#to + 1] = "["
  for _, value in ipairs(list) do add(to, value) end
end

local function add_object(to, object)
  local names = {}
  for name in pairs(object) do names[#names + 1] = name end
  table.sort(names)
  to[#to + 1] = "{"
  for _, name in ipairs(names) do
    to[#to + 1] = #name .. name
    add(to, object[name])
  end
  to[#to + 1] = "}"
end

local function add_string(to, value)
  to[#to + 1] = #value .. '"' .. value
end

-- Above this an integer of JSON is a text where numbers are doubles alone.
local DOUBLE_INTEGER_MAX = 2 ^ 53
-- Exists in Lua 5.3 and later.
local number_type = rawget(math, "type")

local function add_number(to, value)
  local digits = json.id_text(value == 0 and 0 or value) -- -0 is an integer without sign, or a double with one
  local is_large = value > DOUBLE_INTEGER_MAX or value < -DOUBLE_INTEGER_MAX
  if is_large and number_type and number_type(value) == "integer" then return add_string(to, digits) end
  to[#to + 1] = "#" .. digits
end

local ADD = {
  string = add_string,
  number = add_number,
  boolean = function(to, value) to[#to + 1] = value and "t" or "f" end,
  table = function(to, value) return (#value > 0 and add_list or add_object)(to, value) end,
  userdata = function(to) to[#to + 1] = "n" end, -- null
}

function add(to, value)
  ADD[type(value)](to, value)
  to[#to + 1] = ","
end

-- In hex: enough of it to tell payloads apart.
local function of(payload)
  local parts = {}
  add(parts, payload)
  return core.hex_encode(assert(core.sha256(table.concat(parts)))):sub(1, DIGITS)
end

return { of = of, DIGITS = DIGITS }
