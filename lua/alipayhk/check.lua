--- Every fault of a payload in one error: the rules of the API, and what JSON cannot carry.
-- @module alipayhk.check

local Error = require "alipayhk.error"
local api = require "alipayhk.api"
local json = require "alipayhk.json"
local schema = require "alipayhk.schema"

local SHOWN = 5

local function summary(what, faults)
  local parts = {}
  for i = 1, math.min(#faults, SHOWN) do
    parts[i] = faults[i].path .. ": " .. faults[i].message
  end
  local count = #faults == 1 and "1 fault" or #faults .. " faults"
  local more = #faults > SHOWN and ("; and " .. #faults - SHOWN .. " more") or ""
  return ("%s in the %s payload: %s%s"):format(count, what, table.concat(parts, "; "), more)
end

local function by_path(a, b)
  return a.path < b.path
end

-- Faults of the JSON, in the order of their paths: a table's own order differs from run to run.
local function json_faults(payload)
  local faults
  json.inspect(payload, function(path, code, message)
    faults = faults or {}
    faults[#faults + 1] = { path = path, code = code, message = message }
  end)
  if faults then table.sort(faults, by_path) end
  return faults
end

local check = {}

--- Whether the fields keep the API's rules: the quick question, without a word on what is wrong.
-- @tparam ?table description of the API; nil has no rules
-- @tparam table payload with nothing left to fill in
-- @treturn boolean
function check.passes(description, payload)
  return not description or schema.passes(api.schema(description), payload)
end

--- @tparam ?table description of the API; nil checks only that JSON can carry the payload
-- @tparam table payload
-- @tparam[opt] table opts `complete`: nothing is going to be filled in any more
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] error kind "invalid"
function check.payload(description, payload, opts)
  local faults, seen = nil, nil
  local function add(path, code, message)
    faults, seen = faults or {}, seen or {}
    path = path:gsub("%c", "?")
    if not seen[path] then
      seen[path] = true
      faults[#faults + 1] = { path = path, code = code, message = message }
    end
  end
  if description then schema.check(api.schema(description), payload, add, opts and opts.complete) end
  for _, fault in ipairs(json_faults(payload) or {}) do add(fault.path, fault.code, fault.message) end
  if not faults then return true end
  return nil, Error.new("invalid", summary(description and description.name or "request", faults), { fields = faults })
end

return check
