"""Why a sentence of an answer has its state, as a value that says itself in the reader's language.

Checks yield a `VerificationReason`: a code with the words it speaks of. `VerificationReason.words("zh")` is
what a reader sees; what documents and answers say is put in as it stands."""

from __future__ import annotations

from dataclasses import dataclass

from rag.languages import named, say


@dataclass(frozen=True, slots=True)
class VerificationReason:
    """One reason: a code, which [reasons] of says.toml has, and the words that go into it."""

    code: str
    values: tuple[tuple[str, str], ...] = ()

    def words(self, language: str = "en") -> str:
        """The reason as a sentence."""
        values = dict(self.values)
        if "kind" in values:
            values["kind"] = named("fact", values["kind"], language)
        return say(f"reasons.{self.code}", language, **values)


def reason(code: str, **values: str) -> VerificationReason:
    """The reason of that code; KeyError for one that does not exist or lacks a value."""
    made = VerificationReason(code, tuple(values.items()))
    made.words()
    return made
