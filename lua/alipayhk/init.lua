-- What users require: makes clients for AlipayHK's order service and performance notifications, and checks payloads
-- without one. What each function takes and gives is described in `alipayhk.meta`.

local Error = require "alipayhk.base.error"
local api = require "alipayhk.api"
local arguments = require "alipayhk.base.arguments"
local check = require "alipayhk.rules.check"
local client = require "alipayhk.client"
local json = require "alipayhk.base.json"
local outbox = require "alipayhk.outbox"
local rules = require "alipayhk.rules"
local version = require "alipayhk.base.version"

local alipayhk = {
  _VERSION = version,
  -- An empty list, for fields that no rule describes: there `{}` becomes an empty object.
  empty_array = json.empty_array,
}

local function check_config(name, config)
  local fault = arguments.type_fault(config, "table")
  if config == alipayhk then fault = ("called with a colon; call it as %s { ... }"):format(name) end
  if fault then error(("%s: %s"):format(name, fault), 3) end
end

-- Makes a client, or gives nil and an error of kind "config". The only I/O is reading the files named in the config.
function alipayhk.new(config)
  check_config("alipayhk.new", config)
  local made, err = client.new(config)
  return made, err
end

-- Opens an outbox, or gives nil and an error of kind "config" or "store".
function alipayhk.outbox(config)
  check_config("alipayhk.outbox", config)
  local opened, err = outbox.new(config)
  return opened, err
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

-- The rules in force, and the options of `check.payload`; or nil and an error of kind "config".
local function read_options(opts)
  if opts == nil then return rules.alipayhk, NO_OPTIONS end
  local in_force, place, message = rules.of(opts.scenarios)
  if not in_force then return nil, Error.new("config", ("`%s`: %s"):format(place, message), { code = place }) end
  return in_force, { previous_status = opts.previous_status, strict = opts.validate == "strict" }
end

-- Checks a payload without keys, and sends nothing; fields that the client fills in may be absent. Gives true and a
-- list of warnings; or nil and an error with all faults (kind "invalid"), or of kind "config" for wrong `scenarios`.
function alipayhk.check(name, payload, opts)
  local fault = check_fault(name, payload, opts)
  if fault then error("alipayhk.check: " .. fault, 2) end
  local in_force, how = read_options(opts)
  if not in_force then return nil, how end
  local ok, warnings_or_err = check.payload(in_force:form(api.by_name[name], payload), payload, how)
  return ok, warnings_or_err
end

return alipayhk
