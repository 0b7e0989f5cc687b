-- EV charging in the order service.

return {
  name = "CHARGING_PILE",
  title = "EV Charging",
  summary = "A session at a charging pile, from plugging in to the end of parking.",
  -- No page prints the type beside the scenario.
  match = { confidence = "INFERRED", note = "by the page's title" },
  source = { "order_service/api-ev_charging", "helpcenter/ev_charging" },

  -- The copies list different sets: all but FAULT in one; SERVING, FAULT, COMPLETED, FINISHED in the other.
  statuses = {
    { name = "SERVING", meaning = "the vehicle is charging", confidence = "SEEN" },
    {
      name = "SERVING_WO_ENDTIME", confidence = "SEEN", source = { "order_service/api-ev_charging" },
      meaning = "the vehicle is charging, the end time is not known",
    },
    {
      name = "SERVING_LITE", confidence = "SEEN", source = { "order_service/api-ev_charging" },
      meaning = "the vehicle is charging, neither end time nor progress is known",
    },
    {
      name = "PAUSED", confidence = "SEEN", source = { "order_service/api-ev_charging" },
      meaning = "charging is paused", note = "The other copy has FAULT for it.",
    },
    {
      name = "FAULT", confidence = "SEEN", source = { "helpcenter/ev_charging" },
      meaning = "charging is paused", note = "In the older copy only (its age is INFERRED); the newer one has PAUSED.",
    },
    {
      name = "COMPLETED", meaning = "charging is complete", confidence = "SEEN",
      note = "The older copy marks it as an end, the newer one does not: PARKING_DUE follows there.",
    },
    {
      name = "PARKING_DUE", confidence = "SEEN", source = { "order_service/api-ev_charging" },
      meaning = "the free parking period is over",
    },
    {
      name = "FINISHED", ends = "SEEN", confidence = "SEEN",
      meaning = "the session is finished", effect = "notification hidden",
    },
  },
  steps = { confidence = "NOT FOUND", note = "Both copies have a flow chart only, no text." },

  fields = {
    {
      path = "tradeNo", type = "string", id = true, confidence = "SEEN",
      note = "Alipay's number of the payment.",
    },
    {
      path = "extInfo", type = "object", required = true, confidence = "SEEN",
      note = "The money is in here, not at the top as for tickets.",
    },
    {
      path = "extInfo.amount", type = "object", confidence = "SEEN",
      source = { "helpcenter/ev_charging" }, note = "Amount of the order.",
    },
    {
      path = "extInfo.amount.value", type = "string", unit = "cents", required = true, confidence = "SEEN",
      source = { "helpcenter/ev_charging" },
    },
    {
      path = "extInfo.amount.currency", type = "string", format = "ISO 4217", required = true, confidence = "SEEN",
      source = { "helpcenter/ev_charging" },
    },
    {
      path = "extInfo.surcharge_amount", type = "object", money = true, confidence = "SEEN", inferred = { "type" },
      source = { "helpcenter/ev_charging" },
      note = "Surcharge for charging or parking beyond the limit. Its keys as those of `amount` (INFERRED).",
    },
  },
  response = {},

  -- Under keys that no copy shows: ask AlipayHK, do not guess.
  unknown = {
    {
      where = "extInfo",
      note = "every further key; the names of the statuses speak of an end time, a progress and a free parking period",
    },
  },

  sample = {
    requestId = "e5a80d3f17c64b92a6f10b8e4d79c253",
    merchantBizNo = "20240522000005",
    merchantBizType = "CHARGING_PILE",
    orderStatus = "PARKING_DUE",
    userId = "2160120012345678",
    orderCreateTime = 1716338541000,
    orderModifyTime = 1716345741000,
    tradeNo = "2024052222001458001234567894",
    extInfo = {
      amount = { value = "8600", currency = "HKD" },
      surcharge_amount = { value = "2000", currency = "HKD" },
    },
  },
}
