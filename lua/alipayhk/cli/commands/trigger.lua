-- Calls an endpoint as AlipayHK would, and judges what it answers.

local options = require "alipayhk.cli.options"

-- By how much --fast shortens the pauses.
local FAST = 6000
local TICK_MS = 100
local TIMEOUT_MS = 15000
local SHOWN_MAX = 64

local function loaded()
  return {
    call = require "alipayhk.cli.trigger.call",
    core = require "alipayhk.core",
    failure = require "alipayhk.cli.failure",
    files = require "alipayhk.cli.files",
    json = require "alipayhk.base.json",
    judge = require "alipayhk.cli.trigger.judge",
    platform = require "alipayhk.api.platform",
    roles = require "alipayhk.cli.trigger.roles",
    settings = require "alipayhk.cli.settings",
    text = require "alipayhk.base.text",
    transport = require("alipayhk.transport.curl").new(),
  }
end

-- ---- the event ------------------------------------------------------------------------------------------

-- The bytes of a file that holds one JSON object, but for blanks around it.
local function read_event(use, name)
  local content = use.files.read(name, "trigger: --event", use.platform.body_max)
  local body = content:match("^[ \t\r\n]*(.-)[ \t\r\n]*$")
  local _, message = use.json.decode_object(body)
  if message then use.failure.usage("trigger: --event: %s is %s; it has to hold one JSON object", name, message) end
  return body
end

-- ---- one call -------------------------------------------------------------------------------------------

-- `{ is_right, is_success, is_reached, answer, faults, result, message }`
local function once(use, made, roles, opts)
  local answer, failed = use.call.send(made, roles, use.transport, opts)
  if not answer then return { message = failed.message, faults = {} } end
  local found = use.judge.answer(answer, made, roles)
  found.answer, found.is_reached, found.is_right = answer, true, #found.faults == 0
  found.is_success = answer.status == 200 and found.result ~= nil and found.result.resultStatus == "S"
  return found
end

local function head_of(use, number, outcome)
  if not outcome.is_reached then return ("call %d: no answer: %s"):format(number, outcome.message) end
  local answer, result = outcome.answer, outcome.result
  return ("call %d: HTTP %d%s, %.0f ms"):format(number, answer.status,
    result and (", %s (%s)"):format(use.text.shown(result.resultCode, SHOWN_MAX), result.resultStatus) or "",
    answer.timing.total_ms)
end

local function tell(use, out, number, outcome)
  local result, answer = outcome.result or {}, outcome.answer or { timing = {} }
  if out.is_json then
    return out:object {
      { "call", number }, { "right", outcome.is_right or false }, { "http_status", answer.status },
      { "result_code", result.resultCode }, { "result_status", result.resultStatus }, { "message", outcome.message },
      { "faults", outcome.faults }, { "ms", answer.timing.total_ms },
    }
  end
  out:line("%s", head_of(use, number, outcome))
  for _, fault in ipairs(outcome.faults) do
    out:line("  %s %-9s  %s", out:paint("red", "wrong"), fault.name, fault.message)
  end
  if outcome.is_right then out:line("  %s", out:paint("green", "right: status, headers, signature, time, result")) end
end

-- ---- again and again ------------------------------------------------------------------------------------

-- Waits as AlipayHK does before it calls again; false where somebody ends it.
local function wait(use, out, seconds, is_fast)
  local left_ms = is_fast and seconds * 1000 / FAST or seconds * 1000
  out:say("not a success: AlipayHK calls again after %d s%s", seconds,
    is_fast and (" (here %.0f ms)"):format(left_ms) or "; Ctrl-C ends it, --fast shortens it")
  while left_ms > 0 and not use.core.interrupted() do
    use.core.sleep(math.min(left_ms, TICK_MS))
    left_ms = left_ms - TICK_MS
  end
  return not use.core.interrupted()
end

local function call_until_success(use, given, out, made, roles)
  local opts = { timeout_ms = given.timeout or TIMEOUT_MS, ca_file = given.ca_file }
  local outcome = once(use, made, roles, opts)
  tell(use, out, 1, outcome)
  if given.once then return outcome end
  for i, seconds in ipairs(use.platform.inbound.resent_after_s) do
    if outcome.is_success or not wait(use, out, seconds, given.fast) then return outcome end
    outcome = once(use, made, roles, opts)
    tell(use, out, i + 1, outcome)
  end
  return outcome
end

local function status_of(use, outcome)
  local STATUS = use.failure.STATUS
  return outcome.is_right and STATUS.ok or outcome.is_reached and STATUS.refused or STATUS.unknown
end

local function run(given, out)
  local use = loaded()
  local roles = use.roles.read(given)
  if not given.event then use.failure.usage("trigger: what is to be sent? Give --event FILE, or - to read it") end
  local made = use.call.new(roles, given.url, read_event(use, given.event), given)
  out:say("signed by %s in AlipayHK's place (SHA-256 of its public half: %s), for client %s, path %s", roles.file,
    roles.private_key:fingerprint(), roles.client_id, made.path)
  use.core.catch_interrupts()
  return status_of(use, call_until_success(use, given, out, made, roles))
end

return {
  name = "trigger",
  summary = "call your endpoint as AlipayHK would, and say whether it answers as it should",
  about = {
    [[The event is sent as it stands, signed. AlipayHK's private key nobody else has, so another one signs in its
place: that of the local gateway over --keys, or the one of --sign-with. Your endpoint has to take its public half for
AlipayHK's, as it does with a config that `alipayhk gateway --write-config` made.]],
    [[The answer has to be HTTP 200 with a result in JSON, signed with your private key. Without a success the same
event is sent again on AlipayHK's own schedule: after 2, 10 and 10 minutes, 1, 2, 6 and 15 hours.]],
  },
  examples = {
    { "alipayhk trigger http://127.0.0.1:8080/alipayhk --event event.json --keys ~/.alipayhk-local",
      "signed by the local gateway's key" },
    { "alipayhk trigger https://shop.example/alipayhk --event event.json --config local.lua --encrypt --fast",
      "encrypted, the pauses shortened" },
  },
  arguments = { { name = "URL", about = "your endpoint" } },
  options = {
    { "--event", value = "FILE", about = "what is sent: a file with one JSON object; - is standard input" },
    { "--keys", value = "DIR", about = "the keys of a local gateway: its own sign, its merchant's verify" },
    { "--sign-with", value = "FILE", about = "the private key that signs in AlipayHK's place" },
    { "--type", value = "TYPE", choices = { "rsa", "ec" }, about = "which of the keys in --keys; rsa if not given" },
    { "--path", value = "PATH", about = "the path that AlipayHK calls, where a proxy before yours rewrites it" },
    { "--encrypt", about = "encrypt the event for your key, by RSA_AES" },
    { "--once", about = "do not send it again" },
    { "--fast", about = "wait 10 ms in place of each minute" },
    { "--timeout", value = "TIME", convert = options.duration { least_ms = 1 },
      about = "for one call; 15s if not given" },
  },
  groups = { "config", "output" },
  run = run,
}
