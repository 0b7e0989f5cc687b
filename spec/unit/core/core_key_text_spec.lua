-- Key text as people have it: what environment variables, YAML, JSON, consoles and editors make of a PEM
-- file is read, where it can mean only one thing, and named where it cannot.

local core = require "alipayhk.core"
local keys = require "spec.support.data.keys"
local shell = require "spec.support.shell"

local read = { private = core.private_key, public = core.public_key }
local directory = shell.directory()

local KEYS = {
  { key = "rsa", half = "private", structures = { "pkcs8", "pkcs1", "pkcs8_encrypted" } },
  { key = "rsa", half = "public", structures = { "spki", "pkcs1_public", "certificate" } },
  { key = "p224", half = "private", structures = { "pkcs8", "sec1", "sec1_parameters", "pkcs8_encrypted" } },
  { key = "p224", half = "public", structures = { "spki", "certificate" } },
}

local function replace(text, from, to)
  local at, result = 1, {}
  while true do
    local first, last = text:find(from, at, true)
    if not first then break end
    result[#result + 1] = text:sub(at, first - 1) .. to
    at = last + 1
  end
  return table.concat(result) .. text:sub(at)
end

local function breaks(instead)
  return function(pem) return replace(pem, "\n", instead) end
end

local function per_line(change)
  return function(pem) return (pem:gsub("([^\n]*)\n", function(line) return change(line) .. "\n" end)) end
end

-- Only what stands between the BEGIN and the END line.
local function within(change)
  return function(pem)
    return (pem:gsub("(%-%-%-%-%-BEGIN [^\n]*\n)(.-)(%-%-%-%-%-END)", function(first, body, last)
      if first:find("PARAMETERS", 1, true) then return nil end
      return first .. change(body) .. last
    end))
  end
end

local function without_padding(text) return (text:gsub("=", "")) end
local function url_safe(text) return (text:gsub("[+/]", { ["+"] = "-", ["/"] = "_" })) end
local function surrounded(before, after)
  return function(pem) return before .. pem .. after end
end

local function then_(...)
  local steps = { ... }
  return function(text)
    for _, step in ipairs(steps) do text = step(text) end
    return text
  end
end

-- What happens to PEM text on its way.
local MANGLED = {
  ["line ends CR LF"] = breaks("\r\n"),
  ["line ends CR alone"] = breaks("\r"),
  ["on one line, breaks as blanks"] = breaks(" "),
  ["on one line, breaks lost"] = breaks(""),
  ["on one line, all white space lost"] = function(pem) return (pem:gsub("[ \n]", "")) end,
  ["breaks as the two characters \\n"] = breaks("\\n"),
  ["breaks as the four characters \\r\\n"] = breaks("\\r\\n"),
  ["breaks escaped twice"] = breaks("\\\\n"),
  ["\\n and a real break"] = breaks("\\n\n"),
  ["lines continued with a backslash"] = breaks("\\\n"),
  ["every line indented by blanks"] = per_line(function(line) return "    " .. line end),
  ["every line indented by a tab"] = per_line(function(line) return "\t" .. line end),
  ["blanks at the ends of lines"] = per_line(function(line) return line .. "  " end),
  ["in single quotes"] = surrounded("'", "'\n"),
  ["in double quotes"] = surrounded("\"", "\""),
  ["in double quotes, with \\n"] = then_(breaks("\\n"), surrounded("\"", "\"\n")),
  ["every line in quotes"] = per_line(function(line) return "'" .. line .. "'" end),
  ["as a shell's assignment"] = surrounded("export PRIVATE_KEY='", "'\n"),
  ["as JSON"] = then_(breaks("\\n"), surrounded("{\"key\":\"", "\"}")),
  ["as JSON of PHP"] = then_(breaks("\\n"), function(pem) return replace(pem, "/", "\\/") end),
  ["as JSON of .NET"] = then_(breaks("\\n"), function(pem) return replace(pem, "+", "\\u002B") end),
  ["as YAML"] = then_(per_line(function(line) return "  " .. line end), surrounded("key: |\n", "other: 1\n")),
  ["blank lines before and after"] = surrounded("\n\n \n", "\n\n"),
  ["blank lines within"] = breaks("\n\n"),
  ["a doubled BEGIN line"] = function(pem) return (pem:gsub("%-%-%-%-%-BEGIN [^\n]*\n", "%0%0")) end,
  ["doubled BEGIN and END lines"] = function(pem)
    return (pem:gsub("%-%-%-%-%-[BE][^\n]*\n", "%0\n%0"))
  end,
  ["a byte order mark in front"] = surrounded("\239\187\191", ""),
  ["other text around"] = surrounded("Bag Attributes\n    friendlyName: x\n", "\nsincerely\n"),
  ["twice the same"] = function(pem) return pem .. "\n" .. pem end,
  ["URL-safe base64"] = within(url_safe),
  ["URL-safe base64 without padding"] = within(then_(url_safe, without_padding)),
  ["no base64 padding"] = within(without_padding),
  ["no base64 padding, breaks lost"] = then_(within(without_padding), breaks("")),
  ["base64 of the text"] = core.base64_encode,
  ["base64 of the text, wrapped"] = function(pem)
    return (core.base64_encode(pem):gsub(("."):rep(76), "%0\n")) .. "\n"
  end,
  ["base64 of base64 of the text"] = function(pem) return core.base64_encode(core.base64_encode(pem)) end,
  ["base64 of the text with \\n"] = then_(breaks("\\n"), core.base64_encode),
}

-- And to base64 alone.
local BARE = {
  ["URL-safe"] = url_safe,
  ["URL-safe, without padding"] = then_(url_safe, without_padding),
  ["without padding"] = without_padding,
  ["in quotes"] = surrounded("\"", "\"\n"),
  ["with \\n every 64 characters"] = function(text) return (text:gsub(("."):rep(64), "%0\\n")) end,
  ["indented"] = surrounded("   ", "   "),
  ["as JSON of .NET"] = function(text) return replace(text, "+", "\\u002b") end,
  ["as JSON of Gson"] = function(text) return replace(text, "=", "\\u003d") end,
  ["base64 of it"] = core.base64_encode,
}

local function fingerprint(name)
  return assert(core.public_key({ file = keys.path(name, "spki.der") })):fingerprint()
end

local function assert_loads(row, text)
  local path = directory .. "/mangled"
  shell.write(path, text)
  for _, source in ipairs({ { data = text }, { file = path } }) do
    source.passphrase = keys.passphrase
    assert.equal(fingerprint(row.key), assert(read[row.half](source)):fingerprint())
  end
end

local function assert_refused(expected, half, text)
  local path = directory .. "/refused"
  local key, message = read[half]({ data = text, passphrase = keys.passphrase })
  local from_file
  shell.write(path, text)
  assert.is_nil(key)
  assert.matches(expected, message, 1, true)
  key, from_file = read[half]({ file = path, passphrase = keys.passphrase })
  assert.is_nil(key)
  assert.equal(path .. ": " .. message, from_file)
end

for name, mangle in pairs(MANGLED) do
  describe("PEM, " .. name .. ":", function()
    for _, row in ipairs(KEYS) do
      for _, structure in ipairs(row.structures) do
        it(("%s %s"):format(row.key, structure), function()
          assert_loads(row, mangle(keys.read(row.key, structure .. ".pem")))
        end)
      end
    end
  end)
end

for name, mangle in pairs(BARE) do
  describe("base64, " .. name .. ":", function()
    for _, row in ipairs(KEYS) do
      for _, structure in ipairs(row.structures) do
        if structure ~= "sec1_parameters" then
          it(("%s %s"):format(row.key, structure), function()
            assert_loads(row, mangle(keys.read(row.key, structure .. ".base64")))
          end)
        end
      end
    end
  end)
end

-- Its header's lines have to be told from the base64, and are as long as there is a break or blank behind each.
describe("an older encrypted PEM file is read with its breaks", function()
  local KEPT = { "\n", "\r\n", "\r", " ", "\\n", "\\r\\n", "\n    " }
  for _, instead in ipairs(KEPT) do
    it(("as %q"):format(instead), function()
      assert_loads({ key = "rsa", half = "private" }, breaks(instead)(keys.read("rsa", "pkcs1_encrypted.pem")))
    end)
  end

  it("but not without them", function()
    local text = breaks("")(keys.read("rsa", "pkcs1_encrypted.pem"))
    assert_refused("cannot read the PEM header of the encrypted key", "private", text)
  end)
end)

describe("a text that could mean two things is refused:", function()
  local function pair(name, structure)
    return keys.read(name, structure .. ".pem") .. keys.read_as("other", name, structure .. ".pem")
  end

  it("two private keys", function()
    for _, name in ipairs({ "rsa", "p224" }) do
      assert_refused("holds two different private keys", "private", pair(name, "pkcs8"))
    end
    local mixed = keys.read("rsa", "pkcs8.pem") .. keys.read("p224", "pkcs8.pem")
    assert_refused("holds two different private keys", "private", mixed)
    assert_refused("holds two different private keys", "private",
      keys.read("rsa", "pkcs1.pem") .. keys.read("p256", "pkcs8.pem"))
  end)

  it("two public keys", function()
    for _, name in ipairs({ "rsa", "p224" }) do
      assert_refused("holds two different public keys", "public", pair(name, "spki"))
      assert_refused("holds two different public keys", "public", pair(name, "certificate"))
    end
    assert_refused("holds two different public keys", "public",
      keys.read("rsa", "spki.pem") .. keys.read_as("other", "rsa", "certificate.pem"))
  end)

  it("two of them on one line", function()
    assert_refused("holds two different private keys", "private", breaks("")(pair("rsa", "pkcs8")))
    assert_refused("more follows the =", "public",
      keys.read("p224", "spki.base64") .. "\n" .. keys.read("rsa", "spki.base64"))
    assert_refused("bytes follow the end of the key", "public",
      core.base64_encode(keys.read("rsa", "spki.der") .. keys.read("p224", "spki.der")))
  end)

  it("but not one key in two forms", function()
    local text = keys.read("rsa", "pkcs8.pem") .. keys.read("rsa", "pkcs1.pem") .. keys.read("rsa", "spki.pem")
    assert_loads({ key = "rsa", half = "private" }, text)
    assert_loads({ key = "rsa", half = "public" }, keys.read("rsa", "spki.pem") .. keys.read("rsa", "certificate.pem"))
  end)

  it("two keys behind one BEGIN line", function()
    local text = replace(keys.read("rsa", "pkcs8.pem"), "-----END PRIVATE KEY-----\n", "")
    assert_refused("the PEM text is truncated", "private", text .. keys.read("rsa", "pkcs8.pem"))
  end)

  it("END that is not BEGIN's", function()
    assert_refused('begins "PRIVATE KEY", but ends "RSA PRIVATE KEY"', "private",
      replace(keys.read("rsa", "pkcs8.pem"), "END PRIVATE", "END RSA PRIVATE"))
  end)

  it("END without BEGIN", function()
    local text = keys.read("rsa", "pkcs8.pem"):gsub("^[^\n]*\n", "")
    assert_refused("END line and no BEGIN line", "private", text)
    text = replace(keys.read("rsa", "pkcs8.pem"), "-----BEGIN", "----BEGIN")
    assert_refused("END line and no BEGIN line", "private", text)
  end)

  it("both alphabets of base64", function()
    local text = keys.read("rsa", "pkcs8.base64")
    assert.is_truthy(text:find("+", 1, true) and text:find("/", 1, true))
    assert_refused("mixes + or / with - or _", "private", replace(text, "+", "-"))
  end)

  it("bytes after the end, in PEM", function()
    local more = keys.read("rsa", "pkcs8.der") .. "\0\0"
    local pem = "-----BEGIN PRIVATE KEY-----\n" .. core.base64_encode(more) .. "\n-----END PRIVATE KEY-----\n"
    assert_refused("2 bytes follow the end of the key", "private", pem)
  end)

  it("a label that contradicts what is within, on one line", function()
    local text = breaks(" ")(keys.read("rsa", "pkcs1.pem"))
    text = replace(text, "RSA PRIVATE KEY", "PRIVATE KEY")
    assert_refused('the PEM label says "PRIVATE KEY", but the data is a PKCS#1 RSA private key', "private", text)
  end)
end)

describe("a PEM text has a limit:", function()
  local function block(label, content)
    return ("-----BEGIN %s-----\n%s\n-----END %s-----\n"):format(label, content or "AAAA", label)
  end

  it("sixteen keys", function()
    local key = keys.read("p224", "spki.pem")
    assert_loads({ key = "p224", half = "public" }, key:rep(16))
    assert_refused("holds more than 16 keys", "public", key:rep(17))
  end)

  it("a label of 47 characters, shown as far as it can be", function()
    local longest = ("L"):rep(47)
    assert_refused(('hold no key, but "%s"'):format(longest), "private", block(longest))
    assert_refused("BEGIN line lacks the five hyphens", "private", block(longest .. "L"))
    assert_refused('hold no key, but "~ ?a???"', "private", block("~ \1a\127é"))
  end)

  it("a cipher's name and its start of 64", function()
    for length, said in pairs { [64] = "encrypted key: ", [65] = "its line breaks may be lost" } do
      local content = "Proc-Type: 4,ENCRYPTED\nDEK-Info: " .. ("X"):rep(length) .. "\n\nAAAA"
      assert_refused(said, "private", block("RSA PRIVATE KEY", content))
    end
  end)
end)

describe("a chain of certificates", function()
  local chain = keys.chain("rsa")
  local other = keys.chain("rsa")

  it("is read as its first", function()
    local expected = assert(core.public_key(chain.leaf)):fingerprint()
    for _, text in ipairs({
      chain.leaf .. chain.intermediate .. chain.root,
      chain.leaf .. chain.intermediate,
      chain.leaf .. chain.root .. chain.intermediate,
      breaks("\\n")(chain.leaf .. chain.intermediate .. chain.root),
    }) do
      assert.equal(expected, assert(core.public_key(text)):fingerprint())
    end
  end)

  it("with its last first, or of two chains, is refused", function()
    for _, text in ipairs({
      chain.root .. chain.intermediate .. chain.leaf,
      chain.intermediate .. chain.leaf,
      chain.leaf .. other.leaf,
      chain.leaf .. chain.root,
      chain.leaf .. chain.intermediate .. chain.root .. other.leaf,
    }) do
      assert_refused("holds two different public keys (and no chain", "public", text)
    end
  end)
end)

describe("a byte that belongs in no key is named:", function()
  local text = keys.read("p224", "spki.base64")
  local ODD = {
    { "a byte order mark", "\239\187\191" .. text,
      "byte 0xEF at position 1 is not of the alphabet (a byte order mark" },
    { "a no-break space", text:sub(1, 10) .. "\194\160" .. text:sub(11),
      "byte 0xC2 at position 11 is not of the alphabet (a no-break space)" },
    { "a no-break space at the end", text .. "\194\160",
      ("byte 0xC2 at position %d is not of the alphabet (a no-break space)"):format(#text + 1) },
    { "a zero-width space", text:sub(1, 20) .. "\226\128\139" .. text:sub(21),
      "byte 0xE2 at position 21 is not of the alphabet (a zero-width space)" },
    { "an ellipsis", text:sub(1, 20) .. "...", "byte 0x2E at position 21 is not of the alphabet (an ellipsis" },
    { "a mask", text:sub(1, 8) .. "********", "byte 0x2A at position 9 is not of the alphabet (was the key masked?)" },
    { "percent-encoding", replace(text, "=", "%3D"), "(is it percent-encoded?)" },
    { "a name in front", "KEY=" .. text, "a NAME= in front" },
    { "a variable", "${PUBLIC_KEY}", "byte 0x24 at position 1 is not of the alphabet (a variable" },
    { "a placeholder", "{{ public_key }}", "byte 0x7B at position 1 is not of the alphabet (a placeholder" },
    { "a backslash", text:sub(1, 20) .. "\\x" .. text:sub(21), "byte 0x5C at position 21" },
  }
  for _, row in ipairs(ODD) do
    it(row[1], function() assert_refused(row[3], "public", row[2]) end)
  end

  -- The escape becomes one byte, and what follows moves to the front: the last dot still stands behind the end.
  it("by what the text has, and not by what stands behind its end", function()
    local _, message = core.public_key("AAAA\\n..")
    assert.equal("no key: neither PEM nor DER, and as base64: byte 0x2E at position 6 is not of the alphabet", message)
  end)

  it("within PEM", function()
    local pem = keys.read("rsa", "pkcs8.pem")
    assert_refused('the base64 of the PEM block "PRIVATE KEY": byte 0xC2 at position 41 is not of the alphabet',
      "private", pem:sub(1, 40) .. "\194\160" .. pem:sub(41))
  end)
end)

describe("base64 that is cut", function()
  it("by one character, or its padding doubled, is refused", function()
    local text = keys.read("rsa", "pkcs8.base64")
    for cut = 1, 8 do
      local key, message = core.private_key((text:gsub("=", ""):sub(1, -1 - cut)))
      assert.is_nil(key)
      assert.is_truthy(message:find("truncated", 1, true) or message:find("cut off", 1, true)
        or message:find("unused bits", 1, true))
    end
    assert_refused("of = at its end", "private", text:gsub("=", "") .. "====")
  end)
end)
