-- The store in a file inside nginx. Puts of a worker's requests commit together, in a thread where nginx has a pool of
-- threads, in the worker otherwise. All else is done in the worker, which it blocks for as long as SQLite takes: a
-- turn, `stats`, a short `list` for less than a millisecond on a fast disk; for up to five seconds where another
-- process holds the file.

local new_group = require("alipayhk.delivery.store.group").new
local runtime = require "alipayhk.base.runtime"
local sqlite = require "alipayhk.delivery.store.sqlite"

local sqlite_nginx = { url_fault = sqlite.url_fault }

local Store = { has_replicas = false }
Store.__index = Store

-- The pools that may have a thread for us, by the directive `thread_pool NAME threads=1;`.
local POOLS = { "alipayhk", "default" }
local NO_POOL = "alipayhk: nginx has no thread_pool: puts into the outbox block the worker for as long as its disk "
  .. 'takes. Add the line "thread_pool alipayhk threads=1;" beside worker_processes'
-- Before 0.10.23 a thread of lua-nginx-module might end without waking up who waited for it.
local THREADS_SINCE = 10023

-- ---- in the worker -------------------------------------------------------------------------------

-- In the master nothing is opened: it may be another user, and no worker may use what it has inherited.
local function is_master()
  return runtime.nginx().get_phase() == "init"
end

-- The worker's own store, which is opened when it is first needed.
local function own(self)
  local fault
  if is_master() then
    return nil, {
      code = "failed", is_retryable = false,
      message = self.url .. ": not in the phase init, which is the master's: use the outbox in a worker",
    }
  end
  if not self.store then self.store, fault = sqlite.open(self.url, self.opts) end
  return self.store, fault
end

for _, name in ipairs {
  "begin_delivery", "end_delivery", "turn", "stats", "list", "retry", "drop", "purge",
} do
  Store[name] = function(self, ...)
    local store, fault = own(self)
    if not store then return nil, fault end
    return store[name](store, ...)
  end
end

local function put_here(self, records)
  local store, fault = own(self)
  if not store then return nil, fault end
  return store:put(records)
end

-- ---- in a thread ---------------------------------------------------------------------------------

-- What `ngx.run_worker_thread` gives: first whether it ran.
local function run(ngx, pool, self, records)
  local allowed, ran, results, fault = pcall(ngx.run_worker_thread, pool,
    "alipayhk.delivery.store.sqlite_thread", "put", self.url, self.opts, records)
  return allowed and ran, results, fault
end

-- Puts in a thread, or else in the worker: where there is no pool, or nginx does not let it this time.
local function put(self, records)
  local ngx = runtime.nginx()
  while self.pool do
    local ran, results, fault = run(ngx, POOLS[self.pool], self, records)
    if ran then return results, fault end
    local reason = tostring(results)
    if not reason:find("^thread pool .* not found$") then
      runtime.warn_once(reason, "alipayhk: no thread puts into the outbox, so the worker does: " .. reason)
      break
    end
    self.pool = POOLS[self.pool + 1] and self.pool + 1
    if not self.pool then runtime.warn_once(NO_POOL, NO_POOL) end
  end
  return put_here(self, records)
end

local function has_threads(ngx)
  return ngx.run_worker_thread ~= nil and ngx.config.ngx_lua_version >= THREADS_SINCE
end

-- ---- the store -----------------------------------------------------------------------------------

function Store:put(records)
  return self.group:put(records)
end

function Store:close()
  if self.store then self.store:close() end
end

-- Opens it: `alipayhk.delivery.store` says how. In the master, which runs init_by_lua, each worker opens it later.
function sqlite_nginx.open(url, opts)
  local self = setmetatable({
    url = url, opts = opts,
    store = nil, -- the worker's own, once it is open
    pool = has_threads(runtime.nginx()) and 1 or nil, -- which of POOLS to try
  }, Store)
  self.group = new_group(function(records) return put(self, records) end,
    function(records) return put_here(self, records) end)
  if is_master() then return self end
  local store, fault = own(self)
  if not store then return nil, fault end
  return self
end

return sqlite_nginx
