-- AlipayHK inside nginx, for specs that tell it what to do. With one worker its state is this module's.
--
-- /control?name=value sets, /seen shows what came. Every other path is an API:
--
-- accepts   versions of the merchant's key that it knows, such as "1,2"; what is signed with another gets an
--           unsigned INVALID_SIGNATURE
-- signs     version of its own key that it signs with
-- codes     what it answers, turn by turn, as "CODE/F,CODE/U"; success after the last
-- hold      "1": no answer until it is something else
-- gone      "1": connections are closed without an answer
-- busy      to how many further requests it answers that there are too many, with status 429
-- luacheck: std min+ngx_lua

local algorithms = require "alipayhk.exchange.algorithms"
local core = require "alipayhk.core"
local json = require "alipayhk.base.json"
local keyring = require "alipayhk.exchange.keyring"
local platform = require "alipayhk.api.platform"
local time = require "alipayhk.base.time"
local wire = require "alipayhk.exchange.wire"

local server = {}

local state = { accepts = "1", signs = "1", codes = "", hold = "0", delay = "0", gone = "0", busy = "0" }
local seen = {}
-- How many requests are under way, by merchantBizNo and in all; how many were at most.
local under_way, most = { all = 0, orders = {} }, { all = 0, order = 0 }
local merchant, own

-- `merchant_files`: by version
-- `own_files`: by version
function server.init(merchant_files, own_files)
  local sources = {}
  for version, path in pairs(merchant_files) do sources[version] = { file = path } end
  merchant, own = assert(keyring.new(sources)), {}
  for version, path in pairs(own_files) do own[version] = assert(core.private_key { file = path }) end
end

function server.control()
  for name, value in pairs(ngx.req.get_uri_args()) do state[name] = value end
end

-- Lines of key version, merchantBizNo, orderModifyTime, requestId, a digest of the body and the seconds of the
-- monotonic clock, in the order in which they came.
function server.seen()
  ngx.print(table.concat(seen))
end

-- The most requests at once: in all, and of one order.
function server.most()
  ngx.print(most.all, " ", most.order)
end

local function count(order, step)
  local orders = under_way.orders
  under_way.all, orders[order] = under_way.all + step, (orders[order] or 0) + step
  most.all, most.order = math.max(most.all, under_way.all), math.max(most.order, orders[order])
end

local function next_code()
  local code, status, rest = state.codes:match("^(.-)/(%u),?(.*)$")
  if not code then return "SUCCESS", "S" end
  state.codes = rest
  return code, status
end

local function answer(version, client_id, code, status)
  local body = json.encode { result = { resultCode = code, resultStatus = status, resultMessage = "as told" } }
  if version then
    local now = time.text(ngx.now(), platform.utc_offset)
    ngx.header["Client-Id"], ngx.header["Response-Time"] = client_id, now
    ngx.header["Signature"] = wire.sign(own[version], {
      algorithm = algorithms.default(own[version]:type()).name, key_version = version,
    }, wire.content("POST", ngx.var.request_uri, client_id, now, body))
  end
  ngx.print(body)
end

function server.handle()
  ngx.req.read_body()
  local headers, body = ngx.req.get_headers(), ngx.req.get_body_data()
  local client_id, signature = headers["Client-Id"], headers["Signature"]
  local version = core.parse_pairs(signature).keyVersion
  local content = wire.content("POST", ngx.var.request_uri, client_id, headers["Request-Time"], body)
  local payload = json.decode(body)
  seen[#seen + 1] = ("%s %s %.0f %s %s %.6f\n"):format(version, payload.merchantBizNo, payload.orderModifyTime,
    payload.requestId, ngx.md5(body), core.monotonic())
  if state.gone == "1" then return ngx.exit(444) end
  if state.busy ~= "0" then
    state.busy = ("%d"):format(state.busy - 1)
    return ngx.exit(429)
  end
  count(payload.merchantBizNo, 1)
  while state.hold == "1" do ngx.sleep(0.02) end
  if state.delay ~= "0" then ngx.sleep(tonumber(state.delay)) end
  count(payload.merchantBizNo, -1)
  if state.accepts:find(version, 1, true) and wire.verify(signature, content, merchant) then
    return answer(state.signs, client_id, next_code())
  end
  answer(nil, nil, "INVALID_SIGNATURE", "F")
end

return server
