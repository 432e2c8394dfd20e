"""From bytes of unknown encoding to text; and whether the text of a PDF is a language, by its letters.

Bytes: byte order mark; UTF-8; UTF-16 without a mark; GB18030 or Big5 where the bytes look like Chinese;
charset-normalizer. Chinese is judged before the general detector because a file of a few Chinese words is
often too short for statistics. Letters: fonts with a broken map of characters give names of glyphs, boxes,
private characters, any others, or letters shifted by a constant; these are read back."""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

from rag.errors import ParseError
from rag.languages.text import STOP_WORDS

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_SAMPLE = 256 * 1024
_CONTROLS = bytes([*range(9), *range(14, 27), *range(28, 32), 127])
# GB 2312 keeps its 3,755 frequent characters in rows B0 to D7, punctuation in A1 to A3; Big5 its 5,401
# frequent ones from A4 to C6. A pair that is glued to small Latin letters is an accent misread.
_PAIRS = {
    encoding: re.compile(
        rb"(?P<ascii>[\x00-\x80]+)|(?!(?<![^\sA-Za-z])%b[a-z])(?P<frequent>%b)|%b" % (pair, pair, other), re.S
    )
    for encoding, pair, other in (
        (
            "gb18030",
            rb"[\xa1-\xa3\xb0-\xd7][\xa1-\xfe]",
            rb"[\x81-\xfe][\x30-\x39][\x81-\xfe][\x30-\x39]|[\x81-\xff].?",
        ),
        ("big5hkscs", rb"[\xa1\xa2\xa4-\xc6][\x40-\x7e\xa1-\xfe]", rb"[\x81-\xff].?"),
    )
}
_OTHERS = (
    "gb18030 big5hkscs cp1252 cp1250 cp1251 cp1253 cp1254 iso8859_2 koi8_r shift_jis euc_jp euc_kr".split()
)
_WESTERN = re.compile("[\0-\x7fàâäáãçéèêëíîïñóôöõœúùûüßÀÂÄÁÃÇÉÈÊËÍÎÏÑÓÔÖÕŒÚÙÛÜ€£§©®°«»“”„‘’‚–—…·•¿¡ªº\xa0]*")
# Letters, digits, blanks and punctuation of Latin and Chinese text.
_USUAL = re.compile("[\t\r\n -\u02ff\u2010-\u203f\u3000-\u301f\u4e00-\u9fa5\uff00-\uff5e]")
# Signatures of formats that are sometimes renamed to .txt; the second kind could begin a text too.
_BINARY = (
    b"%PDF-1.", b"%PDF-2.", b"PK\x03\x04", b"\x89PNG", b"\xff\xd8\xff", b"\x7fELF", b"\x1f\x8b",
    b"\xd0\xcf\x11\xe0",
)  # fmt: skip
_PERHAPS_BINARY = (b"GIF8", b"MZ", b"Rar!", b"BM", b"II*", b"MM\0*")


def decode(data: bytes, *, path: str) -> str:
    """The text of `data`. Raises ParseError: "unsupported" for what is not text at all."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.decode(encoding, errors="replace")
    if data.startswith(_BINARY) or (data.startswith(_PERHAPS_BINARY) and _looks_binary(data)):
        raise _not_text(path)
    zeros = b"\0" in data
    with suppress(UnicodeDecodeError):
        if not zeros:
            return data.decode("utf-8")
    wide = _decode_utf16(data) if zeros or len(data) % 2 == 0 else ""
    # Chinese in UTF-16 has no zero byte where no Latin letter or line break is in it. Pairs of Latin letters
    # read as UTF-16 look like Han characters too, but never with Chinese punctuation between them.
    if not zeros and sum(c in "，。、；：「」（）" for c in wide) * 100 <= len(wide):
        wide = ""
    if not wide and (zeros or _looks_binary(data)):
        raise _not_text(path)
    return wide or _decode_chinese(data) or _decode_detected(data, path)


def _not_text(path: str) -> ParseError:
    return ParseError(f"{path}: binary data, not text. Give it the suffix of its real format.", "unsupported")


def _looks_binary(data: bytes) -> bool:
    sample = data[:_SAMPLE]
    return len(sample.translate(None, _CONTROLS)) < len(sample) * 0.98


def _decode_utf16(data: bytes) -> str:
    """UTF-16 without a mark, in the byte order that makes letters, digits, blanks and punctuation."""
    readings = {0.9: ""}  # random bytes land among the Han characters one time in three: 0.9 is far from that
    for encoding in ("utf-16-be", "utf-16-le"):
        with suppress(UnicodeDecodeError):
            text = data[: len(data) // 2 * 2].decode(encoding)
            readings[len(_USUAL.findall(text[:20_000])) / max(1, len(text[:20_000]))] = text
    return readings[max(readings)]


def _decode_chinese(data: bytes) -> str:
    counts = {
        name: Counter(m.lastgroup for m in pairs.finditer(data[:_SAMPLE])) for name, pairs in _PAIRS.items()
    }
    shares = {name: n["frequent"] / max(1, n["frequent"] + n[None]) for name, n in counts.items()}
    for encoding in sorted(shares, key=lambda name: -shares[name]):
        if shares[encoding] < 0.75:
            break
        text = data.decode(encoding, errors="replace")
        # A few broken bytes (a file cut in the middle of a character) are no reason to read the rest as
        # something else.
        if text.count("\ufffd") <= max(1, len(text) // 1000):
            return text
    return ""


def _decode_detected(data: bytes, path: str) -> str:
    from charset_normalizer import from_bytes

    # Detectors take short texts in French, German, Spanish or Portuguese for Polish.
    if _WESTERN.fullmatch(text := data.decode("cp1252", errors="replace")):
        return text
    best = from_bytes(data[:_SAMPLE], cp_isolation=_OTHERS, enable_fallback=False).best()
    encoding = best.encoding if best else "cp1252"
    text = data.decode(encoding, errors="replace")
    if text.count("\ufffd") > len(text) * 0.05:
        raise _not_text(path)
    return text


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
    """The share of the letters that stand in stop words of two and more; 0 for fewer than four of these."""
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
