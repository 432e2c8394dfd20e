"""What a computed figure, or the lack of one, says in words, English and Chinese."""

from __future__ import annotations

from collections.abc import Sequence

from rag.figures.asked import FigureRequest, Operation
from rag.figures.formulas import concept_name
from rag.figures.whose import CompanyReports, FiscalTerm, read_terms
from rag.needs import NotComputed, RequiredFigure
from rag.types import Calculation

# What is asked with these aims is answered by a sentence, which is the first note of the calculation.
_CONCLUDED = frozenset(
    {Operation.TREND, Operation.VALUES, Operation.HIGHEST, Operation.LOWEST, Operation.SIGN, Operation.SOUND}
)
INFERRED = (
    "the columns' heads say no period; they are taken newest first",
    "表头未写明期间，按由近及远的次序读取",
)
ONLY = (
    "the question names no company; only this one's reports can show that period here",
    "问题未指明公司，此处仅该公司的报告可能载有该期间的数据",
)


def assumed_period(base: FiscalTerm, wanted: FigureRequest) -> str:
    if wanted.language == "zh":
        return f"问题未指明期间，取最近一期报告（{base.in_words('zh')}）"
    return f"the question names no period: the newest report's, {base.written}"


def sentences(
    wanted: FigureRequest, result: Calculation, reports: CompanyReports, rows: tuple[int, ...]
) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """The conclusion, where one is asked for, and the figure with how it was come by."""
    conclusion = result.notes[0] if wanted.operation in _CONCLUDED and result.notes else ""
    zh = wanted.language == "zh"
    name = result.name if zh else result.name[:1].upper() + result.name[1:]
    period = result.result.period
    if zh:
        period = _in_chinese(period)
        head = f"{reports.company}{period}{name}：{result.result.printed}"
    else:
        head = f"{name} of {reports.company}{f' for {period}' if period else ''}: {result.result.printed}"
    end = "。" if zh else "."
    opening = [conclusion[:1].upper() + conclusion[1:].rstrip(".。") + end] if conclusion else []
    return tuple((text, rows) for text in (*opening, with_working(head, result, wanted.language)))


def with_working(head: str, result: Calculation, language: str) -> str:
    """What is said of the result, with its formula and working in brackets behind it."""
    zh = language == "zh"
    formula = f"{result.name} = {result.formula}" if result.formula else ""
    how = ("；" if zh else "; ").join(text for text in (formula, result.working) if text)
    if how:
        head += f"（{how}）" if zh else f" ({how})"
    return head + ("。" if zh else ".")


def _in_chinese(period: str) -> str:
    """ "FY2023至FY2024" -> "2023年度至2024年度"."""
    named = [(part, read_terms([part])) for part in period.split("至")]
    return "至".join(
        terms[0].in_words("zh") if terms and not terms[0].ended else part for part, terms in named
    )


def not_found_words(missing: NotComputed, wanted: FigureRequest, reports: CompanyReports) -> str:
    """What was not found, for the reader of a refusal."""
    if missing.reason:
        return missing.reason
    named = _named(missing.required, wanted)
    if wanted.language == "zh":
        return f"计算{wanted.name}所需的{named}在{reports.company}的报表中未找到"
    return f"to compute {wanted.name}, no row of the reports of {reports.company} gives {named}"


def _named(required: Sequence[RequiredFigure], wanted: FigureRequest) -> str:
    named = []
    for need in required:
        period = wanted.period(need.offset)
        name = concept_name(need.concept, wanted.language)
        named.append(f"{name} ({period})" if period else name)
    return ("、" if wanted.language == "zh" else ", ").join(dict.fromkeys(named))
