-- Further rules of rooms.

ALTER TABLE rooms ADD COLUMN no_ctcp INTEGER NOT NULL DEFAULT 0;        -- none but actions
ALTER TABLE rooms ADD COLUMN accounts_only INTEGER NOT NULL DEFAULT 0;  -- or a voice is needed
