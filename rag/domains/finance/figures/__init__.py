"""Questions for a figure, answered from the cells of tables by code.

What is asked: `understanding` reads a question into an `asked.FigureRequest`, with the book of `formulas`
and the `expressions` that it is made of, or one that calls lines of any table by the table's own words.
What is there: `cells` and `lines` read tables into figures with their periods, units and places;
`lineitems` finds the one that is intended, `reporter` the reports it is looked for in.
What comes of it: `computing` works it out and says it; `find` is the one entry."""

from __future__ import annotations

from rag.domains.finance.figures.find import Computed, Uncomputed, find_figures

__all__ = ["Computed", "Uncomputed", "find_figures"]
