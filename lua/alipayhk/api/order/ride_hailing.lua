-- Rides in the order service.

-- The present page and its first copy list nine statuses, the second copy ten. The formulas are as on
-- the page of the ride hailing notification, another API.
local WITH_FORMULA = {
  "order_service/ride_hailing", "helpcenter/ride_hailing_9", "helpcenter/ride_hailing_10",
  "performance_notification/api_doc-ride_hailing",
}

return {
  name = "RIDE_HAILING",
  title = "Ride Hailing",
  summary = "A ride, from the search for a driver to the payment.",
  -- No page prints the type beside the scenario.
  match = { confidence = "INFERRED", note = "by the page's title" },
  source = { "order_service/ride_hailing", "helpcenter/ride_hailing_9", "helpcenter/ride_hailing_10" },

  statuses = {
    { name = "PENDING", meaning = "a driver is looked for", confidence = "SEEN" },
    {
      name = "BOOKED", meaning = "a vehicle is booked, its driver is not on the way yet", confidence = "SEEN",
      note = "For vehicles booked ahead only.",
    },
    {
      name = "ORDER_TAKEN", confidence = "SEEN", source = WITH_FORMULA,
      meaning = "a driver has taken the order",
      effect = "a time and a progress, from `service_start_time` and `driver_board_duration`",
      note = "Display time is driver_board_duration - (now - service_start_time) / 60000; the other two copies "
        .. "have neither the brackets nor the 60000. Progress is (now - service_start_time) / driver_board_duration, "
        .. "printed without the division by 60000 that the units call for.",
    },
    { name = "TO_BOARD", meaning = "the user has to board", confidence = "SEEN" },
    {
      name = "SERVING", confidence = "SEEN", source = WITH_FORMULA,
      meaning = "the ride is under way",
      effect = "a progress, from `service_start_time` and `ride_dest_duration`",
      note = "Progress is (now - service_start_time) / ride_dest_duration, printed without the division by 60000 "
        .. "that the units call for.",
    },
    { name = "WAIT_PAY", meaning = "the user has to pay", confidence = "SEEN" },
    {
      name = "FINISHED", ends = "INFERRED", confidence = "SEEN",
      meaning = "the order is complete, or the user cancelled it", effect = "the notification disappears",
    },
    { name = "TO_SEND", meaning = "another driver is looked for", confidence = "SEEN" },
    {
      name = "CLOSED", ends = "INFERRED", confidence = "SEEN",
      meaning = "the driver cancelled the order", effect = "the notification disappears after 5 minutes",
    },
    {
      name = "CANCEL_WAIT_PAY", confidence = "SEEN",
      source = { "helpcenter/ride_hailing_10", "performance_notification/api_doc-ride_hailing" },
      meaning = "the user cancelled the order and still has to pay", effect = "the notification disappears",
      note = "In one of three copies; whether it is an end is said nowhere.",
    },
  },
  steps = {
    confidence = "SEEN", note = "No copy forbids to go back, which fits TO_SEND before another ORDER_TAKEN.",
  },

  fields = {
    {
      path = "extInfo", type = "object", required = true, confidence = "SEEN",
      source = { "order_service/ride_hailing" },
      note = "All of the ride is in here: the page has no amount, `tradeNo` or `shopInfo` at the top.",
    },
    {
      path = "extInfo.service_start_time", type = "any", unit = "ms", confidence = "INFERRED",
      note = "Compared with the present time. Named in the texts on the statuses; the unit follows from the formula.",
    },
    {
      path = "extInfo.driver_board_duration", type = "any", unit = "minutes", confidence = "INFERRED",
      source = WITH_FORMULA,
      note = "How long the driver needs to the user. Named in the texts on the statuses; a string of minutes in the "
        .. "notification, another API.",
    },
    {
      path = "extInfo.ride_dest_duration", type = "any", unit = "minutes", confidence = "INFERRED",
      note = "By its name how long the ride takes. Named in the texts on the statuses; the unit is assumed.",
    },
  },
  response = {},

  -- Under keys that no copy shows: ask AlipayHK, do not guess.
  unknown = {
    {
      where = "extInfo",
      note = "every further key; nothing says that those of the notification, another API, hold here",
    },
    { where = "extInfo", note = "the table of what is required in which status: every copy ends at its head" },
  },

  sample_note = "The forms of the three fields in `extInfo` are guesses: no copy shows them.",
  sample = {
    requestId = "06e7d4a91bf3485c9d2e83f7a5c01b4d",
    merchantBizNo = "20240522000007",
    merchantBizType = "RIDE_HAILING",
    orderStatus = "ORDER_TAKEN",
    userId = "2160120012345678",
    orderCreateTime = 1716338541000,
    orderModifyTime = 1716338721000,
    extInfo = {
      service_start_time = 1716338721000,
      driver_board_duration = "8",
      ride_dest_duration = "25",
    },
  },
}
