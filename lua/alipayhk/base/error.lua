-- The one error type: a table that prints as one readable line.
--
-- Fields: `kind`, `code`, `message`, `retryable`, `attempts`, `request_id`, `tracer_id`,
-- `http_status`, `response`, `fields`. Never a secret, never a user's id.

local text = require "alipayhk.base.text"

local Error = {}
Error.__index = Error
Error.__name = "alipayhk.error"

-- What stands in brackets behind the message, in this order.
local CONTEXT = { "http_status", "request_id", "tracer_id", "attempts" }

-- `kind/code: message (http_status=..., ...)`.
function Error:__tostring()
  local context = {}
  for _, name in ipairs(CONTEXT) do
    if self[name] ~= nil then context[#context + 1] = name .. "=" .. tostring(self[name]) end
  end
  local label = self.code and (self.kind .. "/" .. self.code) or self.kind
  local suffix = #context > 0 and (" (" .. table.concat(context, ", ") .. ")") or ""
  return text.one_line("alipayhk: " .. label .. ": " .. self.message .. suffix)
end

-- Makes an error. `message`: one line that tells the user what to do next; `fields`: what else is known.
local function new(kind, message, fields)
  local err = fields or {}
  err.kind = kind
  err.message = text.one_line(message)
  err.retryable = err.retryable or false
  return setmetatable(err, Error)
end

return { new = new }
