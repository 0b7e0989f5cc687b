-- `alipayhk verify` over captured messages: whatever was captured, it judges it, or says what to give. What it says
-- verifies is what was signed; what it names as a mistake has words for it.

local captured = require "alipayhk.cli.captured"
local core = require "alipayhk.core"
local lines = require "fuzz.support.lines"
local parties = require "fuzz.support.parties"
local signers = require "alipayhk.cli.signers"
local verification = require "alipayhk.cli.verification"

local file = assert(io.open("fuzz/corpus/verify/signed-both", "rb"))
local SIGNED = assert(captured.read(file:read("a")))[1]
file:close()

local TIMES = { request = "request-time", answer = "response-time" }
local KNOWN = signers.read {
  client_id = parties.CLIENT_ID, private_key = "fuzz/keys/merchant.der", public_key = "fuzz/corpus/key/rsa.spki.der",
}

local function check_line(said)
  assert(type(said) == "string" and said ~= "" and core.utf8_length(said), "no words")
end

local function check_verified(exchange, kind)
  local time, found, signed = TIMES[kind], exchange[kind], SIGNED[kind]
  assert(found.body == signed.body and found.headers[time] == signed.headers[time], "it was never signed so")
  assert(exchange.request.path == SIGNED.request.path, "it was signed for another path")
end

local function judge(exchange, kind, known)
  local verdict = verification.judge(exchange, kind, known)
  if verdict.verifies then return check_verified(exchange, kind) end
  check_line(verdict.why)
  for _, mistake in ipairs(verdict.mistakes) do check_line(mistake.advice) end
end

local function check(exchange, kind)
  if not exchange[kind] then return end
  local obstacle = verification.obstacle(exchange, kind, KNOWN)
  if obstacle then check_line(obstacle) else judge(exchange, kind, KNOWN) end
end

for kind in pairs(TIMES) do assert(verification.judge(SIGNED, kind, KNOWN).verifies, kind) end

return {
  run = function(input)
    local exchanges = captured.read(input)
    -- One message, for many mistakes are tried.
    if exchanges then check(exchanges[1], #input % 2 == 0 and "request" or "answer") end
  end,
  mutate = lines {
    "Signature: algorithm=RSA256,keyVersion=1,signature=AAAA\r\n", "Signature: signature=\r\n", "Signature: x\r\n",
    "Client-Id: another\r\n", "Client-Id: \r\n", "Request-Time: 2026-11-27T12:00:00+08:00\r\n", "Response-Time: 0\r\n",
    "Content-Encoding: gzip\r\n", "Content-Encoding: identity\r\n", "Encrypt: algorithm=RSA_AES\r\n", "Host: a:1\r\n",
    "POST /other?x=1 HTTP/1.1\r\n", "HTTP/1.1 200 OK\r\n", "\r\n", '{"a": 1, "a": 2}', "{\r\n}",
    "Content-Length: 2\r\n",
  },
}
