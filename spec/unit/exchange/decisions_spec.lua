-- What one error means to whoever goes on: to an outbox, to the pace of a batch, to the command. By hand.

local orders = require "alipayhk.api.order"
local retry = require "alipayhk.exchange.retry"
local sorted_keys = require "spec.support.asserting.sorted_keys"

local function transport(code)
  return { kind = "transport", code = code }
end

local function http(status)
  return { kind = "http", http_status = status }
end

-- `extra`: authenticated, retryable.
local function result(code, status, extra)
  return {
    kind = "result", code = code, retryable = extra.retryable,
    response = { authenticated = extra.authenticated, result = { resultCode = code, resultStatus = status } },
  }
end

local SIGNED, UNSIGNED = { authenticated = true, retryable = false }, { authenticated = false, retryable = false }
local SIGNED_AGAIN = { authenticated = true, retryable = true }
local YES, NO = true, false

-- { error, is_refusal, refuses_traffic, is_outage, sent_nothing, may_have_arrived }
local MEANINGS = {
  ["a payload that breaks a rule"] = { { kind = "invalid" }, YES, NO, NO, NO, YES },
  ["a signature that could not be made"] = { { kind = "crypto" }, NO, NO, NO, YES, NO },
  ["a name that is not known"] = { transport "dns", NO, NO, YES, YES, NO },
  ["nobody who listens"] = { transport "connect", NO, NO, YES, YES, NO },
  ["a certificate that was refused"] = { transport "tls", NO, NO, YES, YES, NO },
  ["a connection that broke"] = { transport "reset", NO, NO, YES, NO, YES },
  ["no answer in time"] = { transport "timeout", NO, NO, YES, NO, YES },
  ["an answer that is too large"] = { transport "too_large", NO, NO, NO, NO, YES },
  ["an answer that is no HTTP"] = { transport "protocol", NO, NO, NO, NO, YES },
  ["HTTP 404"] = { http(404), NO, NO, NO, NO, YES },
  ["HTTP 429"] = { http(429), NO, YES, NO, NO, YES },
  ["HTTP 503"] = { http(503), NO, NO, YES, NO, YES },
  ["a wrong signature"] = { { kind = "signature", code = "wrong", http_status = 200 }, NO, NO, NO, NO, YES },
  ["a damaged ciphertext"] = { { kind = "decrypt", http_status = 503 }, NO, NO, NO, NO, YES },
  ["AlipayHK's no"] = { result("PARAM_ILLEGAL", "F", SIGNED), YES, NO, NO, NO, NO },
  ["a no that anybody may have given"] = { result("PARAM_ILLEGAL", "F", UNSIGNED), NO, NO, NO, NO, YES },
  ["a no that is tried again"] = { result("UNKNOWN_EXCEPTION", "F", SIGNED_AGAIN), NO, NO, NO, NO, YES },
  ["an unknown outcome that is not tried again"] = { result("SOME_CODE", "U", SIGNED), NO, NO, NO, NO, NO },
  ["too many requests"] = { result("REQUEST_TRAFFIC_EXCEED_LIMIT", "U", SIGNED_AGAIN), NO, YES, NO, NO, YES },
}

local QUESTIONS = { "is_refusal", "refuses_traffic", "is_outage", "sent_nothing", "may_have_arrived" }

local function answers_of(err)
  local answers = {}
  for _, question in ipairs(QUESTIONS) do
    local answer
    if question == "refuses_traffic" then answer = retry[question](orders, err) else answer = retry[question](err) end
    answers[question] = answer and true or false
  end
  return answers
end

describe("what an error means:", function()
  for _, title in ipairs(sorted_keys(MEANINGS)) do
    it(title, function()
      local meaning, expected = MEANINGS[title], {}
      for i, question in ipairs(QUESTIONS) do expected[question] = meaning[i + 1] end
      assert.same(expected, answers_of(meaning[1]))
    end)
  end
end)
