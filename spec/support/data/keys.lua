-- Key material for the specs, made by the openssl command when it is first asked for.
--
-- A key has a name and an algorithm (one of `generate` below); a name that is itself an algorithm
-- needs no second word. A form is a structure and an encoding, such as "pkcs8.pem":
--
-- structures  pkcs8, pkcs1, sec1, spki, pkcs1_public, certificate,
--             pkcs8_encrypted, pkcs1_encrypted, sec1_parameters (an EC PARAMETERS block first)
-- encodings   pem, der, base64 (on one line), wrapped (base64 at 64 columns, with a newline)

local shell = require "spec.support.shell"

local keys = {
  -- Of every encrypted form.
  passphrase = "open sesame",
}

local generate = {
  rsa = "-algorithm RSA -pkeyopt rsa_keygen_bits:2048",
  rsa3072 = "-algorithm RSA -pkeyopt rsa_keygen_bits:3072",
  rsa1024 = "-algorithm RSA -pkeyopt rsa_keygen_bits:1024",
  p224 = "-algorithm EC -pkeyopt ec_paramgen_curve:P-224",
  p256 = "-algorithm EC -pkeyopt ec_paramgen_curve:P-256",
  ed25519 = "-algorithm ED25519",
}

local passout = "-passout " .. shell.quote("pass:" .. keys.passphrase)

-- From the PKCS#8 file that `-in` names.
local convert = {
  pkcs8 = "pkcs8 -topk8 -nocrypt",
  pkcs1 = "rsa -traditional",
  sec1 = "ec",
  spki = "pkey -pubout",
  pkcs1_public = "rsa -RSAPublicKey_out",
  certificate = "req -x509 -new -subj /CN=spec -days 30",
  pkcs8_encrypted = "pkcs8 -topk8 -v2 aes-256-cbc " .. passout,
  pkcs1_encrypted = "rsa -traditional -aes128 " .. passout,
}

local directory -- made with the first key
local made = {} -- the paths that exist
local write = {} -- by encoding: how a key's file is written
local path

local function openssl(command, options, ...)
  shell.must(("openssl %s %s"):format(command, options:format(...)))
end

local function convert_to(outform)
  return function(target, structure, key)
    local source = structure == "certificate" and "-key" or "-in"
    openssl(convert[structure], "%s %s -outform %s -out %s",
      source, shell.quote(path(key, "pkcs8.pem")), outform, shell.quote(target))
  end
end

local convert_to_pem = convert_to("PEM")

write.der = convert_to("DER")

function write.pem(target, structure, key)
  if structure == "pkcs8" then
    openssl("genpkey", "%s -out %s", generate[key.algorithm], shell.quote(target))
  elseif structure == "sec1_parameters" then
    openssl("ecparam", "-name secp224r1 -out %s", shell.quote(target))
    shell.write(target, shell.read(target) .. shell.read(path(key, "sec1.pem")))
  else
    convert_to_pem(target, structure, key)
  end
end

function write.wrapped(target, structure, key)
  shell.write(target, (shell.read(path(key, structure .. ".pem")):gsub("%-%-%-%-%-[^\n]*\n", "")))
end

function write.base64(target, structure, key)
  shell.write(target, (shell.read(path(key, structure .. ".wrapped")):gsub("\n", "")))
end

function path(key, form)
  local structure, encoding = form:match("^([%w_]+)%.(%w+)$")
  local target
  directory = directory or shell.directory()
  target = ("%s/%s.%s.%s"):format(directory, key.name, key.algorithm, form)
  if not made[target] then
    write[encoding](target, structure, key)
    made[target] = true
  end
  return target
end

-- The file of a key, as in `keys.path("rsa", "pkcs8.pem")`.
function keys.path(name, form)
  return path({ name = name, algorithm = name }, form)
end

-- The content of that file.
function keys.read(name, form)
  return shell.read(keys.path(name, form))
end

-- The two files of a pair under a name of its own, "rsa" when no algorithm is given.
function keys.pair(name, algorithm)
  local key = { name = name, algorithm = algorithm or "rsa" }
  return { private = path(key, "pkcs8.pem"), public = path(key, "spki.pem") }
end

-- The content of a form of the key of that name and algorithm.
function keys.read_as(name, algorithm, form)
  return shell.read(path({ name = name, algorithm = algorithm }, form))
end

-- Runs in the directory of `of`, which is a path.
local function certify(of, subject, issuer, is_authority)
  local extensions = is_authority and "basicConstraints=critical,CA:TRUE" or "basicConstraints=CA:FALSE"
  local request, config = of .. ".csr", of .. ".cnf"
  shell.write(config, extensions .. "\n")
  openssl("req", "-new -key %s -subj /CN=%s -out %s", shell.quote(of), subject, shell.quote(request))
  openssl("x509", "-req -in %s -days 30 -extfile %s -out %s %s", shell.quote(request), shell.quote(config),
    shell.quote(of .. ".crt"), issuer and ("-CA %s -CAkey %s -CAcreateserial"):format(
      shell.quote(issuer .. ".crt"), shell.quote(issuer)) or ("-signkey %s"):format(shell.quote(of)))
  return shell.read(of .. ".crt")
end

local chains = 0

-- A new chain of certificates as PEM, each under a key of its own: { leaf, intermediate, root }.
function keys.chain(algorithm)
  chains = chains + 1
  local names, files = {}, {}
  for _, part in ipairs { "root", "intermediate", "leaf" } do
    names[part] = ("%s-%d"):format(part, chains)
    files[part] = keys.pair(names[part], algorithm).private
  end
  return {
    root = certify(files.root, names.root, nil, true),
    intermediate = certify(files.intermediate, names.intermediate, files.root, true),
    leaf = certify(files.leaf, names.leaf, files.intermediate, false),
  }
end

return keys
