"""What is kept on disk, and how it gets there: SQLite is the only truth, FAISS is derived from it.

`ingest` is the way in (files found and read by `reading`, written by `writer`), `store.Store` the way
to read."""
