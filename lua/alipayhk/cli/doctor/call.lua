-- A signed call that changes nothing: an order with no field at all, not even a merchantBizNo. AlipayHK verifies the
-- signature, and then has nothing to do but to refuse it.

local api = require "alipayhk.api"
local cure = require "alipayhk.cli.cure"
local failure = require "alipayhk.cli.failure"
local settings = require "alipayhk.cli.settings"

local STATUS = failure.STATUS

-- By these it says that it has looked into the order.
local EXPECTED = { PARAM_ILLEGAL = true, ORDER_STATUS_INVALID = true }

local KEY_CURE = "is alipay_public_key AlipayHK's for this environment, and not a test one's or an old one's?"

local function judge_refusal(state, err, say)
  local result, answer = err.response.result, err.response
  if EXPECTED[err.code] and answer.authenticated then
    return say("pass", ("verified, and refused as it has to be (%s); the answer's signature verifies"):format(err.code))
  end
  if EXPECTED[err.code] then
    return say("warn", ("refused as it has to be (%s), but the answer is not authenticated"):format(err.code),
      "is verify_response on, and does AlipayHK answer, or something in its place?")
  end
  if result.resultStatus ~= "F" then
    return say("warn", err.message, "AlipayHK could not say: try again later")
  end
  say("fail", settings.name_flags(err.message), cure.of(err.code, settings.about(state.given, state.client)),
    STATUS.refused)
end

local function judge(state, response, err, say)
  if response then
    return say("warn", "AlipayHK says that an empty order is a success", "tell its support; nothing is wrong here")
  end
  if err.kind == "result" then return judge_refusal(state, err, say) end
  if err.kind == "signature" then return say("fail", err.message, KEY_CURE, STATUS.usage) end
  say("fail", err.message, nil, failure.status_of(err))
end

local function check(state, say)
  local response, err = state.client:call(api.by_name.order.path, {}, { retry = false })
  judge(state, response, err, say)
end

return {
  { name = "signed call", needs = { "private key", "AlipayHK's key", "pair", "HTTP" }, is_network = true, run = check },
}
