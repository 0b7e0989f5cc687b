-- Orders, calls, messages and JSON, told line by line: the same lines in every locale.
--
--     lua spec/support/programs/locale_flow.lua LOCALE_AT_LOAD LOCALE_AFTERWARDS

local at_load, afterwards = arg[1], arg[2]

-- What is the specs' own is made in the C locale.
local keys = require "spec.support.data.keys"
for _, algorithm in ipairs { "rsa", "p224" } do
  keys.pair("merchant", algorithm)
  keys.pair("alipayhk", algorithm)
end

assert(os.setlocale(at_load))
local alipayhk = require "alipayhk"
local core = require "alipayhk.core"
local json = require "alipayhk.base.json"
local text = require "alipayhk.base.text"
local Double = require "spec.support.doubles.alipayhk_double"
local samples = require "spec.support.data.samples"
assert(os.setlocale(afterwards))

local HALF = 1 / 2
local NOW = 1716360141

local function tell(what, value)
  print(what .. "\t" .. tostring(value):gsub("SHA%-256[^)]*%x", "SHA-256"):gsub("/[^ ]*/build/test/%w+", ""))
end

-- ---- JSON ----------------------------------------------------------------------------------------

local DECODED = {
  "[10,25]", "[0.5]", "[1e3,1E-2,-0.25]", "[9007199254740993,10]", "[[1,2],[3,4.5]]", '{"a":1,"b":2.5}', "[1,]",
  "[1,5,]", "[0,5.]", '"I\\u0131\\ud83d"', "[5.0]", "1234567890123456789012", "0,5", "[1.7976931348623157e308,5e-324]",
}

local function told(value)
  if type(value) ~= "table" then return type(value) == "number" and core.json_number(value) or tostring(value) end
  local list = {}
  for key, child in pairs(value) do list[#list + 1] = text.key(key) .. "=" .. told(child) end
  table.sort(list)
  return "{" .. table.concat(list, " ") .. "}"
end

for _, given in ipairs(DECODED) do
  local value, message = json.decode(given)
  tell("decoded " .. given, value ~= nil and told(value) or message)
end

for _, value in ipairs { HALF, -12 - 1 / 4, 1 / 3, 1e-7, 1e14, 2 ^ 53, 57000, -1 } do
  tell("encoded", json.encode { value, { 1, 2 } })
end

-- ---- messages ------------------------------------------------------------------------------------

local PAYLOADS = {
  { extInfo = { a = { [HALF] = 1 } } },
  { extInfo = { ["IİıI\195\160"] = print } },
  { orderCreateTime = NOW + HALF },
  { orderStatus = "TİCKETED\195\160" },
  { orderStatus = "ticketed" },
  { merchantBizType = "movıe_ticket", MERCHANTID = "x" },
  { orderStatus = "x\195\129\194\133y\194\160" },
  { payAmount = { value = "100", currency = "hkd" } },
  { extInfo = { big = 2 ^ 60 } },
}

local CONFIGS = {
  { timeout_ms = HALF }, { CLIENT_ID = "x" }, { base_url = "HTTPS://GATEWAY.EXAMPLE/I" },
  { base_url = "HTTPS://Gateway.Example:99999" }, { private_key = { file = "no such file" } },
  { tls = { ["mın_version"] = "1.2" } },
}

local double = Double.new { algorithm = "p224" }

for _, extra in ipairs(PAYLOADS) do
  local ok, err = alipayhk.check("order", samples.order(extra), { validate = "strict" })
  tell("checked", ok or err)
end
for _, overrides in ipairs(CONFIGS) do
  local client, err = alipayhk.new(double:config(overrides))
  tell("config", client and "a client" or err)
end

-- ---- orders and calls ----------------------------------------------------------------------------

local ANSWERS = {
  {},
  { body = '\239\187\191{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"abc\\ud83d"},'
    .. '"list":[10,25],"rate":0.5,"amount":57000,"id":9007199254740993}' },
  { code = "PARAM_ILLEGAL", status = "F" }, { code = "Iı\195\160", status = "U" },
  { code = "PROCESS_FAIL", status = "U" },
  { http_status = 503, headers = { ["retry-after"] = "2" } },
  { http_status = 404, body = "<HTML><TITLE>I \195\160 \195\129</TITLE></HTML>",
    headers = { ["content-type"] = "TEXT/HTML" } },
  { body = "I am no JSON \195\160" },
  { time = "2024-05-22T06:42:21,5+08:00" }, { time = "1716360141500" }, { time = "Wed, 22 May 2024 06:42:21 GMT" },
  { signed = false, headers = { date = "WED, 22 MAY 2024 06:42:21 GMT" } },
  { failure = "timeout" },
}

local function ask(of, overrides, api, payload)
  overrides.now = function() return NOW + HALF end
  overrides.request_id = function() return "20240522064221000000000000000001" end
  overrides.sleep = overrides.sleep or function() end
  local client = of:client(overrides)
  local response, err = client["sync_" .. api](client, payload)
  tell(api, response and told { response.body, response.clock_skew_ms or "", response.warnings } or err)
end

local function order()
  return samples.order {
    merchantBizNo = "20240522000001",
    extInfo = { rate = HALF, list = { 10, 25 + HALF }, none = alipayhk.empty_array },
  }
end

for _, answer in ipairs(ANSWERS) do
  double:answers { answer }
  ask(double, { retry = false }, "order", order())
  local sent = double.requests[1]
  assert(sent.verified)
  for _, part in ipairs { '"rate":0.5', '"list":[10,25.5]', '"none":[]', '"orderCreateTime":1716338541000' } do
    assert(sent.plaintext:find(part, 1, true), sent.plaintext)
  end
  tell("Request-Time", sent.headers["Request-Time"])
end

double:answers { { http_status = 503, headers = { ["retry-after"] = "2" } }, { failure = "reset" }, {} }
ask(double, {
  retry = { max_attempts = 3, base_delay_ms = 1, max_delay_ms = 5000 },
  sleep = function(ms) if ms >= 1000 then tell("slept", ms) end end,
}, "order", order())

local sealing = Double.new()
sealing:answers { { encrypt = true } }
ask(sealing, { encrypt = true }, "order", order())
sealing:answers { {} }
ask(sealing, {}, "contract_card", samples.card { merchantBizNo = "20240522000002" })

local CALLED = {
  "2024-05-22T06:42:21Z", "2024-05-22T14:42:21,5+08", "1716360141000", "Wed, 22 May 2024 06:42:21 GMT", "I",
}

for _, time in ipairs(CALLED) do
  local body = '{"amount":57000,"rate":0.5,"list":[1,5]}'
  local content = ("POST /notify\n%s.%s.%s"):format(double.client_id, time, body)
  local signature = core.percent_encode(core.base64_encode(assert(double.private_key:sign(content))))
  local client = double:client { now = function() return NOW + HALF end }
  local payload, err = client:receive({ method = "POST", path = "/notify", body = body, headers = {
    ["CLIENT-ID"] = double.client_id, ["Request-TIME"] = time,
    SIGNATURE = "algorithm=ECC224,keyVersion=1,signature=" .. signature,
  } }, { max_age_ms = 60000 })
  tell("call", payload and told(payload) or err)
end
