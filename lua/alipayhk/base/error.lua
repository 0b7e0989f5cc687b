-- The library's one error type: a table that prints as one line.
--
-- Fields: `kind`, `code`, `message`, `retryable`, `attempts`, `request_id`, `tracer_id`, `http_status`, `response`,
-- `fields`. The message never has a secret or a user's id in it.

local text = require "alipayhk.base.text"

local Error = {}
Error.__name = "alipayhk.error"

-- The fields that are printed in parentheses after the message, in this order.
local CONTEXT = { "http_status", "request_id", "tracer_id", "attempts" }

-- `alipayhk: kind/code: message (http_status=..., ...)`.
function Error:__tostring()
  local context = {}
  for _, name in ipairs(CONTEXT) do
    if self[name] ~= nil then context[#context + 1] = name .. "=" .. tostring(self[name]) end
  end
  local label = self.code and (self.kind .. "/" .. self.code) or self.kind
  local suffix = #context > 0 and (" (" .. table.concat(context, ", ") .. ")") or ""
  return text.one_line("alipayhk: " .. label .. ": " .. self.message .. suffix)
end

-- Makes an error. `kind`: config, invalid, crypto, transport, http, signature, decrypt, protocol or result; `message`
-- tells the user what to do next. `fields`: the other fields; this table itself becomes the error.
local function new(kind, message, fields)
  local err = fields or {}
  err.kind = kind
  err.message = text.line(message)
  err.retryable = err.retryable or false
  return setmetatable(err, Error)
end

return { new = new }
