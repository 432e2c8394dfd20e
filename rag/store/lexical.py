"""The lexical leg: BM25 over our own tokens, computed by SQLite's FTS5 inside the store's transactions.

Weights are FTS5's bm25() with the sign turned, so higher is better (Robertson and Zaragoza, "The
Probabilistic Relevance Framework: BM25 and Beyond", 2009; k1 = 1.2, b = 0.75; a column's weight counts in the
term frequency).

To weigh a passage costs far more than to see that a word is in it, so a query with frequent words runs in two
steps (the idea of MaxScore: Turtle and Flood, "Query evaluation: strategies and optimizations", 1995):
passages that hold one of its rarer words are weighed by those, then the best of them by all words. What holds
frequent words alone is not found then; that is also what weighs least.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence

# Title (with the file's name), heading path and table header, text.
COLUMN_WEIGHTS = (1.0, 1.2, 1.0)
# Postings of the words that candidates are found by. At 50,000 passages this keeps a query to some 15 ms.
POSTINGS_BUDGET = 20_000
MAX_TOKENS = 64
_ESSENTIAL_AT_LEAST = 2
_CANDIDATES = 400


def frequencies(connection: sqlite3.Connection, tokens: Sequence[str]) -> dict[str, int]:
    """Number of passages that hold each token; 0 for unknown ones."""
    query = "SELECT doc FROM vocabulary WHERE term = ?"
    rows = ((token, connection.execute(query, (token,)).fetchone()) for token in dict.fromkeys(tokens))
    return {token: row[0] if row else 0 for token, row in rows}


def known_tokens(frequency: Mapping[str, int]) -> list[str]:
    """The tokens that some passage holds, rarest first, at most `MAX_TOKENS`."""
    return sorted((t for t in frequency if frequency[t]), key=lambda t: (frequency[t], t))[:MAX_TOKENS]


def essential_tokens(tokens: Sequence[str], frequency: Mapping[str, int]) -> list[str]:
    """Of tokens given rarest first, those that candidates are found by: as many as the budget allows, at
    least two."""
    kept: list[str] = []
    postings = 0
    for token in tokens:
        postings += frequency[token]
        if postings > POSTINGS_BUDGET and len(kept) >= _ESSENTIAL_AT_LEAST:
            break
        kept.append(token)
    return kept


def best(
    connection: sqlite3.Connection,
    frequency: Mapping[str, int],
    *,
    limit: int,
    ranges: Sequence[tuple[int, int]] | None,
) -> list[tuple[int, float]]:
    """(chunk id, weight) of the best passages; ties by id. `frequency` holds the query's tokens with the
    number of passages that hold each; `ranges` of ids, first and last, ascending; None: all."""
    restriction, values = _within(ranges) if ranges is not None else ("", [])
    tokens = known_tokens(frequency)
    essential = essential_tokens(tokens, frequency)
    if len(essential) == len(tokens):
        return _weights(connection, tokens, restriction, values, limit)
    candidates = _weights(connection, essential, restriction, values, max(_CANDIDATES, 4 * limit))
    exact = scores(connection, tokens, [chunk_id for chunk_id, _ in candidates])
    return sorted(exact.items(), key=lambda row: (-row[1], row[0]))[:limit]


def _within(ranges: Sequence[tuple[int, int]]) -> tuple[str, list[str | int]]:
    """Passages in ranges of ids. FTS5 seeks to the first id and stops at the last, whatever lies between;
    "+rowid" keeps it from seeking anew for each range, which would compute every idf anew."""
    if not ranges:
        return " AND +rowid IN ()", []
    span: list[str | int] = [ranges[0][0], ranges[-1][1]]
    if len(ranges) == 1:
        return " AND rowid BETWEEN ? AND ?", span
    listed = (
        " AND +rowid IN (SELECT c.id FROM json_each(?) r JOIN chunks c "
        "ON c.id BETWEEN json_extract(r.value, '$[0]') AND json_extract(r.value, '$[1]'))"
    )
    return f" AND rowid BETWEEN ? AND ?{listed}", [*span, json.dumps(ranges)]


def scores(
    connection: sqlite3.Connection, tokens: Sequence[str], chunk_ids: Sequence[int]
) -> dict[int, float]:
    """Weights of given passages; those that hold none of the tokens are left out."""
    if not chunk_ids:
        return {}
    # "+rowid" makes this one pass over the postings; a seek per rowid would compute every idf anew each time.
    restriction = " AND rowid BETWEEN ? AND ? AND +rowid IN (SELECT value FROM json_each(?))"
    values: list[str | int] = [min(chunk_ids), max(chunk_ids), json.dumps(list(chunk_ids))]
    return dict(_weights(connection, tokens, restriction, values, len(chunk_ids)))


def _weights(
    connection: sqlite3.Connection,
    tokens: Sequence[str],
    restriction: str,
    values: Sequence[str | int],
    limit: int,
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
