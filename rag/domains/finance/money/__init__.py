"""Calculations with money whose inputs a question gives: loans and savings.

The sums are a table, calculations.toml. `given` reads inputs from words and holds the functions of
the sums, `sums` reads the terms of one, works it out and prints it."""

from rag.domains.finance.money.sums import calculate

__all__ = ["calculate"]
