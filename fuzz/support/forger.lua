-- Who tampers with signed messages, and who judges whether one that was believed is one that was signed.
--
-- The messages that are signed are the files of a target's corpus whose names begin with "signed-". The judge shares no
-- code with the product.

local message = require "fuzz.support.message"

local forger = {}

local function bytes_of(path)
  local file = assert(io.open(path, "rb"))
  local bytes = file:read("a")
  file:close()
  return bytes
end

-- The messages that are signed, by name.
function forger.signed(target, names)
  local list = {}
  for _, name in ipairs(names) do
    local bytes = bytes_of(("fuzz/corpus/%s/signed-%s"):format(target, name))
    list[#list + 1] = message.read(bytes)
    list[#list].name = name
  end
  return list
end

-- ---- judging ---------------------------------------------------------------------------------------

-- The base64 of a Signature header, whatever way it is written: percent-encoded, with blanks in it.
local function signatures_in(header)
  local found = {}
  for name, value in header:gmatch("([^=,]+)=([^,]*)") do
    if name:match("^%s*(.-)%s*$") == "signature" then
      value = value:gsub("%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end)
      found[value:gsub("[ \t\r\n]", "")] = true
    end
  end
  return found
end

local function only_signature(given)
  return (next(signatures_in(message.joined(given).signature)))
end

-- The signed message that a message is, byte for byte where it is signed; nil if it is none. `time`: the name of the
-- header that holds it.
function forger.original(signed, given, time)
  local headers = message.joined(given)
  local found = signatures_in(headers.signature or "")
  for _, original in ipairs(signed) do
    if given.body == original.body and headers[time] == message.joined(original)[time]
        and found[only_signature(original)] then
      return original
    end
  end
end

-- ---- tampering -------------------------------------------------------------------------------------

local random = math.random

local function pick(list)
  return list[random(#list)]
end

local function with_bit_flipped(text)
  if text == "" then return "\1" end
  local at = random(#text)
  return text:sub(1, at - 1) .. string.char(text:byte(at) ~ (1 << random(0, 7))) .. text:sub(at + 1)
end

local function with_inserted(text, what)
  local at = random(0, #text)
  return text:sub(1, at) .. what .. text:sub(at + 1)
end

local function percent_encoded(text)
  if text == "" then return text end
  local at = random(#text)
  return text:sub(1, at - 1) .. ("%%%02X"):format(text:byte(at)) .. text:sub(at + 1)
end

local EXTRA = {
  { "Encrypt", "algorithm=RSA_AES,keyVersion=1,symmetricKey=AAAA" }, { "Encrypt", "" }, { "Signature", "" },
  { "Content-Encoding", "gzip" }, { "Client-Id", "another" }, { "Client-Id", "" }, { "Response-Time", "0" },
  { "Request-Time", "1632833743000" }, { "Date", "Sun, 06 Nov 1994 08:49:37 GMT" }, { "Content-Length", "0" },
}
local BODIES = {
  '{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success."}}', "", "{}", "null",
}

-- Each changes a message, in place. `other` is one of those that are signed.
local CHANGES = {
  function(given) given.body = with_bit_flipped(given.body) end,
  function(given) given.body = with_inserted(given.body, pick { " ", "\n", "\0", ".", "}" }) end,
  function(given) given.body = given.body:sub(1, random(0, #given.body)) end,
  function(given) given.body = mutate(given.body, #given.body + 64) end,
  function(given) given.body = pick(BODIES) end,
  function(given, other) given.body = other.body end,
  function(given) given.first = pick { "200", "400", "401", "500", "204", given.first } end,
  function(given) given.first = mutate(given.first, #given.first + 16) end,
  function(given, other) given.first = other.first end,
  function(given, other) given.headers[#given.headers + 1] = { table.unpack(pick(other.headers)) } end,
  function(given) given.headers[#given.headers + 1] = { table.unpack(pick(EXTRA)) } end,
  function(given, other)
    local header = pick(other.headers)
    for _, mine in ipairs(given.headers) do
      if mine[1] == header[1] then mine[2] = header[2] end
    end
  end,
  -- The end of the time becomes the beginning of the body, or the other way round: the same bytes are signed.
  function(given)
    for _, header in ipairs(given.headers) do
      if header[1]:find("Time$") then
        local both = header[2] .. "." .. given.body
        local dots = {}
        for at in both:gmatch("()%.") do dots[#dots + 1] = at end
        local at = pick(dots)
        header[2], given.body = both:sub(1, at - 1), both:sub(at + 1)
      end
    end
  end,
}

local VERSIONS = { "", "keyVersion=1,", "keyVersion=2,", "keyVersion=9," }

-- Each gives another value, or another name.
local VALUES = {
  with_bit_flipped, percent_encoded,
  function(value) return with_inserted(value, pick { " ", "\t", ",", "=", "%", "%0A", "+", "\r" }) end,
  function(value) return mutate(value, #value + 32) end,
  function(value) return (value:gsub("%%2B", "+"):gsub("%%2F", "/"):gsub("%%3D", "=")) end,
  function(value) return (value:gsub("keyVersion=%w*,?", pick(VERSIONS))) end,
  function(value) return (value:gsub("algorithm=%w*,?", pick { "", "algorithm=rsa256,", "algorithm=ECC224," })) end,
  function(value) return value .. "," .. value end,
}
local NAMES = { string.upper, string.lower, with_bit_flipped, function(name) return name .. " " end }

CHANGES[#CHANGES + 1] = function(given)
  local header = pick(given.headers)
  header[2] = pick(VALUES)(header[2])
end
CHANGES[#CHANGES + 1] = CHANGES[#CHANGES]
CHANGES[#CHANGES + 1] = function(given)
  local header = pick(given.headers)
  header[1] = pick(NAMES)(header[1])
end
CHANGES[#CHANGES + 1] = function(given) table.remove(given.headers, random(#given.headers)) end

-- A message that differs, most often, from one that is signed.
function forger.mutator(signed)
  return function(input, max_length, seed)
    math.randomseed(seed)
    if random(8) == 1 then return mutate(input, max_length) end
    local given = message.read(random(3) == 1 and message.write(pick(signed)) or input)
    for _ = 1, random(3) do
      if #given.headers == 0 then break end
      pick(CHANGES)(given, pick(signed))
    end
    return message.write(given)
  end
end

return forger
