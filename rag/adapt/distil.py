"""Short answers from a larger model that the user names, kept only where verification supports them."""

from __future__ import annotations

from collections.abc import Callable

from rag.generation import LLM, Prompt
from rag.pointer import stands_in
from rag.types import ClaimState, DocumentInfo, Evidence, FileStatus
from rag.verify import verify_sentence

_SYSTEM = (
    "Copy from the sentence the few words that answer the question. Copy them exactly; write nothing else."
)
_MOST_TOKENS = 60
# Longer than this share of its sentence, an answer is no shorter one.
_SHARE = 0.7


def targets_from(llm: LLM) -> Callable[[str, str], str]:
    """A function from question and sentence to the words of the sentence that answer, by `llm`; "" where what
    it wrote does not stand in the sentence or is not supported by it. Raises GenerationError."""

    def target(question: str, sentence: str) -> str:
        user = f"Sentence: {sentence}\nQuestion: {question}\nAnswer:"
        said = " ".join("".join(llm.generate(Prompt(_SYSTEM, user), max_tokens=_MOST_TOKENS)).split())
        said = said.strip(" \"'“”").removesuffix(".")
        return said if is_supported(said, sentence, question) else ""

    return target


def is_supported(said: str, sentence: str, question: str) -> bool:
    """Whether words stand in a sentence, much shorter than it, and verification has nothing against them."""
    if not said or len(said) > _SHARE * len(sentence) or not stands_in(said, sentence):
        return False
    claim = verify_sentence(said, [_evidence(sentence)], question=question)
    return claim.state is ClaimState.SUPPORTED


def _evidence(sentence: str) -> Evidence:
    nowhere = DocumentInfo(0, "", "", "", "text", "en", FileStatus.OK, "", "", 0, 0, 0, 1)
    return Evidence(1, nowhere, 0, 0, len(sentence), sentence, 1.0)
