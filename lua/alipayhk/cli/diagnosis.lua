-- Finds out which mistake makes a signature wrong, by making it: see `alipayhk.cli.mistakes`.

local MISTAKES = require "alipayhk.cli.mistakes"
local core = require "alipayhk.core"
local wire = require "alipayhk.exchange.wire"

local diagnosis = {}

-- Two mistakes at once are looked for where that does not take long: it is some thousand signatures.
local BODY_FOR_TWO = 16 * 1024

-- The bytes of a header's value, nil where it is no base64.
local function signature_of(encoded)
  local base64 = core.percent_decode(encoded)
  if not base64 then return nil end
  return (core.base64_decode((base64:gsub("[ \t\r\n]", ""))))
end

local function content_of(subject)
  local content = wire.content(subject.method, subject.path, subject.client_id, subject.at, subject.body)
  if subject.line_break == "\n" then return content end
  return (content:gsub("\n", (subject.line_break:gsub("%%", "%%%%")), 1))
end

-- Whether a subject's signature is right as it stands.
function diagnosis.verifies(subject)
  local signature = signature_of(subject.encoded)
  return signature ~= nil and subject.key:verifies(content_of(subject), signature, subject.digest, subject.scheme)
end

local function changed(subject, changes)
  local other, is_other = {}, false
  for name, value in pairs(subject) do other[name] = value end
  for name, value in pairs(changes) do
    is_other = is_other or other[name] ~= value
    other[name] = value
  end
  return is_other and other or nil
end

-- Calls `visit(subject, finding)` for each way to make one of the mistakes from `first` on, until it gives true.
local function each_variant(subject, about, first, visit)
  for i = first, #MISTAKES do
    local mistake = MISTAKES[i]
    local is_found = false
    mistake.vary(subject, about, function(changes, detail)
      local other = not is_found and changed(subject, changes)
      if other then is_found = visit(other, { mistake = mistake, detail = detail, index = i }) end
    end)
    if is_found then return true end
  end
  return false
end

local function find_one(subject, about, first)
  local found
  each_variant(subject, about, first, function(other, finding)
    if diagnosis.verifies(other) then found = finding end
    return found ~= nil
  end)
  return found
end

local function find_two(subject, about)
  local one, other
  each_variant(subject, about, 1, function(variant, finding)
    local second = find_one(variant, about, finding.index + 1)
    if second then one, other = finding, second end
    return second ~= nil
  end)
  return one, other
end

local function told(finding)
  local advice = finding.mistake.say:gsub("@", function() return finding.detail or "" end)
  return { name = finding.mistake.name, advice = advice }
end

-- The mistakes that together explain why a signature is wrong: a list of one or two `{ name, advice }`, empty where
-- none does. `about`:
--
--   keys     `{ sort, tool, words, digest, scheme }`: "own", "version" (another one of the same owner) or "other"
--   clients  `{ id, words }`
--   times    `{ value, name }`
--   hosts    names
--   prefix   of the config's base URL, or nil
function diagnosis.find(subject, about)
  local one = find_one(subject, about, 1)
  if one then return { told(one) } end
  if #subject.body > BODY_FOR_TWO then return {} end
  local other
  one, other = find_two(subject, about)
  return one and { told(one), told(other) } or {}
end

return diagnosis
