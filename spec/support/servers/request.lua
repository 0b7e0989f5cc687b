-- request(url, fields): a request for a transport's `send`, with what most specs want.

return function(url, fields)
  local request = {
    method = "POST",
    url = url,
    headers = { ["Content-Type"] = "application/json" },
    body = "{}",
    connect_timeout_ms = 2000,
    timeout_ms = 5000,
    max_response_bytes = 1024 * 1024,
  }
  for name, value in pairs(fields or {}) do request[name] = value end
  return request
end
