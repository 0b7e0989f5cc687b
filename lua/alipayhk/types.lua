---@meta _
-- For editors with the Lua language server: the shapes of what goes in and comes out. Never loaded.

---@alias alipayhk.KeySource string | { file: string, passphrase?: string } | { data: string, passphrase?: string } | alipayhk.Key

---@class alipayhk.Config
---@field client_id string the id that AlipayHK gave you
---@field environment? "production"|"testing" this or `base_url`
---@field base_url? string https://host[:port][/prefix]; the prefix is signed
---@field private_key alipayhk.KeySource
---@field algorithm? "RSA256"|"ECC224" by key type when absent
---@field ecc224? { digest?: "sha224"|"sha256", encoding?: "der"|"p1363" }
---@field key_version? string|integer|false default 1; false leaves it out
---@field alipay_public_key? alipayhk.KeySource|table<string|integer, alipayhk.KeySource> required unless verify_response is false
---@field verify_response? boolean default true
---@field encrypt? boolean RSA_AES for every request; default false
---@field encryption? { key_padding?: "pkcs1"|"oaep", key_bits?: 128|192|256, content_type?: string }
---@field agent_token? string
---@field connect_timeout_ms? integer default 5000
---@field timeout_ms? integer one attempt from start to end; default 15000
---@field retry? alipayhk.Retry|false
---@field transport? "auto"|"curl"|"cosocket"|alipayhk.Transport
---@field tls? { ca_file?: string, client_cert?: string, client_key?: string, pinned_public_key?: string, min_version?: "1.2"|"1.3" }
---@field proxy? string a URL, or "environment"
---@field max_response_bytes? integer default 1048576
---@field max_response_age_ms? integer an answer whose Response-Time is further from our clock is refused; not checked when absent
---@field validate? boolean|"strict" default true; "strict": what would be a warning is a fault
---@field scenarios? alipayhk.Scenarios
---@field on_event? fun(event: alipayhk.Event)
---@field now? fun(): number seconds since the epoch, with fraction
---@field request_id? fun(api: string): string
---@field sleep? fun(ms: number) waits between two attempts; may yield

---@class alipayhk.Retry
---@field max_attempts? integer default 3
---@field base_delay_ms? integer default 200
---@field max_delay_ms? integer default 5000
---@field budget_ms? integer bounds a call with all its attempts; default 60000
---@field codes? table<string, boolean> by resultCode, over the documented rule

---@class alipayhk.Options over the client's own
---@field timeout_ms? integer
---@field retry? alipayhk.Retry|false
---@field encrypt? boolean

---@class alipayhk.SyncOptions: alipayhk.Options
---@field previous_status? string what the order's status was: a step that is forbidden is refused

---@class alipayhk.CheckOptions
---@field previous_status? string
---@field validate? true|"strict"
---@field scenarios? alipayhk.Scenarios

---A partner's own rules, over AlipayHK's
---@class alipayhk.Scenarios
---@field order? table<string, { fields: alipayhk.Field[] }> by merchantBizType
---@field contract_card? table<string, { fields: alipayhk.Field[] }> by productTemplateCode

---@class alipayhk.Field
---@field path string such as "extInfo.seats[]"
---@field type? "string"|"number"|"object"|"array"|"json_object"|"any" may be left out where AlipayHK's rules have the field
---@field required? boolean
---@field required_when? string[] statuses
---@field expected? boolean as required, with a warning
---@field expected_when? string[] statuses
---@field max_length? integer characters
---@field unit? string "ms" and "cents" are checked
---@field format? "URL"|"ISO 4217"|"yyyy-MM-dd"|"yyyy-MM"|"yyyy-MM-dd HH:mm:ss"|"yyyy/MM/dd (Weekday)"|"mm:ss"
---@field enum? string[]
---@field keys? string[] of an object
---@field may_be_empty? boolean
---@field personal? boolean its value never appears in a message
---@field id? boolean an id: stray blanks and numbers' leftovers are warned of, control characters refused
---@field tense? "past"|"future" of a time in ms
---@field not_before? string the field beside it that this time does not precede
---@field local_times? boolean
---@field money? boolean
---@field except_when? string[] statuses in which it need not be there
---@field confidence? "SEEN"|"INFERRED"
---@field note? string

---@alias alipayhk.Transport fun(request: alipayhk.TransportRequest): alipayhk.RawResponse?, alipayhk.TransportFailure?

---@class alipayhk.TransportFailure
---@field code "dns"|"connect"|"proxy"|"tls"|"timeout"|"reset"|"too_large"|"protocol"|"phase"
---@field message string
---@field timing? alipayhk.Timing
---@field http_status? integer of a proxy that refused

---@class alipayhk.TransportRequest
---@field method string
---@field url string
---@field headers table<string, string>
---@field body string
---@field connect_timeout_ms integer
---@field timeout_ms integer
---@field max_response_bytes integer
---@field tls table
---@field proxy? string
---@field once? boolean nothing may be sent twice

---@class alipayhk.RawResponse
---@field status integer
---@field headers table<string, string> names in lower case
---@field body string
---@field timing? alipayhk.Timing

---@class alipayhk.Timing milliseconds from the start; 0 for what did not happen
---@field dns_ms number
---@field connect_ms number
---@field tls_ms number
---@field first_byte_ms number
---@field total_ms number

---@class alipayhk.Request
---@field method string
---@field url string
---@field path string with prefix and query string, as signed
---@field headers table<string, string>
---@field body string
---@field request_id? string
---@field warnings alipayhk.Fault[]

---@class alipayhk.Response
---@field result alipayhk.Result
---@field body table the decoded JSON
---@field request_id? string
---@field tracer_id? string for AlipayHK's support
---@field response_time? string
---@field http_status integer
---@field attempts integer
---@field authenticated boolean whether the signature was verified
---@field timing alipayhk.Timing
---@field warnings alipayhk.Fault[] what goes against rules that are only INFERRED, slips, and at orderStatus that AlipayHK holds a later event
---@field clock_skew_ms? number Response-Time (else HTTP's Date) minus our clock

---@class alipayhk.Fault prints as "path: message"
---@field path string such as "extInfo.amount.value"
---@field code "missing"|"type"|"too_long"|"enum"|"format"|"unknown"|"transition"|"older"
---@field message string
---@field ours? true a check of this library's own, no rule of AlipayHK's; always a warning

---@class alipayhk.Error
---@field kind "config"|"invalid"|"crypto"|"transport"|"http"|"signature"|"decrypt"|"protocol"|"result"
---@field code? string
---@field message string
---@field retryable boolean
---@field attempts? integer
---@field request_id? string
---@field tracer_id? string
---@field http_status? integer
---@field response? alipayhk.Response
---@field fields? alipayhk.Fault[]
---@field warnings? alipayhk.Fault[] beside `fields`
---@field timing? alipayhk.Timing
---@field clock_skew_ms? number where there was an answer

---@class alipayhk.Event
---@field name "attempt"|"retry"|"response"|"error"
---@field api? string
---@field request_id? string
---@field merchant_biz_no? string
---@field attempt? integer
---@field delay_ms? integer
---@field http_status? integer
---@field result_code? string
---@field tracer_id? string
---@field timing? alipayhk.Timing
---@field kind? string of the error
---@field code? string of the error

---@class alipayhk.Client
---@field sync_order fun(self: alipayhk.Client, order: alipayhk.Order, opts?: alipayhk.SyncOptions): alipayhk.Response?, alipayhk.Error?
---@field sync_contract_card fun(self: alipayhk.Client, card: alipayhk.ContractCard, opts?: alipayhk.SyncOptions): alipayhk.Response?, alipayhk.Error?
---@field call fun(self: alipayhk.Client, path: string, payload: table, opts?: alipayhk.Options): alipayhk.Response?, alipayhk.Error?
---@field prepare fun(self: alipayhk.Client, api_or_path: string, payload: table, opts?: alipayhk.SyncOptions): alipayhk.Request?, alipayhk.Error?
---@field send fun(self: alipayhk.Client, request: alipayhk.Request, opts?: alipayhk.Options): alipayhk.Response?, alipayhk.Error?
---@field receive fun(self: alipayhk.Client, request: alipayhk.Call, opts?: { max_age_ms?: number }): table?, alipayhk.Error?
---@field reply fun(self: alipayhk.Client, request: alipayhk.Call, result?: alipayhk.Result): alipayhk.Reply?, alipayhk.Error?
---@field close fun(self: alipayhk.Client)

---@class alipayhk.Result
---@field resultCode string
---@field resultStatus "S"|"F"|"U"
---@field resultMessage? string

---A call from AlipayHK, as the server saw it
---@class alipayhk.Call
---@field method string
---@field path string with its query string, as AlipayHK called it
---@field headers table<string, string> names in any case
---@field body string the very bytes
---@field plaintext? string for an endpoint's handler: what the payload was decoded from

---@class alipayhk.Reply
---@field status integer
---@field headers table<string, string>
---@field body string

---@class alipayhk.EndpointOptions
---@field path? string|fun(): string as AlipayHK called it, where a proxy rewrites it
---@field max_age_ms? number how far Request-Time may be from our clock
---@field deliveries? string name of a lua_shared_dict: a call that is sent again is not handled again

---@class alipayhk.nginx
---@field endpoint fun(client: alipayhk.Client, handler: (fun(payload: table, request: alipayhk.Call): any, string?), opts?: alipayhk.EndpointOptions): fun()

---@class alipayhk.Key
---@field sign fun(self: alipayhk.Key, message: string, opts?: { digest?: "sha256"|"sha224", encoding?: "der"|"p1363" }): string?, string?
---@field verify fun(self: alipayhk.Key, message: string, signature: string, opts?: table): boolean?, string?
---@field type fun(self: alipayhk.Key): "RSA"|"EC"
---@field bits fun(self: alipayhk.Key): integer
---@field fingerprint fun(self: alipayhk.Key): string
---@field close fun(self: alipayhk.Key)
