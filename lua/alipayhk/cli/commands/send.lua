-- Sends orders and notifications, many at once; by a journal never one again that was accepted.

local function loaded()
  return {
    cure = require "alipayhk.cli.cure",
    failure = require "alipayhk.cli.failure",
    fault_text = require "alipayhk.cli.fault_text",
    input = require "alipayhk.cli.input",
    journal = require "alipayhk.cli.journal",
    json = require "alipayhk.base.json",
    new_ending = require("alipayhk.cli.ending").new,
    outcome = require "alipayhk.transport.outcome",
    progress = require "alipayhk.cli.progress",
    resume = require "alipayhk.cli.resume",
    retry = require "alipayhk.exchange.retry",
    settings = require "alipayhk.cli.settings",
    shown_request = require "alipayhk.cli.shown_request",
  }
end

-- ---- telling -----------------------------------------------------------------------------------------

local COLOURS = { accepted = "green", refused = "red", unsent = "red", unknown = "yellow", overtaken = "dim" }
local WORDS = { unsent = "not sent" }

-- The warnings of an answer, each a line; one that is told in the result's own is not among them.
local function tell_warnings(self, entry, warnings)
  for _, warning in ipairs(warnings) do
    self.ending:write(self.out.line, self.out, "%s", self.use.fault_text.line(self.out, 1, entry, warning, true))
  end
end

-- `about`: `outcome`, and what else is known of it.
local function tell(self, entry, about)
  local out, err = self.out, about.err or {}
  self.progress:clear()
  local word = out:paint(COLOURS[about.outcome], WORDS[about.outcome] or about.outcome)
  self.ending:write(out.result, out, {
    { "file", entry.file }, { "line", entry.line }, { "merchantBizNo", entry.biz_no },
    { "api", entry.description and entry.description.name }, { "outcome", about.outcome },
    { "requestId", about.request_id }, { "resultCode", about.result_code }, { "kind", err.kind }, { "code", err.code },
    { "message", err.message }, { "attempts", about.attempts }, { "warnings", about.warnings },
  }, ("%s %s%s%s"):format(self.use.input.place(entry), entry.biz_no and entry.biz_no .. "  " or "", word,
    about.text or ""))
  if not out.is_json then tell_warnings(self, entry, about.shown_warnings or {}) end
end

local function count(self, outcome)
  self.counts[outcome] = self.counts[outcome] + 1
end

-- Of one that is not sent. `err`: why it is refused.
local function tell_unsent(self, entry, outcome, err)
  count(self, outcome)
  if outcome == "accepted_before" then return end
  tell(self, entry, { outcome = outcome, err = err, text = err and "  " .. err.message })
end

local function broken(entry)
  return { kind = "invalid", code = entry.description == nil and entry.payload and "type" or "json",
    message = entry.message }
end

-- ---- what is to be sent ------------------------------------------------------------------------------

-- The next entry that is; what need not be is told.
local function next_entry(self)
  for entry in self.entries do
    if not entry.state then return entry end
    self.passed_bytes = self.passed_bytes + entry.bytes
    if entry.state == "broken" then
      tell_unsent(self, entry, "refused", broken(entry))
    elseif entry.state == "overtaken" then
      tell_unsent(self, entry, "overtaken", { message = "a later state of the order was accepted" })
    else
      tell_unsent(self, entry, "accepted_before")
    end
    if self.ending:is_asked() then return nil end
  end
end

local function next_payload(self)
  local entry = next_entry(self)
  if not entry then return nil end
  self.taken = self.taken + 1
  self.under_way[self.taken] = entry
  return entry.payload
end

-- ---- what has ended ----------------------------------------------------------------------------------

local function outcome_of(use, err)
  if use.retry.is_refusal(err) then return "refused" end
  local was_sent = err.kind ~= "crypto" and not (err.kind == "transport" and use.outcome.sent_nothing(err.code))
  return was_sent and "unknown" or "unsent"
end

-- What is said of the warnings of an answer, and those that are shown below that. Of two events AlipayHK keeps the
-- later one: whether this was not that is in the line itself.
local function read_warnings(warnings)
  local shown, older = {}, ""
  for _, warning in ipairs(warnings) do
    if warning.code == "older" then
      older = "  " .. warning.message
    else
      shown[#shown + 1] = warning
    end
  end
  local said = #shown > 0 and (", %d warning%s"):format(#shown, #shown > 1 and "s" or "") or ""
  return said .. older, shown
end

local function about_response(response)
  local said, shown = read_warnings(response.warnings)
  return {
    outcome = "accepted", request_id = response.request_id, result_code = response.result.resultCode,
    attempts = response.attempts, warnings = response.warnings[1] and response.warnings,
    text = said, shown_warnings = shown,
  }
end

local function about_error(self, err)
  local message = self.use.settings.name_flags((tostring(err):gsub("^alipayhk: ", "")))
  return {
    outcome = outcome_of(self.use, err), request_id = err.request_id,
    result_code = err.kind == "result" and err.code or nil,
    attempts = err.attempts, err = err, text = "  " .. self.use.cure.added(message, err.code, self.about),
  }
end

-- It is noted before it is told: nobody has to read what is told.
local function on_result(self, result)
  local entry = self.under_way[result.index]
  self.under_way[result.index] = nil
  if result.response and self.journal then
    local noted, message = self.journal:note(entry.mark)
    if not noted then self.ending:ask(message .. ": not all that was accepted is noted") end
  end
  local about = result.response and about_response(result.response) or about_error(self, result.err)
  count(self, about.outcome)
  tell(self, entry, about)
  return not self.ending:is_asked()
end

-- How much of what is to be sent has ended, by the bytes of the files.
local function share_of(self, now)
  local bytes = self.source.bytes
  if not bytes or now.taken == 0 then return nil end
  local to_send = bytes - self.passed_bytes
  local read = self.source:position() - self.passed_bytes
  if to_send <= 0 then return nil end
  return math.min(1, read / to_send * (now.accepted + now.refused + now.failed) / now.taken)
end

local function on_progress(self, now)
  self.progress:show(now, share_of(self, now))
  return not self.ending:is_asked()
end

-- ---- sending -----------------------------------------------------------------------------------------

local function summarize(self, seconds)
  local counts = self.counts
  self.progress:clear()
  self.out:say("%d accepted, %d refused, %d unknown, %d not sent, %d accepted before, %d overtaken, %.1f s",
    counts.accepted, counts.refused, counts.unknown, counts.unsent, counts.accepted_before, counts.overtaken, seconds)
end

local function status_of(self, stopped)
  local STATUS, counts = self.use.failure.STATUS, self.counts
  local reason = self.ending.reason or stopped
  if reason then
    self.out:say("alipayhk: not all was sent: %s; run it again, and what was accepted is %s", reason,
      self.journal and "passed over"
        or "sent once more: with --journal FILE from the first run on, nothing is sent twice")
  end
  if reason or counts.unknown > 0 or counts.unsent > 0 then return STATUS.unknown end
  return counts.refused > 0 and STATUS.refused or STATUS.ok
end

local function send(self, given)
  local ran, totals = pcall(self.client.sync_many, self.client, function() return next_payload(self) end, {
    concurrency = given.concurrency, rate = given.rate,
    on_result = function(result) return on_result(self, result) end,
    on_progress = function(now) return on_progress(self, now) end,
  })
  if self.journal then self.journal:close() end
  summarize(self, ran and totals.seconds or 0)
  if not ran then error(totals, 0) end
  return status_of(self, totals.stopped)
end

-- ---- sending nothing -----------------------------------------------------------------------------------

local function show(self, entry, style)
  local request, err = self.client:prepare(entry.description.name, entry.payload)
  if not request then
    if err.kind ~= "invalid" then self.use.failure.of(err) end
    return tell_unsent(self, entry, "refused", err)
  end
  count(self, "shown")
  local out, shown = self.out, self.use.shown_request
  local title = ("%s:%d: %s"):format(entry.file, entry.line, entry.biz_no or "")
  out:result({
    { "file", entry.file }, { "line", entry.line }, { "merchantBizNo", entry.biz_no },
    { "api", entry.description.name }, { "method", request.method }, { "url", request.url },
    { "headers", request.headers }, { "body", request.body },
    { "curl", style == "curl" and shown.curl(request, self.client.config.tls) or nil },
  }, ("# %s\n%s"):format(title, shown[style](request, self.client.config.tls)))
end

local function dry_run(self, style)
  local counts = self.counts
  counts.shown = 0
  for entry in function() return next_entry(self) end do show(self, entry, style) end
  self.out:say("%d would be sent, %d refused, %d accepted before, %d overtaken; nothing was sent", counts.shown,
    counts.refused, counts.accepted_before, counts.overtaken)
  return counts.refused > 0 and self.use.failure.STATUS.refused or self.use.failure.STATUS.ok
end

-- ---- setting up ----------------------------------------------------------------------------------------

local function folder()
  local pipe = io.popen "pwd -P"
  local path = pipe and pipe:read("*l")
  if pipe then pipe:close() end
  return path or os.getenv("PWD") or "."
end

local function open_journal(use, given, config)
  if not given.journal then return nil end
  local files, from = {}, folder()
  for i, name in ipairs(given.file) do files[i] = use.journal.full_path(name, from) end
  return use.journal.open(given.journal, {
    client_id = config.client_id, address = config.base.origin .. config.base.prefix, files = files,
  }, given.dry_run)
end

local function run(given, out)
  local use = loaded()
  if given.curl and not given.dry_run then use.failure.usage("send: --curl is for --dry-run, which sends nothing") end
  local client = use.settings.client(given)
  local source = use.input.open(given.file)
  local journal = open_journal(use, given, client.config)
  local progress = use.progress.new(function(s) io.stderr:write(s) end, out:is_screen(2) and out:width(2) or nil)
  local self = {
    use = use, out = out, client = client,
    about = use.settings.about(given, client),
    source = source, journal = journal, progress = progress,
    entries = use.resume.entries(source, journal),
    under_way = {}, -- by its place among what was taken
    taken = 0, passed_bytes = 0,
    counts = { accepted = 0, refused = 0, unknown = 0, unsent = 0, accepted_before = 0, overtaken = 0 },
  }
  self.ending = use.new_ending(function(message)
    progress:clear()
    out:say("alipayhk: %s", message)
  end)
  local status = given.dry_run and dry_run(self, given.curl and "curl" or "text") or send(self, given)
  client:close()
  return status
end

return {
  name = "send",
  summary = "send orders and notifications, many at once",
  about = {
    [[Each result is a line, in the order in which they end: accepted; refused, by the check or by AlipayHK; not sent;
or unknown, where AlipayHK may have taken it. Events of one order go one after the other, in the order of the file.]],
    [[With a journal a second run passes over what was accepted, whatever ended the first, and sends the rest: mend the
lines that were refused and run it again. What was accepted is known by its content, wherever it stands now. A line
without a time of its own (orderModifyTime, bizDate) is overtaken, and passed over, where a later line of the same order
was accepted. A journal is of the files, of the client and of the address that it was begun with.]],
    [[Ctrl-C or SIGTERM ends it when what is under way has ended, with status 3; a second one at once. Where nobody
reads its results any more it ends in the same way.]],
    [[--dry-run prints what personal data the payloads have. A request that was signed is good for some minutes.]],
  },
  examples = {
    { "alipayhk send --config shop.lua --journal orders.done orders.jsonl", "may be run again until all is accepted" },
    { "alipayhk send --config shop.lua --json orders.jsonl | grep -v '\"accepted\"'", "what was not accepted" },
    { "alipayhk send --config shop.lua --dry-run --curl order.json", "a command line to try elsewhere" },
  },
  arguments = { { name = "FILE", count = "+", about = "JSON, or one JSON object a line; - is standard input" } },
  options = {
    { "--journal", value = "FILE", about = "where what was accepted is noted, and passed over the next time" },
    { "--dry-run", about = "check and sign, print the requests, send nothing" },
    { "--curl", about = "with --dry-run: as command lines of curl" },
  },
  groups = { "speed", "config", "rules", "output" },
  run = run,
}
