-- The order service: what AlipayHK's base page says about its request, as data. `alipayhk.api` explains the keys.

return {
  name = "order",
  method = "sync_order",
  class = "Order",
  title = "Order service",
  noun = "order",
  path = "/api/open/alipay/v1/merchant/order/sync",
  source = { "order_service/api-base" },

  scenario_field = "merchantBizType",
  status_field = "orderStatus",
  -- Of two events of one order, the one with the greater value is the later one.
  sequence_field = "orderModifyTime",

  scenarios = {
    require "alipayhk.api.order.pass_ticket",
    require "alipayhk.api.order.alipay_coupon",
    require "alipayhk.api.order.gift_card_coupon",
    require "alipayhk.api.order.charging_pile",
    require "alipayhk.api.order.movie_ticket",
    require "alipayhk.api.order.line_up",
    require "alipayhk.api.order.ride_hailing",
    require "alipayhk.api.order.self_pick",
    (require "alipayhk.api.order.train_ticket"), -- parentheses: require gives two results in Lua 5.4
  },
  -- SEEN in the scenarios whose `steps` are SEEN; CHARGING_PILE, PASS_TICKET and TRAIN_TICKET only have a flow chart.
  steps_note = "Any listed status may be the first, and any may be left out.",

  fields = {
    {
      path = "requestId", type = "string", id = true, required = true, max_length = 32, filled = "hex32",
      confidence = "SEEN",
      note = "Another one for each request: 32 hex digits.",
      evidence = "It is called a uuid, and the 36 characters of one with hyphens do not fit (INFERRED).",
    },
    {
      path = "merchantBizNo", type = "string", id = true, required = true, max_length = 32, confidence = "SEEN",
      note = "The merchant's order id; the same for all events of one order.",
    },
    {
      path = "orderStatus", type = "string", required = true, max_length = 32, confidence = "SEEN",
      note = "One of the scenario's.",
    },
    { path = "userId", type = "string", id = true, max_length = 64, personal = true, confidence = "SEEN",
      note = "AlipayHK user id." },
    { path = "openId", type = "string", id = true, max_length = 64, personal = true, confidence = "SEEN",
      note = "The user's authorization id for this merchant." },
    {
      path = "merchantBizType", type = "string", required = true, confidence = "SEEN",
      note = "The scenario.",
    },
    {
      path = "orderCreateTime", type = "number", unit = "ms", tense = "past", required = true, confidence = "SEEN",
      note = "Time of the order's first event; the same for all events of one order.",
      evidence = "The unit is INFERRED; a value of another magnitude is refused all the same.",
    },
    {
      path = "orderModifyTime", type = "number", unit = "ms", tense = "past", not_before = "orderCreateTime",
      required = true, filled = "now_ms", confidence = "SEEN",
      note = "Time of this event; a new one for each update.",
      evidence = "The unit is INFERRED; a value of another magnitude is refused all the same.",
    },
    { path = "merchantAccountId", type = "string", id = true, max_length = 64, confidence = "SEEN",
      note = "Secondary merchant id, for callers that are not the direct merchant." },
    { path = "merchantId", type = "string", id = true, max_length = 64, confidence = "SEEN",
      note = "Deprecated name of merchantAccountId." },
    { path = "tinyAppId", type = "string", id = true, confidence = "SEEN", note = "Mini-program id." },
  },

  -- At least one of each group is required (SEEN); if all are missing, the fault is at the first.
  any_of = { { "userId", "openId" } },

  adds_to_answers = true,
  response = {
    { path = "result", type = "object", required = true, confidence = "SEEN" },
    { path = "result.resultCode", type = "string", confidence = "SEEN", source = { "Gift_Card/l6zurymv" } },
    {
      path = "result.resultStatus", type = "string", enum = { "S", "F", "U" }, confidence = "SEEN",
      source = { "Gift_Card/l6zurymv", "order_service/l6zurymv" }, note = "Success, failure, unknown.",
    },
    {
      path = "result.resultMessage", type = "string", confidence = "INFERRED",
      evidence = "No copy of this API's pages goes that far; other APIs of AlipayHK have it.",
    },
    { path = "orderId", type = "string", max_length = 128, confidence = "SEEN",
      note = "AlipayHK's id of the order: `response.body.orderId`." },
    { path = "orderStatus", type = "string", max_length = 64, confidence = "SEEN" },
  },

  results = {
    PARAM_ILLEGAL = { status = "F", meaning = "a parameter is missing or wrong", confidence = "SEEN" },
    ORDER_STATUS_INVALID = {
      status = "F", confidence = "SEEN",
      meaning = "the status is not one of this scenario, or does not follow from the order's last one",
    },
    UN_SUPPORT_BUSINESS = {
      status = "F", meaning = "the merchant is not onboarded, or the API is offline", confidence = "SEEN",
    },
    -- F with "retry" on the base page, U on related pages.
    UNKNOWN_EXCEPTION = {
      status = "F", retry = true, meaning = "AlipayHK failed; the base page says to retry", confidence = "SEEN",
    },
  },
}
