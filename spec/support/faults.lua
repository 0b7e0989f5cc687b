--- What alipayhk.check says of a samples.
--
--     faults("order", samples.order())               -> {}, {}
--     faults("order", samples.order { userId = 5 })  -> { "userId type" }, { "expected a string, ..." }
--
-- Every error seen on the way has to be of the documented form, without the user's ids. Lua's own
-- `assert`: luassert's would take most of the time where there are thousands of payloads.

local alipayhk = require "alipayhk"
local samples = require "spec.support.samples"

local CODES = { missing = true, type = true, too_long = true, enum = true, format = true, unknown = true }

local function assert_discreet(text)
  assert(not text:find(samples.USER_ID, 1, true) and not text:find(samples.OPEN_ID, 1, true), "a user's id in it")
end

return function(api, given)
  local ok, err = alipayhk.check(api, given)
  local found, messages = {}, {}
  if ok then
    assert(ok == true and err == nil)
    return found, messages
  end
  assert(ok == nil and err.kind == "invalid" and err.retryable == false and #err.fields > 0)
  assert_discreet(tostring(err))
  for i, fault in ipairs(err.fields) do
    assert(type(fault.path) == "string" and CODES[fault.code] and type(fault.message) == "string")
    assert_discreet(fault.path .. fault.message)
    found[i] = fault.path .. " " .. fault.code
    messages[i] = fault.message
  end
  return found, messages
end
