-- A link to Redis for scripts, over libhiredis. It blocks, so it is never loaded inside nginx.
--
-- A *link* to one server is `{ run, close }`. `run(commands)` gives a list: `{ reply }` or `{ nil, message, code }`
-- for each command. Or nil, a message, a code (CONNECTION, TIMEOUT, TLS, PROTOCOL, PHASE, or that of the error which
-- refused the login), and whether the commands may have been executed.

local login = require "alipayhk.delivery.redis.login"

local blocking = {}

local NOT_BUILT = "this installation has no alipayhk.redis: install libhiredis's headers (Debian: libhiredis-dev) and "
  .. "build it again"

local function connect(redis, target)
  local connection, message, code = redis.connect {
    host = target.host, port = target.port,
    tls = target.tls and { ca_file = target.ca_file, server_name = target.server_name } or nil,
    connect_timeout_ms = target.connect_timeout_ms, timeout_ms = target.timeout_ms,
  }
  if not connection then return nil, message, code end
  local results
  results, message, code = connection:pipeline(login.commands(target))
  if results then message, code = login.fault(results) end
  if not message then return connection end
  connection:close()
  return nil, message, code
end

-- Gives a link, or nil and a message. No I/O yet.
function blocking.new(target)
  local has_module, redis = pcall(require, "alipayhk.redis")
  if not has_module then return nil, NOT_BUILT end
  local link, connection = {}, nil

  local function run_on(held, commands)
    local results, message, code, is_sent = held:pipeline(commands)
    if results then return results end
    if connection == held then connection = nil end
    held:close()
    return nil, message, code, is_sent
  end

  -- A kept connection may have ended, or be the parent's; where nothing was sent, a new one takes its place.
  function link.run(commands)
    if connection then
      local results, message, code, is_sent = run_on(connection, commands)
      if results or is_sent then return results, message, code, is_sent end
    end
    local made, message, code = connect(redis, target)
    if not made then return nil, message, code, false end
    connection = made
    return run_on(made, commands)
  end

  function link.close()
    if connection then connection:close() end
    connection = nil
  end

  return link
end

return blocking
