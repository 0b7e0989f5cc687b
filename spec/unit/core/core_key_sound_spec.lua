-- Keys that parse and must not be accepted: those that anybody can forge for, whose halves do not belong
-- together, or that would keep a process busy for minutes. And one key has one fingerprint.

local core = require "alipayhk.core"
local cjson = require "cjson"
local der = require "spec.support.data.der"
local keys = require "spec.support.data.keys"
local shell = require "spec.support.shell"

local read = { private = core.private_key, public = core.public_key }

-- Positions in PKCS#1, whose first is the version; a public key starts with N.
local N, E, D, P, Q, DP, DQ, QINV = 2, 3, 4, 5, 6, 7, 8, 9

local function tree(name, structure)
  return (der.decode(keys.read(name, structure .. ".der")))
end

local function tree_of_other(name, structure)
  return (der.decode(keys.read_as("other", name, structure .. ".der")))
end

-- Refused within a second, which is long, whatever it would take to use it.
local function assert_refused(expected, half, content, passphrase)
  local started = core.monotonic()
  local key, message = read[half]({ data = content, passphrase = passphrase })
  assert.is_nil(key)
  assert.matches(expected, message, 1, true)
  assert.is_true(core.monotonic() - started < 1)
end

local function last_bit_flipped(value)
  local last = value:byte(-1)
  return value:sub(1, -2) .. string.char(last % 2 == 0 and last + 1 or last - 1)
end

describe("a public RSA key is refused with", function()
  local function public(change)
    local key = tree("rsa", "pkcs1_public")
    change(key)
    return der.encode(key)
  end

  for _, exponent in ipairs({ 0, 1, 2, 4, 65536 }) do
    it("the exponent " .. exponent, function()
      assert_refused("its public exponent has to be odd and at least 3", "public", public(function(key)
        key[2] = der.integer(exponent)
      end))
    end)
  end

  it("an exponent of 65 bits, and not of 64", function()
    assert_refused("public exponent has 65 bits", "public", public(function(key)
      key[2] = der.integer("\1" .. ("\255"):rep(8))
    end))
    assert(core.public_key(public(function(key) key[2] = der.integer(("\255"):rep(8)) end)))
    assert(core.public_key(public(function(key) key[2] = der.integer(3) end)))
  end)

  it("an even modulus", function()
    assert_refused("its modulus is even", "public", public(function(key)
      key[1].value = last_bit_flipped(key[1].value)
    end))
  end)

  it("a negative modulus", function()
    assert_refused("is damaged", "public", public(function(key) key[1].value = key[1].value:sub(2) end))
  end)

  it("any of these in the other forms", function()
    local spki = tree("rsa", "spki")
    local inner = der.decode(spki[2].value:sub(2))
    inner[2] = der.integer(1)
    spki[2].value = "\0" .. der.encode(inner)
    assert_refused("its public exponent has to be odd and at least 3", "public", der.encode(spki))
  end)
end)

describe("a private RSA key is refused with", function()
  local function private(change)
    local key = tree("rsa", "pkcs1")
    change(key, tree_of_other("rsa", "pkcs1"))
    return der.encode(key)
  end

  local NOT_TOGETHER = {
    ["another modulus"] = function(key, other) key[N] = other[N] end,
    ["another secret exponent"] = function(key, other) key[D] = other[D] end,
    ["other primes"] = function(key, other) key[P], key[Q] = other[P], other[Q] end,
    ["one other prime"] = function(key, other) key[P] = other[P] end,
    ["its primes the wrong way round"] = function(key) key[P], key[Q] = key[Q], key[P] end,
    ["another exponent of the first prime"] = function(key, other) key[DP] = other[DP] end,
    ["another exponent of the second prime"] = function(key, other) key[DQ] = other[DQ] end,
    ["another coefficient"] = function(key) key[QINV].value = last_bit_flipped(key[QINV].value) end,
    ["another public exponent"] = function(key) key[E] = der.integer(17) end,
    ["one bit of its secret exponent changed"] = function(key) key[D].value = last_bit_flipped(key[D].value) end,
  }
  for name, change in pairs(NOT_TOGETHER) do
    it(name, function() assert_refused("the RSA key is unsound: its ", "private", private(change)) end)
  end

  it("the exponent 1, which is its own inverse", function()
    assert_refused("its public exponent has to be odd and at least 3", "private", private(function(key)
      for _, at in ipairs { E, D, DP, DQ } do key[at] = der.integer(1) end
    end))
  end)

  local huge = "\127" .. ("\255"):rep(1500)
  local OUT_OF_PROPORTION = {
    ["an oversized prime"] = function(key) key[P] = der.integer(huge) end,
    ["oversized primes"] = function(key) key[P], key[Q] = der.integer(huge), der.integer(huge) end,
    ["an oversized secret exponent"] = function(key) key[D] = der.integer(huge) end,
    ["an oversized exponent of a prime"] = function(key) key[DQ] = der.integer(huge) end,
    ["an oversized coefficient"] = function(key) key[QINV] = der.integer(huge) end,
    ["no primes"] = function(key)
      for at = P, QINV do key[at] = der.integer(0) end
    end,
    ["1 for a prime"] = function(key) key[P], key[Q] = key[N], der.integer(1) end,
    ["an even prime"] = function(key) key[Q].value = last_bit_flipped(key[Q].value) end,
  }
  for name, change in pairs(OUT_OF_PROPORTION) do
    it(name, function()
      assert_refused("its primes or exponents are missing or do not fit its modulus", "private", private(change))
    end)
  end

  it("three primes", function()
    local path = shell.directory() .. "/three.pem"
    shell.must("openssl genrsa -primes 3 -out " .. shell.quote(path) .. " 2048")
    assert_refused("more than two primes is not supported", "private", shell.read(path))
  end)

  -- Every number fits the others, and the primes are none: only signing tells.
  it("a prime that is none", function()
    local output, status = shell.run([[node -e '
      const crypto = require("crypto");
      const number = (n) => BigInt("0x" + n.toString(16));
      const prime = (bits) => crypto.generatePrimeSync(bits, { bigint: true });
      const inverse = (a, m) => {
        let [x, y, r, s] = [1n, 0n, a % m, m];
        while (s) { const q = r / s; [r, s] = [s, r - q * s]; [x, y] = [y, x - q * y]; }
        return r === 1n ? (x % m + m) % m : null;
      };
      const gcd = (a, b) => (b ? gcd(b, a % b) : a);
      const e = 65537n;
      for (;;) {
        const p = prime(513) * prime(512), q = prime(1024);
        const lcm = (p - 1n) * (q - 1n) / gcd(p - 1n, q - 1n);
        const d = inverse(e, lcm), n = p * q;
        if (d === null || n.toString(2).length !== 2048) continue;
        const all = [n, e, d, p, q, d % (p - 1n), d % (q - 1n), inverse(q, p)];
        console.log(JSON.stringify(all.map((v) => { const h = v.toString(16); return h.length % 2 ? "0" + h : h; })));
        break;
      }']])
    if status ~= 0 then
      pending("node is not installed")
      return
    end
    local key = { tag = 0x30, der.integer(0) }
    for _, hex in ipairs(cjson.decode(output)) do
      key[#key + 1] = der.integer((hex:gsub("..", function(digits) return string.char(tonumber(digits, 16)) end)))
    end
    assert_refused("what it signs does not verify", "private", der.encode(key))
  end)
end)

describe("an EC key is refused", function()
  local ORDER = ("\255"):rep(14) .. "\22\162\224\184\240\62\19\221\41\69\92\92\42\61"

  local function private(change)
    local key = tree("p224", "sec1")
    change(key)
    return der.encode(key)
  end

  for name, scalar in pairs({
    ["0"] = ("\0"):rep(28),
    ["nothing"] = "",
    ["the curve's order"] = ORDER,
    ["more than the curve's order"] = ("\255"):rep(28),
    ["a number of 3000 bytes"] = ("\1"):rep(3000),
  }) do
    it("whose secret number is " .. name, function()
      for _, with_point in ipairs({ true, false }) do
        assert_refused("its secret number is 0 or larger than the curve's order", "private", private(function(key)
          key[2].value = scalar
          if not with_point then key[4] = nil end
        end))
      end
    end)
  end

  it("whose halves do not belong together", function()
    assert_refused("its private and public halves do not belong together", "private", private(function(key)
      key[2].value = last_bit_flipped(key[2].value)
    end))
    assert_refused("its private and public halves do not belong together", "private", private(function(key)
      key[4] = tree_of_other("p224", "sec1")[4]
    end))
  end)

  it("that names no curve, or two", function()
    assert_refused("the EC key names no curve", "private", private(function(key) table.remove(key, 3) end))
    local outer = tree("p224", "pkcs8")
    local inner = der.decode(outer[3].value)
    table.insert(inner, 3, tree("p256", "sec1")[3])
    outer[3].value = der.encode(inner)
    assert_refused("the EC key is on curve prime256v1", "private", der.encode(outer))
  end)

  local function public(point)
    local key = tree("p224", "spki")
    key[2].value = "\0" .. point(key[2].value:sub(2))
    return der.encode(key)
  end

  for name, point in pairs({
    ["not on the curve"] = last_bit_flipped,
    ["infinity"] = function() return "\0" end,
    ["cut"] = function(bytes) return bytes:sub(1, -2) end,
    ["of another length"] = function(bytes) return bytes .. "\0" end,
  }) do
    it("whose point is " .. name, function()
      assert_refused("its point cannot be one of P-224's", "public", public(point))
    end)
  end
end)

describe("the work before a key is read is bounded:", function()
  local PBES2 = "pkcs8 -topk8 -iter 1000 -v2 aes-256-cbc"
  local SCRYPT = "pkcs8 -topk8 -scrypt -scrypt_N 1024"
  local PBES1 = "pkcs8 -topk8 -iter 1000 -v1 PBE-SHA1-3DES"
  local ROUNDS = "asks for more than 10000000 rounds, which would take minutes"
  local BLOCKS = "asks scrypt for more than 8388608 blocks, which would take minutes"

  local function encrypted(options)
    return (der.decode(shell.must(("openssl %s -passout pass:secret -in %s -outform DER"):format(
      options, shell.quote(keys.path("rsa", "pkcs8.pem"))))))
  end

  local function derivation(key) return key[1][2][1][2] end

  local CASES = {
    { PBES2, ROUNDS, function(key) derivation(key)[2] = der.integer(10000001) end },
    { PBES2, ROUNDS, function(key) derivation(key)[2] = der.integer(("\127"):rep(4)) end },
    { PBES2, ROUNDS, function(key) derivation(key)[2] = der.integer(("\127"):rep(8)) end },
    { PBES2, ROUNDS, function(key) derivation(key)[2] = der.integer(("\127"):rep(200)) end },
    { PBES1, ROUNDS, function(key) key[1][2][2] = der.integer(10000001) end },
    { SCRYPT, BLOCKS, function(key) derivation(key)[2] = der.integer(2 ^ 24) end },
    { SCRYPT, BLOCKS, function(key) derivation(key)[3] = der.integer(2 ^ 14) end },
    { SCRYPT, BLOCKS, function(key) derivation(key)[4] = der.integer(2 ^ 20) end },
    { SCRYPT, BLOCKS, function(key) derivation(key)[4] = der.integer(("\127"):rep(8)) end },
    { SCRYPT, "parameters are damaged", function(key) derivation(key)[3] = der.integer(0) end },
    { PBES2, "parameters are damaged", function(key) derivation(key)[2] = { tag = 0x04, value = "x" } end },
    { PBES2, "neither PBKDF2 nor scrypt", function(key) key[1][2][1][1].value = "\42\3\4" end },
  }
  for i, case in ipairs(CASES) do
    it(("%d, %s"):format(i, case[2]), function()
      local key = encrypted(case[1])
      assert(core.private_key({ data = der.encode(key), passphrase = "secret" }))
      case[3](key)
      assert_refused(case[2], "private", der.encode(key), "secret")
    end)
  end
end)

describe("a file that is no regular one is an error at once:", function()
  local directory = shell.directory()

  local function assert_odd(expected, path)
    for _, load_key in pairs(read) do
      local started = core.monotonic()
      assert.same({ nil, path .. ": " .. expected }, { load_key({ file = path }) })
      assert.is_true(core.monotonic() - started < 1)
    end
  end

  it("a FIFO", function()
    local path = directory .. "/fifo"
    shell.must("mkfifo " .. shell.quote(path))
    assert_odd("is a FIFO, not a regular file", path)
  end)

  it("a device", function()
    assert_odd("is a device, not a regular file", "/dev/zero")
    assert_odd("is a device, not a regular file", "/dev/null")
  end)

  it("a directory", function() assert_odd("is a directory, not a file", directory) end)

  it("but not what a link leads to", function()
    local path = directory .. "/link.pem"
    shell.must(("ln -s %s %s"):format(shell.quote(keys.path("rsa", "pkcs8.pem")), shell.quote(path)))
    assert(core.private_key({ file = path }))
  end)
end)

describe("one key has one fingerprint,", function()
  it("its point compressed or not", function()
    local directory = shell.directory()
    local compressed = directory .. "/compressed.pem"
    local expected = assert(core.private_key(keys.read("p224", "pkcs8.pem"))):fingerprint()
    for _, form in ipairs({ "compressed", "hybrid", "uncompressed" }) do
      shell.must(("openssl ec -in %s -pubout -conv_form %s -out %s"):format(
        shell.quote(keys.path("p224", "pkcs8.pem")), form, shell.quote(compressed)))
      assert.equal(expected, assert(core.public_key({ file = compressed })):fingerprint())
      shell.must(("openssl ec -in %s -conv_form %s -out %s"):format(
        shell.quote(keys.path("p224", "pkcs8.pem")), form, shell.quote(compressed)))
      assert.equal(expected, assert(core.private_key({ file = compressed })):fingerprint())
    end
    local without = tree("p224", "sec1")
    without[4] = nil
    assert.equal(expected, assert(core.private_key(der.encode(without))):fingerprint())
  end)

  it("its algorithm with parameters or without", function()
    local spki = tree("rsa", "spki")
    local expected = assert(core.public_key(der.encode(spki))):fingerprint()
    spki[1][2] = nil
    assert.equal(expected, assert(core.public_key(der.encode(spki))):fingerprint())
  end)
end)

-- The Lua layers show these texts; what is cut in them is cut at a character.
describe("a long path in a message", function()
  it("is cut at a character", function()
    for shift = 0, 2 do
      local path = "/" .. ("x"):rep(shift) .. ("戲"):rep(100)
      local _, message = core.private_key({ file = path })
      assert.is_truthy(core.utf8_length(message))
      assert.matches("戲: File name too long", message, 1, true)
    end
  end)

  it("is cut anywhere where it is no UTF-8", function()
    local _, message = core.private_key({ file = "/" .. ("\130"):rep(300) })
    assert.equal("/" .. ("?"):rep(159) .. ": File name too long", message)
  end)
end)
