-- From a payload to the bytes of a request: fills in fields, checks, encodes and encrypts once; signs again for each
-- attempt.

local Error = require "alipayhk.base.error"
local api = require "alipayhk.api"
local check = require "alipayhk.rules.check"
local core = require "alipayhk.core"
local digest = require "alipayhk.base.digest"
local fault = require "alipayhk.base.fault"
local http1 = require "alipayhk.transport.http1"
local json = require "alipayhk.base.json"
local platform = require "alipayhk.api.platform"
local schema = require "alipayhk.schema"
local text = require "alipayhk.base.text"
local version = require "alipayhk.base.version"
local wire = require "alipayhk.exchange.wire"

local request = {}

local NO_CHANGES = {}

local USER_AGENT = "lua-alipayhk/" .. version

local function request_id(config, description)
  if config.request_id then
    local id = config.request_id(description.name)
    if type(id) ~= "string" or id:find("[" .. text.CONTROL .. "]") then
      error("config.request_id: it has to return a string without control characters", 0)
    end
    return id
  end
  return core.hex_encode(assert(core.random_bytes(16)))
end

-- Makes the value of an absent field, by the `filled` of the field's description.
local fill = {}

fill.hex32 = request_id

-- Of at least 32 hex digits, as RFC 9562 writes it. `kind`: its version.
local function uuid(digits, kind)
  local variant = ("89ab"):sub(tonumber(digits:sub(17, 17), 16) % 4 + 1):sub(1, 1)
  return ("%s-%s-%d%s-%s%s-%s"):format(digits:sub(1, 8), digits:sub(9, 12), kind, digits:sub(14, 16), variant,
    digits:sub(18, 20), digits:sub(21, 32))
end

function fill.uuid(config, description)
  local id = request_id(config, description)
  return config.request_id and id or uuid(id, 4)
end

function fill.now_ms(_, _, now_ms, next_ms)
  return next_ms(math.floor(now_ms))
end

-- A copy of the payload with absent fields filled in (the caller's table stays unchanged); and the set of fields that
-- were filled in from the clock, nil if none was.
local function complete(config, form, payload, now_ms, next_ms)
  local completed, by_clock = {}, nil
  for key, value in pairs(payload) do completed[key] = value end
  for _, field in ipairs(form.schema.filled) do
    if completed[field.path] == nil then
      completed[field.path] = fill[field.filled](config, form.description, now_ms, next_ms)
      if field.filled == "now_ms" then by_clock = { [field.path] = true } end
    end
  end
  return completed, by_clock
end

-- Checks and encodes a payload: gives the body, the warnings, and the personal values in the payload; or nil and an
-- error of kind "invalid". `alipayhk.schema` describes `notes`.
local function encode(config, form, payload, opts)
  local notes = {}
  local ok, warnings_or_err = check.payload(form, payload, {
    complete = true, strict = config.validate == "strict", is_silent = not config.validate, notes = notes,
    previous_status = opts.previous_status, now_ms = opts.now_ms, filled = opts.by_clock, clock = config.clock,
  })
  if not ok then return nil, warnings_or_err end
  local is_plain = notes.is_plain
  if notes.rewrites then payload, is_plain = schema.rewrite(payload, notes.rewrites, is_plain) end
  local body = json.encode(payload, is_plain)
  if #body <= platform.body_max then return body, warnings_or_err, notes.personal end
  return nil, Error.new("invalid", ("the request has %d bytes, at most %d are sent"):format(#body, platform.body_max), {
    fields = { fault.new("", "too_long", "the whole payload is too long") },
  })
end

-- ---- arguments -----------------------------------------------------------------------------------

-- A message if `path` is not a path that a request can be sent to.
function request.path_fault(path)
  if type(path) ~= "string" or not path:find("^/[A-Za-z0-9/._~%%!$&'()*+,;=:@?-]*$") then
    return "path: expected a path from its first slash on, with the query string where there is one"
  end
end

-- The transport sets these itself: they say where a request goes and how long it is.
local TRANSPORT_HEADERS = {
  ["host"] = true, ["content-length"] = true, ["transfer-encoding"] = true, ["connection"] = true,
}

local function header_fault(name, value)
  if type(name) ~= "string" or type(value) ~= "string" then return "its headers are strings, names and values" end
  if not name:find("^" .. http1.TOKEN .. "$") then
    return ("its header %q: expected a name of letters, digits and `-`"):format(name)
  end
  if TRANSPORT_HEADERS[text.lower(name)] then return ("its header %s is for the transport to set"):format(name) end
end

-- A message if `prepared` is not a request that `prepare` gave with this config. A request must only be sent to the
-- address that it was prepared for, and by the client that prepared it.
function request.fault(config, prepared)
  if type(prepared) ~= "table" or type(prepared.headers) ~= "table" then return "what `prepare` gave is expected" end
  for _, name in ipairs { "method", "url", "path", "body" } do
    if type(prepared[name]) ~= "string" then return ("what `prepare` gave is expected: no `%s`"):format(name) end
  end
  for name, value in pairs(prepared.headers) do
    local wrong = header_fault(name, value)
    if wrong then return wrong end
  end
  if prepared.method ~= "POST" then return "its method has to be POST" end
  local wrong = request.path_fault(prepared.path)
  if wrong then return "its " .. wrong end
  if prepared.url ~= config.base.origin .. prepared.path then
    return "its `url` and `path` are not those that this client prepares"
  end
  if prepared.headers["Client-Id"] ~= config.client_id then return "it was prepared by another client" end
end

-- ---- building ------------------------------------------------------------------------------------

-- Encrypts a body: only if the answer, which is encrypted as well, can be verified first and then decrypted.
local function seal(config, body)
  if config.private_key:type() ~= "RSA" or not config.verify_response then
    return nil, "encryption needs an RSA private_key and verify_response"
  end
  return wire.seal(body, config.sealing)
end

-- Signs a request with the current time: sets Request-Time and Signature, and leaves the rest unchanged. Gives the
-- request, or nil and an error of kind "crypto".
function request.sign(config, prepared, seconds)
  local time, signature = wire.sign_now(config, prepared.method, prepared.path, prepared.body, seconds)
  if not time then return nil, Error.new("crypto", signature, { request_id = prepared.request_id }) end
  prepared.headers["Request-Time"] = time
  prepared.headers["Signature"] = signature
  return prepared
end

-- Fields that are personal in any API described. They are treated as personal in an API without a description, too.
local PERSONAL = {}
for _, name in ipairs(api.names) do
  for _, field in ipairs(api.by_name[name].fields) do
    if field.personal then PERSONAL[field.path] = true end
  end
end

local function personal_of(payload)
  local found = {}
  for name in pairs(PERSONAL) do
    local value = json.id_text(rawget(payload, name))
    if value then found[#found + 1] = value end
  end
  return found
end

-- Checks a payload and makes its body, absent fields filled in: `{ payload, body, warnings, personal, by_clock }`,
-- `by_clock` the set of the fields that were filled in from the clock; or nil and an error of kind "invalid". Needs no
-- keys: of the config it uses `rules`, `validate`, `now`, `request_id` and `clock`. `description` is nil for an API
-- that has none; `next_ms` makes of now, in milliseconds, a time to fill in.
function request.freeze(config, description, payload, previous_status, next_ms)
  local now_ms, form, by_clock = config.now() * 1000, nil, nil
  if description then
    form = config.rules:form(description, payload)
    payload, by_clock = complete(config, form, payload, now_ms, next_ms)
  end
  local body, warnings_or_err, personal = encode(config, form, payload, {
    previous_status = previous_status, now_ms = now_ms, by_clock = by_clock,
  })
  if not body then return nil, warnings_or_err end
  return {
    payload = payload, body = body, warnings = warnings_or_err or {}, by_clock = by_clock,
    personal = form and personal or not form and personal_of(payload) or nil,
  }
end

-- The request of what `freeze` gave.
local function assemble(config, description, path, frozen, encrypt)
  local payload, full_path = frozen.payload, config.base.prefix .. path
  local prepared = {
    method = "POST",
    url = config.base.origin .. full_path,
    path = full_path,
    body = frozen.body,
    headers = {
      ["Client-Id"] = config.client_id,
      ["Content-Type"] = platform.content_type,
      ["Agent-Token"] = config.agent_token,
      ["User-Agent"] = USER_AGENT,
      ["Request-Time"] = "", ["Signature"] = "", -- `sign` sets these: room for them is made here
    },
    command = description and description.command_field and payload[description.command_field] or nil,
    order_status = description and payload[description.status_field] or nil,
    api = description and description.name or nil,
    personal = frozen.personal,
    warnings = frozen.warnings,
  }
  for name, field in pairs(platform.identity) do
    if type(payload[field]) == "string" then prepared[name] = payload[field] end
  end
  if encrypt then
    local sealed, header = seal(config, prepared.body)
    if not sealed then return nil, Error.new("crypto", header, { request_id = prepared.request_id }) end
    prepared.body = sealed
    prepared.headers["Encrypt"] = header
    prepared.headers["Content-Type"] = config.encryption.content_type
  end
  return prepared
end

-- Builds a request that is not signed yet: `{ method, url, path, headers, body, request_id, warnings }`, and fields for
-- internal use; or nil and an error of kind "invalid" or "crypto".
function request.build(config, description, path, payload, encrypt, previous_status)
  local frozen, err = request.freeze(config, description, payload, previous_status, config.next_ms)
  if not frozen then return nil, err end
  return assemble(config, description, path, frozen, encrypt)
end

-- What `thaw` has to change in a request that may have made something, to ask whether it did: see `settling` in
-- `alipayhk.api`. Its id is another one, the same each time.
function request.settling_changes(description, settled_id)
  local command = description.settling.by
  return {
    [description.command_field] = command,
    [platform.identity.request_id] = uuid(core.hex_encode(digest.sha256(settled_id .. command)), 8),
  }
end

-- The same for a body that `freeze` made, maybe long ago. It is sent as it is, but for `changes`, where there are any:
-- values of its fields. Rules may have changed meanwhile: it is checked again, by the time `frozen_ms`, at which it was
-- made.
function request.thaw(config, description, body, frozen_ms, changes)
  local payload = json.decode_object(body)
  if not payload then
    local broken = fault.new("", "type", "what was stored is no JSON object")
    return nil, Error.new("invalid", broken.message, { fields = { broken } })
  end
  for name, value in pairs(changes or NO_CHANGES) do payload[name] = value end
  local notes = {}
  local ok, warnings_or_err = check.payload(config.rules:form(description, payload), payload, {
    complete = true, is_silent = not config.validate, notes = notes, now_ms = frozen_ms,
  })
  if not ok then return nil, warnings_or_err end
  return assemble(config, description, description.path, {
    payload = payload, body = changes and json.encode(payload, notes.is_plain) or body,
    warnings = warnings_or_err or {}, personal = notes.personal,
  }, config.encrypt)
end

return request
