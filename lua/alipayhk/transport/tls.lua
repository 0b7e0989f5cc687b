-- The config's `tls`: its defaults and checks. Its files are read when a client is made, so that a wrong one is
-- reported then and not by the first request.

local arguments = require "alipayhk.base.arguments"
local core = require "alipayhk.core"

local tls = {}

tls.DEFAULTS = { min_version = "1.2" }

tls.CHECKS = {
  ca_file = arguments.of_type("string"),
  client_cert = arguments.of_type("string"),
  client_key = arguments.of_type("string"),
  pinned_public_key = arguments.of_type("string"),
  min_version = arguments.one_of { "1.2", "1.3" },
}

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

local FILES = { { "ca_file", "CERTIFICATE" }, { "client_cert", "CERTIFICATE" }, { "client_key", "PRIVATE KEY" } }

-- Reads the files that `tls` names. Gives the key that is wrong and a message; nothing if all are right.
function tls.fault(given)
  for _, file in ipairs(FILES) do
    local key, label = file[1], file[2]
    if given[key] then
      local ok, message = core.pem_file(given[key], label)
      if not ok then return key, message end
    end
  end
  -- Without client_key libcurl reads the key from the certificate's file.
  if given.client_cert and not given.client_key then
    local ok, message = core.pem_file(given.client_cert, "PRIVATE KEY")
    if not ok then return "client_key", "required, unless the file of tls.client_cert has it: " .. message end
  end
  if given.client_key and not given.client_cert then return "client_cert", "required beside tls.client_key" end
  if given.pinned_public_key and not is_pin(given.pinned_public_key) then return "pinned_public_key", PIN_FORM end
end

return tls
