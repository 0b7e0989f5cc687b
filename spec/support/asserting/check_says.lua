-- What check says of one payload, with what is ours (see `alipayhk.schema.slips`) told apart.
--
--     says("order", samples.order(), nil, nil)                      -- nothing
--     says("order", given, "userId format")                         -- a fault
--     says("order", given, nil, "orderModifyTime format ours")      -- a warning; "strict" leaves ours one
--
-- Gives the message of the first.

local alipayhk = require "alipayhk"
local assert = require "luassert"
local faults = require "spec.support.asserting.faults"

return function(api, given, fault, warning, opts)
  local found, messages, warnings = faults(api, given, opts)
  assert.same({ { fault }, { warning } }, { found, warnings })
  if warning and warning:find(" ours$") then
    local _, _, strictly = faults(api, given, { validate = "strict", scenarios = opts and opts.scenarios })
    assert.same({ warning }, strictly)
  end
  if not warning then return messages[1] end
  local ok, said = alipayhk.check(api, given, opts)
  local first = (ok and said or said.warnings)[1]
  assert.equal(first.path .. ": " .. first.message, tostring(first))
  return first.message
end
