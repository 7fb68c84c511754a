-- What other doors than the line protocol need: further rules of rooms, who said a line beside the
-- nick, and what proves an account beside a password.

ALTER TABLE rooms ADD COLUMN invite_only INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rooms ADD COLUMN most_members INTEGER NOT NULL DEFAULT 0;   -- 0: any number
ALTER TABLE rooms ADD COLUMN members_only INTEGER NOT NULL DEFAULT 1;   -- nobody outside may speak
ALTER TABLE rooms ADD COLUMN secret INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rooms ADD COLUMN topic_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE rooms ADD COLUMN made BIGINT NOT NULL DEFAULT 0;
-- What had been locked without a key is for who is invited.
UPDATE rooms SET invite_only = 1, lock_key = NULL WHERE lock_key = '';

-- 'USER HOST ACCOUNT' of who said it; NULL where that is not known.
ALTER TABLE lines ADD COLUMN source TEXT;

-- Which accounts have written to each other alone, each pair both ways; `room` is where in `lines`.
CREATE TABLE talks (
    account TEXT NOT NULL,
    other TEXT NOT NULL,
    room TEXT NOT NULL,
    PRIMARY KEY (account, other)
) WITHOUT ROWID;

-- For SCRAM-SHA-256: 'ITERATIONS:SALT:STORED_KEY:SERVER_KEY', the last three in base64.
ALTER TABLE accounts ADD COLUMN scram TEXT;

-- SHA-256 of clients' TLS certificates, in hexadecimal.
CREATE TABLE certificates (
    fingerprint TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    created BIGINT NOT NULL
);

-- Values that clients keep here: of an account ('account:ann') or a room ('room:#ops').
CREATE TABLE kept (
    owner TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (owner, key)
) WITHOUT ROWID;

-- What the server made up for itself, such as the key of the cloaks.
CREATE TABLE secrets (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
