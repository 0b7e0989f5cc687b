-- HTTP/1.1 as bytes: writes a request, and parses an answer from a stream. Knows no socket.
--
-- An answer that parsers read in different ways is refused: a proxy may have read it in another way than we would
-- (response smuggling). Failures are thrown as tables `{ code, message }`, with a transport's codes.

local lower = require("alipayhk.base.text").lower

local http1 = {
  -- A pattern for the name of a header.
  TOKEN = "[A-Za-z0-9!#$%%&'*+.^_`|~-]+",
}

local HEAD_MAX, HEADER_COUNT_MAX = 65536, 100
local CHUNK_LINE_MAX, INTERIM_MAX = 256, 100

-- Throws a failure.
function http1.fail(code, message)
  error({ code = code, message = message }, 0)
end

local fail = http1.fail

-- ---- the request -------------------------------------------------------------------------------

-- Parses an absolute URL of http or https: `{ scheme, authority, target, host, port }`.
function http1.parse_url(text)
  local scheme, authority, target = text:match("^(https?)://([^/]+)(/.*)$")
  if not scheme then fail("protocol", "the URL cannot be read") end
  local host, port = authority:match("^(%[.-%]):?(%d*)$")
  if not host then host, port = authority:match("^([^:]*):?(%d*)$") end
  if not host then fail("protocol", "the URL's host and port cannot be read") end
  return {
    scheme = scheme,
    authority = authority,
    target = target,
    host = host,
    port = tonumber(port) or (scheme == "https" and 443 or 80),
  }
end

local function has_line_end(text)
  return text:find("\n", 1, true) or text:find("\r", 1, true) or text:find("\0", 1, true)
end

-- The bytes of a transport's request as a list of strings, which the socket joins. `url`: what `parse_url` gave.
function http1.request_pieces(request, url)
  local pieces = { request.method, " ", url.target, " HTTP/1.1\r\nHost: ", url.authority, "\r\n" }
  local n = #pieces
  for name, value in pairs(request.headers) do
    if has_line_end(name) or has_line_end(value) then fail("protocol", "header " .. name .. ": CR, LF or NUL in it") end
    pieces[n + 1], pieces[n + 2], pieces[n + 3], pieces[n + 4] = name, ": ", value, "\r\n"
    n = n + 4
  end
  pieces[n + 1], pieces[n + 2], pieces[n + 3] = "Content-Length: ", #request.body, "\r\n\r\n"
  pieces[n + 4] = request.body
  return pieces
end

-- ---- the answer --------------------------------------------------------------------------------

local FIELD_NAME = "^(" .. http1.TOKEN .. "):"

-- The line that begins at `from`, and where the next one begins. A CR or LF alone is refused: it ends the line for some
-- parsers, and not for others. The finds are plain, since a pattern is matched byte by byte.
local function read_line(text, from)
  local cr, lf = text:find("\r", from, true), text:find("\n", from, true)
  if not cr and not lf then return text:sub(from), #text + 1 end
  if not cr or lf ~= cr + 1 then fail("protocol", "a header line of the answer has no proper end") end
  return text:sub(from, cr - 1), lf + 1
end

local function trim(text)
  local first = text:find("[^ \t]")
  if not first then return "" end
  local last = #text
  while text:find("^[ \t]", last) do last = last - 1 end
  return text:sub(first, last)
end

-- The headers by lower-case name. A folded line begins with a blank instead of a name, so it is refused.
local function parse_headers(text, from)
  local headers, count, line = {}, 0
  while from <= #text do
    line, from = read_line(text, from)
    local name = line:match(FIELD_NAME)
    if not name then fail("protocol", "a header line of the answer cannot be read") end
    local key, value = lower(name), trim(line:sub(#name + 2))
    headers[key] = headers[key] and (headers[key] .. ", " .. value) or value
    count = count + 1
    if count > HEADER_COUNT_MAX then fail("too_large", "the answer has too many headers") end
  end
  return headers
end

-- A pattern for text without line ends, NUL and other control characters; tabs are allowed.
local PRINTED = "[^%z\1-\8\10-\31\127]*"
local REASON, EXTENSION = "^ " .. PRINTED .. "$", "^(%x+)[ \t]*;" .. PRINTED .. "$"

local START = "HTTP/"

-- Parses a head, given without its START and the empty line at its end. Exactly one blank stands before the status:
-- parsers that accept two and those that do not would disagree on whether this is an interim answer.
local function parse_head(text)
  if text:find("\0", 1, true) then fail("protocol", "there is a NUL in the answer's head") end
  local line, from = read_line(text, 1)
  local version, status, reason = line:match("^1%.([01]) ([1-9]%d%d)(.*)$")
  if not version or not (reason == "" or reason:find(REASON)) then
    fail("protocol", "the answer is not HTTP/1.1")
  end
  local headers = parse_headers(text, from)
  -- HTTP/1.0 has no chunks: some parsers go by the version, and read until the connection is closed.
  if version == "0" and headers["transfer-encoding"] then
    fail("protocol", "the answer is HTTP/1.0, and in chunks all the same")
  end
  return { status = tonumber(status), headers = headers, persistent = version == "1" }
end

-- What does not begin as HTTP is refused at once: its end may never come.
local function read_head(stream)
  if stream:read_exactly(#START) ~= START then fail("protocol", "the answer is not HTTP/1.1") end
  return parse_head(stream:read_until("\r\n\r\n", HEAD_MAX - #START))
end

local function too_large()
  fail("too_large", "the answer is larger than max_response_bytes")
end

local function read_chunk_size(stream)
  local line = stream:read_until("\r\n", CHUNK_LINE_MAX)
  local digits = line:match("^(%x+)[ \t]*$") or line:match(EXTENSION)
  if not digits or #digits > 8 then fail("protocol", "a chunk size of the answer cannot be read") end
  return tonumber(digits, 16)
end

-- Trailers look like headers and end with an empty line. We use none of them.
local function skip_trailers(stream)
  for _ = 0, HEADER_COUNT_MAX do
    local line = stream:read_until("\r\n", HEAD_MAX)
    if line == "" then return end
    if has_line_end(line) or not line:find(FIELD_NAME) then fail("protocol", "a trailer cannot be read") end
  end
  fail("too_large", "the answer has too many trailers")
end

local function read_chunks(stream, max)
  local pieces, total = {}, 0
  while true do
    local size = read_chunk_size(stream)
    if size == 0 then break end
    total = total + size
    if total > max then too_large() end
    pieces[#pieces + 1] = stream:read_exactly(size)
    if stream:read_exactly(2) ~= "\r\n" then fail("protocol", "a chunk of the answer is longer than it says") end
  end
  skip_trailers(stream)
  return table.concat(pieces)
end

local BODILESS = { [204] = true, [304] = true }

local function read_body(stream, head, max)
  local length, coding = head.headers["content-length"], head.headers["transfer-encoding"]
  if BODILESS[head.status] then
    -- A server that announces a body all the same may send one, so the connection is not used again.
    if length or coding then head.persistent = false end
    return ""
  end
  if coding then
    if length or lower(coding) ~= "chunked" then
      fail("protocol", "the answer's length is ambiguous: Transfer-Encoding beside something else")
    end
    return read_chunks(stream, max)
  end
  if not length then
    head.persistent = false
    return stream:read_to_end(max) or too_large()
  end
  if not length:find("^%d+$") or #length > 10 then fail("protocol", "the answer's Content-Length cannot be read") end
  if tonumber(length) > max then too_large() end
  return stream:read_exactly(tonumber(length))
end

-- Reads an answer, and skips interim ones (1xx): `{ status, headers, body, persistent }`; `persistent`: whether the
-- connection may serve another request. `stream` has `read_until(mark, max)`, `read_exactly(n)`, and
-- `read_to_end(max)`, which gives nil if there is more. `max` limits the body, in bytes.
function http1.read_answer(stream, max)
  local head = read_head(stream)
  for count = 1, INTERIM_MAX do
    if head.status >= 200 then break end
    if head.status == 101 then fail("protocol", "the server changes to a protocol that nobody asked for") end
    if count == INTERIM_MAX then fail("protocol", "the server sends one interim answer after the other") end
    head = read_head(stream)
  end
  head.body = read_body(stream, head, max)
  if lower(head.headers["connection"] or ""):find("close", 1, true) then head.persistent = false end
  return head
end

return http1
