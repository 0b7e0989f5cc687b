-- The URLs of AlipayHK's public pages, by the tags that are used as `source` in the files beside this one.
--
-- `order_service/`, `performance_notification/` and the like are sections of the present site. `helpcenter/` has copies
-- of the same pages, without a date and often older or newer.

local SITE = "https://docs.alipay.hk/alipayhkdocs/hk/"
local HELP_CENTER = "https://docs.alipay.hk/alipayhkdocs/helpcenter/detail"

local pages = {
  ["helpcenter/admission_ticket"] = HELP_CENTER .. "/c9a25826-03a1-4cb7-8f92-e8ba864e3d2f",
  ["helpcenter/coupon_with_code"] = HELP_CENTER .. "?pageId=f313043b-2d28-4b5a-b661-5931ece3d57c",
  ["helpcenter/ev_charging"] = HELP_CENTER .. "?pageId=402ba1e4-f861-4433-bc4a-7301d6c0a05a",
  ["helpcenter/gift_card"] = HELP_CENTER .. "?pageId=45f28219-071f-4f15-88c3-eb3e5ec8c285",
  ["helpcenter/gift_card_guide"] = HELP_CENTER .. "?pageId=17c8b8fa-0dd7-4197-aad3-359861d65e90",
  ["helpcenter/movie"] = HELP_CENTER .. "/47b49596-b522-4cbf-b436-111ead35aae4",
  ["helpcenter/queue_up"] = HELP_CENTER .. "?pageId=44b54e4f-4b12-4784-9f9d-2d9defc97f6f",
  -- One page lists nine statuses, the other ten.
  ["helpcenter/ride_hailing_9"] = HELP_CENTER .. "?pageId=c5de804e-2e68-4156-a42b-b02c906aa876",
  ["helpcenter/ride_hailing_10"] = HELP_CENTER .. "?pageId=46265081-0c6d-44f0-92aa-56f4720a357b",
  ["helpcenter/self_pick"] = HELP_CENTER .. "?pageId=c55a8887-c322-4eda-aa93-d9f08a25d8a8",
  ["helpcenter/train_ticket"] = HELP_CENTER .. "?pageId=34ea4890-1452-4a7f-b4d8-0fd89c3ab138",
}

for _, tag in ipairs {
  "Gift_Card/Gift_Card_User_Flow",
  "Gift_Card/l6zurymv",
  "auto_earn/Encrypt_and_decrypt",
  "gcmc/apifund",
  "order_service/api-base",
  "order_service/api-ev_charging",
  "order_service/api-movie",
  "order_service/api-queue_up",
  "order_service/api-self_pick",
  "order_service/api-train_ticket",
  "order_service/l6zurymv", -- Auto-deduct Voucher
  "order_service/ride_hailing",
  "performance_notification/api-base",
  "performance_notification/api-payment_order",
  "performance_notification/api_doc-air_ticket",
  "performance_notification/api_doc-base",
  "performance_notification/api_doc-finance_order",
  "performance_notification/api_doc-movie_ticket",
  "performance_notification/api_doc-payment_order",
  "performance_notification/api_doc-ride_hailing",
  "performance_notification/api_doc-train_ticket",
} do
  pages[tag] = SITE .. tag
end

return pages
