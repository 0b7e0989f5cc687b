-- The way to AlipayHK, by one request without a signature and with nothing in it. Leaves in the state: `transport`,
-- which sends; `answer` or `failed`, what came of that request.

local api = require "alipayhk.api"
local core = require "alipayhk.core"
local cure = require "alipayhk.cli.cure"
local failure = require "alipayhk.cli.failure"
local foreign = require "alipayhk.exchange.foreign"
local json = require "alipayhk.base.json"
local platform = require "alipayhk.api.platform"
local time = require "alipayhk.base.time"
local version = require "alipayhk.base.version"

local UNKNOWN = failure.STATUS.unknown
local CLOCK_MAX_S = 60
local DAY_S, EXPIRY_DAYS = 86400, 14
local TIMEOUT_MS, CONNECT_TIMEOUT_MS, ANSWER_MAX = 15000, 5000, 1024 * 1024

-- ---- the request --------------------------------------------------------------------------------------

local function send_empty(state)
  local config = state.config
  return state.transport {
    method = "POST", body = "{}",
    url = state.base.origin .. state.base.prefix .. api.by_name.order.path,
    headers = { ["Content-Type"] = platform.content_type, ["User-Agent"] = "lua-alipayhk/" .. version },
    connect_timeout_ms = config.connect_timeout_ms or CONNECT_TIMEOUT_MS,
    timeout_ms = config.timeout_ms or TIMEOUT_MS,
    max_response_bytes = ANSWER_MAX, inspect = true, tls = config.tls or {}, proxy = config.proxy,
  }
end

-- How far a request came that failed: the name of a check.
local function phase_of(failed, is_tls)
  local timing, code = failed.timing, failed.code
  if code == "dns" or code == "proxy" or code == "tls" then return code end
  if code == "timeout" and timing.dns_ms <= 0 then return "dns" end
  local is_early = code == "connect" or code == "timeout"
  if is_early and not failed.connection.is_made then return "tcp" end
  return is_early and is_tls and timing.tls_ms <= 0 and "tls" or "http"
end

local function reach(state)
  if state.transport then return end
  state.transport = require("alipayhk.transport.curl").new().send
  state.answer, state.failed = send_empty(state)
  state.phase = state.failed and phase_of(state.failed, state.base.scheme == "https")
end

-- Says that the request failed there; false where it did not.
local function has_failed(state, say, phase, advice)
  if state.phase ~= phase then return false end
  say("fail", state.failed.message, advice, UNKNOWN)
  return true
end

local FIREWALL = "does a firewall have to let this machine out? Is the port right?"

-- ---- proxy, name, connection --------------------------------------------------------------------------

local VARIABLES = { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" }

local function proxy_variable()
  for _, name in ipairs(VARIABLES) do
    local value = os.getenv(name)
    if value and value ~= "" then return name end
  end
end

local function check_proxy(state, say)
  reach(state)
  if has_failed(state, say, "proxy", "see `proxy` in the config") then return end
  local proxy, variable = state.config.proxy, proxy_variable()
  if proxy == "environment" then return say("pass", variable and "that of " .. variable or "none is set") end
  if proxy then return say("pass", (proxy:gsub("//[^/]*@", "//"))) end
  say("pass", variable and ("none; %s is set and not used: proxy = \"environment\" would"):format(variable) or "none")
end

local function check_dns(state, say)
  local host = state.base.host
  if has_failed(state, say, "dns", "is that the host? Does this machine look names up (getent hosts " .. host .. ")?")
  then return end
  if state.config.proxy then return say("pass", host .. ": the proxy's to look up") end
  local is_address = host:find("^[%d.]+$") or host:find("^%[")
  say("pass", is_address and host .. " is an address" or host .. " was found")
end

local function check_tcp(state, say)
  if has_failed(state, say, "tcp", cure.of("connect", { host = state.base.host }) or FIREWALL) then return end
  local timing = (state.answer or state.failed).timing
  say("pass", ("port %d, %.0f ms"):format(state.base.port, timing.connect_ms))
end

-- ---- TLS ----------------------------------------------------------------------------------------------

local MONTHS = {}
for i, name in ipairs { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" } do
  MONTHS[name] = i
end

-- "Feb  4 14:27:09 2029 GMT" as seconds since the epoch; nil for another form.
local function read_expiry(said)
  local month, day, hour, minute, second, year =
    said:match("^([A-Z][a-z][a-z]) +(%d+) (%d%d):(%d%d):(%d%d) (%d%d%d%d) GMT$")
  if not MONTHS[month] then return nil end
  local days = time.days(tonumber(year), MONTHS[month], tonumber(day))
  return ((days * 24 + tonumber(hour)) * 60 + tonumber(minute)) * 60 + tonumber(second)
end

-- The certificate of a chain that expires first: its subject, and when; nil where none can be read.
local function first_to_expire(chain)
  local subject, expiry
  for name, said in (chain or ""):gmatch("([^\n]*)\n([^\n]*)\n") do
    local at = read_expiry(said)
    if at and (not expiry or at < expiry) then subject, expiry = name, at end
  end
  return subject, expiry
end

local function check_tls(state, say)
  if state.base.scheme ~= "https" then return say("pass", "none: plain HTTP to this machine") end
  if has_failed(state, say, "tls") then return end
  local subject, expiry = first_to_expire(state.answer and state.answer.connection.chain)
  if not expiry then return say("pass", "verified") end
  local days = math.floor((expiry - core.now()) / DAY_S)
  local said = ("verified; %s expires first, on %s, in %d days"):format(subject, os.date("!%Y-%m-%d", expiry), days)
  if days >= EXPIRY_DAYS then return say("pass", said) end
  say("warn", said, "whoever runs the server has to renew it; where it is a local gateway, start that anew")
end

-- ---- HTTP, clock --------------------------------------------------------------------------------------

local function check_http(state, say)
  if has_failed(state, say, "http", "try again; if it stays so, ask AlipayHK whether its gateway works") then return end
  local answer = state.answer
  local decoded = json.decode_object(answer.body)
  local spoken = answer.connection.http_version or "of an unknown version"
  if decoded and type(decoded.result) == "table" then
    return say("pass", ("HTTP/%s, status %d, %.0f ms"):format(spoken, answer.status, answer.timing.total_ms))
  end
  say("fail", ("HTTP/%s, status %d: no result of AlipayHK's, but %s"):format(spoken, answer.status,
    foreign.describe(answer)), "is the address right? Does a login page or a proxy answer in its place?", UNKNOWN)
end

local function check_clock(state, say)
  local date = state.answer.headers["date"]
  local theirs, ours = date and time.read(date), time.now(state.now)
  if not theirs or not ours then return say("warn", "the answer has no Date to compare with", "look at it: date -u") end
  local skew = theirs - ours
  if math.abs(skew) <= CLOCK_MAX_S then return say("pass", ("%.0f s from AlipayHK's"):format(math.abs(skew))) end
  say("warn", ("this machine's clock is %.0f s %s AlipayHK's"):format(math.abs(skew),
    skew > 0 and "behind" or "ahead of"), "set it: timedatectl set-ntp true; how much AlipayHK allows is on no page")
end

return {
  { name = "proxy", needs = { "config" }, is_network = true, run = check_proxy },
  { name = "DNS", needs = { "proxy" }, is_network = true, run = check_dns },
  { name = "TCP", needs = { "DNS" }, is_network = true, run = check_tcp },
  { name = "TLS", needs = { "TCP" }, is_network = true, run = check_tls },
  { name = "HTTP", needs = { "TLS" }, is_network = true, run = check_http },
  { name = "clock", needs = { "HTTP" }, is_network = true, run = check_clock },
}
