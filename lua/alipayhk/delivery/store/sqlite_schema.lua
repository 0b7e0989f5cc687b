-- The tables of an outbox in SQLite, and how a file of an older version becomes one of this.

local schema = {}

-- Marks a file as an outbox: "AHKO" in ASCII.
schema.APPLICATION_ID = 0x41484B4F

-- By version: what makes a file of it out of one of the version before; version 0 is empty. What has been released is
-- never changed: a new version is a new entry.
--
-- `outbox` has one row: `last_id`, of the newest event, so that no id comes twice, whatever was purged; `delivery`, how
-- often somebody began to deliver; and how many events there are in each state. `lane.head` is the oldest event of a
-- lane that waits or is under way; `lane.due_ms` is when it may go, NULL where it is under way, or where there is none;
-- `lane.arrived_id` is the newest one that was accepted, or may have arrived. `event.body`, which has personal data in
-- it, is kept for as long as it may be sent.
schema.STEPS = {
  [[
    CREATE TABLE outbox (
      id INTEGER PRIMARY KEY CHECK (id = 1), client_id TEXT NOT NULL,
      last_id INTEGER NOT NULL DEFAULT 0,
      delivery INTEGER NOT NULL DEFAULT 0,
      waiting INTEGER NOT NULL DEFAULT 0, sending INTEGER NOT NULL DEFAULT 0, parked INTEGER NOT NULL DEFAULT 0,
      accepted INTEGER NOT NULL DEFAULT 0, superseded INTEGER NOT NULL DEFAULT 0, dropped INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE lane (
      id INTEGER PRIMARY KEY, merchant_biz_no TEXT NOT NULL, api TEXT NOT NULL,
      newest_ms INTEGER, newest_status TEXT,
      arrived_id INTEGER NOT NULL DEFAULT 0,
      head INTEGER, due_ms INTEGER,
      UNIQUE (merchant_biz_no, api)
    );
    CREATE INDEX lane_due ON lane (due_ms) WHERE due_ms IS NOT NULL;
    CREATE TABLE event (
      id INTEGER PRIMARY KEY, lane INTEGER NOT NULL, state TEXT NOT NULL,
      put_ms INTEGER NOT NULL, due_ms INTEGER NOT NULL, ended_ms INTEGER,
      attempts INTEGER NOT NULL DEFAULT 0, lost_answer INTEGER NOT NULL DEFAULT 0,
      is_settling INTEGER NOT NULL DEFAULT 0,
      key TEXT, request_id TEXT, status TEXT, alike TEXT, code TEXT, message TEXT, held_status TEXT,
      body BLOB
    );
    CREATE INDEX event_lane ON event (lane);
    CREATE INDEX event_state ON event (state);
    CREATE UNIQUE INDEX event_key ON event (lane, key) WHERE key IS NOT NULL;
  ]],
}

-- The SQL that brings a file to this version, in one transaction; nil for one that is.
function schema.migration(version)
  if version == #schema.STEPS then return nil end
  local sql = table.concat(schema.STEPS, ";\n", version + 1)
  return ("%s;\nPRAGMA application_id = %d; PRAGMA user_version = %d"):format(sql, schema.APPLICATION_ID, #schema.STEPS)
end

-- What is wrong with a file of that version; nil where it is this or an older one.
function schema.fault(version)
  if version >= 0 and version <= #schema.STEPS then return nil end
  return ("a later alipayhk has been here (its tables have version %d, this alipayhk knows %d): install the same one "
    .. "for all that use the file"):format(version, #schema.STEPS)
end

return schema
