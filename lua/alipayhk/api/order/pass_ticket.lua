-- Admission tickets in the order service.

return {
  name = "PASS_TICKET",
  title = "Admission Ticket",
  summary = "A ticket to an attraction or event, kept in the user's Card Wallet.",
  -- No page prints the type beside the scenario.
  match = { confidence = "INFERRED", note = "by the base page's wording" },
  source = { "helpcenter/admission_ticket" },

  statuses = {
    { name = "TICKETED", confidence = "SEEN", meaning = "the ticket is issued", effect = "put into the Card Wallet" },
    {
      name = "REFUNDED", ends = "SEEN", confidence = "SEEN",
      meaning = "the order is refunded", effect = "notification hidden, ticket gone",
    },
    {
      name = "USED", ends = "SEEN", confidence = "SEEN",
      meaning = "the ticket is used", effect = "notification hidden, ticket shown as USED",
    },
  },
  steps = {
    forward_only = "INFERRED", confidence = "INFERRED", source = { "helpcenter/admission_ticket", "helpcenter/movie" },
    note = "The page has a flow chart and marks the two end statuses; the sentence is on the movie ticket's page.",
  },

  fields = {
    { path = "amount", type = "object", confidence = "SEEN", note = "Original amount of the ticket." },
    { path = "amount.value", type = "string", unit = "cents", required = true, confidence = "SEEN" },
    { path = "amount.currency", type = "string", format = "ISO 4217", required = true, confidence = "SEEN" },
    { path = "payAmount", type = "object", confidence = "SEEN", note = "What the user really paid." },
    { path = "payAmount.value", type = "string", unit = "cents", required = true, confidence = "SEEN" },
    {
      path = "payAmount.currency", type = "string", format = "ISO 4217", required = true, confidence = "INFERRED",
      evidence = "Name and text are there; the copy ends before the mark that would require it.",
    },
    {
      path = "tradeNo", type = "string", id = true, confidence = "INFERRED",
      source = { "order_service/api-movie", "order_service/api-train_ticket" },
      note = "Alipay's number of the payment.",
      evidence = "The copy ends before it; the sister pages have it.",
    },
    {
      path = "extInfo", type = "object", required = true, confidence = "INFERRED",
      source = { "order_service/api-movie", "order_service/api-train_ticket" },
      note = "What is special to an admission ticket.",
      evidence = "The copy ends before it; the sister pages have it.",
    },
  },

  -- Under keys that no copy shows: ask AlipayHK, do not guess.
  unknown = {
    { where = "extInfo", note = "every key; probably some of those that the movie ticket's page describes (INFERRED)" },
  },

  sample = {
    requestId = "2c9e51d07ab84f63b1e8d4059a37c6f2",
    merchantBizNo = "20240522000002",
    merchantBizType = "PASS_TICKET",
    orderStatus = "TICKETED",
    userId = "2160120012345678",
    orderCreateTime = 1716338541000,
    orderModifyTime = 1716338541000,
    amount = { value = "63900", currency = "HKD" },
    payAmount = { value = "59900", currency = "HKD" },
    tradeNo = "2024052222001458001234567891",
    extInfo = {},
  },
}
