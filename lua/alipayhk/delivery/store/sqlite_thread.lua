-- What runs in a thread of nginx, in a Lua of its own: puts into a file, and reads it through, by a handle that stays
-- open there. Nothing but plain tables crosses, and nothing is thrown.

local new_kept = require("alipayhk.delivery.store.sqlite_kept").new

local thread = {}

local stores = {}

local function plain(fault)
  return { code = fault.code, message = fault.message, is_retryable = fault.is_retryable }
end

local function ask(method, url, opts, ...)
  local name = opts.client_id .. " " .. url
  stores[name] = stores[name] or new_kept(url, opts)
  return stores[name]:ask(method, ...)
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
