-- Cinema tickets, as performance notifications.

local INFO = "syncDataInfo.languageBusinessInfo.{locale}."
local REQUIRED_WHEN = { "AWAIT_SCREENING" }

local SAMPLE_URL = "alipayhk://platformapi/startapp?appId=2100000000000000&page=pages/movie/detail/index"

return {
  name = "MOVIE_TICKET_DEFAULT",
  title = "Movie Ticket",
  summary = "A film that the user is about to see.",
  match = { confidence = "INFERRED", note = "by the page's title" },
  source = { "performance_notification/api_doc-movie_ticket" },

  statuses = {
    { name = "AWAIT_SCREENING", meaning = "the film is about to be shown", confidence = "SEEN" },
    {
      name = "CLOSED", ends = "INFERRED", closes = true, confidence = "SEEN",
      meaning = "the notification is to be taken down", effect = "the notification disappears",
    },
  },
  steps = { confidence = "SEEN" },

  fields = {
    {
      path = INFO .. "action_url", type = "string", format = "URL", confidence = "SEEN",
      required_when = REQUIRED_WHEN,
      note = "Where the button leads.",
    },
    {
      path = INFO .. "cinema_house", type = "string", confidence = "SEEN",
      required_when = REQUIRED_WHEN,
      note = "The house of the cinema that shows the film.",
    },
    {
      path = INFO .. "cinema_name", type = "string", confidence = "SEEN",
      required_when = REQUIRED_WHEN,
      note = "Name of the cinema.",
    },
    {
      path = INFO .. "merchant_icon_url", type = "string", format = "URL", confidence = "SEEN",
      required_when = REQUIRED_WHEN,
      note = "Icon of the merchant: 72 x 72 px recommended, less than 100 KB.",
    },
    {
      path = INFO .. "merchant_name", type = "string", confidence = "SEEN",
      required_when = REQUIRED_WHEN,
      note = "The merchant's name on the notification.",
    },
    {
      path = INFO .. "movie_start_date", type = "string", format = "yyyy/MM/dd (Weekday)", confidence = "SEEN",
      required_when = REQUIRED_WHEN,
      note = "How the weekday is written is not told; in the language of the entry, presumably.",
    },
    {
      path = INFO .. "movie_start_time", type = "string", format = "mm:ss", confidence = "SEEN",
      required_when = REQUIRED_WHEN,
      note = "When the film starts. The format is as printed; hours and minutes are surely meant (INFERRED).",
    },
    {
      path = INFO .. "movie_image", type = "string", format = "URL", confidence = "SEEN",
      required_when = REQUIRED_WHEN,
      note = "The poster: 90 x 135 px recommended. There is no `_url` in this name.",
    },
    {
      path = INFO .. "movie_name", type = "string", confidence = "SEEN",
      required_when = REQUIRED_WHEN,
      note = "Name of the film.",
    },
    {
      path = INFO .. "order_url", type = "string", format = "URL", confidence = "SEEN",
      required_when = REQUIRED_WHEN,
      note = "Where a tap on the card leads.",
    },
    {
      path = INFO .. "seat_num", type = "array", confidence = "SEEN",
      required_when = REQUIRED_WHEN,
      note = "The seats.",
    },
    { path = INFO .. "seat_num[]", type = "string", confidence = "SEEN" },
  },

  sample = {
    requestId = "614948a6-a455-442f-a14e-55ff2de02a6a",
    bizDate = 1716543000000,
    command = "SEND",
    merchantBizNo = "20240524000003",
    orderStatus = "AWAIT_SCREENING",
    productTemplateCode = "MOVIE_TICKET_DEFAULT",
    userId = "2160120012345678",
    syncDataInfo = {
      amount = 22000,
      languageBusinessInfo = {
        zh_HK = {
          action_url = SAMPLE_URL,
          cinema_house = "3院",
          cinema_name = "海旁戲院",
          merchant_icon_url = "https://www.example.com/icon.png",
          merchant_name = "海旁院線",
          movie_start_date = "2024/05/24 (星期五)",
          movie_start_time = "19:30",
          movie_image = "https://www.example.com/poster.png",
          movie_name = "渡輪上的夏天",
          order_url = SAMPLE_URL,
          seat_num = { "F7", "F8" },
        },
        en_US = {
          action_url = SAMPLE_URL,
          cinema_house = "House 3",
          cinema_name = "Seaside Cinema",
          merchant_icon_url = "https://www.example.com/icon.png",
          merchant_name = "Seaside Cinemas",
          movie_start_date = "2024/05/24 (Friday)",
          movie_start_time = "19:30",
          movie_image = "https://www.example.com/poster.png",
          movie_name = "A Summer on the Ferry",
          order_url = SAMPLE_URL,
          seat_num = { "F7", "F8" },
        },
      },
    },
  },
}
