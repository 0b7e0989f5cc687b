-- Flights, as performance notifications.

local INFO = "syncDataInfo.languageBusinessInfo.{locale}."
-- Each field has its badge on the page; nothing is required for CLOSED.
local REQUIRED_WHEN = { "NEAR_DEPART", "FLIGHT_CHANGE", "FLIGHT_DELAYS", "FLIGHT_CANCELLATION" }

local SAMPLE_URL = "alipayhk://platformapi/startapp?appId=2100000000000000&page=pages/flight/detail/index"

return {
  name = "AIR_TICKET_DEFAULT",
  title = "Air Ticket",
  summary = "A flight that the user is about to take.",
  match = { confidence = "INFERRED", note = "by the page's title" },
  source = { "performance_notification/api_doc-air_ticket" },

  statuses = {
    { name = "NEAR_DEPART", meaning = "the user is about to board", confidence = "SEEN" },
    { name = "FLIGHT_CHANGE", meaning = "the flight is being changed", confidence = "SEEN" },
    { name = "FLIGHT_DELAYS", meaning = "the flight is delayed", confidence = "SEEN" },
    {
      name = "FLIGHT_CANCELLATION", confidence = "SEEN",
      meaning = "the flight is cancelled", effect = "the notification disappears after 10 minutes",
      note = "Whether another status may follow is not told.",
    },
    {
      name = "CLOSED", ends = "INFERRED", closes = true, confidence = "SEEN",
      meaning = "the notification is to be taken down", effect = "the notification is not displayed",
    },
  },
  steps = { confidence = "SEEN" },

  fields = {
    {
      path = INFO .. "action_url", type = "string", format = "URL", confidence = "SEEN",
      note = "Where the button leads. The only named field that is always optional.",
    },
    {
      path = INFO .. "airline_name", type = "string", confidence = "SEEN",
      required_when = REQUIRED_WHEN,
      note = "Name of the airline, as displayed.",
    },
    {
      path = INFO .. "cross_day", type = "string", may_be_empty = true, confidence = "SEEN",
      required_when = REQUIRED_WHEN,
      note = "Text for an arrival on a later day, such as `+1天` or `+1Day`, by the time zone of the destination; "
        .. "empty for the same day. How two days are written is not told.",
    },
    {
      path = INFO .. "duration", type = "string", confidence = "SEEN",
      required_when = REQUIRED_WHEN,
      note = "Text for the length of the flight, such as `2小時30分` or `2h 30m`.",
    },
    {
      path = INFO .. "end_time", type = "string", format = "yyyy-MM-dd HH:mm:ss", not_before = "start_time",
      local_times = true, confidence = "SEEN",
      required_when = REQUIRED_WHEN,
      note = "When the flight arrives, in the local time of the destination.",
    },
    {
      path = INFO .. "flight_no", type = "string", confidence = "SEEN",
      required_when = REQUIRED_WHEN,
      note = "Flight number.",
    },
    {
      path = INFO .. "from", type = "string", confidence = "SEEN",
      required_when = REQUIRED_WHEN,
      note = "Name of the region of departure.",
    },
    {
      path = INFO .. "from_airport", type = "string", confidence = "SEEN",
      required_when = REQUIRED_WHEN,
      note = "Name of the airport of departure.",
    },
    {
      path = INFO .. "from_terminal", type = "string", confidence = "SEEN",
      required_when = REQUIRED_WHEN,
      note = "Terminal of departure.",
    },
    {
      path = INFO .. "order_url", type = "string", format = "URL", confidence = "SEEN",
      required_when = REQUIRED_WHEN,
      note = "Where a tap on the notification leads.",
    },
    {
      path = INFO .. "start_time", type = "string", format = "yyyy-MM-dd HH:mm:ss", confidence = "SEEN",
      required_when = REQUIRED_WHEN,
      note = "When the flight leaves. The time zone is not told; that of the departure, presumably (INFERRED).",
    },
    {
      path = INFO .. "to", type = "string", confidence = "SEEN",
      required_when = REQUIRED_WHEN,
      note = "Where the flight goes; the page speaks of a station, though `from` is a region.",
    },
    {
      path = INFO .. "to_airport", type = "string", confidence = "SEEN",
      required_when = REQUIRED_WHEN,
      note = "Name of the airport of arrival (INFERRED); the page says departure, evidently a slip.",
    },
    {
      path = INFO .. "to_terminal", type = "string", confidence = "SEEN",
      required_when = REQUIRED_WHEN,
      note = "Terminal of arrival (INFERRED); the page says departure, evidently a slip.",
    },
  },

  -- Described on the page, under a key that no copy shows: ask AlipayHK, do not guess.
  unknown = {
    {
      where = "syncDataInfo.languageBusinessInfo.{locale}",
      note = "URL of the airline's logo, 72 x 72 px; its type and whether it is required are not known either",
    },
  },

  sample = {
    requestId = "e6ea3ca5-7903-469f-b4df-ee9690e565c2",
    bizDate = 1716552000000,
    command = "SEND",
    merchantBizNo = "20240524000005",
    orderStatus = "NEAR_DEPART",
    productTemplateCode = "AIR_TICKET_DEFAULT",
    userId = "2160120012345678",
    syncDataInfo = {
      amount = 680000,
      languageBusinessInfo = {
        zh_HK = {
          action_url = SAMPLE_URL,
          airline_name = "維港航空",
          cross_day = "+1天",
          duration = "13小時25分",
          end_time = "2024-05-25 05:30:00",
          flight_no = "ZZ802",
          from = "香港",
          from_airport = "香港國際機場",
          from_terminal = "1號客運大樓",
          order_url = SAMPLE_URL,
          start_time = "2024-05-24 23:05:00",
          to = "倫敦",
          to_airport = "希斯路機場",
          to_terminal = "3號客運大樓",
        },
        en_US = {
          action_url = SAMPLE_URL,
          airline_name = "Victoria Harbour Air",
          cross_day = "+1Day",
          duration = "13h 25m",
          end_time = "2024-05-25 05:30:00",
          flight_no = "ZZ802",
          from = "Hong Kong",
          from_airport = "Hong Kong International Airport",
          from_terminal = "Terminal 1",
          order_url = SAMPLE_URL,
          start_time = "2024-05-24 23:05:00",
          to = "London",
          to_airport = "Heathrow Airport",
          to_terminal = "Terminal 3",
        },
      },
    },
  },
}
