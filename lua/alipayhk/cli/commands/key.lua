-- Says what is in key files, and whether two belong together; writes a key in another form.

local function loaded()
  return {
    core = require "alipayhk.core",
    failure = require "alipayhk.cli.failure",
    key_file = require "alipayhk.cli.key_file",
    text = require "alipayhk.base.text",
    time = require "alipayhk.base.time",
  }
end

local UTC = { seconds = 0, text = "Z" }
local DAY = 24 * 3600

-- ---- describing --------------------------------------------------------------------------------------

-- How long a certificate is still good for.
local function expiry(use, out, expires)
  local days = math.floor((expires - use.core.now()) / DAY)
  local at = use.time.text(expires, UTC)
  if days < 0 then return out:paint("red", "expired " .. at) end
  return ("expires %s, in %d days"):format(at, days)
end

local function form_text(found)
  return ("%s in %s"):format(found.form == "certificate" and "X.509 certificate" or found.form, found.wrapping)
end

local function describe(use, out, path, facts, found)
  local parts = {
    facts.half .. " key", use.key_file.kind(facts), form_text(found),
    found.is_encrypted and "encrypted" or facts.half == "private" and "not encrypted" or nil,
  }
  if found.expires then parts[#parts + 1] = expiry(use, out, found.expires) end
  out:result({
    { "file", path }, { "half", facts.half }, { "type", facts.type }, { "bits", facts.bits }, { "form", found.form },
    { "wrapping", found.wrapping }, { "encrypted", found.is_encrypted }, { "fingerprint", facts.fingerprint },
    { "expires", found.expires and use.time.text(found.expires, UTC) },
  }, ("%s: %s\n  SHA-256 %s"):format(use.text.shown(path, 160), table.concat(parts, ", "), facts.fingerprint))
end

-- What two keys are to each other.
local function compare(use, out, one, other)
  local is_same = one.fingerprint == other.fingerprint
  local is_pair = is_same and one.half ~= other.half
  local line = is_pair and "a pair: the private key and its public half"
    or is_same and ("the same %s key"):format(one.half)
    or "no pair: these are two different keys"
  out:result({ { "pair", is_pair }, { "same", is_same } }, out:paint(is_same and "green" or "red", line))
  return is_same and use.failure.STATUS.ok or use.failure.STATUS.refused
end

local function describe_all(use, given, out)
  local all, passphrase = {}, use.key_file.passphrase(given.passphrase_file)
  for i, path in ipairs(given.file) do
    local key, found = use.key_file.read(path, passphrase)
    all[i] = key:facts()
    describe(use, out, path, all[i], found)
  end
  if #all == 2 then return compare(use, out, all[1], all[2]) end
end

-- ---- converting --------------------------------------------------------------------------------------

local function refuse_output(use, given, out, is_private)
  if is_private and not given.out then
    use.failure.usage("key: what is written holds the private key: give --out FILE, or --out - to have it on standard "
      .. "output all the same")
  end
  if given.convert == "der" and (given.out or "-") == "-" and out:is_terminal(1) then
    use.failure.usage("key: DER is binary: give --out FILE")
  end
end

local function convert(use, given, out)
  if #given.file ~= 1 then use.failure.usage("key: --convert takes one file") end
  local path, form = given.file[1], given.convert
  local key = use.key_file.read(path, use.key_file.passphrase(given.passphrase_file))
  refuse_output(use, given, out, key:is_private(form))
  local to_file = given.out and given.out ~= "-"
  local done, message
  if to_file then
    done, message = key:save(form, given.out)
  else
    done, message = key:print(form)
  end
  if not done then use.failure.usage("key: %s", message) end
  if to_file then out:say("%s: %s", given.out, key:is_private(form) and "readable by you alone" or "written") end
end

local function run(given, out)
  local use = loaded()
  if given.convert then return convert(use, given, out) end
  if given.out then use.failure.usage("key: --out is for --convert") end
  return describe_all(use, given, out)
end

return {
  name = "key",
  summary = "say what is in a key file, whether two files are a pair; convert a key",
  about = {
    [[Reads what the library reads: PEM, DER or bare base64 of PKCS#8, PKCS#1, SEC1, SPKI or a certificate, encrypted or
not. The SHA-256 is that of the public half: it is the same for both files of a pair, and it is what messages of this
library show. Of two files it says whether they belong together; if they do not, the exit status is 1.]],
    [[The forms of --convert: pkcs8, the usual one of a private key; pkcs1, the older one: PKCS#1 of RSA, SEC1 of EC;
spki, the public half; der, the same in binary: PKCS#8 of a private key, SPKI of a public one; base64, the public half
as AlipayHK's console takes it. What holds a private key goes into a new file of mode 0600, unencrypted; to standard
output only with --out -.]],
    [[The passphrase of an encrypted key is asked for at the terminal.]],
  },
  examples = {
    { "alipayhk key merchant.pem merchant.pub.pem", "what they are, and whether they are a pair" },
    { "alipayhk key --convert spki merchant.pem", "its public half" },
    { "alipayhk key --convert pkcs8 old.pem --out new.pem", "a private key in the usual form" },
  },
  arguments = { { name = "FILE", count = "+", about = "a key" } },
  options = {
    {
      "--convert", value = "FORM", choices = { "pkcs8", "pkcs1", "spki", "der", "base64" },
      about = "write the key in this form",
    },
    { "--out", value = "FILE", about = "where --convert writes; - is standard output" },
    { "--passphrase-file", value = "FILE", about = "a file whose first line is the passphrase" },
  },
  groups = { "output" },
  run = run,
}
