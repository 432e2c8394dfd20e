"""Models that think aloud: what they write between <think> and </think> before the answer is not the
answer."""

from __future__ import annotations

_OPEN, _CLOSE = "<think>", "</think>"


class Thoughts:
    """Takes an answer piece by piece and leaves a block of thoughts out that it begins with, empty or not,
    and the white space behind it. Anything else comes through unchanged; thoughts that never end are no
    answer."""

    def __init__(self) -> None:
        self._held = ""
        self._state = "beginning"

    def feed(self, text: str) -> str:
        """What of the answer can be told so far."""
        if self._state == "answer":
            return text
        self._held += text
        if self._state == "beginning":
            begun = self._held.lstrip()
            if _OPEN.startswith(begun):
                return ""
            self._state = "thoughts" if begun.startswith(_OPEN) else "answer"
        if self._state == "thoughts":
            if _CLOSE not in self._held:
                return ""
            self._held, self._state = self._held.partition(_CLOSE)[2], "behind"
        if self._state == "behind":
            self._held = self._held.lstrip()
            if not self._held:
                return ""
            self._state = "answer"
        return self.flush()

    def flush(self) -> str:
        """What is still held back when the answer ends; nothing of unfinished thoughts."""
        held, self._held = self._held, ""
        return "" if self._state == "thoughts" else held
