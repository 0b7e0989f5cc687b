-- The tables of an outbox in SQLite, and how a file of an older version becomes one of this.

local schema = {}

-- Marks a file as an outbox of ours: "AHKO" in ASCII.
schema.APPLICATION_ID = 0x41484B4F

-- By version: what makes a file of it out of one of the version before; version 0 is empty. What has been released is
-- never changed: a new version is a new entry.
--
-- `lane.head` is the oldest event of a lane that waits or is under way, `lane.due_ms` when it may go: without the one
-- the lane is idle, with it but without the other its head is under way. `client.last_id` is of its newest event; ids go on
-- over all clients, and none comes twice, whatever was purged. A body is kept for as long as it may be sent.
schema.STEPS = {
  [[
    CREATE TABLE client (
      id INTEGER PRIMARY KEY, client_id TEXT NOT NULL UNIQUE,
      last_id INTEGER NOT NULL DEFAULT 0,
      delivery INTEGER NOT NULL DEFAULT 0,
      waiting INTEGER NOT NULL DEFAULT 0, sending INTEGER NOT NULL DEFAULT 0, parked INTEGER NOT NULL DEFAULT 0,
      accepted INTEGER NOT NULL DEFAULT 0, superseded INTEGER NOT NULL DEFAULT 0, dropped INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE lane (
      id INTEGER PRIMARY KEY, client INTEGER NOT NULL, merchant_biz_no TEXT NOT NULL, api TEXT NOT NULL,
      newest_ms INTEGER, newest_status TEXT,
      accepted_id INTEGER NOT NULL DEFAULT 0,
      head INTEGER, due_ms INTEGER,
      UNIQUE (client, merchant_biz_no, api)
    );
    CREATE INDEX lane_due ON lane (client, due_ms) WHERE due_ms IS NOT NULL;
    CREATE TABLE event (
      id INTEGER PRIMARY KEY, client INTEGER NOT NULL, lane INTEGER NOT NULL, state TEXT NOT NULL,
      put_ms INTEGER NOT NULL, due_ms INTEGER NOT NULL, ended_ms INTEGER,
      attempts INTEGER NOT NULL DEFAULT 0, lost_answer INTEGER NOT NULL DEFAULT 0,
      is_settling INTEGER NOT NULL DEFAULT 0,
      key TEXT, request_id TEXT, status TEXT, alike TEXT, code TEXT, message TEXT, held_status TEXT
    );
    CREATE INDEX event_lane ON event (lane);
    CREATE INDEX event_state ON event (client, state);
    CREATE UNIQUE INDEX event_key ON event (lane, key) WHERE key IS NOT NULL;
    CREATE TABLE body (id INTEGER PRIMARY KEY, body BLOB NOT NULL);
  ]],
}

-- What a file holds: `application_id`, `version`, and `objects`, how many tables and the like.
schema.LOOK = [[
  SELECT (SELECT application_id FROM pragma_application_id) AS application_id,
    (SELECT user_version FROM pragma_user_version) AS version,
    (SELECT count(*) FROM sqlite_master) AS objects
]]

local function is_new(found)
  return found.application_id == 0 and found.version == 0 and found.objects == 0
end

-- The code of a fault and what is wrong, for a file that is none of ours, or none of this version or an older one.
function schema.fault(found)
  if is_new(found) then return nil end
  if found.application_id ~= schema.APPLICATION_ID then
    return "foreign", "it is the database of something else, and left as it was: name another file"
  end
  if found.version > #schema.STEPS then
    return "newer", ("a later version of alipayhk has made it (its tables are of version %d, this one knows %d): "
      .. "install that version here too"):format(found.version, #schema.STEPS)
  end
end

-- The SQL that is still to be run, in one transaction; nil for none.
function schema.migration(found)
  local version = #schema.STEPS
  if found.version == version then return nil end
  local sql = table.concat(schema.STEPS, "\n", found.version + 1)
  return ("%s\nPRAGMA application_id = %d; PRAGMA user_version = %d"):format(sql, schema.APPLICATION_ID, version)
end

return schema
