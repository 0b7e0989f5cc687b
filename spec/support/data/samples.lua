-- Valid payloads, made anew at each call so that a spec may change its own.
--
--     samples.order { orderStatus = "USED", userId = samples.ABSENT }

local core = require "alipayhk.core"

local samples = {
  -- Stands for a field that is to be left out.
  ABSENT = {},

  -- No message may have these.
  USER_ID = "2160120012345678",
  OPEN_ID = "open-id-of-a-user",
}

local function with(base, extra)
  for key, value in pairs(extra or {}) do
    if value == samples.ABSENT then value = nil end
    base[key] = value
  end
  return base
end

-- A merchantBizNo that no other spec uses.
function samples.biz_no()
  return "SPEC-" .. core.hex_encode(core.random_bytes(8))
end

-- An order of the order service.
function samples.order(extra)
  return with({
    merchantBizNo = samples.biz_no(),
    merchantBizType = "MOVIE_TICKET",
    orderStatus = "TICKETED",
    userId = samples.USER_ID,
    orderCreateTime = 1716338541000,
    extInfo = { note = "電影票 ✓" },
  }, extra)
end

-- A performance notification.
function samples.card(extra)
  local bill = {
    bill_name = "煤氣賬單",
    bill_desc = "煤氣十月賬單已發出",
    bill_amount = "57000",
    bill_amount_currency = "HKD",
    bill_due_time = "2024-10-15",
    bill_icon_url = "https://www.example.com/icon.png",
    order_url = "alipayhk://platformapi/startapp?appId=2100000000000000",
    action_url = "alipayhk://platformapi/startapp?appId=2100000000000000",
  }
  return with({
    command = "SEND",
    merchantBizNo = samples.biz_no(),
    productTemplateCode = "PAYMENT_ORDER_DEFAULT",
    orderStatus = "WAIT_PAY",
    userId = samples.USER_ID,
    syncDataInfo = { amount = 57000, languageBusinessInfo = { zh_HK = bill } },
  }, extra)
end

return samples
