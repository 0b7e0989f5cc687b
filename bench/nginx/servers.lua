-- The two nginx of the benchmarks: the other end, and the worker that is measured. The worker has a CPU of its own
-- where there are two; the traffic shares that of the other end.

local answer = require "bench.answer"
local core = require "alipayhk.core"
local curl = require "alipayhk.curl"
local json = require "alipayhk.base.json"
local nginx = require "spec.support.servers.nginx"
local shell = require "spec.support.shell"

local servers = {}

local ANSWER = '{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"},'
  .. '"orderId":"LOCAL000000000001","orderStatus":"ORDER_TAKEN"}'

local directory, handle, pids = nil, nil, {}

local function output_of(command)
  return (shell.run(command):gsub("%s+$", ""))
end

local OWN_PID = shell.read("/proc/self/stat"):match("^%d+")

-- ---- nginx -------------------------------------------------------------------------------------

-- nginx writes its pid once it listens. It ends with `stop`, or with this process.
local function start(name, values)
  local file = directory .. "/" .. name
  shell.write(file .. ".conf", (shell.read("bench/nginx/" .. name .. ".conf.in"):gsub("@([%u_]+)@", values)))
  shell.run(("%s -p %s -c %s.conf > %s.output 2>&1 & nginx=$!; "):format(nginx.path, directory, file, file)
    .. ("(while kill -0 %s && kill -0 $nginx; do sleep 1; done; kill $nginx) > /dev/null 2>&1 &"):format(
      OWN_PID))
  for _ = 1, 50 do
    pids[name] = (shell.read(file .. ".pid") or ""):match("%d+")
    if pids[name] then return end
    core.sleep(100)
  end
  error(name .. " does not start: " .. tostring(shell.read(file .. ".output")))
end

local function stop(name)
  -- A worker that is blocked would not hear of its end for minutes.
  local workers = output_of("ps -o pid= --ppid " .. pids[name]):gsub("%s+", " ")
  shell.run(("kill %s; sleep 0.2; kill -9 %s"):format(pids[name], workers))
end

-- ---- what is put into their configurations -----------------------------------------------------

-- The first and the last of the CPUs that this process may use.
local function cpus()
  local list = shell.read("/proc/self/status"):match("Cpus_allowed_list:%s*(%S+)")
  return tonumber(list:match("^%d+")), tonumber(list:match("%d+$"))
end

-- For worker_cpu_affinity.
local function mask(cpu)
  return "1" .. ("0"):rep(cpu)
end

-- For app.lua.
local function write_values(path, gateway, values, order)
  local lines = {
    rsa_public_key = values.KEYS .. "/merchant-rsa.pub", order = order, folder = directory,
    has_peers = tostring(values.PEERS ~= ""),
  }
  for _, name in ipairs { "ca_file", "rsa_client_id", "rsa_private_key", "rsa_alipay_public_key" } do
    lines[name] = gateway[name]
  end
  for _, name in ipairs { "ready", "late", "later" } do
    lines[name] = "https://127.0.0.1:" .. values[name:upper()]
  end
  local text = {}
  for name, value in pairs(lines) do text[#text + 1] = name .. "=" .. value .. "\n" end
  shell.write(path, table.concat(text))
end

local function start_both(gateway, order, peers)
  local keys, port = gateway.ca_file:match("^(.*)/"), nginx.random_port()
  local first, last = cpus()
  local key = assert(core.private_key { file = keys .. "/alipayhk-rsa.pem" })
  local response_time, signature = answer.sign(key, gateway.rsa_client_id, ANSWER)
  local values = {
    USER = output_of("id -u") == "0" and "user root;" or "", DIR = directory, ROOT = output_of("pwd"),
    MODULES = nginx.modules(),
    KEYS = keys, CA_FILE = gateway.ca_file, VALUES = directory .. "/values",
    PEERS = peers and ("%s/?.lua;%s/?/init.lua;"):format(peers, peers) or "",
    CLIENT_ID = gateway.rsa_client_id, TIME = response_time, SIGNATURE = signature, ANSWER = ANSWER,
    PORT = port, READY = port + 1, LATE = port + 2, LATER = port + 3,
    GATEWAY_CPU = mask(first), WORKER_CPU = mask(last),
  }
  write_values(values.VALUES, gateway, values, order)
  start("gateway", values)
  start("nginx", values)
  shell.run(("taskset -cp %d %s"):format(first, OWN_PID))
  servers.port = port
end

-- ---- public ------------------------------------------------------------------------------------

-- What the worker says.
function servers.ask(path)
  local said = assert(handle:send {
    method = "POST", url = ("http://127.0.0.1:%d%s"):format(servers.port, path), headers = {}, body = "",
    connect_timeout_ms = 5000, timeout_ms = 60000, max_response_bytes = 65536,
  })
  if said.status ~= 200 then error(("%s: HTTP %d: %s"):format(path, said.status, servers.last_error())) end
  return assert(json.decode(said.body))
end

-- Ends the worker and starts a new one, which has used no memory yet.
function servers.renew()
  local old = ("%d"):format(servers.ask("/usage").pid)
  shell.run("kill -HUP " .. pids.nginx)
  -- The old one may take connections until it is gone.
  repeat core.sleep(100) until output_of("kill -0 " .. old) ~= ""
end

-- The last line of the worker's error log.
function servers.last_error()
  return (shell.read(directory .. "/error.log") or ""):match("([^\n]*)\n*$")
end

-- Starts both, runs f, and ends them whatever becomes of it.
-- `gateway`: what gateway/start printed: the keys and the certificate are taken from it
-- `order`: JSON
-- `peers`: directory
function servers.run(gateway, order, peers, f)
  directory = output_of("mktemp -d")
  handle = curl.new()
  local ok, message = pcall(function()
    start_both(gateway, order, peers)
    f()
  end)
  handle:close()
  for name in pairs(pids) do stop(name) end
  shell.run("rm -rf " .. directory)
  if not ok then error(message, 0) end
end

return servers
