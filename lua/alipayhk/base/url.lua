-- The URLs in a config: the base URL, which gives the address to connect to and the path prefix that is signed, and the
-- URL of a proxy.

local arguments = require "alipayhk.base.arguments"
local text = require "alipayhk.base.text"

local url = {}

local BASE_FORM = "https://host[:port][/prefix]"

-- Plain http is allowed only for a gateway on this machine.
function url.is_loopback(host)
  if host == "localhost" or host == "[::1]" then return true end
  local octets = { host:match("^127%.(%d%d?%d?)%.(%d%d?%d?)%.(%d%d?%d?)$") }
  for i = 1, 3 do
    if not octets[i] or tonumber(octets[i]) > 255 then return false end
  end
  return true
end

-- Splits `host[:port]`: the host in lower case, and the port or nil; or nil and a message.
function url.split_authority(authority)
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

-- Parses a base URL: `{ scheme, host, port, origin, prefix }`, or nil and a message, which does not repeat the URL: it
-- may have a password in it. `origin` is written as the user wrote it; `prefix` has no slash at its end.
function url.parse_base(given)
  local function fail(message) return nil, ("expected %s: %s"):format(BASE_FORM, message) end
  local fault = arguments.blank_fault(given)
  if fault then return fail(fault) end
  local scheme, authority, prefix, rest = given:match("^([A-Za-z]+)://([^/?#]*)([^?#]*)(.*)$")
  scheme = scheme and text.lower(scheme)
  if scheme ~= "https" and scheme ~= "http" then return fail("begin it with https://") end
  if authority:find("@", 1, true) then return fail("without a user and a password") end
  local host, port = url.split_authority(authority)
  if not host then return fail(port) end
  fault = path_fault(prefix, rest)
  if fault then return fail(fault) end
  if scheme == "http" and not url.is_loopback(host) then
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

-- ---- proxies -------------------------------------------------------------------------------------

local PROXY_FORM = "http://host:port (http, https, socks4, socks4a, socks5, socks5h), or \"environment\""
local PROXY_SCHEMES = { http = true, https = true, socks4 = true, socks4a = true, socks5 = true, socks5h = true }

-- The URL may have a password in it, so the messages repeat nothing of it.
local function proxy_url_fault(given)
  if given == "" then return "it is empty" end
  local scheme, rest = given:match("^([A-Za-z0-9]+)://(.*)$")
  if not scheme or not PROXY_SCHEMES[text.lower(scheme)] then return "begin it with http:// or another of these" end
  local user, address = rest:match("^(.*)@([^@]*)$")
  if (user or ""):find("[/%z\1-\32\127?#@]") then
    return "in a user and a password blanks, / ? # and @ have to be percent-encoded"
  end
  -- With such a proxy libcurl would connect directly, without an error.
  if (user or ""):find("%%[01]%x") or (user or ""):find("%%7[Ff]") then
    return "its user or password has a control character: did it keep its line break?"
  end
  local authority, path = (address or rest):match("^([^/?#]*)(.*)$")
  local host, message = url.split_authority(authority)
  if not host then return message end
  if path ~= "" and path ~= "/" then return "without a path" end
end

-- A message if the config's `proxy` is neither the URL of a proxy nor "environment".
function url.proxy_fault(given)
  if given == "environment" then return nil end
  local fault = type(given) == "string" and proxy_url_fault(given)
    or type(given) ~= "string" and arguments.found(given) or nil
  return fault and ("expected %s: %s"):format(PROXY_FORM, fault) or nil
end

return url
