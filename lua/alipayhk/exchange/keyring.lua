-- The public keys of the other side, by version.

local core = require "alipayhk.core"
local text = require "alipayhk.base.text"

local Keyring = {}
Keyring.__index = Keyring

local function is_source(source)
  return type(source) ~= "table" or source.file ~= nil or source.data ~= nil
end

-- The key of the version that a header names, the latest if it names none (nil or empty); or nil and a message. A key
-- that was given without a version serves every version.
function Keyring:get(version)
  if self.single then return self.single end
  if version == nil or version == "" then return self.keys[self.latest] end
  local key = self.keys[version]
  if key then return key end
  return nil, ("it is signed with key version %s; the versions given are %s"):format(
    text.shown(version, 16), table.concat(self.versions, ", "))
end

local function rank(version)
  return version:find("^%d+$") and tonumber(version) or math.huge
end

-- Orders numbers by value ("10" after "9"), and other names after them.
local function by_number(a, b)
  local x, y = rank(a), rank(b)
  if x ~= y then return x < y end
  return a < b
end

-- A version as text. A float is written without fraction or exponent, as an integer is.
local function version_text(version)
  return type(version) == "number" and ("%.0f"):format(version) or tostring(version)
end

local function is_version(value)
  if type(value) == "number" then return value >= 0 and value % 1 == 0 and value < 1e9 end
  return type(value) == "string" and #value <= 64 and value:find("^[A-Za-z0-9._-]+$") ~= nil
end

local function read_versions(sources)
  local ring = { keys = {}, versions = {} }
  for version, source in pairs(sources) do
    if not is_version(version) then
      return nil, "the versions of a table of keys are whole numbers, or strings of letters and digits"
    end
    local key, message = core.public_key(source)
    local name = version_text(version)
    if not key then return nil, ("version %s: %s"):format(name, message) end
    if ring.keys[name] then return nil, ("version %s is there twice, as a number and as a string"):format(name) end
    ring.keys[name] = key
    ring.versions[#ring.versions + 1] = name
  end
  if #ring.versions == 0 then return nil, "the table names no key" end
  table.sort(ring.versions, by_number)
  ring.latest = ring.versions[#ring.versions]
  return setmetatable(ring, Keyring)
end

-- Makes a keyring of a key source, or of a table `{ [version] = key source }`; or nil and a message.
local function new(source)
  if not is_source(source) then return read_versions(source) end
  local key, message = core.public_key(source)
  if not key then return nil, message end
  return setmetatable({ single = key, keys = { key }, versions = {} }, Keyring)
end

return { new = new, version_text = version_text }
