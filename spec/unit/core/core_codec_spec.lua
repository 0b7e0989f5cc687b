-- Base64, percent-encoding, header lists, UTF-8.

local core = require "alipayhk.core"
local bytes = require "spec.support.data.bytes"
local shell = require "spec.support.shell"

local SAMPLES = "spec/vectors/header_samples/"
local PERCENT_ERROR = "percent-encoding: %% at position %d is not followed by two hex digits"
local LENGTH_ERROR = "base64: %d characters, which is no multiple of 4 (cut off, or padding missing)"
local ALPHABET_ERROR = "base64: byte 0x%02X at position %d is not of the alphabet"
local UNUSED_BITS_ERROR = "base64: the unused bits before the padding are not zero"
local NO_EQUALS_ERROR = "header list: a part without `=` (expected key=value,key=value)"
local NO_KEY_ERROR = "header list: a value without a key (expected key=value,key=value)"

local function assert_failure(expected, value, message)
  assert.is_nil(value)
  assert.equal(expected, message)
end

describe("base64", function()
  local RFC_4648 = {
    { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" },
    { "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" },
  }
  for _, pair in ipairs(RFC_4648) do
    it(("of '%s' is '%s'"):format(pair[1], pair[2]), function()
      assert.equal(pair[2], core.base64_encode(pair[1]))
      assert.equal(pair[1], core.base64_decode(pair[2]))
    end)
  end

  it("uses the standard alphabet", function()
    assert.equal("+/+/", core.base64_encode("\251\255\191"))
    assert.equal("\251\255\191", core.base64_decode("+/+/"))
  end)

  it("round-trips every byte and every length", function()
    for length = 0, #bytes.every do
      local text = bytes.every:sub(1, length)
      assert.equal(text, core.base64_decode(core.base64_encode(text)))
    end
  end)

  local STRICT = {
    { "Zg", LENGTH_ERROR:format(2) },
    { "Zg=", LENGTH_ERROR:format(3) },
    { "Zm9v\n", LENGTH_ERROR:format(5) },
    { "Zm9v    ", ALPHABET_ERROR:format(0x20, 5) },
    { "Zm\r\n", ALPHABET_ERROR:format(0x0D, 3) },
    { " Zm9", ALPHABET_ERROR:format(0x20, 1) },
    { "Zg==Zg==", ALPHABET_ERROR:format(0x3D, 3) },
    { "Z===", ALPHABET_ERROR:format(0x3D, 2) },
    { "====", ALPHABET_ERROR:format(0x3D, 1) },
    { "Z=g=", ALPHABET_ERROR:format(0x3D, 2) },
    { "=Zg=", ALPHABET_ERROR:format(0x3D, 1) },
    { "-_-_", ALPHABET_ERROR:format(0x2D, 1) },
    { "AA_A", ALPHABET_ERROR:format(0x5F, 3) },
    { "AAA\0", ALPHABET_ERROR:format(0x00, 4) },
    { "AAA\255", ALPHABET_ERROR:format(0xFF, 4) },
    { "Zh==", UNUSED_BITS_ERROR },
    { "Zm9=", UNUSED_BITS_ERROR },
  }
  for _, row in ipairs(STRICT) do
    it(("refuses %q"):format(row[1]), function()
      assert_failure(row[2], core.base64_decode(row[1]))
    end)
  end

  it("accepts the 64 letters of its alphabet and no other byte", function()
    local accepted = 0
    for byte = 0, 255 do
      if core.base64_decode("AAA" .. string.char(byte)) then accepted = accepted + 1 end
    end
    assert.equal(64 + 1, accepted) -- `=` ends "AAA=", which is whole
  end)
end)

describe("percent-encoding", function()
  it("keeps RFC 3986's unreserved characters alone", function()
    assert.equal("AZaz09-._~", core.percent_encode("AZaz09-._~"))
    assert.equal("%2B%2F%3D%20%25%00%C3%A9%7F", core.percent_encode("+/= %\0\195\169\127"))
    assert.equal(66 + 3 * (256 - 66), #core.percent_encode(bytes.every))
  end)

  it("of base64 is made in one step, too", function()
    assert.equal("%2B%2F8%3D", core.base64_percent_encode("\251\255"))
    for _, piece in ipairs { "\255", "\251\239\190", "abc", "\0" } do
      for length = 0, 300 do
        local given = piece:rep(length):sub(1, length)
        assert.equal(core.percent_encode(core.base64_encode(given)), core.base64_percent_encode(given))
      end
    end
  end)

  it("decodes either case and leaves a plus alone", function()
    assert.equal("+/=+/=", core.percent_decode("%2B%2F%3D%2b%2f%3d"))
    assert.equal("a+b c", core.percent_decode("a+b%20c"))
    assert.equal("\0%2B", core.percent_decode("%00%252B"))
    assert.equal("", core.percent_decode(""))
  end)

  it("round-trips every byte", function()
    assert.equal(bytes.every, core.percent_decode(core.percent_encode(bytes.every)))
  end)

  local MALFORMED = {
    { "%", 1 }, { "%2", 1 }, { "a%2", 2 }, { "%zz", 1 }, { "%2Bx%", 5 }, { "a%%20", 2 },
    { "ab%2G", 3 }, { "%G2", 1 }, { "% 2F", 1 }, { "%+2", 1 }, { "%0\0", 1 },
  }
  for _, row in ipairs(MALFORMED) do
    it(("refuses %q"):format(row[1]), function()
      assert_failure(PERCENT_ERROR:format(row[2]), core.percent_decode(row[1]))
    end)
  end
end)

describe("a header list", function()
  local LISTS = {
    { "", {} },
    { "a=b", { a = "b" } },
    { "a=b,c=d", { a = "b", c = "d" } },
    { " a = b ,\tc\t=\td ", { a = "b", c = "d" } },
    { "signature=AA==", { signature = "AA==" } },
    { "keyVersion=", { keyVersion = "" } },
    { "a==,b=c=d", { a = "=", b = "c=d" } },
    { "a=b c", { a = "b c" } },
    { "a=1,A=2", { a = "1", A = "2" } },
    { "a=\0b", { a = "\0b" } },
  }
  for _, row in ipairs(LISTS) do
    it(("%q is read"):format(row[1]), function()
      assert.same(row[2], core.parse_pairs(row[1]))
    end)
  end

  local REFUSED = {
    { "a", NO_EQUALS_ERROR },
    { " ", NO_EQUALS_ERROR },
    { "a=b,,c=d", NO_EQUALS_ERROR },
    { ",a=b", NO_EQUALS_ERROR },
    { "a=b,c", NO_EQUALS_ERROR },
    { "=b", NO_KEY_ERROR },
    { "a=b, =c", NO_KEY_ERROR },
    { "a=b,a=b", "header list: a key comes twice" },
    { "a=b, a =c", "header list: a key comes twice" },
    { "a=,a=", "header list: a key comes twice" },
    { ("a"):rep(16 * 1024) .. "=", "header list: longer than 16 KiB" },
  }
  for _, row in ipairs(REFUSED) do
    it(("%q is refused"):format(row[1]:sub(1, 20)), function()
      assert_failure(row[2], core.parse_pairs(row[1]))
    end)
  end

  it("of 16 KiB is read", function()
    assert.same({ a = ("b"):rep(16 * 1024 - 2) }, core.parse_pairs("a=" .. ("b"):rep(16 * 1024 - 2)))
  end)

  it("is read in every shape seen", function()
    local count = 0
    for line in shell.read(SAMPLES .. "signature_header.shapes_seen.txt"):gmatch("[^\n]+") do
      local list = assert(core.parse_pairs(line))
      local version = line:match("keyVersion=(%d*)")
      assert.same({ "RSA256", version }, { list.algorithm, list.keyVersion })
      assert.equal("AAAA+BBB/CCCC==", core.percent_decode(list.signature))
      count = count + 1
    end
    assert.equal(5, count)
  end)

  it("is read from the documented samples", function()
    local encrypt = core.parse_pairs(shell.read(SAMPLES .. "encrypt_header.seed.txt"))
    local sign = core.parse_pairs(shell.read(SAMPLES .. "signature_header.seed_unwrapped.txt"))
    assert.same({ algorithm = "RSA_AES", keyVersion = "1", symmetricKey = "bqS8HSmdaRrpKSuPy7CqUlyd8lJurG93" }, encrypt)
    assert.same({ "RSA256", "1" }, { sign.algorithm, sign.keyVersion })
    assert.equal(256, #core.base64_decode(core.percent_decode(sign.signature)))
  end)

  -- Printed with line wraps, one of them inside "%2F": what is inside a value stays as it stands.
  it("keeps the spaces inside a value, where decoding finds them", function()
    local list = assert(core.parse_pairs(shell.read(SAMPLES .. "signature_header.seed_as_printed_with_wraps.txt")))
    local position = list.signature:find("% ", 1, true)
    assert.is_truthy(list.signature:find("HBGR rWiH", 1, true))
    assert_failure(PERCENT_ERROR:format(position), core.percent_decode(list.signature))
  end)
end)

describe("utf8_length", function()
  local VALID = {
    { "", 0 }, { "abc", 3 }, { "\0", 1 }, { "\127", 1 }, { "\194\128", 1 }, { "\223\191", 1 },
    { "\224\160\128", 1 }, { "\237\159\191", 1 }, { "\238\128\128", 1 }, { "\239\191\191", 1 },
    { "\240\144\128\128", 1 }, { "\244\143\191\191", 1 }, { "電影票 ✓", 5 }, { "e\204\129", 2 },
  }
  for _, row in ipairs(VALID) do
    it(("of %q is %d"):format(row[1], row[2]), function()
      assert.same({ row[2] }, { core.utf8_length(row[1]) })
    end)
  end

  local INVALID = {
    { "a continuation alone", "\128" },
    { "C0, overlong", "\192\128" },
    { "C1, overlong", "\193\191" },
    { "E0, overlong", "\224\159\191" },
    { "F0, overlong", "\240\143\191\191" },
    { "the first surrogate", "\237\160\128" },
    { "the last surrogate", "\237\191\191" },
    { "U+110000", "\244\144\128\128" },
    { "F5", "\245\128\128\128" },
    { "FE", "\254" },
    { "FF", "\255" },
    { "two bytes cut", "\195" },
    { "three bytes cut", "\226\156" },
    { "four bytes cut", "\240\159\152" },
    { "a second byte that is no continuation", "\195A" },
    { "a third byte that is no continuation", "\226\156A" },
    { "a fourth byte that is no continuation", "\240\159\152A" },
  }
  for _, row in ipairs(INVALID) do
    it("finds " .. row[1], function()
      assert_failure(1, core.utf8_length(row[2]))
      assert_failure(5, core.utf8_length("a✓" .. row[2]))
      assert_failure(2, core.utf8_length("a" .. row[2] .. "b"))
    end)
  end
end)
