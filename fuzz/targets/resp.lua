-- Redis's protocol. A command that is written reads as the same list of strings; replies are read to the same values,
-- or to the same failure, in whatever pieces they arrive; what fails is a `{ code, message }`.

local lines = require "fuzz.support.lines"
local pieces = require "fuzz.support.pieces"
local resp = require "alipayhk.delivery.redis.resp"
local same = require "fuzz.support.same"

local COUNT_MAX = 8
local SHORT = 64 -- bytes: so many pieces

-- The strings that the input is made of, by its lines.
local function command_of(input)
  local command = {}
  for line in (input .. "\n"):gmatch("(.-)\n") do command[#command + 1] = line end
  return command
end

local function check_encoding(input)
  local command = command_of(input)
  local replies = resp.read(pieces.stream(resp.encode { command }, 4096), 1)
  assert(same.is(replies[1][1], command), "a command reads as another one")
end

local function read(input, replies, size)
  local ok, result = pcall(resp.read, pieces.stream(input, size), replies)
  if ok then return { result = result } end
  assert(type(result) == "table" and type(result.code) == "string" and type(result.message) == "string", result)
  return { code = result.code, message = result.message }
end

local function check_decoding(input)
  local replies = #input % COUNT_MAX + 1
  local whole = read(input, replies, #input + 1)
  local size = #input <= SHORT and 1 or #input // SHORT + 1
  assert(same.is(read(input, replies, size), whole), "in pieces it reads as something else")
end

return {
  run = function(input)
    check_encoding(input)
    check_decoding(input)
  end,
  mutate = lines {
    "*2\r\n", "*0\r\n", "*-1\r\n", "$5\r\nhello\r\n", "$0\r\n\r\n", "$-1\r\n", "+OK\r\n", "-ERR no\r\n", ":1\r\n",
    ":-9007199254740993\r\n", "*1048577\r\n", "$67108865\r\n",
  },
}
