-- What failure_cases.lua is given: keys, a directory, and, for those that send, a server of the specs.

local keys = require "spec.support.data.keys"
local shell = require "spec.support.shell"

local ALGORITHMS = { rsa = "rsa", ec = "p224" }

-- HALF.KEY.FORM, as the driver has them.
local FORMS = {
  "private.rsa.pkcs8.pem", "private.rsa.pkcs8.der", "private.rsa.pkcs8.base64", "private.rsa.pkcs8_encrypted.pem",
  "private.rsa.pkcs8_encrypted.der", "private.rsa.pkcs1.pem", "private.rsa.pkcs1.der",
  "private.rsa.pkcs1_encrypted.pem", "private.ec.pkcs8.pem", "private.ec.pkcs8.der", "private.ec.sec1.pem",
  "private.ec.sec1.der", "private.ec.sec1_parameters.pem", "private.ec.pkcs8_encrypted.pem",
  "public.rsa.spki.pem", "public.rsa.spki.der", "public.rsa.spki.base64", "public.rsa.pkcs1_public.pem",
  "public.rsa.pkcs1_public.der", "public.rsa.certificate.pem", "public.rsa.certificate.der", "public.ec.spki.pem",
  "public.ec.spki.der", "public.ec.certificate.pem",
}

return function(gateway)
  local given = { passphrase = keys.passphrase, directory = shell.directory() }
  for _, name in ipairs(FORMS) do
    local algorithm, form = name:match("^[a-z]+%.([a-z]+)%.(.*)$")
    given[name] = keys.path(ALGORITHMS[algorithm], form)
  end
  if gateway then
    given.http, given.https, given.ca_file = gateway:url(""), gateway:url("", "https"), gateway.ca_file
  end
  return given
end
