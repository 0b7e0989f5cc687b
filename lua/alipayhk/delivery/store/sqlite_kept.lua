-- A store in a file that is kept for as long as this Lua lives: opened when it is first needed, and anew after its file
-- was replaced.

local sqlite = require "alipayhk.delivery.store.sqlite"

local Kept = {}
Kept.__index = Kept

local function new(url, opts)
  return setmetatable({ url = url, opts = opts, store = nil }, Kept)
end

-- The store; or nil and a fault.
function Kept:open()
  local fault
  if not self.store then self.store, fault = sqlite.open(self.url, self.opts) end
  return self.store, fault
end

-- Has the store do it: what its method gives.
function Kept:ask(method, ...)
  local store, failed = self:open()
  if not store then return nil, failed end
  local result, fault = store[method](store, ...)
  if fault and store:is_replaced() then self:close() end
  return result, fault
end

function Kept:close()
  if self.store then self.store:close() end
  self.store = nil
end

return { new = new }
