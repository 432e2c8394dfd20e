"""What a survey found, in words: counts made by code, the passages by document, and how much was read.
English and Chinese side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rag.tasks.survey import Survey
from rag.tasks.wordings import Ask, CountUnit, Intent
from rag.types import Evidence, Part, Reading

# Quotes in the text; all of them are in the citations.
MOST_QUOTES = 12


def _n(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def headline(intent: Intent, found: Survey, language: str) -> str:
    """The count and what was counted: "3 of 12 documents match: 7 passages hold “notice”."."""
    line = _headline_zh(intent, found) if language == "zh" else _headline_en(intent, found)
    if found.read >= found.matching:
        return line
    return f"至少：{line}" if language == "zh" else f"At least {line}"


def _headline_en(intent: Intent, found: Survey) -> str:
    passages, documents = len(found.matches), len(found.documents)
    among = f"{documents:,} of {_n(len(found.scope.documents), 'document')}"
    words = " and ".join(f"“{need.typed}”" for need in found.terms)
    hold = f"{'holds' if passages == 1 else 'hold'} {words}"
    if intent.unit is CountUnit.DOCUMENT:
        match = "match" if len(found.scope.documents) != 1 or documents != 1 else "matches"
        return f"{among} {match}: {_n(passages, 'passage')} {hold}."
    if intent.unit is CountUnit.SECTION:
        return f"{_n(found.sections, 'section')} in {among} match: {_n(passages, 'passage')} {hold}."
    if intent.unit is CountUnit.ROW:
        tables = len({(m.document.id, m.chunk.heading_path) for m in found.matches})
        rows = _n(found.places, "row")
        match = "matches" if found.places == 1 else "match"
        return f"{rows} of {_n(tables, 'table')} in {among} {match} {words}."
    line = f"{_n(passages, 'passage')} ({_n(found.places, 'sentence')}) in {among} {hold}."
    if intent.unit is CountUnit.THING:
        line += f" Passages were counted, not {intent.noun if intent.ask is Ask.COUNT else 'things'}."
    return line


def _headline_zh(intent: Intent, found: Survey) -> str:
    passages, documents = len(found.matches), len(found.documents)
    among = f"{len(found.scope.documents)} 份文件中有 {documents} 份"
    words = "、".join(f"“{need.typed}”" for need in found.terms)
    if intent.unit is CountUnit.DOCUMENT:
        return f"{among}符合：共 {passages} 个段落含有{words}。"
    if intent.unit is CountUnit.SECTION:
        return f"共 {found.sections} 处条款符合（{among}，{passages} 个段落），含有{words}。"
    if intent.unit is CountUnit.ROW:
        return f"表格中共 {found.places} 行符合{words}（{among}）。"
    line = f"{among}符合：共 {passages} 个段落（{found.places} 句）含有{words}。"
    if intent.unit is CountUnit.THING:
        line += "所计为段落数，而非所列事物的个数。"
    return line


def remarks(found: Survey, language: str, noun: str = "", called: int = 0) -> list[str]:
    """What else is to be known of a count: how many of the documents are `called` by the noun asked for,
    other words that were counted, words that stand apart, repeats, and what was not read."""
    chinese = language == "zh"
    parts = []
    if noun and 0 < called < len(found.documents):
        are = "is" if called == 1 else "are"
        parts.append(
            f"其中 {called} 份的名称含有“{noun}”。"
            if chinese
            else f"By title or file name, {called:,} of these {are} called “{noun}”."
        )
    worded = [m for m in found.matches if not m.literal]
    if worded:
        terms = dict.fromkeys(t for need in found.terms for t in need.terms)
        listed = ("、" if chinese else ", ").join(list(terms)[:6])
        parts.append(
            f"其中 {len(worded)} 个段落用的是其他说法（{listed}）。"
            if chinese
            else f"{_n(len(worded), 'passage')} of these say it in other words ({listed})."
        )
    if found.apart:
        parts.append(
            f"另有 {found.apart} 个段落含有这些词，但不在同一句中，未计入。"
            if chinese
            else f"{found.apart:,} more passage{' holds' if found.apart == 1 else 's hold'} these words, "
            "but not in one sentence; not counted."
        )
    if found.duplicates:
        parts.append(
            f"同一文件内重复的 {found.duplicates} 个段落只计一次。"
            if chinese
            else f"Repeats within a document are counted once ({found.duplicates:,} left out)."
        )
    parts.append(read_words(found.matching, found.read, language))
    return parts


def read_words(matching: int, read: int, language: str) -> str:
    """ "All 9 passages that hold the words were read." """
    if read >= matching:
        return (
            f"含有这些词的 {matching} 个段落已全部读过。"
            if language == "zh"
            else f"All passages that hold the words were read ({matching:,})."
        )
    return (
        f"含有这些词的段落有 {matching} 个，只读了其中 {read} 个，以上计数不完整。"
        if language == "zh"
        else f"{matching:,} passages hold the words; only {read:,} were read, so these counts are incomplete."
    )


def not_all_read(reading: Reading, language: str, *, refused: bool = False) -> str:
    """Said where a question about many passages is answered, or refused, like any other."""
    if language == "zh":
        what = "判断" if refused else "回答"
        return f"说明：这个{what}只依据最相关的 {reading.read} 个段落，并没有读遍全部文件。"
    what = "this was judged by" if refused else "this answer rests on"
    return f"Note: {what} the {_n(reading.read, 'best passage')}; not every passage was read."


def listing(
    evidence: Sequence[Evidence], language: str, most: int = MOST_QUOTES
) -> tuple[str, list[Evidence]]:
    """Quotes by document, and which of them are shown: at least one of each of the first documents, `most`
    in all; what is left out is counted."""
    by_document: dict[int, list[Evidence]] = {}
    for e in evidence:
        by_document.setdefault(e.document.id, []).append(e)
    room = _room([len(rows) for rows in by_document.values()], most)
    blocks, taken = [], []
    for rows, few in zip(by_document.values(), room, strict=True):
        if not few:
            continue
        path, count = rows[0].document.path, len(rows)
        lines = [f"{path}：{count} 句" if language == "zh" else f"{path}: {count:,}"]
        for e in rows[:few]:
            taken.append(e)
            head = f" ({e.header})" if e.heads else ""
            lines.append(f"  “{' '.join(e.text.split())}”{head} [{e.number}]")
        if len(rows) > few:
            lines.append("  " + _and_more(rows[few:], language))
        blocks.append("\n".join(lines))
    if left := sum(1 for few in room if not few):
        rest = sum(len(rows) for rows, few in zip(by_document.values(), room, strict=True) if not few)
        blocks.append(
            f"另有 {left} 份文件中的 {rest} 句。"
            if language == "zh"
            else f"And {rest:,} more in {_n(left, 'other document')}."
        )
    return "\n\n".join(blocks), taken


def _room(sizes: Sequence[int], most: int) -> list[int]:
    """How many quotes each document may show: one each in turn until the room is used up."""
    room = [0] * len(sizes)
    while sum(room) < most and any(r < s for r, s in zip(room, sizes, strict=True)):
        for n, size in enumerate(sizes):
            if room[n] < size and sum(room) < most:
                room[n] += 1
    return room


def _and_more(rows: Sequence[Evidence], language: str) -> str:
    first, last = rows[0].number, rows[-1].number
    marks = f"[{first}]" if first == last else f"[{first}] … [{last}]"
    return f"另有 {len(rows)} 句 {marks}" if language == "zh" else f"and {len(rows):,} more {marks}"


def table(
    rows: Mapping[str, Sequence[Evidence]], language: str, lacking: frozenset[str] = frozenset()
) -> str:
    """Sides beneath each other, each with its quotes: a small Markdown table. Quotes of a side that is
    `lacking` support are the nearest."""
    heads = ("对比", "文件中的表述") if language == "zh" else ("compared", "in the documents' words")
    none = "文件中没有找到" if language == "zh" else "not found in the documents"
    lines = [f"| {heads[0]} | {heads[1]} |", "|---|---|"]
    for side, quotes in rows.items():
        parts = " ".join(f"“{' '.join(e.text.split())}” [{e.number}]" for e in quotes) or none
        if side in lacking and quotes:
            parts = f"{none}；最接近的：{parts}" if language == "zh" else f"{none}; nearest: {parts}"
        lines.append("| {} | {} |".format(*(cell.replace("|", "\\|") for cell in (side, parts))))
    return "\n".join(lines)


def summary_head(name: str, quotes: Sequence[Evidence], reading: Reading, language: str) -> str:
    """What was summarised, how, and how much of it was read."""
    count, read = len(quotes), f"{reading.read:,}"
    whole = reading.complete
    if language == "zh":
        scope = (
            f"全部 {read} 个段落"
            if whole
            else f"{reading.matching:,} 个段落中均匀选取的 {read} 个（未全部读过）"
        )
        return f"“{name}”概要：从{scope}中由程序选出最有代表性的 {count} 句原文。"
    scope = (
        f"all of it ({_n(reading.read, 'passage')} read)"
        if whole
        else f"{read} of {_n(reading.matching, 'passage')}, spread evenly; the others were not read"
    )
    most = "the sentence that says most" if count == 1 else f"the {_n(count, 'sentence')} that say most"
    return f"“{name}” in its own words: {most}, chosen by code from {scope}."


def summary_text(quotes: Sequence[Evidence]) -> str:
    """The quotes in order, beneath their documents and headings."""
    lines: list[str] = []
    document, heading = 0, ""
    for e in quotes:
        if e.document.id != document:
            lines += ([""] if lines else []) + [e.document.path]
            document, heading = e.document.id, ""
        above = e.heading_path[0] if e.heading_path else ""
        if above != heading:
            lines += [f"  {above}"] if above else []
            heading = above
        lines.append(f"    “{' '.join(e.text.split())}” [{e.number}]")
    return "\n".join(lines)


def compare_head(aspect: str, parts: Sequence[Part], reading: Reading, language: str) -> str:
    """What was compared and which side has no support."""
    lacking = [p for p in parts if not p.answered]
    names = [p.question for p in parts]
    if language == "zh":
        head = f"对比：{'与'.join(names)}{f'（{aspect}）' if aspect else ''}。"
        if lacking:
            listed = "；".join(f"{p.question}（{p.reason}）" for p in lacking)
            head += f"文件中没有找到：{listed}。"
        return head + (
            "" if reading.complete else f"相关段落 {reading.matching} 个，读了 {reading.read} 个。"
        )
    head = f"Compared: {' and '.join(names)}{f', as to {aspect}' if aspect else ''}."
    if lacking:
        head += f" Not found in the documents: {'; '.join(f'{p.question} ({p.reason})' for p in lacking)}."
    unread = f" Of {_n(reading.matching, 'passage')} that match, {reading.read:,} were read."
    return head + ("" if reading.complete else unread)
