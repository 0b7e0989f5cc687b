-- What a process has in its memory, looked through from another one: while a key is open, and after it was closed and
-- collected. Lua's own memory is overwritten when it is freed (cleansing_host.c), so that what is found is of C.

local der = require "spec.support.data.der"
local core = require "alipayhk.core"
local keys = require "spec.support.data.keys"
local memory = require "spec.support.memory"
local shell = require "spec.support.shell"

local WITHIN, LENGTH = 5, 16

-- A part of a number from within, as it stands in a file, and as a BIGNUM has it.
local function add_number(secrets, name, bytes)
  local part = bytes:sub(WITHIN, WITHIN + LENGTH - 1)
  secrets[name .. " in DER"], secrets[name .. " as a number"] = part, part:reverse()
end

-- The secrets of a key, by name.
local function secrets_of(name)
  local secrets = {}
  local body = keys.read(name, "pkcs8.pem"):gsub("%-%-%-%-%-[^\n]*\n", "")
  secrets["a line of the PEM"] = body:match("\n([^\n]+)\n")
  local inner = der.decode((der.decode(keys.read(name, "pkcs8.der")))[3].value)
  if name == "rsa" then
    for i, part in ipairs { "d", "p", "q", "dp", "dq", "qinv" } do add_number(secrets, part, inner[i + 3].value) end
  else
    add_number(secrets, "the scalar", inner[2].value)
  end
  return secrets
end

-- What it does with a key: `...` is a folder that has what it needs.
local CHUNK = [[
local folder, name = select(2, ...)
local alipayhk, core = require "alipayhk", require "alipayhk.core"
local function path(file) return folder .. "/" .. file end

local text = secret(path "all")
stage "held"
text = nil
stage "let go"

-- What fails keeps nothing either.
assert(not core.private_key { file = path "encrypted.pem", passphrase = secret(path "wrong") })
assert(not core.private_key { data = secret(path "damaged.pem") })
stage "failed"

local client = assert(alipayhk.new {
  client_id = "4Q5Y8W0WSG45P907917", base_url = "https://gateway.example",
  private_key = { file = path "encrypted.pem", passphrase = secret(path "passphrase") },
  alipay_public_key = { file = path "public.pem" },
  encrypt = name == "rsa",
  transport = function() return nil, { code = "timeout" } end,
})
local others = {
  assert(core.private_key(secret(path "key.pem"))), assert(core.private_key { file = path "key.pem" }),
  assert(core.private_key { file = path "key.der" }), assert(core.private_key { data = secret(path "key.der") }),
}
local sealed = assert(io.open(path "sealed", "w"))
for _ = 1, 3 do
  assert(client:prepare("order", {
    merchantBizNo = "1", merchantBizType = "MOVIE_TICKET", orderStatus = "TICKETED", userId = "2160120012345678",
    orderCreateTime = 1716338541000, extInfo = {},
  }))
  for _, key in ipairs(others) do
    assert(key:verify("text", assert(key:sign("text"))))
    if name == "rsa" then
      local body, wrapped = core.seal("a body", key)
      assert(core.open(body, wrapped, key) == "a body")
      sealed:write(wrapped, "\n")
    end
  end
end
sealed:close()

local pool = assert(core.pool(2, others[1]))
pool:sign(1, "text", nil, "tag")
while not pool:finished() do end
stage "open"

pool:close()
client:close()
for _, key in ipairs(others) do key:close() end
client, others, pool = nil, nil, nil

-- And the process goes on, with a key that has nothing to do with that one. Where functions are bound at their first
-- calls, the loader has saved vector registers on the stack, which may have had 16 bytes of a number that was copied.
local other = assert(core.private_key { file = path "other.pem" })
assert(other:verify("text", assert(other:sign("text"))))
stage "closed"
]]

-- Adds the AES keys that the target has used: the openssl command tells.
local function add_aes_keys(secrets, folder)
  local number = 0
  for wrapped in shell.read(folder .. "/sealed"):gmatch("[^\n]+") do
    number = number + 1
    shell.write(folder .. "/wrapped", core.base64_decode(wrapped))
    shell.must(("openssl pkeyutl -decrypt -inkey %s/key.pem -in %s/wrapped -out %s/aes"):format(folder, folder, folder))
    secrets["AES key " .. number] = shell.read(folder .. "/aes"):sub(1, LENGTH)
  end
  return number
end

-- What the target finds in its folder.
local function write_folder(folder, name, secrets)
  local all, pem = {}, keys.read(name, "pkcs8.pem")
  for _, bytes in pairs(secrets) do all[#all + 1] = bytes end
  for file, content in pairs {
    all = table.concat(all, "\n"), passphrase = keys.passphrase, wrong = "another passphrase",
    ["key.pem"] = pem, ["key.der"] = keys.read(name, "pkcs8.der"),
    ["damaged.pem"] = pem:gsub("\n%-%-%-%-%-END", "AAAA%0"),
    ["encrypted.pem"] = keys.read(name, "pkcs8_encrypted.pem"),
    ["public.pem"] = keys.read_as("alipayhk", name, "spki.pem"),
    ["other.pem"] = keys.read_as("other", name, "pkcs8.pem"),
  } do
    shell.write(folder .. "/" .. file, content)
  end
end

describe("a process's memory", function()
  for _, lua in ipairs { "5.4", "luajit" } do
    for _, name in ipairs { "rsa", "p224" } do
      it(("has of a key nothing before it is read and after it was closed: %s under %s"):format(name, lua), function()
        local folder, secrets = shell.directory(), secrets_of(name)
        secrets["the passphrase"] = keys.passphrase
        write_folder(folder, name, secrets)
        local target = memory.start(lua, CHUNK, { folder, name })

        -- `is_there`: of a secret's name.
        local function look(stage, is_there)
          target:until_(stage)
          for what, times in pairs(target:counts(secrets)) do
            assert.equal(is_there(what), times > 0, ("%s, %s: %d times"):format(stage, what, times))
          end
        end

        look("held", function() return true end)
        look("let go", function() return false end)
        look("failed", function() return false end)
        target:until_ "open"
        assert.equal(name == "rsa" and 12 or 0, add_aes_keys(secrets, folder))
        -- OpenSSL has the numbers, and nothing has what they were read from.
        look("open", function(what) return what:find("as a number$") ~= nil end)
        look("closed", function() return false end)
        target:finish()
      end)
    end
  end
end)
