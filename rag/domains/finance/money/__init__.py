"""Calculations with money whose inputs a question gives: loans, savings, flows, bonds, insurance.

The sums are a table, calculations.toml. `given` reads inputs from words and holds the functions of the sums,
`sheet` is one calculation with its working, `sums` reads the terms of a sum; `calculator` is the one
entry."""

from __future__ import annotations

from rag.domains.finance.money.calculator import calculate

__all__ = ["calculate"]
