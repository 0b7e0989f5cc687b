-- Times as texts, judged by GNU date.

local core = require "alipayhk.core"
local shell = require "spec.support.shell"
local platform = require "alipayhk.api.platform"
local time = require "alipayhk.base.time"

-- The same instants as GNU date knows them, a line each.
local function epochs(texts)
  local path = os.tmpname()
  shell.write(path, table.concat(texts, "\n") .. "\n")
  local output = shell.must("LC_ALL=C TZ=UTC date -f " .. path .. " +%s")
  os.remove(path)
  local seconds = {}
  for line in output:gmatch("%S+") do seconds[#seconds + 1] = tonumber(line) end
  assert.equal(#texts, #seconds)
  return seconds
end

describe("a time is read", function()
  -- As it comes, as GNU date is to read it, and its fraction.
  local FORMS = {
    { "2024-05-22T06:42:21Z" },
    { "2024-05-22T14:42:21+08:00" },
    { "2024-05-22T14:42:21+0800" },
    { "2024-05-22T14:42:21+08", "2024-05-22T14:42:21+0800" },
    { "2024-05-22T01:42:21-05", "2024-05-22T01:42:21-0500" },
    { "2024-05-22T01:12:21-05:30" },
    { "2024-05-22T06:42:21-00:00" },
    { "2024-05-22T06:42:21.5Z", nil, 0.5 },
    { "2024-05-22T06:42:21,5Z", nil, 0.5 },
    { "2024-05-22T14:42:21,123+08:00", nil, 0.123 },
    { "2024-05-22T14:42:21.123+08", "2024-05-22T14:42:21+0800", 0.123 },
    { "2024-05-22T14:42:21.0625000000001+0800", "2024-05-22T14:42:21+0800", 0.0625 },
    { "1716360141000", "2024-05-22T06:42:21Z" },
    { "1716360141123", "2024-05-22T06:42:21Z", 0.123 },
    { "1000000000000", "2001-09-09T01:46:40Z" },
    { "Wed, 22 May 2024 06:42:21 GMT" },
    { "Sun, 06 Nov 1994 08:49:37 GMT" },
    { "Sunday, 06-Nov-94 08:49:37 GMT", "1994-11-06T08:49:37Z" },
    { "Wednesday, 22-May-24 06:42:21 GMT", "2024-05-22T06:42:21Z" },
    { "Sun Nov  6 08:49:37 1994", "1994-11-06T08:49:37Z" },
    { "Wed May 22 06:42:21 2024", "2024-05-22T06:42:21Z" },
    { "Thu, 29 Feb 2024 23:59:59 GMT" },
    { "Thu, 01 Jan 1970 00:00:00 GMT" },
    -- Leap seconds, which GNU date has not.
    { "2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z" },
    { "2017-01-01T07:59:60+08:00", "2017-01-01T00:00:00Z" },
    { "Sat, 31 Dec 2016 23:59:60 GMT", "2017-01-01T00:00:00Z" },
  }
  local wanted = {}
  for i, form in ipairs(FORMS) do wanted[i] = form[2] or form[1]:gsub("[.,]%d+([Z+-])", "%1") end
  wanted = epochs(wanted)
  for i, form in ipairs(FORMS) do
    it("in the form " .. form[1], function()
      local seconds = time.read(form[1])
      assert.is_number(seconds)
      assert.is_true(math.abs(seconds - wanted[i] - (form[3] or 0)) < 1e-6)
    end)
  end

  it("on every day of four centuries, in every form", function()
    local FORMATS = { "!%Y-%m-%dT%H:%M:%SZ", "!%a, %d %b %Y %H:%M:%S GMT", "!%a %b %e %H:%M:%S %Y" }
    for day = 0, 400 * 366, 13 do
      local seconds = day * 86400 + day % 86400
      for _, format in ipairs(FORMATS) do assert.equal(seconds, time.read((os.date(format, seconds)))) end
    end
  end)

  it("within fifty years of now where the year has two digits", function()
    local year = tonumber(os.date("!%Y"))
    for _, away in ipairs { -49, -20, -1, 0, 1, 20, 49 } do
      local seconds = epochs { ("%d-06-15T12:00:00Z"):format(year + away) }[1]
      assert.equal(seconds, time.read((os.date("!%A, %d-%b-%y %H:%M:%S GMT", seconds))))
    end
  end)
end)

describe("no time is", function()
  local NONE = {
    "", " ", "yesterday", "now", "-1", "0", "1716360141", "171636014100", "17163601410000", "0716360141000",
    "1716360141.123", "1716360141000 ", " 1716360141000", "1.71636e12", "0x18f9f3f4a88",
    "2024-W21-3T06:42:21Z", "2024-05-22", "06:42:21Z", "2024-05-22T06:42:21", "2024-05-22 06:42:21Z",
    "2024-05-22T06:42Z", "2024-05-22t06:42:21z", "24-05-22T06:42:21Z", "2024-5-22T06:42:21Z",
    "2024-05-22T06:42:21Zulu", "2024-05-22T06:42:21Z+08:00", "2024-05-22T06:42:21+8", "2024-05-22T06:42:21+080",
    "2024-05-22T06:42:21+08:", "2024-05-22T06:42:21+08:0", "2024-05-22T06:42:21+08:00:00", "2024-05-22T06:42:21 +08",
    "2024-05-22T06:42:21..5Z", "2024-05-22T06:42:21,Z", "2024-05-22T06:42:21.,5Z", "2024-05-22T06:42:21,5,5Z",
    "2024-05-22T06:42:215Z", "2024-13-01T00:00:00Z", "2024-00-01T00:00:00Z", "2024-05-32T00:00:00Z",
    "2024-05-00T00:00:00Z", "2024-05-22T24:00:00Z", "2024-05-22T06:60:21Z", "2024-05-22T06:42:61Z",
    "2024-05-22T06:42:21+08:60", "2024-05-22T06:42:21+24", "2024-02-30T06:42:21Z", "2023-02-29T06:42:21Z",
    "2100-02-29T06:42:21Z", "2024-04-31T06:42:21Z", "2024-05-22T06:42:21Z\n",
    "Tue, 22 May 2024 06:42:21 GMT", "Wed, 22 May 2024 06:42:21", "Wed, 22 May 2024 06:42:21 UTC",
    "Wed, 22 May 2024 06:42:21 +0800", "Wed, 22 Mai 2024 06:42:21 GMT", "wed, 22 may 2024 06:42:21 gmt",
    "Wed, 31 Apr 2024 06:42:21 GMT", "Wed, 22 May 2024 24:42:21 GMT", "Wed, 2 May 2024 06:42:21 GMT",
    "Wed 22 May 2024 06:42:21 GMT", "Xyz, 22 May 2024 06:42:21 GMT", "Wed, 22-May-24 06:42:21 GMT",
    "Wednesday, 22-May-2024 06:42:21 GMT", "Tuesday, 22-May-24 06:42:21 GMT", "Tue May 22 06:42:21 2024",
    "Wed May 32 06:42:21 2024", ("1"):rep(100000),
  }
  for _, text in ipairs(NONE) do
    it(("%q"):format(text:sub(1, 60)), function() assert.is_nil(time.read(text)) end)
  end
end)

describe("a time is written", function()
  it("as GNU date reads it, and as we do", function()
    for _, seconds in ipairs { 0, 1716360141, 1716360141.999, 4102444799, math.floor(core.now()) } do
      local text = time.text(seconds, platform.utc_offset)
      assert.matches("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%+08:00$", text)
      assert.equal(math.floor(seconds), epochs({ text })[1])
      assert.equal(math.floor(seconds), time.read(text))
    end
  end)
end)
