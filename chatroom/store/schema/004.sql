-- Further rules of rooms.

ALTER TABLE rooms ADD COLUMN no_ctcp INTEGER NOT NULL DEFAULT 0;        -- none but actions
