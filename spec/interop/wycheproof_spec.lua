-- Project Wycheproof's signatures. Its files are not part of this repository.

local cjson = require "cjson"
local core = require "alipayhk.core"
local shell = require "spec.support.shell"

local DIRECTORY = os.getenv("WYCHEPROOF_DIR") or "../shared/vectors/wycheproof"
local FILES = { "rsa_signature_2048_sha256_test.json", "ecdsa_secp224r1_sha224_test.json" }
local EXPECTED = { valid = true, invalid = false } -- "acceptable" may be either

local function from_hex(hex)
  return (hex:gsub("..", function(digits) return string.char(tonumber(digits, 16)) end))
end

-- The ids of the tests that went wrong, and how many ran.
local function run(vectors)
  local wrong, count = {}, 0
  for _, group in ipairs(vectors.testGroups) do
    local key = assert(core.public_key(group.publicKeyPem))
    for _, test in ipairs(group.tests) do
      local valid = key:verify(from_hex(test.msg), from_hex(test.sig))
      if EXPECTED[test.result] ~= nil and valid ~= EXPECTED[test.result] then
        wrong[#wrong + 1] = ("tcId %d (%s)"):format(test.tcId, test.result)
      end
      count = count + 1
    end
  end
  return wrong, count
end

describe("Wycheproof", function()
  for _, name in ipairs(FILES) do
    local content = shell.read(DIRECTORY .. "/" .. name)
    if not content then
      pending("Wycheproof vectors are not here (WYCHEPROOF_DIR): " .. name)
    else
      it(name, function()
        local vectors = cjson.decode(content)
        local wrong, count = run(vectors)
        assert.equal("", table.concat(wrong, ", "))
        assert.is_true(count > 200)
        assert.equal(vectors.numberOfTests, count)
      end)
    end
  end
end)
