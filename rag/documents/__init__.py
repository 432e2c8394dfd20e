"""A parsed document -> what it is, what it refers to, and its passages.

`description` says what a document is, `chunk` cuts it into passages, `links` finds what it refers to,
`catalogue` looks names up over all documents."""
