-- AlipayHK's order service and performance notifications.

local Error = require "alipayhk.base.error"
local api = require "alipayhk.api"
local arguments = require "alipayhk.base.arguments"
local check = require "alipayhk.rules.check"
local client = require "alipayhk.client"
local json = require "alipayhk.base.json"
local rules = require "alipayhk.rules"
local version = require "alipayhk.base.version"

local alipayhk = {
  _VERSION = version,
  -- An empty list, for a place that no rule describes; there `{}` is an empty object.
  empty_array = json.empty_array,
}

-- Makes a client; no I/O but reading the key files named. Or nil and an error of kind "config".
function alipayhk.new(config)
  if config == alipayhk then error("alipayhk.new: called with a colon; call it as alipayhk.new { ... }", 2) end
  local fault = arguments.type_fault(config, "table")
  if fault then error("alipayhk.new: " .. fault, 2) end
  local made, err = client.new(config)
  return made, err
end

local CHECK_OPTIONS = {
  previous_status = arguments.of_type("string"),
  validate = arguments.one_of { true, "strict" },
  scenarios = arguments.of_type("table"),
}

local api_fault = arguments.one_of(api.names)

local function check_fault(name, payload, opts)
  if name == alipayhk then return "called with a colon; call it as alipayhk.check(api, payload)" end
  local fault = api_fault(name)
  if fault then return "api: " .. fault end
  fault = arguments.type_fault(payload, "table")
  if fault then return "payload: " .. fault end
  return arguments.options_fault(opts, CHECK_OPTIONS)
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

-- Checks a payload without keys and without sending; what the client fills in may be absent. True and warnings, or nil
-- and an error with all faults.
function alipayhk.check(name, payload, opts)
  local fault = check_fault(name, payload, opts)
  if fault then error("alipayhk.check: " .. fault, 2) end
  local in_force, how = read_options(opts)
  if not in_force then return nil, how end
  local ok, found = check.payload(in_force:form(api.by_name[name], payload), payload, how)
  return ok, found
end

return alipayhk
