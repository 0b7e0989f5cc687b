-- Signs a request that something else sends.

local function loaded()
  return {
    core = require "alipayhk.core",
    failure = require "alipayhk.cli.failure",
    messages = require "alipayhk.cli.messages",
    platform = require "alipayhk.api.platform",
    settings = require "alipayhk.cli.settings",
    time = require "alipayhk.base.time",
    visible = require "alipayhk.cli.visible",
    wire = require "alipayhk.exchange.wire",
  }
end

local NOTHING = "sign: what is to be signed? Give a capture, or --path and --body"

local function request_of(use, given)
  local exchanges = use.messages.read(given)
  local request = exchanges[1].request
  if #exchanges > 1 then use.failure.usage("sign: %s holds %d exchanges: give one request", given.file, #exchanges) end
  if not request then use.failure.usage("%s", given.file and "sign: this is an answer, not a request" or NOTHING) end
  if not request.path then use.failure.usage("sign: give --path: the path as it is sent is signed as well") end
  if not request.body then
    use.failure.usage("sign: give --body FILE%s", given.file and ": the capture does not have the request's body" or "")
  end
  return request
end

-- The text of the time to sign for: the flag's, the captured one, or now.
local function time_of(use, request, config)
  local at = request.headers["request-time"]
  if type(at) ~= "string" then return use.time.text(config.now(), use.platform.utc_offset) end
  if not use.time.read(at) then
    use.failure.usage("sign: Request-Time: expected ISO 8601 with an offset, such as 2024-05-22T06:42:21+08:00")
  end
  return at
end

local function run(given, out)
  local use = loaded()
  local request = request_of(use, given)
  local config = use.settings.signing(given)
  local at = time_of(use, request, config)
  local content = use.wire.content(request.method, request.path, config.client_id, at, request.body)
  local signature, message = use.wire.sign(config.private_key, config.signing, content)
  if not signature then use.failure.usage("sign: %s", message) end
  local headers = {
    { "Client-Id", config.client_id }, { "Content-Type", use.platform.content_type }, { "Request-Time", at },
    { "Signature", signature },
  }
  if config.agent_token then headers[#headers + 1] = { "Agent-Token", config.agent_token } end
  for _, note in ipairs(request.notes) do out:say("note: %s", note) end
  if out.is_json then
    headers[#headers + 1] = { "content", given.content and use.core.base64_encode(content) or nil }
    return out:object(headers)
  end
  for _, header in ipairs(headers) do out:line("%s: %s", header[1], header[2]) end
  if given.content then out:line("\n%s", use.visible(content)) end
end

return {
  name = "sign",
  summary = "sign a request that something else sends, and print its headers",
  about = { [[The request comes from a capture (a raw HTTP message, what curl -v prints, a HAR entry), or from --path
and --body, or from both: flags go over the capture. Without --time or a captured Request-Time it is signed for now.
With --content the bytes that are signed follow the headers, control characters as names: compare them with those of
your own program.]] },
  examples = {
    { "alipayhk sign --config alipayhk.lua --path /api/x --body order.json > headers", "the headers, a line each" },
    { "curl -H @headers --data-binary @order.json https://...", "sends the same bytes" },
    { "alipayhk sign --config alipayhk.lua --content request.txt", "a captured request, and what is signed" },
  },
  arguments = { { name = "FILE", count = "?", about = "a captured request; - is standard input" } },
  options = {
    { "--content", about = "also print what is signed; with --json in base64" },
  },
  groups = { "message", "config", "output" },
  run = run,
}
