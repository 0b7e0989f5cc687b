-- sync_many against servers that misbehave: each payload gets its one result, nothing is taken for success, and the
-- batch ends.

local alipayhk = require "alipayhk"
local core = require "alipayhk.core"
local keys = require "spec.support.data.keys"
local samples = require "spec.support.data.samples"
local server = require "spec.support.servers.server"

local COUNT = 24

-- By what the server does, the codes or kinds that errors may have. Where AlipayHK is not reached, the batch gives up,
-- and the rest was not sent: "connect". An attempt at the end of the retries' budget has a few milliseconds: "timeout".
local FAULTS = {
  { "garbage", "http", { protocol = true, connect = true, timeout = true } },
  { "close", "http", { reset = true, connect = true, timeout = true } },
  { "close", "https", { reset = true, connect = true, timeout = true } },
  { "reset", "http", { reset = true, connect = true, timeout = true } },
  { "cut", "http", { reset = true, connect = true, timeout = true } },
  { "hang", "http", { timeout = true, connect = true } },
  { "hang", "h2", { timeout = true, connect = true } },
  { "drip", "http", { timeout = true, connect = true } },
  { "refuse", "h2", { reset = true, connect = true, timeout = true } },
  { "goaway", "h2", { reset = true, connect = true, timeout = true } },
  { "chatty", "h2", { protocol = true, signature = true } },
  { "redirect", "https", { http = true } },
  { "status/503", "https", { http = true, connect = true, timeout = true } },
  { "status/404", "h2", { http = true } },
  { "encoded", "https", { protocol = true, signature = true } },
  { "ok", "h2", { protocol = true, signature = true } },
  { "echo", "https", { protocol = true, signature = true } },
}

describe("sync_many", function()
  local world

  setup(function() world = server.start() end)
  teardown(function() world:stop() end)

  for _, case in ipairs(FAULTS) do
    local fault, protocol, allowed = case[1], case[2], case[3]
    it(("ends, with one result each and no success: %s over %s"):format(fault, protocol), function()
      local list, results, odd = {}, {}, {}
      for i = 1, COUNT do list[i] = samples.order() end
      local client = assert(alipayhk.new {
        client_id = "4Q5Y8W0WSG45P907917", base_url = world:url("/" .. fault, protocol),
        private_key = { file = keys.pair("merchant").private },
        alipay_public_key = { file = keys.pair("alipayhk").public }, tls = { ca_file = world.ca_file },
        timeout_ms = 300, retry = { max_attempts = 2, base_delay_ms = 0, budget_ms = 1200 },
      })
      local started = core.monotonic()
      local totals = client:sync_many(list, { concurrency = 8, on_result = function(result)
        results[result.index] = (results[result.index] or 0) + 1
        local name = result.err and (result.err.kind == "transport" and result.err.code or result.err.kind) or "success"
        if not allowed[name] then odd[#odd + 1] = tostring(result.err or name) end
      end })
      client:close()
      assert.same({}, odd)
      assert.equal(0, totals.accepted)
      assert.equal(totals.taken, totals.failed)
      for i = 1, totals.taken do assert.equal(1, results[i]) end
      assert.equal(totals.taken, #results)
      assert.is_true(core.monotonic() - started < 20)
    end)
  end
end)
