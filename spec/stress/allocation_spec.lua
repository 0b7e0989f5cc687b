-- The N-th allocation of Lua, OpenSSL, libcurl, SQLite or our C fails, for every N: see
-- spec/support/stress/allocations.lua.

local keys = require "spec.support.data.keys"
local run = require "spec.support.stress.run"
local server = require "spec.support.servers.server"
local shell = require "spec.support.shell"

-- How many allocations of each call fail: so many at either end, so many in between, or all of them. What OpenSSL and
-- libcurl do is the same in every Lua, so one of them has more.
local ALL, MANY, FEW = {}, { edge = "15", points = "20" }, { edge = "8", points = "5" }

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

-- The calls that send, as one run of the driver each: a server of the specs lives two minutes.
local SENDS = { { only = "^send" } }
if run.is_long then
  SENDS = { { only = "^send http$" }, { only = "^send again" }, { only = "^send for" }, { only = "^send to" } }
  for _, mode in ipairs { "one", "all" } do SENDS[#SENDS + 1] = { only = "^send https$", mode = mode } end
end

local function inputs(lua, more)
  local given = { passphrase = keys.passphrase, directory = shell.directory() }
  local is_first = lua == run.luas[1]
  local some = run.is_long and (is_first and ALL or MANY) or is_first and MANY or FEW
  given.edge, given.points = some.edge, some.points
  for _, name in ipairs(FORMS) do
    local algorithm, form = name:match("^[a-z]+%.([a-z]+)%.(.*)$")
    given[name] = keys.path(ALGORITHMS[algorithm], form)
  end
  for name, value in pairs(more) do given[name] = value end
  return given
end

describe("an allocation that fails", function()
  for _, lua in ipairs(run.luas) do
    local in_lua = " (Lua " .. lua .. ")"

    it("ends in a clean error: keys, signatures, RSA_AES, codecs, databases" .. in_lua, function()
      local result = run.driver(lua, "allocations", inputs(lua, { except = "^send" }))
      assert.same({}, result.faults)
      assert.is_true(result.points > 1000)
    end)

    it("ends in a clean error: sending" .. in_lua, function()
      for _, send in ipairs(SENDS) do
        local gateway = server.start()
        local result = run.driver(lua, "allocations", inputs(lua, {
          only = send.only, mode = send.mode, ca_file = gateway.ca_file,
          http = gateway:url(""), https = gateway:url("", "https"),
        }))
        gateway:stop()
        assert.same({}, result.faults)
        assert.is_true(result.points > 0)
      end
    end)

    -- What the driver says of a mistake that was planted.
    local function said_of(name)
      local driven = { cases = "spec.support.stress.planted_allocations", only = "^" .. name .. "$" }
      return table.concat(run.driver(lua, "allocations", driven).faults, "\n")
    end

    it("would be seen to crash, leak, lie or show what nobody wrote" .. in_lua, function()
      local unset = said_of("unset_error")
      assert.truthy(unset:find("stack-buffer-overflow", 1, true) or unset:find("nobody wrote", 1, true), unset)
      assert.truthy(said_of("leak"):find("leaves 1 blocks of C each time", 1, true))
      assert.truthy(said_of("leak_by_longjmp"):find("leaves 1 blocks of C each time", 1, true))
      assert.truthy(said_of("verify"):find("gives false", 1, true))
      assert.truthy(said_of("unchecked"):find("died", 1, true))
      assert.truthy(said_of("throw"):find("throws out of memory", 1, true))
    end)
  end
end)
