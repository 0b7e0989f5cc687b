-- The SQL of the outbox's store, by name. What a partial index asks for stands in a query word for word, or follows
-- from a comparison: otherwise SQLite would read the whole table.

local statements = {
  begin = "BEGIN IMMEDIATE",
  commit = "COMMIT",
  version = "PRAGMA user_version",

  -- ---- the outbox ----------------------------------------------------------------------------------

  -- Whose it is: of who came first.
  take_outbox = "INSERT OR IGNORE INTO outbox (id, client_id) VALUES (1, ?1)",
  find_client_id = "SELECT client_id FROM outbox WHERE id = 1",
  count = [[
    UPDATE outbox SET waiting = waiting + ?1, sending = sending + ?2, parked = parked + ?3, accepted = accepted + ?4,
      superseded = superseded + ?5, dropped = dropped + ?6
    WHERE id = 1
  ]],

  -- ---- put -----------------------------------------------------------------------------------------

  last_id = "SELECT last_id FROM outbox WHERE id = 1",
  count_put = "UPDATE outbox SET waiting = waiting + ?1, last_id = ?2 WHERE id = 1",
  find_lane = "SELECT id, head, newest_ms, newest_status FROM lane WHERE merchant_biz_no = ?1 AND api = ?2",
  add_lane = [[
    INSERT INTO lane (merchant_biz_no, api, newest_ms, newest_status, head, due_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
  ]],
  extend_lane = "UPDATE lane SET newest_ms = coalesce(?2, newest_ms), newest_status = ?3 WHERE id = ?1",
  find_key = "SELECT id FROM event WHERE lane = ?1 AND key = ?2",
  add_event = [[
    INSERT INTO event (id, lane, state, put_ms, due_ms, key, request_id, status, alike, body)
    VALUES (?1, ?2, 'waiting', ?3, ?4, ?5, ?6, ?7, ?8, ?9)
  ]],

  -- ---- delivery ------------------------------------------------------------------------------------

  begin_delivery = "UPDATE outbox SET delivery = delivery + 1 WHERE id = 1",
  -- At their old times: they go before those that came later.
  recover_lanes = [[
    UPDATE lane SET due_ms = (SELECT due_ms FROM event WHERE id = lane.head), arrived_id = max(arrived_id, head)
    WHERE id IN (SELECT lane FROM event WHERE state = 'sending')
  ]],
  recover_events = "UPDATE event SET state = 'waiting', lost_answer = 1 WHERE state = 'sending'",
  look = [[
    SELECT waiting, delivery,
      (SELECT due_ms FROM lane WHERE due_ms IS NOT NULL ORDER BY due_ms LIMIT 1) AS first_ms,
      (SELECT due_ms FROM lane WHERE due_ms IS NOT NULL ORDER BY due_ms DESC LIMIT 1) AS last_ms
    FROM outbox WHERE id = 1
  ]],
  -- What is due after ?1 is due now, ?2.
  clamp = "UPDATE lane SET due_ms = ?2 WHERE id IN (SELECT id FROM lane WHERE due_ms > ?1 ORDER BY due_ms LIMIT ?3)",

  -- ---- what became of events -----------------------------------------------------------------------

  -- ?4: when it is due again. One that is not keeps the time that it was due at.
  record = [[
    UPDATE event SET state = ?2, attempts = attempts - coalesce(?3, 0), due_ms = coalesce(?4, due_ms),
      ended_ms = CASE ?2 WHEN 'accepted' THEN ?5 END, lost_answer = lost_answer OR coalesce(?6, 0),
      is_settling = is_settling OR coalesce(?7, 0), code = ?8, message = ?9, held_status = ?10,
      body = CASE ?2 WHEN 'accepted' THEN NULL ELSE body END
    WHERE id = ?1 AND state = 'sending'
  ]],
  note_arrived = "UPDATE lane SET arrived_id = max(arrived_id, ?2) WHERE id = ?1",
  set_head = "UPDATE lane SET head = ?2, due_ms = ?3 WHERE id = ?1",
  -- The next one that waits becomes the head, behind the lanes that are due already. (With a plus no index is used.)
  advance_lane = [[
    UPDATE lane SET (head, due_ms) =
      (SELECT id, max(due_ms, ?3) FROM event WHERE lane = ?1 AND id > ?2 AND +state = 'waiting' ORDER BY id LIMIT 1)
    WHERE id = ?1
  ]],

  -- ---- what goes next ------------------------------------------------------------------------------

  find_due = [[
    SELECT event.id, lane, api, merchant_biz_no, request_id, status, alike, attempts, put_ms, lost_answer, is_settling
    FROM lane JOIN event ON event.id = lane.head
    WHERE lane.due_ms <= ?1 ORDER BY lane.due_ms LIMIT ?2
  ]],
  find_behind = [[
    SELECT event.id, lane, api, merchant_biz_no, request_id, status, alike, attempts, put_ms, lost_answer, is_settling,
      state
    FROM event JOIN lane ON lane.id = event.lane WHERE event.lane = ?1 AND event.id > ?2 ORDER BY event.id LIMIT 1
  ]],
  supersede = "UPDATE event SET state = 'superseded', ended_ms = ?2, body = NULL WHERE id = ?1",
  claim = "UPDATE event SET state = 'sending', attempts = attempts + 1 WHERE id = ?1",
  read_body = "SELECT body FROM event WHERE id = ?1",

  -- ---- what people ask and do ----------------------------------------------------------------------

  stats = [[
    SELECT waiting, sending, parked, accepted, superseded, dropped,
      (SELECT put_ms FROM event WHERE state = 'waiting' ORDER BY id LIMIT 1) AS waiting_ms,
      (SELECT put_ms FROM event WHERE state = 'sending' ORDER BY id LIMIT 1) AS sending_ms
    FROM outbox WHERE id = 1
  ]],
  find_parked = [[
    SELECT lane, head, lane.due_ms, arrived_id FROM event JOIN lane ON lane.id = event.lane
    WHERE event.id = ?1 AND state = 'parked'
  ]],
  -- As it was put.
  unpark = "UPDATE event SET state = 'waiting', due_ms = ?2, lost_answer = 0, is_settling = 0 WHERE id = ?1",
  drop = "UPDATE event SET state = 'dropped', ended_ms = ?2, body = NULL WHERE id = ?1 AND state = 'parked'",
  find_ended = "SELECT id, lane FROM event WHERE state = ?1 AND id > ?2 AND ended_ms <= ?3 ORDER BY id LIMIT ?4",
  forget_event = "DELETE FROM event WHERE id = ?1",
  forget_lane = [[
    DELETE FROM lane WHERE id = ?1 AND NOT EXISTS (SELECT * FROM event WHERE lane = ?1)
  ]],
}

-- What a list may ask for, and so which index is read. ?1: the id after which it begins, ?2: the state, ?3:
-- merchant_biz_no, ?4: how many.
local LIST = [[
  SELECT event.id, api, merchant_biz_no, state, attempts, put_ms, event.due_ms, code, message, held_status
  FROM event JOIN lane ON lane.id = event.lane
  WHERE event.id > ?1%s AND ?2 IS ?2 AND ?3 IS ?3 ORDER BY event.id LIMIT ?4
]]
statements.list = LIST:format("")
statements.list_state = LIST:format(" AND state = ?2")
statements.list_lane = LIST:format(" AND merchant_biz_no = ?3")
statements.list_state_lane = LIST:format(" AND merchant_biz_no = ?3 AND +state = ?2")

return statements
