-- The clients that the local gateway knows: one for each algorithm, and the user's own where there is one.

local algorithms = require "alipayhk.exchange.algorithms"
local connection = require "connection"
local core = require "alipayhk.core"
local keyring = require "alipayhk.exchange.keyring"
local platform = require "alipayhk.api.platform"
local text = require "alipayhk.base.text"

local clients = {
  -- The version of the gateway's own keys, and of a client's key unless GATEWAY_KEY_VERSION says otherwise.
  KEY_VERSION = "1",
  by_id = {},
  -- The ids of those whose private keys are here, too.
  local_ids = {},
  -- Where the keys are; nil before `init`.
  directory = nil,
}

-- One client for each algorithm.
local CLIENT_PREFIX = "LOCAL_"
-- What the core is told for each algorithm.
local OPTIONS = algorithms.read {}

-- The word for a type of key in file names.
local function kind_of(key_type)
  return text.lower(key_type)
end

-- Makes a client from the file of its public key; or nil and a message. `algorithm`: by default that of the key's type.
local function new_client(directory, client_id, key_file, key_version, algorithm)
  local merchant, why = keyring.new { [key_version] = { file = key_file } }
  if not merchant then return nil, why end
  local key_type = merchant:get():type()
  algorithm = algorithm or algorithms.default(key_type).name
  local kind = kind_of(key_type)
  return {
    client_id = client_id,
    kind = kind,
    peer_keys = merchant,
    algorithms = OPTIONS,
    sealing = { keys = merchant },
    private_key = assert(core.private_key { file = directory .. "/alipayhk-" .. kind .. ".pem" }),
    signing = { algorithm = algorithm, options = OPTIONS[algorithm], key_version = clients.KEY_VERSION },
    now = core.now,
  }
end

-- Adds the user's own client, and tells gateway/start, in a file, which of our keys signs its answers.
local function add_own_client(directory, options)
  if options.client_id:find("[^!-~]") then
    connection.refuse("GATEWAY_CLIENT_ID", "expected printable ASCII without blanks, as `client_id` in the config is")
  end
  local client, why = new_client(directory, options.client_id, options.merchant_key, options.key_version)
  if not client then connection.refuse("GATEWAY_MERCHANT_KEY", why) end
  clients.by_id[client.client_id] = client
  local file = assert(io.open(directory .. "/own", "w"))
  assert(file:write("own_client_id=", client.client_id, "\n"))
  assert(file:write("own_alipay_public_key=", directory, "/alipayhk-", client.kind, ".pub\n"))
  assert(file:close())
end

-- Reads the keys in the gateway's directory, and the options of a client of the user's own. Called once, in the master.
function clients.init(directory, options)
  clients.directory = directory
  for _, algorithm in ipairs(platform.algorithms) do
    local client_id = CLIENT_PREFIX .. algorithm.name
    local key_file = ("%s/merchant-%s.pub"):format(directory, kind_of(algorithm.key_type))
    clients.by_id[client_id] = assert(
      new_client(directory, client_id, key_file, clients.KEY_VERSION, algorithm.name))
    clients.local_ids[#clients.local_ids + 1] = client_id
  end
  if options.client_id then add_own_client(directory, options) end
end

-- Where they send to: this gateway.
function clients.base_url()
  return "https://127.0.0.1:" .. ngx.var.server_port
end

return clients
