"""From bytes of unknown encoding to text.

Order: byte order mark; UTF-8; UTF-16 without a mark; GB18030 or Big5 where the bytes look like Chinese;
charset-normalizer. Chinese is judged before the general detector because a file of a few Chinese words is
often too short for statistics."""

from __future__ import annotations

import codecs
import re
from contextlib import suppress

from rag.errors import ParseError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_SAMPLE = 256 * 1024
# GB 2312 keeps its 3,755 frequent characters in rows B0 to D7, punctuation in A1 to A3; Big5 its 5,401
# frequent ones from A4 to C6.
_GB_PAIR = re.compile(
    rb"[\x00-\x80]+|([\xa1-\xa3\xb0-\xd7][\xa1-\xfe])|([\x81-\xfe][\x30-\x39][\x81-\xfe][\x30-\x39]|[\x81-\xff].?)",
    re.S,
)
_BIG5_PAIR = re.compile(rb"[\x00-\x80]+|([\xa1\xa2\xa4-\xc6][\x40-\x7e\xa1-\xfe])|([\x81-\xff].?)", re.S)
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
    if b"\0" in data:
        text = _decode_utf16(data)
        if not text:
            raise _not_text(path)
        return text
    with suppress(UnicodeDecodeError):
        return data.decode("utf-8")
    han = _decode_utf16_han(data)
    if not han and _looks_binary(data):
        raise _not_text(path)
    return han or _decode_chinese(data) or _decode_western(data) or _decode_detected(data, path)


def _not_text(path: str) -> ParseError:
    return ParseError(f"{path}: binary data, not text. Give it the suffix of its real format.", "unsupported")


def _looks_binary(data: bytes) -> bool:
    sample = data[:_SAMPLE]
    controls = len(sample) - len(
        sample.translate(None, bytes([*range(9), *range(14, 27), *range(28, 32), 127]))
    )
    return controls > len(sample) * 0.02


def _decode_utf16(data: bytes) -> str:
    """UTF-16 without a mark: of the two byte orders the one whose text is made of letters, digits, blanks and
    punctuation."""
    readings = []
    for encoding in ("utf-16-be", "utf-16-le"):
        with suppress(UnicodeDecodeError):
            text = data[: len(data) // 2 * 2].decode(encoding)
            sample = text[:20_000]
            readings.append((len(_USUAL.findall(sample)) / max(1, len(sample)), encoding, text))
    share, _, best = max(readings, default=(0.0, "", ""))
    # Random bytes land among the Han characters one time in three: 0.9 is far from that.
    return best if share >= 0.9 else ""


def _decode_utf16_han(data: bytes) -> str:
    """Chinese in UTF-16 has no zero byte where no Latin letter or line break is in it. Pairs of Latin letters
    read as UTF-16 look like Han characters too, but never with Chinese punctuation between them."""
    text = _decode_utf16(data) if len(data) % 2 == 0 else ""
    return text if text and sum(c in "，。、；：「」（）" for c in text) * 100 > len(text) else ""


def _decode_western(data: bytes) -> str:
    """Windows-1252 where all accents are those of French, German, Spanish or Portuguese: detectors take short
    texts in these languages for Polish."""
    text = data.decode("cp1252", errors="replace")
    return text if _WESTERN.fullmatch(text) else ""


def _decode_chinese(data: bytes) -> str:
    sample = data[:_SAMPLE]
    shares = {"gb18030": _share(_GB_PAIR, sample), "big5hkscs": _share(_BIG5_PAIR, sample)}
    for encoding in sorted(shares, key=lambda name: -shares[name]):
        if shares[encoding] < 0.75:
            break
        text = data.decode(encoding, errors="replace")
        # A few broken bytes (a file cut in the middle of a character) are no reason to read the rest as
        # something else.
        if text.count("\ufffd") <= max(1, len(text) // 1000):
            return text
    return ""


def _share(pairs: re.Pattern[bytes], sample: bytes) -> float:
    """Share of frequent characters among all multi-byte ones. One glued to a small Latin letter is an accent
    misread."""
    frequent = other = 0
    for match in pairs.finditer(sample):
        if match.group(1):
            after = sample[match.end() : match.end() + 1]
            before = sample[match.start() - 1 : match.start()] if match.start() else b""
            misread = (
                after.isalpha() and after.islower() and (not before or before.isspace() or before.isalpha())
            )
            frequent += not misread
            other += misread
        elif match.group(2):
            other += 1
    return frequent / (frequent + other) if frequent else 0.0


def _decode_detected(data: bytes, path: str) -> str:
    from charset_normalizer import from_bytes

    best = from_bytes(data[:_SAMPLE], cp_isolation=_OTHERS, enable_fallback=False).best()
    encoding = best.encoding if best else "cp1252"
    text = data.decode(encoding, errors="replace")
    if text.count("\ufffd") > len(text) * 0.05:
        raise _not_text(path)
    return text
