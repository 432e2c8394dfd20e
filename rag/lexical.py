"""The lexical leg: BM25 over our own tokens, computed by SQLite's FTS5 inside the store's transactions.

Weights are FTS5's bm25() with the sign turned, so higher is better (Robertson and Zaragoza, "The
Probabilistic Relevance Framework: BM25 and Beyond", 2009; k1 = 1.2, b = 0.75; a word's weight in each column
counts in its term frequency). The time of a query grows with the number of passages that hold its words;
`searched_tokens` keeps it bounded.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence

# Title (with the file's name), heading path and table header, text.
COLUMN_WEIGHTS = (1.0, 1.2, 1.0)
# A word in more than this share of the passages says little (its idf is below 0.41; beyond one half it is 0).
COMMON_SHARE = 0.4
# FTS5 takes about 0.5 ms per 1,000 postings here: this bounds a query to some 25 ms at any size of index.
POSTINGS_BUDGET = 45_000
MAX_TOKENS = 64
_KEPT_AT_LEAST = 2


def frequencies(connection: sqlite3.Connection, tokens: Sequence[str]) -> dict[str, int]:
    """Number of passages that hold each token; 0 for unknown ones."""
    query = "SELECT doc FROM vocabulary WHERE term = ?"
    rows = ((token, connection.execute(query, (token,)).fetchone()) for token in dict.fromkeys(tokens))
    return {token: row[0] if row else 0 for token, row in rows}


def searched_tokens(frequency: Mapping[str, int], passages: int) -> list[str]:
    """The known tokens worth searching for, rarest first: common ones are dropped where at least two rarer
    ones remain."""
    known = sorted((t for t in frequency if frequency[t]), key=lambda t: (frequency[t], t))[:MAX_TOKENS]
    kept: list[str] = []
    postings = 0
    for token in known:
        postings += frequency[token]
        too_much = frequency[token] > COMMON_SHARE * passages or postings > POSTINGS_BUDGET
        if too_much and len(kept) >= _KEPT_AT_LEAST:
            break
        kept.append(token)
    return kept


def best(
    connection: sqlite3.Connection, tokens: Sequence[str], *, limit: int, documents: Sequence[int] | None
) -> list[tuple[int, float]]:
    """(chunk id, weight) of the best passages that hold any of the tokens; ties by id. `documents` None:
    all."""
    restriction, values = "", []
    if documents is not None:
        restriction = (
            " AND +rowid IN (SELECT id FROM chunks WHERE document_id IN (SELECT value FROM json_each(?)))"
        )
        values = [json.dumps(list(documents))]
    return _weights(connection, tokens, restriction, values, limit)


def scores(
    connection: sqlite3.Connection, tokens: Sequence[str], chunk_ids: Sequence[int]
) -> dict[int, float]:
    """Weights of given passages; those that hold none of the tokens are left out."""
    # "+rowid" makes this one pass over the postings; a seek per rowid would compute every idf anew each time.
    restriction = " AND +rowid IN (SELECT value FROM json_each(?))"
    return dict(_weights(connection, tokens, restriction, [json.dumps(list(chunk_ids))], len(chunk_ids)))


def _weights(
    connection: sqlite3.Connection, tokens: Sequence[str], restriction: str, values: Sequence[str], limit: int
) -> list[tuple[int, float]]:
    if not tokens or limit < 1:
        return []
    match = " OR ".join('"' + token.replace('"', '""') + '"' for token in tokens)
    weights = ", ".join(map(str, COLUMN_WEIGHTS))
    rows = connection.execute(
        f"SELECT rowid, bm25(lexical, {weights}) AS weight FROM lexical "
        f"WHERE lexical MATCH ?{restriction} ORDER BY weight, rowid LIMIT ?",
        (match, *values, limit),
    )
    return [(row[0], -row[1]) for row in rows]
