---@meta _
-- The outbox: what it can be asked, and what it gives.

---Keeps events until AlipayHK has taken them, whoever dies meanwhile. Methods are called with a colon. What a store
---fails at gives `nil` and an error of kind `store`.
---@class alipayhk.Outbox
local outbox = {}

---Checks an order or a notification, fills in what is absent, and stores it: it is on the disk when this returns. It
---needs no keys.
---
---An absent `orderModifyTime` or `bizDate` becomes the time of now, or one later than that of the order's newest event.
---One that is given and older than that is refused: kind `invalid`, code `stale`. Where the status may not follow the
---one that was put before, there is a warning.
---@param payload alipayhk.Payload
---@param opts? alipayhk.PutOptions
---@return string? id
---@return "exists"|alipayhk.Error|nil exists beside an id: the key is known, and this is the id of its first event; beside `nil` an error of kind `invalid`, nothing was stored, or `store`
---@return alipayhk.Fault[]? warnings
function outbox:put(payload, opts) end

---Sends what waits, until it is told to stop. It throws what your functions throw, once the requests under way have
---ended and have been recorded.
---@param opts? alipayhk.DeliverOptions
---@return alipayhk.DeliverTotals? totals
---@return alipayhk.Error? err kind `store`
function outbox:deliver(opts) end

---How many events there are of each state. Cheap: for every scrape of a monitor.
---@return alipayhk.OutboxStats? stats
---@return alipayhk.Error? err kind `store`
function outbox:stats() end

---Events, oldest first.
---@param opts? alipayhk.ListOptions
---@return alipayhk.OutboxEvent[]? events
---@return alipayhk.Error? err kind `store`
function outbox:list(opts) end

---The body of an event that has not ended, as it was put: it has personal data in it.
---@param id string
---@return string|false|nil body JSON; false where there is no such event, or it was accepted, superseded or dropped
---@return alipayhk.Error? err kind `store`
function outbox:body(id) end

---Lets a parked event wait again. Refused where a later event of its order is under way or was accepted: kind
---`invalid`, code `stale`.
---@param id string
---@return boolean? done false where no such event is parked
---@return alipayhk.Error? err kind `invalid` or `store`
function outbox:retry(id) end

---Drops a parked event: it will not be sent.
---@param id string
---@return boolean? done false where no such event is parked
---@return alipayhk.Error? err kind `store`
function outbox:drop(id) end

---Forgets events that have been accepted, superseded or dropped for so long, and their keys.
---@param opts alipayhk.PurgeOptions
---@return integer? purged how many
---@return alipayhk.Error? err kind `store`
function outbox:purge(opts) end

---Gives back what it holds open; so does collection, and `<close>` in Lua 5.4. The client stays open.
function outbox:close() end

---@class alipayhk.OutboxConfig
---@field store string `"sqlite:PATH"`; `"redis://[user:password@]host[:port][/database]"`, or `"rediss://"` for TLS
---@field client? alipayhk.Client that delivers; without it there is only `put` and looking after events
---@field client_id? string where there is no `client`
---@field validate? boolean|"strict" `true` where it is absent: as in `alipayhk.Config`, for `put` without a client
---@field scenarios? alipayhk.Scenarios as in `alipayhk.Config`, for `put` without a client
---@field max_age_ms? number an event that could not be delivered for so long is parked; 86400000, a day, where it is absent
---@field lease_ms? integer Redis: how long a worker may hold an event before another takes it; 60000 where it is absent. At least the client's `timeout_ms` and 5000
---@field coalesce? "same_status" of events of one order that wait next to each other, with the same status (and `command`), and were never sent, only the newest is sent
---@field on_event? fun(event: alipayhk.Event) called for each change of an event; the client's where it is absent. What it throws is dropped; nginx's log has it

---@class alipayhk.PutOptions
---@field key? string 1 to 128 bytes: the same one again, for the same order, stores nothing, and gives the first one's id and `"exists"`
---@field previous_status? string the status before this one: a step that the rules forbid is a fault
---@field replicas? integer Redis: waits until so many replicas have it; where they do not, an error of kind `store`, code `replicas`, has the event's `id`

---@class alipayhk.DeliverOptions
---@field until_empty? boolean ends when nothing waits or is under way, here or elsewhere; or when for longer than the client's `retry.budget_ms` AlipayHK or the store cannot be reached, or AlipayHK answers and nothing is accepted or parked: it refuses our signature, say. What waits then is sent by the next run
---@field stop? fun(): boolean? asked several times a second: `true` ends it, once what is under way has ended
---@field concurrency? integer requests under way at once, 32 when absent, at most 1024
---@field signers? integer threads that sign and verify, in plain Lua; as many as there are processors when absent, 0 for none. Refused in nginx
---@field rate? number at most so many requests a second
---@field on_result? fun(result: alipayhk.DeliverResult): boolean? called for each event that was accepted or parked, after that was recorded; `false` ends it
---@field on_progress? fun(progress: alipayhk.Progress): boolean? called at most five times a second, and at the end; `false` ends it, too

---What became of an event: `response`, or `err` where it was parked.
---@class alipayhk.DeliverResult
---@field id string
---@field api alipayhk.Api
---@field merchant_biz_no string
---@field attempts integer
---@field response? alipayhk.Response
---@field err? alipayhk.Error

---@class alipayhk.DeliverTotals
---@field taken integer attempts that were begun
---@field accepted integer events, by AlipayHK
---@field refused integer events, by our check or by AlipayHK's authenticated F; they are parked
---@field failed integer events that became too old; they are parked
---@field parked integer events, `refused` and `failed` together
---@field seconds number
---@field stopped? string why it ended while events waited

---@class alipayhk.OutboxStats
---@field waiting integer
---@field sending integer
---@field parked integer
---@field accepted integer
---@field superseded integer
---@field dropped integer
---@field oldest_ms? number the age of the oldest event that waits or is under way

---@alias alipayhk.OutboxState
---| "waiting" # for its turn, or for another attempt
---| "sending" # under way
---| "accepted" # by AlipayHK: never sent again
---| "parked" # refused for good, or too old: `retry` or `drop` it
---| "superseded" # a later one with the same status made it needless
---| "dropped" # by `drop`

---@class alipayhk.ListOptions
---@field state? alipayhk.OutboxState
---@field merchant_biz_no? string
---@field limit? integer 100 where it is absent, at most 10000
---@field after? string an id: those after it

---@class alipayhk.OutboxEvent
---@field id string
---@field api alipayhk.Api
---@field merchant_biz_no string
---@field state alipayhk.OutboxState
---@field attempts integer
---@field put_ms number milliseconds since the epoch
---@field due_ms? number where it waits: when it may go
---@field code? string of its last failure: a `resultCode`, or the code or kind of an error
---@field message? string of its last failure
---@field held_status? string another status, which AlipayHK held when it accepted this event

---@class alipayhk.PurgeOptions
---@field older_than_ms number
