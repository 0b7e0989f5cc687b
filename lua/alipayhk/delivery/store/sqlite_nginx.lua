-- The store in a file inside nginx. Puts of a worker's requests commit together, in a thread where nginx has a pool of
-- threads, in the worker otherwise. So is the file read through before a delivery, once: half a second for each 100,000
-- events. All else is done in the worker, which it blocks for as long as SQLite takes: a turn, `stats`, a short `list`
-- for less than a millisecond on a fast disk; `purge` for 3 seconds for each 100,000 events that it forgets; any of
-- them for up to five seconds where another process holds the file.

local new_group = require("alipayhk.delivery.store.group").new
local new_kept = require("alipayhk.delivery.store.sqlite_kept").new
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

-- Has the worker's own store do it.
local function ask(self, name, ...)
  if not is_master() then return self.own:ask(name, ...) end
  return nil, {
    code = "failed", is_retryable = false,
    message = self.url .. ": not in the phase init, which is the master's: use the outbox in a worker",
  }
end

for _, name in ipairs {
  "end_delivery", "turn", "stats", "list", "body", "retry", "drop", "purge",
} do
  Store[name] = function(self, ...) return ask(self, name, ...) end
end

local function put_here(self, records)
  return ask(self, "put", records)
end

-- ---- in a thread ---------------------------------------------------------------------------------

local NO_SUCH_POOL = "^thread pool .* not found$"
-- What nginx says where no thread has begun. After any other word one may have done all of it.
local NOT_BEGUN = {
  NO_SUCH_POOL, "^no available Lua vm$", "^no memory$", "^ngx_thread_task_post failed$",
  "in the argument$", "module '[^']*' not found", "^error loading module",
}

local function has_begun(reason)
  for _, pattern in ipairs(NOT_BEGUN) do
    if reason:find(pattern) then return false end
  end
  return true
end

local function unknown(self, reason)
  return {
    code = "unreachable", is_retryable = true,
    message = ("%s: a thread of nginx was to do it, and what came of that is not known (%s): try again, a put with "
      .. "the same `key`"):format(self.url, reason),
  }
end

local function try_next_pool(self)
  self.pool = POOLS[self.pool + 1] and self.pool + 1
  if not self.pool then runtime.warn_once(NO_POOL, NO_POOL) end
end

-- Runs a function of alipayhk.delivery.store.sqlite_thread: true and what it gives; false where no thread has begun to.
local function in_thread(self, name, ...)
  local ngx = runtime.nginx()
  while self.pool do
    local allowed, ran, result, fault = pcall(ngx.run_worker_thread, POOLS[self.pool],
      "alipayhk.delivery.store.sqlite_thread", name, self.url, self.opts, ...)
    if allowed and ran then return true, result, fault end
    local reason = tostring(allowed and result or ran)
    if allowed and has_begun(reason) then return true, nil, unknown(self, reason) end
    if not reason:find(NO_SUCH_POOL) then
      runtime.warn_once(reason, "alipayhk: no thread puts into the outbox, so the worker does: " .. reason)
      return false
    end
    try_next_pool(self)
  end
  return false
end

-- Puts in a thread, or else in the worker: where there is no pool, or nginx does not let it this time.
local function put(self, records)
  local is_done, results, fault = in_thread(self, "put", records)
  if is_done then return results, fault end
  return put_here(self, records)
end

-- Reading the whole file, which comes before a delivery, is done there, too.
function Store:begin_delivery()
  return ask(self, "begin_delivery", function()
    local is_done, is_sound, fault = in_thread(self, "check")
    if is_done then return is_sound, fault end
    return self.own.store:check()
  end)
end

local function has_threads(ngx)
  return ngx.run_worker_thread ~= nil and ngx.config.ngx_lua_version >= THREADS_SINCE
end

-- ---- the store -----------------------------------------------------------------------------------

function Store:put(records)
  return self.group:put(records)
end

function Store:close()
  self.own:close()
end

-- Opens it: `alipayhk.delivery.store` says how. In the master, which runs init_by_lua, each worker opens it later.
function sqlite_nginx.open(url, opts)
  local self = setmetatable({
    url = url, opts = opts,
    own = new_kept(url, opts), -- the worker's
    pool = has_threads(runtime.nginx()) and 1 or nil, -- which of POOLS to try
  }, Store)
  self.group = new_group(function(records) return put(self, records) end,
    function(records) return put_here(self, records) end)
  if is_master() then return self end
  local is_open, fault = self.own:open()
  return is_open and self, fault
end

return sqlite_nginx
