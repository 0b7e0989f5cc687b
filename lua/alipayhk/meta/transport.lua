---@meta _
-- How a request travels: what a transport of the user's own is given, and what it has to return.

---Sends a request once. It may yield; what it throws is thrown on to the caller.
---@alias alipayhk.Transport fun(request: alipayhk.TransportRequest): alipayhk.RawResponse?, alipayhk.TransportFailure?

---@class alipayhk.TransportRequest
---@field method string
---@field url string
---@field headers table<string, string> a table of its own: it may be changed
---@field body string
---@field connect_timeout_ms integer
---@field timeout_ms integer of the whole attempt
---@field max_response_bytes integer
---@field tls alipayhk.Tls
---@field proxy? string
---@field once? true nothing may be sent twice, on another connection neither

---@class alipayhk.RawResponse
---@field status integer
---@field headers table<string, string> names in lower case; of one that comes twice the values are joined by a comma
---@field body string the very bytes
---@field timing? alipayhk.Timing
---@field resent? true the request went out before, and got no answer

---@class alipayhk.TransportFailure
---@field code alipayhk.TransportCode
---@field message string
---@field timing? alipayhk.Timing
---@field http_status? integer of a proxy that refused

---@alias alipayhk.TransportCode
---| "dns" # its name was not found; nothing was sent; tried again
---| "connect" # no connection; in nginx also a TLS handshake that ended early; nothing was sent; tried again
---| "proxy" # the proxy refused; nothing was sent; tried again after its 502, 503 and 504
---| "tls" # the server's certificate is not accepted; nothing was sent
---| "timeout" # `timeout_ms` or `connect_timeout_ms` passed; tried again
---| "reset" # the connection broke; tried again
---| "too_large" # the answer is larger than `max_response_bytes`
---| "protocol" # the answer is no HTTP/1.1, or a transport returned what is none
---| "phase" # nginx has no cosockets in this phase; nothing was sent

---Milliseconds from the start of the attempt; 0 for what did not happen, such as a handshake on a kept connection. Of a
---transport of your own: what it returned.
---@class alipayhk.Timing
---@field dns_ms? number
---@field connect_ms? number
---@field tls_ms? number
---@field first_byte_ms? number
---@field total_ms? number
