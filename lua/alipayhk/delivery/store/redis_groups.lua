-- The lane groups of an outbox in a Redis: which one has an event, and scripts in them.

local core = require "alipayhk.core"
local digest = require "alipayhk.base.digest"
local faults = require "alipayhk.delivery.store.redis_faults"
local new_nodes = require("alipayhk.delivery.store.redis_nodes").new
local scripts = require "alipayhk.delivery.store.redis_scripts"

local COUNT = scripts.GROUPS

local Groups = {}
Groups.__index = Groups

local groups = {}

-- The group of a merchantBizNo's events, whatever their API: a number from 0 on.
function groups.of(merchant_biz_no)
  return digest.sha256(merchant_biz_no):byte() % COUNT
end

-- The group of an event; nil where that is no id of ours.
function groups.of_id(id)
  return type(id) == "string" and #id == 16 and id:find("^%d+$") and tonumber(id) % COUNT or nil
end

-- Arguments of scripts are strings and whole numbers; "" is none.
function groups.flag(value) return value and "1" or "0" end

function groups.whole(value) return value and math.ceil(value) or "" end

-- What stands in braces decides which node of a Redis Cluster has a key.
local function keys_of(client_id, group)
  local keys = {}
  for i, name in ipairs(scripts.KEYS) do keys[i] = ("{alipayhk:%s:%d}:%s"):format(client_id, group, name) end
  return keys
end

-- Those of a client_id. `target`: as `alipayhk.delivery.redis.client` takes it. No I/O yet. Gives nil and a message if
-- that cannot be here.
function groups.new(target, client_id)
  local nodes, message = new_nodes(target)
  if not nodes then return nil, message end
  local keys, name = {}, core.percent_encode(client_id)
  for group = 0, COUNT - 1 do keys[group] = keys_of(name, group) end
  return setmetatable({ nodes = nodes, keys = keys }, Groups)
end

-- A script in one group, for `try` and `run`.
function Groups:call(group, script, arguments)
  return { group = group, script = script, keys = self.keys[group], arguments = arguments }
end

-- Runs scripts in one go, and after them `last`, a command. Gives a list of the scripts' replies, nil for those that
-- failed; the first fault, nil for none; and a list of what `last` gave where each ran.
function Groups:try(calls, last)
  local replies, lasts, fault = {}, {}, nil
  for i, result in ipairs(self.nodes:run(calls, last)) do
    replies[i], lasts[i] = result[1], result.last and result.last[1]
    local failed = result[1] == nil and result or result.last and result.last[1] == nil and result.last
    if failed then fault = fault or faults.of(failed[2], failed[3]) end
  end
  return replies, fault, lasts
end

-- Runs scripts: their replies, or nil and a fault.
function Groups:run(calls)
  local replies, fault = self:try(calls)
  if fault then return nil, fault end
  return replies
end

-- Runs one without arguments in every group.
function Groups:run_everywhere(script)
  local calls = {}
  for group = 0, COUNT - 1 do calls[#calls + 1] = self:call(group, script, {}) end
  return self:run(calls)
end

-- Runs one in one group: its reply, or nil and a fault.
function Groups:run_in(group, script, arguments)
  local replies, fault = self:run { self:call(group, script, arguments) }
  return replies and replies[1], fault
end

function Groups:close()
  self.nodes:close()
end

return groups
