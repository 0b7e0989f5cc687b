-- Project Wycheproof's vectors. Its files are not part of this repository.

local cjson = require "cjson"
local core = require "alipayhk.core"
local shell = require "spec.support.shell"

local DIRECTORY = os.getenv("WYCHEPROOF_DIR") or "../shared/vectors/wycheproof"
-- "acceptable" may be either: signatures whose DigestInfo lacks the NULL.
local EXPECTED = { valid = true, invalid = false }
local DIGESTS = { ["SHA-224"] = "sha224", ["SHA-256"] = "sha256" }
local AES_BITS = { [16] = 128, [24] = 192, [32] = 256 }

local function from_hex(hex)
  return (hex:gsub("..", function(digits) return string.char(tonumber(digits, 16)) end))
end

-- Each judges one test of a group: true where all is well, nil where the test is none for us, else what is wrong.
-- `opts`: of its file.
local judges = {}

function judges.verify(group, test, opts)
  group.key = group.key or assert(core.public_key(group.publicKeyPem))
  local valid = group.key:verify(from_hex(test.msg), from_hex(test.sig), opts)
  return EXPECTED[test.result] == nil or valid == EXPECTED[test.result] or "verified: " .. tostring(valid)
end

-- Signatures by RSA are the same each time.
function judges.sign(group, test)
  group.key = group.key or assert(core.private_key(group.privateKeyPem))
  local digest = DIGESTS[group.sha]
  if not digest then return nil end
  return group.key:sign(from_hex(test.msg), { digest = digest }) == from_hex(test.sig) or "another signature"
end

-- A body that the openssl command has encrypted with an AES key.
local function body_for(aes_key)
  local path = shell.directory() .. "/body"
  shell.write(path, "a body")
  return core.base64_encode(shell.must(("openssl enc -aes-%d-ecb -K %s -in %s"):format(AES_BITS[#aes_key],
    core.hex_encode(aes_key), path)))
end

local ANY_BODY = core.base64_encode(("x"):rep(16))

-- A wrapped key opens where it is one, and has the length of an AES key; all else looks the same.
function judges.open(group, test, opts)
  group.key = group.key or assert(core.private_key(group.privateKeyPem))
  local wrapped_key = from_hex(test.msg)
  local is_key = test.result == "valid" and AES_BITS[#wrapped_key] ~= nil and (test.label or "") == ""
  local body = AES_BITS[#wrapped_key] and body_for(wrapped_key) or ANY_BODY
  local opened, message = core.open(body, core.base64_encode(from_hex(test.ct)), group.key, opts)
  if is_key and opened ~= "a body" then return "does not open" end
  if not is_key and (opened ~= nil or message ~= "decryption failed") then return "opens, or says why not" end
  return true
end

-- File, how it is judged, with which options, and how many tests for us it has at least. No verdict of ours is another.
local FILES = {
  { "rsa_signature_2048_sha224", "verify", { digest = "sha224" }, 200 },
  { "rsa_signature_2048_sha256", "verify", nil, 200 },
  { "rsa_signature_3072_sha256", "verify", nil, 200 },
  { "rsa_signature_4096_sha256", "verify", nil, 200 },
  { "rsa_signature_8192_sha256", "verify", nil, 200 },
  { "rsa_pkcs1_2048_sig_gen", "sign", nil, 18 },
  { "rsa_pkcs1_3072_sig_gen", "sign", nil, 9 },
  { "rsa_pkcs1_4096_sig_gen", "sign", nil, 8 },
  { "ecdsa_secp224r1_sha224", "verify", { digest = "sha224", encoding = "der" }, 400 },
  { "ecdsa_secp224r1_sha256", "verify", { digest = "sha256", encoding = "der" }, 400 },
  { "ecdsa_secp224r1_sha224_p1363", "verify", { digest = "sha224", encoding = "p1363" }, 200 },
  { "ecdsa_secp224r1_sha256_p1363", "verify", { digest = "sha256", encoding = "p1363" }, 200 },
  { "rsa_pkcs1_2048", "open", { key_padding = "pkcs1" }, 60 },
  { "rsa_pkcs1_3072", "open", { key_padding = "pkcs1" }, 60 },
  { "rsa_pkcs1_4096", "open", { key_padding = "pkcs1" }, 60 },
  { "rsa_oaep_2048_sha1_mgf1sha1", "open", { key_padding = "oaep" }, 30 },
}

-- The ids of the tests that went wrong, how many were judged, and how many there are.
local function run(vectors, judge, opts)
  local wrong, judged, count = {}, 0, 0
  for _, group in ipairs(vectors.testGroups) do
    for _, test in ipairs(group.tests) do
      local verdict = judge(group, test, opts)
      if verdict and verdict ~= true then
        wrong[#wrong + 1] = ("tcId %d (%s): %s"):format(test.tcId, test.result, verdict)
      end
      judged, count = judged + (verdict and 1 or 0), count + 1
    end
  end
  return wrong, judged, count
end

describe("Wycheproof", function()
  for _, row in ipairs(FILES) do
    local name, judge, opts, least = row[1] .. "_test.json", judges[row[2]], row[3], row[4]
    local content = shell.read(DIRECTORY .. "/" .. name)
    if not content then
      pending("Wycheproof vectors are not here (WYCHEPROOF_DIR): " .. name)
    else
      it(name, function()
        local vectors = cjson.decode(content)
        local wrong, judged, count = run(vectors, judge, opts)
        assert.equal("", table.concat(wrong, ", "))
        assert.is_true(judged >= least)
        assert.equal(vectors.numberOfTests, count)
      end)
    end
  end
end)
