"""Verification against corruptions of true sentences and faithful paraphrases of them, as rates.

`tests/data/verify_sentences.jsonl` holds true sentences of legal, medical and finance documents (fictional,
written for this test, or sentences of the sample corpora) with paraphrases written by hand;
`tests/attacks.py` makes the corruptions. Each sentence is judged against its source among three other
sentences of the same language. `verify_turned.jsonl` holds sentences turned by hand."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import TypedDict

import pytest

from rag.languages.text import has_han, sentences
from rag.types import ClaimState, DocumentInfo, Evidence, FileStatus
from rag.verify.claims import verify_sentence
from tests.attacks import corrupt, lettered
from tests.files import ROOT

DATA = ROOT / "tests" / "data" / "verify_sentences.jsonl"
MAX_FALSE_SUPPORTED = 0.001
MAX_TRUE_UNSUPPORTED = 0.08


class Row(TypedDict):
    id: str
    language: str
    text: str
    paraphrases: list[str]


ROWS: list[Row] = [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()]


def _evidence(number: int, text: str) -> Evidence:
    document = DocumentInfo(1, "a.pdf", "/a.pdf", "Document", "pdf", "en", FileStatus.OK, "", "0", 1, 1, 1)
    return Evidence(number, document, number, 0, len(text), text, 1.0)


def _sources(index: int) -> list[Evidence]:
    row = ROWS[index]
    others = [r["text"] for r in ROWS if r["language"] == row["language"] and r is not row]
    start = index % len(others)
    return [_evidence(n, text) for n, text in enumerate([row["text"], *(others * 2)[start : start + 3]], 1)]


def _states(make: Callable[[Row], list[tuple[str, str]]]) -> list[tuple[ClaimState, str, str]]:
    judged = []
    for index, row in enumerate(ROWS):
        sources = _sources(index)
        judged += [(verify_sentence(text, sources).state, rule, text) for rule, text in make(row)]
    return judged


@cache
def _of_true() -> list[tuple[ClaimState, str, str]]:
    return _states(lambda row: list(corrupt(row["text"])))


@cache
def _of_paraphrases() -> list[tuple[ClaimState, str, str]]:
    return _states(lambda row: [c for p in row["paraphrases"] for c in corrupt(p)])


@cache
def _faithful() -> list[tuple[ClaimState, str, str]]:
    return _states(lambda row: [("paraphrase", p) for p in row["paraphrases"]])


def test_the_set_is_large_and_covers_both_languages() -> None:
    assert len(ROWS) >= 150 and sum(len(r["paraphrases"]) for r in ROWS) >= 200
    assert min(Counter(r["language"] for r in ROWS).values()) >= 25
    assert len({rule for _, rule, _ in _of_true()}) >= 15
    assert len(_of_true()) >= 1_000


@pytest.mark.parametrize("judged", [_of_true, _of_paraphrases], ids=["true sentences", "paraphrases"])
def test_corruptions_do_not_pass_as_supported(
    judged: Callable[[], list[tuple[ClaimState, str, str]]],
) -> None:
    results = judged()
    passed = [(rule, text) for state, rule, text in results if state is ClaimState.SUPPORTED]
    assert len(passed) <= MAX_FALSE_SUPPORTED * len(results), passed


def test_no_corrupted_number_passes_as_supported() -> None:
    numeric = {"digit", "digit added", "year", "number word", "scale", "unit", "article"}
    passed = [
        (rule, text) for state, rule, text in _of_true() if rule in numeric and state is ClaimState.SUPPORTED
    ]
    assert not passed


def test_corrupted_numbers_are_mostly_called_unsupported() -> None:
    numeric = [state for state, rule, _ in _of_true() if rule in {"digit", "digit added", "scale"}]
    assert sum(s is ClaimState.UNSUPPORTED for s in numeric) >= 0.95 * len(numeric)


def test_faithful_paraphrases_seldom_fall_to_unsupported() -> None:
    results = _faithful()
    fallen = [text for state, _, text in results if state is ClaimState.UNSUPPORTED]
    assert len(fallen) <= MAX_TRUE_UNSUPPORTED * len(results), fallen


CORPORA = ROOT / "corpora" / "content"
_LINE = re.compile(r"^(?:[#|:<`-]|[a-z_]+:).*$|^(?:[-*]|\d+\.)\s+|\*\*", re.MULTILINE)


def _corpus_sentences() -> list[str]:
    """Prose sentences of the sample corpora's sources, without headings, tables and front matter."""
    found = []
    for path in sorted(CORPORA.rglob("*.md")):
        text = _LINE.sub("", path.read_text(encoding="utf-8"))
        found += [re.sub(r"\s*\n\s*", " ", text[s.start : s.end]) for s in sentences(text)]
    return [s for s in dict.fromkeys(found) if (12 if has_han(s) else 40) <= len(s) <= 300]


@pytest.mark.skipif(not CORPORA.is_dir(), reason="the sources of the sample corpora are not installed")
def test_corruptions_of_corpus_sentences_do_not_pass_as_supported() -> None:
    """Sentences that no rule or lexicon was written for: all of them, one corruption each (another rule each
    time), to stay within seconds."""
    true = _corpus_sentences()
    assert len(true) >= 400
    judged: Counter[str] = Counter()
    passed = []
    for index, sentence in enumerate(true):
        sources = [_evidence(n, true[(index + step) % len(true)]) for n, step in enumerate((0, -1, 1, 2), 1)]
        assert verify_sentence(sentence, sources).state is ClaimState.SUPPORTED
        false = list(corrupt(sentence))
        if not false:
            continue
        # The rule that was tried least so far.
        rule, text = min(false, key=lambda made: judged[made[0]])
        judged[rule] += 1
        if verify_sentence(text, sources).state is ClaimState.SUPPORTED:
            passed.append((rule, text))
    assert judged.total() >= 400 and len(judged) >= 20
    assert len(passed) <= max(1, MAX_FALSE_SUPPORTED * judged.total()), passed


_LABELLED = {"letter", "roman numeral", "label number", "labels exchanged"}


def test_the_letter_or_numeral_of_a_name_is_not_exchanged_for_another() -> None:
    """Party A for Party B, ward I for ward II, 甲方 for 乙方: in sentences that have them and in those whose
    nouns were given one."""
    true = [row["text"] for row in ROWS] + _corpus_sentences()[::2]
    judged: Counter[str] = Counter()
    passed = []
    for index, plain in enumerate(true):
        for sentence in dict.fromkeys([plain, *lettered(plain)]):
            beside = [true[(index + step) % len(true)] for step in (-1, 1, 2)]
            sources = [_evidence(n, t) for n, t in enumerate([sentence, *beside], 1)]
            for rule, text in corrupt(sentence):
                if rule in _LABELLED:
                    judged[rule] += 1
                    if verify_sentence(text, sources).state is ClaimState.SUPPORTED:
                        passed.append((rule, text))
    assert judged.total() >= 300 and judged.keys() == _LABELLED
    assert not passed


TURNED = [
    (pair["source"], pair["false"])
    for line in DATA.with_name("verify_turned.jsonl").read_text(encoding="utf-8").splitlines()
    if (pair := json.loads(line))
]
_OTHERS = {
    False: ["The parties met in the town hall on two occasions.", "Weather delayed the works."],
    True: ["双方在会议室见面。", "天气影响了施工。"],
}


def test_no_sentence_turned_by_hand_passes_as_supported() -> None:
    """Currency, scale, sign, period, article, name, negation, modality, bound, range, frequency, party: one
    word of each source changed so that it says something else."""
    assert len(TURNED) >= 250
    passed = []
    for source, false in TURNED:
        sources = [_evidence(n, text) for n, text in enumerate([source, *_OTHERS[has_han(source)]], 1)]
        if verify_sentence(false, sources).state is ClaimState.SUPPORTED:
            passed.append((source, false))
    assert not passed


def test_every_true_sentence_is_supported_by_itself() -> None:
    for index, row in enumerate(ROWS):
        claim = verify_sentence(row["text"], _sources(index))
        assert (claim.state, claim.citations) == (ClaimState.SUPPORTED, (1,)), claim
