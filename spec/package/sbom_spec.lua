-- The bill of materials beside the archive of a release.

local cjson = require "cjson"
local readme = require "spec.support.sources.readme"
local shell = require "spec.support.shell"

local VERSION = require("alipayhk.base.version")

-- What the built objects say that they need, and whose that is. libc and the like are the system's.
local OWNERS = {
  libcrypto = "openssl", libssl = "openssl", libcurl = "curl", libhiredis = "hiredis", libsqlite3 = "sqlite",
  libc = "", libm = "", libdl = "", libpthread = "",
}

-- How docs/install.md calls them.
local PAGE_NAMES = {
  lua = "Lua", ["lua-cjson"] = "lua-cjson", argparse = "lua-argparse", openssl = "OpenSSL", curl = "libcurl",
  hiredis = "libhiredis", sqlite = "SQLite",
}

local function by_name(components)
  local found = {}
  for _, component in ipairs(components) do found[component.name] = component end
  return found
end

describe("the bill of materials", function()
  local archive, path, text, bill, components

  setup(function()
    archive, path = shell.must("make -s dist"):match("^([^\n]+)\n([^\n]+)\n$")
    text = shell.read(path)
    bill = cjson.decode(text)
    components = by_name(bill.components)
  end)

  it("is CycloneDX, the same bytes each time and under each Lua", function()
    assert.equal("CycloneDX", bill.bomFormat)
    assert.equal("1.7", bill.specVersion)
    assert.equal(1, bill.version)
    for _, lua in ipairs { "5.4", "5.1", "luajit" } do
      shell.must("make -s dist LUA=" .. lua)
      assert.equal(text, shell.read(path), lua)
    end
  end)

  it("is about this release, and about that archive", function()
    local subject = bill.metadata.component
    assert.equal("lua-alipayhk", subject.name)
    assert.equal(VERSION, subject.version)
    assert.equal("pkg:luarocks/lua-alipayhk@" .. VERSION, subject.purl)
    assert.equal("MIT", subject.licenses[1].license.id)
    assert.matches("^MIT License", shell.read("LICENSE"))
    assert.equal(shell.must("sha256sum < " .. archive):match("%x+"), subject.hashes[1].content)
    assert.matches("/v" .. VERSION .. "/" .. archive:match("[^/]+$"), subject.externalReferences[1].url, 1, true)
    assert.equal(shell.must("TZ=UTC git log -1 --format=%cd --date=format-local:%Y-%m-%dT%H:%M:%SZ"),
      bill.metadata.timestamp .. "\n")
  end)

  it("has a name, an address, a range of versions and a licence for each part, and each is needed", function()
    local refs = {}
    for i, part in ipairs(bill.components) do
      refs[i] = part["bom-ref"]
      assert.equal("library", part.type)
      assert.matches("^pkg:%l+/" .. part.name:gsub("%-", "%%-") .. "$", part.purl)
      assert.is_true(part.isExternal)
      assert.is_nil(part.version) -- which a part from elsewhere with a range may not have
      assert.matches("^vers:generic/>=%d[%d.]*$", (part.versionRange:gsub("|<[%d.]+$", "")))
      assert.matches("^[%w.-]+$", part.licenses[1].license.id)
      assert.is_true(part.scope == "required" or part.scope == "optional", part.scope)
    end
    assert.same({ { ref = bill.metadata.component["bom-ref"], dependsOn = refs } }, bill.dependencies)
  end)

  it("has what the rock needs", function()
    local count = 0
    local rockspec = shell.read("rockspec/lua-alipayhk-" .. VERSION .. "-1.rockspec")
    for name, range in rockspec:match("\ndependencies = (%b{})"):gmatch('"(%S+) ([^"]+)"') do
      count = count + 1
      assert.equal("vers:generic/" .. range:gsub(" ", ""):gsub(",", "|"), components[name].versionRange)
      assert.equal("required", components[name].scope)
    end
    assert.equal(3, count)
  end)

  it("has what the built objects are linked to", function()
    local found = {}
    for name in shell.must("make -s build LUA=5.4; readelf -d build/5.4/alipayhk/*.so"):gmatch("%[(lib%w+)%.so") do
      local owner = assert(OWNERS[name], name)
      found[owner] = true
      assert.is_true(owner == "" or components[owner] ~= nil, name)
    end
    for _, owner in pairs(OWNERS) do assert.is_true(found[owner], owner) end
  end)

  it("asks for the versions that docs/install.md has", function()
    local rows = {}
    for _, row in ipairs(readme.rows("docs/install.md", "")) do rows[row[1]] = row[2] end
    for name, part in pairs(components) do
      local row = assert(rows[PAGE_NAMES[name]], name)
      local least = part.versionRange:match(">=([%d.]+)"):gsub("^3%.0$", "3")
      assert.equal(least, row:match("%d[%d.]*"):gsub("%.$", ""), row)
    end
  end)

  it("asks for the SQLite that the build asks for", function()
    local major, minor = components.sqlite.versionRange:match(">=(%d+)%.(%d+)$")
    assert.matches(("SQLITE_VERSION_NUMBER < %d%03d000'"):format(major, minor), shell.read("Makefile"), 1, true)
  end)
end)
