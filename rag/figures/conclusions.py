"""What the numbers say to a question of yes or no, of better or worse, of which period: one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from rag.figures.asked import Aim, Wanted
from rag.rounding import Rounding, plain
from rag.shown import Shown


def conclusion(wanted: Wanted, values: Sequence[tuple[str, Decimal]], shown: Shown) -> str:
    """The sentence for the aims that ask for one, "" for the others. `values` are (period, metric) with the
    newest last, percentages in percent."""
    zh = wanted.language == "zh"
    match wanted.aim:
        case Aim.TREND:
            return _trend(wanted, values, shown)
        case Aim.DIFFERENCE:
            return _difference(wanted, values, shown)
        case Aim.VALUES:
            parts = [f"{period}: {shown.text(v, wanted.unit)}" for period, v in values]
            return ("；" if zh else "; ").join(parts)
        case Aim.HIGHEST | Aim.LOWEST:
            pick = max if wanted.aim is Aim.HIGHEST else min
            period, v = pick(values, key=lambda pv: pv[1])
            how = ("highest", "最高") if wanted.aim is Aim.HIGHEST else ("lowest", "最低")
            text = shown.text(v, wanted.unit)
            return f"{period}的{wanted.name}{how[1]}：{text}" if zh else f"{how[0]} in {period}: {text}"
        case Aim.SIGN:
            return _sign(wanted, values[-1][1], shown)
        case Aim.SOUND:
            return _sound(wanted, values[-1][1], shown)
    return ""


def _trend(wanted: Wanted, values: Sequence[tuple[str, Decimal]], shown: Shown) -> str:
    (first, old), (last, new) = values[0], values[-1]
    change = new - old
    direction = (change > 0) - (change < 0)
    quality = {"higher": direction, "lower": -direction}.get(
        wanted.formula.better if wanted.formula else "higher", 0
    )
    unit = "points" if wanted.unit == "%" else wanted.unit
    by, a, b = shown.text(abs(change), unit), shown.text(old, wanted.unit), shown.text(new, wanted.unit)
    by += _in_percent(wanted, old, new, shown)
    answer = _yes(wanted, direction, quality)
    # The metric's own direction is said first; better or worse only where the question asks for it.
    if wanted.language == "zh":
        verb = {1: f"上升{by}", -1: f"下降{by}", 0: "持平"}[direction]
        judged = {1: "，有所改善", -1: "，有所恶化", 0: ""}[quality if wanted.better else 0]
        return f"{answer}{wanted.name}由{first}的{a}变为{last}的{b}，{verb}{judged}"
    verb = {1: f"rose by {by}", -1: f"fell by {by}", 0: "did not change"}[direction]
    judged = {1: ", an improvement", -1: ", a deterioration", 0: ""}[quality if wanted.better else 0]
    return f"{answer}{wanted.name} {verb}, from {a} ({first}) to {b} ({last}){judged}"


def _in_percent(wanted: Wanted, old: Decimal, new: Decimal, shown: Shown) -> str:
    """The same change as a share of where it began, for all that is no percentage itself; "" where it cannot
    be said."""
    if wanted.unit == "%" or old <= 0 or old == new:
        return ""
    text = replace(shown, rounding=Rounding()).text(abs(new - old) / old * 100, "%")
    return f"（{text}）" if wanted.language == "zh" else f" ({text})"


def _difference(wanted: Wanted, values: Sequence[tuple[str, Decimal]], shown: Shown) -> str:
    (first, old), (last, new) = values[0], values[-1]
    unit = "points" if wanted.unit == "%" else wanted.unit
    by = shown.text(abs(new - old), unit) + _in_percent(wanted, old, new, shown)
    up = (new > old) - (new < old)
    if wanted.language == "zh":
        verb = {1: f"增加{by}", -1: f"减少{by}", 0: "没有变化"}[up]
        return f"{wanted.name}由{first}到{last}{verb}"
    verb = {1: f"rose by {by}", -1: f"fell by {by}", 0: "did not change"}[up]
    return f"{wanted.name} {verb} from {first} to {last}"


def _yes(wanted: Wanted, direction: int, quality: int) -> str:
    """ "Yes: " or "No: " to what the question supposes, "" where it supposes nothing."""
    if wanted.better and quality == 0 and direction != 0:
        return ""  # the metric has no better side
    if wanted.better:
        true = quality == wanted.better
    elif wanted.rising:
        true = direction == wanted.rising
    else:
        return ""
    if wanted.language == "zh":
        return "是：" if true else "否："
    return "Yes: " if true else "No: "


def _sign(wanted: Wanted, value: Decimal, shown: Shown) -> str:
    text = shown.text(value, wanted.unit)
    true = value < 0 if wanted.rising < 0 else value > 0
    if wanted.language == "zh":
        side = "为正" if value > 0 else "为负" if value < 0 else "为零"
        return f"{'是' if true else '否'}：{wanted.name}{side}（{text}）"
    side = "positive" if value > 0 else "negative" if value < 0 else "nought"
    return f"{'Yes' if true else 'No'}: {wanted.name} is {side} ({text})"


def _sound(wanted: Wanted, value: Decimal, shown: Shown) -> str:
    formula, text = wanted.formula, shown.text(value, wanted.unit)
    if wanted.bound is not None:
        return _held(wanted, value, wanted.bound, shown)
    if formula is None or not formula.healthy:
        return ""
    bound = Decimal(formula.healthy)
    above = value >= bound
    good = above if formula.better == "higher" else not above
    limit = shown.text(bound, wanted.unit)
    if wanted.language == "zh":
        side = "不低于" if above else "低于"
        return f"{'是' if good else '否'}：{wanted.name}为{text}，{side}通常的界限{limit}"
    side = "at or above" if above else "below"
    return f"{'Yes' if good else 'No'}: {wanted.name} is {text}, {side} the customary bound of {limit}"


def _held(wanted: Wanted, value: Decimal, bound: Decimal, shown: Shown) -> str:
    """Against the bound that the question names."""
    true = value < bound if wanted.rising < 0 else value > bound
    text, limit = shown.text(value, wanted.unit), plain(bound) + ("%" if wanted.unit == "%" else "")
    side = (value > bound) - (value < bound)
    if wanted.language == "zh":
        word = {1: "高于", -1: "低于", 0: "等于"}[side]
        return f"{'是' if true else '否'}：{wanted.name}为{text}，{word}{limit}"
    word = {1: "above", -1: "below", 0: "equal to"}[side]
    return f"{'Yes' if true else 'No'}: {wanted.name} is {text}, {word} {limit}"
