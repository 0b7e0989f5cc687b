---@meta _
-- Made from lua/alipayhk/api by `make docs`: what is named after the APIs. Never loaded.

---The name of an API.
---@alias alipayhk.Api
---| "order" # Order service
---| "contract_card" # Performance notifications

---What an API is sent, in AlipayHK's own names.
---@alias alipayhk.Payload alipayhk.Order|alipayhk.ContractCard

---@class alipayhk.Scenarios
---@field order? table<string, alipayhk.ScenarioRules> by `merchantBizType`
---@field contract_card? table<string, alipayhk.ScenarioRules> by `productTemplateCode`

---@class alipayhk.Client
local client = {}

---Sends an order: `POST /api/open/alipay/v1/merchant/order/sync` (SEEN on [order_service/api-base](https://docs.alipay.hk/alipayhkdocs/hk/order_service/api-base)).
---`requestId` is filled in where it is absent: at random.
---`orderModifyTime` is filled in where it is absent: now.
---@param order alipayhk.Order
---@param opts? alipayhk.SyncOptions
---@return alipayhk.Response? response
---@return alipayhk.Error? err
function client:sync_order(order, opts) end

---Sends a notification: `POST /api/open/alipay/intl/promotion/order/contractCardSync` (SEEN on [performance_notification/api_doc-base](https://docs.alipay.hk/alipayhkdocs/hk/performance_notification/api_doc-base), [performance_notification/api-base](https://docs.alipay.hk/alipayhkdocs/hk/performance_notification/api-base)).
---`requestId` is filled in where it is absent: at random.
---`bizDate` is filled in where it is absent: now.
---`syncDataInfo.languageBusinessInfo.{locale}` may be a table: on the wire it is a string of JSON.
---@param notification alipayhk.ContractCard
---@param opts? alipayhk.SyncOptions
---@return alipayhk.Response? response
---@return alipayhk.Error? err
function client:sync_contract_card(notification, opts) end
