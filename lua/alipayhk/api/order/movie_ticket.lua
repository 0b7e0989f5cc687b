-- Movie tickets in the order service.

return {
  name = "MOVIE_TICKET",
  title = "Movie Ticket",
  summary = "A cinema ticket, kept in the user's Card Wallet.",
  -- No page prints the type beside the scenario.
  match = { confidence = "INFERRED", note = "by the page's title" },
  source = { "order_service/api-movie", "helpcenter/movie" },

  statuses = {
    {
      name = "TICKETED", confidence = "SEEN",
      meaning = "the ticket is issued",
      effect = "put into the Card Wallet; a performance notification shows from 2 hours before `start_time`",
    },
    {
      name = "REFUNDED", ends = "SEEN", confidence = "SEEN", source = { "order_service/api-movie" },
      meaning = "the order is refunded", effect = "notification hidden, ticket gone",
    },
    {
      name = "USED", ends = "SEEN", confidence = "SEEN", source = { "order_service/api-movie" },
      meaning = "the ticket is used", effect = "notification hidden, ticket shown as USED",
    },
  },
  steps = {
    forward_only = "SEEN", confidence = "SEEN",
    note = "One copy has the sentence; the other has a flow chart, and marks the two end statuses.",
  },

  fields = {
    {
      path = "amount", type = "object", confidence = "SEEN",
      note = "Original amount of the ticket.",
    },
    {
      path = "amount.value", type = "string", unit = "cents", required = true, confidence = "SEEN",
      source = { "helpcenter/movie" },
    },
    {
      path = "amount.currency", type = "string", format = "ISO 4217", required = true, confidence = "SEEN",
      source = { "helpcenter/movie" },
    },
    {
      path = "payAmount", type = "object", confidence = "SEEN",
      note = "What the user really paid.",
    },
    {
      path = "payAmount.value", type = "string", unit = "cents", required = true, confidence = "INFERRED",
      source = { "helpcenter/movie", "helpcenter/train_ticket" },
      evidence = "The text on cents is there, the key as on the train ticket's page.",
    },
    {
      path = "payAmount.currency", type = "string", format = "ISO 4217", required = true, confidence = "INFERRED",
      source = { "helpcenter/movie", "helpcenter/train_ticket" },
      evidence = "The text on ISO 4217 is there, the key as on the train ticket's page.",
    },
    {
      path = "tradeNo", type = "string", id = true, confidence = "SEEN",
      note = "Alipay's number of the payment.",
    },
    {
      path = "extInfo", type = "object", required = true, confidence = "SEEN",
      source = { "order_service/api-movie" }, note = "What is special to a movie ticket.",
    },
  },
  response = {},

  -- Described on the page, under keys that no copy shows: ask AlipayHK, do not guess.
  unknown = {
    { where = "extInfo", note = "the merchant's own order id" },
    { where = "extInfo", note = "URL of the order's page; the text says it starts with `allpayhk://` (double l)" },
    { where = "extInfo", note = "object with value and message of the code to display; required for TICKETED" },
    { where = "extInfo", note = "template code that AlipayHK provides; required for TICKETED" },
    { where = "extInfo", note = "when the ticket is shown from and until, in milliseconds; required for TICKETED" },
    {
      where = "extInfo",
      note = "when the show starts and ends, in milliseconds; required for TICKETED. "
        .. "The start is probably `start_time`, which the status table names (INFERRED)",
    },
    { where = "extInfo", note = "how often the ticket can be used, such as \"1\"" },
    {
      where = "extInfo",
      note = "texts by locale (zh_HK, en_US): cinema, house, address (required for TICKETED), list of tags, list of "
        .. "seats. On the Queue Up page an object of this description is called `multiLang` (INFERRED here)",
    },
  },

  sample = {
    requestId = "7d0f6a3c5b8e4d1fa2c9e8b7f6a5d4c3",
    merchantBizNo = "20240522000001",
    merchantBizType = "MOVIE_TICKET",
    orderStatus = "TICKETED",
    userId = "2160120012345678",
    orderCreateTime = 1716338541000,
    orderModifyTime = 1716338541000,
    amount = { value = "20000", currency = "HKD" },
    payAmount = { value = "18000", currency = "HKD" },
    tradeNo = "2024052222001458001234567890",
    extInfo = {},
  },
}
