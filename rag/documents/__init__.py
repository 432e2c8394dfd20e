"""A parsed document -> what it is, and its passages.

`description` says what a document is, `chunk` cuts it into passages, `catalogue` looks names up over all
documents."""
