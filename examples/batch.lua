-- Sends the orders and notifications of a file, one JSON object a line, as fast as the machine signs:
--
--     lua examples/batch.lua CONFIG.lua EVENTS.jsonl
--
-- CONFIG.lua returns the table for `alipayhk.new`. EVENTS.jsonl.done gets the number of each line that AlipayHK has
-- accepted; a second run passes those over. Exit status: 0 where everything was accepted, 1 otherwise.

local alipayhk = require "alipayhk"
local cjson = require "cjson.safe"

local config_file, events_file = arg[1], arg[2]
if not events_file then
  io.stderr:write("usage: lua batch.lua CONFIG.lua EVENTS.jsonl\n")
  os.exit(2)
end

local client, err = alipayhk.new(assert(dofile(config_file), config_file .. " returns no table"))
if not client then error(tostring(err)) end

local journal_file = events_file .. ".done"
local is_done = {}
local old = io.open(journal_file)
if old then
  for line in old:lines() do is_done[tonumber(line)] = true end
  old:close()
end
local journal = assert(io.open(journal_file, "a"))
journal:setvbuf("line") -- what was accepted is on record, whatever ends this process

local lines, next_line, skipped = io.lines(events_file), 0, 0
-- The line of each payload that has not ended, by its place in the source.
local line_of, taken = {}, 0

local function next_event()
  for text in lines do
    next_line = next_line + 1
    if is_done[next_line] or text == "" then
      skipped = skipped + 1
    else
      taken = taken + 1
      line_of[taken] = next_line
      return cjson.decode(text) or text -- what is no JSON is refused with its place
    end
  end
end

local function on_result(result)
  local line = line_of[result.index]
  line_of[result.index] = nil
  if result.response then
    journal:write(line, "\n")
  else
    io.stderr:write(("\rline %d: %s\n"):format(line, tostring(result.err)))
  end
end

local answer = os.execute("test -t 2")
local is_terminal = answer == true or answer == 0 -- 0 in Lua 5.1

local function on_progress(now)
  if not is_terminal then return end
  io.stderr:write(("\r%d accepted, %d refused, %d failed, %d under way, %.0f a second "):format(
    now.accepted, now.refused, now.failed, now.in_flight, now.per_second))
end

local totals = client:sync_many(next_event, { concurrency = 64, on_result = on_result, on_progress = on_progress })
journal:close()
client:close()
print(("%d taken, %d accepted, %d refused, %d failed, %d passed over, %.1f s"):format(
  totals.taken, totals.accepted, totals.refused, totals.failed, skipped, totals.seconds))
os.exit(totals.accepted == totals.taken and 0 or 1)
