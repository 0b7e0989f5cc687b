-- Makes a pair of keys, and says what to do with it.

local function loaded()
  return {
    failure = require "alipayhk.cli.failure",
    key_file = require "alipayhk.cli.key_file",
    keytool = require "alipayhk.keytool",
  }
end

local TYPES = { rsa = "RSA", ec = "EC" }

local NEXT = [[
%s: your private key (%s), readable by you alone; it stays with you.
%s: its public half.
Next:
  1. Give AlipayHK the line above, in its console, as your public key.
  2. Save the public key that the console shows in return, AlipayHK's own, as alipayhk.pem; alipayhk key alipayhk.pem
     says whether it was copied whole.
  3. Give both to a command or to alipayhk.new: --private-key %s --public-key alipayhk.pem]]

-- The names of the two files. One that was given with its ending does not get another.
local function names_of(use, given)
  if not given.out then use.failure.usage("keygen: give --out NAME: NAME.pem and NAME.pub.pem are made") end
  local name = given.out:gsub("%.pem$", "")
  if name == "" or name:find("/$") then use.failure.usage("keygen: --out: expected a file's name") end
  return name .. ".pem", name .. ".pub.pem"
end

-- Before the work: it may take seconds.
local function refuse_existing(use, ...)
  for _, path in ipairs { ... } do
    local file = io.open(path, "rb")
    if file then
      file:close()
      use.failure.usage("%s: is there already, and is not written over: take another name", path)
    end
  end
end

local function bits_of(use, given)
  if given.type ~= "ec" then return tonumber(given.bits or "2048") end
  if given.bits then use.failure.usage("keygen: --bits is for --type rsa: a key of ECC224 is on P-224") end
end

-- Both files, or none.
local function save(use, key, private_path, public_path)
  local saved, message = key:save("pkcs8", private_path)
  if not saved then use.failure.unknown("%s", message) end
  saved, message = key:save("spki", public_path)
  if saved then return end
  os.remove(private_path)
  use.failure.unknown("%s", message)
end

local function run(given, out)
  local use = loaded()
  local private_path, public_path = names_of(use, given)
  local bits = bits_of(use, given)
  refuse_existing(use, private_path, public_path)
  local key, message = use.keytool.generate(TYPES[given.type], bits)
  if not key then use.failure.unknown("keygen: %s", message) end
  save(use, key, private_path, public_path)
  local facts, public_key = key:facts(), key:text("base64"):gsub("\n$", "")
  out:result({
    { "private_key", private_path }, { "public_key", public_path }, { "type", facts.type }, { "bits", facts.bits },
    { "fingerprint", facts.fingerprint }, { "console", public_key },
  }, public_key)
  out:say("%s", NEXT:format(private_path, use.key_file.kind(facts), public_path, private_path))
end

return {
  name = "keygen",
  summary = "make a pair of keys, and print the public one as AlipayHK's console takes it",
  about = {
    [[NAME.pem has the private key (PKCS#8, mode 0600), NAME.pub.pem the public one. A file that is there already is
never written over. What is printed is the public key as bare base64 on one line.]],
    [[RSA256 with 2048 bits is what AlipayHK uses. ECC224 (--type ec) is on its pages by name alone: agree on it with
AlipayHK first.]],
  },
  examples = {
    { "alipayhk keygen --out merchant", "merchant.pem and merchant.pub.pem, RSA of 2048 bits" },
    { "alipayhk keygen --type ec --out merchant-ec", "for ECC224" },
  },
  options = {
    { "--type", value = "TYPE", choices = { "rsa", "ec" }, default = "rsa", about = "rsa for RSA256, ec for ECC224" },
    { "--out", value = "NAME", about = "the files' name, without .pem; may have a folder in front" },
    { "--bits", value = "BITS", choices = { "2048", "3072", "4096" }, about = "of an RSA key (default: 2048)" },
  },
  groups = { "output" },
  run = run,
}
