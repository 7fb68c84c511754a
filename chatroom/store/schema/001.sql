-- What is kept. Times are milliseconds since the epoch, names are folded unless they are called
-- nick, name or shown, and ids are given by the program. Plain SQL, but for WITHOUT ROWID; what is
-- SQLite's alone is in chatroom/store/database.py.

CREATE TABLE rooms (
    room TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    owner TEXT NOT NULL DEFAULT '',         -- the account that made it; '' for a room of guests
    topic TEXT NOT NULL DEFAULT '',
    topic_by TEXT NOT NULL DEFAULT '',
    topic_locked INTEGER NOT NULL DEFAULT 0,
    lock_key TEXT,                          -- NULL: open; '': by invitation only
    slow INTEGER NOT NULL DEFAULT 0,        -- seconds between the lines of one member
    muted INTEGER NOT NULL DEFAULT 0,       -- whether only who has a voice may speak
    keeps INTEGER NOT NULL DEFAULT 1,       -- whether what is said is kept
    hidden_to BIGINT                        -- lines up to this id are shown to nobody any more
);

-- What was said and done in rooms. `kind` is one of chatroom.store.lines.KINDS; what `text` and
-- `other` are depends on it.
CREATE TABLE lines (
    room TEXT NOT NULL,
    id BIGINT NOT NULL,
    time BIGINT NOT NULL,
    kind INTEGER NOT NULL,
    nick TEXT NOT NULL,
    shown TEXT,                             -- NULL: as `nick`
    text TEXT,
    other TEXT,
    PRIMARY KEY (room, id)
) WITHOUT ROWID;

CREATE TABLE accounts (
    account TEXT PRIMARY KEY,
    nick TEXT NOT NULL,
    hash TEXT,                              -- NULL: its password is kept elsewhere
    created BIGINT NOT NULL,
    seen BIGINT NOT NULL
);

-- What accounts are in registered rooms: 'operator', 'voice' or 'invited'.
CREATE TABLE roles (
    room TEXT NOT NULL,
    account TEXT NOT NULL,
    role TEXT NOT NULL,
    PRIMARY KEY (room, account, role)
);

-- Who is kept out or silent: in a room, or everywhere (room = '').
CREATE TABLE sanctions (
    id BIGINT PRIMARY KEY,
    kind TEXT NOT NULL,                     -- 'ban' or 'mute'
    room TEXT NOT NULL,
    target TEXT NOT NULL,                   -- 'account:ann', 'nick:ann' or 'address:192.0.2.0/24'
    until BIGINT,                           -- NULL: for good
    by_nick TEXT NOT NULL,
    why TEXT NOT NULL,
    created BIGINT NOT NULL
);

CREATE TABLE audit (
    id BIGINT PRIMARY KEY,
    time BIGINT NOT NULL,
    by_nick TEXT NOT NULL,
    by_account TEXT NOT NULL,
    by_address TEXT NOT NULL,
    action TEXT NOT NULL,
    room TEXT NOT NULL,
    target TEXT NOT NULL,
    why TEXT NOT NULL
);

-- Private lines that wait for their account.
CREATE TABLE letters (
    id BIGINT PRIMARY KEY,
    account TEXT NOT NULL,
    time BIGINT NOT NULL,
    nick TEXT NOT NULL,
    shown TEXT NOT NULL,
    source TEXT NOT NULL,                   -- where it came from, for the limit on each
    text TEXT NOT NULL
);

CREATE INDEX letters_by_account ON letters (account, id);
