-- What AlipayHK's pages say of the nine scenarios of the order service, written down by hand: the product's own data
-- must not be its own proof.
--
--     expectations.minimal("LINE_UP")  -> an order with what is required and nothing else
--     expectations.full("LINE_UP")     -> with every key that is known
--     expectations.put(order, "shopInfo.extInfo", expectations.ABSENT)

local samples = require "spec.support.data.samples"

local expectations = { ABSENT = samples.ABSENT }

-- A row: path, kind, what its absence is (F a fault, W a warning, - nothing), what a wrong value is, its limit in
-- characters. What a page shows is a fault; what is only inferred from a twin page is a warning.

-- requestId and orderModifyTime are filled in by the client; userId is the only id of a user in these orders.
expectations.base = {
  { "requestId", "id", "-", "F", 32 },
  { "merchantBizNo", "id", "F", "F", 32 },
  { "orderStatus", "status", "F", "F" },
  { "userId", "id", "F", "F", 64 },
  { "openId", "id", "-", "F", 64 },
  { "orderCreateTime", "time", "F", "F" },
  { "orderModifyTime", "time", "-", "F" },
  { "merchantAccountId", "id", "-", "F", 64 },
  { "merchantId", "id", "-", "F", 64 },
  { "tinyAppId", "id", "-", "F" },
}

-- A line of `steps` stands for a previous status, a column for a status, both in the order of `statuses`:
-- "." is allowed, "w" allowed with a warning, "X" refused.
expectations.scenarios = {
  PASS_TICKET = {
    statuses = { "TICKETED", "REFUNDED", "USED" },
    steps = { "...", "X.X", "XX." },
    fields = {
      { "amount", "object", "-", "F" },
      { "amount.value", "cents", "F", "F" },
      { "amount.currency", "currency", "F", "F" },
      { "payAmount", "object", "-", "F" },
      { "payAmount.value", "cents", "F", "F" },
      { "payAmount.currency", "currency", "W", "W" },
      { "tradeNo", "id", "-", "W" },
      { "extInfo", "object", "W", "W" },
    },
  },

  MOVIE_TICKET = {
    statuses = { "TICKETED", "REFUNDED", "USED" },
    steps = { "...", "X.X", "XX." },
    fields = {
      { "amount", "object", "-", "F" },
      { "amount.value", "cents", "F", "F" },
      { "amount.currency", "currency", "F", "F" },
      { "payAmount", "object", "-", "F" },
      { "payAmount.value", "cents", "W", "W" },
      { "payAmount.currency", "currency", "W", "W" },
      { "tradeNo", "id", "-", "F" },
      { "extInfo", "object", "F", "F" },
    },
  },

  TRAIN_TICKET = {
    statuses = { "TICKETED", "REFUNDED", "USED" },
    steps = { "...", "X.X", "XX." },
    fields = {
      { "amount", "object", "-", "F" },
      { "amount.value", "cents", "F", "F" },
      { "amount.currency", "currency", "F", "F" },
      { "payAmount", "object", "-", "F" },
      { "payAmount.value", "cents", "F", "F" },
      { "payAmount.currency", "currency", "W", "W" },
      { "tradeNo", "id", "-", "F" },
      { "extInfo", "object", "F", "F" },
    },
  },

  -- The pages differ on FAULT and on COMPLETED being an end, and draw the steps: only FINISHED is an end in both.
  CHARGING_PILE = {
    statuses = {
      "SERVING", "SERVING_WO_ENDTIME", "SERVING_LITE", "PAUSED", "FAULT", "COMPLETED", "PARKING_DUE", "FINISHED",
    },
    steps = { "........", "........", "........", "........", "........", "........", "........", "XXXXXXX." },
    fields = {
      { "tradeNo", "id", "-", "F" },
      { "extInfo", "object", "F", "F" },
      { "extInfo.amount", "object", "-", "F" },
      { "extInfo.amount.value", "cents", "F", "F" },
      { "extInfo.amount.currency", "currency", "F", "F" },
      { "extInfo.surcharge_amount", "money", "-", "W" },
    },
  },

  -- No end is marked; CANCELLED comes after CALL_NUM alone.
  LINE_UP = {
    statuses = { "CALL_NUM", "NUMBER_ARRIVED", "NUMBER_PASSED", "CANCELLED", "FINISHED" },
    steps = { ".....", "X..X.", "XX.X.", "XXX.w", "XXXX." },
    fields = {
      { "shopInfo", "object", "F", "F" },
      { "shopInfo.extInfo", "object", "F", "F" },
      { "shopInfo.extInfo.multiLang", "object", "-", "F" },
      { "extInfo", "object", "F", "F" },
    },
  },

  -- TO_PICK_UP leads to FINISHED alone.
  SELF_PICK = {
    statuses = { "PENDING", "ORDER_TAKEN", "TO_PICK_UP", "FINISHED", "CLOSED", "REFUNDED" },
    steps = { "......", "X.....", "XX..XX", "XXX.XX", "XXXX.X", "XXXXX." },
    fields = {
      { "amount", "object", "F", "F" },
      { "amount.value", "cents", "F", "F", 64 },
      { "amount.currency", "currency", "F", "F" },
      { "discountAmount", "object", "-", "F" },
      { "discountAmount.value", "cents", "F", "F", 64 },
      { "discountAmount.currency", "currency", "W", "W" },
      { "actualAmount", "object", "-", "F" },
      { "actualAmount.value", "cents", "F", "F", 64 },
      { "actualAmount.currency", "currency", "W", "W" },
      { "tradeNo", "id", "-", "F" },
      { "itemOrderList", "array", "F", "F" },
      { "shopInfo", "object", "F", "F" },
      { "extInfo", "object", "F", "F" },
    },
  },

  -- May go backwards (TO_SEND, then ORDER_TAKEN again), and no end is marked.
  RIDE_HAILING = {
    statuses = {
      "PENDING", "BOOKED", "ORDER_TAKEN", "TO_BOARD", "SERVING", "WAIT_PAY", "FINISHED", "TO_SEND", "CLOSED",
      "CANCEL_WAIT_PAY",
    },
    steps = {
      "..........", "..........", "..........", "..........", "..........", "..........", "wwwwww.www", "..........",
      "wwwwwwww.w", "..........",
    },
    fields = {
      { "extInfo", "object", "F", "F" },
    },
  },

  GIFT_CARD_COUPON = {
    statuses = { "TICKETED", "REFUNDED", "USED" },
    steps = { "...", "X.X", "XX." },
    fields = {
      { "tradeNo", "id", "-", "F" },
      { "amount", "object", "-", "W" },
      { "amount.value", "cents", "W", "W" },
      { "amount.currency", "currency", "W", "W" },
      { "payAmount", "money", "-", "W" },
      { "extInfo", "object", "W", "W" },
    },
  },

  ALIPAY_COUPON = {
    statuses = { "TICKETED" },
    steps = { "." },
    fields = {
      { "tradeNo", "id", "-", "F" },
      { "amount", "object", "-", "F" },
      { "amount.value", "cents", "F", "F" },
      { "amount.currency", "currency", "W", "W" },
      { "payAmount", "object", "-", "F" },
      { "payAmount.value", "cents", "F", "F" },
      { "payAmount.currency", "currency", "W", "W" },
      { "extInfo", "object", "F", "F" },
    },
  },
}

-- A right value of each kind. A "money" is an object whose children no page describes at that place.
expectations.examples = {
  id = function() return "20240524001漢" end,
  time = function() return 1716338541000 end,
  cents = function() return "10000" end,
  currency = function() return "HKD" end,
  object = function() return {} end,
  money = function() return { value = "500", currency = "HKD" } end,
  array = function() return { { name = "套餐" }, { name = "飲品" } } end,
}

-- `slips` pass, and give a warning that is ours: nobody can have meant them.
expectations.formats = {
  id = {
    right = { "1", "A 1", "漢", "a-b_c.d/e", "1.5", "1e5", "20240524000001" },
    wrong = { "A1\r", "A1\n", "\0", "A\tB", "A\127", " ", "  ", "\194\160", "\227\128\128" },
    slips = { " A1", "A1 ", "\239\187\191A1", "A1\194\160", "2.1601200123457e+15", "20240524.0", "2.1E+15" },
  },
  time = { right = { 1716338541000, 1716338541001 }, wrong = { 1716338541, 1716338541000.5, 0, -1716338541000 } },
  cents = {
    right = { "0", "5", "10000", ("9"):rep(30) },
    slips = { "00", "05", "0010000" },
    wrong = {
      "100.00", "0.5", ".5", "5.", "-5", "-0.50", "+5", "1,000", "abc", "1e3", "0x10", " 5", "5 ", "5\n", "HKD 5",
      "１００",
    },
  },
  currency = {
    right = { "HKD", "CNY", "USD", "JPY", "MOP", "EUR", "GBP", "SGD", "TWD", "KRW", "THB", "AUD" },
    wrong = { "hkd", "Hkd", "XYZ", "HK", "HKDD", "HK$", "344", " HKD", "HKD ", "港幣元" },
  },
}

-- Sets what stands at a dotted path; gives the order.
function expectations.put(order, path, value)
  local parent, last = order, nil
  for key in path:gmatch("[^.]+") do
    if last then parent = parent[last] end
    last = key
  end
  if value == expectations.ABSENT then value = nil end
  parent[last] = value
  return order
end

-- An optional object's children are left out with it.
local function has_parent(order, path)
  local parent = path:match("^(.*)%.")
  local at = order
  for key in (parent or ""):gmatch("[^.]+") do at = at and at[key] end
  return at ~= nil
end

local function build(scenario, optional)
  local order = {
    merchantBizNo = samples.biz_no(),
    merchantBizType = scenario,
    orderStatus = expectations.scenarios[scenario].statuses[1],
    userId = samples.USER_ID,
    orderCreateTime = 1716338541000,
  }
  for _, row in ipairs(expectations.scenarios[scenario].fields) do
    local path, kind, absence = row[1], row[2], row[3]
    if (optional or absence ~= "-") and has_parent(order, path) then
      expectations.put(order, path, expectations.examples[kind]())
    end
  end
  return order
end

function expectations.minimal(scenario) return build(scenario, false) end

function expectations.full(scenario) return build(scenario, true) end

return expectations
