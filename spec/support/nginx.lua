--- A real nginx on a loopback port, with the Lua module.

local shell = require "spec.support.shell"

local nginx = {}

local CONFIGURATION = [[
%s
%s
daemon off;
worker_processes 1;
pid %s/nginx.pid;
error_log %s/error.log info;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path %s/body;
  proxy_temp_path %s/proxy;
  fastcgi_temp_path %s/fastcgi;
  uwsgi_temp_path %s/uwsgi;
  scgi_temp_path %s/scgi;
  lua_package_path "%s/?.lua;%s/lua/?.lua;%s/lua/?/init.lua;;";
  lua_package_cpath "%s/build/luajit/?.so;;";
  %s
  server {
    listen 127.0.0.1:%d;
    %s
  }
}
]]

-- Where Debian keeps it, which is on root's path alone.
local NGINX = os.getenv("NGINX") or shell.run("command -v nginx || echo /usr/sbin/nginx"):match("[^\n]+")

local function modules()
  local about = shell.run(NGINX .. " -V")
  if about:find("openresty", 1, true) then return "" end
  local path = about:match("%-%-modules%-path=(%S+)")
  return ("load_module %s/ndk_http_module.so; load_module %s/ngx_http_lua_module.so;"):format(path, path)
end

local function random_port()
  local file = assert(io.open("/dev/urandom", "rb"))
  local a, b = file:read(2):byte(1, 2)
  file:close()
  return 20000 + (a * 256 + b) % 20000
end

--- Starts nginx; it ends with `stop`, or with this process.
-- @tparam table parts `{ http = lines, server = lines, files = { [name] = content } }`; the files are
-- on the package path
-- @treturn table `{ url, directory, stop, log }`
function nginx.start(parts)
  local directory = shell.directory()
  local root = shell.run("pwd"):match("^[^\n]+")
  local user = shell.run("id -u"):find("^0\n") and "user root;" or ""
  for name, content in pairs(parts.files or {}) do shell.write(directory .. "/" .. name, content) end
  local own_pid = shell.read("/proc/self/stat"):match("^%d+")
  local d = directory
  for _ = 1, 5 do
    local port = random_port()
    shell.write(d .. "/nginx.conf", CONFIGURATION:format(user, modules(), d, d, d, d, d, d, d, d, root, root, root,
      parts.http or "", port, parts.server or ""))
    shell.run(("%s -p %s -c %s/nginx.conf > %s/output 2>&1 & nginx=$!; "):format(NGINX, d, d, d)
      .. ("(while kill -0 %s && kill -0 $nginx; do sleep 1; done; kill $nginx) > /dev/null 2>&1 &"):format(own_pid))
    for _ = 1, 30 do
      local pid = shell.read(d .. "/nginx.pid")
      if pid and pid ~= "" then
        return {
          url = ("http://127.0.0.1:%d"):format(port),
          directory = d,
          log = function() return shell.read(d .. "/error.log") end,
          stop = function() shell.run("kill " .. pid) end,
        }
      end
      shell.run("sleep 0.1")
    end
  end
  error("nginx does not start: " .. tostring(shell.read(d .. "/output")))
end

return nginx
