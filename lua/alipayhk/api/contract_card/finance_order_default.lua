-- Repayments, as performance notifications.

local INFO = "syncDataInfo.languageBusinessInfo.{locale}."
-- The page requires every field for OVERDUED and for WAIT_PAY, which is none of its statuses. WAIT_REPAY is
-- presumably meant: there the fields are expected only.
local REQUIRED_WHEN, EXPECTED_WHEN = { "OVERDUED" }, { "WAIT_REPAY" }

local SAMPLE_URL = "alipayhk://platformapi/startapp?appId=2100000000000000&page=pages/repayment/detail/index"

return {
  name = "FINANCE_ORDER_DEFAULT",
  title = "Finance Order",
  summary = "A loan or card bill that the user has to repay.",
  match = { confidence = "INFERRED", note = "by the page's title" },
  source = { "performance_notification/api_doc-finance_order" },

  statuses = {
    { name = "WAIT_REPAY", meaning = "the user has to repay", confidence = "SEEN" },
    { name = "OVERDUED", meaning = "the repayment is past its due date (with this spelling)", confidence = "SEEN" },
    {
      name = "CLOSED", ends = "INFERRED", closes = true, confidence = "SEEN",
      meaning = "the notification is to be taken down", effect = "the notification disappears",
    },
  },
  steps = {
    confidence = "SEEN",
    note = "One of the page's two renderings lacks the sentence on any first status and on skipping.",
  },

  fields = {
    {
      path = INFO .. "action_url", type = "string", format = "URL", confidence = "SEEN",
      required_when = REQUIRED_WHEN, expected_when = EXPECTED_WHEN,
      note = "Where the button leads.",
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
      note = "Icon of the notification: 72 x 72 px recommended, less than 100 KB.",
    },
    {
      path = INFO .. "bill_month_time", type = "string", format = "yyyy-MM", confidence = "SEEN",
      required_when = REQUIRED_WHEN, expected_when = EXPECTED_WHEN,
      note = "Month of the bill. PAYMENT_ORDER_DEFAULT has no such field.",
    },
    {
      path = INFO .. "bill_name", type = "string", confidence = "SEEN",
      required_when = REQUIRED_WHEN, expected_when = EXPECTED_WHEN,
      note = "Name of the bill.",
    },
    {
      path = INFO .. "order_url", type = "string", format = "URL", confidence = "SEEN",
      required_when = REQUIRED_WHEN, expected_when = EXPECTED_WHEN,
      note = "Where a tap on the card leads.",
    },
  },

  sample = {
    requestId = "616412de-3d50-42bb-8768-5595ede61ccf",
    bizDate = 1716517800000,
    command = "SEND",
    merchantBizNo = "20240524000002",
    orderStatus = "WAIT_REPAY",
    productTemplateCode = "FINANCE_ORDER_DEFAULT",
    userId = "2160120012345678",
    syncDataInfo = {
      amount = 125000,
      languageBusinessInfo = {
        zh_HK = {
          action_url = SAMPLE_URL,
          bill_amount = "125000",
          bill_amount_currency = "HKD",
          bill_desc = "五月月結單已發出",
          bill_due_time = "2024-06-14",
          bill_icon_url = "https://www.example.com/icon.png",
          bill_month_time = "2024-05",
          bill_name = "信用卡賬單",
          order_url = SAMPLE_URL,
        },
        en_US = {
          action_url = SAMPLE_URL,
          bill_amount = "125000",
          bill_amount_currency = "HKD",
          bill_desc = "Your statement of May",
          bill_due_time = "2024-06-14",
          bill_icon_url = "https://www.example.com/icon.png",
          bill_month_time = "2024-05",
          bill_name = "Credit card bill",
          order_url = SAMPLE_URL,
        },
      },
    },
  },
}
