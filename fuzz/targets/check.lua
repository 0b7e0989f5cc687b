-- Checks of payloads. None throws, or changes the payload; twice they say the same. Each fault has a path, a code that
-- is known, and a message of one line, without a user's id. What is accepted is accepted again as it comes out of its
-- JSON.

local alipayhk = require "alipayhk"
local api = require "alipayhk.api"
local check = require "alipayhk.rules.check"
local core = require "alipayhk.core"
local json = require "alipayhk.base.json"
local parties = require "fuzz.support.parties"
local payloads = require "fuzz.support.payloads"
local request = require "alipayhk.exchange.request"
local rules = require "alipayhk.rules"
local same = require "fuzz.support.same"

local CODES = { missing = true, type = true, too_long = true, enum = true, format = true, unknown = true,
  transition = true }
local NOW_MS = 1790000000000

local function check_line(text)
  assert(not text:find("%c") and core.utf8_length(text), "not one line of UTF-8")
end

-- A path has the names that the payload has, whatever these are.
local function check_message(text, payload)
  for _, name in ipairs { "userId", "openId" } do
    local id = rawget(payload, name)
    assert(type(id) ~= "string" or #id < 12 or not text:find(id, 1, true), "a user's id")
  end
end

local function check_faults(faults, payload)
  for _, found in ipairs(faults or {}) do
    assert(type(found.path) == "string" and CODES[found.code] and found.message ~= "", "no fault")
    check_line(tostring(found))
    check_message(found.message, payload)
  end
end

-- By a clock that stands still.
local function checked(name, payload, opts)
  local ok, warnings_or_err = check.payload(rules.alipayhk:form(api.by_name[name], payload), payload, {
    previous_status = opts.previous_status, strict = opts.validate == "strict", now_ms = NOW_MS,
  })
  if ok then return { warnings = warnings_or_err or {} } end
  local err = warnings_or_err
  return { faults = err.fields, warnings = err.warnings or {}, said = tostring(err) }
end

-- What is sent of a payload passes, too, whatever form its values have on the wire.
local function check_sent(name, payload)
  local config = parties.config("single")
  local frozen = request.freeze(config, api.by_name[name], payload, nil, config.next_ms)
  if not frozen then return end
  local sent = assert(json.decode_object(frozen.body))
  local result = checked(name, sent, {})
  assert(not result.faults, result.said)
  local thawed = request.thaw(config, api.by_name[name], frozen.body, NOW_MS)
  assert(thawed and thawed.body == frozen.body, "what was stored is not what is sent")
end

-- A copy, as deep as the check looks.
local function copy(value, depth)
  if type(value) ~= "table" or depth == 0 then return value end
  local made = {}
  for key, child in next, value do made[key] = copy(child, depth - 1) end
  return made
end

return {
  run = function(input)
    local name, payload, opts = payloads.of(input)
    local before = copy(payload, 6)
    local ok, warnings_or_err = alipayhk.check(name, payload, opts)
    local faults = not ok and warnings_or_err.fields
    assert(ok or warnings_or_err.kind == "invalid" and #faults > 0, "neither accepted nor refused")
    check_faults(faults or warnings_or_err, payload)
    check_line(tostring(not ok and warnings_or_err or ""))
    assert(same.is(checked(name, payload, opts), checked(name, payload, opts)), "twice it says something else")
    assert(same.is(copy(payload, 6), before), "the payload is another one")
    if ok and not opts.previous_status then check_sent(name, payload) end
  end,
}
