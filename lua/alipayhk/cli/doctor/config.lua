-- The config. Leaves in the state: `config`, what alipayhk.new is given; `store`; `client`, or `fault` where there is
-- none; `base`, the address; `now`, the clock.

local alipayhk = require "alipayhk"
local config_reader = require "alipayhk.config"
local core = require "alipayhk.core"
local failure = require "alipayhk.cli.failure"
local platform = require "alipayhk.api.platform"
local settings = require "alipayhk.cli.settings"
local url = require "alipayhk.base.url"

-- Faults of these have checks of their own.
local OF_KEYS = { private_key = true, alipay_public_key = true }

-- The client sends by what `state.transport` is then.
local function read(state)
  local config, outbox = settings.split(settings.all(state.given))
  config.transport = function(request) return state.transport(request) end
  local timeout_ms = state.given.timeout
  if timeout_ms then config.timeout_ms, config.connect_timeout_ms = timeout_ms, timeout_ms end
  state.config, state.store = config, outbox.store
  state.client, state.fault = alipayhk.new(config)
  state.now = type(config.now) == "function" and config.now or core.now
end

-- What is wrong with the client's id and the address: alipayhk.new finds a key that is missing before it sees these.
local function destination_fault(state)
  local config, message = state.config, config_reader.client_id_fault(state.config.client_id)
  if message then return "`client_id`: " .. message end
  local address = config.base_url or platform.environments[config.environment]
  if type(address) ~= "string" then return '`environment`: give "production" or "testing", or `base_url`' end
  state.base, message = url.parse_base(address)
  return message and "`base_url`: " .. message
end

local function check(state, say)
  read(state)
  local config, fault = state.config, state.fault
  local message = fault and not OF_KEYS[fault.code] and fault.message or destination_fault(state)
  local cure = not state.given.config and "--config FILE gives all of it at once" or nil
  if message then return say("fail", settings.name_flags(message), cure, failure.STATUS.usage) end
  say("pass", ("client %s at %s%s"):format(config.client_id, state.base.origin, state.base.prefix))
end

return {
  { name = "config", run = check },
}
