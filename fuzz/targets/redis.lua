-- Replies of a Redis, read by libhiredis from a socket and by the codec for nginx: they agree on what was said, or one
-- of them refuses it.

local lines = require "fuzz.support.lines"
local pieces = require "fuzz.support.pieces"
local redis = require "alipayhk.redis"
local resp = require "alipayhk.delivery.redis.resp"
local same = require "fuzz.support.same"
local wire = require "wire"

local COUNT_MAX = 4
local SERVER = { host = "127.0.0.1", port = 1, connect_timeout_ms = 5000, timeout_ms = 5000 }

local function commands(count)
  local list = {}
  for i = 1, count do list[i] = { i == count and "END" or "GET", i == count and "" or "k" } end
  return list
end

local function by_hiredis(bytes, count)
  wire.serve(bytes, "$3\r\nEND\r\n$0\r\n\r\n")
  local connection = assert(redis.connect(SERVER))
  local results, message, code = connection:pipeline(commands(count))
  connection:close()
  assert(results or type(message) == "string" and type(code) == "string", "refused without a word")
  return results
end

local function by_ours(bytes, count)
  local ok, results = pcall(resp.read, pieces.stream(bytes, #bytes + 1), count)
  assert(ok or type(results) == "table" and results.code, results)
  return ok and results
end

-- As LuaJIT would have it, for which the codec is: an integer that its numbers cannot hold is its digits.
local function without_integers(value)
  if math.type(value) == "integer" and (value >= 2 ^ 53 or value <= -2 ^ 53) then return tostring(value) end
  if type(value) ~= "table" then return value end
  local made = {}
  for key, child in pairs(value) do made[key] = without_integers(child) end
  return made
end

local function shown(value)
  if type(value) ~= "table" then return ("%s %q"):format(type(value), tostring(value)) end
  local parts = {}
  for key, child in pairs(value) do parts[#parts + 1] = tostring(key) .. "=" .. shown(child) end
  return "{" .. table.concat(parts, ", ") .. "}"
end

local function check(bytes)
  local count = #bytes % COUNT_MAX + 1
  local theirs, ours = by_hiredis(bytes, count), by_ours(bytes, count)
  if theirs and ours and not same.alike(without_integers(theirs), ours) then
    error(("another reply by libhiredis than by ours:\n%s\n%s"):format(shown(theirs), shown(ours)), 0)
  end
  return theirs and ours
end

-- There is something to compare.
assert(check "*2\r\n$1\r\na\r\n:12\r\n")

return {
  run = check,
  mutate = lines {
    "*2\r\n", "*0\r\n", "*-1\r\n", "$5\r\nhello\r\n", "$0\r\n\r\n", "$-1\r\n", "+OK\r\n", "-ERR no\r\n", ":1\r\n",
    ":-9007199254740993\r\n", "*1048577\r\n", "$67108865\r\n", "_\r\n", "#t\r\n", ",1.5\r\n", "%1\r\n", "~1\r\n",
  },
}
