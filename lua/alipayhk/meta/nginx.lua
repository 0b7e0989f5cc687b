---@meta alipayhk.nginx
-- What `require "alipayhk.nginx"` gives.

---An endpoint for AlipayHK's calls, as an nginx content handler.
---@class alipayhk.nginx
local nginx = {}

---Makes a content handler that verifies AlipayHK's calls, hands each payload to a function, and answers signed. What does
---not verify gets an unsigned `INVALID_SIGNATURE`, and nginx's log the reason. AlipayHK calls again until it gets a
---success, after 2, 10 and 10 minutes, 1, 2, 6 and 15 hours (SEEN).
---@param client alipayhk.Client
---@param handler alipayhk.Handler
---@param opts? alipayhk.EndpointOptions
---@return fun() content for `content_by_lua_block`
function nginx.endpoint(client, handler, opts) end

---What is made of a payload. It returns `true` or nothing for success, or a result; `nil` and a message, or an exception,
---mean that AlipayHK is to call again. The request has its `plaintext`.
---@alias alipayhk.Handler fun(payload: table, request: alipayhk.Call): (true|alipayhk.Result|nil), string?

---@class alipayhk.EndpointOptions: alipayhk.ReceiveOptions
---@field path? string|fun(): string the path as AlipayHK calls it, where a proxy rewrites it
---@field deliveries? string the name of a `lua_shared_dict`: a call that is sent again within 25 hours is not handled again

return nginx
