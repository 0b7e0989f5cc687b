--- Splits a base URL into what is connected to and the path prefix that is signed.
-- @module alipayhk.base_url

local kind = require "alipayhk.kind"
local text = require "alipayhk.text"

local FORM = "https://host[:port][/prefix]"

-- Plain http is for a gateway on this machine alone.
local function is_loopback(host)
  if host == "localhost" or host == "[::1]" then return true end
  local octets = { host:match("^127%.(%d%d?%d?)%.(%d%d?%d?)%.(%d%d?%d?)$") }
  for i = 1, 3 do
    if not octets[i] or tonumber(octets[i]) > 255 then return false end
  end
  return true
end

--- @tparam string authority `host[:port]`
-- @treturn[1] string host, in lower case
-- @treturn[1] ?number port
-- @treturn[2] nil
-- @treturn[2] string message
local function split_authority(authority)
  local host, port = authority:match("^(%[%x*:[%x:.]*:[%x.]*%])(.*)$")
  if not host then host, port = authority:match("^([A-Za-z0-9][A-Za-z0-9_.-]*)(.*)$") end
  if not host or host:find("..", 1, true) or not (port == "" or port:find("^:")) then
    return nil, "the host is a name or an address"
  end
  if port == "" or port == ":" then return text.lower(host) end
  local number = port:match("^:(%d+)$")
  number = number and tonumber(number)
  if not number or number < 1 or number > 65535 then return nil, "a port is a number from 1 to 65535" end
  return text.lower(host), number
end

local function path_fault(prefix, rest)
  if rest ~= "" then return "without a query string or fragment" end
  if prefix:find("[^A-Za-z0-9/._~%%!$&'()*+,;=:@-]") then
    return "what a URL may not have in its path has to be percent-encoded"
  end
end

--- @tparam string url
-- @treturn[1] table `{ scheme, host, port, origin, prefix }`
-- @treturn[2] nil
-- @treturn[2] string message, nothing of a password in it
local function parse(url)
  local function fail(message) return nil, ("expected %s: %s"):format(FORM, message) end
  local fault = kind.blank_fault(url)
  if fault then return fail(fault) end
  local scheme, authority, prefix, rest = url:match("^([A-Za-z]+)://([^/?#]*)([^?#]*)(.*)$")
  scheme = scheme and text.lower(scheme)
  if scheme ~= "https" and scheme ~= "http" then return fail("begin it with https://") end
  if authority:find("@", 1, true) then return fail("without a user and a password") end
  local host, port = split_authority(authority)
  if not host then return fail(port) end
  fault = path_fault(prefix, rest)
  if fault then return fail(fault) end
  if scheme == "http" and not is_loopback(host) then
    return nil, "http is refused except for loopback addresses: use https"
  end
  return {
    scheme = scheme,
    host = host,
    port = port or (scheme == "https" and 443 or 80),
    origin = scheme .. "://" .. authority,
    prefix = (prefix:gsub("/+$", "")),
  }
end

return { parse = parse, split_authority = split_authority }
