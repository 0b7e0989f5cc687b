-- The store of an outbox in a file. The judge is the sqlite3 command.

local contract = require "spec.support.store_contract"
local databases = require "spec.support.databases"
local store = require "alipayhk.delivery.store"

local function open_at(path, opts)
  opts = opts or {}
  opts.client_id = opts.client_id or "CLIENT"
  return store.open("sqlite:" .. path, opts)
end

describe("a store in a file", function()
  contract.declare(function()
    local path = databases.path()
    return {
      open = function(opts) return assert(open_at(path, opts)) end,
      forsake = function(opened) opened:close() end,
    }
  end, { describe = describe, it = it, before_each = before_each, after_each = after_each })
end)
