-- What alipayhk.check says of a samples.
--
--     faults("order", samples.order())               -> {}, {}, {}
--     faults("order", samples.order { userId = 5 })  -> { "userId type" }, { "expected a string, ..." }, {}
--
-- The third result lists the warnings as the first lists the faults: of a payload that passes as of one that does not.
-- A check of our own, no rule of AlipayHK's, says "userId format ours"; a fault never is one.
-- Every error seen on the way has to be of the documented form, without the user's ids. Lua's own
-- `assert`: luassert's would take most of the time where there are thousands of payloads.

local alipayhk = require "alipayhk"
local samples = require "spec.support.data.samples"

local CODES = {
  missing = true, type = true, too_long = true, enum = true, format = true, unknown = true, transition = true,
}

local function assert_discreet(text)
  assert(not text:find(samples.USER_ID, 1, true) and not text:find(samples.OPEN_ID, 1, true), "a user's id in it")
end

-- No list at all stands for none: an empty one would look like something to report.
local function listed(list, is_warning)
  local found, messages = {}, {}
  if list == nil then return found, messages end
  assert(type(list) == "table" and #list > 0)
  for i, entry in ipairs(list) do
    assert(type(entry.path) == "string" and CODES[entry.code] and type(entry.message) == "string")
    assert_discreet(entry.path .. entry.message)
    found[i] = entry.path .. " " .. entry.code
    if entry.ours ~= nil then
      assert(entry.ours == true and is_warning)
      found[i] = found[i] .. " ours"
    end
    messages[i] = entry.message
  end
  return found, messages
end

return function(api, given, opts)
  local ok, err = alipayhk.check(api, given, opts)
  if ok then
    assert(ok == true)
    return {}, {}, (listed(err, true))
  end
  assert(ok == nil and err.kind == "invalid" and err.retryable == false and #err.fields > 0)
  assert_discreet(tostring(err))
  local found, messages = listed(err.fields)
  return found, messages, (listed(err.warnings, true))
end
