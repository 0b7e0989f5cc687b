-- What a command works with, out of a file, over it the environment, over it the command's flags.

local api = require "alipayhk.api"
local failure = require "alipayhk.cli.failure"
local files = require "alipayhk.cli.files"
local json = require "alipayhk.base.json"
local json_place = require "alipayhk.cli.json_place"
local platform = require "alipayhk.api.platform"
local text = require "alipayhk.base.text"

local settings = {}

local FILE_MAX, PATH_SHOWN = 1024 * 1024, 160

-- By flag: the variable of the environment, and what it sets. One of an address sets aside what names another.
local CLIENT_ID = { "client_id", "ALIPAYHK_CLIENT_ID" }
local FLAGS = {
  CLIENT_ID,
  { "environment", "ALIPAYHK_ENVIRONMENT", instead_of = "base_url" },
  { "base_url", "ALIPAYHK_BASE_URL", instead_of = "environment" },
  { "private_key", "ALIPAYHK_PRIVATE_KEY", is_file = true },
  { "public_key", "ALIPAYHK_PUBLIC_KEY", is_file = true, key = "alipay_public_key" },
  { "ca_file", "ALIPAYHK_CA_FILE", within = "tls" },
  { "store", "ALIPAYHK_STORE" },
}

-- Those that are the outbox's and not the client's.
local OUTBOX_KEYS = { "store", "max_age_ms", "lease_ms", "coalesce" }

-- ---- the file ----------------------------------------------------------------------------------------

local function run_lua(content, path, what)
  local chunk, message = (rawget(_G, "loadstring") or load)(content, "@" .. path)
  local ran, value
  if chunk then
    ran, value = pcall(chunk)
    message = value
  end
  if not ran then failure.usage("%s: %s", what, text.one_line(tostring(message))) end
  return value
end

-- The table that a file has, in Lua (`return { ... }`) or in JSON. `what`: the option that names it.
function settings.read_table(path, what)
  local content = files.read(path, what, FILE_MAX)
  local value, message
  if json.is_begun(content) then
    value, message = json.decode_object(content)
    if message then failure.usage("%s: %s: %s", what, path, json_place.named(message, content, 1)) end
  else
    value = run_lua(content, path, what)
  end
  if type(value) ~= "table" then
    failure.usage("%s: %s: expected `return { ... }` or a JSON object, found a %s", what, path, type(value))
  end
  return value
end

-- ---- the layers --------------------------------------------------------------------------------------

local function set(config, flag, value)
  local key = flag.key or flag[1]
  if flag.instead_of then config[flag.instead_of] = nil end
  if flag.within then
    config[flag.within] = config[flag.within] or {}
    config[flag.within][key] = value
  else
    config[key] = flag.is_file and { file = value } or value
  end
end

local function read_config(path)
  local config = settings.read_table(path, "--config")
  if config[platform.identity.merchant_biz_no] ~= nil or api.of(config) then
    failure.usage("--config: %s: it looks like an order or a notification, not like a config, which has client_id, "
      .. "private_key and the like", path)
  end
  return config
end

-- The keys of `alipayhk.new` and of the outbox, together. `given`: the command's flags.
function settings.all(given)
  local config = given.config and read_config(given.config) or {}
  for _, flag in ipairs(FLAGS) do
    local value = os.getenv(flag[2])
    if value and value ~= "" then set(config, flag, value) end
  end
  for _, flag in ipairs(FLAGS) do
    if given[flag[1]] then set(config, flag, given[flag[1]]) end
  end
  if given.strict then config.validate = "strict" end
  if given.scenarios then config.scenarios = settings.scenarios(given) end
  return config
end

-- What names the client id.
function settings.id_source(given, client_id)
  if given.client_id then return "--client-id" end
  local variable = CLIENT_ID[2]
  if os.getenv(variable) == client_id then return variable end
  return ("`client_id` in %s"):format(text.shown(given.config or "the config", PATH_SHOWN))
end

-- For `alipayhk.cli.cure`, of a client.
function settings.about(given, client)
  return { host = client.config.base.host, id_source = settings.id_source(given, client.config.client_id) }
end

-- A partner's rules, of --scenarios; nil for none.
function settings.scenarios(given)
  return given.scenarios and settings.read_table(given.scenarios, "--scenarios") or nil
end

-- Parts them: the client's keys, and the outbox's.
function settings.split(config)
  local outbox = {}
  for _, name in ipairs(OUTBOX_KEYS) do outbox[name], config[name] = config[name], nil end
  return config, outbox
end

-- A message about a key of the config, with the options and variables that set it.
function settings.name_flags(message)
  for _, flag in ipairs(FLAGS) do
    local key = flag.key or flag[1]
    local path = flag.within and flag.within .. "." .. key or key
    if message:find("`" .. path .. "`", 1, true) then
      return ("%s [--%s, %s]"):format(message, (flag[1]:gsub("_", "-")), flag[2])
    end
  end
  return message
end

-- Ends the command where a config is wrong.
local function check(given, made, err)
  if made then return made end
  if err.kind == "config" then
    failure.usage("config: %s%s", settings.name_flags(err.message),
      given.config and "" or "; --config FILE gives all of it at once")
  end
  failure.of(err)
end

-- A client of `alipayhk`.
function settings.client(given)
  local alipayhk = require "alipayhk"
  return check(given, alipayhk.new((settings.split(settings.all(given)))))
end

-- What signs: a client's config as the library reads it, of which AlipayHK's address and key may be missing.
function settings.signing(given)
  local config = settings.split(settings.all(given))
  if not (config.environment or config.base_url) then config.environment = "testing" end
  config.encrypt, config.verify_response = nil, config.alipay_public_key ~= nil
  return check(given, require("alipayhk.config").read(config))
end

-- Two functions for events as one; either may be nil.
local function both(first, second)
  if not (first and second) then return first or second end
  return function(event)
    first(event)
    second(event)
  end
end

-- A store in a file that is not there holds nothing: more likely its name is wrong.
local function check_file(store)
  local scheme, path = tostring(store):match("^([A-Za-z]+):(.+)$")
  if scheme and text.lower(scheme) == "sqlite" and not files.mode(path) then
    failure.usage("config: %s", settings.name_flags(("`store`: %s: no such file; `put` makes it"):format(
      text.shown(path, PATH_SHOWN))))
  end
end

-- An outbox. `opts`: `delivers`, it has a client, else it needs no keys; `makes`, it makes a file that is not there;
-- `on_event` hears of events, and so does the config's own.
function settings.outbox(given, opts)
  local alipayhk = require "alipayhk"
  local config, keys = settings.split(settings.all(given))
  if keys.store == nil then
    failure.usage("config: which store? Give --store, ALIPAYHK_STORE or `store` in --config: sqlite:PATH or "
      .. "redis://HOST")
  end
  if not opts.makes then check_file(keys.store) end
  keys.on_event = both(opts.on_event, config.on_event)
  if opts.delivers then
    keys.client = check(given, alipayhk.new(config))
  else
    keys.client_id, keys.validate, keys.scenarios = config.client_id, config.validate, config.scenarios
    if not keys.client_id then
      failure.usage("config: whose outbox? Give --client-id, ALIPAYHK_CLIENT_ID or `client_id` in --config")
    end
  end
  return check(given, alipayhk.outbox(keys))
end

return settings
