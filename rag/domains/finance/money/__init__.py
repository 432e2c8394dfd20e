"""Calculations with money whose inputs a question gives: loans and savings.

The sums are a table, calculations.toml. `given` reads inputs from words and holds the functions of
the sums, `sheet` is one calculation with its working, `sums` reads the terms of a sum and has the entry."""

from rag.domains.finance.money.sums import calculate

__all__ = ["calculate"]
