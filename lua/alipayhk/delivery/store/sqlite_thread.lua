-- What runs in a thread of nginx, in a Lua of its own: puts into a file through a handle that stays open there. Nothing
-- but plain tables crosses, and nothing is thrown.

local sqlite = require "alipayhk.delivery.store.sqlite"

local thread = {}

local stores = {}

local function plain(fault)
  return { code = fault.code, message = fault.message, is_retryable = fault.is_retryable }
end

local function open(url, opts)
  local name = opts.client_id .. " " .. url
  local store, fault = stores[name], nil
  if not store then
    store, fault = sqlite.open(url, opts)
    stores[name] = store
  end
  return store, fault
end

local function put(url, opts, records)
  local store, fault = open(url, opts)
  if not store then return nil, fault end
  return store:put(records)
end

-- What `put` of the store gives.
function thread.put(url, opts, records)
  local ran, results, fault = pcall(put, url, opts, records)
  if not ran then fault = { code = "failed", message = tostring(results), is_retryable = false } end
  if fault then return nil, plain(fault) end
  return results
end

return thread
