-- The bill of materials of a release, CycloneDX 1.7, on standard output: the same bytes for the same commit.
--
--     lua rockspec/sbom.lua ROCKSPEC SHA256 TIME      of the archive; the commit's, in seconds

-- What is linked to or loaded and is no rock, and the licences of what is. docs/install.md says why these versions.
local LICENSES = { lua = "MIT", ["lua-cjson"] = "MIT", argparse = "MIT" }
local LIBRARIES = {
  { name = "openssl", constraint = ">= 3.0", license = "Apache-2.0" },
  { name = "curl", constraint = ">= 7.68", license = "curl" },
  { name = "hiredis", constraint = ">= 0.14", license = "BSD-3-Clause", optional = true },
  { name = "sqlite", constraint = ">= 3.31", license = "blessing", optional = true },
}

-- ---- JSON: keys in their order, two spaces a step ------------------------------------------------

local function quoted(text)
  return '"' .. text:gsub('[%c"\\]', function(c) return ("\\u%04x"):format(c:byte()) end) .. '"'
end

local encode

local function members(value, margin)
  local list = {}
  for i, item in ipairs(value) do list[i] = margin .. encode(item, margin) end
  if #list > 0 then return list, "[", "]" end
  for name, item in pairs(value) do
    list[#list + 1] = ("%s%s: %s"):format(margin, quoted(name), encode(item, margin))
  end
  table.sort(list)
  return list, "{", "}"
end

function encode(value, margin)
  if type(value) ~= "table" then return type(value) == "string" and quoted(value) or tostring(value) end
  local list, open, close = members(value, margin .. "  ")
  return ("%s\n%s\n%s%s"):format(open, table.concat(list, ",\n"), margin, close)
end

-- ---- parts ---------------------------------------------------------------------------------------

-- Like dofile, for a file that sets globals.
local function read_rockspec(path)
  local rock = {}
  local file = assert(io.open(path))
  local text = file:read("*a")
  file:close()
  local chunk = assert((loadstring or load)(text, "=" .. path, "t", rock)) -- luacheck: ignore 113 143
  if setfenv then setfenv(chunk, rock) end -- luacheck: ignore 113
  chunk()
  return rock
end

-- "lua >= 5.1, < 5.5": "lua" and "vers:generic/>=5.1|<5.5".
local function range(constraint)
  return "vers:generic/" .. constraint:gsub("%s", ""):gsub(",", "|")
end

local function component(kind, name, constraint, license, is_optional)
  local purl = ("pkg:%s/%s"):format(kind, name)
  return {
    type = "library", name = name, ["bom-ref"] = purl, purl = purl,
    isExternal = true, versionRange = range(constraint), scope = is_optional and "optional" or "required",
    licenses = { { license = { id = license } } },
  }
end

local function components_of(rock)
  local list = {}
  for i, dependency in ipairs(rock.dependencies) do
    local name, constraint = dependency:match("^(%S+)%s+(.+)$")
    list[i] = component(name == "lua" and "generic" or "luarocks", name, constraint, LICENSES[name])
  end
  for _, library in ipairs(LIBRARIES) do
    list[#list + 1] = component("generic", library.name, library.constraint, library.license, library.optional)
  end
  return list
end

local function bill(rock, sha256, time)
  local version = rock.version:match("^(.+)%-%d+$")
  local ref = ("pkg:luarocks/%s@%s"):format(rock.package, version)
  local components, refs = components_of(rock), {}
  for i, part in ipairs(components) do refs[i] = part["bom-ref"] end
  return {
    ["$schema"] = "http://cyclonedx.org/schema/bom-1.7.schema.json", bomFormat = "CycloneDX", specVersion = "1.7",
    version = 1,
    metadata = {
      timestamp = os.date("!%Y-%m-%dT%H:%M:%SZ", tonumber(time)),
      component = {
        type = "library", name = rock.package, version = version, ["bom-ref"] = ref, purl = ref,
        description = rock.description.summary, licenses = { { license = { id = rock.description.license } } },
        hashes = { { alg = "SHA-256", content = sha256 } },
        externalReferences = { { type = "source-distribution", url = rock.source.url } },
      },
    },
    components = components,
    dependencies = { { ref = ref, dependsOn = refs } },
  }
end

io.write(encode(bill(read_rockspec(arg[1]), arg[2], arg[3]), ""), "\n")
