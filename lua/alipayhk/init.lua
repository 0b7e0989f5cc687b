--- AlipayHK's order service and performance notifications.
-- @module alipayhk

local api = require "alipayhk.api"
local check = require "alipayhk.check"
local client = require "alipayhk.client"
local suggest = require "alipayhk.suggest"
local version = require "alipayhk.version"

local alipayhk = { _VERSION = version }

--- Makes a client. No I/O but reading the key files named.
-- @tparam table config see the README's table
-- @treturn[1] client
-- @treturn[2] nil
-- @treturn[2] error kind "config"
---@param config alipayhk.Config
---@return alipayhk.Client? client
---@return alipayhk.Error? err
function alipayhk.new(config)
  if type(config) ~= "table" then
    error(("alipayhk.new: a table expected, found a %s"):format(type(config)), 2)
  end
  local made, err = client.new(config)
  return made, err
end

--- Checks a payload without keys and without sending. What the client fills in may be absent.
-- @tparam string name "order" or "contract_card"
-- @tparam table payload
-- @tparam[opt] table opts none yet
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] error kind "invalid", with all faults in `fields`
---@param name "order"|"contract_card"
---@param payload table
---@return boolean? ok
---@return alipayhk.Error? err
function alipayhk.check(name, payload, opts)
  local description = api.by_name[name]
  if not description then
    error(("alipayhk.check: api is \"order\" or \"contract_card\"%s"):format(suggest(name, api.names)), 2)
  end
  if type(payload) ~= "table" then
    error(("alipayhk.check: payload: a table expected, found a %s"):format(type(payload)), 2)
  end
  if opts ~= nil and (type(opts) ~= "table" or next(opts) ~= nil) then
    error("alipayhk.check: opts: no such option", 2)
  end
  local ok, err = check.payload(description, payload)
  return ok, err
end

return alipayhk
