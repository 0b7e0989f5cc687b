-- Turns the table that a user gives to `alipayhk.new` into what the other modules work with, or says which key of it is
-- wrong, and how to put it right.

local Error = require "alipayhk.base.error"
local algorithms = require "alipayhk.exchange.algorithms"
local api = require "alipayhk.api"
local arguments = require "alipayhk.base.arguments"
local core = require "alipayhk.core"
local keyring = require "alipayhk.exchange.keyring"
local list = require "alipayhk.base.list"
local platform = require "alipayhk.api.platform"
local retry = require "alipayhk.exchange.retry"
local rules = require "alipayhk.rules"
local runtime = require "alipayhk.base.runtime"
local sequence = require "alipayhk.base.sequence"
local suggest = require "alipayhk.base.suggest"
local text = require "alipayhk.base.text"
local tls = require "alipayhk.transport.tls"
local url = require "alipayhk.base.url"

local config = {}

local of_type, one_of, whole, found = arguments.of_type, arguments.one_of, arguments.whole, arguments.found

-- ---- what the values have to be: each gives a message, and where within the value ---------------

-- For a text that goes into a header or into the signed content unchanged.
local function header_fault(value)
  local fault = arguments.type_fault(value, "string") or arguments.blank_fault(value)
  if fault then return fault end
  if value:find("[^\33-\126]") then return "expected printable ASCII" end
end

-- A limit of ours: AlipayHK's ids have 20 characters. A key that was given in its place would be sent to the server.
local CLIENT_ID_MAX = 128

function config.client_id_fault(value)
  if type(value) == "string" and (#value > CLIENT_ID_MAX or value:find("-----", 1, true)) then
    return ("expected the id that AlipayHK gave you, found a text of %d characters: is it a key?"):format(#value)
  end
  return header_fault(value)
end

local function key_version_fault(value)
  if value == false then return nil end
  if type(value) == "number" and value % 1 == 0 and value >= 0 and value < 1e9 then return nil end
  if type(value) == "string" and value:find("^[A-Za-z0-9._-]+$") then return nil end
  return "expected a whole number, a string of letters and digits, or false to leave it out; " .. found(value)
end

local source_name_fault = one_of { "file", "data", "passphrase" }

local function key_source_fault(value)
  if type(value) == "string" or type(value) == "userdata" then return nil end
  if type(value) ~= "table" then
    return "expected a key as string, { file = path }, or a key of alipayhk.core; " .. found(value)
  end
  if value.file == nil and value.data == nil then
    -- It is a table of versions, unless it has one of these names, which people take for those of a key source.
    for _, name in ipairs { "path", "filename", "pem", "key" } do
      if value[name] ~= nil then return "no such key; a key is { file = path } or { data = string }", name end
    end
    return nil
  end
  for name in pairs(value) do
    local message = source_name_fault(name)
    if message then return message, tostring(name) end
  end
end

local function content_type_fault(value)
  if type(value) ~= "string" or value:find("[" .. text.CONTROL .. "]") then
    return "expected a media type on one line"
  end
end

local transport_name_fault = one_of { "auto", "curl", "cosocket" }

local function transport_fault(value)
  if type(value) ~= "function" then return transport_name_fault(value) end
end

-- ---- the keys of the config, and of the tables in it ---------------------------------------------

local DEFAULTS = {
  key_version = 1,
  verify_response = true,
  encrypt = false,
  connect_timeout_ms = 5000,
  timeout_ms = 15000,
  transport = "auto",
  max_response_bytes = 1048576,
  validate = true,
}

local CHECKS = {
  client_id = config.client_id_fault,
  environment = one_of(list.keys(platform.environments)),
  base_url = of_type("string"),
  private_key = key_source_fault,
  algorithm = one_of(algorithms.names()),
  key_version = key_version_fault,
  alipay_public_key = key_source_fault,
  verify_response = of_type("boolean"),
  encrypt = of_type("boolean"),
  agent_token = header_fault,
  connect_timeout_ms = whole("milliseconds", 1),
  timeout_ms = whole("milliseconds", 1),
  transport = transport_fault,
  proxy = url.proxy_fault,
  max_response_bytes = whole("bytes", 1, platform.body_max),
  max_response_age_ms = whole("milliseconds", 1),
  validate = one_of { true, false, "strict" },
  scenarios = of_type("table"),
  on_event = of_type("function"),
  now = of_type("function"),
  sleep = of_type("function"),
  request_id = of_type("function"),
}

-- By the name of a table in the config: the checks of its keys, and their defaults.
local TABLE_CHECKS, TABLE_DEFAULTS = algorithms.settings()
TABLE_CHECKS.retry, TABLE_DEFAULTS.retry = retry.CHECKS, retry.DEFAULTS
TABLE_CHECKS.tls, TABLE_DEFAULTS.tls = tls.CHECKS, tls.DEFAULTS
TABLE_CHECKS.encryption = {
  key_padding = one_of { "pkcs1", "oaep" },
  key_bits = one_of { 256, 192, 128 },
  content_type = content_type_fault,
}
TABLE_DEFAULTS.encryption = {
  key_padding = platform.encryption.key_padding,
  key_bits = platform.encryption.key_bits,
  content_type = platform.content_type,
}

-- Whether the config has a key of that name.
function config.has_key(name)
  return CHECKS[name] ~= nil or TABLE_CHECKS[name] ~= nil
end

-- Every key there is, sorted.
local KEYS = list.keys(CHECKS)
for name in pairs(TABLE_CHECKS) do KEYS[#KEYS + 1] = name end
table.sort(KEYS)

-- The same and, as "tls.ca_file", those of the tables within.
config.PATHS = {}
for _, name in ipairs(KEYS) do
  config.PATHS[#config.PATHS + 1] = name
  for _, below in ipairs(list.keys(TABLE_CHECKS[name] or {})) do
    config.PATHS[#config.PATHS + 1] = name .. "." .. below
  end
end
for _, name in ipairs { "passphrase", "file", "data" } do
  config.PATHS[#config.PATHS + 1] = "private_key." .. name
end

-- ---- what is wrong -------------------------------------------------------------------------------

-- A key of the config as a message may show it. What does not look like a name may be a value in the wrong place, even
-- a secret key, and is not shown.
local function shown_name(key)
  key = tostring(key)
  if #key <= 64 and not key:find("[^A-Za-z0-9_.%[%]-]") then return key end
  return ("(a name of %d characters)"):format(#key)
end

local function fail(key, message)
  key = shown_name(key)
  return nil, Error.new("config", ("`%s`: %s"):format(key, message), { code = key })
end

-- Other libraries' options for the check of certificates. A suggestion must not lead to `verify_response`, which is
-- about signatures.
local NO_VERIFYING = { verify = true, verify_peer = true, verify_host = true, verify_ssl = true, ssl_verify = true,
  insecure = true, verify_tls = true, tls_verify = true, skip_verify = true, no_verify = true, check_hostname = true }

local function unknown_fault(path)
  if NO_VERIFYING[path:match("[^.]*$")] then
    return "no such key: the server's certificate is always verified; tls.ca_file names a CA of your own"
  end
  return "no such key" .. suggest.path(path, config.PATHS)
end

-- A field that is nil is not in the table: it cannot be told from one that was left out.
local UNSET = " (it is nil: for a variable that is not set os.getenv gives nil)"

local REQUIRED = {
  client_id = "required: the id that AlipayHK gave you" .. UNSET,
  private_key = "required: a key as string, or { file = path }" .. UNSET,
}

-- ---- reading -------------------------------------------------------------------------------------

-- Unknown names come first: a misspelt `clientid` is no missing `client_id`.
local function check_names(given)
  for name in pairs(given) do
    if not config.has_key(name) then return fail(name, unknown_fault(tostring(name))) end
  end
  for _, name in ipairs { "client_id", "private_key" } do
    if given[name] == nil then return fail(name, REQUIRED[name]) end
  end
  return given
end

-- Each config has its own copy, even of the defaults, for some of it is handed to users' transports.
local function read_table(name, value)
  if name == "retry" then return retry.read(value == nil and {} or value, retry.DEFAULTS, unknown_fault) end
  return arguments.read_table(name, value == nil and {} or value, TABLE_CHECKS[name], TABLE_DEFAULTS[name],
    unknown_fault)
end

local function read_values(given)
  local result = {}
  for name, default in pairs(DEFAULTS) do result[name] = default end
  for _, name in ipairs(KEYS) do
    local value = given[name]
    if TABLE_CHECKS[name] then
      local path, message
      result[name], path, message = read_table(name, value)
      if not result[name] then return fail(path, message) end
    elseif value ~= nil then
      local message, below = CHECKS[name](value)
      if message then return fail(below and name .. "." .. below or name, message) end
      result[name] = value
    end
  end
  return result
end

local function read_destination(result)
  local given = result.base_url or platform.environments[result.environment]
  if not given then return fail("environment", "give `environment` (\"production\" or \"testing\") or `base_url`") end
  local base, message = url.parse_base(given)
  if not base then return fail("base_url", message) end
  -- A whole address was pasted; we add the API's path ourselves.
  for _, description in pairs(api.by_name) do
    if base.prefix:sub(-#description.path) == description.path then
      return fail("base_url", "leave the API's own path out: " .. description.path)
    end
  end
  result.base = base
  return result
end

-- The core throws for a malformed table; for a config that is one more error to return.
local function read_source(reader, source)
  local ok, key, message = pcall(reader, source)
  if not ok then return nil, (tostring(key):gsub("^bad argument #1[^(]*%((.*)%)$", "%1")) end
  if not key then return nil, message end
  return key
end

local function read_private_key(result)
  local key, message = read_source(core.private_key, result.private_key)
  if not key then return fail("private_key", message) end
  result.private_key = key
  result.algorithm = result.algorithm or algorithms.default(key:type()).name
  local wanted = algorithms.named(result.algorithm).key_type
  if wanted ~= key:type() then
    return fail("private_key", ("%s needs an %s key, this one is %s: %s"):format(
      result.algorithm, wanted, key:type(), "give the other key, or leave `algorithm` out"))
  end
  return result
end

-- Whether AlipayHK may sign with another algorithm than the partner is not documented: its keys may be
-- of either type, and an answer is judged by the key it is verified with.
local function read_alipay_keys(result)
  if result.alipay_public_key == nil then
    if not result.verify_response and not result.encrypt then return result end
    return fail("alipay_public_key", "required: AlipayHK's public key, from the platform's console"
      .. (result.encrypt and "" or " (or verify_response = false, which lets anybody answer in its name)"))
  end
  local ring, message = read_source(keyring.new, result.alipay_public_key)
  if not ring then return fail("alipay_public_key", message) end
  for _, key in pairs(ring.keys) do
    if key:fingerprint() == result.private_key:fingerprint() then
      return fail("alipay_public_key", "this is the public half of your own private_key: "
        .. "give AlipayHK's public key, which the platform's console shows")
    end
  end
  result.peer_keys = ring
  return result
end

local function read_encryption(result)
  if not result.encrypt then return result end
  if not result.verify_response then
    return fail("encrypt", "an encrypted answer is opened only after its signature: leave verify_response on")
  end
  if result.private_key:type() ~= "RSA" then
    return fail("encrypt", "RSA_AES needs an RSA private_key to open the answers")
  end
  if result.peer_keys:get():type() ~= "RSA" then
    return fail("encrypt", "RSA_AES needs AlipayHK's RSA public key")
  end
  return result
end

local function read_tls(result)
  -- In nginx our own transport refuses these keys, and says which directives take their place.
  if runtime.in_nginx() and type(result.transport) ~= "function" then return result end
  local key, message = tls.fault(result.tls)
  if key then return fail("tls." .. key, message) end
  return result
end

local function read_rules(result)
  local place, message
  result.rules, place, message = rules.of(result.scenarios)
  if not result.rules then return fail(place, message) end
  return result
end

local STEPS = {
  check_names, read_values, read_destination, read_private_key, read_alipay_keys, read_encryption, read_tls, read_rules,
}

local function checked_clock(now)
  return function()
    local seconds = now()
    if type(seconds) ~= "number" or not (seconds >= 0 and seconds < 1e11) then
      local is_ms = type(seconds) == "number" and seconds >= 1e11
      error("config.now: it has to return seconds since the epoch, with fraction; "
        .. (is_ms and "found milliseconds: divide them by 1000" or found(seconds)), 0)
    end
    return seconds
  end
end

-- Reads a config; the only I/O is reading the key files that it names. Or nil and an error of kind "config", whose
-- `code` is the key that is wrong.
function config.read(given)
  local result = given
  for _, step in ipairs(STEPS) do
    local next_result, err = step(result)
    if not next_result then return nil, err end
    result = next_result
  end
  result.clock = result.now and "config.now" or "this machine's clock" -- for messages
  result.now = checked_clock(result.now or runtime.now)
  result.sleep = result.sleep or runtime.sleep
  result.next_ms = sequence.new()
  result.algorithms = algorithms.read(result)
  result.signing = {
    algorithm = result.algorithm,
    key_version = result.key_version and keyring.version_text(result.key_version) or nil,
    options = result.algorithms[result.algorithm],
    setting = algorithms.named(result.algorithm).setting,
  }
  -- With `key_version = false` no header names a version, not even that of AlipayHK's key in `Encrypt`, unless that
  -- key was given with one.
  result.sealing = {
    keys = result.peer_keys,
    default_version = result.key_version and "1" or nil,
    options = result.encryption,
  }
  return result
end

-- `retry` as a call's options give it, over the client's own: a policy, or nil and an error.
function config.read_retry(given, base)
  local policy, path, message = retry.read(given, base, unknown_fault)
  if not policy then return fail(path, message) end
  return policy
end

-- The options of a call that stand in a table: what is suggested for one that was given outside of it.
config.RETRY_PATHS = {}
for i, name in ipairs(list.keys(retry.CHECKS)) do config.RETRY_PATHS[i] = "retry." .. name end

return config
