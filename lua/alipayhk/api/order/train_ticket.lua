-- Train tickets in the order service.

return {
  name = "TRAIN_TICKET",
  title = "Train Ticket",
  summary = "A train ticket, kept in the user's Card Wallet.",
  -- No page prints the type beside the scenario.
  match = { confidence = "INFERRED", note = "by the page's title" },
  source = { "order_service/api-train_ticket", "helpcenter/train_ticket" },

  statuses = {
    {
      name = "TICKETED", confidence = "SEEN", source = { "helpcenter/train_ticket" },
      meaning = "the ticket is issued", effect = "put into the Card Wallet",
    },
    {
      name = "REFUNDED", ends = "SEEN", confidence = "SEEN", source = { "helpcenter/train_ticket" },
      meaning = "the order is refunded", effect = "notification hidden, ticket gone",
    },
    {
      name = "USED", ends = "SEEN", confidence = "SEEN", source = { "helpcenter/train_ticket" },
      meaning = "the ticket is used", effect = "notification hidden, ticket shown as USED",
    },
  },
  steps = {
    forward_only = "INFERRED", confidence = "INFERRED", source = { "helpcenter/train_ticket", "helpcenter/movie" },
    note = "The page has a flow chart and marks the two end statuses; the sentence is on the movie ticket's page.",
  },

  fields = {
    { path = "amount", type = "object", confidence = "SEEN", note = "Original amount of the ticket." },
    {
      path = "amount.value", type = "string", unit = "cents", required = true, confidence = "SEEN",
      source = { "helpcenter/train_ticket" },
    },
    {
      path = "amount.currency", type = "string", format = "ISO 4217", required = true, confidence = "SEEN",
      source = { "helpcenter/train_ticket" },
    },
    { path = "payAmount", type = "object", confidence = "SEEN", note = "What the user really paid." },
    {
      path = "payAmount.value", type = "string", unit = "cents", required = true, confidence = "SEEN",
      source = { "helpcenter/train_ticket" },
    },
    {
      path = "payAmount.currency", type = "string", format = "ISO 4217", required = true, confidence = "INFERRED",
      source = { "helpcenter/train_ticket" }, evidence = "The name is there; the copy ends before the rest.",
    },
    {
      path = "tradeNo", type = "string", id = true, confidence = "SEEN", source = { "order_service/api-train_ticket" },
      note = "Alipay's number of the payment.",
    },
    {
      path = "extInfo", type = "object", required = true, confidence = "SEEN",
      source = { "order_service/api-train_ticket" }, note = "What is special to a train ticket.",
    },
  },
  -- The page's section on the response is empty.
  response = {},

  -- Under keys that no copy shows: ask AlipayHK, do not guess.
  unknown = {
    {
      where = "extInfo",
      note = "every key; nothing says that those of the train ticket notification, another API, hold here",
    },
  },

  sample = {
    requestId = "91f4b7e86d2a4c05938be1d7f0c5a264",
    merchantBizNo = "20240522000009",
    merchantBizType = "TRAIN_TICKET",
    orderStatus = "TICKETED",
    userId = "2160120012345678",
    orderCreateTime = 1716338541000,
    orderModifyTime = 1716338541000,
    amount = { value = "21500", currency = "HKD" },
    payAmount = { value = "21500", currency = "HKD" },
    tradeNo = "2024052222001458001234567898",
    extInfo = {},
  },
}
