-- `alipayhk send --journal`, killed at any moment, again and again: AlipayHK's own record is the judge.

local command = require "spec.support.command"
local core = require "alipayhk.core"
local digest = require "alipayhk.cli.digest"
local json = require "alipayhk.base.json"
local nginx = require "spec.support.servers.nginx"
local scripted = require "spec.support.servers.scripted_alipayhk"
local samples = require "spec.support.data.samples"
local shell = require "spec.support.shell"

local KILLS, ORDERS = 120, 2000
local STATUSES = { "TICKETED", "USED", "REFUNDED" }
-- So that all the runs that are killed do not send everything.
local RATE = "150"
local LATEST_MS = 400

describe("alipayhk send that is killed", function()
  local server, journal, path, lines

  setup(function() server = scripted.start() end)
  teardown(function() server:stop() end)

  -- Three states of each order, far from each other: their lines by their marks.
  before_each(function()
    local folder, texts = shell.directory(), {}
    journal, path, lines = folder .. "/journal", folder .. "/orders.jsonl", {}
    for _, status in ipairs(STATUSES) do
      for i = 1, ORDERS do
        local order = samples.order { merchantBizNo = ("KILLED-%d"):format(i), orderStatus = status }
        texts[#texts + 1] = json.encode(order)
        lines[digest.of(order)] = { number = order.merchantBizNo, line = #texts }
      end
    end
    shell.write(path, table.concat(texts, "\n") .. "\n")
  end)

  -- Of each order: how many of its states are noted. They have to be the first ones.
  local function noted()
    local counts, latest = {}, {}
    for mark in (shell.read(journal) or ""):gmatch("%f[^\n](%x+)\n") do
      local line = lines[mark]
      if line then
        counts[line.number] = (counts[line.number] or 0) + 1
        latest[line.number] = math.max(latest[line.number] or 0, line.line)
      end
    end
    for number, count in pairs(counts) do assert.equal(count, math.ceil(latest[number] / ORDERS), number) end
    return counts
  end

  local function total(counts)
    local sum = 0
    for _, count in pairs(counts) do sum = sum + count end
    return sum
  end

  it("sends nothing again that it has noted, and everything in the end", function()
    local config = command.config(server:config(), "retry = false")
    local words = { "send", "--config", config, "--journal", journal, path, "--rate", RATE }
    local before, seen, killed, torn = {}, 0, 0, 0
    for _ = 1, KILLS do
      local size, started = #(shell.read(journal) or ""), command.start(words)
      assert.is_true(nginx.await(20, function() return #(shell.read(journal) or "") > size end))
      core.sleep(core.random_bytes(1):byte() / 255 * LATEST_MS)
      started:signal "KILL"
      local status = started:ended()
      if status == 137 then killed = killed + 1 end
      if (shell.read(journal) or ""):sub(-1) ~= "\n" then torn = torn + 1 end

      -- What had been noted before this run began was not sent in it.
      local arrivals, by_run = server:arrivals(), {}
      for i = seen + 1, #arrivals do by_run[arrivals[i].number] = (by_run[arrivals[i].number] or 0) + 1 end
      seen = #arrivals
      for number, count in pairs(before) do
        local still = #STATUSES - count
        assert.is_true((by_run[number] or 0) <= still, number)
      end
      before = noted()
    end
    assert.is_true(killed >= 100, killed)

    local status, _, err = command.run { "send", "--config", config, "--journal", journal, path }
    assert.equal(0, status, err)
    assert.equal(#STATUSES * ORDERS, total(noted()))
    local by_order = {}
    for _, arrival in ipairs(server:arrivals()) do by_order[arrival.number] = (by_order[arrival.number] or 0) + 1 end
    local sent = total(by_order)
    -- Twice was sent what was under way when it was killed, and not yet noted.
    assert.is_true(sent >= #STATUSES * ORDERS and sent <= #STATUSES * ORDERS + KILLS * 32, sent)
    for i = 1, ORDERS do assert.is_true(by_order[("KILLED-%d"):format(i)] >= #STATUSES) end
    status, _, err = command.run { "send", "--config", config, "--journal", journal, path }
    assert.equal(0, status)
    assert.matches(("^0 accepted, .* %d accepted before, 0 overtaken"):format(#STATUSES * ORDERS), err)
    assert.equal(sent, #server:arrivals())
  end)
end)
