--- Performance notifications: what AlipayHK's base page says of the request, as data.
--
-- For the form of a field see alipayhk.api.order. `{locale}` in a path stands for each key of that
-- object, whose allowed values the field's `keys` lists.
-- @module alipayhk.api.contract_card

return {
  name = "contract_card",
  title = "Performance notifications",
  path = "/api/open/alipay/intl/promotion/order/contractCardSync",
  source = "https://docs.alipay.hk/alipayhkdocs/hk/performance_notification/api-base",

  scenario_field = "productTemplateCode",
  status_field = "orderStatus",
  sequence_field = "bizDate",

  -- No maximum length is printed for any field of this API.
  fields = {
    {
      path = "requestId", type = "string", required = true, filled = "uuid", confidence = "SEEN",
      note = "Unique per call; the documented sample is a hyphenated uuid.",
    },
    {
      path = "bizDate", type = "number", unit = "ms", required = true, filled = "now_ms", confidence = "SEEN",
      note = "Time of the event; a late message does not overwrite a newer one. Unit INFERRED from the sample.",
    },
    {
      path = "command", type = "string", required = true, enum = { "SEND", "UPDATE" }, confidence = "SEEN",
      note = "SEND makes a notification where there is none or it is no longer valid; UPDATE changes a valid one.",
    },
    {
      path = "merchantBizNo", type = "string", required = true, confidence = "SEEN",
      note = "The merchant's order id; the same for one notification.",
    },
    { path = "orderStatus", type = "string", required = true, confidence = "SEEN" },
    {
      path = "productTemplateCode", type = "string", required = true, confidence = "SEEN",
      enum = {
        "AIR_TICKET_DEFAULT", "FINANCE_ORDER_DEFAULT", "MOVIE_TICKET_DEFAULT", "PAYMENT_ORDER_DEFAULT",
        "RIDE_HAILING_DEFAULT", "TRAIN_TICKET_DEFAULT",
      },
    },
    { path = "syncDataInfo", type = "object", required = true, confidence = "SEEN" },
    {
      path = "syncDataInfo.languageBusinessInfo", type = "object", keys = { "zh_HK", "en_US" }, confidence = "SEEN",
      note = "Texts by locale; hidden from a user whose language has no entry.",
    },
    {
      path = "syncDataInfo.languageBusinessInfo.{locale}", type = "json_object", confidence = "SEEN",
      note = "A JSON-encoded string on the wire (one sample shows plain objects); a table is encoded by the client.",
    },
    {
      path = "syncDataInfo.amount", type = "number", unit = "cents", confidence = "SEEN",
      note = "Total of the order; a number, unlike the money strings elsewhere.",
    },
    {
      path = "endDate", type = "number", unit = "ms", confidence = "SEEN",
      note = "When the notification expires; 24 hours by default. Unit INFERRED from the sample.",
    },
    { path = "openId", type = "string", personal = true, confidence = "SEEN",
      note = "The user's authorization id for this merchant." },
    { path = "userId", type = "string", personal = true, confidence = "SEEN", note = "AlipayHK user id." },
  },

  any_of = { { "userId", "openId" } },

  results = {
    PARAM_ILLEGAL = { status = "F", meaning = "a parameter is missing or wrong", confidence = "SEEN" },
    ORDER_STATUS_INVALID = {
      status = "F", meaning = "the status is not one of this template", confidence = "SEEN",
    },
    ORDER_NOT_FOUND = {
      status = "F", confidence = "SEEN",
      meaning = "there is no notification for this merchantBizNo: SEND it before an UPDATE",
    },
    UN_SUPPORT_BUSINESS = {
      status = "F", confidence = "SEEN",
      meaning = "the service is not available, or SEND for a notification that exists and is valid",
      -- When an earlier attempt may have arrived, this answer may well be about that one.
      after_lost_answer = "an earlier attempt got no answer; if that was a SEND, it may have made the notification",
    },
    UNKNOWN_EXCEPTION = {
      status = "F", retry = false, meaning = "AlipayHK failed: ask its support, with the tracer_id",
      confidence = "SEEN",
    },
  },
}
