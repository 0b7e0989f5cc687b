-- Who calls whom, by which keys: nobody but AlipayHK has its private key, so a stand-in's takes its place, by default
-- the local gateway's.

local algorithms = require "alipayhk.exchange.algorithms"
local core = require "alipayhk.core"
local failure = require "alipayhk.cli.failure"
local place = require "alipayhk.cli.gateway.place"
local settings = require "alipayhk.cli.settings"
local text = require "alipayhk.base.text"

local roles = {}

-- What the gateway over `directory` has printed.
local function values_of(directory)
  return place.values(directory) or failure.usage("trigger: --keys: there are no keys of a gateway in %s; alipayhk "
    .. "gateway --keys %s makes them", directory, directory)
end

-- The file of the private half, which lies beside that of the public half in the gateway's folder.
local function private_half(public_file)
  return type(public_file) == "string" and public_file:find("%.pub$") and public_file:gsub("%.pub$", ".pem") or nil
end

local WHICH = "trigger: by which key is the call to be signed? AlipayHK's own nobody else has. Give the --keys of a "
  .. "local gateway (alipayhk gateway --keys DIR makes them), or --sign-with a private key whose public half your "
  .. "endpoint takes for AlipayHK's"

local function stand_in_file(given, config, values, kind)
  local public = config.alipay_public_key
  return given.sign_with or private_half(values[kind .. "_alipay_public_key"])
    or private_half(type(public) == "table" and public.file or nil) or failure.usage("%s", WHICH)
end

local function read_key(what, source)
  local ran, key, message = pcall(core.private_key, source)
  if ran and key then return key end
  failure.usage("trigger: %s: %s", what, ran and message or tostring(key))
end

-- The merchant's key, with which answers are verified and for which calls are sealed; and the word for its type.
local function read_merchant(given, config, values)
  local kind = given.type or "rsa"
  local source = config.private_key or values[kind .. "_private_key"] and { file = values[kind .. "_private_key"] }
  if not source then
    failure.usage("trigger: whose endpoint is it? Give --config or --private-key, or the --keys of a local gateway")
  end
  local key = read_key("private_key", source)
  return key, text.lower(key:type())
end

-- All that a call needs: `{ client_id, private_key, signing, sealing, now }` of the stand-in, as
-- `alipayhk.exchange.wire` takes it; `file`, of its key; and `own`, by which an answer is verified. Ends the command
-- where something is missing.
function roles.read(given)
  local config = settings.all(given)
  local values = given.keys and values_of(given.keys) or {}
  local merchant, kind = read_merchant(given, config, values)
  local file = stand_in_file(given, config, values, kind)
  local key = read_key(file, { file = file })
  local client_id = config.client_id or values[kind .. "_client_id"]
  if not client_id then failure.usage("trigger: which client is called? Give --client-id") end
  local options, algorithm = algorithms.read(config), algorithms.default(key:type()).name
  local ring = { get = function() return merchant end }
  return {
    client_id = client_id, private_key = key, now = core.now, file = file, merchant = merchant,
    signing = { algorithm = algorithm, options = options[algorithm], key_version = "1" },
    sealing = { keys = ring, default_version = "1", options = config.encryption },
    own = { client_id = client_id, peer_keys = ring, algorithms = options },
  }
end

return roles
