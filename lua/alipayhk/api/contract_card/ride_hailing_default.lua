-- Rides, as performance notifications.

-- Which field is required depends on the status, by a table that no copy shows: nothing is required here.
local INFO = "syncDataInfo.languageBusinessInfo.{locale}."
local WITH_FORMULA = { "performance_notification/api_doc-ride_hailing", "order_service/ride_hailing" }

local SAMPLE_URL = "alipayhk://platformapi/startapp?appId=2100000000000000&page=pages/ride/detail/index"

return {
  name = "RIDE_HAILING_DEFAULT",
  title = "Ride Hailing",
  summary = "A ride that the user has called, from the search for a driver to the payment.",
  match = { confidence = "INFERRED", note = "by the page's title" },
  source = { "performance_notification/api_doc-ride_hailing" },

  statuses = {
    { name = "PENDING", meaning = "the search for a driver is on", confidence = "SEEN" },
    {
      name = "BOOKED", confidence = "SEEN",
      meaning = "a vehicle is reserved, and its driver has not set off; rides booked ahead only",
    },
    {
      name = "ORDER_TAKEN", confidence = "SEEN", source = WITH_FORMULA,
      meaning = "a driver has taken the order",
      effect = "time left and progress, from `service_start_time`, `driver_board_duration` and the present time",
      note = "Time left, by the order service's page: driver_board_duration - (now - service_start_time) / 60000; this "
        .. "page has neither the brackets nor the 60000. Progress: (now - service_start_time) / driver_board_duration.",
    },
    { name = "TO_BOARD", meaning = "the user has to board", confidence = "SEEN" },
    {
      name = "SERVING", confidence = "SEEN",
      meaning = "the ride is under way",
      effect = "progress, from `service_start_time`, `ride_dest_duration` and the present time",
      note = "Progress: (now - service_start_time) / ride_dest_duration.",
    },
    { name = "WAIT_PAY", meaning = "the user has to pay", confidence = "SEEN" },
    {
      name = "FINISHED", ends = "INFERRED", closes = true, confidence = "SEEN",
      meaning = "the order is complete, or the user has cancelled it", effect = "the notification disappears",
    },
    { name = "TO_SEND", meaning = "the search for another driver is on", confidence = "SEEN" },
    {
      name = "CLOSED", closes = true, confidence = "SEEN",
      meaning = "the driver has cancelled the order", effect = "the notification disappears after 5 minutes",
      note = "Whether another status may follow is not told.",
    },
    {
      name = "CANCEL_WAIT_PAY", closes = true, confidence = "SEEN",
      meaning = "the user has cancelled the order, but has still to pay", effect = "the notification disappears",
      note = "Whether another status may follow is not told.",
    },
  },
  steps = {
    confidence = "SEEN",
    note = "TO_SEND makes sense only between one ORDER_TAKEN and the next, though it is listed later (INFERRED).",
  },

  fields = {
    {
      path = INFO .. "action_url", type = "array", confidence = "SEEN",
      note = "Where the button leads. A list, though one URL is described; elsewhere a field of this name is a string.",
    },
    { path = INFO .. "action_url[]", type = "string", format = "URL", confidence = "SEEN" },
    {
      path = INFO .. "auto_color", type = "string", confidence = "SEEN",
      note = "Colour of the vehicle.",
    },
    {
      path = INFO .. "auto_model", type = "string", confidence = "SEEN",
      note = "Model of the vehicle.",
    },
    {
      path = INFO .. "driver_board_duration", type = "string", unit = "minutes", confidence = "SEEN",
      note = "How long the driver will probably take to where the ride begins.",
    },
    {
      path = INFO .. "estimated_cost", type = "array", confidence = "SEEN",
      note = "What the ride will probably cost.",
      evidence = "A condition on `ride_price` goes with it, whose words are lost.",
    },
    { path = INFO .. "estimated_cost[]", type = "string", unit = "cents", confidence = "SEEN" },
    {
      path = INFO .. "ride_price", type = "any", confidence = "SEEN",
      evidence = "Named only beside `estimated_cost`.",
    },
    {
      path = INFO .. "service_start_time", type = "any", unit = "ms", confidence = "SEEN",
      source = WITH_FORMULA,
      evidence = "Named only beside the statuses; the unit follows from the formula with 60000 (INFERRED).",
    },
    {
      path = INFO .. "ride_dest_duration", type = "any", unit = "minutes", confidence = "SEEN",
      evidence = "Named only beside the statuses; the unit as of `driver_board_duration` (INFERRED).",
    },
  },

  -- No copy of the page goes beyond `estimated_cost`: ask AlipayHK, do not guess.
  unknown = {
    {
      where = "syncDataInfo.languageBusinessInfo.{locale}",
      note = "the fields after `estimated_cost`, in what looks like alphabetical order; there may be ones "
        .. "for the number plate, the places and the order's page",
    },
    {
      where = "syncDataInfo.languageBusinessInfo.{locale}",
      note = "the table that says which field is required for which status",
    },
  },

  sample_note = "The forms of `ride_price`, `service_start_time` and `ride_dest_duration` are guesses: no copy shows "
    .. "them.",
  sample = {
    requestId = "50de0947-df7c-46ff-b331-fbac257e9276",
    bizDate = 1716552000000,
    command = "SEND",
    merchantBizNo = "20240524000006",
    orderStatus = "ORDER_TAKEN",
    productTemplateCode = "RIDE_HAILING_DEFAULT",
    userId = "2160120012345678",
    syncDataInfo = {
      amount = 9600,
      languageBusinessInfo = {
        zh_HK = {
          action_url = { SAMPLE_URL },
          auto_color = "銀色",
          auto_model = "豐田 Noah",
          driver_board_duration = "6",
          estimated_cost = { "9600" },
          ride_price = "9600",
          service_start_time = 1716552000000,
          ride_dest_duration = "25",
        },
        en_US = {
          action_url = { SAMPLE_URL },
          auto_color = "Silver",
          auto_model = "Toyota Noah",
          driver_board_duration = "6",
          estimated_cost = { "9600" },
          ride_price = "9600",
          service_start_time = 1716552000000,
          ride_dest_duration = "25",
        },
      },
    },
  },
}
