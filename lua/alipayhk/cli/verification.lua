-- Whether a captured message is signed as it has to be, and if not, which mistake explains it.

local core = require "alipayhk.core"
local diagnosis = require "alipayhk.cli.diagnosis"
local exchange_message = require "alipayhk.exchange.message"
local platform = require "alipayhk.api.platform"
local signers = require "alipayhk.cli.signers"
local text = require "alipayhk.base.text"

local verification = {}

local header = exchange_message.header

local TIME_OF = { request = "request-time", answer = "response-time" }

-- ---- what is known beside the message ----------------------------------------------------------------------

local TIMES = { ["request-time"] = "Request-Time", ["response-time"] = "Response-Time", date = "Date" }

-- A header of either message of an exchange, once.
local function each_header(exchange, name, visit)
  for _, kind in ipairs { "request", "answer" } do
    local value = exchange[kind] and exchange[kind].headers[name]
    if type(value) == "string" and value ~= "" then visit(value, kind) end
  end
end

local function times_of(exchange)
  local times = {}
  for name, words in pairs(TIMES) do
    each_header(exchange, name, function(value, kind)
      times[#times + 1] = { value = value, name = ("%s of the %s"):format(words, kind) }
    end)
  end
  table.sort(times, function(a, b) return a.name < b.name end)
  return times
end

local function clients_of(exchange, known, others)
  local clients = {}
  local function add(id, words) clients[#clients + 1] = { id = id, words = words } end
  each_header(exchange, "client-id", function(value, kind)
    add(value, ("the client id that the %s's header has"):format(kind))
  end)
  if known.client_id then add(known.client_id, "the client id of the config") end
  for _, id in ipairs(others or {}) do add(id, "the client id " .. text.shown(id, 40)) end
  add("", "no client id at all")
  return clients
end

local function hosts_of(exchange, known)
  local hosts = {}
  if exchange.request and exchange.request.host then hosts[1] = exchange.request.host end
  if known.base then hosts[#hosts + 1] = known.base.origin:match("//(.*)$") end
  for _, address in pairs(platform.environments) do hosts[#hosts + 1] = address:match("//(.*)$") end
  return hosts
end

local function add_keys(keys, signer, sort, words)
  for _, key in ipairs(signer and signer.keys or {}) do
    keys[#keys + 1] = {
      sort = sort, tool = key.tool, digest = key.digest, scheme = key.scheme,
      words = words or key.version == "" and signer.words or ("version " .. key.version),
    }
  end
end

local function keys_of(kind, known, signer)
  local keys = {}
  add_keys(keys, signer, "version")
  if kind == "answer" then
    add_keys(keys, known.own, "own", "your own key")
  elseif signer == known.given then
    for _, other in ipairs { known.own, known.alipayhk } do add_keys(keys, other, "other", other.words) end
  end
  for _, other in ipairs(known.others) do add_keys(keys, other, "other", other.words) end
  return keys
end

-- ---- the subject -------------------------------------------------------------------------------------------

-- The version and the value in a Signature header, as far as it can be read.
local function read_header(value)
  local fields = core.parse_pairs(value)
  if fields then return fields.keyVersion, fields.signature end
  return nil, value:match("signature=([^,]*)")
end

local function subject_of(exchange, kind, client_id, signer)
  local message = exchange[kind]
  local signature, at = header(message.headers, "signature"), header(message.headers, TIME_OF[kind])
  local version, encoded = read_header(signature or "")
  local key = signers.key_of(signer, version)
  if not encoded then return nil end
  return {
    method = exchange.request.method or "POST", path = exchange.request.path, client_id = client_id, at = at or "",
    body = message.body, line_break = "\n", encoded = encoded, key = key.tool, digest = key.digest, scheme = key.scheme,
  }
end

local BESIDE = {
  name = "header",
  advice = "the signature itself is right: what is wrong is the algorithm or the keyVersion beside it in the header",
}

-- The mistakes that explain why a message does not verify.
local function explain(exchange, kind, known, signer, client_id, others)
  local subject = subject_of(exchange, kind, client_id, signer)
  if not subject then return {} end
  if diagnosis.verifies(subject) then return { BESIDE } end
  return diagnosis.find(subject, {
    keys = keys_of(kind, known, signer), clients = clients_of(exchange, known, others), times = times_of(exchange),
    hosts = hosts_of(exchange, known), prefix = known.base and known.base.prefix,
  })
end

-- ---- one message -------------------------------------------------------------------------------------------

-- Whose signature it may be.
local function signers_of(kind, known)
  if known.given then return { known.given } end
  if kind == "answer" then return { known.alipayhk } end
  local list = { known.own }
  list[#list + 1] = known.alipayhk
  return list
end

-- The public half of our own key was given as AlipayHK's.
local function confusion(known, signer)
  if not known.own or signer == known.own then return nil end
  local own = known.own.keys[1].tool:facts().fingerprint
  for _, key in ipairs(signer.keys) do
    if key.tool:facts().fingerprint == own then
      return {
        name = "own_key",
        advice = "the key given as AlipayHK's is the public half of your own: give the one that its console shows",
      }
    end
  end
end

local function verify_by(signer, exchange, kind, known, client_id)
  local message = exchange[kind]
  local sort = kind == "answer" and exchange_message.ANSWER
    or signer == known.alipayhk and exchange_message.CALL or exchange_message.REQUEST
  return exchange_message.verify(sort, {
    method = exchange.request.method or "POST", path = exchange.request.path,
    headers = exchange_message.headers(message.headers), body = message.body,
  }, { client_id = client_id, peer_keys = signer.ring, algorithms = known.algorithms })
end

local function fail(code, why, mistakes)
  return { verifies = false, code = code, why = why, mistakes = mistakes or {} }
end

local function repeated(message)
  local _, name = exchange_message.headers(message.headers)
  if not name then return nil end
  return fail("repeated", ("its header %s is there twice: does something between sign it as well?"):format(name))
end

local BARE = {
  name = "unsigned",
  advice = "AlipayHK answers so where it refuses the signature or the client id of the request: verify the request, "
    .. "and compare the key in its console with yours; anybody on the way could have written this answer",
}

-- A message whose keys and parts are all known: `{ verifies, signer, code, why, mistakes }`.
function verification.judge(exchange, kind, known, others)
  local message = exchange[kind]
  local wrong = repeated(message)
  if wrong then return wrong end
  local client_id = known.client_id or header(message.headers, "client-id")
  local first
  if kind == "answer" and exchange_message.is_bare(exchange_message.ANSWER, message.headers) then
    return fail("unsigned", "it is not signed at all", { BARE })
  end
  for _, signer in ipairs(signers_of(kind, known)) do
    local ok, code, why = verify_by(signer, exchange, kind, known, client_id)
    if ok then return { verifies = true, signer = signer.words, mistakes = {} } end
    first = first or fail(code, why)
    if code == "wrong" or code == "client_id" then
      first.mistakes[1] = first.mistakes[1] or confusion(known, signer)
      if not first.mistakes[1] then first.mistakes = explain(exchange, kind, known, signer, client_id, others) end
    end
  end
  return first
end

-- Why a message cannot be judged: what is to be given.
function verification.obstacle(exchange, kind, known)
  local message = exchange[kind]
  if not (exchange.request and exchange.request.path) then
    return "give --path: the request's path is signed as well"
  end
  if not message.body then
    return "the capture does not have its body (curl -v prints none of a request): give --body FILE"
  end
  if not known.client_id and type(message.headers["client-id"]) ~= "string" then
    return "give --client-id: it is signed as well"
  end
  if #signers_of(kind, known) == 0 then
    return kind == "answer" and "give --public-key FILE, AlipayHK's key"
      or "give --private-key FILE if it is yours, --public-key FILE if it is AlipayHK's"
  end
end

return verification
