"""Conversations: a follow-up question, completed by code so that it stands alone.

`mentions` finds what a question names that another can take the place of; `substitution` puts it there,
`antecedents` says what pronouns stand for, `followup_zh` does both for Chinese; `followup` is the entry."""

from __future__ import annotations

from rag.conversation.followup import complete, known_names

__all__ = ["complete", "known_names"]
