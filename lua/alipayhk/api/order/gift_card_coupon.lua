-- Coupons with a code in the order service.

return {
  name = "GIFT_CARD_COUPON",
  title = "Coupon with Code",
  summary = "A coupon with a code to scan or to read out, kept in the user's Card Wallet.",
  -- No page prints the type beside the scenario.
  match = {
    confidence = "INFERRED",
    note = "by the base page's wording, a coupon with a code; the page \"Gift Card\" is taken for ALIPAY_COUPON's",
  },
  source = { "helpcenter/coupon_with_code" },

  statuses = {
    { name = "TICKETED", meaning = "the coupon is issued", effect = "shown in the Card Wallet", confidence = "SEEN" },
    {
      name = "REFUNDED", ends = "SEEN", confidence = "SEEN",
      meaning = "the order is refunded", effect = "coupon gone",
    },
    {
      name = "USED", ends = "SEEN", confidence = "SEEN",
      meaning = "the coupon is used", effect = "coupon shown as USED",
    },
  },
  steps = { forward_only = "SEEN", confidence = "SEEN" },

  -- The copy of the page ends in `amount`; what comes after is as on ALIPAY_COUPON's pages.
  fields = {
    {
      path = "tradeNo", type = "string", id = true, confidence = "SEEN",
      note = "Alipay's number of the payment.",
    },
    {
      path = "amount", type = "object", confidence = "SEEN", inferred = { "type" },
      source = { "helpcenter/coupon_with_code", "order_service/l6zurymv" },
      note = "Original amount of the order.",
      evidence = "The copy ends here: the type as for ALIPAY_COUPON.",
    },
    {
      path = "amount.value", type = "string", unit = "cents", required = true, confidence = "INFERRED",
      source = { "helpcenter/gift_card" }, note = "As for ALIPAY_COUPON.",
    },
    {
      path = "amount.currency", type = "string", format = "ISO 4217", required = true, confidence = "INFERRED",
      source = { "helpcenter/gift_card" }, note = "As for ALIPAY_COUPON.",
    },
    {
      path = "payAmount", type = "object", money = true, confidence = "INFERRED",
      source = { "order_service/l6zurymv" },
      note = "What the user really paid, with the keys of `amount`; as for ALIPAY_COUPON.",
    },
    {
      path = "extInfo", type = "object", required = true, confidence = "INFERRED",
      source = { "order_service/l6zurymv" }, note = "What is special to a coupon; as for ALIPAY_COUPON.",
    },
  },

  -- Under keys that no copy shows: ask AlipayHK, do not guess.
  unknown = {
    { where = "extInfo", note = "every key, the code's among them" },
  },

  sample = {
    requestId = "b07f3e5a49d846c1857c2d90e6fb13a8",
    merchantBizNo = "20240522000004",
    merchantBizType = "GIFT_CARD_COUPON",
    orderStatus = "TICKETED",
    openId = "2024052200003001123456789012",
    orderCreateTime = 1716338541000,
    orderModifyTime = 1716338541000,
    tradeNo = "2024052222001458001234567893",
    amount = { value = "10000", currency = "HKD" },
    payAmount = { value = "9500", currency = "HKD" },
    extInfo = {},
  },
}
