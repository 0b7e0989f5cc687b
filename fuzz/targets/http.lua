-- An answer's bytes, read by libcurl from a socket and by the parser for nginx: they agree on its status, its headers
-- and its body, or one of them refuses it. What is refused is a `{ code, message }`.

local curl = require "alipayhk.curl"
local http1 = require "alipayhk.transport.http1"
local lines = require "fuzz.support.lines"
local pieces = require "fuzz.support.pieces"
local same = require "fuzz.support.same"
local wire = require "wire"

local BODY_MAX = 2048
local CODES = { reset = true, protocol = true, too_large = true }

local REQUEST = {
  method = "POST", url = "http://127.0.0.1:1/", body = "{}", headers = {}, connect_timeout_ms = 5000, timeout_ms = 5000,
  max_response_bytes = BODY_MAX,
}

local function by_curl(bytes)
  wire.serve(bytes, "\r\n\r\n" .. REQUEST.body)
  local transport = curl.new()
  local answer, err = transport:send(REQUEST)
  transport:close()
  return answer, err
end

local function by_ours(bytes)
  local ok, result = pcall(http1.read_answer, pieces.stream(bytes, #bytes + 1), BODY_MAX)
  if ok then return result end
  return nil, result
end

local function check_refusal(err)
  assert(type(err) == "table" and CODES[err.code] and type(err.message) == "string", err and err.message or err)
end

local function shown(answer)
  local headers = {}
  for name, value in pairs(answer.headers) do headers[#headers + 1] = ("%s=%q"):format(name, value) end
  table.sort(headers)
  return ("%s %s %q"):format(answer.status, table.concat(headers, " "), answer.body)
end

local function compare(theirs, ours)
  for _, what in ipairs { "status", "headers", "body" } do
    if not same.is(theirs[what], ours[what]) then
      error(("another %s by libcurl than by ours:\n%s\n%s"):format(what, shown(theirs), shown(ours)), 0)
    end
  end
end

local function check(bytes)
  local theirs, their_err = by_curl(bytes)
  local ours, our_err = by_ours(bytes)
  if not theirs then check_refusal(their_err) end
  if not ours then check_refusal(our_err) end
  if theirs and ours then compare(theirs, ours) end
  return theirs and ours
end

-- There is something to compare.
assert(check "HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 2\r\n\r\n{}")
assert(check "HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")

local KNOWN = {
  "HTTP/1.1 200 OK\r\n", "HTTP/1.0 200 OK\r\n", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 204\r\n",
  "HTTP/2 200\r\n", "Content-Length: 5\r\n", "Content-Length: 0\r\n", "Transfer-Encoding: chunked\r\n",
  "Transfer-Encoding: gzip\r\n", "Transfer-Encoding: identity\r\n", "Connection: close\r\n",
  "Connection: keep-alive\r\n", "A: b\r\n", " folded\r\n", "Content-Encoding: gzip\r\n", "Location: /\r\n",
  "Set-Cookie: a=b\r\n", "\r\n", "hello", "5\r\nhello\r\n", "0\r\n\r\n", "0;a=b\r\n", "Trailer: t\r\n",
  "WWW-Authenticate: Basic\r\n", "Retry-After: 1\r\n",
}

return { run = check, mutate = lines(KNOWN) }
