-- What the gateway itself has taken, read from its log of requests while that grows; and what is wrong with it, given
-- what the shop was told.

local json = require "cjson"

local ledger = {}
ledger.__index = ledger

local LATER = { TICKETED = 1, USED = 2 }

function ledger.new(path)
  return setmetatable({ path = path, at = 0, requests = 0, failed = 0, taken = {}, backwards = {} }, ledger)
end

-- Of an order: which status was taken last, and how often each.
local function take(self, entry)
  local number, status = entry.merchant_biz_no, entry.status
  local order = self.taken[number] or { last = 0 }
  self.taken[number] = order
  order[status] = (order[status] or 0) + 1
  if LATER[status] < order.last then self.backwards[#self.backwards + 1] = number end
  order.last = math.max(order.last, LATER[status])
end

-- Reads what is new. The file begins anew when it is large: its last line says so, and who has it open still sees that.
function ledger:read()
  self.file = self.file or io.open(self.path, "rb")
  if not self.file then return end
  self.file:seek("set", self.at)
  for line in self.file:lines() do
    local entry = line:sub(-1) == "}" and json.decode(line)
    if not entry then return end
    if entry.rotated then return self:begin_anew() end
    self.at = self.at + #line + 1
    self.requests = self.requests + 1
    if entry.result_code == "SUCCESS" then take(self, entry) else self.failed = self.failed + 1 end
  end
end

function ledger:begin_anew()
  self.file:close()
  self.file, self.at = nil, 0
  return self:read()
end

-- Sentences, none where all is well. `notes`: the path of what the shop was told.
function ledger:complaints(notes)
  local found, promised = {}, 0
  for line in io.lines(notes) do
    local way, number, status = line:match("^(%S+) (%S+) (%S+)$")
    if way then
      promised = promised + 1
      local order = self.taken[number]
      if not (order and order[status]) then found[#found + 1] = ("%s %s never arrived"):format(number, status) end
    end
  end
  for _, number in ipairs(self.backwards) do found[#found + 1] = number .. " went backwards" end
  return found, promised
end

return ledger
