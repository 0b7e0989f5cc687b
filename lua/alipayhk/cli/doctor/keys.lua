-- The keys, whether they are the right ones, and who may read them. Leaves in the state: `private_key`, `ring` (a
-- keyring of AlipayHK's).

local algorithms = require "alipayhk.exchange.algorithms"
local core = require "alipayhk.core"
local failure = require "alipayhk.cli.failure"
local files = require "alipayhk.cli.files"
local keyring = require "alipayhk.exchange.keyring"
local platform = require "alipayhk.api.platform"
local settings = require "alipayhk.cli.settings"

local USAGE = failure.STATUS.usage

-- What a function of the core gives for a key source, which may be malformed; or nil and a message.
local function read(reader, source)
  local ran, key, message = pcall(reader, source)
  if ran then return key, message end
  return nil, tostring(key)
end

-- The file of a key source, nil where it is none.
local function file_of(source)
  return type(source) == "table" and type(source.file) == "string" and source.file or nil
end

-- How a key is written.
local function form_of(source)
  local path = file_of(source)
  local content = path and files.head(path, 4096) or type(source) == "string" and source or ""
  local label = content:match("%-%-%-%-%-BEGIN ([A-Z0-9 ]+)%-%-%-%-%-")
  return label and ("PEM (%s)"):format(label) or "no PEM"
end

local function described(key, source)
  return ("%s, %d bits, %s%s"):format(key:type(), key:bits(), form_of(source),
    file_of(source) and ", " .. file_of(source) or "")
end

-- ---- our own ------------------------------------------------------------------------------------------

local function check_private(state, say)
  local source, wanted = state.config.private_key, state.config.algorithm
  local key, message = nil, state.fault and state.fault.message
  if source ~= nil then key, message = read(core.private_key, source) end
  if not key then
    return say("fail", settings.name_flags(message), "alipayhk keygen makes a pair of keys", USAGE)
  end
  local row = wanted and algorithms.named(wanted) or algorithms.default(key:type())
  if row.key_type ~= key:type() then
    return say("fail", ("%s needs a key of type %s, this one is %s"):format(row.name, row.key_type, key:type()),
      "give the other key, or leave `algorithm` out", USAGE)
  end
  state.private_key = key
  local wanted_bits = platform.encryption.rsa_bits
  if key:type() == "RSA" and key:bits() ~= wanted_bits then
    return say("warn", described(key, source), ("AlipayHK's pages ask for RSA of %d bits"):format(wanted_bits))
  end
  say("pass", ("%s, for %s; SHA-256 of its public half: %s"):format(described(key, source), row.name,
    key:fingerprint()))
end

-- ---- AlipayHK's ---------------------------------------------------------------------------------------

local CONSOLE = "take AlipayHK's public key for this environment from its console"

local function check_theirs(state, say)
  local source = state.config.alipay_public_key
  if source == nil and state.config.verify_response == false then
    return say("warn", "none, and verify_response is off: anybody may answer in AlipayHK's name", CONSOLE)
  end
  if source == nil then
    return say("fail", settings.name_flags "`alipay_public_key`: required: AlipayHK's public key", CONSOLE, USAGE)
  end
  local ring, message = read(keyring.new, source)
  if not ring then return say("fail", message, CONSOLE, USAGE) end
  state.ring = ring
  for version, key in pairs(ring.keys) do
    local name = #ring.versions > 0 and ("version %s: "):format(version) or ""
    say("pass", ("%s%s; SHA-256: %s"):format(name, described(key, source), key:fingerprint()))
  end
end

-- ---- together -----------------------------------------------------------------------------------------

-- What lies beside NAME.pem as its public half.
local function check_beside(path, key, say)
  local name = path and path:match("^(.*)%.pem$")
  for _, ending in ipairs { ".pub.pem", ".pub" } do
    local beside = name and read(core.public_key, { file = name .. ending })
    if beside and beside:fingerprint() ~= key:fingerprint() then
      return say("warn", ("%s%s beside it is not its public half"):format(name, ending),
        "look which of the two AlipayHK was given: alipayhk key FILE... tells them apart")
    elseif beside then
      return say("pass", ("%s%s is its public half"):format(name, ending))
    end
  end
end

local function check_pair(state, say)
  local own = state.private_key:fingerprint()
  for _, key in pairs(state.ring and state.ring.keys or {}) do
    if key:fingerprint() == own then
      return say("fail", "alipay_public_key is the public half of your own private_key", CONSOLE, USAGE)
    end
  end
  say("pass", "AlipayHK's key is another than yours")
  check_beside(file_of(state.config.private_key), state.private_key, say)
end

-- ---- who may read them --------------------------------------------------------------------------------

-- The files that hold a secret: the config, too, where a key stands in it.
local function secret_files(state)
  local config, tls = state.config, type(state.config.tls) == "table" and state.config.tls or {}
  local list = {}
  local function add(path)
    if type(path) == "string" and files.mode(path) then list[#list + 1] = path end
  end
  add(file_of(config.private_key))
  if type(config.private_key) == "string" then add(state.given.config) end
  add(tls.client_key)
  return list
end

local function check_files(state, say)
  local list, is_good = secret_files(state), true
  for _, path in ipairs(list) do
    if files.is_open_to_others(path) then
      is_good = false
      say("warn", ("%s can be read by others (%s)"):format(path, files.mode(path)), "chmod 600 " .. path)
    end
  end
  if not is_good then return end
  say("pass", #list > 0 and table.concat(list, ", ") .. ": for the owner alone" or "no private key in a file")
end

return {
  { name = "private key", needs = { "config" }, run = check_private },
  { name = "AlipayHK's key", needs = { "config" }, run = check_theirs },
  { name = "pair", needs = { "private key", "AlipayHK's key" }, run = check_pair },
  { name = "files", needs = { "config" }, run = check_files },
}
