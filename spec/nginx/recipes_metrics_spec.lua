-- The recipe examples/nginx/metrics, started as written and scraped.

local recipe = require "spec.support.servers.recipe"
local scripted = require "spec.support.servers.scripted_alipayhk"

describe("the recipe metrics", function()
  local alipayhk, orders

  setup(function()
    alipayhk = scripted.start()
    orders = recipe.start("metrics", alipayhk:world())
  end)
  teardown(function()
    orders:stop()
    alipayhk:stop()
  end)

  -- Name, labels, value.
  local SAMPLE = '^([%a_:][%w_:]*){(.*)} ([-+%d.e]+)$'

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
        local sample, labels, value = line:match(SAMPLE)
        assert.equal(family, sample and (sample:gsub("_sum$", ""):gsub("_count$", "")), line)
        assert.truthy((labels:gsub('\\[\\"n]', "") .. ","):gsub('[%a_]+="[^"\\\n]*",', "") == "", line)
        assert.is_nil(shown[sample .. "{" .. labels .. "}"], line)
        shown[sample .. "{" .. labels .. "}"] = tonumber(value)
      end
    end
    return shown
  end

  it("shows its families before anything has happened", function()
    assert.same({}, scrape())
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
    assert.same({
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
end)
