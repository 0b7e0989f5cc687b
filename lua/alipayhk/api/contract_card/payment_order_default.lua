-- Bills to be paid, as performance notifications.

local INFO = "syncDataInfo.languageBusinessInfo.{locale}."
-- The newer page requires every field but in CLOSED, the older one for WAIT_PAY alone. Only what both
-- require is enforced; what the newer one adds is expected.
local REQUIRED_WHEN, EXPECTED_WHEN = { "WAIT_PAY" }, { "PAY_FAILED", "OVERDUED" }

local SAMPLE_URL = "alipayhk://platformapi/startapp?appId=2100000000000000&page=pages/bill/detail/index"

return {
  name = "PAYMENT_ORDER_DEFAULT",
  title = "Payment Order",
  summary = "A bill that the user has to pay.",
  match = { confidence = "INFERRED", note = "by the page's title" },
  source = {
    "performance_notification/api_doc-payment_order", "performance_notification/api-payment_order",
  },

  statuses = {
    { name = "WAIT_PAY", meaning = "the user has to pay the bill", confidence = "SEEN" },
    { name = "PAY_FAILED", meaning = "an automatic debit failed", confidence = "SEEN" },
    { name = "OVERDUED", meaning = "the bill is past its due date (with this spelling)", confidence = "SEEN" },
    {
      name = "CLOSED", ends = "INFERRED", closes = true, confidence = "SEEN",
      meaning = "the order is complete", effect = "the notification disappears",
    },
  },
  steps = { confidence = "SEEN" },

  fields = {
    {
      path = INFO .. "action_url", type = "string", format = "URL", confidence = "SEEN",
      required_when = REQUIRED_WHEN, expected_when = EXPECTED_WHEN,
      note = "Where the button leads. Samples are deep links, `alipayhk://platformapi/startapp?appId=...`.",
    },
    {
      path = INFO .. "bill_amount", type = "string", unit = "cents", confidence = "SEEN",
      required_when = REQUIRED_WHEN, expected_when = EXPECTED_WHEN,
      note = "A string, unlike `syncDataInfo.amount`.",
    },
    {
      path = INFO .. "bill_amount_currency", type = "string", enum = { "HKD", "CNY" }, confidence = "SEEN",
      required_when = REQUIRED_WHEN, expected_when = EXPECTED_WHEN,
    },
    {
      path = INFO .. "bill_desc", type = "string", confidence = "SEEN",
      required_when = REQUIRED_WHEN, expected_when = EXPECTED_WHEN,
      note = "What the bill is for.",
    },
    {
      path = INFO .. "bill_due_time", type = "string", format = "yyyy-MM-dd", confidence = "SEEN",
      required_when = REQUIRED_WHEN, expected_when = EXPECTED_WHEN,
      note = "A date, though it is called a time.",
    },
    {
      path = INFO .. "bill_icon_url", type = "string", format = "URL", confidence = "SEEN",
      required_when = REQUIRED_WHEN, expected_when = EXPECTED_WHEN,
      note = "Icon of the notification: 72 x 72 px recommended, less than 100 KB (the newer page).",
    },
    {
      path = INFO .. "bill_name", type = "string", confidence = "SEEN",
      required_when = REQUIRED_WHEN, expected_when = EXPECTED_WHEN,
      note = "Name of the bill.",
    },
    {
      path = INFO .. "order_url", type = "string", format = "URL", confidence = "SEEN",
      required_when = REQUIRED_WHEN, expected_when = EXPECTED_WHEN,
      note = "Where a tap on the card leads. One JSON example spells it `order_Url`; both tables say `order_url`.",
    },
  },

  sample = {
    requestId = "d1c221e1-5993-4162-bdbf-f06f33389472",
    bizDate = 1716338541000,
    command = "SEND",
    merchantBizNo = "20240524000001",
    orderStatus = "WAIT_PAY",
    productTemplateCode = "PAYMENT_ORDER_DEFAULT",
    userId = "2160120012345678",
    syncDataInfo = {
      amount = 57000,
      languageBusinessInfo = {
        zh_HK = {
          action_url = SAMPLE_URL,
          bill_amount = "57000",
          bill_amount_currency = "HKD",
          bill_desc = "五月賬單已發出",
          bill_due_time = "2024-05-30",
          bill_icon_url = "https://www.example.com/icon.png",
          bill_name = "煤氣賬單",
          order_url = SAMPLE_URL,
        },
        en_US = {
          action_url = SAMPLE_URL,
          bill_amount = "57000",
          bill_amount_currency = "HKD",
          bill_desc = "Your bill of May",
          bill_due_time = "2024-05-30",
          bill_icon_url = "https://www.example.com/icon.png",
          bill_name = "Gas bill",
          order_url = SAMPLE_URL,
        },
      },
    },
  },
}
