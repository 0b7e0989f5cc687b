-- NIST's vectors for P-224 and for RSA PKCS#1 v1.5, as Debian's python3-cryptography-vectors has them. They are not
-- part of this repository. No verdict of ours is another.

local core = require "alipayhk.core"
local der = require "spec.support.data.der"
local shell = require "spec.support.shell"

local DIRECTORY = os.getenv("NIST_VECTORS_DIR") or "/usr/lib/python3/dist-packages/cryptography_vectors/asymmetric"
local DIGESTS = { ["SHA-224"] = "sha224", ["SHA-256"] = "sha256", SHA224 = "sha224", SHA256 = "sha256" }

-- SubjectPublicKeyInfo of a P-224 key, up to its point: RFC 5480.
local P224_SPKI = "\48\78\48\16\6\7\42\134\72\206\61\2\1\6\5\43\129\4\0\33\3\58\0\4"
-- ECPrivateKey of one without its public half: RFC 5915.
local P224_SEC1 = { "\48\42\2\1\1\4\28", "\160\7\6\5\43\129\4\0\33" }

local function from_hex(hex)
  return (hex:gsub("..", function(digits) return string.char(tonumber(digits, 16)) end))
end

-- The tests of a file: blocks of `name = value`. One that has no message is a section's, or gives tests a modulus.
local function read(content)
  local tests, common = {}, {}
  for block in (content:gsub("\r", "") .. "\n"):gmatch("(.-\n)\n") do
    local section = block:match("%[(.-)%]")
    if section then common = { section = section } end
    local test = setmetatable({}, { __index = common })
    for name, value in block:gmatch("(%w+) = ([^\n%]]*)\n") do test[name] = value end
    if rawget(test, "n") then common = test end
    if test.Msg or test.d or test.Result then tests[#tests + 1] = test end
  end
  return tests
end

local function p224_public(test) return core.public_key(P224_SPKI .. from_hex(test.Qx) .. from_hex(test.Qy)) end

local function p224_private(test)
  return core.private_key(P224_SEC1[1] .. from_hex(test.d) .. P224_SEC1[2])
end

local function rsa_public(test)
  local modulus, exponent = from_hex(test.n), from_hex(test.e):gsub("^%z+", "")
  return core.public_key(der.encode { tag = 0x30, der.integer(modulus), der.integer(exponent) })
end

-- Each gives what is wrong with a test; true where nothing is, and nil where it is none for us.
local judges = {}

-- The rules of a key: on the curve, and within the field.
function judges.points(test)
  if test.section ~= "P-224" then return nil end
  local is_good = test.Result:find("^P") ~= nil
  if #test.Qx ~= 56 or #test.Qy ~= 56 then return not is_good or "a good point that is too long" end
  return (p224_public(test) ~= nil) == is_good or "the wrong verdict"
end

function judges.pairs(test)
  if test.section ~= "P-224" then return nil end
  return p224_private(test):fingerprint() == p224_public(test):fingerprint() or "another public half"
end

function judges.ecdsa(test)
  local curve, digest = test.section:match("^(P%-224),(SHA%-%d+)$")
  digest = curve and DIGESTS[digest]
  if not digest then return nil end
  local key = assert(p224_public(test))
  local good = key:verify(from_hex(test.Msg), from_hex(test.R) .. from_hex(test.S), { digest = digest,
    encoding = "p1363" })
  return good == (test.Result == nil or test.Result:find("^P") ~= nil) or "the wrong verdict"
end

function judges.rsa(test)
  local digest = DIGESTS[test.SHAAlg]
  if not digest or tonumber(test.section:match("%d+")) < 2048 then return nil end
  local key, message = rsa_public(test)
  if not key then return message end
  local good = key:verify(from_hex(test.Msg), from_hex(test.S), { digest = digest })
  return good == (test.Result == nil or test.Result:find("^P") ~= nil) or "the wrong verdict"
end

-- File, how it is judged, and how many tests for us it has at least.
local FILES = {
  { "ECDSA/FIPS_186-3/PKV.rsp", "points", 12 },
  { "ECDSA/FIPS_186-2/KeyPair.rsp", "pairs", 10 },
  { "ECDSA/FIPS_186-3/SigVer.rsp", "ecdsa", 30 },
  { "ECDSA/FIPS_186-3/SigGen.txt", "ecdsa", 30 },
  { "RSA/FIPS_186-2/SigVer15_186-3.rsp", "rsa", 100 },
  { "RSA/FIPS_186-2/SigGen15_186-3.rsp", "rsa", 60 },
}

describe("NIST's vectors", function()
  for _, row in ipairs(FILES) do
    local content = shell.read(DIRECTORY .. "/" .. row[1])
    if not content then
      pending("NIST's vectors are not here (python3-cryptography-vectors, or NIST_VECTORS_DIR): " .. row[1])
    else
      it(row[1], function()
        local judged, wrong = 0, {}
        for i, test in ipairs(read(content)) do
          local verdict = judges[row[2]](test)
          if verdict then judged = judged + 1 end
          if verdict and verdict ~= true then
            wrong[#wrong + 1] = ("test %d of %s: %s"):format(i, test.section, verdict)
          end
        end
        assert.equal("", table.concat(wrong, "\n"))
        assert.is_true(judged >= row[3], judged)
      end)
    end
  end
end)
