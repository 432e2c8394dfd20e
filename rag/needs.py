"""The figures that a computation needs, and why there is none where one is missing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Need:
    """A figure that a computation needs: concept key, and the period (0 the asked one, -1 the one before)."""

    concept: str
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Missing:
    """Why nothing was computed: the figures that were not found, or what in the numbers forbids it."""

    needs: tuple[Need, ...] = ()
    reason: str = ""
