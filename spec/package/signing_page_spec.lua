-- docs/signing.md signs by hand, with openssl, what the library signs.

local core = require "alipayhk.core"
local readme = require "spec.support.sources.readme"
local shell = require "spec.support.shell"

local PAGE = "docs/signing.md"

local function block(language, words)
  for _, found in ipairs(readme.blocks(PAGE)) do
    if found.language == language and found.text:find(words, 1, true) then return found.text end
  end
  error("no block with " .. words)
end

describe("signing by hand, as " .. PAGE .. " has it", function()
  it("gives the content that is shown, and the library's own signature", function()
    local directory = shell.directory()
    shell.must(("cd %s && openssl genrsa -out merchant.pem 2048 && openssl pkey -in merchant.pem -pubout "
      .. "-out merchant.pub.pem"):format(directory))
    local output = shell.must(("cd %s && set -e\n%s"):format(directory, block("sh", "openssl dgst")))
    assert.matches("Verified OK", output, 1, true)
    local content = shell.read(directory .. "/content.txt")
    assert.equal(block("", "POST /api/open"), content .. "\n")
    local key = assert(core.private_key { file = directory .. "/merchant.pem" })
    assert.equal(core.percent_encode(core.base64_encode(key:sign(content))), shell.read(directory .. "/signature.txt"))
  end)
end)
