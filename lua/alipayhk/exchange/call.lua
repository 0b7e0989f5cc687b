-- One call from its payload to its outcome: build, then send.

local events = require "alipayhk.exchange.events"
local request_builder = require "alipayhk.exchange.request"
local runtime = require "alipayhk.base.runtime"
local send = require "alipayhk.exchange.send"

local call = {}

-- Each warning goes into nginx's log once, for many users do not look at `response.warnings`. List indices are left
-- out, so that a warning about every element is one.
local function log_warnings(description, payload, warnings)
  if #warnings == 0 or not runtime.in_nginx() then return end
  local scenario = ("%s %s"):format(description.noun, tostring(payload[description.scenario_field]))
  for _, warning in ipairs(warnings) do
    local key = scenario .. " " .. warning.path:gsub("%[%d+%]", "[]")
    runtime.warn_once(key, ("alipayhk: warning: %s: %s"):format(scenario, tostring(warning)))
  end
end

-- Builds a request, not signed yet; or nil and an error. No description for a path that has none. `opts`: those of a
-- call, over the config.
function call.build(config, description, path, payload, opts)
  local encrypt = config.encrypt
  if opts.encrypt ~= nil then encrypt = opts.encrypt end
  local request, err = request_builder.build(config, description, path, payload, encrypt, opts.previous_status)
  if not request then
    local about = { api = description and description.name }
    events.emit(config, about, events.error, nil, err)
    return nil, err
  end
  if description then log_warnings(description, payload, request.warnings) end
  return request
end

-- Builds and sends: a response, or nil and an error. `policy`: see `alipayhk.exchange.retry`.
function call.run(client, description, path, payload, opts, policy)
  local request, err = call.build(client.config, description, path, payload, opts)
  if not request then return nil, err end
  return send.run(client, request, policy, opts.timeout_ms or client.config.timeout_ms)
end

return call
