-- A user's id in the files of an outbox: it is there while its event may be sent, and gone afterwards. Read from the
-- files' bytes.

local alipayhk = require "alipayhk"
local double = require "spec.support.doubles.alipayhk_double"
local outboxes = require "spec.support.outboxes"
local redis_server = require "spec.support.servers.redis"
local samples = require "spec.support.data.samples"
local shell = require "spec.support.shell"
local sorted_keys = require "spec.support.asserting.sorted_keys"

local USER_ID, OPEN_ID, BIZ_NO, KEY = "2160129944332211", "open-id-canary-7f3a", "MB-canary-81d2", "key-canary-03be"
local UNTIL_EMPTY = { until_empty = true }

local gateway = double.new { algorithm = "p224" }

-- How many of the files in a folder, and in those below, have these bytes.
local function files_with(folder, bytes)
  return tonumber(shell.must(("grep -rlaF -e %s %s | wc -l"):format(shell.quote(bytes), shell.quote(folder))))
end

-- Each has the event end that way. `put`: puts one more of its order.
local ENDS = {
  accepted = function(outbox)
    gateway:answers { {} }
    assert.equal(1, outbox:deliver(UNTIL_EMPTY).accepted)
  end,
  dropped = function(outbox)
    gateway:answers { { status = "F", code = "PARAM_ILLEGAL" } }
    assert.equal(1, outbox:deliver(UNTIL_EMPTY).parked)
    assert.is_true(outbox:drop(outbox:list({ state = "parked" })[1].id))
  end,
  superseded = function(outbox, put)
    put()
    gateway:answers { {} }
    assert.equal(1, outbox:deliver(UNTIL_EMPTY).accepted)
    assert.equal(1, outbox:stats().superseded)
  end,
}

local function with_outbox(store, act)
  local outbox = assert(alipayhk.outbox { store = store, client = gateway:client { retry = { base_delay_ms = 1 } },
    coalesce = "same_status" })
  local count = 0
  local function put()
    count = count + 1
    assert(outbox:put(samples.order { userId = USER_ID, openId = OPEN_ID, merchantBizNo = BIZ_NO }, {
      key = KEY .. count,
    }))
  end
  put()
  act(outbox, put)
  outbox:close()
end

describe("a user's id in an outbox's file", function()
  for _, name in ipairs(sorted_keys(ENDS)) do
    local finish = ENDS[name]

    it("is there while the event waits, in a file of its owner's, and gone once it is " .. name, function()
      local place = outboxes.file.new()
      local folder = place.path:match("^(.*)/")
      with_outbox(place.url, function(outbox, put)
        assert.is_true(files_with(folder, USER_ID) > 0)
        for path in shell.must("find " .. folder .. " -type f"):gmatch("[^\n]+") do
          assert.equal("600\n", shell.must("stat -c %a " .. path), path)
        end
        finish(outbox, put)
        for _, event in ipairs(outbox:list()) do assert.is_false(outbox:body(event.id)) end
      end)
      assert.equal(0, files_with(folder, USER_ID))
      assert.equal(0, files_with(folder, OPEN_ID))
      assert.is_true(files_with(folder, BIZ_NO) > 0)
      assert.is_true(files_with(folder, KEY) > 0)
    end)

    it(("and all else that was of it is gone once it is %s and purged"):format(name), function()
      local place = outboxes.file.new()
      local folder = place.path:match("^(.*)/")
      with_outbox(place.url, function(outbox, put)
        finish(outbox, put)
        assert.is_true(outbox:purge { older_than_ms = 0 } > 0)
      end)
      for _, bytes in ipairs { USER_ID, OPEN_ID, KEY, BIZ_NO } do assert.equal(0, files_with(folder, bytes)) end
    end)
  end

  it("stays in the file of what is parked, until it is dropped", function()
    local place = outboxes.file.new()
    with_outbox(place.url, function(outbox)
      gateway:answers { { status = "F", code = "PARAM_ILLEGAL" } }
      assert.equal(1, outbox:deliver(UNTIL_EMPTY).parked)
      outbox:purge { older_than_ms = 0 }
    end)
    assert.is_true(files_with(place.path, USER_ID) > 0)
  end)
end)

describe("a user's id in a Redis", function()
  for _, name in ipairs(sorted_keys(ENDS)) do
    local finish = ENDS[name]

    it("is in its memory and its files while the event waits, and after a rewrite gone once it is " .. name, function()
      local server = redis_server.start()
      finally(function() server.stop() end)
      local folder = server.cli("config", "get", "dir"):match("\n([^\n]+)")
      with_outbox(server.url(), function(outbox, put)
        assert.is_true(files_with(folder, USER_ID) > 0)
        finish(outbox, put)
        outbox:purge { older_than_ms = 0 }
        server.cli("bgrewriteaof")
        repeat local info = server.cli("info", "persistence") until info:find("aof_rewrite_in_progress:0", 1, true)
          and info:find("aof_rewrite_scheduled:0", 1, true)
        shell.must(("timeout 10 sh -c 'while grep -rlaF -e %s %s; do sleep 0.1; done'"):format(USER_ID, folder))
      end)
      for _, bytes in ipairs { USER_ID, OPEN_ID, KEY, BIZ_NO } do assert.equal(0, files_with(folder, bytes)) end
    end)
  end
end)
