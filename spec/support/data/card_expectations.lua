-- The six templates of contractCardSync, written down by hand from what AlipayHK published: our own
-- data has to agree with it, and is never read here.
--
--     cards.card("MOVIE_TICKET_DEFAULT", "CLOSED", { zh_HK = cards.info("MOVIE_TICKET_DEFAULT") })

local cjson = require "cjson"
local samples = require "spec.support.data.samples"

local CHARACTER = "漢"
local LONG = 1000
local LINK = "alipayhk://platformapi/startapp?appId=2100000000000000"

local cards = { LOCALES = { "zh_HK", "en_US" } }

-- ---- templates ----------------------------------------------------------------------------------
-- need: what a field that is left out is in a status: a fault (published, and undisputed), a warning
-- (a reading, or in one of two versions only), or nothing where the status is not named. optional:
-- fields that the need is not about. named: fields of which the name alone is known. ends: statuses
-- whose next step is warned of; none is printed as an end, so none is a fault. closing: statuses with which the
-- notification goes away, so that nobody misses its texts. with: a field that changes with another: nothing
-- ends before it starts.

cards.TEMPLATES = {
  PAYMENT_ORDER_DEFAULT = {
    statuses = { "WAIT_PAY", "PAY_FAILED", "OVERDUED", "CLOSED" },
    ends = { "CLOSED" }, closing = { "CLOSED" },
    -- The newer of two pages alone asks for the fields in the other two.
    need = { WAIT_PAY = "fault", PAY_FAILED = "warning", OVERDUED = "warning" },
    fields = {
      action_url = "url", bill_amount = "cents", bill_amount_currency = "currency", bill_desc = "text",
      bill_due_time = "date", bill_icon_url = "url", bill_name = "text", order_url = "url",
    },
  },
  FINANCE_ORDER_DEFAULT = {
    statuses = { "WAIT_REPAY", "OVERDUED", "CLOSED" },
    ends = { "CLOSED" }, closing = { "CLOSED" },
    -- Printed is WAIT_PAY, which this template does not have.
    need = { WAIT_REPAY = "warning", OVERDUED = "fault" },
    fields = {
      action_url = "url", bill_amount = "cents", bill_amount_currency = "currency", bill_desc = "text",
      bill_due_time = "date", bill_icon_url = "url", bill_month_time = "month", bill_name = "text",
      order_url = "url",
    },
  },
  MOVIE_TICKET_DEFAULT = {
    statuses = { "AWAIT_SCREENING", "CLOSED" },
    ends = { "CLOSED" }, closing = { "CLOSED" },
    need = { AWAIT_SCREENING = "fault" },
    fields = {
      action_url = "url", cinema_house = "text", cinema_name = "text", merchant_icon_url = "url",
      merchant_name = "text", movie_start_date = "weekday", movie_start_time = "time", movie_image = "url",
      movie_name = "text", order_url = "url", seat_num = "texts",
    },
  },
  TRAIN_TICKET_DEFAULT = {
    statuses = { "AWAIT_SCREENING", "CLOSED" },
    ends = { "CLOSED" }, closing = { "CLOSED" },
    -- The words of the rule are lost on the page.
    need = { AWAIT_SCREENING = "warning" },
    with = { end_time = "start_time" },
    fields = {
      check_point = "texts", end_time = "moment", from = "text", order_url = "url", refund_or_change_url = "url",
      seat_num = "texts", shift_number = "text", start_time = "moment", to = "text",
    },
  },
  AIR_TICKET_DEFAULT = {
    statuses = { "NEAR_DEPART", "FLIGHT_CHANGE", "FLIGHT_DELAYS", "FLIGHT_CANCELLATION", "CLOSED" },
    ends = { "CLOSED" }, closing = { "CLOSED" },
    need = {
      NEAR_DEPART = "fault", FLIGHT_CHANGE = "fault", FLIGHT_DELAYS = "fault", FLIGHT_CANCELLATION = "fault",
    },
    optional = { action_url = true },
    with = { end_time = "start_time" },
    fields = {
      action_url = "url", airline_name = "text", cross_day = "blank", duration = "text", end_time = "moment",
      flight_no = "text", from = "text", from_airport = "text", from_terminal = "text", order_url = "url",
      start_time = "moment", to = "text", to_airport = "text", to_terminal = "text",
    },
  },
  RIDE_HAILING_DEFAULT = {
    statuses = {
      "PENDING", "BOOKED", "ORDER_TAKEN", "TO_BOARD", "SERVING", "WAIT_PAY", "FINISHED", "TO_SEND", "CLOSED",
      "CANCEL_WAIT_PAY",
    },
    -- CLOSED stands for a driver's cancelling here, and CANCEL_WAIT_PAY goes away: no word on an end of either.
    ends = { "FINISHED" }, closing = { "FINISHED", "CLOSED", "CANCEL_WAIT_PAY" },
    -- Which status asks for which field is not known.
    need = {},
    named = { "ride_price", "service_start_time", "ride_dest_duration" },
    fields = {
      action_url = "urls", auto_color = "text", auto_model = "text", driver_board_duration = "text",
      estimated_cost = "sums",
    },
  },
}

-- ---- kinds of fields ----------------------------------------------------------------------------
-- empty: what "" is where the field is not needed. code: what a bad value is. of: kind of an element. slips: what
-- passes, and gives a warning that is ours: nobody can have meant it.

cards.KINDS = {
  text = { good = { "煤氣賬單", "x", "2h 30m", "-5", "null" }, long = CHARACTER:rep(LONG) },
  -- Has to be there, but may be "".
  blank = { good = { "+1天", "+1Day", "", "+2Days" }, long = CHARACTER:rep(LONG), filled = true },
  currency = { code = "enum", empty = "enum", good = { "HKD", "CNY" }, bad = { "USD", "hkd", "HKD ", "HK$", "XYZ" } },
  cents = {
    code = "format", empty = "format",
    good = { "10000", "0", "1", "57000" },
    slips = { "010000", "00" },
    bad = { "100.00", "100.", "-5", "+5", "1,000", "abc", "HK$100", " 100", "100 ", "1e3", "0x10", "１００" },
    long = ("9"):rep(LONG),
  },
  url = {
    code = "format", empty = "format",
    good = {
      LINK, "alipayhk://platformapi/startapp?appId=1&page=pages/a/index?orderCode=2", "allpayhk://platformapi/startapp",
      "https://www.example.com/icon.png", "http://www.example.com", "HTTPS://www.example.com/A", "my-app.v2+x://open",
      "https://www.example.com/圖.png",
    },
    -- One page for all APIs asks for such, the samples of this one have the others.
    slips = { "https%3A%2F%2Fwww.example.com%2Ficon.png", "alipayhk%3a%2f%2fplatformapi/startapp" },
    bad = {
      "www.example.com/icon.png", "/icon.png", "//www.example.com/icon.png", "icon", "://www.example.com", "https://",
      "alipayhk://", "https:", "https", "https://www.example.com/my icon.png", " https://www.example.com",
      "https://www.example.com ", "https://www.example.com/\t", "https://www.example.com/\n", "my app://open", " ",
    },
    long = LINK .. ("x"):rep(LONG),
  },
  date = {
    code = "format", empty = "format",
    good = { "2024-05-30", "2024-02-29", "2000-02-29", "2023-02-28", "2024-01-01", "2024-12-31", "2024-04-30" },
    bad = {
      "2024-02-30", "2023-02-29", "2100-02-29", "1900-02-29", "2024-04-31", "2024-06-31", "2024-09-31", "2024-11-31",
      "2024-01-32", "2024-13-01", "2024-00-10", "2024-01-00", "2024-5-3", "2024-05-3", "24-05-30", "20240530",
      "2024/05/30", "30-05-2024", "2024-05", "2024-05-30 10:00:00", " 2024-05-30", "2024-05-30 ", "2024-05-30\n",
      "02024-05-30", "tomorrow", "1716532941000",
    },
  },
  month = {
    code = "format", empty = "format",
    good = { "2024-05", "2024-01", "2024-12", "1999-10" },
    bad = { "2024-13", "2024-00", "2024-5", "24-05", "2024/05", "202405", "2024-05-01", "2024-05 ", "May 2024" },
  },
  moment = {
    code = "format", empty = "format",
    good = { "2024-05-24 14:30:00", "2024-02-29 23:59:59", "2024-01-01 00:00:00" },
    bad = {
      "2024-05-24 24:00:00", "2024-05-24 25:00:00", "2024-05-24 23:60:00", "2024-05-24 23:59:61", "2024-02-30 10:00:00",
      "2023-02-29 10:00:00", "2024-13-01 10:00:00", "2024-05-24T14:30:00", "2024-05-24 14:30", "2024-05-24 9:30:00",
      "2024-5-24 14:30:00", "2024-05-24", "14:30:00", "2024-05-24  14:30:00", "2024/05/24 14:30:00",
      "2024-05-24 14:30:00+08:00", "2024-05-24 14:30:00.000", "2024-05-24 14:30:00 ", "2024-05-24 02:30:00 PM",
    },
  },
  weekday = {
    code = "format", empty = "format",
    good = { "2024/05/30 (Thursday)", "2024/05/30 (Thu)", "2024/02/29 (星期四)", "2024/05/30 (any day at all)" },
    bad = {
      "2024/05/30", "2024-05-30 (Thursday)", "2024/02/30 (Friday)", "2023/02/29 (Wednesday)", "2024/13/01 (Monday)",
      "2024/5/30 (Thursday)", "2024/05/30(Thursday)", "2024/05/30  (Thursday)", "2024/05/30 Thursday",
      "2024/05/30 (Thursday", "2024/05/30 Thursday)", "2024/05/30 (Thursday) ", "(Thursday)", "Thursday 2024/05/30",
    },
    long = "2024/05/30 (" .. CHARACTER:rep(LONG) .. ")",
  },
  time = {
    code = "format", empty = "format",
    -- Printed mm:ss, hardly meant so: nothing is asked beyond the digits.
    good = { "19:30", "00:00", "24:00", "29:59" },
    slips = { "30:00", "59:59", "19:60", "99:99" },
    bad = { "9:30", "19:3", "19:30:00", "1930", "19.30", "19:30 ", " 19:30", "7:30pm", "119:30", "ab:cd", "19：30" },
  },
  texts = { of = "text" },
  urls = { of = "url" },
  sums = { of = "cents" },
}

-- ---- payloads -----------------------------------------------------------------------------------

-- A valid value of a kind.
function cards.value(kind)
  local rules = cards.KINDS[kind]
  if rules.of then return { cards.KINDS[rules.of].good[1], cards.KINDS[rules.of].good[2] } end
  return rules.good[1]
end

-- Every field of a template with a valid value, and over that what `changes` names.
function cards.info(code, changes)
  local info = {}
  for name, kind in pairs(cards.TEMPLATES[code].fields) do info[name] = cards.value(kind) end
  for name, value in pairs(changes or {}) do
    if value == samples.ABSENT then value = nil end
    info[name] = value
  end
  return info
end

-- A notification with the given value for each locale.
function cards.card(code, status, locales)
  return samples.card {
    productTemplateCode = code, orderStatus = status,
    syncDataInfo = { amount = 57000, languageBusinessInfo = locales },
  }
end

-- The path of a field, or of the locale itself.
function cards.path(locale, field)
  return "syncDataInfo.languageBusinessInfo." .. locale .. (field and "." .. field or "")
end

-- Both ways to hand over what belongs to a locale.
cards.FORMS = { function(info) return info end, cjson.encode }

return cards
