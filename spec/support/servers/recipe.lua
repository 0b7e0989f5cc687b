-- The recipes of examples/nginx, started as they stand but for what names the world outside.
--
--     local server = recipe.start("sync-order", { base_url = ..., files = { ["merchant.pem"] = path } })
--     local raw = server:post_order { orderStatus = "USED" }
--     server:signal("HUP")

local curl = require "alipayhk.curl"
local json = require "cjson"
local nginx = require "spec.support.servers.nginx"
local samples = require "spec.support.data.samples"
local shell = require "spec.support.shell"

local recipe = {}
recipe.__index = recipe

local FOLDER = "examples/nginx/"
local START = [[(eval "$(make -s env LUA=luajit)"
@nginx@ -c @@/nginx.conf -g 'pid @@/nginx.pid; error_log @@/error.log notice;' > @@/output 2>&1
status=$?; cat @@/output; exit $status)]]
local END_WITH_US = "(while kill -0 %s && kill -0 %s; do sleep 1; done; kill %s) > /dev/null 2>&1 &"

-- Directories that are root's alone.
local PATHS = [[

http {
  access_log off;
  client_body_temp_path @@/body;
  proxy_temp_path @@/proxy;
  fastcgi_temp_path @@/fastcgi;
  uwsgi_temp_path @@/uwsgi;
  scgi_temp_path @@/scgi;
]]

local function read_files(name)
  local files = {}
  if type(name) == "table" then
    for file, text in pairs(name) do files[file] = text end
    return files
  end
  for file in shell.must("ls " .. FOLDER .. name):gmatch("[^\n]+") do
    files[file] = shell.read(FOLDER .. name .. "/" .. file)
  end
  return files
end

-- Puts `to` for every `from` in all of the files; one of them has to have it.
local function put(files, from, to)
  local pattern, replacement = from:gsub("%p", "%%%0"), to:gsub("%%", "%%%%")
  local total = 0
  for name, text in pairs(files) do
    local count
    files[name], count = text:gsub(pattern, replacement)
    total = total + count
  end
  assert(total > 0, "the recipe no longer has: " .. from)
end

local function put_modules(files)
  local path = nginx.modules_path()
  if path then return put(files, "load_module modules/", "load_module " .. path .. "/") end
  files["nginx.conf"] = files["nginx.conf"]:gsub("load_module [^\n]*\n", "")
end

-- The recipe's files for this attempt. `world.ports` names what others already serve.
local function write_files(self, name, world)
  local files = read_files(name)
  put_modules(files)
  put(files, "\nhttp {\n", (PATHS:gsub("@@", self.directory)))
  put(files, "/etc/alipayhk", self.directory)
  if world.outbox then put(files, "/var/lib/alipayhk", world.outbox) end
  put(files, '"4Q5Y8W0WSG45P907917"', ("%q"):format(world.client_id))
  put(files, 'environment = "testing"', ("base_url = %q"):format(world.base_url))
  if world.ca_file then put(files, "/etc/ssl/certs/ca-certificates.crt", world.ca_file) end
  for port in pairs { ["8080"] = true, ["8081"] = true, ["8082"] = true } do
    local from = "127.0.0.1:" .. port
    local to = "127.0.0.1:" .. (world.ports and world.ports[port] or nginx.random_port())
    if files["nginx.conf"]:find(from, 1, true) then put(files, from, to) end
    if port == "8080" then self.url = "http://" .. to end
  end
  for file, text in pairs(files) do shell.write(self.directory .. "/" .. file, text) end
  for file, path in pairs(world.files) do
    shell.write(self.directory .. "/" .. file, shell.read(path))
    -- As keys are kept: for root alone, where root runs this.
    shell.must("chmod 600 " .. self.directory .. "/" .. file)
  end
end

-- The outcome of `done` as soon as it is true; nil after half a minute.
function recipe.await(done)
  return nginx.await(30, done)
end

-- Gives a world an `outbox`: a folder that the workers, who are not root, may write to, and in which they can read the
-- certificate. It has to be removed.
function recipe.add_outbox(world)
  local folder = shell.must("mktemp -d"):match("[^\n]+")
  shell.must(("chmod 777 %s && cp %s %s/ca.pem && chmod 644 %s/ca.pem"):format(folder, world.ca_file, folder, folder))
  world.outbox, world.ca_file = folder, folder .. "/ca.pem"
  return world
end

-- Starts a recipe; it ends with `stop`, or with this process.
-- `name`: of its folder; or a recipe from elsewhere, the texts of its files by name
-- `world`: `client_id`, `base_url`, `ca_file`, `files` (by the name that it has in /etc/alipayhk,
--   the path of another), `ports` (by the port in the recipe, that of who is there), `outbox` (the folder of one)
function recipe.start(name, world)
  local self = setmetatable({ directory = shell.directory(), handle = curl.new() }, recipe)
  local start = START:gsub("@nginx@", nginx.path):gsub("@@", self.directory)
  local said
  for _ = 1, 5 do
    local status
    write_files(self, name, world)
    said, status = shell.run(start)
    if status == 0 then
      self.pid = assert(recipe.await(function()
        return (shell.read(self.directory .. "/nginx.pid") or ""):match("(%d+)\n")
      end))
      shell.run(END_WITH_US:format(shell.read("/proc/self/stat"):match("^%d+"), self.pid, self.pid))
      return self
    end
  end
  error(("%s does not start: %s\n%s"):format(name, said, self:log() or ""))
end

-- What it answers to a POST, on a connection of its own, for reloads end those that are kept:
-- `{ status, headers, body }`.
function recipe:post(path, body, headers)
  local sent = { ["Connection"] = "close" }
  for name, value in pairs(headers or {}) do sent[name] = value end
  return assert(self.handle:send {
    method = "POST", url = self.url .. path, headers = sent, body = body or "",
    connect_timeout_ms = 5000, timeout_ms = 30000, max_response_bytes = 1048576,
  })
end

-- What it answers to an order (spec.support.data.samples).
function recipe:post_order(extra)
  return self:post("/orders", json.encode(samples.order(extra)))
end

-- Puts another file in the place of one of the recipe's, as `mv` does.
function recipe:replace(name, text)
  shell.write(self.directory .. "/" .. name .. ".new", text)
  assert(os.rename(self.directory .. "/" .. name .. ".new", self.directory .. "/" .. name))
end

function recipe:log()
  return shell.read(self.directory .. "/error.log")
end

function recipe:signal(signal)
  shell.must(("kill -%s %s"):format(signal, self.pid))
end

function recipe:is_alive()
  return select(2, shell.run("kill -0 " .. self.pid)) == 0
end

-- The pids of the workers, those that are shutting down among them, as a set.
function recipe:workers()
  local pids = {}
  for pid in shell.run(("cat /proc/[0-9]*/stat 2> /dev/null | awk '$4 == %s { print $1 }'"):format(self.pid))
    :gmatch("%d+") do
    pids[pid] = true
  end
  return pids
end

-- Reloads, and returns when all the workers are new.
function recipe:reload()
  local before = self:workers()
  self:signal("HUP")
  assert(recipe.await(function()
    local now = self:workers()
    for pid in pairs(before) do
      if now[pid] then return false end
    end
    return next(now) ~= nil
  end), "the old workers do not end")
end

function recipe:stop()
  self.handle:close()
  if self:is_alive() then self:signal("TERM") end
end

return recipe
