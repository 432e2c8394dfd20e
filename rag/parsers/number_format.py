"""Numbers as a sheet shows them: the number formats of Office (ISO/IEC 29500-1, 18.8.31), with leading zeros,
literal text, currencies, scaling, fractions, conditions and sections for negative numbers, zero and text.

Whole dates stay in ISO form, which says the same in every language; a format that spells out less than a day
or has words of its own is followed. Colours, padding and filling are not shown."""

from __future__ import annotations

import datetime
import operator
import re
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from functools import lru_cache

from rag.facts.numerals import HAN_DIGITS
from rag.languages import Patterns

_RE = Patterns(__file__)
_COMPARE = {
    "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge, "=": operator.eq,
    "<>": operator.ne,
}  # fmt: skip
_EPOCHS = (datetime.datetime(1899, 12, 30), datetime.datetime(1904, 1, 1))
_EXACT = Context(prec=400)
_MOST_DAYS = 2_958_466  # up to the year 9999
_PLACEHOLDERS = "0#?"
# What stands for (kind, text): "literal", "digit", "point", "comma", "percent", "exponent", "slash", "text",
# "general", "date" and "elapsed" (in brackets).
Token = tuple[str, str]
Value = float | str | bool


def show(value: Value, code: str, *, epoch_1904: bool = False) -> str:
    """A cell's value in the number format `code` ("" or "General": as it is). "" where the format shows
    nothing. Numbers that are dates by their format are days since 1900, or since 1904."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    sections = _sections(code)
    if isinstance(value, str):
        section = sections[3] if len(sections) > 3 else sections[0] if _has(sections[0], "text") else None
        if section is None:
            return value
        return "".join(value if kind == "text" else text for kind, text in section if kind != "digit")
    section, negative = _chosen(value, code, sections)
    if _has(section, "date", "elapsed"):
        return _date(value, section, epoch_1904)
    if code and not section:
        return ""
    number = abs(value) if negative or value < 0 else value
    if not section or _has(section, "general", "text"):
        text = "".join(
            general(number) if kind in ("general", "text") else t for kind, t in section or (("general", ""),)
        )
    else:
        text = _number(number, section)
    text = " ".join(text.split())
    signed = value < 0 and not negative and any(c in "123456789" for c in text)
    return f"-{text}" if signed else text


def general(value: float) -> str:
    """A number as it is: whole ones without a point, others without what a computer adds to them."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, int) and abs(value) >= 10**15:
        return str(value)
    return repr(float(f"{value:.15g}")) if isinstance(value, float) else str(value)


@lru_cache(maxsize=1000)
def _sections(code: str) -> tuple[tuple[Token, ...], ...]:
    """The tokens of each section of a format."""
    sections: list[list[Token]] = [[]]
    for match in _RE["token"].finditer(code[:1000]):
        text, kind = match[0], match.lastgroup or ""
        if kind == "next":
            sections.append([])
        elif kind == "literal":
            sections[-1].append(("literal", text[1:-1] if text[0] == '"' else text[1:]))
        elif kind == "currency":
            sections[-1] += [("literal", match["sign"])] if match["sign"] else []
        elif kind == "fill":
            last = sections[-1][-1][1] if sections[-1] else ""
            sections[-1] += [("literal", " ")] if last[-1:].isalpha() else []
        elif kind != "unseen":
            sections[-1].append((kind if kind != "other" else "literal", text))
    return tuple(tuple(section) for section in sections)


def _has(section: tuple[Token, ...], *kinds: str) -> bool:
    return any(kind in kinds for kind, _ in section)


def _chosen(
    value: float, code: str, sections: tuple[tuple[Token, ...], ...]
) -> tuple[tuple[Token, ...], bool]:
    """The section for a number; whether it says itself that the number is negative."""
    numbers = sections[:3]
    conditions = _RE["condition"].findall(code)
    if conditions and len(sections) > 1:
        for section, (sign, limit) in zip(numbers, conditions, strict=False):
            if _COMPARE[sign](value, float(limit)):
                return section, value < 0 and sign in ("<", "<=", "<>")
        return numbers[min(len(conditions), len(numbers) - 1)], False
    if value < 0 and len(numbers) > 1:
        return numbers[1], True
    if value == 0 and len(numbers) > 2:
        return numbers[2], False
    return numbers[0], False


def _number(value: float, section: tuple[Token, ...]) -> str:
    kinds = [kind for kind, _ in section]
    if "digit" not in kinds:
        return "".join("%" if kind == "percent" else text for kind, text in section if kind != "comma")
    if "slash" in kinds and "point" not in kinds:
        return _fraction(value, section)
    exact = Decimal(repr(float(value))) if isinstance(value, float) else Decimal(value)
    exact *= Decimal(100) ** kinds.count("percent")
    point = kinds.index("point") if "point" in kinds else len(kinds)
    digits = [n for n, kind in enumerate(kinds) if kind == "digit"]
    last = max((n for n in digits if n < point), default=-1)
    scaling = sum(kind == "comma" and (last < n < point or n > digits[-1]) for n, kind in enumerate(kinds))
    exact /= Decimal(1000) ** scaling
    if "exponent" in kinds:
        return _scientific(exact, section)
    after = [text for kind, text in section[point:] if kind == "digit"]
    rounded = exact.quantize(Decimal(1).scaleb(-len(after)), ROUND_HALF_UP, _EXACT)
    whole, _, decimals = f"{rounded:f}".partition(".")
    while decimals and after[len(decimals) - 1] != "0" and decimals.endswith("0"):
        decimals = decimals[:-1]
    grouped = any(kinds[n] == "comma" for n in range(last))
    return _laid_out(section, point, whole.lstrip("0"), decimals, grouped)


def _laid_out(section: tuple[Token, ...], point: int, whole: str, decimals: str, grouped: bool) -> str:
    """Digits put in their places: before the point from the right, all that are left at the first place."""
    places = [n for n in range(point) if section[n][0] == "digit"]
    least = len(places) - next((i for i, n in enumerate(places) if section[n][1] == "0"), len(places))
    whole = whole.rjust(least, "0")
    filled = dict.fromkeys(places, "")
    if grouped:
        filled[places[0]] = f"{int(whole or 0):0{len(whole)}d}" if whole else ""
        filled[places[0]] = re.sub(r"(?<=\d)(?=(?:\d{3})+$)", ",", filled[places[0]])
    else:
        for n in reversed(places):
            filled[n], whole = (whole[-1:], whole[:-1]) if n != places[0] else (whole, "")
    pieces = []
    at = 0
    for n, (kind, text) in enumerate(section):
        if kind == "digit" and n < point:
            pieces.append(filled[n])
        elif kind == "digit":
            pieces.append(decimals[at : at + 1])
            at += 1
        elif kind == "point":
            pieces.append("." if decimals else "")
        elif kind != "comma":
            pieces.append(text)
    return "".join(pieces)


def _scientific(value: Decimal, section: tuple[Token, ...]) -> str:
    kinds = [kind for kind, _ in section]
    sign = kinds.index("exponent")
    decimals = sum(kind == "digit" for kind in kinds[kinds.index("point") : sign]) if "point" in kinds else 0
    mantissa, _, power = f"{value:.{decimals}E}".partition("E")
    least = sum(kind == "digit" for kind in kinds[sign:])
    plus = "+" if "+" in section[sign][1] or power.startswith("-") else ""
    literals = [text for kind, text in section if kind == "literal"]
    before = literals if literals and section[0][0] == "literal" else []
    power = f"{'-' if power.startswith('-') else plus}{power.lstrip('+-').lstrip('0').rjust(least, '0')}"
    return f"{''.join(before)}{mantissa}E{power}{'' if before else ''.join(literals)}"


def _fraction(value: float, section: tuple[Token, ...]) -> str:
    kinds = [kind for kind, _ in section]
    slash = kinds.index("slash")
    below = "".join(text for kind, text in section[slash + 1 :] if kind in ("digit", "literal"))
    digits = sum(c in _PLACEHOLDERS for c in below) or 1
    fixed = _RE["whole_number"].search(below)
    exact = Fraction(value).limit_denominator(10**12)
    whole = int(exact) if any(text.isspace() for _, text in section[:slash]) else 0
    rest = exact - whole
    if fixed:
        under = int(fixed[0])
        over = round(rest * under)
    else:
        near = rest.limit_denominator(10**digits - 1)
        over, under = near.numerator, near.denominator
    if over == under:
        whole, over = whole + 1, 0
    part = f"{over}/{under}" if over else ""
    return " ".join(filter(None, (str(whole) if whole or not part else "", part))) or "0"


def _date(value: float, section: tuple[Token, ...], epoch_1904: bool) -> str:
    """A date or time: in ISO form, unless the format has words of its own or says less than a day."""
    if not 0 <= value < _MOST_DAYS:
        return general(value)
    moment = _EPOCHS[epoch_1904] + datetime.timedelta(days=value + (not epoch_1904 and 0 < value < 60))
    moment = (moment + datetime.timedelta(microseconds=500_000)).replace(microsecond=0)
    codes = "".join(text for kind, text in section if kind == "date").lower()
    if _has(section, "elapsed"):
        seconds = round(value * 86_400)
        hours, minutes = divmod(seconds // 60, 60)
        return f"{hours}:{minutes:02d}" + (f":{seconds % 60:02d}" if "s" in codes else "")
    words = any(kind == "literal" and _RE["han"].search(text) for kind, text in section)
    whole = "y" in codes and "d" in codes
    if not words and (whole or ("y" not in codes and "d" not in codes and _RE["time"].search(codes))):
        clock = moment.time().isoformat("seconds" if "s" in codes or whole else "minutes")
        if not whole:
            return clock
        day = moment.date().isoformat()
        return day if moment.time() == datetime.time() else f"{day} {clock}"
    return _spelled(moment, section)


def _spelled(moment: datetime.datetime, section: tuple[Token, ...]) -> str:
    half_days = any(_RE["half_day"].match(text) for kind, text in section if kind == "date")
    pieces: list[str] = []
    before = ""
    for n, (kind, text) in enumerate(section):
        if kind != "date":
            pieces.append(text)
            continue
        code = text.lower()
        behind = next((t.lower() for k, t in section[n + 1 :] if k == "date"), "")
        if code[0] == "m" and len(code) < 3 and (before.startswith("h") or behind.startswith("s")):
            pieces.append(f"{moment.minute:0{len(code)}d}")
        elif _RE["half_day"].match(code):
            late = moment.hour >= 12
            pieces.append(("下午" if late else "上午") if "午" in code else "PM" if late else "AM")
        elif code[0] == "h":
            hour = (moment.hour % 12 or 12) if half_days else moment.hour
            pieces.append(f"{hour:0{len(code)}d}")
        else:
            pieces.append(_part(moment, code))
        before = code
    return "".join(pieces)


def _part(moment: datetime.datetime, code: str) -> str:
    if code[0] in "ye":
        return f"{moment.year % 100:02d}" if code == "yy" else str(moment.year)
    if code[0] == "s":
        return f"{moment.second:0{len(code)}d}"
    if code[0] == "a":  # the weekday as Chinese formats have it
        return ("星期" if len(code) > 3 else "") + f"{HAN_DIGITS[1:7]}日"[moment.weekday()]
    name = {"m": moment.strftime("%B"), "d": moment.strftime("%A")}[code[0]]
    if len(code) > 2:
        return name if len(code) == 4 else name[:1] if len(code) > 4 else name[:3]
    return f"{moment.month if code[0] == 'm' else moment.day:0{len(code)}d}"
