-- Shows the bytes that are signed so that a person can compare them.

local NAMES = { ["\n"] = "<LF>\n", ["\r"] = "<CR>", ["\t"] = "<TAB>", ["\127"] = "<DEL>" }

-- A content with its control characters by name, a line break also as one.
return function(content)
  return (content:gsub("[%z\1-\31\127]", function(c) return NAMES[c] or ("<%02X>"):format(c:byte()) end))
end
