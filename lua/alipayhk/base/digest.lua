-- A digest that is always there: all it may want for is memory, and then it throws as Lua itself does.

local core = require "alipayhk.core"

local digest = {}

-- The SHA-256 of bytes.
function digest.sha256(bytes) return core.sha256(bytes) or error("not enough memory", 0) end

return digest
