-- How many requests may be under way: driven by simulated servers and a simulated clock.

local new = require("alipayhk.delivery.window").new

local huge = math.huge

-- Servers as limits of traffic are built: function(now_ms) -> whether a request is refused.
local servers = {}

-- Tokens come at a rate, a few are kept.
function servers.bucket(per_second)
  local most, tokens, at_ms = math.max(1, per_second / 10), 1, 0
  return function(now_ms)
    tokens, at_ms = math.min(most, tokens + (now_ms - at_ms) * per_second / 1000), now_ms
    if tokens < 1 then return true end
    tokens = tokens - 1
    return false
  end
end

-- So many in each second of the clock.
function servers.second(per_second)
  local second, count = -1, 0
  return function(now_ms)
    if math.floor(now_ms / 1000) ~= second then second, count = math.floor(now_ms / 1000), 0 end
    count = count + 1
    return count > per_second
  end
end

-- Sends whatever a window lets through for so many seconds. Gives what was taken a second, the share that was refused,
-- and the longest pause.
local function simulate(window, refuses, round_trip_ms, seconds)
  local flying, taken, refused, left_ms, longest_ms = {}, 0, 0, 0, 0
  for now_ms = 0, seconds * 1000 do
    local still = {}
    for _, request in ipairs(flying) do
      if request.ends_ms > now_ms then
        still[#still + 1] = request
      elseif request.is_refused then
        refused = refused + 1
        window:refused(request.sent_ms, now_ms)
      else
        taken = taken + 1
        window:taken(request.sent_ms, now_ms)
      end
    end
    flying = still
    while window:delay_ms(#flying, now_ms) == 0 do
      longest_ms, left_ms = math.max(longest_ms, now_ms - left_ms), now_ms
      flying[#flying + 1] = {
        sent_ms = now_ms,
        ends_ms = now_ms + math.max(1, math.floor(round_trip_ms * (0.75 + math.random() / 2))),
        is_refused = refuses(now_ms),
      }
    end
  end
  return taken / seconds, refused / (taken + refused), longest_ms
end

describe("a window", function()
  it("begins with four, or with as many as there may be", function()
    for most, start in pairs { [64] = 4, [4] = 4, [3] = 3, [1] = 1 } do
      assert.equal(0, new(most):delay_ms(start - 1, 0))
      assert.equal(huge, new(most):delay_ms(start, 0))
    end
  end)

  it("grows by less than one with each request, after the first refusal", function()
    local window = new(64)
    window:refused(0, 10)
    assert.equal(2, window.limit)
    window:taken(10, 20)
    assert.equal(2 + 2 / 8, window.limit)
    for _ = 1, 100 do window:taken(10, 20) end
    local limit = window.limit
    window:taken(10, 20)
    assert.equal(limit + 1 / limit, window.limit)
  end)

  it("opens within a few round trips where nothing is refused", function()
    local window = new(64)
    local per_second = simulate(window, function() return false end, 10, 2)
    assert.equal(64, window.limit)
    assert.is_true(per_second > 0.9 * 64 * 100, per_second)
  end)

  it("never lets more through than it is told", function()
    local window = new(8)
    for i = 1, 1000 do window:taken(i, i + 5) end
    assert.equal(0, window:delay_ms(7, 2000))
    assert.equal(huge, window:delay_ms(8, 2000))
  end)

  it("halves once for all that left before, however many are refused", function()
    local window = new(64)
    for _ = 1, 60 do window:taken(0, 10) end
    assert.equal(64, window.limit)
    for _ = 1, 64 do window:refused(10, 20) end
    assert.equal(32, window.limit)
    window:refused(20, 30)
    assert.equal(16, window.limit)
  end)

  it("grows by one with each round after a refusal", function()
    local window = new(64)
    for _ = 1, 60 do window:taken(0, 10) end
    window:refused(10, 20)
    for _ = 1, 32 do window:taken(20, 30) end
    assert.is_true(window.limit > 32.9 and window.limit < 33.1, window.limit)
  end)

  it("comes back to half of where it was refused at once, after refusals in a row", function()
    local window = new(64)
    for _ = 1, 60 do window:taken(0, 10) end
    for i = 1, 5 do window:refused(10 * i, 10 * i + 10) end
    assert.equal(2, window.limit)
    for _ = 1, 30 do window:taken(60, 70) end
    assert.equal(32, window.limit)
  end)

  it("is a pause below one, of half a second at most", function()
    local window, now_ms = new(64), 0
    for _ = 1, 20 do
      window:refused(now_ms, now_ms + 10)
      now_ms = now_ms + 10
    end
    assert.is_true(window.limit < 1)
    local delay_ms = window:delay_ms(0, now_ms)
    assert.is_true(delay_ms > 400 and delay_ms <= 500, delay_ms)
    assert.equal(huge, window:delay_ms(1, now_ms))
    assert.equal(0, window:delay_ms(0, now_ms + 500))
  end)

  it("makes up in a pause for what a whole request is too much, by the round trips before", function()
    local window = new(1)
    local function pauses(ms, now_ms)
      assert.is_true(math.abs(window:delay_ms(0, now_ms) - ms) < 1e-6, window:delay_ms(0, now_ms))
    end
    window:refused(1000, 1400)
    -- A request a half second: 400 / 500 of a request at a time.
    pauses(500 - 400, 1400)
    window:taken(1500, 1740) -- a round trip of 400 - (400 - 240) / 8 ms; the limit grows by an eighth, to 0.9
    pauses(380 * (1 / 0.9 - 1), 1740)
    window:refused(2000, 2080) -- 380 - (380 - 80) / 8 ms
    pauses(500 - 342.5, 2080)
    window:refused(2300, 2342.5) -- 342.5 - (342.5 - 42.5) / 8 ms
    pauses(500 - 305, 2342.5)
    window:taken(2600, 2905) -- up to where it was refused first in a row the limit doubles
    pauses(0, 2905)
    assert.equal(1, window.limit)
  end)

  it("is no pause where a round trip takes longer than that", function()
    local window = new(64)
    for i = 1, 5 do window:refused(1000 * i, 1000 * i + 1000) end
    assert.equal(0, window:delay_ms(0, 6000))
    assert.equal(huge, window:delay_ms(1, 6000))
  end)

  it("waits as long as the server asks for, within reason", function()
    local window = new(64, 30000)
    window:refused(0, 10, 7000)
    assert.equal(7000, window:delay_ms(0, 10))
    assert.equal(0, window:delay_ms(0, 7010))
    window:refused(7010, 7020, huge)
    assert.equal(30000, window:delay_ms(0, 7020))
  end)

  -- At least this share of what the server would take, and at most this share of refusals. A limit that counts whole
  -- seconds and a slow line leave more unused.
  for _, case in ipairs {
    { "bucket", 50, 5, 0.95, 0.2 }, { "bucket", 50, 80, 0.95, 0.2 },
    { "bucket", 300, 5, 0.95, 0.25 }, { "bucket", 300, 80, 0.9, 0.1 }, { "bucket", 2000, 5, 0.95, 0.1 },
    { "second", 5, 5, 0.85, 0.35 }, { "second", 50, 5, 0.9, 0.35 }, { "second", 50, 80, 0.85, 0.3 },
    { "second", 300, 5, 0.9, 0.25 }, { "second", 300, 80, 0.75, 0.2 },
  } do
    local kind, per_second, round_trip_ms, least, most_refused = case[1], case[2], case[3], case[4], case[5]
    it(("reaches a limit of %d a second (%s, round trip %d ms)"):format(per_second, kind, round_trip_ms), function()
      math.randomseed(7)
      local reached, refused, longest_ms = simulate(new(256), servers[kind](per_second), round_trip_ms, 60)
      assert.is_true(reached >= least * per_second, reached / per_second)
      assert.is_true(refused <= most_refused, refused)
      assert.is_true(longest_ms < 1500, longest_ms)
    end)
  end
end)
