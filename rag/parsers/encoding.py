"""From bytes of unknown encoding to text.

Order: byte order mark; UTF-8; UTF-16 without a mark; GB18030 or Big5 where the bytes look like Chinese;
charset-normalizer. Chinese is judged before the general detector because a file of a few Chinese words is
often too short for statistics."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from contextlib import suppress

from rag.errors import ParseError

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
    """UTF-16 without a mark: of the two byte orders the one whose text is made of letters, digits, blanks and
    punctuation."""
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
