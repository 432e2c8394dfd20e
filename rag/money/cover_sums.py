"""What an insurance pays of a loss that a question describes, or what is left to the insured."""

from __future__ import annotations

import re
from decimal import Decimal

from rag.money import cover
from rag.money.sums import Sheet
from rag.types import Calculation

_INSURED_PAYS = re.compile(
    r"out[- ]of[- ]pocket|(?:do|does|must|will|would|should) (?:i|we|you|he|she|they|the (?:insured"
    r"|patient|policyholder|member|owner)) (?:have to )?(?:pay|owe|bear)|自付多少"
    r"|自己(?:要)?(?:承担|付|出|负担)多少|自负多少|个人(?:需|要)?(?:承担|支付|负担|自付)|(?:需"
    r"|要)?自(?:付|费|担)多少"
)
_BORNE_BY_INSURED = re.compile(r"(?:co-?insurance|co-?pay\w*)")


def payout(sheet: Sheet) -> Calculation:
    """The insurer's payment; the insured's part where that is asked for."""
    loss = sheet.need("loss", "amount", "principal", "price").value
    deductible = sheet.take("deductible")
    share, said = _share(sheet)
    ceiling = sheet.take("ceiling")
    insured, worth = sheet.take("insured"), sheet.take("worth")
    other = sheet.take("other")
    terms = cover.Cover(
        deductible.value if deductible else Decimal(0),
        share,
        ceiling.value if ceiling else None,
        insured.value if insured else None,
        worth.value if worth else None,
    )
    paid = cover.paid(terms, loss, other.value if other else Decimal(0))
    working = _working(sheet, terms, loss, other.value if other else Decimal(0))
    if said:
        sheet.note(*said)
    limits = [x for x in (terms.ceiling, terms.insured) if x is not None]
    if any(paid == limit for limit in limits):
        sheet.note("cut at the limit", "按限额赔付")
    if paid == 0 and deductible:
        sheet.note("the loss does not exceed the deductible", "损失未超过免赔额")
    left = loss - paid - (other.value if other else Decimal(0))
    formula = (
        "min((loss - paid by others - deductible) * share, limit)",
        "min((损失 - 他方已付 - 免赔额) * 赔付比例, 限额)",
    )
    if _INSURED_PAYS.search(sheet.inputs.text):
        sheet.note(f"the insurer pays {sheet.money(paid)}", f"保险赔付{sheet.money(paid)}")
        shown = sheet.amount(paid)
        return sheet.result(
            ("borne by the insured", "自行承担金额"),
            left,
            "money",
            (f"loss - {formula[0]}", f"损失 - {formula[1]}"),
            f"{sheet.amount(loss)} - {shown}",
        )
    sheet.note(f"the insured bears {sheet.money(left)}", f"自行承担{sheet.money(left)}")
    return sheet.result(("paid by the insurer", "保险赔付金额"), paid, "money", formula, working)


def _share(sheet: Sheet) -> tuple[Decimal, tuple[str, str] | None]:
    """The insurer's share; "20% coinsurance" is the insured's by the usage of health plans, "80%" is not."""
    if own := sheet.take("own"):
        return 1 - own.value, None
    given = sheet.take("share", "rate")
    if given is None:
        return Decimal(1), None
    if _BORNE_BY_INSURED.search(sheet.inputs.text) and given.value < Decimal("0.5"):
        sheet.used = [(g, "own" if g is given else role) for g, role in sheet.used]
        return 1 - given.value, (
            f"coinsurance of {sheet.percent(given.value)} is borne by the insured",
            f"共付比例{sheet.percent(given.value)}由被保险人承担",
        )
    return given.value, None


def _working(sheet: Sheet, terms: cover.Cover, loss: Decimal, other: Decimal) -> str:
    text = sheet.amount(loss)
    if other:
        text += f" - {sheet.amount(other)}"
    if terms.insured is not None and terms.worth and terms.insured < terms.worth:
        text = (
            f"({text}) * {sheet.amount(terms.insured)} / {sheet.amount(terms.worth)}"
            if other
            else f"{text} * {sheet.amount(terms.insured)} / {sheet.amount(terms.worth)}"
        )
        sheet.note("insured below value: paid in proportion", "不足额投保，按比例赔付")
    if terms.deductible:
        text += f" - {sheet.amount(terms.deductible)}"
        if loss - other < terms.deductible:
            text = f"max({text}, 0)"
    if terms.share != 1:
        text = (
            f"({text}) * {sheet.rate(terms.share)}" if " " in text else f"{text} * {sheet.rate(terms.share)}"
        )
    return f"min({text}, {sheet.amount(terms.ceiling)})" if terms.ceiling is not None else text
