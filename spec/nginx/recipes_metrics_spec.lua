-- The recipe examples/nginx/metrics, started as written and scraped.

local json = require "cjson"
local recipe = require "spec.support.servers.recipe"
local samples = require "spec.support.data.samples"
local scripted = require "spec.support.servers.scripted_alipayhk"
local shell = require "spec.support.shell"

describe("the recipe metrics", function()
  local alipayhk, orders, world

  setup(function()
    alipayhk = scripted.start()
    world = recipe.add_outbox(alipayhk:world())
    orders = recipe.start("metrics", world)
  end)
  teardown(function()
    orders:stop()
    alipayhk:stop()
    shell.run("rm -r " .. world.outbox)
  end)

  -- Series, value; of a series name and labels, if it has any.
  local SAMPLE, SERIES = "^(.*) ([-+%d.e]+)$", "^([%a_:][%w_:]*)(.*)$"

  local function are_labels(text)
    local inner = text:match("^{(.*)}$")
    return text == "" or inner and ((inner:gsub('\\[\\"n]', "") .. ","):gsub('[%a_]+="[^"\\\n]*",', "")) == ""
  end

  -- Nothing is in the outbox.
  local function with_empty_outbox(shown)
    for _, state in ipairs { "waiting", "sending", "parked", "accepted", "superseded", "dropped" } do
      shown[('alipayhk_outbox_events{state="%s"}'):format(state)] = 0
    end
    shown.alipayhk_outbox_oldest_seconds = 0
    return shown
  end

  -- The page's samples by name and labels; it fails where a line is none, or stands outside its family.
  local function scrape()
    local raw = orders:post("/metrics")
    assert.equal("text/plain; version=0.0.4; charset=utf-8", raw.headers["content-type"])
    assert.equal("\n", raw.body:sub(-1))
    local shown, family, families = {}, nil, {}
    for line in raw.body:gmatch("([^\n]*)\n") do
      local kind, name = line:match("^# (%u+) ([%w_]+) .")
      if kind == "HELP" then
        assert.is_nil(families[name], name)
        family, families[name] = name, true
      elseif kind then
        assert.equal("TYPE " .. family, kind .. " " .. name)
      else
        local series, value = line:match(SAMPLE)
        local name_of, labels = (series or ""):match(SERIES)
        assert.equal(family, name_of and (name_of:gsub("_sum$", ""):gsub("_count$", "")), line)
        assert.is_true(are_labels(labels), line)
        assert.is_nil(shown[series], line)
        shown[series] = tonumber(value)
      end
    end
    return shown
  end

  it("shows its families before anything has happened", function()
    assert.same(with_empty_outbox {}, scrape())
  end)

  it("counts attempts, results, errors, retries and time, over all workers and reloads", function()
    alipayhk:control { codes = 'UNKNOWN_EXCEPTION/U,SUCCESS/S,a"b\\c\nd/F' }
    assert.equal(200, orders:post_order().status)
    assert.equal(502, orders:post_order().status)
    assert.equal(502, orders:post_order { orderStatus = "EATEN" }.status)
    orders:reload()
    assert.equal(200, orders:post_order().status)

    local shown = scrape()
    local seconds = shown['alipayhk_answer_seconds_sum{api="order"}']
    assert.is_true(seconds > 0 and seconds < 60)
    shown['alipayhk_answer_seconds_sum{api="order"}'] = nil
    assert.same(with_empty_outbox {
      ['alipayhk_attempts_total{api="order"}'] = 4,
      ['alipayhk_retries_total{api="order"}'] = 1,
      ['alipayhk_responses_total{api="order",result_code="SUCCESS"}'] = 2,
      ['alipayhk_responses_total{api="order",result_code="UNKNOWN_EXCEPTION"}'] = 1,
      ['alipayhk_responses_total{api="order",result_code="a\\"b\\\\c d"}'] = 1,
      ['alipayhk_errors_total{api="order",kind="result",code="UNKNOWN_EXCEPTION"}'] = 1,
      ['alipayhk_errors_total{api="order",kind="result",code="a\\"b\\\\c d"}'] = 1,
      ['alipayhk_errors_total{api="order",kind="invalid",code=""}'] = 1,
      ['alipayhk_answer_seconds_count{api="order"}'] = 4,
    }, shown)
  end)

  -- Puts an order, which AlipayHK answers so, and waits until a series has a value.
  local function put_until(codes, name, value)
    alipayhk:control { codes = codes }
    assert.equal(202, orders:post("/outbox", json.encode(samples.order())).status)
    local shown
    assert.truthy(recipe.await(function()
      shown = scrape()
      return (shown[name] or 0) >= value
    end), name)
    return shown
  end

  it("shows what is in the outbox, for how long, and what became of it", function()
    put_until("SUCCESS/S", 'alipayhk_outbox_events{state="accepted"}', 1)
    put_until("PARAM_ILLEGAL/F", 'alipayhk_outbox_events{state="parked"}', 1)
    local shown = put_until(("UNKNOWN_EXCEPTION/U,"):rep(99) .. "SUCCESS/S", 'alipayhk_outbox_total{event="later"}', 2)
    assert.equal(1, shown['alipayhk_outbox_events{state="waiting"}'] + shown['alipayhk_outbox_events{state="sending"}'])
    assert.is_true(shown.alipayhk_outbox_oldest_seconds > 0 and shown.alipayhk_outbox_oldest_seconds < 60)
    for event, count in pairs { put = 3, accepted = 1, parked = 1 } do
      assert.equal(count, shown[('alipayhk_outbox_total{event="%s"}'):format(event)], event)
    end
    assert.is_true(shown['alipayhk_outbox_total{event="sending"}'] >= 4)
  end)
end)
