-- A TLS alert that comes after the request: most say nothing of whether it arrived.

local certificates = require "spec.support.data.certificates"
local curl = require "alipayhk.curl"
local request = require "spec.support.servers.request"
local shell = require "spec.support.shell"

local START = "exec node spec/support/servers/alert.js %s %s %s %s"
local AWAIT = "for i in $(seq 500); do test -s %s && exit 0; sleep 0.02; done; exit 1"

describe("an alert of the server's that comes after the request", function()
  local transport, issued

  setup(function()
    transport, issued = curl.new(), certificates()
  end)
  teardown(function() transport:close() end)

  for _, version in ipairs { "TLSv1.2", "TLSv1.3" } do
    for _, begins in ipairs { "no", "yes" } do
      it(("leaves the outcome open: %s, half an answer before it: %s"):format(version, begins), function()
        local file = shell.directory() .. "/port"
        local input = assert(io.popen(START:format(shell.quote(issued), version, begins, shell.quote(file)), "w"))
        shell.must("(" .. AWAIT:format(shell.quote(file)) .. ")")
        local answer, failure = transport:send(request("https://127.0.0.1:" .. shell.read(file) .. "/", {
          tls = { ca_file = issued .. "/ca.pem" },
        }))
        input:close()
        assert.is_nil(answer)
        assert.equal("reset", failure.code, failure.message)
      end)
    end
  end
end)
