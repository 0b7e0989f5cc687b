-- A real Redis on a loopback port, in a directory of its own, with `appendonly yes`.
--
--     local server = redis.start { password = "secret" }
--     server.kill()      -- as `kill -9`
--     server.restart()   -- with the same directory and port
--     server.stop()
--
-- It ends with this process too.

local certificates = require "spec.support.data.certificates"
local core = require "alipayhk.core"
local nginx = require "spec.support.servers.nginx"
local shell = require "spec.support.shell"

local redis = {}

-- Its end when this process has ended, however that comes about.
local LAUNCH = [[
(cd @directory@ && exec redis-server redis.conf > output 2>&1) & launched=$!
echo $launched > @directory@/pid
(while kill -0 @own_pid@ && kill -0 $launched; do sleep 1; done; kill -9 $launched) > /dev/null 2>&1 &]]

local LINES = [[
bind 127.0.0.1 -::1
port @port@
dir @directory@
appendonly yes
save ""
]]

local TLS = [[
tls-port @tls_port@
tls-cert-file @certificates@/@certificate@.pem
tls-key-file @certificates@/@certificate@.key
tls-ca-cert-file @certificates@/ca.pem
tls-auth-clients no
]]

local function fill(template, values)
  return (template:gsub("@([%w_]+)@", values))
end

local function configuration(options, values)
  local lines = { fill(LINES, values) }
  if options.tls then lines[#lines + 1] = fill(TLS, values) end
  if options.password then lines[#lines + 1] = ('requirepass "%s"'):format(options.password) end
  for _, line in ipairs(options.lines or {}) do lines[#lines + 1] = line end
  return table.concat(lines, "\n") .. "\n"
end

-- Nobody may wait for it, so it is gone once it is a zombie; and its threads, which hold its sockets, with it.
local function is_alive(pid)
  local state = (shell.read(("/proc/%d/stat"):format(pid)) or ""):match("%) (%a)")
  return state ~= nil and (state ~= "Z" or shell.run(("ls /proc/%d/task"):format(pid)):find("\n.") ~= nil)
end

local function await_end(pid)
  assert(nginx.await(20, function() return not is_alive(pid) end), "redis-server does not end")
end

local function running(options, values)
  local self = {
    host = "127.0.0.1", port = tonumber(values.port), tls_port = tonumber(values.tls_port),
    directory = values.directory, ca_file = values.certificates .. "/ca.pem",
  }

  -- Its URL. `before`: what stands before the host, such as "user:password@"; `after`: what stands after the port;
  -- `scheme`: rediss for the port with TLS.
  function self.url(before, after, scheme)
    return ("%s://%s127.0.0.1:%d%s"):format(scheme or "redis", before or "",
      scheme == "rediss" and self.tls_port or self.port, after or "")
  end

  -- What redis-cli prints, without the last line break.
  function self.cli(...)
    local words = {}
    for i, word in ipairs { ... } do words[i] = shell.quote(word) end
    local password = options.password and "REDISCLI_AUTH=" .. shell.quote(options.password) or ""
    local output = shell.run(("%s redis-cli -h 127.0.0.1 -p %d %s"):format(
      password, self.port, table.concat(words, " ")))
    return (output:gsub("\n$", ""))
  end

  function self.is_up() return self.cli("ping") == "PONG" end

  -- Gives whether it came up.
  function self.launch()
    shell.run(fill(LAUNCH, values))
    self.pid = tonumber(shell.read(values.directory .. "/pid"))
    return nginx.await(30, function() return not is_alive(self.pid) or self.is_up() end) and is_alive(self.pid)
  end

  function self.signal(name) shell.run(("kill -%s %d"):format(name, self.pid)) end

  local function finish(name)
    self.signal(name)
    await_end(self.pid)
  end

  function self.stop() finish "TERM" end

  function self.kill() finish "KILL" end

  function self.restart()
    if is_alive(self.pid) then self.stop() end
    assert(self.launch(), "redis-server does not start again")
  end

  return self
end

-- Starts one. `options`: `password` (requirepass), `tls` (true: on `tls_port`, with a certificate for 127.0.0.1 and
-- localhost; a name of spec.support.data.certificates: with that one), `lines` (further ones for redis.conf)
function redis.start(options)
  options = options or {}
  local values = {
    directory = shell.directory(),
    certificates = certificates(),
    certificate = type(options.tls) == "string" and options.tls or "server",
    own_pid = shell.read("/proc/self/stat"):match("^%d+"),
  }
  for _ = 1, 5 do
    values.port, values.tls_port = tostring(nginx.random_port()), tostring(nginx.random_port())
    shell.write(values.directory .. "/redis.conf", configuration(options, values))
    local server = running(options, values)
    if server.launch() then return server end
    core.sleep(50)
  end
  error("redis-server does not start: " .. tostring(shell.read(values.directory .. "/output")))
end

return redis
