"""Calculations with money whose inputs a question gives: loans, savings, flows, bonds, insurance.

The sums are a table, data/calculations.toml. Below are the functions that it works with (`formulas`); above
them what reads inputs from words (`given`), one calculation with its working (`sheet`), how each term of a
sum is read (`sums`); at the top `calculator`, which is the one entry."""

from __future__ import annotations

from rag.domains.finance.money.calculator import calculate

__all__ = ["calculate"]
