---@meta _
-- Made from lua/alipayhk/api by `make docs`: the payloads of every scenario. Never loaded.

---@class alipayhk.order.PASS_TICKET.amount
---@field value string cents
---@field currency string ISO 4217
---@field [string] any

---@class alipayhk.order.PASS_TICKET.payAmount
---@field value string cents
---@field currency? string ISO 4217
---@field [string] any

---@class (exact) alipayhk.order.PASS_TICKET
---@field requestId? string Another one for each request: 32 hex digits
---@field merchantBizNo string The merchant's order id
---@field orderStatus "TICKETED"|"REFUNDED"|"USED" One of the scenario's
---@field userId? string AlipayHK user id
---@field openId? string The user's authorization id for this merchant
---@field merchantBizType "PASS_TICKET" The scenario
---@field orderCreateTime number Time of the order's first event; milliseconds
---@field orderModifyTime? number Time of this event; milliseconds
---@field merchantAccountId? string Secondary merchant id, for callers that are not the direct merchant
---@field merchantId? string Deprecated name of merchantAccountId
---@field tinyAppId? string Mini-program id
---@field amount? alipayhk.order.PASS_TICKET.amount Original amount of the ticket
---@field payAmount? alipayhk.order.PASS_TICKET.payAmount What the user really paid
---@field tradeNo? string Alipay's number of the payment
---@field extInfo? table What is special to an admission ticket

---@class alipayhk.order.ALIPAY_COUPON.amount
---@field value string cents
---@field currency? string ISO 4217
---@field [string] any

---@class alipayhk.order.ALIPAY_COUPON.payAmount
---@field value string cents
---@field currency? string ISO 4217
---@field [string] any

---@class (exact) alipayhk.order.ALIPAY_COUPON
---@field requestId? string Another one for each request: 32 hex digits
---@field merchantBizNo string The merchant's order id
---@field orderStatus "TICKETED" One of the scenario's
---@field userId? string AlipayHK user id
---@field openId? string The user's authorization id for this merchant
---@field merchantBizType "ALIPAY_COUPON" The scenario
---@field orderCreateTime number Time of the order's first event; milliseconds
---@field orderModifyTime? number Time of this event; milliseconds
---@field merchantAccountId? string Secondary merchant id, for callers that are not the direct merchant
---@field merchantId? string Deprecated name of merchantAccountId
---@field tinyAppId? string Mini-program id
---@field tradeNo? string Alipay's number of the payment
---@field amount? alipayhk.order.ALIPAY_COUPON.amount Original amount of the order
---@field payAmount? alipayhk.order.ALIPAY_COUPON.payAmount What the user paid in the end
---@field extInfo table What is special to a voucher

---@class alipayhk.order.GIFT_CARD_COUPON.amount
---@field value? string As for ALIPAY_COUPON; cents
---@field currency? string As for ALIPAY_COUPON; ISO 4217
---@field [string] any

---@class (exact) alipayhk.order.GIFT_CARD_COUPON
---@field requestId? string Another one for each request: 32 hex digits
---@field merchantBizNo string The merchant's order id
---@field orderStatus "TICKETED"|"REFUNDED"|"USED" One of the scenario's
---@field userId? string AlipayHK user id
---@field openId? string The user's authorization id for this merchant
---@field merchantBizType "GIFT_CARD_COUPON" The scenario
---@field orderCreateTime number Time of the order's first event; milliseconds
---@field orderModifyTime? number Time of this event; milliseconds
---@field merchantAccountId? string Secondary merchant id, for callers that are not the direct merchant
---@field merchantId? string Deprecated name of merchantAccountId
---@field tinyAppId? string Mini-program id
---@field tradeNo? string Alipay's number of the payment
---@field amount? alipayhk.order.GIFT_CARD_COUPON.amount Original amount of the order
---@field payAmount? table What the user really paid, with the keys of `amount`
---@field extInfo? table What is special to a coupon

---@class alipayhk.order.CHARGING_PILE.extInfo.amount
---@field value string cents
---@field currency string ISO 4217
---@field [string] any

---@class alipayhk.order.CHARGING_PILE.extInfo
---@field amount? alipayhk.order.CHARGING_PILE.extInfo.amount Amount of the order
---@field surcharge_amount? table Surcharge for charging or parking beyond the limit
---@field [string] any

---@class (exact) alipayhk.order.CHARGING_PILE
---@field requestId? string Another one for each request: 32 hex digits
---@field merchantBizNo string The merchant's order id
---@field orderStatus "SERVING"|"SERVING_WO_ENDTIME"|"SERVING_LITE"|"PAUSED"|"FAULT"|"COMPLETED"|"PARKING_DUE"|"FINISHED" One of the scenario's
---@field userId? string AlipayHK user id
---@field openId? string The user's authorization id for this merchant
---@field merchantBizType "CHARGING_PILE" The scenario
---@field orderCreateTime number Time of the order's first event; milliseconds
---@field orderModifyTime? number Time of this event; milliseconds
---@field merchantAccountId? string Secondary merchant id, for callers that are not the direct merchant
---@field merchantId? string Deprecated name of merchantAccountId
---@field tinyAppId? string Mini-program id
---@field tradeNo? string Alipay's number of the payment
---@field extInfo alipayhk.order.CHARGING_PILE.extInfo The money is in here, not at the top as for tickets

---@class alipayhk.order.MOVIE_TICKET.amount
---@field value string cents
---@field currency string ISO 4217
---@field [string] any

---@class alipayhk.order.MOVIE_TICKET.payAmount
---@field value? string cents
---@field currency? string ISO 4217
---@field [string] any

---@class (exact) alipayhk.order.MOVIE_TICKET
---@field requestId? string Another one for each request: 32 hex digits
---@field merchantBizNo string The merchant's order id
---@field orderStatus "TICKETED"|"REFUNDED"|"USED" One of the scenario's
---@field userId? string AlipayHK user id
---@field openId? string The user's authorization id for this merchant
---@field merchantBizType "MOVIE_TICKET" The scenario
---@field orderCreateTime number Time of the order's first event; milliseconds
---@field orderModifyTime? number Time of this event; milliseconds
---@field merchantAccountId? string Secondary merchant id, for callers that are not the direct merchant
---@field merchantId? string Deprecated name of merchantAccountId
---@field tinyAppId? string Mini-program id
---@field amount? alipayhk.order.MOVIE_TICKET.amount Original amount of the ticket
---@field payAmount? alipayhk.order.MOVIE_TICKET.payAmount What the user really paid
---@field tradeNo? string Alipay's number of the payment
---@field extInfo table What is special to a movie ticket

---@class alipayhk.order.LINE_UP.shopInfo.extInfo
---@field multiLang? table Texts to display, by locale
---@field [string] any

---@class alipayhk.order.LINE_UP.shopInfo
---@field extInfo alipayhk.order.LINE_UP.shopInfo.extInfo More on the shop
---@field [string] any

---@class (exact) alipayhk.order.LINE_UP
---@field requestId? string Another one for each request: 32 hex digits
---@field merchantBizNo string The merchant's order id
---@field orderStatus "CALL_NUM"|"NUMBER_ARRIVED"|"NUMBER_PASSED"|"CANCELLED"|"FINISHED" One of the scenario's
---@field userId? string AlipayHK user id
---@field openId? string The user's authorization id for this merchant
---@field merchantBizType "LINE_UP" The scenario
---@field orderCreateTime number Time of the order's first event; milliseconds
---@field orderModifyTime? number Time of this event; milliseconds
---@field merchantAccountId? string Secondary merchant id, for callers that are not the direct merchant
---@field merchantId? string Deprecated name of merchantAccountId
---@field tinyAppId? string Mini-program id
---@field shopInfo alipayhk.order.LINE_UP.shopInfo The shop
---@field extInfo table What is special to queuing

---@class alipayhk.order.RIDE_HAILING.extInfo
---@field service_start_time? any Compared with the present time; milliseconds
---@field driver_board_duration? any How long the driver needs to the user; minutes
---@field ride_dest_duration? any By its name how long the ride takes; minutes
---@field [string] any

---@class (exact) alipayhk.order.RIDE_HAILING
---@field requestId? string Another one for each request: 32 hex digits
---@field merchantBizNo string The merchant's order id
---@field orderStatus "PENDING"|"BOOKED"|"ORDER_TAKEN"|"TO_BOARD"|"SERVING"|"WAIT_PAY"|"FINISHED"|"TO_SEND"|"CLOSED"|"CANCEL_WAIT_PAY" One of the scenario's
---@field userId? string AlipayHK user id
---@field openId? string The user's authorization id for this merchant
---@field merchantBizType "RIDE_HAILING" The scenario
---@field orderCreateTime number Time of the order's first event; milliseconds
---@field orderModifyTime? number Time of this event; milliseconds
---@field merchantAccountId? string Secondary merchant id, for callers that are not the direct merchant
---@field merchantId? string Deprecated name of merchantAccountId
---@field tinyAppId? string Mini-program id
---@field extInfo alipayhk.order.RIDE_HAILING.extInfo All of the ride is in here: the page has no amount, `tradeNo` or `shopInfo` at the top

---@class alipayhk.order.SELF_PICK.amount
---@field value string cents
---@field currency string ISO 4217
---@field [string] any

---@class alipayhk.order.SELF_PICK.discountAmount
---@field value string cents
---@field currency? string ISO 4217
---@field [string] any

---@class alipayhk.order.SELF_PICK.actualAmount
---@field value string cents
---@field currency? string ISO 4217
---@field [string] any

---@class (exact) alipayhk.order.SELF_PICK
---@field requestId? string Another one for each request: 32 hex digits
---@field merchantBizNo string The merchant's order id
---@field orderStatus "PENDING"|"ORDER_TAKEN"|"TO_PICK_UP"|"FINISHED"|"CLOSED"|"REFUNDED" One of the scenario's
---@field userId? string AlipayHK user id
---@field openId? string The user's authorization id for this merchant
---@field merchantBizType "SELF_PICK" The scenario
---@field orderCreateTime number Time of the order's first event; milliseconds
---@field orderModifyTime? number Time of this event; milliseconds
---@field merchantAccountId? string Secondary merchant id, for callers that are not the direct merchant
---@field merchantId? string Deprecated name of merchantAccountId
---@field tinyAppId? string Mini-program id
---@field amount alipayhk.order.SELF_PICK.amount Total amount of the order
---@field discountAmount? alipayhk.order.SELF_PICK.discountAmount Discount on the order
---@field actualAmount? alipayhk.order.SELF_PICK.actualAmount What is really due for the order
---@field tradeNo? string Alipay's number of the payment
---@field itemOrderList table[] Items of the order
---@field shopInfo table The restaurant
---@field extInfo table What is special to a self pick

---@class alipayhk.order.TRAIN_TICKET.amount
---@field value string cents
---@field currency string ISO 4217
---@field [string] any

---@class alipayhk.order.TRAIN_TICKET.payAmount
---@field value string cents
---@field currency? string ISO 4217
---@field [string] any

---@class (exact) alipayhk.order.TRAIN_TICKET
---@field requestId? string Another one for each request: 32 hex digits
---@field merchantBizNo string The merchant's order id
---@field orderStatus "TICKETED"|"REFUNDED"|"USED" One of the scenario's
---@field userId? string AlipayHK user id
---@field openId? string The user's authorization id for this merchant
---@field merchantBizType "TRAIN_TICKET" The scenario
---@field orderCreateTime number Time of the order's first event; milliseconds
---@field orderModifyTime? number Time of this event; milliseconds
---@field merchantAccountId? string Secondary merchant id, for callers that are not the direct merchant
---@field merchantId? string Deprecated name of merchantAccountId
---@field tinyAppId? string Mini-program id
---@field amount? alipayhk.order.TRAIN_TICKET.amount Original amount of the ticket
---@field payAmount? alipayhk.order.TRAIN_TICKET.payAmount What the user really paid
---@field tradeNo? string Alipay's number of the payment
---@field extInfo table What is special to a train ticket

---@alias alipayhk.Order
---| alipayhk.order.PASS_TICKET
---| alipayhk.order.ALIPAY_COUPON
---| alipayhk.order.GIFT_CARD_COUPON
---| alipayhk.order.CHARGING_PILE
---| alipayhk.order.MOVIE_TICKET
---| alipayhk.order.LINE_UP
---| alipayhk.order.RIDE_HAILING
---| alipayhk.order.SELF_PICK
---| alipayhk.order.TRAIN_TICKET

---@class alipayhk.contract_card.AIR_TICKET_DEFAULT.syncDataInfo.languageBusinessInfo
---@field action_url? string Where the button leads; URL
---@field airline_name? string Name of the airline, as displayed
---@field cross_day? string Text for an arrival on a later day, such as `+1天` or `+1Day`, by the time zone of the destination
---@field duration? string Text for the length of the flight, such as `2小時30分` or `2h 30m`
---@field end_time? string When the flight arrives, in the local time of the destination; yyyy-MM-dd HH:mm:ss
---@field flight_no? string Flight number
---@field from? string Name of the region of departure
---@field from_airport? string Name of the airport of departure
---@field from_terminal? string Terminal of departure
---@field order_url? string Where a tap on the notification leads; URL
---@field start_time? string When the flight leaves; yyyy-MM-dd HH:mm:ss
---@field to? string Where the flight goes
---@field to_airport? string Name of the airport of arrival (INFERRED)
---@field to_terminal? string Terminal of arrival (INFERRED)
---@field [string] any

---@class alipayhk.contract_card.AIR_TICKET_DEFAULT.syncDataInfo
---@field languageBusinessInfo? table<"zh_HK"|"en_US", alipayhk.contract_card.AIR_TICKET_DEFAULT.syncDataInfo.languageBusinessInfo|string> Texts by locale
---@field amount? number Total of the order; cents
---@field [string] any

---@class (exact) alipayhk.contract_card.AIR_TICKET_DEFAULT
---@field requestId? string Another one for each call: a uuid with its hyphens, as in AlipayHK's sample
---@field bizDate? number Time of the event; milliseconds
---@field command "SEND"|"UPDATE" SEND makes a notification where there is none or it is no longer valid
---@field merchantBizNo string The merchant's order id
---@field orderStatus "NEAR_DEPART"|"FLIGHT_CHANGE"|"FLIGHT_DELAYS"|"FLIGHT_CANCELLATION"|"CLOSED" One of the template's
---@field productTemplateCode "AIR_TICKET_DEFAULT" The scenario
---@field syncDataInfo alipayhk.contract_card.AIR_TICKET_DEFAULT.syncDataInfo
---@field endDate? number When the notification expires; milliseconds
---@field openId? string The user's authorization id for this merchant
---@field userId? string AlipayHK user id

---@class alipayhk.contract_card.FINANCE_ORDER_DEFAULT.syncDataInfo.languageBusinessInfo
---@field action_url? string Where the button leads; URL
---@field bill_amount? string A string, unlike `syncDataInfo; cents
---@field bill_amount_currency? "HKD"|"CNY"
---@field bill_desc? string What the bill is for
---@field bill_due_time? string A date, though it is called a time; yyyy-MM-dd
---@field bill_icon_url? string Icon of the notification: 72 x 72 px recommended, less than 100 KB; URL
---@field bill_month_time? string Month of the bill; yyyy-MM
---@field bill_name? string Name of the bill
---@field order_url? string Where a tap on the card leads; URL
---@field [string] any

---@class alipayhk.contract_card.FINANCE_ORDER_DEFAULT.syncDataInfo
---@field languageBusinessInfo? table<"zh_HK"|"en_US", alipayhk.contract_card.FINANCE_ORDER_DEFAULT.syncDataInfo.languageBusinessInfo|string> Texts by locale
---@field amount? number Total of the order; cents
---@field [string] any

---@class (exact) alipayhk.contract_card.FINANCE_ORDER_DEFAULT
---@field requestId? string Another one for each call: a uuid with its hyphens, as in AlipayHK's sample
---@field bizDate? number Time of the event; milliseconds
---@field command "SEND"|"UPDATE" SEND makes a notification where there is none or it is no longer valid
---@field merchantBizNo string The merchant's order id
---@field orderStatus "WAIT_REPAY"|"OVERDUED"|"CLOSED" One of the template's
---@field productTemplateCode "FINANCE_ORDER_DEFAULT" The scenario
---@field syncDataInfo alipayhk.contract_card.FINANCE_ORDER_DEFAULT.syncDataInfo
---@field endDate? number When the notification expires; milliseconds
---@field openId? string The user's authorization id for this merchant
---@field userId? string AlipayHK user id

---@class alipayhk.contract_card.MOVIE_TICKET_DEFAULT.syncDataInfo.languageBusinessInfo
---@field action_url? string Where the button leads; URL
---@field cinema_house? string The house of the cinema that shows the film
---@field cinema_name? string Name of the cinema
---@field merchant_icon_url? string Icon of the merchant: 72 x 72 px recommended, less than 100 KB; URL
---@field merchant_name? string The merchant's name on the notification
---@field movie_start_date? string How the weekday is written is not told; yyyy/MM/dd (Weekday)
---@field movie_start_time? string When the film starts; mm:ss
---@field movie_image? string The poster: 90 x 135 px recommended; URL
---@field movie_name? string Name of the film
---@field order_url? string Where a tap on the card leads; URL
---@field seat_num? string[] The seats
---@field [string] any

---@class alipayhk.contract_card.MOVIE_TICKET_DEFAULT.syncDataInfo
---@field languageBusinessInfo? table<"zh_HK"|"en_US", alipayhk.contract_card.MOVIE_TICKET_DEFAULT.syncDataInfo.languageBusinessInfo|string> Texts by locale
---@field amount? number Total of the order; cents
---@field [string] any

---@class (exact) alipayhk.contract_card.MOVIE_TICKET_DEFAULT
---@field requestId? string Another one for each call: a uuid with its hyphens, as in AlipayHK's sample
---@field bizDate? number Time of the event; milliseconds
---@field command "SEND"|"UPDATE" SEND makes a notification where there is none or it is no longer valid
---@field merchantBizNo string The merchant's order id
---@field orderStatus "AWAIT_SCREENING"|"CLOSED" One of the template's
---@field productTemplateCode "MOVIE_TICKET_DEFAULT" The scenario
---@field syncDataInfo alipayhk.contract_card.MOVIE_TICKET_DEFAULT.syncDataInfo
---@field endDate? number When the notification expires; milliseconds
---@field openId? string The user's authorization id for this merchant
---@field userId? string AlipayHK user id

---@class alipayhk.contract_card.PAYMENT_ORDER_DEFAULT.syncDataInfo.languageBusinessInfo
---@field action_url? string Where the button leads; URL
---@field bill_amount? string A string, unlike `syncDataInfo; cents
---@field bill_amount_currency? "HKD"|"CNY"
---@field bill_desc? string What the bill is for
---@field bill_due_time? string A date, though it is called a time; yyyy-MM-dd
---@field bill_icon_url? string Icon of the notification: 72 x 72 px recommended, less than 100 KB (the newer page); URL
---@field bill_name? string Name of the bill
---@field order_url? string Where a tap on the card leads; URL
---@field [string] any

---@class alipayhk.contract_card.PAYMENT_ORDER_DEFAULT.syncDataInfo
---@field languageBusinessInfo? table<"zh_HK"|"en_US", alipayhk.contract_card.PAYMENT_ORDER_DEFAULT.syncDataInfo.languageBusinessInfo|string> Texts by locale
---@field amount? number Total of the order; cents
---@field [string] any

---@class (exact) alipayhk.contract_card.PAYMENT_ORDER_DEFAULT
---@field requestId? string Another one for each call: a uuid with its hyphens, as in AlipayHK's sample
---@field bizDate? number Time of the event; milliseconds
---@field command "SEND"|"UPDATE" SEND makes a notification where there is none or it is no longer valid
---@field merchantBizNo string The merchant's order id
---@field orderStatus "WAIT_PAY"|"PAY_FAILED"|"OVERDUED"|"CLOSED" One of the template's
---@field productTemplateCode "PAYMENT_ORDER_DEFAULT" The scenario
---@field syncDataInfo alipayhk.contract_card.PAYMENT_ORDER_DEFAULT.syncDataInfo
---@field endDate? number When the notification expires; milliseconds
---@field openId? string The user's authorization id for this merchant
---@field userId? string AlipayHK user id

---@class alipayhk.contract_card.RIDE_HAILING_DEFAULT.syncDataInfo.languageBusinessInfo
---@field action_url? string[] Where the button leads
---@field auto_color? string Colour of the vehicle
---@field auto_model? string Model of the vehicle
---@field driver_board_duration? string How long the driver will probably take to where the ride begins; minutes
---@field estimated_cost? string[] What the ride will probably cost
---@field ride_price? any
---@field service_start_time? any milliseconds
---@field ride_dest_duration? any minutes
---@field [string] any

---@class alipayhk.contract_card.RIDE_HAILING_DEFAULT.syncDataInfo
---@field languageBusinessInfo? table<"zh_HK"|"en_US", alipayhk.contract_card.RIDE_HAILING_DEFAULT.syncDataInfo.languageBusinessInfo|string> Texts by locale
---@field amount? number Total of the order; cents
---@field [string] any

---@class (exact) alipayhk.contract_card.RIDE_HAILING_DEFAULT
---@field requestId? string Another one for each call: a uuid with its hyphens, as in AlipayHK's sample
---@field bizDate? number Time of the event; milliseconds
---@field command "SEND"|"UPDATE" SEND makes a notification where there is none or it is no longer valid
---@field merchantBizNo string The merchant's order id
---@field orderStatus "PENDING"|"BOOKED"|"ORDER_TAKEN"|"TO_BOARD"|"SERVING"|"WAIT_PAY"|"FINISHED"|"TO_SEND"|"CLOSED"|"CANCEL_WAIT_PAY" One of the template's
---@field productTemplateCode "RIDE_HAILING_DEFAULT" The scenario
---@field syncDataInfo alipayhk.contract_card.RIDE_HAILING_DEFAULT.syncDataInfo
---@field endDate? number When the notification expires; milliseconds
---@field openId? string The user's authorization id for this merchant
---@field userId? string AlipayHK user id

---@class alipayhk.contract_card.TRAIN_TICKET_DEFAULT.syncDataInfo.languageBusinessInfo
---@field check_point? string[] The gates for check-in
---@field end_time? string When the train arrives; yyyy-MM-dd HH:mm:ss
---@field from? string Name of the station of departure
---@field order_url? string Where a tap on the card leads; URL
---@field refund_or_change_url? string The page for refunds and changes; URL
---@field seat_num? string[] The seats
---@field shift_number? string Number of the train
---@field start_time? string When the train leaves; yyyy-MM-dd HH:mm:ss
---@field to? string Name of the station of arrival
---@field [string] any

---@class alipayhk.contract_card.TRAIN_TICKET_DEFAULT.syncDataInfo
---@field languageBusinessInfo? table<"zh_HK"|"en_US", alipayhk.contract_card.TRAIN_TICKET_DEFAULT.syncDataInfo.languageBusinessInfo|string> Texts by locale
---@field amount? number Total of the order; cents
---@field [string] any

---@class (exact) alipayhk.contract_card.TRAIN_TICKET_DEFAULT
---@field requestId? string Another one for each call: a uuid with its hyphens, as in AlipayHK's sample
---@field bizDate? number Time of the event; milliseconds
---@field command "SEND"|"UPDATE" SEND makes a notification where there is none or it is no longer valid
---@field merchantBizNo string The merchant's order id
---@field orderStatus "AWAIT_SCREENING"|"CLOSED" One of the template's
---@field productTemplateCode "TRAIN_TICKET_DEFAULT" The scenario
---@field syncDataInfo alipayhk.contract_card.TRAIN_TICKET_DEFAULT.syncDataInfo
---@field endDate? number When the notification expires; milliseconds
---@field openId? string The user's authorization id for this merchant
---@field userId? string AlipayHK user id

---@alias alipayhk.ContractCard
---| alipayhk.contract_card.AIR_TICKET_DEFAULT
---| alipayhk.contract_card.FINANCE_ORDER_DEFAULT
---| alipayhk.contract_card.MOVIE_TICKET_DEFAULT
---| alipayhk.contract_card.PAYMENT_ORDER_DEFAULT
---| alipayhk.contract_card.RIDE_HAILING_DEFAULT
---| alipayhk.contract_card.TRAIN_TICKET_DEFAULT
