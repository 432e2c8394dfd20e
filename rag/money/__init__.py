"""Calculations with money whose inputs a question gives: loans, savings, flows, bonds, insurance.

Below are the pure sums, exact in Decimal (`annuities`, `bonds`, `day_counts`, `cover`, with `roots` for what
has no closed form); above them what reads the inputs from words (`given`) and sets a question's sum out with
its working (`loan_sums` and its like); at the top `calculator`, which is the one entry."""

from __future__ import annotations

from rag.money.calculator import calculate

__all__ = ["calculate"]
