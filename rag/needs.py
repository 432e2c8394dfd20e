"""The figures that a computation needs, and why there is none where one is missing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RequiredFigure:
    """A figure that a computation needs: concept key, and the period (0 the asked one, -1 the one before)."""

    concept: str
    offset: int = 0


@dataclass(frozen=True, slots=True)
class NotComputed:
    """Why nothing was computed: the figures that were not found, or what in the numbers forbids it."""

    required: tuple[RequiredFigure, ...] = ()
    reason: str = ""
