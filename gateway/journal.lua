-- What the gateway's page shows: the last requests with their answers, in a shared dict of nginx, as JSON.
--
-- A request has two entries: a summary, of which the page asks for many, and the rest, for one at a time. Everything is
-- bounded: how many requests are kept, and the length of each text of theirs. Where room is short the oldest go first.

local core = require "alipayhk.core"
local json = require "alipayhk.base.json"
local message = require "alipayhk.exchange.message"
local platform = require "alipayhk.api.platform"
local text = require "alipayhk.base.text"
local wire = require "alipayhk.exchange.wire"

local journal = { KEPT = 1000 }

-- The longest texts that are kept, in bytes: a body, a header, all headers of a message, a path, and a short text such
-- as an order's number.
local BODY_MAX, HEADER_MAX, HEADERS_MAX, PATH_MAX, SHORT_MAX = 32 * 1024, 4096, 16 * 1024, 2048, 256
local REPLACEMENT = "\239\191\189"

-- ---- texts from outside ------------------------------------------------------------------------

-- A text as JSON can carry it, at most `max` bytes of it; and whether it is the very bytes that were given.
local function kept_text(given, max)
  local cut = text.cut(given, max)
  if core.utf8_length(cut) then return cut, cut == given end
  return (cut:gsub("[\128-\255]", REPLACEMENT)), false
end

-- A body: its text, its length, and whether the text is not all of it.
local function kept_body(given)
  if not given then return nil end
  local kept, is_exact = kept_text(given, BODY_MAX)
  return { text = kept, bytes = #given, is_altered = not is_exact or nil }
end

local function by_name(a, b) return a[1] < b[1] end

-- A sorted list of `{ name, value }`, nil for none; and whether they are all there as they came. `headers`: by name.
local function kept_headers(headers)
  local list, bytes, are_exact = {}, 0, true
  for name, value in pairs(headers) do
    local kept, is_exact = kept_text(value, HEADER_MAX)
    bytes = bytes + #name + #kept
    are_exact = are_exact and is_exact and bytes <= HEADERS_MAX
    if bytes <= HEADERS_MAX then list[#list + 1] = { name, kept } end
  end
  table.sort(list, by_name)
  return #list > 0 and list or nil, are_exact
end

local function short(value)
  local id = json.id_text(value)
  return id and (kept_text(id, SHORT_MAX)) or nil
end

-- ---- writing -----------------------------------------------------------------------------------

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

local function summary_of(id, request, reply)
  return {
    id = id,
    at_ms = math.floor(core.now() * 1000),
    took_us = math.floor((core.monotonic() - request.began) * 1000000),
    method = short(request.method),
    path = (kept_text(request.path, PATH_MAX)),
    client_id = short(message.header(request.headers, "client-id")),
    is_verified = reply.headers["Signature"] ~= nil,
    is_encrypted = request.encrypted and true or nil,
    request_id = request.payload and short(request.payload[platform.identity.request_id]),
    tracer_id = reply.headers["Tracer-Id"],
    result = reply.result,
    event = event_of(request),
  }
end

local function rest_of(request, reply)
  local headers, are_exact = kept_headers(request.headers)
  local body = kept_body(request.body)
  return {
    protocol = request.protocol,
    headers = headers,
    body = body,
    opened = kept_body(request.opened),
    fault = request.fault,
    is_altered = body.is_altered or not are_exact or #request.path > PATH_MAX or nil,
    answer = {
      status = reply.status,
      headers = (kept_headers(reply.headers)),
      body = kept_body(reply.body),
      opened = kept_body(reply.opened),
    },
  }
end

local function forget(id)
  local dict = ngx.shared.journal
  dict:delete("summary:" .. id)
  dict:delete("rest:" .. id)
end

-- The oldest that is kept.
local function first_id()
  return ngx.shared.journal:get("first") or 1
end

-- Stores an entry, and for its sake forgets the oldest requests where there is no room. One that has no room at all is
-- left out.
local function store(key, entry, id)
  local dict = ngx.shared.journal
  while not dict:safe_set(key, entry) do
    local first = first_id()
    if first >= id then return end
    forget(first)
    dict:set("first", first + 1)
  end
end

-- Notes a request and its answer. `request`: `{ method, path, protocol, headers, body, began }`, and as far as it came
-- `opened`, its plaintext; `description` and `payload`; `is_ignored`; `fault`, why it is not verified or not read.
-- `reply`: `{ status, headers, body }`, and perhaps `opened` and `result`.
function journal.add(request, reply)
  local dict = ngx.shared.journal
  local id = dict:incr("last", 1, 0)
  store("summary:" .. id, json.encode(summary_of(id, request, reply)), id)
  store("rest:" .. id, json.encode(rest_of(request, reply)), id)
  if id - first_id() >= journal.KEPT then
    forget(first_id())
    dict:incr("first", 1, 1)
  end
end

-- Called once, in the master: whoever asks sees by it that the numbers of the requests began anew.
function journal.init()
  ngx.shared.journal:set("started", core.hex_encode(core.random_bytes(8)))
end

-- ---- reading -----------------------------------------------------------------------------------

-- What is signed of a request, and its SHA-256; nil where a part of it is not there.
local function content_of(summary, rest)
  local at
  for _, header in ipairs(rest.headers or {}) do
    if header[1] == "request-time" then at = header[2] end
  end
  if not at or not summary.client_id then return nil end
  local content = wire.content(summary.method, summary.path, summary.client_id, at, rest.body.text)
  return { text = content, sha256 = not rest.is_altered and core.hex_encode(core.sha256(content)) or nil }
end

-- The summaries of the requests after the one of that number, and what is kept, as JSON.
function journal.after(id)
  local dict, list = ngx.shared.journal, {}
  local first, last = first_id(), dict:get("last") or 0
  for number = math.max(id + 1, first), last do list[#list + 1] = dict:get("summary:" .. number) end
  return ('{"started":"%s","first":%d,"last":%d,"kept":%d,"requests":[%s]}'):format(
    dict:get("started"), first, last, journal.KEPT, table.concat(list, ","))
end

-- All that is kept of one request, as JSON on one line; nil where nothing is.
function journal.request(id)
  local dict = ngx.shared.journal
  local summary, rest = dict:get("summary:" .. id), dict:get("rest:" .. id)
  if not summary or not rest then return nil end
  local content = content_of(json.decode(summary), json.decode(rest))
  return summary:sub(1, -2) .. "," .. rest:sub(2, -2)
    .. (content and ',"content":' .. json.encode(content) or "") .. "}"
end

-- All that is kept, a request a line.
function journal.lines()
  local lines = {}
  for id = first_id(), ngx.shared.journal:get("last") or 0 do lines[#lines + 1] = journal.request(id) end
  lines[#lines + 1] = ""
  return table.concat(lines, "\n")
end

return journal
