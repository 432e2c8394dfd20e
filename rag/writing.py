"""The stages of writing and verifying: a draft from the evidence; what does not pass verification is not
shown as said."""

from __future__ import annotations

from collections.abc import Generator, Iterator

from rag.asking import Query, Setup
from rag.compose import Written
from rag.crowd import CROWD
from rag.drafts import Sheets, seed_of, settle
from rag.errors import GenerationError
from rag.evidence import Selection
from rag.generation import Piece, write
from rag.llm import LLM
from rag.prompt import build_prompt
from rag.types import Event, Queued, StageStarted, Token


def written(
    setup: Setup, query: Query, found: Selection, searched: str = ""
) -> Generator[Event, None, Written]:
    """Writes, verifies, and returns what is kept. `searched` is the part that is answered, by default the
    whole question. No model, or one that does not write the language, writes nothing: the quotes stand."""
    searched = searched or query.searched
    llm = setup.llm
    if llm is None or not llm.info.writes(query.language) or query.stopped:
        yield StageStarted("verifying")
        return Written(model=llm.info.name if llm else "")
    yield StageStarted("writing")
    CROWD.give_way(query.stop)
    return (yield from _drafted(llm, setup, query, found, searched))


def _drafted(
    llm: LLM, setup: Setup, query: Query, found: Selection, searched: str
) -> Generator[Event, None, Written]:
    """One or several drafts, of which the best by verification is kept."""
    sheets, trouble = Sheets(), ""
    try:
        for piece in _pieces(llm, setup, query, found, searched):
            if isinstance(piece, Queued):
                yield piece
                continue
            if not sheets.pieces:
                query.clock.lap("first_token")
            sheets.add(piece)
            if not piece.draft:
                yield Token(piece.text)
    except GenerationError as error:  # the quoted answer always exists
        trouble = str(error)
    query.clock.lap("writing")
    yield StageStarted("verifying")
    said = sheets.said(setup.max_tokens, interrupted=bool(trouble) or query.stopped)
    kept = settle(said, found.evidence, question=searched, asked=setup.drafts)
    query.clock.lap("verifying")
    draft = sheets.texts.get(kept.draft, sheets.texts.get(0, ""))
    return Written(kept.claims, draft, llm.info.name, trouble)


def _pieces(
    llm: LLM, setup: Setup, query: Query, found: Selection, searched: str
) -> Iterator[Piece | Queued]:
    prompt = build_prompt(
        searched,
        found.evidence[: found.core],
        llm=llm,
        max_tokens=setup.max_tokens,
        language=query.language,
    )
    return write(
        llm,
        prompt,
        max_tokens=setup.max_tokens,
        stop=query.stop,
        drafts=setup.drafts,
        seed=seed_of(searched),
    )
