-- What runs in a thread of nginx, in a Lua of its own: puts into a file, and reads it through, by a handle that stays
-- open there. Nothing but plain tables crosses, and nothing is thrown.

local sqlite = require "alipayhk.delivery.store.sqlite"

local thread = {}

local stores = {}

local function plain(fault)
  return { code = fault.code, message = fault.message, is_retryable = fault.is_retryable }
end

-- Has the store do it, which stays open; one whose file was replaced is opened anew the next time.
local function ask(method, url, opts, ...)
  local name = opts.client_id .. " " .. url
  local result, fault
  if not stores[name] then stores[name], fault = sqlite.open(url, opts) end
  local store = stores[name]
  if not store then return nil, fault end
  result, fault = store[method](store, ...)
  if fault and store:is_replaced() then
    store:close()
    stores[name] = nil
  end
  return result, fault
end

local function ask_safely(...)
  local ran, result, fault = pcall(ask, ...)
  if not ran then fault = { code = "failed", message = tostring(result), is_retryable = false } end
  if fault then return nil, plain(fault) end
  return result
end

-- What `put` of the store gives.
function thread.put(url, opts, records)
  return ask_safely("put", url, opts, records)
end

-- What `check` of the store gives.
function thread.check(url, opts)
  return ask_safely("check", url, opts)
end

return thread
