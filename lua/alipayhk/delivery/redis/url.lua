-- The URL of a Redis.

local arguments = require "alipayhk.base.arguments"
local base_url = require "alipayhk.base.url"
local core = require "alipayhk.core"
local list = require "alipayhk.base.list"
local suggest = require "alipayhk.base.suggest"
local text = require "alipayhk.base.text"

local url = {}

local FORM = "redis://[user:password@]host[:port][/database], or rediss:// for TLS"
local HAS_TLS = { redis = false, rediss = true }
local PORT = 6379

-- Of rediss alone: the file with the CA's certificate, and the name in the server's.
local OPTIONS = { "ca_file", "server_name" }

-- Each of these puts what it reads into `target`, and gives a message if something is wrong.

-- A user and a password may have any byte, percent-encoded.
local function read_credentials(given, target)
  if not given then return nil end
  if given:find("[/?@ " .. text.CONTROL .. "]") then
    return "in a user and a password blanks, / ? # and @ have to be percent-encoded"
  end
  local user, password = given:match("^([^:]*):(.+)$")
  if not user then return "before the @ stand a user, a colon and a password; the user may be empty" end
  target.user, target.password = core.percent_decode(user), core.percent_decode(password)
  if not (target.user and target.password) then return "in a user and a password % is written %25" end
  if target.user == "" then target.user = nil end
end

local function read_address(given, target)
  local host, port = base_url.split_authority(given)
  if not host then return port end
  target.host, target.port = host:match("^%[(.*)%]$") or host, port or PORT
  target.peer = ("%s:%d"):format(host, target.port)
end

local function read_database(given, target)
  local digits = given:match("^/?$") and "0" or given:match("^/(%d+)$")
  target.database = digits and #digits <= 5 and tonumber(digits)
  if not target.database then return "after the host stands / and the number of a database" end
end

local function read_option(pair, target)
  local name, value = pair:match("^([^=]*)=(.+)$")
  if not list.includes(OPTIONS, name or pair) then
    return "after ? only ca_file and server_name are known" .. suggest.name(text.shown(name or pair, 64), OPTIONS)
  end
  value = value and core.percent_decode(value)
  if not value or value:find("%z") then return (name or pair) .. ": percent-encoded, and not empty" end
  if not target.tls then return name .. " goes with rediss://" end
  if target[name] then return name .. " stands there twice" end
  target[name] = value
end

local function read_options(given, target)
  for pair in given:gmatch("[^&]+") do
    local message = read_option(pair, target)
    if message then return message end
  end
end

local function parse(given)
  local fault = arguments.type_fault(given, "string")
  if fault then return nil, fault end
  local scheme, rest = given:match("^([A-Za-z]+)://(.*)$")
  local has_tls = HAS_TLS[scheme and text.lower(scheme)]
  if has_tls == nil then return nil, "begin it with redis:// or rediss://" end
  if rest:find("#", 1, true) then return nil, "without a # (in a password it is written %23)" end
  local credentials, address = rest:match("^(.*)@([^@]*)$")
  local authority, path, query = (address or rest):match("^([^/?]*)([^?]*)%??(.*)$")
  local target = { tls = has_tls }
  fault = read_credentials(credentials, target) or read_address(authority, target) or read_database(path, target)
    or read_options(query, target)
  if fault then return nil, fault end
  return target
end

-- Parses it: `{ host, port, tls, user, password, database, ca_file, server_name, peer }`; an IPv6 host has no brackets,
-- `peer` is for messages. Or nil and a message, which repeats nothing of the URL: it may have a password in it.
function url.parse(given)
  local target, message = parse(given)
  if target then return target end
  return nil, ("expected %s: %s"):format(FORM, message)
end

return url
