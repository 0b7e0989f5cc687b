--- Splits a base URL into what is connected to and the path prefix that is signed.
-- @module alipayhk.base_url

local text = require "alipayhk.text"

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
-- @treturn ?string host, in lower case; nil where it cannot be read
-- @treturn ?number port
local function split_authority(authority)
  local host, port = authority:match("^(%[%x*:[%x:.]*:[%x.]*%]):?(%d*)$")
  if not host then host, port = authority:match("^([A-Za-z0-9][A-Za-z0-9_.-]*):?(%d*)$") end
  if not host or host:find("..", 1, true) then return nil end
  if port ~= "" and (tonumber(port) < 1 or tonumber(port) > 65535) then return nil end
  return text.lower(host), port ~= "" and tonumber(port) or nil
end

--- @tparam string url
-- @treturn[1] table `{ scheme, host, port, origin, prefix }`
-- @treturn[2] nil
-- @treturn[2] string message
local function parse(url)
  local scheme, authority, prefix = url:match("^([A-Za-z]+)://([^/?#]+)([^?#]*)$")
  if not scheme then
    return nil, "expected https://host[:port][/prefix], without a query string or fragment"
  end
  scheme = text.lower(scheme)
  if scheme ~= "https" and scheme ~= "http" then return nil, "expected the scheme https" end
  local host, port = split_authority(authority)
  if not host then return nil, "expected https://host[:port][/prefix], the host a name or an address" end
  if prefix:find("[^A-Za-z0-9/._~%%!$&'()*+,;=:@-]") then
    return nil, "its path has characters that a URL may not have"
  end
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
