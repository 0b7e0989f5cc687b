-- Performance notifications: what AlipayHK's base page says about the request, as data. `alipayhk.api` explains the
-- keys.

return {
  name = "contract_card",
  method = "sync_contract_card",
  class = "ContractCard",
  title = "Performance notifications",
  noun = "notification",
  path = "/api/open/alipay/intl/promotion/order/contractCardSync",
  source = { "performance_notification/api_doc-base", "performance_notification/api-base" },

  scenario_field = "productTemplateCode",
  status_field = "orderStatus",
  sequence_field = "bizDate",
  texts_field = "syncDataInfo.languageBusinessInfo",
  command_field = "command",
  -- No page says so: it follows from the meaning of the codes (INFERRED).
  settling = { after = "UN_SUPPORT_BUSINESS", of = "SEND", by = "UPDATE" },

  scenarios = {
    require "alipayhk.api.contract_card.air_ticket_default",
    require "alipayhk.api.contract_card.finance_order_default",
    require "alipayhk.api.contract_card.movie_ticket_default",
    require "alipayhk.api.contract_card.payment_order_default",
    require "alipayhk.api.contract_card.ride_hailing_default",
    (require "alipayhk.api.contract_card.train_ticket_default"), -- parentheses: require gives two results in Lua 5.4
  },
  -- SEEN on every template's page. No page says which status is the last, or whether going back is allowed.
  steps_note = "Any listed status may be the first, and any may be left out.",

  -- The pages give no maximum length for any field of this API.
  fields = {
    {
      path = "requestId", type = "string", id = true, required = true, filled = "uuid", confidence = "SEEN",
      note = "Another one for each call: a uuid with its hyphens, as in AlipayHK's sample.",
    },
    {
      path = "bizDate", type = "number", unit = "ms", tense = "past", required = true, filled = "now_ms",
      confidence = "SEEN",
      note = "Time of the event; a late message does not overwrite a newer one.",
      evidence = "The unit is INFERRED from the sample.",
    },
    {
      path = "command", type = "string", required = true, enum = { "SEND", "UPDATE" }, confidence = "SEEN",
      note = "SEND makes a notification where there is none or it is no longer valid; UPDATE changes a valid one, and "
        .. "is ignored where it is no longer valid: see `endDate`.",
    },
    {
      path = "merchantBizNo", type = "string", id = true, required = true, confidence = "SEEN",
      note = "The merchant's order id; the same for one notification.",
    },
    { path = "orderStatus", type = "string", required = true, confidence = "SEEN", note = "One of the template's." },
    {
      path = "productTemplateCode", type = "string", required = true, confidence = "SEEN",
      note = "The scenario.",
    },
    { path = "syncDataInfo", type = "object", required = true, confidence = "SEEN" },
    {
      path = "syncDataInfo.languageBusinessInfo", type = "object", keys = { "zh_HK", "en_US" }, expected = true,
      confidence = "SEEN", source = { "performance_notification/api-base" },
      note = "Texts by locale; hidden from a user whose language has no entry. Not expected in a status that takes the "
        .. "notification down.",
      evidence = "That it is required is INFERRED: the one copy of this row has lost its marks.",
    },
    {
      path = "syncDataInfo.languageBusinessInfo.{locale}", type = "json_object", confidence = "SEEN",
      source = { "performance_notification/api-base", "performance_notification/api-payment_order" },
      note = "A JSON-encoded string on the wire; a table is encoded by the client.",
      evidence = "One sample shows plain objects instead.",
    },
    {
      path = "syncDataInfo.amount", type = "number", unit = "cents", confidence = "SEEN",
      source = { "performance_notification/api-base" },
      note = "Total of the order; a number, unlike the money strings elsewhere.",
    },
    {
      path = "endDate", type = "number", unit = "ms", tense = "future", confidence = "SEEN",
      note = "When the notification expires; by default 24 hours after its first status. An UPDATE after that is "
        .. "ignored: set it where events come later.",
      evidence = "The unit is INFERRED from the sample. The older page counts the 24 hours from the notification's "
        .. "creation. No page has a code for what is ignored: it looks like success (INFERRED).",
    },
    { path = "openId", type = "string", id = true, personal = true, confidence = "SEEN",
      note = "The user's authorization id for this merchant." },
    { path = "userId", type = "string", id = true, personal = true, confidence = "SEEN", note = "AlipayHK user id." },
  },

  -- At least one of each group is required (SEEN); if all are missing, the fault is at the first.
  any_of = { { "userId", "openId" } },

  response = {
    { path = "result", type = "object", required = true, confidence = "SEEN" },
    {
      path = "result.resultCode", type = "string", confidence = "INFERRED",
      evidence = "The first column of the page's table of codes.",
    },
    {
      path = "result.resultStatus", type = "string", enum = { "S", "F", "U" }, confidence = "INFERRED",
      note = "Success, failure; U, unknown, on other APIs.", evidence = "The second column of that table.",
    },
    {
      path = "result.resultMessage", type = "string", confidence = "INFERRED",
      evidence = "The third column of that table.",
    },
  },

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
      meaning = "the service is not available, or SEND for a notification that exists and is valid: send an UPDATE",
      -- If an earlier attempt may have arrived, that may be why the notification exists.
      after_lost_answer = "an earlier attempt got no answer; if that was a SEND, it may have made the notification",
    },
    UNKNOWN_EXCEPTION = {
      status = "F", retry = false, meaning = "AlipayHK failed: ask its support, with the tracer_id",
      confidence = "SEEN",
    },
  },
}
