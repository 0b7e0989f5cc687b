-- Whose signature a message may be: the keys of the config and of flags, as `verify` needs them.
--
-- A signer is `{ words, ring, keys }`: `ring` as `alipayhk.exchange.message` takes it, `keys` a list of `{ tool,
-- version, digest, scheme }`, `tool` a key of alipayhk.keytool.

local algorithms = require "alipayhk.exchange.algorithms"
local arguments = require "alipayhk.base.arguments"
local failure = require "alipayhk.cli.failure"
local key_file = require "alipayhk.cli.key_file"
local keyring = require "alipayhk.exchange.keyring"
local keytool = require "alipayhk.keytool"
local settings = require "alipayhk.cli.settings"
local suggest = require "alipayhk.base.suggest"
local text = require "alipayhk.base.text"
local url = require "alipayhk.base.url"

local signers = {}

-- ---- algorithms ------------------------------------------------------------------------------------------

-- The core's options by algorithm, with the choices of a config.
local function read_algorithms(config)
  local checks, defaults = algorithms.settings()
  local chosen = {}
  for name, check in pairs(checks) do
    local value, path, message = arguments.read_table(name, config[name] or {}, check, defaults[name], function(key)
      return "no such key" .. suggest.name(key, { "digest", "encoding" })
    end)
    if not value then failure.usage("config: `%s`: %s", path, message) end
    chosen[name] = value
  end
  return algorithms.read(chosen)
end

-- What a key of that type signs with, in the words of alipayhk.keytool.
local function way_of(key_type, options_of)
  local options = options_of[algorithms.default(key_type).name]
  return text.upper(options.digest), options.encoding == "p1363" and "other" or "usual"
end

-- ---- keys ------------------------------------------------------------------------------------------------

local function read_source(source, name)
  if type(source) == "string" then source = { data = source } end
  if type(source) ~= "table" or (source.file == nil) == (source.data == nil) then
    failure.usage("config: `%s`: expected the name of a file with a key: --%s, or { file = path }", name,
      (name:gsub("^alipay_", ""):gsub("_", "-")))
  end
  if source.file and not source.passphrase then return (key_file.read(source.file)) end
  local key, message = keytool.read(source)
  if not key then failure.usage("config: `%s`: %s", name, message) end
  return key
end

-- By version; one that was given without has the version "".
local function read_sources(source, name)
  if type(source) ~= "table" or source.file ~= nil or source.data ~= nil then
    return { [""] = read_source(source, name) }
  end
  local tools = {}
  for version, one in pairs(source) do tools[keyring.version_text(version)] = read_source(one, name) end
  return tools
end

local function ring_of(tools)
  local sources = {}
  for version, tool in pairs(tools) do sources[version] = tool:text("spki") end
  local ring, message = keyring.new(sources[""] or sources)
  if not ring then failure.usage("config: alipay_public_key: %s", message) end
  return ring
end

local function new_signer(words, tools, options_of)
  local signer = { words = words, ring = ring_of(tools), keys = {} }
  for version, tool in pairs(tools) do
    local digest, scheme = way_of(tool:facts().type, options_of)
    signer.keys[#signer.keys + 1] = { tool = tool, version = version, digest = digest, scheme = scheme }
  end
  return signer
end

-- The key by which a signer's message is verified whose header names a version.
function signers.key_of(signer, version)
  local latest = signer.ring.latest or ""
  local found
  for _, key in ipairs(signer.keys) do
    if key.version == version then return key end
    if key.version == latest then found = key end
  end
  return found
end

-- ---- all of it -------------------------------------------------------------------------------------------

local function read_base(config)
  if type(config.base_url) ~= "string" then return nil end
  local base, message = url.parse_base(config.base_url)
  if not base then failure.usage("config: `base_url`: %s", message) end
  return base
end

local function read_others(given, options_of)
  local others = {}
  for i, path in ipairs(given.other_key or {}) do
    others[i] = new_signer(("the key in %s"):format(text.shown(path, 160)), { [""] = key_file.read(path) }, options_of)
  end
  return others
end

-- Reads config and flags: `{ client_id, base, algorithms, own, alipayhk, given, others }`, signers nil for those that
-- are not known. `given` (--key) takes the place of both others.
function signers.read(given)
  local config = settings.split(settings.all(given))
  local options_of = read_algorithms(config)
  local read = {
    client_id = config.client_id, base = read_base(config), algorithms = options_of,
    others = read_others(given, options_of),
  }
  local function add(name, words, tools) read[name] = new_signer(words, tools, options_of) end
  if given.key then add("given", "the key in " .. text.shown(given.key, 160), { [""] = key_file.read(given.key) }) end
  if config.private_key ~= nil then add("own", "your own key", read_sources(config.private_key, "private_key")) end
  if config.alipay_public_key ~= nil then
    add("alipayhk", "AlipayHK's key", read_sources(config.alipay_public_key, "alipay_public_key"))
  end
  return read
end

return signers
