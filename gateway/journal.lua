-- What the gateway's page shows: the last requests with their answers, in the memory of the one worker.
--
-- To note a request is cheap: it becomes JSON when somebody asks for it. Everything is bounded: how many requests are
-- kept, the length of each text of theirs, and the sum of all texts. The oldest go first.

local core = require "alipayhk.core"
local json = require "alipayhk.base.json"
local message = require "alipayhk.exchange.message"
local platform = require "alipayhk.api.platform"
local text = require "alipayhk.base.text"
local wire = require "alipayhk.exchange.wire"

local journal = { KEPT = 1000 }

-- The longest texts that are kept, in bytes: a body, a header, all headers of a message, a path, and a short text such
-- as an order's number. And all texts of all requests, a few small ones aside.
local BODY_MAX, HEADER_MAX, HEADERS_MAX, PATH_MAX, SHORT_MAX = 32 * 1024, 4096, 16 * 1024, 2048, 256
local ALL_MAX = 16 * 1024 * 1024
local REPLACEMENT = "\239\191\189"

-- By their numbers, from `first` to `last`; `size` is the sum of the lengths of their texts.
local entries, first, last, size = {}, 1, 0, 0
-- Whoever asks sees by it that the numbers began anew.
local started

-- ---- noting --------------------------------------------------------------------------------------

-- A body as it is kept: its beginning, and its length.
local function kept_body(given)
  return given and { text = #given > BODY_MAX and text.cut(given, BODY_MAX) or given, bytes = #given }
end

local function short(value)
  local id = json.id_text(value)
  return id and #id > SHORT_MAX and text.cut(id, SHORT_MAX) or id
end

-- Which order or notification the request is about, as far as it says so.
local function event_of(request)
  local description, payload = request.description, request.payload
  if not payload then return nil end
  return {
    api = description.name,
    scenario = short(payload[description.scenario_field]),
    order = short(payload[platform.identity.merchant_biz_no]),
    status = short(payload[description.status_field]),
    time = short(payload[description.sequence_field]),
    command = description.command_field and short(payload[description.command_field]) or nil,
    is_ignored = request.is_ignored or nil,
  }
end

local function headers_size(headers)
  local sum = 0
  for name, value in pairs(headers) do sum = sum + #name + #value end
  return sum
end

local function size_of(entry)
  local request, answer, sum = entry.request, entry.answer, 0
  for _, body in pairs { request.body, answer.body, request.opened, answer.opened } do sum = sum + #body.text end
  return sum + #request.path + headers_size(request.headers) + headers_size(answer.headers)
end

local function forget_first()
  size = size - entries[first].size
  entries[first] = nil
  first = first + 1
end

-- Notes a request and its answer. `request`: `{ method, path, protocol, headers, body, began }`, and as far as it came
-- `opened`, its plaintext; `description` and `payload`; `is_ignored`; `is_verified`, and `fault`, why it is not
-- verified or not read.
-- `reply`: `{ status, headers, body }`, and perhaps `opened` and `result`.
function journal.add(request, reply)
  last = last + 1
  local entry = {
    at_ms = math.floor(core.now() * 1000),
    took_us = math.floor((core.monotonic() - request.began) * 1000000),
    request = {
      method = request.method, path = request.path, protocol = request.protocol, headers = request.headers,
      body = kept_body(request.body), opened = kept_body(request.opened), fault = request.fault,
      is_encrypted = request.encrypted and true or nil, is_verified = request.is_verified or false,
      id = request.payload and short(request.payload[platform.identity.request_id]),
    },
    event = event_of(request),
    answer = {
      status = reply.status, headers = reply.headers, body = kept_body(reply.body), opened = kept_body(reply.opened),
      result = reply.result,
    },
  }
  entry.size = size_of(entry)
  size = size + entry.size
  entries[last] = entry
  while last - first >= journal.KEPT or size > ALL_MAX do forget_first() end
end

-- ---- as JSON -------------------------------------------------------------------------------------

-- A text as JSON can carry it, at most `max` bytes of it; and whether it is the very bytes that were given.
local function shown_text(given, max)
  local cut = text.cut(given, max)
  if core.utf8_length(cut) then return cut, cut == given end
  return (cut:gsub("[\128-\255]", REPLACEMENT)), false
end

-- A body: its text, its length, and whether the text is not all of it.
local function shown_body(body)
  if not body then return nil end
  local shown, is_exact = shown_text(body.text, BODY_MAX)
  return { text = shown, bytes = body.bytes, is_altered = not (is_exact and #body.text == body.bytes) or nil }
end

local function by_name(a, b) return a[1] < b[1] end

-- A sorted list of `{ name, value }`, nil for none; and whether they are all there as they came. `headers`: by name.
local function shown_headers(headers)
  local list, bytes, are_exact = {}, 0, true
  for name, value in pairs(headers) do
    local shown, is_exact = shown_text(value, HEADER_MAX)
    bytes = bytes + #name + #shown
    are_exact = are_exact and is_exact and bytes <= HEADERS_MAX
    if bytes <= HEADERS_MAX then list[#list + 1] = { name, shown } end
  end
  table.sort(list, by_name)
  return #list > 0 and list or nil, are_exact
end

local function summary_of(id, entry)
  local request, answer = entry.request, entry.answer
  local client_id = message.header(request.headers, "client-id")
  return {
    id = id, at_ms = entry.at_ms, took_us = entry.took_us,
    method = (shown_text(request.method, SHORT_MAX)), path = (shown_text(request.path, PATH_MAX)),
    client_id = client_id and (shown_text(client_id, HEADER_MAX)), request_id = request.id,
    is_encrypted = request.is_encrypted,
    is_verified = request.is_verified, tracer_id = answer.headers["Tracer-Id"], status = answer.status,
    result = answer.result, event = entry.event,
  }
end

-- What is signed of a request, and its SHA-256; nil where a part of it is not there.
local function content_of(shown, at)
  if not at or not shown.client_id then return nil end
  local content = wire.content(shown.method, shown.path, shown.client_id, at, shown.body.text)
  return { text = content, sha256 = not shown.is_altered and core.hex_encode(core.sha256(content)) or nil }
end

-- All that is kept of a request: the summary, and what belongs to it.
local function whole_of(id, entry)
  local shown, request, answer = summary_of(id, entry), entry.request, entry.answer
  local are_exact
  shown.protocol, shown.fault = request.protocol, request.fault
  shown.headers, are_exact = shown_headers(request.headers)
  shown.body, shown.opened = shown_body(request.body), shown_body(request.opened)
  shown.is_altered = shown.body.is_altered or not are_exact or shown.path ~= request.path or nil
  shown.content = content_of(shown, message.header(request.headers, "request-time"))
  shown.answer = {
    status = answer.status, headers = (shown_headers(answer.headers)), body = shown_body(answer.body),
    opened = shown_body(answer.opened),
  }
  return json.encode(shown)
end

-- The summaries of the requests after the one of that number, and what is kept, as JSON.
function journal.after(id)
  started = started or core.hex_encode(core.random_bytes(8))
  local list = {}
  for number = math.max(id + 1, first), last do list[#list + 1] = summary_of(number, entries[number]) end
  return json.encode {
    started = started, first = first, last = last, kept = journal.KEPT,
    requests = #list > 0 and list or json.empty_array,
  }
end

-- All that is kept of one request, as JSON on one line; nil where nothing is.
function journal.request(id)
  return entries[id] and whole_of(id, entries[id])
end

-- All that is kept, a request a line.
function journal.lines()
  local lines = {}
  for id = first, last do lines[#lines + 1] = whole_of(id, entries[id]) .. "\n" end
  return table.concat(lines)
end

return journal
