-- What ends a command: thrown where it is found, and printed as one line by `alipayhk.cli`.

local text = require "alipayhk.base.text"

local Failure = {}
Failure.__index = Failure

function Failure:__tostring()
  return text.one_line(self.message)
end

local failure = {
  -- The command's exit statuses.
  STATUS = { ok = 0, refused = 1, usage = 2, unknown = 3 },
}

-- The status for each kind of the library's errors: wrong usage or config; could not be reached, or outcome unknown.
local OF_KIND = {
  config = failure.STATUS.usage, invalid = failure.STATUS.refused, crypto = failure.STATUS.usage,
  transport = failure.STATUS.unknown, http = failure.STATUS.unknown, signature = failure.STATUS.unknown,
  decrypt = failure.STATUS.unknown, protocol = failure.STATUS.unknown, store = failure.STATUS.unknown,
}

-- The status for one of the library's errors. Of a `result` it is known what AlipayHK did, if it is an F.
function failure.status_of(err)
  if err.kind ~= "result" then return OF_KIND[err.kind] or failure.STATUS.unknown end
  local result = err.response and err.response.result
  return result and result.resultStatus == "F" and failure.STATUS.refused or failure.STATUS.unknown
end

local function throw(status, message)
  error(setmetatable({ status = status, message = message }, Failure), 0)
end

-- Ends the command for wrong usage: `message`, a format with its arguments, says what to do.
function failure.usage(message, ...)
  throw(failure.STATUS.usage, message:format(...))
end

-- Ends it because what was asked for is refused, or is not there.
function failure.refused(message, ...)
  throw(failure.STATUS.refused, message:format(...))
end

-- Ends it because something cannot be reached, or it is unknown what became of it.
function failure.unknown(message, ...)
  throw(failure.STATUS.unknown, message:format(...))
end

-- Ends it for one of the library's errors.
function failure.of(err)
  throw(failure.status_of(err), (tostring(err):gsub("^alipayhk: ", "")))
end

-- What a function of the library gave, where it is not nil: else ends the command for its error.
function failure.check(value, err, ...)
  if value == nil then failure.of(err) end
  return value, err, ...
end

function failure.is(thrown)
  return getmetatable(thrown) == Failure
end

return failure
