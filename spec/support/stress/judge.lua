-- What a stress driver takes a call's results for.

local stress = require "stress"

local judge = {}

local MESSAGE_MAX = 1024

-- The text of a failure that pcall gave: thrown, or nil with a message or a table that holds one. nil for a success.
function judge.failure(ok, first, second)
  if not ok then return first end
  if first ~= nil then return nil end
  if type(second) == "table" then return second.message end
  return second
end

-- What is wrong with a message, or nil.
function judge.complaint(message)
  if type(message) ~= "string" then return "its message is a " .. type(message) end
  if message == "" then return "its message is empty" end
  if message:find("no reason given", 1, true) then return "nothing is said of it" end -- as an ahk_error begins
  if #message > MESSAGE_MAX then return "its message has " .. ("%d"):format(#message) .. " bytes" end
  if message:find("[^\32-\126]") then return "its message holds what nobody wrote" end
  return nil
end

-- Words of an error that blame something else than what failed.
local ASTRAY = {
  "has no P-224", "has 0 bits", "unsound", "holds no", "no key", "is truncated", "not a database", "others have held",
}

-- What is wrong with an error when something failed, or nil. `struck`: what that was.
function judge.blame(made, struck, message, failure)
  if made.refused then return nil end
  for _, words in ipairs(ASTRAY) do
    if message:find(words, 1, true) then return "says " .. message end
  end
  if not stress.worlds[struck] then return nil end
  -- Of a disk that cannot be read SQLite says so, too.
  if message:find("damaged", 1, true) then return "says " .. message end
  -- libcurl has the same word for a line of the head that is too long.
  if type(failure) == "table" and failure.code == "too_large" and not message:find("memory is short", 1, true) then
    return "is too_large: " .. message
  end
end

-- A text for a person, whatever the bytes.
function judge.shown(value)
  return (tostring(value):sub(1, 200):gsub("[^\32-\126]", function(byte) return ("\\x%02x"):format(byte:byte()) end))
end

local function dump(value, skipped)
  -- How long something took stands in some messages.
  if type(value) ~= "table" then return type(value) .. " " .. tostring(value):gsub("%d+ ms", "N ms") end
  local lines = {}
  for key, field in pairs(value) do
    if not skipped[key] then lines[#lines + 1] = tostring(key) .. "=" .. dump(field, skipped) end
  end
  table.sort(lines)
  return "{" .. table.concat(lines, ",") .. "}"
end

-- Results as one string that can be compared; `skipped` names the fields that differ from time to time.
function judge.dump(skipped, ...)
  local list = {}
  for i = 1, select("#", ...) do list[i] = dump((select(i, ...)), skipped) end
  return table.concat(list, "; ")
end

return judge
