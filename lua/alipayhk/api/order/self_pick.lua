-- Meals to pick up in the order service.

return {
  name = "SELF_PICK",
  title = "Self Pick",
  summary = "A meal ordered ahead, which the user picks up at the restaurant.",
  -- No page prints the type beside the scenario.
  match = { confidence = "INFERRED", note = "by the page's title" },
  source = { "order_service/api-self_pick", "helpcenter/self_pick" },

  statuses = {
    { name = "PENDING", meaning = "the restaurant has not confirmed the order yet", confidence = "SEEN" },
    { name = "ORDER_TAKEN", meaning = "the restaurant has confirmed the order", confidence = "SEEN" },
    {
      name = "TO_PICK_UP", only_before = { "FINISHED" }, confidence = "SEEN",
      meaning = "the order is ready to be picked up",
      note = "That only FINISHED may follow is on the newer page alone; it rules out CLOSED and REFUNDED.",
    },
    {
      name = "FINISHED", ends = "SEEN", confidence = "SEEN", source = { "order_service/api-self_pick" },
      meaning = "the order is picked up", effect = "notification hidden",
    },
    {
      name = "CLOSED", ends = "SEEN", confidence = "SEEN", source = { "order_service/api-self_pick" },
      meaning = "the order is cancelled", effect = "notification hidden",
    },
    {
      name = "REFUNDED", ends = "SEEN", confidence = "SEEN", source = { "order_service/api-self_pick" },
      meaning = "the order is refunded", effect = "notification hidden after 10 minutes",
    },
  },
  steps = {
    forward_only = "SEEN", confidence = "SEEN",
    note = "The older copy has the sentence; the newer one (its age is INFERRED) a flow chart, the end statuses "
      .. "and the rule of TO_PICK_UP.",
  },

  fields = {
    { path = "amount", type = "object", required = true, confidence = "SEEN", note = "Total amount of the order." },
    {
      path = "amount.value", type = "string", unit = "cents", required = true, max_length = 64, confidence = "SEEN",
      source = { "helpcenter/self_pick" },
    },
    {
      path = "amount.currency", type = "string", format = "ISO 4217", required = true, confidence = "SEEN",
      source = { "helpcenter/self_pick" },
    },
    { path = "discountAmount", type = "object", confidence = "SEEN", note = "Discount on the order." },
    {
      path = "discountAmount.value", type = "string", unit = "cents", required = true, max_length = 64,
      confidence = "SEEN", source = { "helpcenter/self_pick" },
    },
    {
      path = "discountAmount.currency", type = "string", format = "ISO 4217", required = true, confidence = "INFERRED",
      source = { "helpcenter/self_pick" }, evidence = "Name and text are there, type and mark as in `amount`.",
    },
    {
      path = "actualAmount", type = "object", confidence = "SEEN",
      note = "What is really due for the order; other scenarios call it `payAmount`.",
    },
    {
      path = "actualAmount.value", type = "string", unit = "cents", required = true, max_length = 64,
      confidence = "SEEN", source = { "helpcenter/self_pick" },
    },
    {
      path = "actualAmount.currency", type = "string", format = "ISO 4217", required = true, confidence = "INFERRED",
      source = { "helpcenter/self_pick" }, evidence = "Name and text are there, type and mark as in `amount`.",
    },
    {
      path = "tradeNo", type = "string", id = true, confidence = "SEEN",
      note = "Alipay's number of the payment.",
    },
    { path = "itemOrderList", type = "array", required = true, confidence = "SEEN", note = "Items of the order." },
    { path = "itemOrderList[]", type = "object", confidence = "SEEN" },
    {
      path = "shopInfo", type = "object", required = true, confidence = "SEEN",
      source = { "order_service/api-self_pick" }, note = "The restaurant.",
    },
    {
      path = "extInfo", type = "object", required = true, confidence = "SEEN",
      source = { "order_service/api-self_pick" }, note = "What is special to a self pick.",
    },
  },
  response = {},

  -- Under keys that no copy shows: ask AlipayHK, do not guess.
  unknown = {
    { where = "itemOrderList[]", note = "every key of an item" },
    { where = "shopInfo", note = "every key; probably as for LINE_UP, `extInfo.multiLang` (INFERRED)" },
    { where = "extInfo", note = "every key" },
  },

  sample_note = "`comment` stands for the keys that AlipayHK gives you; no copy of the page shows them.",
  sample = {
    requestId = "c83d9f0162e745bb8a4f7e5c10d6b392",
    merchantBizNo = "20240522000008",
    merchantBizType = "SELF_PICK",
    orderStatus = "ORDER_TAKEN",
    userId = "2160120012345678",
    orderCreateTime = 1716338541000,
    orderModifyTime = 1716338661000,
    amount = { value = "8800", currency = "HKD" },
    discountAmount = { value = "800", currency = "HKD" },
    actualAmount = { value = "8000", currency = "HKD" },
    tradeNo = "2024052222001458001234567897",
    itemOrderList = { { comment = "as agreed with AlipayHK" } },
    shopInfo = { comment = "as agreed with AlipayHK" },
    extInfo = {},
  },
}
