-- What of the input is still to be sent, by a journal of what was accepted before.

local api = require "alipayhk.api"
local digest = require "alipayhk.cli.digest"
local json = require "alipayhk.base.json"
local platform = require "alipayhk.api.platform"

local resume = {}

-- What makes an entry one of an order: of one API, that is.
local function describe(entry)
  local payload = entry.payload
  entry.description = payload and api.of(payload)
  if not payload then return end
  entry.biz_no = json.id_text(payload[platform.identity.merchant_biz_no])
  if not entry.description then
    entry.message = api.none_fault "it"
  elseif entry.biz_no then
    entry.order = entry.description.name .. "\0" .. entry.biz_no
  end
end

-- The entries of a source, described, with their numbers from 1 on and, where there is a journal, their marks.
local function described(source, has_marks)
  local next_entry, number, position = source:payloads(), 0, 0
  return function()
    local entry = next_entry()
    if not entry then return nil end
    describe(entry)
    local at = source:position()
    number = number + 1
    entry.number, entry.bytes, position = number, at - position, at
    entry.mark = has_marks and entry.payload and digest.of(entry.payload) or nil
    return entry
  end
end

-- By order: the number of the last entry that was accepted. By the files as they are now: lines may have come, gone or
-- moved since.
local function find_last(source, journal)
  local last, was_accepted = {}, journal:reader()
  source:keep()
  for entry in described(source, true) do
    if entry.mark and was_accepted(entry.mark) and entry.order then last[entry.order] = entry.number end
  end
  source:rewind()
  return last
end

-- Without a time of its own it would be sent with that of now, and AlipayHK would take it for the newest.
local function is_overtaken(entry, last)
  local accepted = entry.order and last[entry.order]
  return accepted and entry.number < accepted and entry.payload[entry.description.sequence_field] == nil
end

-- An iterator over the entries of a source, an `alipayhk.cli.input`: each has `state`
--
--   nil           to be sent
--   "broken"      `message` says why
--   "accepted"    by the journal, and not to be sent again
--   "overtaken"   a later one of its order was accepted
--
-- and `description`, that of its API; `biz_no`; `mark`, for the journal; `bytes`, what it takes of the source.
function resume.entries(source, journal)
  local last, was_accepted = {}, nil
  if journal and not journal:is_empty() then last, was_accepted = find_last(source, journal), journal:reader() end
  local next_entry = described(source, journal ~= nil)
  return function()
    local entry = next_entry()
    if not entry then return nil end
    if entry.message then
      entry.state = "broken"
    elseif was_accepted and was_accepted(entry.mark) then
      entry.state = "accepted"
    elseif is_overtaken(entry, last) then
      entry.state = "overtaken"
    end
    return entry
  end
end

return resume
