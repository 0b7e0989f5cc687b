--- AlipayHK's order service and performance notifications.
-- @module alipayhk

local Error = require "alipayhk.error"
local api = require "alipayhk.api"
local check = require "alipayhk.check"
local client = require "alipayhk.client"
local json = require "alipayhk.json"
local options = require "alipayhk.options"
local rules = require "alipayhk.rules"
local suggest = require "alipayhk.suggest"
local version = require "alipayhk.version"

local alipayhk = {
  _VERSION = version,
  --- An empty list, for a place that no rule describes; there `{}` is an empty object.
  empty_array = json.empty_array,
}

--- Makes a client. No I/O but reading the key files named.
-- @tparam table config see the README's table
-- @treturn[1] client
-- @treturn[2] nil
-- @treturn[2] error kind "config"
---@param config alipayhk.Config
---@return alipayhk.Client? client
---@return alipayhk.Error? err
function alipayhk.new(config)
  if config == alipayhk then error("alipayhk.new: called with a colon; call it as alipayhk.new { ... }", 2) end
  if type(config) ~= "table" then
    error(("alipayhk.new: a table expected, found a %s"):format(type(config)), 2)
  end
  local made, err = client.new(config)
  return made, err
end

-- What `check` takes in `opts`: each gives a message where a value is not of it.
local CHECK_OPTIONS = {
  previous_status = function(value)
    if type(value) ~= "string" then return ("a string expected, found a %s"):format(type(value)) end
  end,
  validate = function(value)
    if value ~= true and value ~= "strict" then return "true or \"strict\" expected" end
  end,
  scenarios = function(value)
    if type(value) ~= "table" then return ("a table expected, found a %s"):format(type(value)) end
  end,
}

local function check_fault(name, payload, opts)
  if name == alipayhk then return "called with a colon; call it as alipayhk.check(api, payload)" end
  if not api.by_name[name] then
    return "api is \"order\" or \"contract_card\"" .. suggest(name, api.names)
  end
  if type(payload) ~= "table" then return ("payload: a table expected, found a %s"):format(type(payload)) end
  return options.fault(opts, CHECK_OPTIONS)
end

local NO_OPTIONS = {}

-- The rules in force, and the options of `check.payload`.
local function read_options(opts)
  if opts == nil then return rules.alipayhk, NO_OPTIONS end
  local in_force, place, message = rules.alipayhk, nil, nil
  if opts.scenarios then in_force, place, message = rules.new(opts.scenarios) end
  if not in_force then return nil, Error.new("config", ("`%s`: %s"):format(place, message), { code = place }) end
  return in_force, { previous_status = opts.previous_status, strict = opts.validate == "strict" }
end

--- Checks a payload without keys and without sending. What the client fills in may be absent.
-- @tparam string name "order" or "contract_card"
-- @tparam table payload
-- @tparam[opt] table opts `previous_status`: also checks the step from that status; `validate = "strict"`:
--   what would be a warning is a fault; `scenarios`: a partner's own rules, as in the config, read
--   anew at each call
-- @treturn[1] boolean true
-- @treturn[1] ?table warnings, `{ path, code, message }`: what goes against rules that are only INFERRED, and slips
--   that nobody can have meant, which are ours and have `ours = true`, also where warnings count as faults
-- @treturn[2] nil
-- @treturn[2] error kind "invalid", with all faults in `fields`; kind "config" for a mistake in `scenarios`
---@param name "order"|"contract_card"
---@param payload alipayhk.Order|alipayhk.ContractCard
---@param opts? alipayhk.CheckOptions
---@return boolean? ok
---@return alipayhk.Error|alipayhk.Fault[]? err_or_warnings
function alipayhk.check(name, payload, opts)
  local fault = check_fault(name, payload, opts)
  if fault then error("alipayhk.check: " .. fault, 2) end
  local in_force, how = read_options(opts)
  if not in_force then return nil, how end
  local ok, found = check.payload(in_force, api.by_name[name], payload, how)
  return ok, found
end

return alipayhk
