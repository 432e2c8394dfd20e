"""Evidence and question to a prompt that fits the model, and that a very small model can follow.

Instructions first, and always the same, so that the model's state for them is computed once; then the
evidence; the question last, since models attend best to what stands last. Lengths are counted by the model's
own tokenizer."""

from __future__ import annotations

from collections.abc import Sequence

from rag.answers.line import in_one_line
from rag.errors import GenerationError
from rag.languages import say
from rag.models.llm import LLM, Prompt
from rag.questions.expects import Wording
from rag.types import Evidence

# Evidence tokens: more than this makes a small model wander, and a CPU slow.
DEFAULT_BUDGET = 700
_QUESTION_SHARE = 3  # a question may take a third of the room
_TITLE_CHARACTERS = 60
# Role marks, line breaks, begin and end tokens of the chat template, where the model does not count them;
# some say a page of their own.
_TEMPLATE_TOKENS = 48
# Where separately counted pieces meet.
_SEAMS = 8


def build_prompt(
    query: Wording,
    evidence: Sequence[Evidence],
    *,
    llm: LLM,
    max_tokens: int,
    budget: int = DEFAULT_BUDGET,
    language: str,
) -> Prompt:
    """The prompt for one answer in `language` of at most `max_tokens`.

    `budget` are the tokens that evidence may take; the model's context may allow fewer. What does not fit is
    left out from the last piece backwards; the first piece is shortened if it alone is too long, and so is an
    overlong question (its beginning and end are kept). Raises GenerationError where the context holds not
    even that."""
    system = say("answers.system", language)
    template = getattr(llm, "template_tokens", _TEMPLATE_TOKENS - _SEAMS) + _SEAMS
    room = llm.info.context_tokens - max_tokens - template - llm.count_tokens(system)
    if room < 32:
        raise GenerationError(
            f"the context of {llm.info.name} ({llm.info.context_tokens} tokens) leaves no room for evidence "
            f"beside an answer of {max_tokens} tokens; lower max_tokens or use a model with a longer context"
        )
    shortened = _shortened(query.text, room // _QUESTION_SHARE, llm)
    question_text = say("answers.question", language, question=shortened)
    room = min(budget, room - llm.count_tokens(question_text))
    kept = list(evidence)
    while len(kept) > 1 and llm.count_tokens(_quotes(kept, language)) > room:
        kept.pop()
    quotes = _shortened(_quotes(kept, language), room, llm)
    return Prompt(system=system, user=f"{quotes}\n\n{question_text}" if quotes else question_text)


def _quotes(evidence: Sequence[Evidence], language: str) -> str:
    """Numbered quotes, under the title of their document where it changes."""
    lines: list[str] = []
    last = None
    for piece in evidence:
        if piece.document.id != last:
            lines.append(say("answers.quotes", language, title=_title(piece)))
            last = piece.document.id
        lines.append(f"[{piece.number}] {in_one_line(piece)}")
    return "\n".join(lines)


def _title(piece: Evidence) -> str:
    title = " ".join((piece.document.title or piece.document.path).split())
    return title if len(title) <= _TITLE_CHARACTERS else title[: _TITLE_CHARACTERS - 1] + "…"


def _shortened(text: str, limit: int, llm: LLM) -> str:
    """The text, or as much of its beginning and end as `limit` tokens hold, with an ellipsis between."""
    # No tokenizer needs more than a few characters to a token, so that a book is not tokenised to fill one
    # line.
    longest = limit * 16
    if len(text) <= longest and llm.count_tokens(text) <= limit:
        return text
    low, high = 0, min(len(text) - 1, longest)
    while low < high:
        middle = (low + high + 1) // 2
        if llm.count_tokens(_ends(text, middle)) <= limit:
            low = middle
        else:
            high = middle - 1
    return _ends(text, low) if low else ""


def _ends(text: str, length: int) -> str:
    """Two thirds of `length` characters from the beginning, the rest from the end."""
    head = length * 2 // 3
    tail = length - head
    return f"{text[:head].rstrip()} … {text[len(text) - tail :].lstrip()}"
