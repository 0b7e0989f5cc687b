-- Reads HTTP messages that something else has captured: a raw message, what `curl -v` prints, or HAR (JSON). Pure: it
-- knows no files and no keys, and whatever the text is, gives a result or a message.
--
-- An exchange is `{ request, answer }`, either of which may be nil. A message is
--
--   method, path, host   of a request; the path with its query string; host nil if it is not known
--   status               of an answer
--   headers              by lower-case name: the value, or a list of them where it came several times
--   body                 its exact bytes; nil if the capture does not have it
--   notes                what the capture says of the body that may matter: sentences

local core = require "alipayhk.core"
local json = require "alipayhk.base.json"
local platform = require "alipayhk.api.platform"
local text = require "alipayhk.base.text"

local captured = {
  -- As much as the JSON reader takes.
  TEXT_MAX = 64 * 1024 * 1024,
}

local BODY_MAX = platform.body_max
local HEADERS_MAX = 1000
local VALUE_MAX = 64 * 1024 -- of a header that goes on over several lines
local EXCHANGES_MAX = 10000

local EXPECTED = "expected a raw HTTP message, what curl -v prints, or HAR"

-- ---- messages ------------------------------------------------------------------------------------------

local function new_message()
  return { headers = {}, notes = {}, header_count = 0 }
end

local function note(message, format, ...)
  message.notes[#message.notes + 1] = format:format(...)
end

local function add_header(message, name, value)
  message.header_count = message.header_count + 1
  if message.header_count > HEADERS_MAX then return end
  name = text.lower(name)
  local before = message.headers[name]
  if before == nil then
    message.headers[name] = value
  elseif type(before) == "table" then
    before[#before + 1] = value
  else
    message.headers[name] = { before, value }
  end
end

-- The value of a header that comes once.
local function header(message, name)
  local value = message.headers[name]
  return type(value) == "string" and value or nil
end

-- What a request line, `:path` or HAR has for a target: the path, and the host if it is a whole address.
local function split_target(target)
  local host, path = target:match("^[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)([^#]*)")
  if not host then return target end
  if path:sub(1, 1) ~= "/" then path = "/" .. path end
  return path, (host:gsub("^.*@", ""))
end

local function set_target(message, target)
  local path, host = split_target(target)
  message.path, message.host = path ~= "" and path or nil, host or message.host
end

-- What the pseudo-headers of HTTP/2 set.
local PSEUDO = {
  [":method"] = function(message, value) message.method = value end,
  [":path"] = set_target,
  [":authority"] = function(message, value) message.host = value end,
  [":status"] = function(message, value) message.status = tonumber(value:match("^%d%d%d$")) end,
}

local function set_field(message, name, value)
  local pseudo = PSEUDO[text.lower(name)]
  if pseudo then return pseudo(message, value) end
  if name:sub(1, 1) ~= ":" then add_header(message, name, value) end
end

-- Reads the first line of a message: whether it is one.
local function start_message(message, line)
  local method, target = line:match("^([A-Za-z]+) ([^ ]+) HTTP/[0-9.]+[ \t]*$")
  if method then
    message.method = method
    set_target(message, target)
    return true
  end
  message.status = tonumber(line:match("^HTTP/[0-9.]+ (%d%d%d)%f[%D]"))
  return message.status ~= nil
end

-- Such as 100 Continue, which has no body and is followed by the answer.
local function is_interim(message)
  return message.status and message.status < 200
end

local function is_status_line(line)
  return line:find("^HTTP/[0-9.]+ %d%d%d%f[%D]") ~= nil
end

-- Without blanks at its end. A pattern such as "(.-) *$" would take long where many stand in between.
local function trimmed(s)
  return s:match("^.*[^ \t]") or ""
end

-- Reads a line of a head that is a header; `last`: the header before, which a line that begins with a blank goes on.
local function read_field(message, line, last)
  local more = line:match("^[ \t]+(.*)$")
  if more then
    local before = last and message.headers[last]
    if type(before) == "string" and #before < VALUE_MAX then message.headers[last] = before .. " " .. trimmed(more) end
    return last
  end
  local name, value = line:match("^(:?[^: \t]+)[ \t]*:[ \t]*(.*)$")
  if not name then return last end
  set_field(message, name, trimmed(value))
  return text.lower(name)
end

-- Whether it is a whole one, with the host that its headers name.
local function finish(message)
  message.host = message.host or header(message, "host")
  if not message.status and message.method and not message.path then message.path = "/" end
  return message.status ~= nil or message.path ~= nil
end

-- ---- lines ---------------------------------------------------------------------------------------------

-- The line at a position, without its end, and the position of the next one; nil behind the last.
local function line_at(given, at)
  if at > #given then return nil end
  local stop = given:find("\n", at, true) or #given + 1
  local last = stop - 1
  if last >= at and given:byte(last) == 13 then last = last - 1 end
  return given:sub(at, last), stop + 1
end

-- ---- bodies --------------------------------------------------------------------------------------------

-- What stands in chunks, and where they end; nil if these are none.
local function read_chunks(given, at)
  local parts, bytes = {}, 0
  repeat
    local line, from = line_at(given, at)
    local digits = line and line:match("^(%x+)[ \t]*$") or line and line:match("^(%x+)[ \t]*;")
    local size = digits and #digits <= 8 and tonumber(digits, 16)
    if not size or from + size - 1 > #given + 1 then return nil end
    bytes = bytes + size
    if bytes > BODY_MAX then return nil end
    parts[#parts + 1] = given:sub(from, from + size - 1)
    at = from + size
    if size > 0 then
      line, at = line_at(given, at)
      if line ~= "" then return nil end
    end
  until size == 0
  local line
  repeat line, at = line_at(given, at) until not line or line == ""
  return table.concat(parts), at or #given + 1
end

-- The first position from `at` on where a line is a status line: an answer that stands behind a request.
local function find_answer(given, at)
  while at do
    local line_start = at
    local line
    line, at = line_at(given, at)
    if not line then return nil end
    if is_status_line(line) then return line_start end
  end
end

-- The bytes from `at` on, up to an answer that follows a request.
local function rest_of(message, given, at)
  local stop = not message.status and find_answer(given, at)
  return given:sub(at, (stop or #given + 1) - 1), stop or #given + 1
end

local function read_declared(message, given, at, length)
  local body = given:sub(at, at + length - 1)
  if #body < length then
    note(message, "the capture is cut, or was changed: Content-Length says %d bytes, %d are there", length, #body)
    return rest_of(message, given, at)
  end
  return body, at + length
end

-- What its Content-Length says, or nil; of more digits it is no length of anything that was captured.
local function declared_length(message)
  local length = header(message, "content-length")
  return length and length:find("^%d+$") and #length <= 10 and tonumber(length) or nil
end

-- The body that begins at a position, and where it ends.
local function read_body(message, given, at)
  local coding, length = header(message, "transfer-encoding"), declared_length(message)
  if is_interim(message) then return "", at end
  if coding and text.lower(coding):find("chunked", 1, true) then
    local body, stop = read_chunks(given, at)
    if body then return body, stop end
    note(message, "it says that it comes in chunks, and does not: its body is taken as it stands")
  elseif length then
    return read_declared(message, given, at, length)
  end
  return rest_of(message, given, at)
end

-- ---- raw messages --------------------------------------------------------------------------------------

-- A message of HTTP/2 begins with one of its pseudo-headers.
local PSEUDO_LINE = "^:[a-z]+:"

-- The first line from a position on that is not empty, and the position of the next one; nil if there is none.
local function first_line(given, at)
  local line
  repeat line, at = line_at(given, at) until line ~= ""
  return line, at
end

-- Whether a text begins as a raw message. What its body looks like is no matter then.
local function is_raw(given)
  local line = first_line(given, 1)
  return line ~= nil and (start_message(new_message(), line) or line:find(PSEUDO_LINE) ~= nil)
end

-- The message that begins at a position, and where it ends; nil if none does.
local function read_raw_message(given, at)
  local message, last = new_message(), nil
  local line
  line, at = first_line(given, at)
  if not line then return nil end
  if not start_message(message, line) then
    if not line:find(PSEUDO_LINE) then return nil end
    last = read_field(message, line)
  end
  line, at = line_at(given, at)
  while line and line ~= "" do
    last = read_field(message, line, last)
    line, at = line_at(given, at)
  end
  if not finish(message) then return nil end
  if not line then return message, #given + 1 end
  message.body, at = read_body(message, given, at)
  return message, at
end

-- Puts a message where it belongs: an answer with the request before it.
local function add_message(exchanges, message)
  local last = exchanges[#exchanges]
  if is_interim(message) then return end
  if not message.status then
    exchanges[#exchanges + 1] = { request = message }
  elseif last and not last.answer then
    last.answer = message
  else
    exchanges[#exchanges + 1] = { answer = message }
  end
end

local function read_raw(given)
  local exchanges, at = {}, 1
  local message
  repeat
    message, at = read_raw_message(given, at)
    if message then add_message(exchanges, message) end
  until not message or at > #given or #exchanges == EXCHANGES_MAX
  if #exchanges == 0 then return nil, EXPECTED .. "; its first line is none of these" end
  return exchanges
end

-- ---- what curl -v prints ---------------------------------------------------------------------------------

local function is_curl(given)
  local sent, received = "\n> [A-Za-z]+ [^ \n]+ HTTP/", "\n< HTTP/[0-9.]+ %d%d%d"
  given = "\n" .. given:sub(1, 1024 * 1024)
  return given:find(sent) ~= nil or given:find(received) ~= nil
end

-- Lines that curl prints between those of a body: about itself, about data, and its progress.
local function is_talk(line)
  if line:find("^%* ") or line:find("^[{}] %[%d+ bytes data%]") then return true end
  if line:find("^ *%% Total") or line:find("^ +Dload +Upload") then return true end
  return line:find("[%d-]:[%d-][%d-]:[%d-][%d-]") ~= nil and not line:find("[^%d \r.:kMGT-]")
end

-- What curl says last stands on the body's last line, if that has no end of its own.
local LAST_WORDS = {
  "%* Connection #%d+ to host [^\n]*\n?$", "%* Closing connection[^\n]*\n?$", "%* [Ss]hutting down [^\n]*\n?$",
}

local function without_last_words(body)
  for _, pattern in ipairs(LAST_WORDS) do
    local start = body:find(pattern)
    if start then return body:sub(1, start - 1) end
  end
  return body
end

local Curl = {}
Curl.__index = Curl

-- The lines that curl passed on are the answer's body: chunks are undone.
function Curl:end_answer()
  local answer = self.answer
  if not answer then return end
  local body = table.concat(self.lines)
  local length = declared_length(answer)
  if length and length <= #body then
    body = body:sub(1, length)
  else
    body = without_last_words(body)
  end
  if body ~= "" or length == 0 then answer.body = body end
  if length and body ~= "" and #body < length then
    note(answer, "the log has %d bytes of the body, Content-Length says %d", #body, length)
  end
  self.answer, self.lines = nil, {}
end

-- A head is complete: its message is taken.
function Curl:end_head()
  local message = self.head
  self.head, self.last = nil, nil
  if not message or not finish(message) or is_interim(message) then return end
  add_message(self.exchanges, message)
  if message.status then self.answer, self.lines = message, {} end
end

function Curl:read_head(line)
  if line == "" then return self:end_head() end
  if self.head then
    self.last = read_field(self.head, line, self.last)
    return
  end
  local message = new_message()
  if start_message(message, line) then
    self:end_answer()
    self.head = message
  end
end

function Curl:read(line, whole)
  local head = line:match("^[<>] ?(.*)$")
  if head and (self.head or not self.answer or head:find("HTTP/", 1, true)) then
    self:read_head(head)
  elseif self.answer and not is_talk(line) then
    self.lines[#self.lines + 1] = whole
  end
end

local function read_curl(given)
  local curl = setmetatable({ exchanges = {}, lines = {} }, Curl)
  local at = 1
  while at <= #given and #curl.exchanges < EXCHANGES_MAX do
    local line, following = line_at(given, at)
    curl:read(line, given:sub(at, following - 1))
    at = following
  end
  curl:end_head()
  curl:end_answer()
  if #curl.exchanges == 0 then return nil, "what curl printed holds no whole head of a message" end
  return curl.exchanges
end

-- ---- HAR -------------------------------------------------------------------------------------------------

local function string_of(value)
  return type(value) == "string" and value or nil
end

local function table_of(value)
  return type(value) == "table" and value or {}
end

local function har_headers(message, list)
  for _, entry in ipairs(table_of(list)) do
    local name, value = string_of(table_of(entry).name), string_of(table_of(entry).value)
    if name and value then set_field(message, name, value) end
  end
end

-- The bytes of `text` beside `encoding`.
local function har_body(message, content)
  content = table_of(content)
  local body = string_of(content.text)
  if body and content.encoding == "base64" then
    body = core.base64_decode((body:gsub("[ \t\r\n]", "")))
    if not body then note(message, "its body is no base64, and HAR says it is") end
  end
  return body
end

local function har_request(given)
  local url = string_of(given.url)
  if not url then return nil end
  local message = new_message()
  har_headers(message, given.headers)
  message.method = string_of(given.method) or "POST"
  set_target(message, url)
  message.body = har_body(message, given.postData)
  local size = given.bodySize
  if message.body and type(size) == "number" and size > 0 and size ~= #message.body then
    note(message, "%.0f bytes were sent, and HAR's text has %d: it is not what was sent", size, #message.body)
  end
  return finish(message) and message or nil
end

local function har_answer(given)
  local status = given.status
  if type(status) ~= "number" or status < 100 or status > 999 or status % 1 ~= 0 then return nil end
  local message = new_message()
  har_headers(message, given.headers)
  message.status = status
  message.body = har_body(message, given.content)
  return message
end

local function har_entries(value)
  local log = table_of(value.log)
  if type(log.entries) == "table" then return log.entries end
  if type(value.entries) == "table" then return value.entries end
  return value[1] ~= nil and value or { value }
end

local function read_har(given)
  local value, message = json.decode(given)
  if message then return nil, "not HAR: not JSON: " .. message end
  local exchanges = {}
  for _, entry in ipairs(har_entries(table_of(value))) do
    entry = table_of(entry)
    local request, answer = har_request(table_of(entry.request)), har_answer(table_of(entry.response))
    if request or answer then exchanges[#exchanges + 1] = { request = request, answer = answer } end
    if #exchanges == EXCHANGES_MAX then break end
  end
  if #exchanges == 0 then return nil, "not HAR: this JSON has no entry with a `request` or a `response`" end
  return exchanges
end

-- ---- all of it -------------------------------------------------------------------------------------------

local function size_fault(exchanges)
  for _, exchange in ipairs(exchanges) do
    for _, message in pairs(exchange) do
      if message.body and #message.body > BODY_MAX then
        return ("a body of %d bytes: at most %d are taken"):format(#message.body, BODY_MAX)
      end
      if message.header_count > HEADERS_MAX then return ("a message of more than %d headers"):format(HEADERS_MAX) end
    end
  end
end

-- A list of the exchanges in a text, at least one; or nil and a message.
function captured.read(given)
  if #given > captured.TEXT_MAX then return nil, ("longer than %d bytes"):format(captured.TEXT_MAX) end
  if not given:find("[^ \t\r\n]") then return nil, "it is empty" end
  given = given:gsub("^\239\187\191", "")
  local read = json.is_begun(given) and read_har or not is_raw(given) and is_curl(given) and read_curl or read_raw
  local exchanges, message = read(given)
  if not exchanges then return nil, message end
  message = size_fault(exchanges)
  if message then return nil, message end
  return exchanges
end

return captured
