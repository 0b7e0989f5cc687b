--- The order service: what AlipayHK's base page says of its request, as data.
--
-- A field is `{ path, type, required, max_length, unit, enum, confidence, note }`. `filled` names
-- what the client puts there when it is absent; `personal` values never appear in a message.
-- Source, where none is given: the base page.
-- @module alipayhk.api.order

return {
  name = "order",
  title = "Order service",
  path = "/api/open/alipay/v1/merchant/order/sync",
  source = "https://docs.alipay.hk/alipayhkdocs/hk/order_service/api-base",

  -- The field that names the scenario, and the one that holds its status.
  scenario_field = "merchantBizType",
  status_field = "orderStatus",
  -- Of two events of one order the one with the larger value here is the later.
  sequence_field = "orderModifyTime",

  fields = {
    {
      path = "requestId", type = "string", required = true, max_length = 32, filled = "hex32", confidence = "SEEN",
      note = "Unique per request. Called a uuid, yet a hyphenated one does not fit: 32 hex digits (INFERRED).",
    },
    {
      path = "merchantBizNo", type = "string", required = true, max_length = 32, confidence = "SEEN",
      note = "The merchant's order id; the same for all events of one order.",
    },
    { path = "orderStatus", type = "string", required = true, max_length = 32, confidence = "SEEN" },
    { path = "userId", type = "string", max_length = 64, personal = true, confidence = "SEEN",
      note = "AlipayHK user id." },
    { path = "openId", type = "string", max_length = 64, personal = true, confidence = "SEEN",
      note = "The user's authorization id for this merchant." },
    {
      path = "merchantBizType", type = "string", required = true, confidence = "SEEN",
      enum = {
        "PASS_TICKET", "ALIPAY_COUPON", "GIFT_CARD_COUPON", "CHARGING_PILE", "MOVIE_TICKET", "LINE_UP",
        "RIDE_HAILING", "SELF_PICK", "TRAIN_TICKET",
      },
    },
    {
      path = "orderCreateTime", type = "number", unit = "ms", required = true, confidence = "SEEN",
      note = "Time of the order's first event; the same for all events of one order. Unit INFERRED.",
    },
    {
      path = "orderModifyTime", type = "number", unit = "ms", required = true, filled = "now_ms", confidence = "SEEN",
      note = "Time of this event; a new one for each update. Unit INFERRED.",
    },
    { path = "merchantAccountId", type = "string", max_length = 64, confidence = "SEEN",
      note = "Secondary merchant id, for callers that are not the direct merchant." },
    { path = "merchantId", type = "string", max_length = 64, confidence = "SEEN",
      note = "Deprecated name of merchantAccountId." },
    { path = "tinyAppId", type = "string", confidence = "SEEN", note = "Mini-program id." },

    -- Top-level fields that only some scenarios have (their pages say which).
    { path = "amount", type = "object", confidence = "SEEN" },
    { path = "payAmount", type = "object", confidence = "SEEN" },
    { path = "discountAmount", type = "object", confidence = "SEEN" },
    { path = "actualAmount", type = "object", confidence = "SEEN" },
    { path = "tradeNo", type = "string", confidence = "SEEN", note = "Transaction number of the payment." },
    { path = "itemOrderList", type = "array", confidence = "SEEN" },
    { path = "shopInfo", type = "object", confidence = "SEEN" },
    { path = "extInfo", type = "object", confidence = "SEEN" },
  },

  -- At least one of each group (SEEN); a fault stands at the first.
  any_of = { { "userId", "openId" } },

  results = {
    PARAM_ILLEGAL = { status = "F", meaning = "a parameter is missing or wrong", confidence = "SEEN" },
    ORDER_STATUS_INVALID = {
      status = "F", confidence = "SEEN",
      meaning = "the status is not one of this scenario, or does not follow from the order's last one",
    },
    UN_SUPPORT_BUSINESS = {
      status = "F", meaning = "the merchant is not onboarded, or the API is offline", confidence = "SEEN",
    },
    -- F and "retry" on the base page, U on sister pages.
    UNKNOWN_EXCEPTION = {
      status = "F", retry = true, meaning = "AlipayHK failed; the base page says to retry", confidence = "SEEN",
    },
  },
}
