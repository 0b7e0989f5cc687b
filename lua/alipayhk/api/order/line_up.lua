-- Queuing for a table in the order service.

return {
  name = "LINE_UP",
  title = "Queue Up",
  summary = "A place in a shop's queue, followed until the user's number is called.",
  -- No page prints the type beside the scenario.
  match = { confidence = "INFERRED", note = "by the page's title" },
  source = { "order_service/api-queue_up", "helpcenter/queue_up" },

  statuses = {
    {
      name = "CALL_NUM", meaning = "the customer joins the queue, or the queue moves on", confidence = "SEEN",
      note = "Send it again each time that a number is called.",
    },
    {
      name = "NUMBER_ARRIVED", confidence = "SEEN",
      meaning = "it is the customer's turn", effect = "notification hidden after 10 minutes",
    },
    {
      name = "NUMBER_PASSED", confidence = "SEEN",
      meaning = "the customer's number was called before", effect = "notification hidden after 10 minutes",
    },
    {
      name = "CANCELLED", only_after = { "CALL_NUM" }, ends = "INFERRED", confidence = "SEEN",
      meaning = "the queuing is cancelled", effect = "notification hidden",
    },
    {
      name = "FINISHED", ends = "INFERRED", confidence = "SEEN",
      meaning = "the service order is completed", effect = "notification hidden",
    },
  },
  steps = {
    forward_only = "SEEN", confidence = "SEEN", note = "CALL_NUM after CALL_NUM is the normal update.",
  },

  fields = {
    { path = "shopInfo", type = "object", required = true, confidence = "SEEN", note = "The shop." },
    {
      path = "shopInfo.extInfo", type = "object", required = true, confidence = "SEEN",
      source = { "helpcenter/queue_up" }, note = "More on the shop.",
    },
    {
      path = "shopInfo.extInfo.multiLang", type = "object", keys = { "zh_HK", "en_US" }, confidence = "SEEN",
      source = { "helpcenter/queue_up" },
      note = "Texts to display, by locale.", evidence = "The copy ends before any mark that would require it.",
    },
    {
      path = "extInfo", type = "object", required = true, confidence = "SEEN",
      note = "What is special to queuing.",
    },
  },
  response = {},

  -- Described on the page, under keys that no copy shows: ask AlipayHK, do not guess.
  unknown = {
    { where = "shopInfo.extInfo.multiLang.{locale}", note = "the shop's name and address to display" },
    {
      where = "shopInfo",
      note = "URL of the shop, at a level that is not shown (shopInfo, its extInfo or multiLang); the text says it "
        .. "starts with `allpayhk://` (double l)",
    },
    { where = "extInfo", note = "the order's number in the queue" },
    { where = "extInfo", note = "how many tables are ahead: keep it up to date, and 0 once past CALL_NUM" },
    { where = "extInfo", note = "estimated waiting time, in minutes" },
    { where = "extInfo", note = "what may follow: the copy ends in the text on the waiting time" },
  },

  sample_note = "`comment` stands for the keys that AlipayHK gives you; no copy of the page shows them.",
  sample = {
    requestId = "4b6c20f9e8d147a5b3970ce1d25f8a6e",
    merchantBizNo = "20240522000006",
    merchantBizType = "LINE_UP",
    orderStatus = "CALL_NUM",
    openId = "2024052200003001123456789012",
    orderCreateTime = 1716338541000,
    orderModifyTime = 1716338841000,
    shopInfo = {
      extInfo = {
        multiLang = {
          zh_HK = { comment = "as agreed with AlipayHK" },
          en_US = { comment = "as agreed with AlipayHK" },
        },
      },
    },
    extInfo = {},
  },
}
