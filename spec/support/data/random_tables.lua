-- Random nested tables, the same for the same seed under every Lua.
--
--     local random = random_tables.new(20240524)
--     random:table(words)       anything that a table may hold
--     random:json_table(words)  what JSON can carry, whole numbers below 2^46 and no empty tables

local cjson = require "cjson"

local Random = {}
Random.__index = Random

local DEPTH_MAX = 4

local ODDITIES = {
  function() return 0 / 0 end,
  function() return 1 / 0 end,
  function() return 2 ^ 53 + 2 end,
  function() return 0.1 + 0.2 end,
  function() return -1 end,
  function() return "\255\254" end,
  function() return "line\nbreak\0" end,
  function() return cjson.null end,
  function() return io.stdout end,
  function() return print end,
  function() return coroutine.create(function() end) end,
  function() return ("x"):rep(70) end,
}

function Random:below(n)
  self.state = self.state * 16807 % 2147483647
  return self.state % n
end

function Random:pick(list)
  return list[self:below(#list) + 1]
end

local PLAIN = {
  function(self) return self:below(2147483647) * self:below(32768) end,
  function(self) return self:below(1000) / 8 end,
  function(self) return self:below(2) == 1 end,
  function(self) return ("漢x "):rep(self:below(4)) end,
  function(self, words) return self:pick(words) end,
}

function Random:value(words, depth)
  if depth < DEPTH_MAX and self:below(3) == 0 then return self:table(words, depth + 1) end
  if self:below(2) == 0 then return self:pick(ODDITIES)() end
  return self:pick(PLAIN)(self, words)
end

local KEYS = {
  function(self, words) return self:pick(words) end,
  function(self, words) return self:pick(words) end,
  function(self, words) return self:pick(words):lower() end,
  function(self) return self:below(4) end,
  function(self) return self:below(2) == 1 end,
  function(self) return self:below(1000) / 8 end,
  function() return "\255\n" end,
  function() return {} end,
}

function Random:table(words, depth)
  local made = {}
  for _ = 1, self:below(8) do made[self:pick(KEYS)(self, words)] = self:value(words, depth or 1) end
  return made
end

function Random:json_table(words, depth)
  local made, is_list = {}, self:below(3) == 0
  depth = depth or 1
  for i = 1, 1 + self:below(5) do
    made[is_list and i or self:pick(words)] = depth < DEPTH_MAX and self:below(3) == 0
      and self:json_table(words, depth + 1) or self:pick(PLAIN)(self, words)
  end
  return made
end

return {
  new = function(seed) return setmetatable({ state = seed }, Random) end,
}
