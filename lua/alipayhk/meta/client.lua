---@meta _
-- A client: what it can be asked, and what it gives. Its methods for each API are in apis.lua, made from the data.

---A client. Make it once and keep it: it keeps its connections. `tostring` shows where it sends to. Methods are called
---with a colon.
---
---Every call that sends returns a response, or `nil` and an error: its `kind` is an `alipayhk.ErrorKind`. A mistake in
---`opts.retry` is one of kind `config`.
---@class alipayhk.Client
local client = {}

---Sends many payloads, several at once, and says what became of each. Orders and notifications may be mixed; events of
---one order (API and `merchantBizNo`) go one after the other, in the source's order, retries included. Memory does not
---grow with the source. What the source or `on_result` throws is thrown on once the requests under way have ended.
---
---In plain Lua all of them share one libcurl handle, and threads of C sign and verify; in nginx they are light threads.
---With a `transport` or `sleep` of your own one request goes after the other.
---@param source alipayhk.Payload[]|fun(): alipayhk.Payload? a list, or a function that gives the next payload and nil at the end
---@param opts? alipayhk.ManyOptions
---@return alipayhk.Totals? totals
---@return alipayhk.Error? err kind `config`, for a mistake in `opts.retry`
function client:sync_many(source, opts) end

---Calls any other API of the platform: signed, sent and verified the same way. Nothing is filled in, and no fields are
---checked.
---@param path string with its query string, where there is one
---@param payload table
---@param opts? alipayhk.Options
---@return alipayhk.Response? response
---@return alipayhk.Error? err
function client:call(path, payload, opts) end

---Checks and signs a request without sending it.
---@param api_or_path alipayhk.Api|string
---@param payload alipayhk.Payload|table
---@param opts? alipayhk.SyncOptions
---@return alipayhk.Request? request
---@return alipayhk.Error? err kind `invalid` or `crypto`
function client:prepare(api_or_path, payload, opts) end

---Sends what `prepare` gave, signed anew for each attempt.
---@param request alipayhk.Request of this client
---@param opts? alipayhk.SendOptions
---@return alipayhk.Response? response
---@return alipayhk.Error? err
function client:send(request, opts) end

---The payload of a call from AlipayHK, verified and decrypted. The same call may come twice.
---@param request alipayhk.Call
---@param opts? alipayhk.ReceiveOptions
---@return table? payload
---@return alipayhk.Error? err kind `signature`, `decrypt` or `protocol`
function client:receive(request, opts) end

---The reply to a call from AlipayHK: signed, and encrypted where the call was. Only for a call that `receive` knew to be
---AlipayHK's: nobody else should get a signature of yours.
---@param request alipayhk.Call as `receive` got it
---@param result? alipayhk.Result success where it is absent; status `U` with `UNKNOWN_EXCEPTION` to be called again
---@return alipayhk.Reply? reply
---@return alipayhk.Error? err kind `crypto`
function client:reply(request, result) end

---Gives back the connections; so does collection, and `<close>` in Lua 5.4. The client cannot be used after that.
function client:close() end

---@class alipayhk.ManyOptions: alipayhk.Options
---@field concurrency? integer requests under way at once, 32 when absent, at most 1024
---@field signers? integer threads that sign and verify, in plain Lua; as many as there are processors when absent, 0 for none. Refused in nginx
---@field rate? number at most so many requests a second, retries included
---@field on_result? fun(result: alipayhk.ManyResult): boolean? called once for each payload, as they end; `false` stops the batch: what has not begun is `failed`, not sent
---@field on_progress? fun(progress: alipayhk.Progress): boolean? called at most five times a second, and at the end; `false` stops the batch, too

---What became of one payload of many: `response`, or `err`.
---@class alipayhk.ManyResult
---@field index integer its place in the source, from 1 on
---@field payload alipayhk.Payload as it was given
---@field response? alipayhk.Response
---@field err? alipayhk.Error

---@class alipayhk.Totals
---@field taken integer from the source
---@field accepted integer by AlipayHK
---@field refused integer by our check, or by AlipayHK's authenticated F
---@field failed integer anything else: the outcome is unknown, or nothing was sent
---@field seconds number
---@field stopped? string why the batch ended before its source did

---@class alipayhk.Progress
---@field taken integer
---@field accepted integer
---@field refused integer
---@field failed integer
---@field in_flight integer requests under way
---@field waiting integer payloads taken before their turn, and those that are to be sent again
---@field seconds number since the start
---@field per_second number payloads that have ended, a second
---@field window number how many requests may be under way, as far as AlipayHK allows: it shrinks where it refuses traffic. Below 1 it is a pause between two
---@field unreachable_seconds? number for how long AlipayHK has not been reached: only a probe is sent now and then, another event each time

---What a call that sends may say otherwise than the client's config.
---@class alipayhk.SendOptions
---@field timeout_ms? integer milliseconds of one attempt, from start to end
---@field retry? alipayhk.Retry|false what it leaves out is the client's

---@class alipayhk.Options: alipayhk.SendOptions
---@field encrypt? boolean

---@class alipayhk.SyncOptions: alipayhk.Options
---@field previous_status? string the status before this one: a step that the rules forbid is refused. Only where there are statuses: not for a path

---@class alipayhk.ReceiveOptions
---@field max_age_ms? number milliseconds that Request-Time may be from our clock; not checked where it is absent

---A request as `prepare` gives it. Other fields in it are the library's own.
---@class alipayhk.Request
---@field method string
---@field url string
---@field path string with the prefix of `base_url` and the query string, as it is signed
---@field headers table<string, string>
---@field body string
---@field request_id? string the payload's `requestId`
---@field warnings alipayhk.Fault[]

---What AlipayHK answered: with status S as the result of a call, with F or U as `response` of an error.
---@class alipayhk.Response
---@field result alipayhk.Result
---@field body table all that was answered, decoded. An integer that this Lua's numbers cannot hold comes as its digits, a string
---@field request_id? string the payload's `requestId`
---@field tracer_id? string for AlipayHK's support
---@field response_time? string the Response-Time header, as it came
---@field http_status integer
---@field attempts integer how many there were
---@field authenticated boolean whether its signature was verified. AlipayHK leaves an answer unsigned that rejects the request's own signature: then anybody may have written it
---@field timing alipayhk.Timing of the last attempt
---@field warnings alipayhk.Fault[] what goes against rules that are only INFERRED, slips, and (code `older`) that AlipayHK holds a later event than this one
---@field clock_skew_ms? integer milliseconds: Response-Time (else HTTP's Date) minus our clock

---A result of AlipayHK's, or yours in a reply (SEEN on
---[l6zurymv](https://docs.alipay.hk/alipayhkdocs/hk/Gift_Card/l6zurymv)).
---@class alipayhk.Result
---@field resultCode string such as `"SUCCESS"`, `"PARAM_ILLEGAL"`
---@field resultStatus "S"|"F"|"U" success, failure, unknown
---@field resultMessage? string INFERRED

---A call from AlipayHK, as your server got it.
---@class alipayhk.Call
---@field method string
---@field path string with its query string, as AlipayHK called it: behind a proxy that rewrites it, the outer one
---@field headers table<string, string|string[]> names in any case
---@field body string the very bytes
---@field plaintext? string given to the handler of an endpoint: the bytes that the payload was decoded from

---What to answer AlipayHK's call with.
---@class alipayhk.Reply
---@field status integer
---@field headers table<string, string>
---@field body string
