-- Says where in a text the JSON is wrong as an editor counts: by line and column.

local json_place = {}

-- Whether what is at a byte closes something, and a comma stands before it.
local function follows_comma(given, at)
  return given:find("^[}%]]", at) ~= nil and given:sub(1, at - 1):find(",[ \t\r\n]*$") ~= nil
end

-- A message of `alipayhk.base.json` about `given`, whose first line has the number `number`.
function json_place.named(message, given, number)
  local before, byte = message:match("^(.*) at byte (%d+)$")
  local at = tonumber(byte)
  if not at then return message end
  local above, breaks = given:sub(1, at - 1):gsub("[^\n]*\n", "")
  local line = given:find("\n", 1, true) and ("line %d, "):format(number + breaks) or ""
  return ("%s at %scolumn %d%s"):format(before, line, #above + 1,
    follows_comma(given, at) and ": is there a comma too many before it?" or "")
end

return json_place
