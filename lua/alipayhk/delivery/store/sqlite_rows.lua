-- What the rows of an outbox's file hold, by statement and column. SQLite keeps a value of any type in any column, and
-- its check of a file looks for no types: where bytes of it were changed, a number may be a text.

local rows = {}

local function is_whole(value)
  return type(value) == "number" and value % 1 == 0
end

local function is_text(value)
  return type(value) == "string"
end

local function or_nothing(is)
  return function(value) return value == nil or is(value) end
end

local whole_or_nothing, text_or_nothing = or_nothing(is_whole), or_nothing(is_text)

local function event(others)
  local columns = {
    id = is_whole, lane = is_whole, api = is_text, merchant_biz_no = is_text, request_id = text_or_nothing,
    status = text_or_nothing, alike = text_or_nothing, attempts = is_whole, put_ms = is_whole, lost_answer = is_whole,
    is_settling = is_whole,
  }
  for name, is in pairs(others or {}) do columns[name] = is end
  return columns
end

local LISTED = {
  id = is_whole, api = is_text, merchant_biz_no = is_text, state = is_text, attempts = is_whole, put_ms = is_whole,
  due_ms = whole_or_nothing, code = text_or_nothing, message = text_or_nothing, held_status = text_or_nothing,
}

rows.COLUMNS = {
  version = { user_version = is_whole },
  find_client_id = { client_id = is_text },
  last_id = { last_id = is_whole },
  find_lane = { id = is_whole, head = whole_or_nothing, newest_ms = whole_or_nothing, newest_status = text_or_nothing },
  find_key = { id = is_whole },
  look = { waiting = is_whole, delivery = is_whole, first_ms = whole_or_nothing, last_ms = whole_or_nothing },
  find_due = event(),
  find_behind = event { state = is_text },
  read_body = { body = text_or_nothing },
  stats = {
    waiting = is_whole, sending = is_whole, parked = is_whole, accepted = is_whole, superseded = is_whole,
    dropped = is_whole, waiting_ms = whole_or_nothing, sending_ms = whole_or_nothing,
  },
  find_parked = { lane = is_whole, head = whole_or_nothing, due_ms = whole_or_nothing, arrived_id = is_whole },
  find_ended = { id = is_whole, lane = is_whole },
  list = LISTED, list_state = LISTED, list_lane = LISTED, list_state_lane = LISTED,
}

-- The name of a column in which something else stands; nil where there is none.
function rows.fault(name, row)
  for column, is in pairs(rows.COLUMNS[name]) do
    if not is(row[column]) then return column end
  end
end

return rows
