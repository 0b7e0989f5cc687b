-- Train tickets, as performance notifications.

local INFO = "syncDataInfo.languageBusinessInfo.{locale}."
-- The copies of the page lost the words that say when the fields are required. What is left of the sentence is
-- what the movie ticket's page has too, where they are for AWAIT_SCREENING.
local EXPECTED_WHEN = { "AWAIT_SCREENING" }

local SAMPLE_URL = "alipayhk://platformapi/startapp?appId=2100000000000000&page=pages/train/detail/index"

return {
  name = "TRAIN_TICKET_DEFAULT",
  title = "Train Ticket",
  summary = "A train that the user is about to take.",
  match = { confidence = "INFERRED", note = "by the page's title" },
  source = { "performance_notification/api_doc-train_ticket" },

  statuses = {
    {
      name = "AWAIT_SCREENING", meaning = "the user is about to board", confidence = "SEEN",
      note = "Named as in MOVIE_TICKET_DEFAULT; trains have no name of their own for it.",
    },
    {
      name = "CLOSED", ends = "INFERRED", closes = true, confidence = "SEEN",
      meaning = "the notification is to be taken down", effect = "the notification is not displayed",
    },
  },
  steps = { confidence = "SEEN" },

  fields = {
    {
      path = INFO .. "check_point", type = "array", confidence = "SEEN",
      expected_when = EXPECTED_WHEN,
      note = "The gates for check-in.",
    },
    { path = INFO .. "check_point[]", type = "string", confidence = "SEEN" },
    {
      path = INFO .. "end_time", type = "string", format = "yyyy-MM-dd HH:mm:ss", not_before = "start_time",
      confidence = "SEEN",
      expected_when = EXPECTED_WHEN,
      note = "When the train arrives. The time zone is not told.",
    },
    {
      path = INFO .. "from", type = "string", confidence = "SEEN",
      expected_when = EXPECTED_WHEN,
      note = "Name of the station of departure.",
    },
    {
      path = INFO .. "order_url", type = "string", format = "URL", confidence = "SEEN",
      expected_when = EXPECTED_WHEN,
      note = "Where a tap on the card leads.",
    },
    {
      path = INFO .. "refund_or_change_url", type = "string", format = "URL", confidence = "SEEN",
      expected_when = EXPECTED_WHEN,
      note = "The page for refunds and changes; this template has no `action_url` beside it.",
    },
    {
      path = INFO .. "seat_num", type = "array", confidence = "SEEN",
      expected_when = EXPECTED_WHEN,
      note = "The seats.",
    },
    { path = INFO .. "seat_num[]", type = "string", confidence = "SEEN" },
    {
      path = INFO .. "shift_number", type = "string", confidence = "SEEN",
      expected_when = EXPECTED_WHEN,
      note = "Number of the train.",
    },
    {
      path = INFO .. "start_time", type = "string", format = "yyyy-MM-dd HH:mm:ss", confidence = "SEEN",
      expected_when = EXPECTED_WHEN,
      note = "When the train leaves. The time zone is not told.",
    },
    {
      path = INFO .. "to", type = "string", confidence = "SEEN",
      expected_when = EXPECTED_WHEN,
      note = "Name of the station of arrival.",
    },
  },

  sample = {
    requestId = "76808618-059f-47c6-91e0-9a65ccc6412f",
    bizDate = 1716509700000,
    command = "SEND",
    merchantBizNo = "20240524000004",
    orderStatus = "AWAIT_SCREENING",
    productTemplateCode = "TRAIN_TICKET_DEFAULT",
    userId = "2160120012345678",
    syncDataInfo = {
      amount = 46000,
      languageBusinessInfo = {
        zh_HK = {
          check_point = { "A5", "A6" },
          end_time = "2024-05-24 10:14:00",
          from = "香港西九龍",
          order_url = SAMPLE_URL,
          refund_or_change_url = SAMPLE_URL,
          seat_num = { "5車12A", "5車12B" },
          shift_number = "G6512",
          start_time = "2024-05-24 09:15:00",
          to = "廣州南",
        },
        en_US = {
          check_point = { "A5", "A6" },
          end_time = "2024-05-24 10:14:00",
          from = "Hong Kong West Kowloon",
          order_url = SAMPLE_URL,
          refund_or_change_url = SAMPLE_URL,
          seat_num = { "Coach 5, 12A", "Coach 5, 12B" },
          shift_number = "G6512",
          start_time = "2024-05-24 09:15:00",
          to = "Guangzhou South",
        },
      },
    },
  },
}
