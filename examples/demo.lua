-- What `make demo` runs: one order of each API in each way, through the local gateway.
-- Its standard input is what gateway/start printed. With the argument `keep` the gateway stays when it has ended.

local alipayhk = require "alipayhk"
local connection = dofile "gateway/connection.lua"

local gateway = connection.parse(io.read("*a"))

local function new_client(kind)
  return assert(alipayhk.new(connection.config(gateway, kind)))
end

local order = {
  merchantBizNo = "DEMO-ORDER-1",
  merchantBizType = "MOVIE_TICKET",
  orderStatus = "TICKETED",
  userId = "2160120012345678",
  orderCreateTime = os.time() * 1000,
  amount = { value = "18000", currency = "HKD" },
  extInfo = {},
}

local bill = {
  bill_name = "AlipayHK",
  bill_desc = "Bill of May",
  bill_amount = "10000",
  bill_amount_currency = "HKD",
  bill_due_time = "2027-05-30",
  bill_icon_url = "https://www.example.com/icon.png",
  order_url = "alipayhk://platformapi/startapp?appId=2100000000000000",
  action_url = "alipayhk://platformapi/startapp?appId=2100000000000000",
}

local function card(number)
  return {
    command = "SEND",
    merchantBizNo = number,
    productTemplateCode = "PAYMENT_ORDER_DEFAULT",
    orderStatus = "WAIT_PAY",
    userId = "2160120012345678",
    syncDataInfo = { amount = 10000, languageBusinessInfo = { zh_HK = bill, en_US = bill } },
  }
end

local rsa, ec = new_client("rsa"), new_client("ec")

local function sync_order(client, opts)
  return function() return client:sync_order(order, opts) end
end

local function sync_card(client, number, opts)
  return function() return client:sync_contract_card(card(number), opts) end
end

local CALLS = {
  { "order/sync", "RSA256", "no", sync_order(rsa) },
  { "contractCardSync", "RSA256", "no", sync_card(rsa, "DEMO-CARD-1") },
  { "order/sync", "ECC224", "no", sync_order(ec) },
  { "contractCardSync", "ECC224", "no", sync_card(ec, "DEMO-CARD-1") },
  { "order/sync", "RSA256", "RSA_AES", sync_order(rsa, { encrypt = true }) },
  { "contractCardSync", "RSA256", "RSA_AES", sync_card(rsa, "DEMO-CARD-2", { encrypt = true }) },
}

local ROW = "%-17s %-9s %-9s %-36s  %-6s %-11s %-16s %-8s %8s %8s"

print(("Signed orders to %s, answers verified:\n"):format(gateway.base_url))
print(ROW:format("API", "signed", "encrypted", "request id", "status", "result", "trace id", "verified", "tls ms",
  "total ms"))
local failures = 0
for _, call in ipairs(CALLS) do
  local response, err = call[4]()
  if response then
    print(ROW:format(call[1], call[2], call[3], response.request_id, response.result.resultStatus,
      response.result.resultCode, response.tracer_id, tostring(response.authenticated),
      ("%.2f"):format(response.timing.tls_ms), ("%.2f"):format(response.timing.total_ms)))
  else
    failures = failures + 1
    print(("%-17s %-9s %-9s %s"):format(call[1], call[2], call[3], tostring(err)))
  end
end

print("\nA payload with mistakes is refused before anything is sent:\n")
local _, err = rsa:sync_order({
  merchantBizNo = "DEMO-ORDER-2",
  merchantBizType = "SELF_PICK",
  orderStatus = "CLOSED",
  orderCreateTime = os.time(),
  amount = { value = "88.00", currency = "hkd" },
  itemOrderList = { "milk tea" },
  shopinfo = {},
  extInfo = {},
}, { previous_status = "TO_PICK_UP" })
for _, fault in ipairs(err.fields) do
  print(("  %-17s %-11s %s"):format(fault.path, fault.code, fault.message))
end

rsa:close()
ec:close()
print(failures == 0 and "\nAll calls succeeded." or ("\n%d calls failed."):format(failures))
local LEFT = "\nThe gateway is left running, and shows all of this at %s\nTo end it: kill %s"
local GONE = "\nThe gateway showed all of this at %s: `make demo KEEP=1` leaves it running to look at."
print((arg[1] == "keep" and LEFT or GONE):format(gateway.page, gateway.pid))
os.exit(failures == 0 and 0 or 1)
