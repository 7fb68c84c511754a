-- The words of what was said, for /search: SQLite's full-text index, without a copy of the text
-- and without where in a line a word stands. How far each room is in it, is in `indexed`.

CREATE VIRTUAL TABLE words USING fts5 (
    text, content = '', detail = none, columnsize = 0, tokenize = 'unicode61 remove_diacritics 2'
);

CREATE TABLE indexed (
    room TEXT PRIMARY KEY,
    last BIGINT NOT NULL
);
