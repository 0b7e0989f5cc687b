-- Throw-away certificates for loopback TLS, made once a process.
--
-- `certificates()` is a directory with NAME.pem and NAME.key for each name below.

local shell = require "spec.support.shell"

local CONFIG = [[
[req]
distinguished_name = subject
[subject]
[authority]
basicConstraints = critical,CA:TRUE
[loopback]
basicConstraints = critical,CA:FALSE
subjectAltName = IP:127.0.0.1,DNS:localhost
[elsewhere]
basicConstraints = critical,CA:FALSE
subjectAltName = DNS:elsewhere.invalid
]]

-- Without an issuer: self-signed.
local CERTIFICATES = {
  { name = "ca", extensions = "authority" },
  { name = "other_ca", extensions = "authority" },
  { name = "server", extensions = "loopback", issuer = "ca" },
  { name = "client", extensions = "loopback", issuer = "ca" },
  { name = "wrong_host", extensions = "elsewhere", issuer = "ca" },
  { name = "expired", extensions = "loopback", issuer = "ca", days = 0 },
  { name = "self_signed", extensions = "loopback" },
  { name = "unknown_ca", extensions = "loopback", issuer = "other_ca" },
}

local ISSUE = [[
openssl req -new -config config -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
  -subj /CN=$name -keyout $name.key -out $name.csr
openssl x509 -req -in $name.csr $signer -days $days -extfile config -extensions $extensions -out $name.pem
]]

local function issue(certificate)
  local issuer = certificate.issuer
  local words = {
    name = certificate.name,
    extensions = certificate.extensions,
    days = tostring(certificate.days or 2),
    signer = issuer and ("-CA %s.pem -CAkey %s.key -CAcreateserial"):format(issuer, issuer)
      or ("-signkey %s.key"):format(certificate.name),
  }
  return (ISSUE:gsub("%$(%w+)", words))
end

local directory

return function()
  if not directory then
    local made = shell.directory()
    local commands = { "set -e; cd " .. shell.quote(made) }
    for _, certificate in ipairs(CERTIFICATES) do commands[#commands + 1] = issue(certificate) end
    shell.write(made .. "/config", CONFIG)
    shell.must("(" .. table.concat(commands, "\n") .. ")")
    directory = made
  end
  return directory
end
