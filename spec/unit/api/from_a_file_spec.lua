-- An API is a file, an algorithm a row: what the library does with one of each that it has never heard of. In a process
-- of its own, before anything of the library is loaded.

local child = require "spec.support.child"
local keys = require "spec.support.data.keys"
local shell = require "spec.support.shell"

-- All that there is to be written for a third API.
local COUPON = [[
return {
  name = "coupon", title = "Coupons", noun = "coupon", method = "sync_coupon", class = "Coupon",
  path = "/api/open/alipay/v1/merchant/coupon/sync", source = { "order_service/api-base" },
  scenario_field = "couponType", status_field = "couponStatus", sequence_field = "modifyTime",
  fields = {
    { path = "requestId", type = "string", required = true, filled = "hex32", confidence = "SEEN" },
    { path = "merchantBizNo", type = "string", required = true, confidence = "SEEN" },
    { path = "couponType", type = "string", required = true, confidence = "SEEN" },
    { path = "couponStatus", type = "string", required = true, confidence = "SEEN" },
    { path = "modifyTime", type = "number", unit = "ms", required = true, filled = "now_ms", confidence = "SEEN" },
    { path = "userId", type = "string", personal = true, confidence = "SEEN" },
  },
  scenarios = { {
    name = "TEA", title = "Tea", source = { "order_service/api-base" }, steps = { forward_only = "SEEN" },
    statuses = { { name = "ISSUED" }, { name = "USED", ends = "SEEN" } },
    fields = { { path = "leaves", type = "number", required = true, confidence = "SEEN" } },
    sample = { merchantBizNo = "C-1", couponType = "TEA", couponStatus = "ISSUED", leaves = 3, userId = "U-1" },
  } },
  response = {},
  results = { COUPON_GONE = { status = "F", retry = true, meaning = "the coupon is gone" } },
}
]]

-- Adds both, makes a client whose transport is AlipayHK by hand, and runs a body, which has `alipayhk`, `client`,
-- `sample`, `seen` (of the last request), and `answer` to set.
local FRAME = [[
local api = require "alipayhk.api"
api.add(require "alipayhk.api.coupon")
local platform = require "alipayhk.api.platform"
platform.algorithms[#platform.algorithms + 1] = { name = "RSA224", key_type = "RSA", digest = "sha224" }

local alipayhk, core = require "alipayhk", require "alipayhk.core"
local merchant = assert(core.public_key { file = "@MERCHANT@.pub" })
local own = assert(core.private_key { file = "@OWN@" })
local CONTENT = "%s %s\n%s.%s.%s"
local seen, answer = {}, '{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"ok"}}'

local client = assert(alipayhk.new {
  client_id = "C", base_url = "https://gateway.example", algorithm = "RSA224",
  private_key = { file = "@MERCHANT@" }, alipay_public_key = { file = "@OWN@.pub" }, retry = false,
  transport = function(request)
    local path, h = request.url:match("^https://[^/]+(.*)$"), request.headers
    local pairs_ = core.parse_pairs(h["Signature"])
    seen.path, seen.body, seen.algorithm = path, request.body, pairs_.algorithm
    seen.verified = merchant:verify(CONTENT:format("POST", path, "C", h["Request-Time"], request.body),
      core.base64_decode(core.percent_decode(pairs_.signature)), { digest = "sha224" })
    local signature = own:sign(CONTENT:format("POST", path, "C", "2024-05-22T06:42:21Z", answer), { digest = "sha224" })
    return { status = 200, body = answer, headers = {
      ["response-time"] = "2024-05-22T06:42:21Z",
      signature = "algorithm=RSA224,signature=" .. core.percent_encode(core.base64_encode(signature)),
    } }
  end,
})
local sample = api.by_name.coupon.scenarios[1].sample
]]

-- What a body prints, line by line.
local function run(body)
  local directory = shell.directory()
  shell.must("mkdir -p " .. shell.quote(directory .. "/alipayhk/api"))
  shell.write(directory .. "/alipayhk/api/coupon.lua", COUPON)
  local merchant, own = keys.pair("merchant"), keys.pair("alipayhk")
  for name, pair in pairs { merchant = merchant, own = own } do
    shell.must(("cp %s %s/%s && cp %s %s/%s.pub"):format(
      shell.quote(pair.private), directory, name, shell.quote(pair.public), directory, name))
  end
  local frame = FRAME:gsub("@MERCHANT@", directory .. "/merchant"):gsub("@OWN@", directory .. "/own")
  local chunk = ("package.path = %q .. package.path\n"):format(directory .. "/?.lua;") .. frame .. body
  local output = child.run(chunk)
  return output
end

describe("an API that is one file more", function()
  it("is a method of the client's, and its payloads are checked, filled in, signed and sent to its path", function()
    assert.equal("SUCCESS\n/api/open/alipay/v1/merchant/coupon/sync\ntrue\ntrue\ntrue\n", run [[
      local response = assert(client:sync_coupon(sample))
      print(response.result.resultCode)
      print(seen.path)
      print(seen.verified)
      print(seen.body:find('"requestId":"%x+"') ~= nil)
      print(seen.body:find('"modifyTime":%d+') ~= nil)
    ]])
  end)

  it("has its payloads refused before anything is sent, by its own rules", function()
    assert.equal("invalid\nleaves missing\ninvalid\ncouponStatus transition\nnil\n", run [[
      local _, err = client:sync_coupon { merchantBizNo = "C-1", couponType = "TEA", couponStatus = "USED" }
      print(err.kind .. "\n" .. err.fields[1].path .. " " .. err.fields[1].code)
      _, err = client:sync_coupon(sample, { previous_status = "USED" })
      print(err.kind .. "\n" .. err.fields[1].path .. " " .. err.fields[1].code)
      print(seen.path)
    ]])
  end)

  it("is known to check, prepare and a partner's own rules", function()
    assert.equal("true\ntrue\nextra missing\n", run [[
      print((alipayhk.check("coupon", sample)))
      print(client:prepare("coupon", sample).path == "/api/open/alipay/v1/merchant/coupon/sync")
      local scenarios = { coupon = { TEA = { fields = { { path = "extra", type = "string", required = true } } } } }
      local _, err = alipayhk.check("coupon", sample, { scenarios = scenarios })
      print(err.fields[1].path .. " " .. err.fields[1].code)
    ]])
  end)

  it("has its own result codes, and whether they are worth another attempt", function()
    assert.equal("COUPON_GONE true true\n", run [[
      answer = '{"result":{"resultCode":"COUPON_GONE","resultStatus":"F","resultMessage":"x U-1"}}'
      local _, err = client:sync_coupon(sample)
      print(("%s %s %s"):format(err.code, tostring(err.retryable), tostring(not err.message:find("U-1", 1, true))))
    ]])
  end)
end)

describe("an algorithm that is one row more", function()
  it("is chosen by the config, named in the header, and verified by what an answer names", function()
    assert.equal("RSA224 true\ntrue\n", run [[
      local response = assert(client:sync_order {
        merchantBizNo = "MB-1", merchantBizType = "MOVIE_TICKET", orderStatus = "TICKETED", userId = "U-1",
        orderCreateTime = 1716338541000, extInfo = {} })
      print(seen.algorithm .. " " .. tostring(seen.verified))
      print(response.authenticated)
    ]])
  end)

  it("is among those that the config's message lists", function()
    assert.equal('`algorithm`: expected one of "RSA256", "ECC224", "RSA224", did you mean "RSA224"?\n', run [[
      local _, err = alipayhk.new { client_id = "C", environment = "testing", private_key = "x", algorithm = "RSA-224" }
      print(err.message)
    ]])
  end)
end)
