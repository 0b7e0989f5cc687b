-- Others that do the same job as sync_many, each in a process of its own that prints its seconds. Those that are not
-- installed are left out.

local shell = require "spec.support.shell"

local peers = {}

-- `test`: a command that succeeds where a peer is there.
local PYTHON = "/usr/bin/python3"
local LIST = {
  { name = "C", words = "%s/floor-many", test = "test -x %s/floor-many", has_threads = true },
  { name = "node http2", words = "node bench/peers/node.js http2", test = "command -v node" },
  { name = "node https", words = "node bench/peers/node.js https", test = "command -v node" },
  { name = "python pycurl", words = PYTHON .. " bench/peers/python.py",
    test = PYTHON .. " -c 'import pycurl, cryptography'" },
  { name = "lua luaossl", words = "lua5.4 bench/peers/luaossl.lua",
    test = "lua5.4 -e 'require \"openssl.pkey\" require \"mime\"' && test -d /usr/share/lua/5.3/http" },
}

-- Those that are there, by name. `build`: the folder with what was built.
function peers.present(build)
  local found = {}
  for _, peer in ipairs(LIST) do
    if select(2, shell.run(peer.test:format(build))) == 0 then
      found[peer.name] = { words = peer.words:format(build), has_threads = peer.has_threads }
    end
  end
  return found
end

-- Runs one: orders a second. `job`: `{ url, gateway, kind, orders, at_once, threads }`.
function peers.run(peer, job)
  local gateway, keys = job.gateway, job.gateway.ca_file:match("^(.*)/")
  local command = ("%s %s %s %s %s/alipayhk-%s.pub %s %d %d %s"):format(peer.words, job.url, gateway.ca_file,
    gateway[job.kind .. "_private_key"], keys, job.kind, gateway[job.kind .. "_client_id"], job.orders, job.at_once,
    peer.has_threads and job.threads or "")
  local said, status = shell.run(command)
  local seconds = tonumber(said:match("^(%S+)%s*$"))
  if status ~= 0 or not seconds then return nil, said end
  return job.orders / seconds
end

return peers
