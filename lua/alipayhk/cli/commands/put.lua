-- Puts orders and notifications into an outbox, from which `deliver` sends them.

local function loaded()
  return {
    api = require "alipayhk.api",
    digest = require "alipayhk.cli.digest",
    failure = require "alipayhk.cli.failure",
    fault_text = require "alipayhk.cli.fault_text",
    input = require "alipayhk.cli.input",
    json = require "alipayhk.base.json",
    new_ending = require("alipayhk.cli.ending").new,
    platform = require "alipayhk.api.platform",
    settings = require "alipayhk.cli.settings",
  }
end

-- What became of one: on standard output an id for each that is stored, as text, and nothing else.
local function tell(self, entry, about)
  local err, use = about.err or {}, self.use
  local biz_no = entry.payload and use.json.id_text(entry.payload[use.platform.identity.merchant_biz_no])
  local api = entry.payload and use.api.of(entry.payload)
  if self.out.is_json then
    return self.ending:write(self.out.object, self.out, {
      { "file", entry.file }, { "line", entry.line }, { "merchantBizNo", biz_no }, { "api", api and api.name },
      { "id", about.id }, { "exists", about.exists }, { "warnings", about.warnings },
      { "kind", err.kind }, { "code", err.code }, { "message", err.message },
    })
  end
  if about.id then self.ending:write(self.out.line, self.out, "%s%s", about.id, about.exists and "  exists" or "") end
  for _, warning in ipairs(about.warnings or {}) do
    self.out:say("%s", use.fault_text.line(self.out, 2, entry, warning, true))
  end
  if err.message then
    self.out:say("%s %s", use.input.place(entry), (tostring(about.err):gsub("^alipayhk: ", "")))
  end
end

local function count(self, outcome)
  self.counts[outcome] = self.counts[outcome] + 1
end

-- How to go on where not all was put. What has no key is put once more.
local function to_go_on(self)
  if self.is_keyed then return "run it again" end
  return "put the rest; with --keyed from the first run on, the same file may be put again"
end

local NO_JSON = { __tostring = function(err) return err.kind .. ": " .. err.message end }

-- A store that fails fails for the next one, too; but one that only has too few replicas has stored it.
local function put_failed(self, entry, err)
  local is_stored = err.kind == "store" and err.id ~= nil
  if err.kind ~= "invalid" and not is_stored then
    self.use.failure.unknown("%s:%d: %s; %d were put before it: %s", entry.file, entry.line,
      (tostring(err):gsub("^alipayhk: ", "")), self.counts.put, to_go_on(self))
  end
  count(self, is_stored and "unsafe" or "refused")
  tell(self, entry, { err = err, id = err.id })
end

local function put(self, entry, replicas)
  if entry.message then
    return put_failed(self, entry, setmetatable({ kind = "invalid", code = "json", message = entry.message }, NO_JSON))
  end
  local id, err, warnings = self.outbox:put(entry.payload, {
    key = self.is_keyed and self.use.digest.of(entry.payload) or nil, replicas = replicas,
  })
  if not id then return put_failed(self, entry, err) end
  count(self, err == "exists" and "exists" or "put")
  tell(self, entry, { id = id, exists = err == "exists" or nil, warnings = warnings and warnings[1] and warnings })
end

local function check_replicas(use, outbox, replicas)
  if replicas and not outbox.store.has_replicas then
    use.failure.usage("put: --replicas: only a Redis has replicas")
  end
end

local function run(given, out)
  local use = loaded()
  local entries = use.input.payloads(given.file)
  local outbox = use.settings.outbox(given, { makes = true })
  check_replicas(use, outbox, given.replicas)
  local counts = { put = 0, exists = 0, refused = 0, unsafe = 0 }
  local self = { use = use, out = out, outbox = outbox, counts = counts, is_keyed = given.keyed }
  self.ending = use.new_ending(function(message) out:say("alipayhk: %s", message) end)
  for entry in entries do
    put(self, entry, given.replicas)
    if self.ending:is_asked() then break end
  end
  outbox:close()
  out:say("%d put, %d there already, %d refused%s", counts.put, counts.exists, counts.refused,
    counts.unsafe > 0 and (", %d put on too few replicas"):format(counts.unsafe) or "")
  if self.ending:is_asked() then
    out:say("alipayhk: not all was put: %s; %s", self.ending.reason, to_go_on(self))
    return use.failure.STATUS.unknown
  end
  if counts.unsafe > 0 then return use.failure.STATUS.unknown end
  return counts.refused > 0 and use.failure.STATUS.refused or use.failure.STATUS.ok
end

return {
  name = "put",
  summary = "put orders and notifications into an outbox; needs no keys and sends nothing",
  about = {
    [[The id of each is a line. It is on the disk when its id is printed, and deliver sends it. What is wrong with the
others goes to standard error, with --json to standard output.]],
    [[With --keyed the same content is stored once: a second run of the same file, after whatever ended the first, puts
what is not there yet, and shows the first id of what is, with "exists". That holds for as long as the event is kept:
see outbox purge.]],
    [[Ctrl-C or SIGTERM ends it after the one that it is at, with status 3 and how many were put.]],
  },
  examples = {
    { "alipayhk put --store sqlite:orders.db --client-id 4Q5Y8W0WSG45P907917 --keyed orders.jsonl",
      "may be run again" },
    { "alipayhk put --config shop.lua order.json", "client_id and store are in the file" },
  },
  arguments = { { name = "FILE", count = "+", about = "JSON, or one JSON object a line; - is standard input" } },
  options = {
    { "--keyed", about = "a digest of its content is the event's key: the same content is stored once" },
    { "--replicas", value = "N", about = "Redis: wait until so many replicas have it",
      convert = require("alipayhk.cli.options").number(1, true, 100) },
  },
  groups = { "outbox", "rules", "output" },
  run = run,
}
