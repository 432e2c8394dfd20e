"""Tables of figures on a PDF page: runs of lines that end in numbers, and the column heads above them.

pdfium gives a row of a financial statement as one line, "Net sales $ 265,595 $ 229,234". A run of such lines is a table. Its head
is made of the lines above that speak of dates, periods, units or columns, laid over the columns by where they stand on the page.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rag.parsers.pdf_lines import Cell, Line

_VALUE = re.compile(
    r"[-–—−+]?(?P<open>[(（])?[-–−+]?(?:(?:US|HK|NT|[ACRS]{1,2})?[$€£¥￥])?[(（]?[-–−+]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?"
    r"(?P<close>[)）])?(?:[%％x]|bps?|pts?|pp)?[)）]?(?:\(\d\)|[*†‡])?$"
)
_NOTHING = frozenset(
    ["—", "–", "-", "--", "―", "－", "*", "N/A", "n/a", "NA", "NM", "nm", "N.M.", "n.m.", "#", "不适用", "无"]
)
_GLUE = frozenset(
    ["$", "€", "£", "¥", "￥", "%", "％", ")", "(", ")%", "%)", "US$", "HK$", "RMB", "pts", "bps"]
)
_YEAR = re.compile(r"(?:FY)?(?:19|20)\d\d(?:年(?:度)?)?$")
_FINANCIAL = re.compile(r"[,.()（）$€£¥￥%％]|^[—–－-]+$|\d{4}")
_UNITS = re.compile(
    r"[(（]?\b(?:(?:amounts?|dollars?|figures?|shares?|u\.?s\.?|\$|€|£|rmb|usd|and|stated|expressed|except|all)\s*)*"
    r"in\s+(?:(?:u\.s\.|us|rmb)\s+)?(?:[$€£]\s*|\w+\s+of\s+)?(?:millions|thousands|billions)\b|[(（]\s*[$€£]\s*(?:in\s+)?(?:million|thousand|billion)s?|单位\s*[：:]"
    r"|[（(](?:人民币|单位)?(?:百万|千|万|亿)?元[)）]|(?:人民币|港币)(?:百万|千|万|亿)?元",
    re.I,
)
_MONTH = r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
_PERIOD = re.compile(
    rf"\b{_MONTH}\s+\d{{1,2}}\b|\b(?:19|20)\d\d\b|\b(?:ended|months|quarter|fiscal|weeks)\b|\byears?\b"
    r"|\d{4}\s*年|(?:本|上)(?:期|年)|期[末初]|年[末初]|同比|截至",
    re.I,
)
_HEAD_WORD = re.compile(
    r"\b(?:change|variance|total|amount|percent|percentage|note|notes|actual|shares|price|value|cost|average|weighted|number|gross|net|"
    r"unaudited|audited|as of|reported|adjusted|increase|decrease|carrying|fair|level|per)\b|%|金额|比例|附注|项目|合计|数量|增减|变动|占比",
    re.I,
)
_TITLE = re.compile(
    r"^table of contents|^(?:condensed\s|u\.s\. gaap\s)?consolidated\s+(?:statement|balance)|^statements? of\b|^balance sheets?\b",
    re.I,
)
_SENTENCE = re.compile(r"[a-z]{2,}[.:;]$|[。；]$|\.\s+[A-Z][a-z]+\s+[a-z]+")
MAX_LABEL = 160
MAX_HEAD_LINES = 10
MAX_GAP = 4


class Geometry(Protocol):
    """Where words stand; `PageText` has it, the fallback reader has not."""

    def words(self, line: Line) -> list[Cell]: ...
    def cells(self, line: Line) -> list[Cell]: ...


@dataclass(frozen=True, slots=True)
class Table:
    """Lines `first` to `last` (exclusive) of a page; the first figures stand in line `body`. `header` is "" where no head was
    found above; `columns` is the usual number of figures in a row."""

    first: int
    body: int
    last: int
    header: str
    columns: int


@dataclass(frozen=True, slots=True)
class _Row:
    """A line read from its end: words of the label, words that are figures, and how many figures."""

    label: str
    values: tuple[str, ...]
    years: bool  # all figures are bare years: a head, not a row

    @property
    def count(self) -> int:
        return len(self.values)

    @property
    def seed(self) -> bool:
        if self.years or not self.values or len(self.label) > MAX_LABEL or _SENTENCE.search(self.label):
            return False
        return self.count > 1 or (
            _FINANCIAL.search(self.values[0]) is not None and not _YEAR.match(self.values[0])
        )


def read_row(text: str) -> _Row:
    """Split "Cost of sales $ (1,234) 5.6 %" into its label and its two figures."""
    words = text.split()
    values: list[str] = []
    at = len(words)
    while at:
        word = words[at - 1]
        if word in _NOTHING or (_is_value(word) and not _is_date_end(words, at - 1)):
            values.append(word)
        elif word not in _GLUE:
            break
        at -= 1
    values.reverse()
    return _Row(" ".join(words[:at]), tuple(values), bool(values) and all(_YEAR.match(v) for v in values))


def _is_value(word: str) -> bool:
    if not any(c.isdigit() for c in word):
        return False
    match = _VALUE.match(word)
    # "18)" closes a bracket that a word before it opened, as in "(Note 18)".
    return match is not None and not (match.group("close") and "(" not in word and "（" not in word)


def _is_date_end(words: Sequence[str], at: int) -> bool:
    """The year of "December 31, 2019", or the day of "June 30"."""
    before = words[at - 1] if at else ""
    if before.endswith(",") and _YEAR.match(words[at]) and before[:-1].isdigit():
        return True
    return words[at].isdigit() and len(words[at]) <= 2 and re.fullmatch(_MONTH, before, re.I) is not None


def find_tables(lines: Sequence[Line], geometry: Geometry | None = None) -> list[Table]:
    """The tables of a page in order. Lines of one table do not overlap those of another."""
    rows = [read_row(line.text) if line.text[-1:] in _ROW_ENDS else _NO_ROW for line in lines]
    tables: list[Table] = []
    floor = 0
    for first, last in _runs(lines, rows):
        head = _head_start(lines, rows, first, floor, geometry)
        counts = Counter(rows[n].count for n in range(first, last) if rows[n].seed)
        columns = max(counts, key=lambda n: (counts[n], n))
        samples = [lines[n] for n in range(first, last) if rows[n].seed and rows[n].count == columns][:3]
        header = _header(lines[head:first], samples, columns, geometry)
        units = _units_above(lines, head, floor) if header and not _UNITS.search(header) else ""
        tables.append(Table(head, first, last, units + header if units else header, columns))
        floor = last
    return tables


_ROW_ENDS = frozenset("0123456789)）%％—–-―－*xAaMm.pts†‡用无")
_NO_ROW = _Row("", (), False)


def _runs(lines: Sequence[Line], rows: Sequence[_Row]) -> list[tuple[int, int]]:
    """Ranges from a first to a last row of figures with nothing but labels between."""
    runs: list[tuple[int, int]] = []
    seeds = [n for n, row in enumerate(rows) if row.seed]
    begin = 0
    for k, seed in enumerate(seeds):
        following = seeds[k + 1] if k + 1 < len(seeds) else None
        if (
            following is not None
            and following - seed <= MAX_GAP + 1
            and _only_labels(lines, rows, seed + 1, following)
        ):
            continue
        run = seeds[begin : k + 1]
        begin = k + 1
        if _is_table([rows[n] for n in run]):
            runs.append((run[0], seed + 1))
    return runs


def _only_labels(lines: Sequence[Line], rows: Sequence[_Row], first: int, last: int) -> bool:
    heads = sum(rows[n].years or _UNITS.search(lines[n].text) is not None for n in range(first, last))
    return heads == 0 and all(_is_label(lines[n].text) for n in range(first, last))


def _is_label(text: str) -> bool:
    """A line of a table without figures: "Current assets:", or a part of a long label."""
    return (
        len(text) <= MAX_LABEL
        and not _SENTENCE.search(text.rstrip(":;"))
        and not re.match(r"(?:Item|Note)\s+\d", text, re.I)
    )


def _is_table(run: Sequence[_Row]) -> bool:
    several = sum(row.count > 1 for row in run)
    labelled = sum(bool(row.label) for row in run)
    if labelled * 2 < len(run):
        return False
    return several >= 2 or (len(run) >= 3 and max(len(row.label) for row in run) <= 90)


def _head_start(
    lines: Sequence[Line], rows: Sequence[_Row], first: int, floor: int, geometry: Geometry | None
) -> int:
    """The topmost line above the figures that belongs to the table's head, with the labels under it; `first` for none."""
    top, labels = first, 0
    label_left = min((line.left for line in lines[first : first + 6]), default=0.0)
    for n in range(first - 1, max(floor, first - MAX_HEAD_LINES) - 1, -1):
        line = lines[n]
        if _ends_head(line.text) or (rows[n].seed and not rows[n].years):
            break
        # Column heads begin right of the labels; a title in the middle of the page does too, but in capitals.
        aside = line.size > 0 and line.left > label_left + 12 * line.size and not line.text.isupper()
        if (
            rows[n].years
            or aside
            or _UNITS.search(line.text)
            or _PERIOD.search(line.text)
            or (
                n >= first - 2
                and geometry is not None
                and _heads_columns(geometry.cells(line), rows[first].count)
            )
        ):
            top, labels = n, 0
        else:
            labels += 1
            if labels > 3:
                break
    return top


def _heads_columns(cells: Sequence[Cell], columns: int) -> bool:
    return len(cells) > columns and not any(_is_value(cell.text) for cell in cells)


def _ends_head(text: str) -> bool:
    """Prose, the sentence that introduces the table, its title, a running head: what is above is not its head."""
    sentence = _SENTENCE.search(text.removesuffix(":")) or len(text) > MAX_LABEL
    introduction = text.endswith((":", "：")) and len(text) > 50
    return bool(
        sentence
        or introduction
        or _TITLE.search(text)
        or (re.fullmatch(r"\d{1,4}", text) and not _YEAR.match(text))
    )


def _units_above(lines: Sequence[Line], head: int, floor: int) -> str:
    """ "in millions" from the sentence that introduces the table."""
    for n in range(head - 1, max(floor, head - 5) - 1, -1):
        found = re.search(r"[(（][^()（）]*[)）]", lines[n].text) if _UNITS.search(lines[n].text) else None
        if found and _UNITS.search(found.group()):
            return found.group()
    return ""


def _header(head: Sequence[Line], samples: Sequence[Line], columns: int, geometry: Geometry | None) -> str:
    """Column heads joined by " | ": first what holds for all columns (units, period), then one head per column."""
    lines = _without_labels(head, samples, geometry)
    if not lines:
        return ""
    extents = _extents(samples, columns, geometry) if geometry else []
    if not extents or geometry is None:
        return " | ".join(_short(line.text) for line in lines)
    common: list[str] = []
    heads: list[list[str]] = [[] for _ in extents]
    for cells in _visual_rows(lines, geometry):
        _lay_over(cells, extents, common, heads)
    parts = [" ".join(common)] + [" ".join(parts) for parts in heads]
    if not any(parts[1:]):
        return _short(parts[0], 160)
    return " | ".join([_short(parts[0], 120)] + [_short(part) for part in parts[1:]])


def _without_labels(head: Sequence[Line], samples: Sequence[Line], geometry: Geometry | None) -> list[Line]:
    """Head lines without the labels between them and the first row ("Assets", "Current assets:"): those begin where labels
    begin, or stand alone below the years."""
    left = min((sample.left for sample in samples), default=0.0)
    kept: list[Line] = []
    dated = False
    for line in head:
        telling = _PERIOD.search(line.text) or _UNITS.search(line.text)
        alone = geometry is None or len(geometry.cells(line)) < 2
        if (
            telling
            or not alone
            or (not dated and line.left > left + 2 * line.size)
            or _HEAD_WORD.search(line.text)
        ):
            kept.append(line)
        dated = dated or bool(_PERIOD.search(line.text))
    return kept


def _short(text: str, limit: int = 60) -> str:
    return text if len(text) <= limit else text[:limit].rsplit(" ", 1)[0]


def _extents(samples: Sequence[Line], columns: int, geometry: Geometry) -> list[Cell]:
    """Left and right of each column of figures, over the sample rows."""
    extents: list[Cell] = []
    for line in samples:
        words = geometry.words(line)
        figures = [word for word in words if word.text in _NOTHING or _is_value(word.text)][-columns:]
        if len(figures) < columns:
            continue
        if not extents:
            extents = figures
        else:
            pairs = zip(extents, figures, strict=True)
            extents = [Cell("", min(a.left, b.left), max(a.right, b.right)) for a, b in pairs]
    return extents


def _visual_rows(lines: Sequence[Line], geometry: Geometry) -> list[list[Cell]]:
    """Cells of lines that stand at one height, from left to right: pdfium gives the heads "December 1," and "December 2," of
    two columns as separate lines."""
    rows: list[tuple[float, list[Cell]]] = []
    for line in lines:
        cells = geometry.cells(line) or [Cell(line.text, line.left, line.right)]
        for height, row in rows:
            if line.size and abs(height - line.top) < line.size * 0.4:
                row.extend(cells)
                break
        else:
            rows.append((line.top, cells))
    rows.sort(key=lambda row: -row[0])
    return [sorted(cells, key=lambda cell: cell.left) for _, cells in rows]


def _lay_over(cells: list[Cell], columns: Sequence[Cell], common: list[str], heads: list[list[str]]) -> None:
    """Give each cell of a head row to the columns it stands over; what stands over the labels or over all goes to `common`."""
    pitch = (columns[-1].middle - columns[0].middle) / (len(columns) - 1) if len(columns) > 1 else 60.0
    over = []
    for cell in cells:
        if (
            _UNITS.search(cell.text)
            or cell.right < columns[0].left - pitch * 0.4
            or (cell.left < columns[0].left - 1.5 * pitch)
        ):
            common.append(cell.text)
        else:
            over.append(cell)
    if not over:
        return
    if len(over) == len(columns):
        for head, cell in zip(heads, over, strict=True):
            head.append(cell.text)
        return
    if len(over) > 1 and len(columns) % len(over) == 0:
        each = len(columns) // len(over)
        groups = [columns[n : n + each] for n in range(0, len(columns), each)]
        if all(
            g[0].left - pitch / 2 < c.middle < g[-1].right + pitch / 2
            for c, g in zip(over, groups, strict=True)
        ):
            for n, head in enumerate(heads):
                head.append(over[n // each].text)
            return
    spanning = [cell for cell in over if _PERIOD.search(cell.text) or len(_under(cell, columns)) != 1]
    for cell in over:
        if cell not in spanning:
            heads[_under(cell, columns)[0]].append(cell.text)
    if (
        len(spanning) == 1
        and len(over) == 1
        and abs(over[0].middle - (columns[0].middle + columns[-1].middle) / 2) < pitch / 2
    ):
        common.append(over[0].text)
        return
    for column, head in zip(columns, heads, strict=True):
        near = min(over, key=lambda cell: abs(cell.middle - column.middle))
        if near in spanning:
            head.append(near.text)


def _under(cell: Cell, columns: Sequence[Cell]) -> list[int]:
    return [
        n
        for n, column in enumerate(columns)
        if min(cell.right, column.right) - max(cell.left, column.left) > 0
    ]
