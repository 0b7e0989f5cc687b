-- Vouchers and gift cards that are deducted by themselves, in the order service.

-- The page "Auto-deduct Voucher", and "Gift Card" with the same layout.
local VOUCHER, GIFT_CARD = { "order_service/l6zurymv" }, { "helpcenter/gift_card" }
local BOTH = { "order_service/l6zurymv", "helpcenter/gift_card" }

return {
  name = "ALIPAY_COUPON",
  title = "Auto-deduct Voucher",
  summary = "A voucher or gift card in the user's Card Wallet that is applied by itself at checkout.",
  -- No page prints the type beside the scenario.
  match = {
    confidence = "INFERRED",
    note = "by the base page's wording, a voucher deducted by itself; the page \"Gift Card\" has the same layout and "
      .. "slug, and the voucher page's example is named after it",
  },
  source = {
    "order_service/l6zurymv", "helpcenter/gift_card", "Gift_Card/l6zurymv", "helpcenter/gift_card_guide",
    "Gift_Card/Gift_Card_User_Flow",
  },

  statuses = {
    {
      name = "TICKETED", confidence = "SEEN", source = BOTH,
      meaning = "the voucher or gift card is issued", effect = "put into the Card Wallet",
    },
  },
  steps = {
    forward_only = "SEEN", confidence = "SEEN", source = BOTH, note = "Without effect: there is one status only.",
  },

  fields = {
    {
      path = "tradeNo", type = "string", id = true, confidence = "SEEN", source = BOTH,
      note = "Alipay's number of the payment.",
    },
    {
      path = "amount", type = "object", confidence = "SEEN", source = BOTH,
      note = "Original amount of the order.",
    },
    {
      path = "amount.value", type = "string", unit = "cents", required = true, confidence = "SEEN",
      source = GIFT_CARD,
    },
    {
      path = "amount.currency", type = "string", format = "ISO 4217", required = true, confidence = "INFERRED",
      source = GIFT_CARD, evidence = "Name and text are there; type and mark are lost in the copy.",
    },
    {
      path = "payAmount", type = "object", confidence = "SEEN", source = BOTH,
      note = "What the user paid in the end.",
    },
    {
      path = "payAmount.value", type = "string", unit = "cents", required = true, confidence = "SEEN",
      source = GIFT_CARD,
    },
    {
      path = "payAmount.currency", type = "string", format = "ISO 4217", required = true, confidence = "INFERRED",
      source = GIFT_CARD, evidence = "The name is there; the copy ends before the rest.",
    },
    {
      path = "extInfo", type = "object", required = true, confidence = "SEEN", source = VOUCHER,
      note = "What is special to a voucher.",
    },
  },
  response = {
    {
      path = "orderId", type = "string", required = true, confidence = "SEEN", source = VOUCHER,
      note = "AlipayHK's order id; optional on the base page.",
    },
    {
      path = "orderStatus", type = "string", required = true, confidence = "SEEN", source = VOUCHER,
      note = "One of the statuses above; optional on the base page.",
    },
    {
      path = "distributeResult", type = "array", required = true, confidence = "SEEN",
      source = { "order_service/l6zurymv", "helpcenter/gift_card_guide" },
      note = "What came of the distribution, a list of OrderDataDistributeInfo whose keys no copy shows. The guide to "
        .. "gift cards says that a call gives the card's number and a deep link: probably here (INFERRED).",
    },
  },

  -- Under keys that no copy shows: ask AlipayHK, do not guess.
  unknown = {
    {
      where = "extInfo",
      note = "every key; the guide to gift cards says that AlipayHK gives you a campaignId, which probably belongs "
        .. "here (INFERRED), its spelling and level not shown",
    },
  },

  sample = {
    requestId = "5fa1c6802e9b47d3b60d94e7138ac7f5",
    merchantBizNo = "20240522000003",
    merchantBizType = "ALIPAY_COUPON",
    orderStatus = "TICKETED",
    userId = "2160120012345678",
    orderCreateTime = 1716338541000,
    orderModifyTime = 1716338541000,
    tradeNo = "2024052222001458001234567892",
    amount = { value = "50000", currency = "HKD" },
    payAmount = { value = "48000", currency = "HKD" },
    extInfo = {},
  },
}
