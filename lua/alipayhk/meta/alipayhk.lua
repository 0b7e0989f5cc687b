---@meta alipayhk
-- What `require "alipayhk"` gives. These files are read by lua-language-server and by `make docs`, and never loaded.

---AlipayHK's order service and performance notifications.
---
---What fails at run time returns `nil` and an `alipayhk.Error`. An argument of the wrong type throws, at
---the line of the caller.
---@class alipayhk
---@field _VERSION string the version of this library, such as `"0.1.0"`
---@field empty_array any an empty list, for a place that no rule describes: there `{}` is an empty object
local alipayhk = {}

---Makes a client. It reads the key files that the config names, and does no other I/O.
---@param config alipayhk.Config
---@return alipayhk.Client? client
---@return alipayhk.Error? err kind `config`; its `code` is the key of the config that is wrong
function alipayhk.new(config) end

---Opens an outbox, which keeps orders and notifications until AlipayHK has taken them.
---@param config alipayhk.OutboxConfig
---@return alipayhk.Outbox? outbox
---@return alipayhk.Error? err kind `config` or `store`
function alipayhk.outbox(config) end

---Checks a payload, without keys and without sending it. What a client fills in may be absent.
---@param api alipayhk.Api
---@param payload alipayhk.Payload
---@param opts? alipayhk.CheckOptions
---@return true? ok
---@return alipayhk.Error|alipayhk.Fault[]|nil found beside `true` the warnings, where there are any; beside `nil` an error of kind `invalid` with every fault in its `fields`, or of kind `config` for a mistake in `opts.scenarios`
function alipayhk.check(api, payload, opts) end

---@class alipayhk.CheckOptions
---@field previous_status? string the status before this one: a step that the rules forbid is a fault
---@field validate? true|"strict" `"strict"` makes what would be a warning a fault
---@field scenarios? alipayhk.Scenarios a partner's own rules, read anew at each call

return alipayhk
