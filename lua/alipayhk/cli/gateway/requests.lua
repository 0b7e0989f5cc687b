-- What the local gateway writes of each request, as lines for people or as objects.

local json = require "alipayhk.base.json"
local platform = require "alipayhk.api.platform"
local text = require "alipayhk.base.text"
local time = require "alipayhk.base.time"

local requests = {}

local Reader = {}
Reader.__index = Reader

-- A reader of the file that grows.
function requests.open(path)
  return setmetatable({ path = path, file = assert(io.open(path, "rb")), rest = "" }, Reader)
end

-- One line, nil while there is no whole one.
local function next_line(self)
  local line, rest = self.rest:match("^([^\n]*)\n(.*)$")
  if line then
    self.rest = rest
    return line
  end
  self.file:seek("cur") -- forgets that the end was seen
  local more = self.file:read(65536)
  if not more then return nil end
  self.rest = self.rest .. more
  return next_line(self)
end

-- The next request; nil while there is none.
function Reader:next()
  local line = next_line(self)
  local entry = line and json.decode_object(line)
  if not (entry and entry.rotated) then return entry end
  local file = io.open(self.path, "rb")
  if not file then return nil end
  self.file:close()
  self.file, self.rest = file, ""
  return self:next()
end

function Reader:close()
  self.file:close()
end

-- ---- showing ------------------------------------------------------------------------------------------

local COLOURS = { S = "green", F = "red", U = "yellow" }
local FAULTS = { fail = "failed on purpose", drop = "dropped on purpose" }
local FIELD_MAX, MESSAGE_MAX = 64, 160

local function shown(value, max)
  return text.shown(tostring(value or "-"), max or FIELD_MAX)
end

local function object_of(entry)
  return {
    { "time", time.text(entry.at_ms / 1000, platform.utc_offset) }, { "api", entry.api }, { "path", entry.path },
    { "merchant_biz_no", entry.merchant_biz_no }, { "status", entry.status }, { "http_status", entry.http_status },
    { "result_code", entry.result_code }, { "result_status", entry.result_status }, { "message", entry.message },
    { "fault", entry.fault }, { "ms", entry.ms },
  }
end

-- What came of it, and what is to be said about that.
local function outcome(entry)
  if entry.fault == "drop" then return "no answer", FAULTS.drop end
  if not entry.result_code then return "HTTP " .. shown(entry.http_status), FAULTS[entry.fault] or "" end
  local message = entry.result_status ~= "S" and shown(entry.message, MESSAGE_MAX) or ""
  return shown(entry.result_code), FAULTS[entry.fault] or message
end

local function line_of(out, entry)
  local code, message = outcome(entry)
  local line = ("%s  %-13s  %-20s  %-12s  %s  %5s ms"):format(os.date("%H:%M:%S", math.floor(entry.at_ms / 1000)),
    shown(entry.api or entry.path), shown(entry.merchant_biz_no), shown(entry.status),
    out:paint(COLOURS[entry.result_status] or "yellow", ("%-24s"):format(code)), shown(entry.ms))
  return message ~= "" and line .. "  " .. out:paint("dim", message) or line
end

function requests.show(out, entry)
  out:result(object_of(entry), not out.is_json and line_of(out, entry) or nil)
end

return requests
