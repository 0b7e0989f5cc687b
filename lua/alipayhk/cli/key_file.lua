-- Files with keys, as commands read and name them. The keys themselves stay in C: see csrc/bind/keytool.c.

local failure = require "alipayhk.cli.failure"
local keytool = require "alipayhk.keytool"
local text = require "alipayhk.base.text"

local key_file = {}

-- Ctrl-C at the question is that of the process.
local function check_asked(passphrase, message)
  if passphrase then return passphrase end
  if message == "interrupted" then error("interrupted!", 0) end
  failure.usage("the key is encrypted: give --passphrase-file, for %s", message)
end

local function ask(path)
  return check_asked(keytool.ask_passphrase(("Passphrase of %s: "):format(text.shown(path, 160))))
end

-- The passphrase that a file holds; nil if none is named.
function key_file.passphrase(path)
  if not path then return nil end
  local passphrase, message = keytool.read_passphrase(path)
  if not passphrase then failure.usage("--passphrase-file: %s", message) end
  return passphrase
end

-- The key in a file, of either half, and what is known of the file. Where it is encrypted and no passphrase is given,
-- its passphrase is asked for at the terminal.
function key_file.read(path, passphrase)
  local key, found, is_locked = keytool.read { file = path, passphrase = passphrase }
  if not key and is_locked then
    key, found = keytool.read { file = path, passphrase = ask(path) }
  end
  if not key then failure.usage("%s", found) end
  return key, found
end

-- "RSA, 2048 bits": `facts` of a key.
function key_file.kind(facts)
  return ("%s, %d bits"):format(facts.type == "EC" and "EC (P-224)" or facts.type, facts.bits)
end

return key_file
