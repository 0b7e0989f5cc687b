-- Who may ask the gateway's page for something: the page itself, and programs on this machine. Another site that is
-- open in the same browser may not, be it by a form, by fetch, or by a name of its own that leads to loopback (DNS
-- rebinding).

local text = require "alipayhk.base.text"

local guard = {}

local LOOPBACK = { ["127.0.0.1"] = true, ["localhost"] = true, ["[::1]"] = true }

local function host_fault(asked)
  local name = text.lower(asked.host or ""):gsub(":%d+$", "")
  if LOOPBACK[name] then return nil end
  return 403, "the page is there for 127.0.0.1, localhost and [::1] alone, and Host names another"
end

-- Browsers tell where a request comes from; `none` is the user, who typed the address.
local function site_fault(asked)
  local site = asked.fetch_site
  if not site or site == "same-origin" then return nil end
  if asked.method ~= "POST" and (site == "none" or asked.is_static) then return nil end
  return 403, "another site than the page asks for this (Sec-Fetch-Site)"
end

local function origin_fault(asked)
  if asked.method ~= "POST" or not asked.origin then return nil end
  if asked.origin == asked.scheme .. "://" .. asked.host then return nil end
  return 403, "another site than the page asks for this (Origin)"
end

-- A form cannot send this type, and fetch asks before it sends it to another site.
local function type_fault(asked)
  if asked.method ~= "POST" or (asked.content_type or ""):find("^application/json%f[%z; \t]") then return nil end
  return 415, "expected Content-Type: application/json"
end

-- The HTTP status and a message where a request is refused; nil where it is not. `asked`: `{ method, scheme, host,
-- origin, fetch_site, content_type, is_static }`, the headers as they came; `is_static`: it tells nothing.
function guard.fault(asked)
  for _, fault in ipairs { host_fault, site_fault, origin_fault, type_fault } do
    local status, message = fault(asked)
    if status then return status, message end
  end
end

return guard
