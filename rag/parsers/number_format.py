"""Numbers as a sheet shows them: the number formats of Office (ISO/IEC 29500-1, 18.8.31), with leading zeros,
literal text, currencies, scaling, conditions and sections for negative numbers, zero and text.

Whole dates stay in ISO form, which says the same in every language; a format that spells out less than a day
or has words of its own is followed. Fractions are shown as the numbers that they are; colours, padding and
filling are not shown."""

from __future__ import annotations

import datetime
import operator
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache

from rag.facts.numerals import HAN_DIGITS
from rag.languages import Patterns

_RE = Patterns(__file__)
_CLOCK = _RE.pairs("clock")
_COMPARE = {
    "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge, "=": operator.eq,
    "<>": operator.ne,
}  # fmt: skip
_EPOCHS = (datetime.datetime(1899, 12, 30), datetime.datetime(1904, 1, 1))
_EXACT = Context(prec=400)
_MOST_DAYS = 2_958_466  # up to the year 9999
# What stands for (kind, text): "literal", "digit", "point", "comma", "percent", "exponent", "slash", "text",
# "general", "date" and "elapsed" (in brackets).
Section = tuple[tuple[str, str], ...]
Value = float | str | bool


def show(value: Value, code: str, *, epoch_1904: bool = False) -> str:
    """A cell's value in the number format `code` ("" or "General": as it is). "" where the format shows
    nothing. Numbers that are dates by their format are days since 1900, or since 1904."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    sections = _sections(code)
    if isinstance(value, str):
        section = sections[3 if len(sections) > 3 else 0]
        words = "".join(value if kind == "text" else text for kind, text in section if kind != "digit")
        return words if len(sections) > 3 or _has(section, "text") else value
    section, negative = _chosen(value, code, sections)
    if _has(section, "date", "elapsed"):
        return _date(value, section, epoch_1904)
    if code and not section:
        return ""
    number = abs(value)
    if _has(section, "general", "text"):
        text = "".join(general(number) if kind in ("general", "text") else text for kind, text in section)
    else:
        text = general(number) if not section or _has(section, "slash") else _number(number, section)
    text = " ".join(text.split())
    signed = value < 0 and not negative and any(c in "123456789" for c in text)
    return f"-{text}" if signed else text


def general(value: float) -> str:
    """A number as it is: whole ones without a point, others without what a computer adds to them."""
    if isinstance(value, int):
        return str(value)
    whole = value.is_integer() and abs(value) < 1e15
    return str(int(value)) if whole else repr(float(f"{value:.15g}"))


@lru_cache(maxsize=1000)
def _sections(code: str) -> tuple[Section, ...]:
    """The tokens of each section of a format."""
    sections: list[list[tuple[str, str]]] = [[]]
    for match in _RE["token"].finditer(code[:1000]):
        text, kind = match[0], match.lastgroup or ""
        if kind == "next":
            sections.append([])
        elif kind == "literal":
            sections[-1].append(("literal", text[1:-1] if text[0] == '"' else text[1:]))
        elif kind == "currency":
            sections[-1].append(("literal", match["sign"]))
        elif kind == "fill":
            last = sections[-1][-1][1] if sections[-1] else ""
            sections[-1].append(("literal", " " if last[-1:].isalpha() else ""))
        elif kind != "unseen":
            sections[-1].append((kind if kind != "other" else "literal", text))
    return tuple(map(tuple, sections))


def _has(section: Section, *kinds: str) -> bool:
    return any(kind in kinds for kind, _ in section)


def _chosen(value: float, code: str, sections: tuple[Section, ...]) -> tuple[Section, bool]:
    """The section for a number; whether it says itself that the number is negative."""
    numbers = sections[:3]
    conditions = _RE["condition"].findall(code)
    if conditions and len(sections) > 1:
        for section, (sign, limit) in zip(numbers, conditions, strict=False):
            if _COMPARE[sign](value, float(limit)):
                return section, value < 0 and sign in ("<", "<=", "<>")
        return numbers[min(len(conditions), len(numbers) - 1)], False
    which = 1 if value < 0 else 2 if value == 0 else 0
    return (numbers[which], which == 1) if which < len(numbers) else (numbers[0], False)


def _number(value: float, section: Section) -> str:
    """A number that is not negative: its digits in their places, before the point from the right; all that
    are left stand at the first place."""
    kinds = [kind for kind, _ in section]
    written = ["" if kind in ("digit", "comma", "point") else text for kind, text in section]
    places = [n for n, kind in enumerate(kinds) if kind == "digit"]
    if not places:
        return "".join(written)
    point = kinds.index("point") if "point" in kinds else len(kinds)
    before, after = [n for n in places if n < point], [n for n in places if n > point]
    exact = Decimal(repr(value)) * Decimal(100) ** kinds.count("percent")
    if "exponent" in kinds:
        sign = kinds.index("exponent")
        mantissa, _, power = f"{exact:.{sum(n < sign for n in after)}E}".partition("E")
        plus = "+" if "+" in section[sign][1] or power.startswith("-") else ""
        return f"{mantissa}E{int(power):{plus}0{len(plus) + sum(n > sign for n in after)}d}"
    last = before[-1] if before else -1
    grouped = "comma" in kinds[: max(last, 0)]
    scaling = kinds[last + 1 : point].count("comma")
    scaling += kinds[places[-1] :].count("comma") if places[-1] > point else 0
    exact = (exact / Decimal(1000) ** scaling).quantize(Decimal(1).scaleb(-len(after)), ROUND_HALF_UP, _EXACT)
    whole, _, decimals = f"{exact:f}".partition(".")
    while decimals and section[after[len(decimals) - 1]][1] != "0" and decimals.endswith("0"):
        decimals = decimals[:-1]
    least = next((len(before) - i for i, n in enumerate(before) if section[n][1] == "0"), 0)
    whole = whole.lstrip("0").rjust(least, "0")
    if grouped and whole:
        whole = f"{int(whole):0{least + (least - 1) // 3 if least else 0},d}"
    for n in () if grouped else before[:0:-1]:
        written[n], whole = whole[-1:], whole[:-1]
    written[before[0] if before else point] = whole
    if decimals:
        written[point] += "."
    for n, digit in zip(after, decimals, strict=False):
        written[n] = digit
    return "".join(written)


def _date(value: float, section: Section, epoch_1904: bool) -> str:
    """A date or time: in ISO form, unless the format has words of its own or says less than a day."""
    if not 0 <= value < _MOST_DAYS:
        return general(value)
    moment = _EPOCHS[epoch_1904] + datetime.timedelta(days=value + (not epoch_1904 and 0 < value < 60))
    moment = (moment + datetime.timedelta(microseconds=500_000)).replace(microsecond=0)
    codes = "".join(text for kind, text in section if kind == "date").lower()
    if _has(section, "elapsed"):
        minutes, seconds = divmod(round(value * 86_400), 60)
        return f"{minutes // 60}:{minutes % 60:02d}" + (f":{seconds:02d}" if "s" in codes else "")
    whole = "y" in codes and "d" in codes
    timed = not ("y" in codes or "d" in codes) and ("h" in codes or "s" in codes)
    if (whole or timed) and not any(kind == "literal" and _RE["han"].search(text) for kind, text in section):
        clock = moment.time().isoformat("seconds" if "s" in codes or whole else "minutes")
        if timed:
            return clock
        day = moment.date().isoformat()
        return day if moment.time() == datetime.time() else f"{day} {clock}"
    return _spelled(moment, section)


def _spelled(moment: datetime.datetime, section: Section) -> str:
    """A moment as a format spells it: m and mm are minutes behind hours or before seconds."""
    codes = [text.lower() for kind, text in section if kind == "date"]
    twelve = "12" if any(_RE["half_day"].match(code) for code in codes) else ""
    says = {
        "上午/下午": "下午" if moment.hour >= 12 else "上午",
        "aaa": (day := f"{HAN_DIGITS[1:7]}日"[moment.weekday()]),
        "aaaa": f"星期{day}",
    }
    spelled = []
    for before, code, behind in zip(["", *codes], codes, [*codes[1:], ""], strict=False):
        minutes = code in ("m", "mm") and (before.startswith("h") or behind.startswith("s"))
        key = code.upper() if minutes else code + twelve if code[0] == "h" else code
        spelled.append(says.get(code) or moment.strftime(_CLOCK.get(key, "")))
    words = iter(spelled)
    return "".join(next(words) if kind == "date" else text for kind, text in section)
