-- Redis's protocol (RESP2), without I/O: commands as bytes, replies out of whatever has `read_until` and `read_exactly`
-- (see `alipayhk.transport.stream`). Failures are thrown as in `alipayhk.transport.http1`.

local fail = require("alipayhk.transport.http1").fail

local resp = {}

local EXACT = 2 ^ 53 -- up to here doubles hold every whole number

-- The limits of all replies of one exchange: csrc/redis/redis.h has the same.
local BYTES_MAX, ELEMENTS_MAX, DEPTH_MAX, LINE_MAX = 64 * 1024 * 1024, 1024 * 1024, 7, 65536

-- ---- commands ------------------------------------------------------------------------------------

local function argument(value, position)
  if type(value) == "number" and value % 1 == 0 and value >= -EXACT and value <= EXACT then
    value = ("%.0f"):format(value)
  end
  if type(value) ~= "string" then
    error(("argument %d of a command: a string or a whole number expected, found %s"):format(position,
      type(value) == "number" and "another number: give it as a string" or type(value)), 0)
  end
  return "$" .. #value .. "\r\n" .. value .. "\r\n"
end

-- A list of commands, each a list of strings and whole numbers, as one string. Throws if one is no such list.
function resp.encode(commands)
  local pieces = {}
  for _, command in ipairs(commands) do
    if #command == 0 then error("a command has at least its name", 0) end
    pieces[#pieces + 1] = "*" .. #command .. "\r\n"
    for position = 1, #command do pieces[#pieces + 1] = argument(command[position], position) end
  end
  return table.concat(pieces)
end

-- ---- replies -------------------------------------------------------------------------------------

-- The end of a message about a server that may not be a Redis.
resp.ADVICE = ": is it the right port, and does it want TLS (rediss://)?"

local function no_redis(what)
  fail("protocol", ("what came is not Redis's protocol (%s)%s"):format(what, resp.ADVICE))
end

local function count(digits, what)
  if digits == "-1" then return nil end
  if not digits:find("^%d+$") then no_redis("a " .. what .. " that is no number") end
  return tonumber(digits)
end

local function spend(limits, name, amount)
  limits[name] = limits[name] - amount
  if limits[name] < 0 then fail("too_large", "a reply has more " .. name .. " than may be") end
end

local read

-- By the first byte: what the rest of the line means.
local READ = {
  ["+"] = function(_, line) return line end,
  ["-"] = function(_, line) return { err = line } end,
  [":"] = function(_, line)
    if not line:find("^-?%d+$") then no_redis "an integer that is none" end
    local number = tonumber(line)
    return number > -EXACT and number < EXACT and number or line
  end,
  ["$"] = function(stream, line, limits)
    local length = count(line, "length")
    if not length then return false end
    spend(limits, "bytes", length)
    local bytes = stream:read_exactly(length)
    if stream:read_exactly(2) ~= "\r\n" then no_redis "a string of another length" end
    return bytes
  end,
  ["*"] = function(stream, line, limits, depth)
    local length = count(line, "length")
    if not length then return false end
    if depth == DEPTH_MAX then fail("too_large", "a reply has lists in lists, deeper than may be") end
    spend(limits, "elements", length)
    local items = {}
    for i = 1, length do items[i] = read(stream, limits, depth + 1) end
    return items
  end,
}

-- A string, a number (text beyond what doubles hold), a list, false for nil, or `{ err = text }`.
function read(stream, limits, depth)
  local line = stream:read_until("\r\n", LINE_MAX, "lines")
  spend(limits, "bytes", #line + 2)
  local kind = READ[line:sub(1, 1)]
  if not kind then no_redis "a reply that begins with no known byte" end
  return kind(stream, line:sub(2), limits, depth)
end

-- The code of an error's text, its first word.
local function code_of(said)
  return said:match("^([A-Z][A-Z_]*) ") or said:match("^[A-Z][A-Z_]*$") or "ERR"
end

-- Reads so many replies: a list of `{ reply }` or `{ nil, message, code }`.
function resp.read(stream, replies)
  local limits = { bytes = BYTES_MAX, elements = ELEMENTS_MAX }
  local results = {}
  for i = 1, replies do
    local reply = read(stream, limits, 0)
    local said = type(reply) == "table" and reply.err
    results[i] = said and { nil, said, code_of(said) } or { reply }
  end
  return results
end

return resp
