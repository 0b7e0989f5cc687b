-- The messages that `sign` and `verify` work on: out of a capture, out of flags, or the one over the other.

local captured = require "alipayhk.cli.captured"
local failure = require "alipayhk.cli.failure"
local files = require "alipayhk.cli.files"
local platform = require "alipayhk.api.platform"

local messages = {}

local TIMES = { request = "request-time", answer = "response-time" }

local function new_message()
  return { headers = {}, notes = {} }
end

local function check_target(given)
  for _, name in ipairs { "method", "path", "time" } do
    if (given[name] or ""):find("[\r\n]") then failure.usage("--%s: expected one line", name) end
  end
  if given.path and given.path:sub(1, 1) ~= "/" then
    failure.usage("--path: expected the path alone, from its first slash on: scheme and host are not signed")
  end
end

-- A header that was given by its value alone is one of nothing but that.
local function signature_header(given)
  return given:find("signature=", 1, true) and given or "signature=" .. given
end

-- Which of an exchange's messages the flags are about.
local function meant(given, exchange)
  return given.of or (exchange.request or not exchange.answer) and "request" or "answer"
end

local function apply(given, exchange)
  local kind = meant(given, exchange)
  if given.path and not exchange.request then
    exchange.request = new_message()
    exchange.request.is_target_only = kind == "answer"
  end
  local request = exchange.request
  if request then
    request.method, request.path = given.method or request.method or "POST", given.path or request.path
  end
  local message = exchange[kind]
  if not message and (given.time or given.body or given.signature) then
    message = new_message()
    exchange[kind] = message
    if kind == "request" then message.method = given.method or "POST" end
  end
  if given.time then message.headers[TIMES[kind]] = given.time end
  if given.signature then message.headers.signature = signature_header(given.signature) end
  if given.body then
    message.body, message.notes = files.read(given.body, "--body", platform.body_max), {}
  end
end

local function read_capture(path)
  local content = files.read(path, "capture", captured.TEXT_MAX)
  local exchanges, message = captured.read(content)
  if not exchanges then failure.usage("%s: %s", path, message) end
  return exchanges
end

-- The exchanges: see `alipayhk.cli.captured`. `given`: the options of the group
-- "message", `file`, and of `verify` `signature` and `of`.
-- A request of which only method and path are known, for its answer's sake, has `is_target_only`.
function messages.read(given)
  check_target(given)
  if given.body == "-" and given.file == "-" then failure.usage("two files cannot both be standard input") end
  local exchanges = given.file and read_capture(given.file) or { {} }
  local has_flags = given.method or given.path or given.time or given.body or given.signature
  if has_flags and #exchanges > 1 then
    failure.usage("%s holds %d exchanges: flags about a message need a capture of one", given.file, #exchanges)
  end
  if has_flags then apply(given, exchanges[1]) end
  return exchanges
end

return messages
