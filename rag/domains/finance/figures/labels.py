"""How well the label of a row says what one of several wordings says.

Labels are compared word by word: every word of the wording has to stand in the label; words that a label adds
cost according to what they do to its meaning ("net" not much, "other" or "deferred" nearly all). What a total
is after ("net of ...") and whose it is ("attributable to ...") hardly count."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from rag.documents.catalogue import singular
from rag.languages.text import has_han

_STOP = frozenset("the of and in on for to from by a an or with at s its our".split())
_NEUTRAL = frozenset(
    """net consolidated company group customer inc corporation co trade merchandise including income
    loss expense provided used activity operation common shareholder all reported doubtful account
    allowance""".split()
)
_CHANGING = frozenset(
    """other discontinued noncontrolling deferred accumulated restricted non noncurrent average
    before excluding per share change increase decrease product service less adjusted proceed sale
    disposal comprehensive beginning segment domestic international foreign financing lease tax
    percentage percent rate ratio margin unrealized hedge related held pension effect portion
    current marketing segregated settlement minority preferred dividend supplemental accrued
    capitalized noncash acquired acquisition impairment gain continuing interest attributable number
    investment security cash equivalent not declared unpaid""".split()
)
_FOLDS = {
    "stockholder": "shareholder", "shareowner": "shareholder", "earning": "income", "payment": "purchase",
    "addition": "purchase", "acquire": "purchase", "deficit": "equity",
}  # fmt: skip
_FILLING = {"net": 0.03, "total": 0.03, "paid": 0.1}
_NEUTRAL_COST, _COST, _CHANGING_COST = 0.04, 0.14, 0.45
BRACKETS = re.compile(r"[(（][^()（）]*[)）]/?")
_LATIN = re.compile(r"[a-z][a-z'’]*")
_LOSS_LINE = re.compile(
    r"(?:total |consolidated )?(?:(?:net|operating|pre-?tax) )?loss\b(?! on| of| from (?!oper|contin))"
)
# What a total is after, and whose it is, does not make it another line.
_NET_OF = re.compile(
    r"(?i)[,(]? ?(?:net of\b"
    r"|(?:less|including|net):? (?:an? )?(?:allowances?|accumulated|provisions?|reserves?)\b"
    r"|and (?:after-tax|equity (?:in|earnings|income|method))\b).*"
)
_OF_OWNERS = re.compile(
    r"(?i)\b(?:attributable|applicable|available) to "
    r"(?!.*(?:non-?controlling|minority|discontinued|preferred)).*"
)


def wording_score(label: str, section: str, wordings: Sequence[str]) -> float:
    """How well a label says an item, 0..1; where it says too little by itself ("Basic"), with its section."""
    whole = _NET_OF.sub("", label) or label
    short = _OF_OWNERS.sub("", whole) or whole
    own = _words(short)
    both = _words(f"{section} {short}")
    best = 0.0
    for rank, wording in enumerate(wordings):
        words = _words(wording)
        if not words:
            continue
        alone = max(_overlap(words, own), _overlap(words, _words(whole)) if short != whole else 0.0)
        if short != whole and "attributable" in words:  # whoever owns the company
            kept = tuple(w for w in words if w not in ("common", "shareholder", "company"))
            alone = max(alone, _overlap(kept, (*own, "attributable")))
        # "Basic", under "Net income per share".
        joined = _overlap(words, both) - 0.05 if own and set(own) <= {*words, "total"} else 0.0
        best = max(best, max(alone, joined) - 0.01 * rank)
    return best - (0.05 if short != whole and best else 0.0)


def _overlap(words: tuple[str, ...], label: tuple[str, ...]) -> float:
    held = list(label)
    missing = 0.0
    for word in words:
        if word in held:
            held.remove(word)
        elif word in _FILLING:
            missing += _FILLING[word]
        else:
            return 0.0
    # A total is what is asked for, unless parts are.
    cost = -0.05 if "total" in held else 0.0
    held = [w for w in held if w != "total"]
    cost += sum(_NEUTRAL_COST if w in _NEUTRAL else _CHANGING_COST if w in _CHANGING else _COST for w in held)
    apart = 0.0 if " ".join(words) in " ".join(label) else 0.03
    return 1.0 - cost - missing - apart


@lru_cache(maxsize=16384)
def _words(text: str) -> tuple[str, ...]:
    """The words of a label or a wording that count, folded: singular, one word for shareholders of all
    kinds, no brackets; Chinese by its characters."""
    if has_han(text):
        plain = BRACKETS.sub("", text)
        return tuple(c for c in plain.split("：")[-1] if c.isalnum())
    plain = BRACKETS.sub(" ", text).lower().replace("’", "'") or text.lower()
    words = [_one(w.removesuffix("'s").rstrip("'")) for w in _LATIN.findall(plain)]
    words = [_FOLDS.get(w, w) for w in words if w not in _STOP]
    # "Credit losses" are no loss of the company.
    if "loss" in words and "income" in words:
        words = [w for w in words if w != "loss"]
    elif _LOSS_LINE.match(plain.strip()):
        words = ["income" if w == "loss" else w for w in words]
    if "common" in words and "preferred" in words:
        words = [w for w in words if w not in ("common", "preferred")]
    if "tax" in words:
        words = ["provision" if w in ("benefit", "expense") else w for w in words]
    return tuple(words)


def _one(word: str) -> str:
    """A word without its plural: "taxes", "inventories", "losses", "sales"."""
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    return word[:-2] if word.endswith(("xes", "sses")) else singular(word)
