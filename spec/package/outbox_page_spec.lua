-- What docs/outbox.md says, against what there is. Its Lua is run by pages_run_spec, as that of every page.

local databases = require "spec.support.databases"
local double = require "spec.support.doubles.alipayhk_double"
local outboxes = require "spec.support.outboxes"
local readme = require "spec.support.sources.readme"
local samples = require "spec.support.data.samples"
local scripts = require "alipayhk.delivery.store.redis_scripts"
local shell = require "spec.support.shell"

local PAGE = "docs/outbox.md"

local gateway = double.new { algorithm = "p224" }
local prose = readme.prose(PAGE)

local function sorted_keys(map)
  local keys = {}
  for key in pairs(map) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

local function put(outbox, count)
  for _ = 1, count do assert(outbox:put(samples.order())) end
end

describe("docs/outbox.md", function()
  before_each(function() gateway:answers { {} } end)
  after_each(outboxes.close_all)

  it("names every method, and no other", function()
    local methods, shown = {}, {}
    for name, value in pairs(getmetatable(outboxes.open(outboxes.file, gateway)).__index) do
      if type(value) == "function" and not name:find("^__") then methods[name] = true end
    end
    for _, row in ipairs(readme.rows(PAGE, "call")) do
      for _, name in ipairs(readme.names(row[1])) do shown[name:match("^outbox:(%l+)[( ]")] = true end
    end
    assert.same(methods, shown)
  end)

  it("names what stats and totals give", function()
    local outbox = outboxes.open(outboxes.file, gateway)
    put(outbox, 4)
    local totals, shown = outbox:deliver { concurrency = 1, on_result = function() return false end }, {}
    for _, row in ipairs(readme.rows(PAGE, "call")) do
      if row[1]:find("stats") then shown = row[2]:match("{ ([^}]*) }") end
    end
    local names = {}
    for name in shown:gmatch("[%l_]+") do names[name] = true end
    assert.same(sorted_keys(outbox:stats()), sorted_keys(names))
    names = {}
    for name in prose:match("The totals are `{ ([^}]*) }`"):gmatch("[%l_]+") do names[name] = true end
    assert.same(sorted_keys(totals), sorted_keys(names))
  end)

  it("draws every step between states, and the annotations have the states", function()
    local states = {}
    local alias = shell.read("lua/alipayhk/meta/outbox.lua"):match("@alias alipayhk%.OutboxState\n(.-)\n\n")
    for name in alias:gmatch('%-%-%-| "(%l+)"') do states[name] = true end
    local drawn = {}
    for _, block in ipairs(readme.blocks(PAGE)) do
      if block.language == "mermaid" then
        for name in block.text:gmatch("(%l+) %-%->") do drawn[name] = true end
      end
    end
    assert.same(states, drawn)
  end)

  -- By what AlipayHK gives to the one attempt.
  for name, case in pairs {
    ["S"] = { {}, "accepted" },
    ["F"] = { { code = "PARAM_ILLEGAL", status = "F" }, "parked" },
    ["F about our signature"] = { { code = "INVALID_SIGNATURE", status = "F" }, "later" },
    ["F that says to try again"] = { { code = "UNKNOWN_EXCEPTION", status = "F" }, "later" },
    ["F without a signature"] = { { code = "PARAM_ILLEGAL", status = "F", signed = false }, "later" },
    ["U"] = { { code = "UNKNOWN_EXCEPTION", status = "U" }, "later" },
    ["S without a signature"] = { { signed = false }, "later" },
    ["an HTTP status"] = { { http_status = 404, body = "no JSON" }, "later" },
    ["a reset"] = { { failure = "reset" }, "later" },
    ["a certificate that is wrong"] = { { failure = "tls" }, "later" },
    ["traffic that is refused"] = { { code = "REQUEST_TRAFFIC_EXCEED_LIMIT", status = "U" }, "later", 0 },
  } do
    it("says what becomes of an event after " .. name, function()
      local ended
      local outbox = outboxes.open(outboxes.file, gateway, { on_event = function(event)
        if event.name == "accepted" or event.name == "parked" or event.name == "later" then ended = event.name end
      end }, { retry = { base_delay_ms = 60000 } })
      put(outbox, 1)
      gateway:answers { case[1] }
      outbox:deliver { stop = function() return ended ~= nil end }
      assert.same({ case[2], case[3] or 1 }, { ended, outbox:list()[1].attempts })
    end)
  end

  it("names the files beside the database, their mode, and the size of the ballast", function()
    local outbox, place = outboxes.open(outboxes.file, gateway)
    local path = place.path
    put(outbox, 1)
    outbox:deliver(outboxes.UNTIL_EMPTY)
    local named, found = { [""] = true }, {}
    for suffix in prose:match("\n%- Beside `events%.db` (.-)%. Remove"):gmatch("`[%l.]*(%-%l+)`") do
      named[suffix] = true
    end
    for line in shell.must(("cd %s && stat -c '%%a %%n' *"):format(path:match("^(.*)/"))):gmatch("[^\n]+") do
      local mode, suffix = line:match("^(%d+) orders%.db(.*)$")
      assert.equal("600", mode, line)
      found[suffix] = true
    end
    assert.same(sorted_keys(named), sorted_keys(found))
    local mib = tonumber(prose:match("there are (%d+) MiB of ballast"))
    assert.equal(("%d\n"):format(mib * 1024 * 1024), shell.must("stat -c %s " .. path .. "-ballast"))
  end)

  it("says how many lane groups there are", function()
    assert.equal(scripts.GROUPS, tonumber(prose:match("belongs to\none of (%d+) lane groups")))
  end)

  it("makes back-ups while others put and deliver, and each is an outbox", function()
    local outbox, place = outboxes.open(outboxes.file, gateway)
    local path = place.path
    put(outbox, 20)
    local commands
    for _, block in ipairs(readme.blocks(PAGE)) do
      if block.text:find("sqlite3 ", 1, true) then commands = block.text end
    end
    commands = commands:gsub("/var/lib/shop/events%.db", path):gsub("/var/backups/", path:match("^(.*/)"))
    local is_made = false
    outbox:deliver { concurrency = 1, until_empty = true, on_result = function()
      if is_made then return end
      is_made = true
      shell.must("set -e; " .. commands)
      put(outbox, 1)
    end }
    assert.equal(21, outbox:stats().accepted)
    for _, name in ipairs { "events.db", "events-small.db" } do
      local copy = path:match("^(.*/)") .. name
      assert.equal("ok", databases.judge(copy, "PRAGMA integrity_check"))
      gateway:answers { {} }
      local restored = outboxes.open(outboxes.file, gateway, { place = { url = "sqlite:" .. copy } })
      local before = restored:stats()
      assert.equal(20, before.accepted + before.waiting + before.sending, name)
      restored:deliver(outboxes.UNTIL_EMPTY)
      assert.equal(20, restored:stats().accepted)
    end
  end)
end)
