-- A real nginx on a loopback port, with the Lua module.

local core = require "alipayhk.core"
local shell = require "spec.support.shell"

local nginx = {}

local CONFIGURATION = [[
@user@
@modules@
daemon off;
master_process @master@;
worker_processes @workers@;
pid @directory@/nginx.pid;
error_log @directory@/error.log info;
@main@
events { worker_connections @connections@; }
http {
  access_log off;
  client_body_temp_path @directory@/body;
  proxy_temp_path @directory@/proxy;
  fastcgi_temp_path @directory@/fastcgi;
  uwsgi_temp_path @directory@/uwsgi;
  scgi_temp_path @directory@/scgi;
  lua_package_path "@directory@/?.lua;@root@/lua/?.lua;@root@/lua/?/init.lua;;";
  lua_package_cpath "@root@/build/luajit/?.so;;";
  @http@
  server {
    listen 127.0.0.1:@port@ @listen@;
    @server@
  }
}
]]

-- Its status when it ends; and its end when this process has ended, however that comes about.
local LAUNCH = [[
(@launcher@ @nginx@ -p @directory@ -c @directory@/nginx.conf > @directory@/output 2>&1
echo $? > @directory@/status) > /dev/null 2>&1 & launched=$!
(while kill -0 @own_pid@ && kill -0 $launched; do sleep 1; done
kill -0 $launched && kill $(cat @directory@/nginx.pid)) > /dev/null 2>&1 &]]

-- Where it is. Debian keeps it on root's path alone.
nginx.path = os.getenv("NGINX_BIN") or shell.run("command -v nginx || echo /usr/sbin/nginx"):match("[^\n]+")

-- The directory of its modules; nil for OpenResty, which has them built in.
function nginx.modules_path()
  local about = shell.run(nginx.path .. " -V")
  return not about:find("openresty", 1, true) and about:match("%-%-modules%-path=(%S+)") or nil
end

-- The lines that load the Lua module.
function nginx.modules()
  local path = nginx.modules_path()
  if not path then return "" end
  return ("load_module %s/ndk_http_module.so; load_module %s/ngx_http_lua_module.so;"):format(path, path)
end

-- A port below those that the system gives to clients.
function nginx.random_port()
  local file = assert(io.open("/dev/urandom", "rb"))
  local a, b = file:read(2):byte(1, 2)
  file:close()
  return 20000 + (a * 256 + b) % 12768
end

local function fill(template, values)
  return (template:gsub("@([%w_]+)@", values))
end

-- Asks again and again.
-- `seconds`: at most
-- Gives its first value that is true, or nil
function nginx.await(seconds, condition)
  local deadline = core.monotonic() + seconds
  while true do
    local value = condition()
    if value then return value end
    if core.monotonic() > deadline then return nil end
    core.sleep(20)
  end
end

-- ---- a running one -----------------------------------------------------------------------------

local PROCESS = "/proc/%d/"

local function children(pid)
  local list = {}
  local line = shell.read(PROCESS:format(pid) .. ("task/%d/children"):format(pid)) or ""
  for child in line:gmatch("%d+") do list[#list + 1] = tonumber(child) end
  return list
end

local function is_leaving(pid)
  local title = shell.read(PROCESS:format(pid) .. "cmdline")
  return not title or title == "" or title:find("shutting down", 1, true) ~= nil
end

local function running(directory, port, pid, workers)
  local self = {
    url = ("http://127.0.0.1:%d"):format(port),
    directory = directory,
    -- Of the master, where there is one.
    pid = pid,
  }

  function self.log() return shell.read(directory .. "/error.log") end

  -- The lines of it that an nginx in order never writes, or that have one of further patterns.
  function self.complaints(further)
    local found = {}
    for line in self.log():gmatch("[^\n]+") do
      local is_one = line:find("%[alert%]") or line:find("%[crit%]") or line:find("%[emerg%]")
      for _, pattern in ipairs(further) do is_one = is_one or line:find(pattern) end
      if is_one then found[#found + 1] = line end
    end
    return found
  end

  function self.stop() shell.run("kill " .. pid) end

  function self.signal(name) shell.run(("kill -%s %d"):format(name, pid)) end

  -- The pids of its workers, those that are on their way out after the others.
  -- Gives serving
  -- Gives leaving
  function self.workers()
    local serving, leaving = {}, {}
    for _, child in ipairs(children(pid)) do
      local list = is_leaving(child) and leaving or serving
      list[#list + 1] = child
    end
    return serving, leaving
  end

  -- Has it read its configuration anew, and waits for the new workers.
  -- Gives whether they came
  function self.reload()
    local before = {}
    for _, child in ipairs(children(pid)) do before[child] = true end
    self.signal("HUP")
    return nginx.await(20, function()
      local fresh = 0
      for _, child in ipairs(self.workers()) do fresh = fresh + (before[child] and 0 or 1) end
      return fresh >= workers
    end) or false
  end

  -- The exit status once it has ended, nil when it does not in time.
  function self.wait(seconds)
    return nginx.await(seconds, function()
      return tonumber((shell.read(directory .. "/status") or ""):match("^(%d+)\n$"))
    end)
  end

  -- What the master, or another of its processes, has in memory for itself, in kB. (Newer kernels' VmRSS is
  -- off by some 100 kB.)
  function self.memory(of)
    return tonumber(shell.read(PROCESS:format(of or pid) .. "smaps_rollup"):match("Anonymous:%s*(%d+) kB"))
  end

  -- How many descriptors the master, or another of its processes, has open.
  function self.descriptors(of)
    return tonumber(shell.must(("ls /proc/%d/fd | wc -l"):format(of or pid)):match("%d+"))
  end

  return self
end

-- Starts nginx; it ends with `stop`, or with this process.
-- `parts`: `{ http = lines, server = lines, files = { [name] = content } }`; the files are
-- on the package path. Further `main` = lines, `workers` = 1, `connections` = 256, `master` = true,
-- `listen` = words after the address, `launcher` = a command that gets nginx's as its arguments
-- Gives `{ url, directory, pid, log, stop, signal, workers, reload, wait, memory, descriptors }`
function nginx.start(parts)
  local values = {
    directory = shell.directory(),
    root = shell.run("pwd"):match("^[^\n]+"),
    user = shell.run("id -u"):find("^0\n") and "user root;" or "",
    own_pid = shell.read("/proc/self/stat"):match("^%d+"),
    nginx = nginx.path,
    modules = nginx.modules(),
    workers = tostring(parts.workers or 1),
    connections = tostring(parts.connections or 256),
    master = parts.master == false and "off" or "on",
  }
  for _, name in ipairs { "main", "http", "server", "listen", "launcher" } do values[name] = parts[name] or "" end
  local directory = values.directory
  for name, content in pairs(parts.files or {}) do shell.write(directory .. "/" .. name, content) end
  for _ = 1, 5 do
    local port = nginx.random_port()
    values.port = tostring(port)
    shell.write(directory .. "/nginx.conf", fill(CONFIGURATION, values))
    for _, name in ipairs { "status", "error.log" } do os.remove(directory .. "/" .. name) end
    shell.run(fill(LAUNCH, values))
    local pid = nginx.await(120, function()
      return tonumber((shell.read(directory .. "/nginx.pid") or ""):match("^(%d+)\n"))
        or shell.read(directory .. "/status") and 0
    end)
    if pid and pid > 0 then return running(directory, port, pid, parts.workers or 1) end
  end
  error("nginx does not start: " .. tostring(shell.read(directory .. "/output")))
end

return nginx
