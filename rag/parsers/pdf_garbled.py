"""Whether the text of a PDF is a language, by its letters. Fonts with a broken map of characters give names
of glyphs, boxes, private characters, any others, or letters shifted by a constant; these are read back."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable

from rag.languages.text import STOP_WORDS

_FEWEST = 40  # letters, below which nothing is said
_FREQUENT = frozenset("etaoinshr")  # in Latin letters: seven of ten in English, half in Polish
_GLYPHS = re.compile(
    r"/?(?:g|gid|glyph|c|G)[:.]?\d{1,5}(?!\w)|/?uni[\dA-F]{4}|\(?cid:\d+\)?|/?(?:gid|glyph|g)\d{1,5}"
)
_LEADERS = re.compile(r"[.·_…\-–—=*]{3,}")
_WORDS = re.compile(r"[^\W\d_]+")
_WITHIN = re.compile(r'(?<=\w)[!"#$%&;?@\[\\\]{}`|~<=>*+^]+(?=\w)')
_LATIN_1 = re.compile("[\u00a1-\u00ff]")
# The most frequent characters of Chinese texts, which make up a third of any of them.
_COMMON = frozenset(
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面"
    "而方后多定行学法所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性"
    "好应开它合还因由其些然前外天政四日那社义事平形相全表间样与关各重新线内数正心反你明看原又么利比或但质气第"
    "向道命此变条只没结解问意建月公无系军很情者最立代想已通并提直题党程展五果料象员革位入常文总次品式活设及管"
)
_HAN = re.compile("[\u3400-\u9fff]")


def is_language(text: str) -> bool:
    """False for what no language looks like; True where there is too little text to say."""
    shown = "".join(_LEADERS.sub("", text).split())
    if len(shown) < _FEWEST:
        return True
    kinds = Counter(map(unicodedata.category, shown))
    read = sum(count for kind, count in kinds.items() if kind[0] in "LMN")
    strange = sum(kinds[kind] for kind in ("Cc", "Cn", "Co", "Cs", "So")) * 3 > len(shown)
    one = Counter(shown).most_common(1)[0][1] * 5 > 3 * len(shown)
    if strange or one or read * 3 < len(shown) or sum(map(len, _GLYPHS.findall(shown))) * 2 > len(shown):
        return False
    if len(han := _HAN.findall(text)) * 3 > len(shown) and len(han) >= 2 * _FEWEST:
        common = [c for c in han if c in _COMMON]
        return len(common) * 12 > len(han) and len(set(common)) > 4
    if len(latin := _LATIN_1.findall(text)) > _FEWEST and len(latin) * 2 > len(shown):
        return False
    letters = [c for c in shown.casefold() if "a" <= c <= "z"]
    words = {word.casefold() for word in _WORDS.findall(text) if len(word) > 1}
    plain = [c for c in "".join(words) if "a" <= c <= "z"]  # of each word once: lists repeat some
    frequent = sum(c in _FREQUENT for c in plain) * 100 > 44 * max(len(plain), _FEWEST // 2)
    if len(letters) * 2 < len(shown) or len(plain) < 2 * _FEWEST or len(set(plain)) < 12:
        return frequent or _share_known(text) > 0 or not _is_cut_by_signs(text)
    return frequent or _share_known(text) > 0.1


def _is_cut_by_signs(text: str) -> bool:
    """Whether signs of several kinds stand within many words, as where a map takes letters to any sign."""
    words = [word for word in text.split() if len(word) > 2]
    cut = [word for word in words if _WITHIN.search(word)]
    kinds = {sign for word in cut for signs in _WITHIN.findall(word) for sign in signs}
    return len(kinds) > 3 and sum(map(len, cut)) * 5 > sum(map(len, words))


def _share_known(text: str) -> float:
    """The share of the letters that stand in stop words of two letters and more; 0 for fewer than four of
    them."""
    words = [word.casefold() for word in _WORDS.findall(text)]
    known = [word for word in words if len(word) > 1 and word in STOP_WORDS]
    return sum(map(len, known)) / sum(map(len, words)) if len(set(known)) > 3 else 0.0


def shifted_back(text: str, generated: Callable[[int], bool]) -> str:
    """Text whose characters all stand a constant below or above what they mean, as glyph numbers of common
    fonts do (29); "" where no shift makes words of it. `generated` says which characters pdfium put there
    itself (blanks and line breaks), by their place."""
    own = [c.isspace() and generated(n) for n, c in enumerate(text)]
    best, share = "", 0.12
    for shift in (29, *range(1, 29), *range(30, 60), *range(-40, 0)):
        made = "".join(
            c if kept else chr(ord(c) + shift) if 0 <= ord(c) + shift < 0x3000 else c
            for c, kept in zip(text, own, strict=True)
        )
        known = _share_known(made)
        if known > share and is_language(made):
            best, share = made, known
            if shift == 29:
                break
    return best
