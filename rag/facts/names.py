"""Names of companies: the forms in which people write one and the same name.

A key is a name reduced to its letters and digits ("Thornfield & Marsh" and THORNFIELD_MARSH are
"thornfieldmarsh"), so that spacing, case, punctuation and file names make no difference. No name of a real
company is known here; only what surrounds names is (Inc, Ltd, 有限公司).

And names that a letter or a numeral tells apart: "Party A", "hepatitis B", 乙方."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from unicodedata import normalize

from rag.facts.numerals import HAN_NUMERAL, HAN_ONES, fold
from rag.languages import Patterns, listed, patterns, union
from rag.languages.text import STOP_WORDS, has_han, letters, normalise, search_tokens

WORD = re.compile(r"[^\W_]+(?:[.'’&!-]+[^\W_]+)*")
_RE = patterns("names", re.NOFLAG)
PLACED = _RE["placed"]
"""What stands in front of the name of a place."""
BETWEEN = _RE["between"]
"""By what a question names the document that it asks of: between whom it is, or its title in front."""
POSSESSIVE = _RE["possessive"]
LEGAL_NAME = _RE["legal_name"]
ZH_LEGAL_NAME = _RE["zh_legal_name"]
ZH_SHORT_NAME = _RE["zh_short_name"]
JOINING = frozenset(("and", "the", "n"))
# Without the Chinese that may stand right behind it.
CAPITALISED = re.compile(r"(?<![A-Za-z\d_])[A-Z](?:(?![\u3400-\u9fff])[\w&.'’-])*")
_LINKS = "(?: (?:of|and|the|for|de|van|von|der|la|le|du|del|al|&)){0,2} "
_RUNS = {
    numbers: re.compile(
        rf"(?<![A-Za-z\d_])[A-Z{first}][\w&.'’-]*(?:{links}(?:[A-Z{first}][\w&.'’-]*|plc\b{more}))*"
    )
    for numbers, first, links, more in (
        ("none", "", _LINKS, ""),
        ("years", "", _LINKS, r"|(?:19|20)\d\d\b"),
        ("any", r"\d", "(?: (?:of|and|&))? ", ""),
    )
}
_LEGAL = listed("legal_forms")
_KIND = listed("kinds_of_company")

GENERIC = listed("generic_names")
ABBREVIATIONS = listed("abbreviations")


squash = lru_cache(maxsize=65536)(letters)


def name_words(text: str) -> tuple[str, ...]:
    """The words of a name as keys, without "and", "&" and "the": ("thornfield", "marsh", "inc")."""
    words = (squash(POSSESSIVE.sub("", w)) for w in WORD.findall(text))
    return tuple(w for w in words if w and w not in JOINING)


def name_key(text: str) -> str:
    """The key of a name: "The Thornfield and Marsh Co." -> "thornfieldmarshco"."""
    return squash(text) if has_han(text) else "".join(name_words(text))


def capitalised_runs(text: str, numbers: str = "none") -> Iterator[re.Match[str]]:
    """Capitalised words beside each other, and small ones between them ("Bank of the West"). Of `numbers`,
    "years" go on with a name ("Transport Act 2018"); "any" also begin one ("3M"), but between these no small
    word but "of" and "and" is part of it ("in FY2022 for Larkwell")."""
    return _RUNS[numbers].finditer(text)


def is_legal_form(word: str) -> bool:
    """Whether a word only says a company's legal form, as "Inc." does."""
    return squash(word) in _LEGAL


@lru_cache(maxsize=16384)
def short_name(name: str) -> str:
    """The name without what only says the legal form: "THE THORNFIELD MARSH COMPANY, INC." ->
    "THORNFIELD MARSH". Never empty for a name with a letter."""
    if has_han(name):
        return _RE["zh_legal"].sub("", _RE["zh_legal"].sub("", name.strip())) or name.strip()
    text = _SHAPES["dotted"].sub(lambda m: m.group().replace(".", ""), _SHAPES["state"].sub("", name.strip()))
    words = text.split()
    if len(words) > 1 and words[0].lower() == "the":
        words = words[1:]
    while len(words) > 1 and (squash(words[-1]) in _LEGAL or squash(words[-1]) in ("", "and")):
        words.pop()
    return " ".join(words).strip(" ,.;:-")


def shorter_name(name: str) -> str:
    """`short_name` without a last word such as Group or Holdings; "" where that leaves one common word, or
    there is none."""
    short = short_name(name)
    if has_han(short):
        cut = _RE["zh_kind"].sub("", short)
        return cut if cut != short and len(cut) > 1 else ""
    words = short.split()
    while len(words) > 1 and squash(words[-1]) in _KIND:
        words.pop()
    cut = " ".join(words).strip(" ,&")
    return "" if cut == short or (len(words) == 1 and squash(cut) in GENERIC) else cut


def acronyms(name: str) -> dict[str, bool]:
    """Initials by which a name of several words may be called, with whether they are written with a joining
    sign ("J&J", "JnJ"): {"jj": True, "jnj": False}. "and" gives no initial of its own."""
    short = short_name(name)
    words = [] if has_han(short) else [squash(w) or w for w in re.split(r"[\s\-/]+", short) if w]
    named = [w for w in words if w not in JOINING and w[0].isalnum()]
    if len(named) < 2:
        return {}
    letters = "".join(w[0] for w in named)
    plain = "".join(w[0] for w in named if w not in ("of", "in", "for"))
    found = {letters: False} | ({plain: False} if len(plain) > 1 else {})
    if len(named) == 2 and not {"&", "and", "n"}.isdisjoint(words):
        found |= {letters: True, f"{letters[0]}n{letters[1]}": False, f"{letters[0]}and{letters[1]}": False}
    return {k: v for k, v in found.items() if k not in ABBREVIATIONS}


EXCHANGES = (
    r"NYSE(?: American| Arca)?|N(?i:asdaq)(?:GS|GM|CM)?|LSE|AIM|ASX|TSX|AMEX|HKEX|SEHK|SGX|OTC\w*"
    r"|Euronext(?: \w+)?|XETRA|SIX|BSE|NSE"
)

# Labelled names


@dataclass(frozen=True, slots=True)
class LabelledName:
    """A name that a letter, a roman numeral or a number tells from others of its noun: "Party A", "hepatitis
    B", "ward II", 乙方, A股, 二审. It stands at `[start, end)`, its label at `[label_start, label_end)`.

    `noun` is the stem of the noun, "" where the label stands alone; `label` is the same for all spellings:
    letters small, numerals as digits (II, Ⅱ and 二 are 2)."""

    noun: str
    label: str
    start: int
    end: int
    label_start: int
    label_end: int


_NOUNS = union(lambda of: of.label_nouns)
_BEFORE_LABEL = frozenset(noun for noun, side in _NOUNS.items() if noun.isascii())
_BEARERS = "".join(noun for noun, side in _NOUNS.items() if side != "before" and not noun.isascii())
_KINDS = "(?:" + "|".join(noun for noun, side in _NOUNS.items() if side != "behind") + ")"
_SHAPES = Patterns(
    __file__, han_numeral=HAN_NUMERAL, bearers=_BEARERS, kinds=_KINDS, han_ones="".join(HAN_ONES)
)
_ROMAN_ONES = {"i": 1, "v": 5, "x": 10, "l": 50}


@lru_cache(maxsize=1)
def _stems() -> frozenset[str]:
    return frozenset(map(_stem, _BEFORE_LABEL))


@lru_cache(maxsize=4096)
def _stem(noun: str) -> str:
    return (search_tokens(noun) or [noun.lower()])[0]


def labelled(text: str) -> tuple[LabelledName, ...]:
    """The labelled names of a folded text (`rag.facts.numerals.fold`), in order. A label belongs to the noun
    before it, to that of the labels it is listed with ("vitamins A and D"), in Chinese also to the one behind
    it (甲方). "A" and "I" count where they are no article and no pronoun, initials of people do not."""
    found = [*_labelled_en(text), *(_labelled_zh(text) if has_han(text) else ())]
    return tuple(sorted(found, key=lambda n: n.start))


def _labelled_en(text: str) -> Iterator[LabelledName]:
    last, sort = LabelledName("", "", -1, -1, -1, -1), ""
    for m in _SHAPES["label_en"].finditer(text):
        label, start = label_value(m.group()), m.start()
        listed = _RE["listed"].fullmatch(text, last.end, start) if sort == m.lastgroup else None
        if listed is not None and not (m.group() == "I" and last.label == "a"):
            noun: str | None = last.noun
            for between in _between(last.label, label) if listed["to"] else ():
                yield LabelledName(last.noun, between, start, m.end(), start, m.end())
        else:
            before = _RE["noun_before"].search(text, max(0, start - 40), start)
            noun = _noun_of(text, m, before["noun"] if before else "")
            start = before.start() if before and noun else start
        if noun is not None:
            last, sort = LabelledName(noun, label, start, m.end(), m.start(), m.end()), m.lastgroup or ""
            yield last


def _noun_of(text: str, m: re.Match[str], noun: str) -> str | None:
    """The noun that a label is of: "" where it stands alone, None where it is no label."""
    label, key, small = m.group(), _stem(noun), noun.lower()
    given, common = key in _stems(), small in STOP_WORDS
    if m["number"]:
        sure = small in _BEFORE_LABEL or _RE["more_numbers"].match(text, m.end())
        return key if given and sure and not _SHAPES["next"].match(text, m.end()) else None
    named = _RE["name_ends"].match(text, m.end()) or _RE["verb_or_plural"].match(text, m.end())
    if m["small"]:
        return key if given and (label not in ("a", "i") or named) else None
    capital = noun[:1].isupper() and not common
    if not given and (_SHAPES["capital_next"].match(text, m.end()) or label == "IV"):
        return None  # "John A. Smith", "Buy A House"
    if label == "I" and not capital and not named:
        return None
    if given or capital:
        return key
    unit = text[: m.start()].rstrip()[-1:].isdigit()  # "5 V"
    opens = (label == "A" and not named) or (len(label) < 2 and text[m.end() : m.end() + 1] in (".", ")"))
    opens = opens and bool(_SHAPES["opens"].search(text, 0, m.start()))
    return None if (m["roman"] and (not noun or common)) or noun.isupper() or unit or opens else ""


def _between(first: str, last: str) -> Iterator[str]:
    """The labels between two: 2 and 3 for "1 to 4"."""
    if first.isdigit() and last.isdigit():
        yield from map(str, range(int(first) + 1, min(int(last), int(first) + 40)))
    elif len(first) == len(last) == 1 and first.isalpha() and last.isalpha():
        yield from map(chr, range(ord(first) + 1, ord(last)))


def _labelled_zh(text: str) -> Iterator[LabelledName]:
    for m in _SHAPES["label_zh"].finditer(text):
        group = next(g for g in ("stem", "mark", "figure", "last") if m[g])
        noun = m["after"] or m["kind"] or m["sort"] or ""
        behind = bool(not noun and m.start() and text[m.start() - 1] in _BEARERS)
        start = m.start() - 1 if behind else m.start()
        noun = text[start] if behind else noun
        yield LabelledName(noun, label_value(m[group]), start, m.end(), m.start(group), m.end(group))


def label_value(label: str) -> str:
    """A label in one spelling: "II", "Ⅱ" and 二 are "2", other letters small."""
    plain = normalize("NFKC", label).lower()
    if plain and set(plain) <= _ROMAN_ONES.keys():
        values = [_ROMAN_ONES[c] for c in plain]
        return str(sum(-v if v < w else v for v, w in zip(values, [*values[1:], 0], strict=True)))
    return HAN_ONES.get(plain, plain)


def holds_name(text: str, name: str, around: str = "") -> bool:
    """Whether a text, or what stands around it, names somebody: as whole words, a labelled name by its noun
    and label ("Party A" in "Parties A and B", not in "party agreement"). A text that names Party B is not
    about Party A because its title is."""
    wanted = _wanted(name)
    if isinstance(wanted, LabelledName):
        for place in (text, around):
            if labels := {n.label for n in labelled(fold(place)) if n.noun == wanted.noun}:
                return wanted.label in labels
        return False
    return wanted.search(normalise(f"{text}\n{around}")) is not None


@lru_cache(maxsize=4096)
def _wanted(name: str) -> LabelledName | re.Pattern[str]:
    found = labelled(fold(name))
    if len(found) == 1 and found[0].noun and (found[0].start, found[0].end) == (0, len(name)):
        return found[0]
    plain = re.escape(normalise(name))
    return re.compile(rf"(?<![a-z0-9]){plain}(?:e?s)?(?![a-z0-9])" if plain[:1].isascii() else plain)
