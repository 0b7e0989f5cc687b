-- Verifies what something else has captured, and says what is wrong with it.

local function loaded()
  return {
    failure = require "alipayhk.cli.failure",
    messages = require "alipayhk.cli.messages",
    signers = require "alipayhk.cli.signers",
    verification = require "alipayhk.cli.verification",
    visible = require "alipayhk.cli.visible",
    wire = require "alipayhk.exchange.wire",
  }
end

-- ---- which messages ----------------------------------------------------------------------------------------

local function is_signed(message)
  return message.headers.signature ~= nil
end

-- Calls `visit(exchange, kind, number)`. Of a capture of many those alone that are signed: the rest is other traffic.
local function each_message(given, exchanges, visit)
  for number, exchange in ipairs(exchanges) do
    for _, kind in ipairs { "request", "answer" } do
      local message = exchange[kind]
      local is_meant = message and not message.is_target_only and (not given.of or given.of == kind)
      if is_meant and (#exchanges == 1 or is_signed(message)) then visit(exchange, kind, number) end
    end
  end
end

-- ---- telling -----------------------------------------------------------------------------------------------

local function place(given, exchanges, number, kind)
  local name = given.file and given.file ~= "-" and given.file .. ": " or ""
  if #exchanges > 1 then name = ("%sentry %d, "):format(name, number) end
  return name .. kind
end

local function list_advice(verdict)
  local names, advice = {}, {}
  for i, mistake in ipairs(verdict.mistakes) do
    names[i], advice[i] = mistake.name, mistake.advice
  end
  return names, advice
end

local function tell_text(out, where, verdict, notes, advice)
  if verdict.verifies then
    return out:line("%s: %s, with %s", where, out:paint("green", "verifies"), verdict.signer)
  end
  out:line("%s: %s: %s", where, out:paint("red", "does not verify"), verdict.why)
  for _, line in ipairs(advice) do out:line("  %s", line) end
  for _, note in ipairs(notes) do out:line("  note: %s", note) end
  if #advice == 0 and verdict.code == "wrong" then
    out:line("  none of the usual mistakes explains it: is it the right key, and are these the very bytes?")
  end
end

-- As JSON has it: an empty table would be an object.
local function list(of)
  return #of > 0 and of or require("alipayhk.base.json").empty_array
end

local function tell(out, where, number, kind, verdict, notes)
  local names, advice = list_advice(verdict)
  if not out.is_json then return tell_text(out, where, verdict, notes, advice) end
  out:object {
    { "entry", number }, { "message", kind }, { "verifies", verdict.verifies }, { "signer", verdict.signer },
    { "code", verdict.code }, { "why", verdict.why }, { "mistakes", list(names) }, { "advice", list(advice) },
    { "notes", list(notes) },
  }
end

local function show_content(use, out, exchange, kind, known)
  local message = exchange[kind]
  local headers = message.headers
  local at = headers[kind == "request" and "request-time" or "response-time"]
  out:line("%s", use.visible(use.wire.content(exchange.request.method or "POST", exchange.request.path,
    known.client_id or headers["client-id"], type(at) == "string" and at or "", message.body)))
end

-- ---- all of it ---------------------------------------------------------------------------------------------

local function run(given, out)
  local use = loaded()
  local exchanges = use.messages.read(given)
  local known = use.signers.read(given)
  local checked, wrong, obstacle = 0, 0, nil
  each_message(given, exchanges, function(exchange, kind, number)
    local where = place(given, exchanges, number, kind)
    local reason = use.verification.obstacle(exchange, kind, known)
    if reason then
      obstacle = obstacle or reason
      return out:say("%s: not checked: %s", where, reason)
    end
    local verdict = use.verification.judge(exchange, kind, known, given.other_client_id)
    checked, wrong = checked + 1, wrong + (verdict.verifies and 0 or 1)
    tell(out, where, number, kind, verdict, exchange[kind].notes)
    if given.content then show_content(use, out, exchange, kind, known) end
  end)
  if checked == 0 then
    use.failure.usage("verify: nothing was verified: %s", obstacle or "give a capture, or --path, --time, --body and "
      .. "--signature; a capture of several exchanges needs a Signature header in one")
  end
  return wrong > 0 and use.failure.STATUS.refused or use.failure.STATUS.ok
end

return {
  name = "verify",
  summary = "verify a captured request or answer, and name the mistake that makes its signature wrong",
  about = {
    [[Takes a raw HTTP message or a request and its answer one after the other, what curl -v prints (2>&1), a HAR file,
or flags: --path, --time, --body and --signature. An answer is verified with AlipayHK's key (--public-key), a request
with yours (--private-key) or AlipayHK's, whichever verifies; --key takes the place of both.]],
    [[When a signature is wrong, the usual mistakes are tried out, one and two at a time: line breaks, JSON written
anew, encodings, another key, client id, path or time, another digest. What would verify is named, with what to do
about it. The exit status is 0 if all verifies, 1 if something does not.]],
  },
  examples = {
    { "curl -v ... 2>&1 | alipayhk verify --config alipayhk.lua --body order.json -", "what curl just sent and got" },
    { "alipayhk verify --config alipayhk.lua traffic.har", "each signed request and answer of a HAR file" },
    {
      "alipayhk verify --key merchant.pub.pem --client-id ID --path /api/x --time 2024-05-22T06:42:21+08:00 "
        .. "--body order.json --signature SIGNATURE", "without a capture",
    },
  },
  arguments = { { name = "FILE", count = "?", about = "a capture; - is standard input" } },
  options = {
    { "--signature", value = "VALUE", about = "the Signature header, or the signature alone" },
    { "--of", value = "MESSAGE", choices = { "request", "answer" }, about = "which of the two is meant" },
    { "--key", value = "FILE", about = "the signer's key, either half, in place of those of the config" },
    { "--other-key", value = "FILE", many = true, about = "a key that may have been used by mistake" },
    { "--other-client-id", value = "ID", many = true, about = "a client id that may have been used by mistake" },
    { "--content", about = "also print what is signed, control characters as names" },
  },
  groups = { "message", "config", "output" },
  run = run,
}
