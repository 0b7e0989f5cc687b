-- How old a call from AlipayHK may be, where the caller says so.

local calls = require "spec.support.doubles.calls"
local keys = require "spec.support.data.keys"
local receiver = require "spec.support.doubles.receiver"
local shell = require "spec.support.shell"

local NOW = receiver.NOW

-- The same instant as GNU date knows it.
local function epoch(utc)
  return tonumber((shell.must("date -u -d " .. shell.quote(utc) .. " +%s")))
end

describe("the age of a call", function()
  local clock = NOW
  local dated = receiver.client { now = function() return clock end }
  local MINUTE = { max_age_ms = 60000 }
  local TIME = "2024-05-22T06:42:21Z"
  local call = calls.make { time = TIME }

  local function fits(seconds, opts, given)
    clock = seconds
    return receiver.taken(dated, given or call, opts)
  end

  local function stale(seconds, opts, given)
    clock = seconds
    return receiver.refused("signature", "stale", dated, given or call, opts)
  end

  it("does not matter where none is asked for", function()
    fits(NOW + 1e8)
    fits(NOW + 1e8, {})
  end)

  it("may be anything up to max_age_ms", function()
    for _, seconds in ipairs { -59, -1, 0, 0.5, 1, 59 } do fits(NOW + seconds, MINUTE) end
  end)

  it("may not be more, in the past or in the future", function()
    for _, seconds in ipairs { -1e8, -3600, -61, 61, 3600, 1e8 } do stale(NOW + seconds, MINUTE) end
  end)

  it("may be max_age_ms to the millisecond, which may be none", function()
    for _, seconds in ipairs { -60, 60 } do fits(NOW + seconds, MINUTE) end
    fits(NOW, { max_age_ms = 0 })
    stale(NOW + 0.5, { max_age_ms = 0 })
  end)

  it("is counted in milliseconds", function()
    fits(NOW + 0.4, { max_age_ms = 500 })
    stale(NOW + 0.6, { max_age_ms = 500 })
  end)

  -- A time that nobody signed says nothing.
  it("is not looked at before the signature", function()
    clock = NOW + 1e6
    local forged = calls.make { time = TIME, key = keys.pair("stranger").private }
    receiver.refused("signature", "wrong", dated, forged, MINUTE)
  end)

  -- As written, and as GNU date is to read it.
  local FORMS = {
    { "2024-05-22T06:42:21Z", "2024-05-22 06:42:21" },
    { "2024-05-22T14:42:21+08:00", "2024-05-22 06:42:21" },
    { "2024-05-22T14:42:21+0800", "2024-05-22 06:42:21" },
    { "2024-05-22T01:12:21-05:30", "2024-05-22 06:42:21" },
    { "2024-05-22T06:42:21+00:00", "2024-05-22 06:42:21" },
    { "2024-05-22T06:42:21-00:00", "2024-05-22 06:42:21" },
    { "2024-05-22T20:42:21+14:00", "2024-05-22 06:42:21" },
    { "2024-05-22T14:42:21+08", "2024-05-22 06:42:21" },
    { "2024-05-22T06:42:21.5Z", "2024-05-22 06:42:21" },
    { "2024-05-22T14:42:21,123+08:00", "2024-05-22 06:42:21" },
    { "1716360141000", "2024-05-22 06:42:21" },
    { "1716360141999", "2024-05-22 06:42:21" },
    { "Wed, 22 May 2024 06:42:21 GMT", "2024-05-22 06:42:21" },
    { "Wednesday, 22-May-24 06:42:21 GMT", "2024-05-22 06:42:21" },
    { "Wed May 22 06:42:21 2024", "2024-05-22 06:42:21" },
    { "2024-05-22T06:42:21.123+00:00", "2024-05-22 06:42:21" },
    { "2024-05-22T14:42:21.999999999+08:00", "2024-05-22 06:42:21" },
    { "2024-01-01T00:00:00Z", "2024-01-01 00:00:00" },
    { "2024-01-01T00:00:00+08:00", "2023-12-31 16:00:00" },
    { "2023-12-31T23:59:59-05:30", "2024-01-01 05:29:59" },
    { "2023-12-31T23:59:59Z", "2023-12-31 23:59:59" },
    { "2024-02-29T23:59:59Z", "2024-02-29 23:59:59" },
    { "2024-03-01T00:00:00Z", "2024-03-01 00:00:00" },
    { "2024-03-01T07:59:59+08:00", "2024-02-29 23:59:59" },
    { "2023-02-28T23:59:59Z", "2023-02-28 23:59:59" },
    { "2023-03-01T00:00:00Z", "2023-03-01 00:00:00" },
    { "2000-02-29T12:00:00Z", "2000-02-29 12:00:00" },
    { "2100-02-28T23:59:59Z", "2100-02-28 23:59:59" },
    { "2100-03-01T00:00:00Z", "2100-03-01 00:00:00" },
    { "2038-01-19T03:14:08Z", "2038-01-19 03:14:08" },
    { "1970-01-01T00:00:59Z", "1970-01-01 00:00:59" },
    { "2024-12-31T12:00:00Z", "2024-12-31 12:00:00" },
    -- A leap second.
    { "2016-12-31T23:59:60Z", "2017-01-01 00:00:00" },
  }
  for _, form in ipairs(FORMS) do
    it("is that of " .. form[1], function()
      local seconds, given = epoch(form[2]), calls.make { time = form[1] }
      fits(seconds, { max_age_ms = 1200 }, given)
      stale(seconds + 5, { max_age_ms = 1200 }, given)
      stale(seconds - 5, { max_age_ms = 1200 }, given)
    end)
  end

  it("is right on the first and the last day of every month of four years", function()
    local count, first = 0, epoch "2023-01-01 00:00:00"
    for day = 0, 4 * 365 do
      local seconds = first + day * 86400
      if os.date("!*t", seconds).day == 1 or os.date("!*t", seconds + 86400).day == 1 then
        fits(seconds, { max_age_ms = 500 }, calls.make { time = os.date("!%Y-%m-%dT%H:%M:%SZ", seconds) })
        count = count + 1
      end
    end
    assert.equal(96, count)
  end)

  local UNREADABLE = {
    "yesterday", "1716360141", "17163601410000", "Thu, 22 May 2024 06:42:21 GMT", "2024-W21-3T06:42:21Z",
    "2024-05-22", "06:42:21Z", "2024-05-22T06:42:21", "2024-05-22 06:42:21Z", "2024-05-22T06:42Z",
    "24-05-22T06:42:21Z", "2024-5-22T06:42:21Z", "x2024-05-22T06:42:21Z", "-2024-05-22T06:42:21Z",
    "2024-05-22T06:42:21Zulu", "2024-05-22T06:42:21Z+08:00", "2024-05-22T06:42:21+8",
    "2024-05-22T06:42:21+08:00:00", "2024-05-22T06:42:21..5Z", "2024-05-22T06:42:215Z",
    "2024-13-01T00:00:00Z", "2024-00-01T00:00:00Z", "2024-05-32T00:00:00Z", "2024-05-00T00:00:00Z",
    "2024-05-22T25:00:00Z", "2024-05-22T24:00:00Z", "2024-05-22T06:60:21Z", "2024-05-22T06:42:61Z",
    "2024-05-22T06:42:21+08:99", "2024-05-22T06:42:21+24:00", "2024-02-30T06:42:21Z", "2024-04-31T06:42:21Z",
    "2024-06-31T06:42:21Z", "2024-09-31T06:42:21Z", "2024-11-31T06:42:21Z",
  }
  for _, time in ipairs(UNREADABLE) do
    it(("cannot be told of %q, so it is too old"):format(time), function()
      local message = stale(NOW, { max_age_ms = 1e15 }, calls.make { time = time }).message
      assert.matches("cannot be read: " .. time, message, 1, true)
    end)
  end

  it("is named in the message", function()
    local message = stale(NOW + 3600, MINUTE).message
    assert.matches("3600", message, 1, true)
    assert.matches("60", message, 1, true)
    assert.matches("this machine's clock", message, 1, true)
  end)
end)
