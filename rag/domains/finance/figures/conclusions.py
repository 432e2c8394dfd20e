"""What a computed figure, or the lack of one, says in words, English and Chinese: also to a question of yes
or no, of better or worse, of which period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from rag.domains.finance.figures.asked import FigureRequest, Operation
from rag.domains.finance.figures.formulas import concept_name
from rag.domains.finance.figures.reporter import CompanyReports, FiscalTerm, read_terms
from rag.domains.finance.printing import Formatter, NotComputed, RequiredFigure, Rounding, plain
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


def conclusion(wanted: FigureRequest, values: Sequence[tuple[str, Decimal]], formatter: Formatter) -> str:
    """The sentence for the aims that ask for one, "" for the others. `values` are (period, metric) with the
    newest last, percentages in percent."""
    zh = wanted.language == "zh"
    match wanted.operation:
        case Operation.TREND:
            return _trend(wanted, values, formatter)
        case Operation.DIFFERENCE:
            return _difference(wanted, values, formatter)
        case Operation.VALUES:
            parts = [f"{period}: {formatter.text(v, wanted.unit)}" for period, v in values]
            return ("；" if zh else "; ").join(parts)
        case Operation.HIGHEST | Operation.LOWEST:
            pick = max if wanted.operation is Operation.HIGHEST else min
            period, v = pick(values, key=lambda pv: pv[1])
            how = ("highest", "最高") if wanted.operation is Operation.HIGHEST else ("lowest", "最低")
            text = formatter.text(v, wanted.unit)
            return f"{period}的{wanted.name}{how[1]}：{text}" if zh else f"{how[0]} in {period}: {text}"
        case Operation.SIGN:
            return _sign(wanted, values[-1][1], formatter)
        case Operation.SOUND:
            return _sound(wanted, values[-1][1], formatter)
    return ""


def _yes(true: bool, zh: bool) -> str:
    return ("否：" if zh else "No: ", "是：" if zh else "Yes: ")[true]


def _change(wanted: FigureRequest, old: Decimal, new: Decimal, shown: Formatter) -> tuple[int, str]:
    """1 for a rise, -1 for a fall; by how much, with the share of where it began for what is no percentage
    itself."""
    by = shown.text(abs(new - old), "points" if wanted.unit == "%" else wanted.unit)
    if wanted.unit != "%" and old > 0 and old != new:
        share = replace(shown, rounding=Rounding()).text(abs(new - old) / old * 100, "%")
        by += f"（{share}）" if wanted.language == "zh" else f" ({share})"
    return (new > old) - (new < old), by


def _trend(wanted: FigureRequest, values: Sequence[tuple[str, Decimal]], formatter: Formatter) -> str:
    (first, old), (last, new) = values[0], values[-1]
    direction, by = _change(wanted, old, new, formatter)
    better = wanted.formula.better if wanted.formula else "higher"
    quality = {"higher": direction, "lower": -direction}.get(better, 0)
    a, b = formatter.text(old, wanted.unit), formatter.text(new, wanted.unit)
    zh, answer = wanted.language == "zh", ""
    if wanted.better and (quality or not direction):  # else the metric has no better side
        answer = _yes(quality == wanted.better, zh)
    elif wanted.rising and not wanted.better:
        answer = _yes(direction == wanted.rising, zh)
    # The metric's own direction is said first; better or worse only where the question asks for it.
    judged = quality if wanted.better else 0
    if zh:
        verb, side = ("持平", f"上升{by}", f"下降{by}")[direction], ("", "，有所改善", "，有所恶化")[judged]
        return f"{answer}{wanted.name}由{first}的{a}变为{last}的{b}，{verb}{side}"
    verb = ("did not change", f"rose by {by}", f"fell by {by}")[direction]
    side = ("", ", an improvement", ", a deterioration")[judged]
    return f"{answer}{wanted.name} {verb}, from {a} ({first}) to {b} ({last}){side}"


def _difference(wanted: FigureRequest, values: Sequence[tuple[str, Decimal]], formatter: Formatter) -> str:
    (first, old), (last, new) = values[0], values[-1]
    up, by = _change(wanted, old, new, formatter)
    if wanted.language == "zh":
        return f"{wanted.name}由{first}到{last}{('没有变化', f'增加{by}', f'减少{by}')[up]}"
    verb = ("did not change", f"rose by {by}", f"fell by {by}")[up]
    return f"{wanted.name} {verb} from {first} to {last}"


def _sign(wanted: FigureRequest, value: Decimal, formatter: Formatter) -> str:
    text, side = formatter.text(value, wanted.unit), (value > 0) - (value < 0)
    zh = wanted.language == "zh"
    answer = _yes(side == (-1 if wanted.rising < 0 else 1), zh)
    if zh:
        return f"{answer}{wanted.name}{('为零', '为正', '为负')[side]}（{text}）"
    return f"{answer}{wanted.name} is {('nought', 'positive', 'negative')[side]} ({text})"


def _sound(wanted: FigureRequest, value: Decimal, formatter: Formatter) -> str:
    """Against the bound that the question names, else the customary one."""
    formula, text, zh = wanted.formula, formatter.text(value, wanted.unit), wanted.language == "zh"
    if wanted.limit is not None:
        side = (value > wanted.limit) - (value < wanted.limit)
        answer = _yes(side == (-1 if wanted.rising < 0 else 1), zh)
        limit = plain(wanted.limit) + ("%" if wanted.unit == "%" else "")
        if zh:
            return f"{answer}{wanted.name}为{text}，{('等于', '高于', '低于')[side]}{limit}"
        return f"{answer}{wanted.name} is {text}, {('equal to', 'above', 'below')[side]} {limit}"
    if formula is None or not formula.healthy:
        return ""
    bound = Decimal(formula.healthy)
    above, limit = value >= bound, formatter.text(bound, wanted.unit)
    answer = _yes(above == (formula.better == "higher"), zh)
    if zh:
        return f"{answer}{wanted.name}为{text}，{'不低于' if above else '低于'}通常的界限{limit}"
    word = "at or above" if above else "below"
    return f"{answer}{wanted.name} is {text}, {word} the customary bound of {limit}"


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
