-- A link to Redis for scripts, over libhiredis. It blocks, so it is never loaded inside nginx; but in a coroutine that
-- has others beside it (see `alipayhk.base.runtime`) those go on while it waits for an answer.
--
-- A *link* to one server is `{ run, close }`. `run(commands)` gives a list: `{ reply }` or `{ nil, message, code }`
-- for each command. Or nil, a message, a code (CONNECTION, TIMEOUT, TLS, PROTOCOL, PHASE, or that of the error which
-- refused the login), and whether the commands may have been executed.

local login = require "alipayhk.delivery.redis.login"
local runtime = require "alipayhk.base.runtime"

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

-- Sends commands, and takes the replies once they are there.
local function send_and_wait(connection, commands, wait)
  local is_sent, message, code = connection:send(commands)
  if not is_sent then return nil, message, code, false end
  local results, what, detail, is_known = connection:receive()
  while results == false do
    wait(what, detail, is_known)
    results, what, detail, is_known = connection:receive()
  end
  return results, what, detail, is_known
end

local function exchange(connection, commands)
  local wait = runtime.wait_of()
  if wait then return send_and_wait(connection, commands, wait) end
  return connection:pipeline(commands)
end

-- Gives a link, or nil and a message. No I/O yet.
function blocking.new(target)
  local has_module, redis = pcall(require, "alipayhk.redis")
  if not has_module then return nil, NOT_BUILT end
  local link, connection = {}, nil -- nil while it is in use, too: who comes then gets one of his own

  local function run_on(held, commands)
    local results, message, code, is_sent = exchange(held, commands)
    if results and not connection then
      connection = held
    else
      held:close()
    end
    return results, message, code, is_sent
  end

  -- A kept connection may have ended, or be the parent's; where nothing was sent, a new one takes its place.
  function link.run(commands)
    local kept = connection
    connection = nil
    if kept then
      local results, message, code, is_sent = run_on(kept, commands)
      if results or is_sent then return results, message, code, is_sent end
    end
    local made, message, code = connect(redis, target)
    if not made then return nil, message, code, false end
    return run_on(made, commands)
  end

  function link.close()
    if connection then connection:close() end
    connection = nil
  end

  return link
end

return blocking
