"""The words of the page, one file for each language. Every file fills every field, or the module does not
import."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from rag.types import AnswerKind, ClaimState, FileStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """One language, as `en.toml` and `zh.toml` have it. Fields with braces are format strings."""

    code: str
    tagline: str
    local: str
    local_hint: str
    remote: str
    remote_hint: str
    language_label: str
    theme: str
    library: str
    library_toggle: str
    index: str
    scope: str
    scope_hint: str
    upload: str
    upload_hint: str
    new_index: str
    new_index_hint: str
    create: str
    documents: str
    no_documents: str
    no_index: str
    pages: str
    passages: str
    added: str
    updated: str
    skipped: str
    removed: str
    failed: str
    reading: str
    embedding: str
    scanning: str
    upload_done: str
    upload_failed: str
    pages_without_text: str
    question: str
    question_hint: str
    ask: str
    stop: str
    new_conversation: str
    keys: str
    empty_title: str
    empty_text: str
    samples: str
    you: str
    stages: dict[str, str]
    working: str
    queued: str
    queued_one: str
    draft: str
    draft_note: str
    evidence: str
    evidence_found: str
    evidence_found_one: str
    relevance: str
    open_source: str
    kinds: dict[AnswerKind, str]
    kind_notes: dict[AnswerKind, str]
    states: dict[ClaimState, str]
    state_notes: dict[ClaimState, str]
    exact_words: str
    refused_why: str
    certificate: str
    certificate_title: str
    searched_documents: str
    searched_passages: str
    unreadable: str
    none: str
    best_score: str
    threshold: str
    below: str
    scope_used: str
    whole_index: str
    method: str
    method_dense: str
    method_lexical: str
    nearest: str
    worked_out: str
    read_from: str
    formula: str
    with_numbers: str
    inputs: str
    from_question: str
    calculated: str
    open_cell: str
    parts: str
    part_answered: str
    part_missing: str
    read_all: str
    read_some: str
    dropped: str
    dropped_note: str
    searched_as: str
    edit_searched: str
    edited_question: str
    ask_edited: str
    more_documents: str
    copy: str
    copied: str
    retry: str
    references: str
    stopped: str
    stopped_note: str
    stopped_early: str
    error: str
    unexpected: str
    took: str
    seconds: str
    source: str
    source_empty_title: str
    source_empty: str
    close: str
    page: str
    page_of: str
    cited_words: str
    passage: str
    supports: str
    refers_to: str
    open_reference: str
    superseded: str
    repealed: str
    ended_by: str
    page_image: str
    page_image_alt: str
    page_loading: str
    page_gone: str
    page_changed: str
    page_failed: str
    page_no_boxes: str
    passage_changed: str
    passage_gone: str
    table_columns: str
    busy: str
    understood: str
    limited: str
    why: str
    why_note: str
    narrow: str
    companies: str
    years: str
    formats: str
    languages: str
    authority: str
    in_force: str
    in_force_hint: str
    in_force_on: str
    bad_day: str
    clear_filters: str
    intents: dict[str, str]
    authorities: dict[str, str]
    statuses: dict[FileStatus, str]


_Key = TypeVar("_Key", bound=StrEnum)


def _keyed(kind: type[_Key], words: dict[str, str]) -> dict[_Key, str]:
    """The words of every member of an enumeration. Raises KeyError for one that has none."""
    return {member: words[member.value] for member in kind}


def _load(code: str) -> Texts:
    words: dict[str, Any] = tomllib.loads((Path(__file__).parent / f"{code}.toml").read_text("utf-8"))
    for field, kind in (
        ("kinds", AnswerKind),
        ("kind_notes", AnswerKind),
        ("states", ClaimState),
        ("state_notes", ClaimState),
        ("statuses", FileStatus),
    ):
        words[field] = _keyed(kind, words[field])
    return Texts(code=code, **words)


ENGLISH, CHINESE = _load("en"), _load("zh")
LANGUAGES = {texts.code: texts for texts in (ENGLISH, CHINESE)}


def texts_for(code: str | None) -> Texts:
    """The texts of a language code or of an Accept-Language header; English for anything unknown."""
    first = (code or "").strip().lower()[:2]
    return LANGUAGES.get(first, ENGLISH)
