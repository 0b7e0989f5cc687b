--- Turns the table a user gives to `alipayhk.new` into what the other modules work with, or says
-- which key of it is wrong, and how to put it right.
-- @module alipayhk.config

local Error = require "alipayhk.error"
local api = require "alipayhk.api"
local base_url = require "alipayhk.base_url"
local core = require "alipayhk.core"
local keyring = require "alipayhk.keyring"
local kind = require "alipayhk.kind"
local list = require "alipayhk.list"
local platform = require "alipayhk.api.platform"
local rules = require "alipayhk.rules"
local runtime = require "alipayhk.runtime"
local sequence = require "alipayhk.sequence"
local suggest_path = require "alipayhk.suggest_path"
local text = require "alipayhk.text"

local config = {}

-- ---- kinds of values: each gives a message, and where within it, when a value is not of it ------

local INT_MAX = 2147483647
local of_type, one_of, found = kind.of_type, kind.one_of, kind.found

local function whole(unit, least, most)
  most = most or INT_MAX
  return function(value)
    if type(value) ~= "number" or value % 1 ~= 0 or value < least or value > most then
      return ("expected a whole number of %s from %d to %d, %s"):format(unit, least, most, found(value))
    end
  end
end

local PROXY_FORM = "http://host:port (http, https, socks4, socks4a, socks5, socks5h), or \"environment\""
local PROXY_SCHEMES = { http = true, https = true, socks4 = true, socks4a = true, socks5 = true, socks5h = true }

-- Why it is no URL of a proxy. It may hold a password, so nothing of it is repeated.
local function proxy_fault(value)
  if value == "" then return "it is empty" end
  local scheme, rest = value:match("^([A-Za-z0-9]+)://(.*)$")
  if not scheme or not PROXY_SCHEMES[text.lower(scheme)] then return "begin it with http:// or another of these" end
  local user, address = rest:match("^(.*)@([^@]*)$")
  if (user or ""):find("[/%z\1-\32\127?#@]") then
    return "in a user and a password blanks, / ? # and @ have to be percent-encoded"
  end
  -- libcurl would go without such a proxy, and say nothing.
  if (user or ""):find("%%[01]%x") or (user or ""):find("%%7[Ff]") then
    return "its user or password has a control character: did it keep its line break?"
  end
  local authority, path = (address or rest):match("^([^/?#]*)(.*)$")
  local host, message = base_url.split_authority(authority)
  if not host then return message end
  if path ~= "" and path ~= "/" then return "without a path" end
end

local function proxy(value)
  if value == "environment" then return nil end
  local fault
  if type(value) == "string" then fault = proxy_fault(value) else fault = "found a " .. type(value) end
  return fault and ("expected %s: %s"):format(PROXY_FORM, fault) or nil
end

-- Goes into a header or the signed content as it is.
local function header_text(value)
  if type(value) ~= "string" then return "expected a string, found a " .. type(value) end
  local fault = kind.blank_fault(value)
  if fault then return fault end
  if value:find("[^\33-\126]") then return "expected printable ASCII" end
end

-- Ours, no limit of AlipayHK's: theirs have 20. A key in its place would be sent to whoever answers.
local CLIENT_ID_MAX = 128

local function client_id(value)
  if type(value) == "string" and (#value > CLIENT_ID_MAX or value:find("-----", 1, true)) then
    return ("expected the id that AlipayHK gave you, found a text of %d characters: is it a key?"):format(#value)
  end
  return header_text(value)
end

local function key_version(value)
  if value == false then return nil end
  if type(value) == "number" and value % 1 == 0 and value >= 0 and value < 1e9 then return nil end
  if type(value) == "string" and value:find("^[A-Za-z0-9._-]+$") then return nil end
  return "expected a whole number, a string of letters and digits, or false to leave it out; "
    .. found(value)
end

local check_source_name = one_of { "file", "data", "passphrase" }

local function key_source(value)
  if type(value) == "string" or type(value) == "userdata" then return nil end
  if type(value) ~= "table" then
    return "expected a key as string, { file = path }, or a key of alipayhk.core; " .. found(value)
  end
  if value.file == nil and value.data == nil then
    -- A table of versions, unless somebody took these for names of a key source.
    for _, name in ipairs { "path", "filename", "pem", "key" } do
      if value[name] ~= nil then return "no such key; a key is { file = path } or { data = string }", name end
    end
    return nil
  end
  for name in pairs(value) do
    local message = check_source_name(name)
    if message then return message, tostring(name) end
  end
end

local function rules_by_code(value)
  if type(value) ~= "table" then return "expected a table, " .. found(value) end
  for code, rule in pairs(value) do
    if type(code) ~= "string" or type(rule) ~= "boolean" then
      return "expected [resultCode] = true or false", tostring(code)
    end
  end
end

-- ---- the keys of the config, and of the tables in it ---------------------------------------------

local NESTED = {
  ecc224 = { digest = one_of { "sha224", "sha256" }, encoding = one_of { "der", "p1363" } },
  encryption = {
    key_padding = one_of { "pkcs1", "oaep" },
    key_bits = one_of { 256, 192, 128 },
    content_type = function(value)
      if type(value) ~= "string" or value:find("[" .. text.CONTROL .. "]") then
        return "expected a media type on one line"
      end
    end,
  },
  retry = {
    max_attempts = whole("attempts", 1),
    base_delay_ms = whole("milliseconds", 0),
    max_delay_ms = whole("milliseconds", 0),
    budget_ms = whole("milliseconds", 1),
    codes = rules_by_code,
  },
  tls = {
    ca_file = of_type("string"),
    client_cert = of_type("string"),
    client_key = of_type("string"),
    pinned_public_key = of_type("string"),
    min_version = one_of { "1.2", "1.3" },
  },
}

local DEFAULTS = {
  ecc224 = { digest = platform.algorithms.ECC224.digest, encoding = platform.algorithms.ECC224.encoding },
  key_version = 1,
  verify_response = true,
  encrypt = false,
  encryption = {
    key_padding = platform.encryption.key_padding,
    key_bits = platform.encryption.key_bits,
    content_type = platform.content_type,
  },
  connect_timeout_ms = 5000,
  timeout_ms = 15000,
  retry = { max_attempts = 3, base_delay_ms = 200, max_delay_ms = 5000, budget_ms = 60000 },
  transport = "auto",
  tls = { min_version = "1.2" },
  max_response_bytes = 1048576,
  validate = true,
}

-- Nothing is sent twice, not by the transport either.
local NO_RETRY = { once = true, max_attempts = 1, base_delay_ms = 0, max_delay_ms = 0, budget_ms = INT_MAX }

-- Every key there is, those of tables within with their table's name; filled below.
local PATHS = {}

-- As it is, unless it is no name: a value took its place then, which may be a key.
local function shown_name(key)
  key = tostring(key)
  if #key <= 64 and not key:find("[^A-Za-z0-9_.%[%]-]") then return key end
  return ("(a name of %d characters)"):format(#key)
end

local function fail(key, message)
  key = shown_name(key)
  return nil, Error.new("config", ("`%s`: %s"):format(key, message), { code = key })
end

-- What others call it: nobody is to switch the check of signatures off in its place.
local NO_VERIFYING = { verify = true, verify_peer = true, verify_host = true, verify_ssl = true, ssl_verify = true,
  insecure = true, verify_tls = true, tls_verify = true, skip_verify = true, no_verify = true, check_hostname = true }

local function no_such_key(path)
  if NO_VERIFYING[path:match("[^.]*$")] then
    return "no such key: the server's certificate is always verified; tls.ca_file names a CA of your own"
  end
  return "no such key" .. suggest_path(path, PATHS)
end

-- A table within the config: its keys over the defaults, or a message with the key's path.
local function read_nested(name, value)
  if type(value) ~= "table" then return nil, name, "expected a table, " .. found(value) end
  local known = NESTED[name]
  local result = {}
  for key, default in pairs(DEFAULTS[name]) do result[key] = default end
  for key, given in pairs(value) do
    local path = name .. "." .. tostring(key)
    if not known[key] then return nil, path, no_such_key(path) end
    local message, below = known[key](given)
    if message then return nil, below and path .. "." .. below or path, message end
    result[key] = given
  end
  return result
end

local check_transport_name = one_of { "auto", "curl", "cosocket" }

local function check_transport(value)
  if type(value) ~= "function" then return check_transport_name(value) end
end

local CHECKS = {
  client_id = client_id,
  environment = one_of { "production", "testing" },
  base_url = of_type("string"),
  private_key = key_source,
  algorithm = one_of { "RSA256", "ECC224" },
  key_version = key_version,
  alipay_public_key = key_source,
  verify_response = of_type("boolean"),
  encrypt = of_type("boolean"),
  agent_token = header_text,
  connect_timeout_ms = whole("milliseconds", 1),
  timeout_ms = whole("milliseconds", 1),
  transport = check_transport,
  proxy = proxy,
  max_response_bytes = whole("bytes", 1, platform.body_max),
  max_response_age_ms = whole("milliseconds", 1),
  validate = one_of { true, false, "strict" },
  scenarios = of_type("table"),
  on_event = of_type("function"),
  now = of_type("function"),
  sleep = of_type("function"),
  request_id = of_type("function"),
}

local KEYS = list.keys(CHECKS)
for name in pairs(NESTED) do KEYS[#KEYS + 1] = name end
table.sort(KEYS)

for _, name in ipairs(KEYS) do
  PATHS[#PATHS + 1] = name
  for _, below in ipairs(NESTED[name] and list.keys(NESTED[name]) or {}) do PATHS[#PATHS + 1] = name .. "." .. below end
end
for _, name in ipairs { "passphrase", "file", "data" } do PATHS[#PATHS + 1] = "private_key." .. name end

-- A table's constructor leaves out what is nil.
local UNSET = " (it is nil: for a variable that is not set os.getenv gives nil)"

-- ---- reading -------------------------------------------------------------------------------------

local REQUIRED = {
  client_id = "required: the id that AlipayHK gave you" .. UNSET,
  private_key = "required: a key as string, or { file = path }" .. UNSET,
}

-- Unknown names come first: a misspelt `clientid` is no missing `client_id`.
local function check_names(given)
  for name in pairs(given) do
    if not CHECKS[name] and not NESTED[name] then
      return fail(name, no_such_key(tostring(name)))
    end
  end
  for _, name in ipairs { "client_id", "private_key" } do
    if given[name] == nil then return fail(name, REQUIRED[name]) end
  end
  return given
end

local function read_values(given)
  local result = {}
  for name, default in pairs(DEFAULTS) do result[name] = default end
  for _, name in ipairs(KEYS) do
    local value = given[name]
    if name == "retry" and value == false then
      result.retry = NO_RETRY
    elseif NESTED[name] then
      -- Its own copy of the defaults, too: some of it is handed to transports.
      if value == nil then value = {} end
      local nested, path, message = read_nested(name, value)
      if not nested then return fail(path, message) end
      result[name] = nested
    elseif value ~= nil then
      local message, below = CHECKS[name](value)
      if message then return fail(below and name .. "." .. below or name, message) end
      result[name] = value
    end
  end
  return result
end

local function read_destination(result)
  local url = result.base_url or platform.environments[result.environment]
  if not url then return fail("environment", "give `environment` (\"production\" or \"testing\") or `base_url`") end
  local base, message = base_url.parse(url)
  if not base then return fail("base_url", message) end
  -- The paste of a whole address, where the APIs' own paths are added by us.
  for _, description in pairs(api.by_name) do
    if base.prefix:sub(-#description.path) == description.path then
      return fail("base_url", "leave the API's own path out: " .. description.path)
    end
  end
  result.base = base
  return result
end

-- The core throws for malformed source tables; here that is one more config error.
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
  for name, algorithm in pairs(platform.algorithms) do
    if not result.algorithm and algorithm.key_type == key:type() then result.algorithm = name end
  end
  local wanted = platform.algorithms[result.algorithm].key_type
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
  result.alipay_keys = ring
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
  if result.alipay_keys:get():type() ~= "RSA" then
    return fail("encrypt", "RSA_AES needs AlipayHK's RSA public key")
  end
  return result
end

-- ---- TLS: what is wrong with its files is said here, not by the hundredth order --------------------

local PIN_FORM = "expected \"sha256//\" and 44 characters of base64 (several joined by ;), as this makes it: "
  .. "openssl x509 -in server.pem -pubkey -noout | openssl pkey -pubin -outform DER | openssl dgst -sha256 -binary "
  .. "| openssl base64"

local function is_pin(value)
  for pin in (value .. ";"):gmatch("([^;]*);") do
    local base64 = pin:match("^sha256//(.*)$")
    local bytes = base64 and core.base64_decode(base64)
    if not bytes or #bytes ~= 32 then return false end
  end
  return true
end

local TLS_FILES = { { "ca_file", "CERTIFICATE" }, { "client_cert", "CERTIFICATE" }, { "client_key", "PRIVATE KEY" } }

local function read_tls(result)
  local tls = result.tls
  -- There our own transport refuses them, and says which directives take their place.
  if runtime.in_nginx() and type(result.transport) ~= "function" then return result end
  for _, file in ipairs(TLS_FILES) do
    local key, label = file[1], file[2]
    if tls[key] then
      local ok, message = core.pem_file(tls[key], label)
      if not ok then return fail("tls." .. key, message) end
    end
  end
  -- libcurl finds the key in the certificate's file, too.
  if tls.client_cert and not tls.client_key then
    local ok, message = core.pem_file(tls.client_cert, "PRIVATE KEY")
    if not ok then return fail("tls.client_key", "required, unless the file of tls.client_cert has it: " .. message) end
  end
  if tls.client_key and not tls.client_cert then
    return fail("tls.client_cert", "required beside tls.client_key")
  end
  if tls.pinned_public_key and not is_pin(tls.pinned_public_key) then
    return fail("tls.pinned_public_key", PIN_FORM)
  end
  return result
end

local function read_rules(result)
  if result.scenarios == nil then
    result.rules = rules.alipayhk
    return result
  end
  local place, message
  result.rules, place, message = rules.new(result.scenarios)
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

--- Reads a config. The only I/O is reading the key files that it names.
-- @tparam table given
-- @treturn[1] table
-- @treturn[2] nil
-- @treturn[2] error kind "config", its `code` the key that is wrong
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
  result.signing = {
    algorithm = result.algorithm,
    key_version = result.key_version and keyring.version_text(result.key_version) or nil,
    options = result.algorithm == "ECC224" and result.ecc224 or nil,
  }
  -- Who leaves our key's version out leaves AlipayHK's out, too, unless it was given with one.
  result.sealing = {
    keys = result.alipay_keys,
    default_version = result.key_version and "1" or nil,
    options = result.encryption,
  }
  return result
end

--- `retry` as a call's options give it, over the client's own.
-- @treturn[1] table
-- @treturn[2] nil
-- @treturn[2] string key
-- @treturn[2] string message
function config.read_retry(given, base)
  if given == nil then return base end
  if given == false then return NO_RETRY end
  local result, path, message = read_nested("retry", given)
  if not result then return nil, path, message end
  -- Over `retry = false` there is nothing to inherit but the defaults.
  if base == NO_RETRY then return result end
  for key, value in pairs(base) do
    if given[key] == nil then result[key] = value end
  end
  return result
end

--- Whether the config has a key of that name.
function config.has_key(name)
  return CHECKS[name] ~= nil or NESTED[name] ~= nil
end

--- The keys of `retry`.
config.RETRY_KEYS = list.keys(NESTED.retry)

return config
