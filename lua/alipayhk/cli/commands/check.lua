-- Checks payloads without keys, and sends nothing.

local function loaded()
  return {
    alipayhk = require "alipayhk",
    api = require "alipayhk.api",
    failure = require "alipayhk.cli.failure",
    fault_text = require "alipayhk.cli.fault_text",
    input = require "alipayhk.cli.input",
    settings = require "alipayhk.cli.settings",
  }
end

-- ---- telling -----------------------------------------------------------------------------------------

-- `file:line: path  code  message`, and the same as an object.
local function tell(use, out, entry, fault, is_warning)
  out:result({
    { "file", entry.file }, { "line", entry.line }, { "warning", is_warning }, { "path", fault.path },
    { "code", fault.code }, { "message", fault.message },
  }, use.fault_text.line(out, 1, entry, fault, is_warning))
end

local function tell_all(use, out, entry, faults, is_warning)
  for _, fault in ipairs(faults) do tell(use, out, entry, fault, is_warning) end
end

-- ---- checking ----------------------------------------------------------------------------------------

-- What is wrong with an entry, and what its warnings are.
local function check(use, entry, opts)
  if entry.message then return { { path = "", code = "json", message = entry.message } }, {} end
  local description = use.api.of(entry.payload)
  if not description then return { { path = "", code = "type", message = use.api.none_fault "it" } }, {} end
  local ok, found = use.alipayhk.check(description.name, entry.payload, opts)
  if ok then return {}, found or {} end
  if found.kind ~= "invalid" then use.failure.of(found) end
  return found.fields, found.warnings or {}
end

local function run(given, out)
  local use = loaded()
  local opts = {
    previous_status = given.previous_status, validate = given.strict and "strict" or nil,
    scenarios = use.settings.scenarios(given),
  }
  local count, wrong, warned = 0, 0, 0
  for entry in use.input.payloads(given.file) do
    local faults, warnings = check(use, entry, opts)
    tell_all(use, out, entry, faults, false)
    tell_all(use, out, entry, warnings, true)
    count = count + 1
    if #faults > 0 then wrong = wrong + 1 end
    if #warnings > 0 then warned = warned + 1 end
  end
  out:say("%d checked: %d good, %d wrong, %d with warnings", count, count - wrong, wrong, warned)
  return wrong > 0 and use.failure.STATUS.refused or use.failure.STATUS.ok
end

return {
  name = "check",
  summary = "check orders and notifications, and name every mistake; needs no keys and sends nothing",
  about = { [[Each fault is a line: file, line, the path of the field, a code and what to do about it. Orders and
notifications may be mixed; what the client fills in, such as requestId, may be absent.]] },
  examples = {
    { "alipayhk check orders.jsonl", "each line is one order or notification" },
    { "alipayhk scenarios MOVIE_TICKET --sample json | alipayhk check -", "from standard input" },
  },
  arguments = { { name = "FILE", count = "+", about = "JSON, or one JSON object a line; - is standard input" } },
  options = {
    { "--previous-status", value = "STATUS", about = "the order's status before, to check the step as well" },
  },
  groups = { "rules", "output" },
  run = run,
}
