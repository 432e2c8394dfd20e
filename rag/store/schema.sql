CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE documents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source BLOB NOT NULL UNIQUE,          -- absolute path, as bytes: any name, NFC and NFD apart
    path TEXT NOT NULL, title TEXT NOT NULL, kind TEXT NOT NULL, language TEXT NOT NULL,
    status TEXT NOT NULL, detail TEXT NOT NULL,
    sha256 TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    ocr INTEGER NOT NULL,                 -- whether it was parsed with OCR on
    pages INTEGER NOT NULL,
    empty_pages INTEGER NOT NULL,         -- how many of `losses` are pages without text
    chunks INTEGER NOT NULL,
    length INTEGER NOT NULL,              -- code points
    metadata TEXT NOT NULL,               -- JSON object of strings and arrays of strings
    pagination BLOB NOT NULL,             -- zlib JSON: number, start and end of each page
    losses TEXT NOT NULL                  -- JSON: kind, place and page of what could not be read; '' for none
);
CREATE INDEX documents_path ON documents (path);
CREATE TABLE texts (
    document_id INTEGER NOT NULL,
    part INTEGER NOT NULL,
    body BLOB NOT NULL,                   -- zlib UTF-8
    blocks BLOB NOT NULL,                 -- zlib JSON: the blocks that overlap this part, '' for none
    tables BLOB NOT NULL,                 -- the same of its tables; their rows are blocks
    marks BLOB NOT NULL,                  -- the same of its marks
    PRIMARY KEY (document_id, part)
);
CREATE TABLE chunks (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- never used twice: a stale FAISS file cannot name another passage
    document_id INTEGER NOT NULL, ordinal INTEGER NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL,
    context TEXT NOT NULL, kind TEXT NOT NULL,
    heading_path TEXT NOT NULL,           -- JSON array
    page INTEGER,
    last_page INTEGER,
    location TEXT NOT NULL,
    tokens INTEGER NOT NULL,
    roles TEXT NOT NULL,                  -- JSON array of the parts it stands in ("balance"); '' for none
    leads TEXT NOT NULL                   -- JSON: start, end, until, text, items of each `LeadIn`; '' for none
);
CREATE UNIQUE INDEX chunks_document ON chunks (document_id, ordinal);
-- A space is what one embedder makes; there is one, 0. `generation` grows with every commit that adds or
-- removes a vector; `file` was a FAISS file made from one, now ''.
CREATE TABLE spaces (id INTEGER PRIMARY KEY, generation INTEGER NOT NULL, file TEXT NOT NULL);
-- Of passages, as float16, little endian.
CREATE TABLE vectors (chunk_id INTEGER NOT NULL, space INTEGER NOT NULL, vector BLOB NOT NULL);
CREATE UNIQUE INDEX vectors_chunk ON vectors (chunk_id, space);
-- Of all sentences of a passage: the rows of `SentenceVectors`.
CREATE TABLE sentences (chunk_id INTEGER NOT NULL, space INTEGER NOT NULL, vector BLOB NOT NULL);
CREATE UNIQUE INDEX sentences_chunk ON sentences (chunk_id, space);
-- Passages still to be embedded in a space.
CREATE TABLE pending (
    chunk_id INTEGER NOT NULL, space INTEGER NOT NULL, PRIMARY KEY (chunk_id, space)
) WITHOUT ROWID;
-- What documents do to each other. `name` is the other as the text names it, '' where the two were found
-- to be editions of one text; `target` is NULL before it is settled, and where the index does not hold it.
-- They are few: no index is worth its pages.
CREATE TABLE relations (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL,
    effective TEXT NOT NULL,              -- ISO date, '' where not known
    source INTEGER NOT NULL, target INTEGER
);
-- Tokens are made by rag.languages.text and joined by blanks. The ascii tokeniser keeps every code point
-- beyond ASCII in the token.
CREATE VIRTUAL TABLE lexical USING fts5 (title, heading, body, tokenize = "ascii tokenchars '.,'''");
CREATE VIRTUAL TABLE vocabulary USING fts5vocab (lexical, 'row');
