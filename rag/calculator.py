"""Answers questions of loans, savings, bonds, flows and insurance whose inputs stand in the question, or in
sentences found for it, by code.

    calculate("What is the monthly payment on a $300,000 mortgage at 6% for 30 years?")

Which calculation is asked for is told by words; where an input is missing the result says which. A question
that asks for none of them gives None."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import DecimalException

from rag import bond_sums, cover_sums, flow_sums, loan_sums, saving_sums
from rag.computing import Missing
from rag.given import Inputs, read_inputs
from rag.roots import NoRoot
from rag.rounding import read_rounding
from rag.sums import LABELS, Lack, Sheet
from rag.types import Calculation

MAX_CHARS = 2000
_Task = Callable[[Sheet], Calculation]
_LOAN = r"(?:loan|mortgage|borrow|instal|credit|debt|car|贷|借款|按揭|还款|月供)"
_BOND = r"(?:\bbonds?\b|\bnotes?\b|coupon|\bbills?\b|treasur|debenture|债券?|国债|票面|可转债)"
_ASKS = r"(?:\?|？|\bwhat\b|\bhow\b|calculate|compute|find\b|determine|多少|几|计算|求|算)"

# What is asked for, tried in this order; every pattern of a row has to be found.
_TASKS: tuple[tuple[_Task, tuple[str, ...]], ...] = (
    (bond_sums.accrued, (r"accrued interest|应计利息",)),
    (bond_sums.duration, (r"\bduration\b|久期", _BOND)),
    (bond_sums.current_yield, (r"current yield|当期收益率|即期收益率",)),
    (bond_sums.bond_yield, (r"yield[- ]to[- ]maturity|\bytm\b|到期收益率(?:是|为|有|约)?(?:多少|几)|求.{0,6}到期收益率|计算.{0,8}到期收益率|what(?:'s| is) (?:the|its) yield", _BOND + r"|ytm|yield to maturity")),
    (bond_sums.bond_price, (r"price|worth|value|价格|价值|值多少|发行价", _BOND, r"coupon|zero|票面|票息|零息|贴现")),
    (cover_sums.payout, (r"deductible|co-?insurance|co-?pay|免赔|起付线|赔付比例|报销比例|自付比例|自负比例|sum insured|保险金额|不足额", r"how much|what (?:will|would|does|is|amount|must)|赔多少|赔付多少|报销多少|多少|能赔|计算|calculate")),
    (flow_sums.net_present_value, (r"\bnpv\b|net present value|净现值",)),
    (flow_sums.payback, (r"payback|回收期",)),
    (flow_sums.internal_rate, (r"\bx?irr\b|internal rate of return|内部收益率|内含报酬率|(?:保单|保险|保费|premium|policy).*(?:收益率|return)|(?:收益率|rate of return).*(?:保单|保险|保费|premium|policy)",)),
    (loan_sums.instalment_fee, (r"手续费|服务费|fee", r"分期|分\d+期|instal", r"年化|实际|利率|annual|apr|effective|interest rate")),
    (saving_sums.nominal_rate, (r"(?:nominal|名义)(?: annual)?(?: interest)?(?:年)?(?: ?rate|利率)", r"effective|\bear\b|\bapy\b|实际|有效", r"(?:what|find|calculate|compute)(?: is| the| equivalent| corresponding| annual| an?)* nominal|名义年?利率(?:是|为)?多少|求名义|折合.{0,4}名义")),
    (saving_sums.effective_rate, (r"effective (?:annual |yearly |interest |annual interest )?(?:rate|yield)|\bear\b|\bapy\b|annual percentage yield|实际年利率|有效年利率|实际利率|有效利率|年化(?:实际)?利率|折合年化", r"compound|monthly|daily|per month|复利|月利率|月息|日利率|日息|计息|a month|per day")),
    (loan_sums.loan_rate, (r"(?:what|which|find|calculate|compute|determine)(?: is| was| are| the| an?| its| annual| nominal| implied| monthly| yearly| effective)* (?:interest rate|apr\b|rate of interest|rate\b)|利率(?:是|为|有|约)?多少|年化(?:利率)?(?:是|为|有)?多少", _LOAN, r"payments? of|pays?|paying|repa(?:y|id)\w*|a month|per month|每[月期年]还|月供|每月")),
    (loan_sums.remaining, (r"(?:remaining|outstanding|unpaid) (?:balance|principal|loan|amount)|(?:balance|still|left)[^?]{0,30}(?:ow\w+|outstanding|after)|owe[ds]? after|剩余(?:本金|贷款|未还)|还剩多少|还欠多少|未还本金|尚欠", _LOAN)),
    (loan_sums.payoff_time, (r"how long|how many (?:months|years|payments)|how soon|多久|多长时间|几年|几个月|多少(?:年|个月|期|月)", r"pay(?:ing)? (?:it )?(?:off|back)|repay|还清|还完|还款")),
    (loan_sums.total_interest, (r"total interest|interest (?:in total|over the|altogether|will be paid|paid over)|how much interest|总利息|利息总额|利息(?:一共|总共|合计)|(?:一共|总共|共).{0,8}利息|多少利息", _LOAN, r"monthly|instal|amorti|payments?|mortgage|month|等额|月供|按月|分期|按揭|房贷|还款")),
    (loan_sums.level_payment, (r"(?:monthly|annual|yearly|quarterly|weekly|level|each|per[- ]period|equal|loan|mortgage|regular) (?:loan |mortgage )?(?:payments?|instal\w+|repayments?)|payments?(?: be| per| each| every| a month)|pay (?:each|every|per|a) (?:month|year|quarter)|月供|每月(?:需|要|应)?(?:还|偿还|归还|支付|供)|每[年季期](?:需|要|应)?(?:还|偿还|支付)|月还款|首月还款|还款额|首期还款", _LOAN)),
    (saving_sums.saving_needed, (r"how much (?:must|should|do|does|would|will|need)\b[^?]{0,40}(?:save|deposit|put|set aside|invest|contribute|pay in)|(?:monthly|annual|yearly) (?:deposit|saving|contribution|investment)s? (?:is|are|needed|required)|每[月年季](?:需|要|应|须)?(?:要)?(?:存|定投|投入|储蓄|投资)多少|每[月年](?:应|需|要)存", r"reach|goal|target|accumulate|to have|become|grow to|达到|攒|目标|积累|获得|拥有|凑")),
    (saving_sums.time_to_target, (r"how long|how many (?:years|months)|when will|多久|多长时间|多少年|几年", r"doubl|tripl|reach|grow|become|accumulate|goal|target|达到|翻倍|翻番|翻一番|变成|攒|增长到|增值到|两倍")),
    (saving_sums.growth_rate, (r"(?:what|which|find|calculate|compute)[^?]{0,60}(?:annual(?:ized|ised)? (?:rate of )?return|rate of return|annual rate|interest rate|growth rate|\bcagr\b)|年化(?:收益率|回报率)(?:是|为)?多少|年化收益率", r"grow|grew|became|worth|turn|sold|to \$|变成|增长到|增值|卖出|收回|到期得|变为")),
    (saving_sums.present_value, (r"present value|discounted value|worth today|value today|today's value|现值|折现|贴现|现在值多少|invest (?:now|today) to (?:have|get|receive|reach)",)),
    (saving_sums.simple_interest, (r"simple interest|单利|(?:how much|what|calculate|compute|find)[^?]{0,40}\binterest\b[^?]{0,60}(?:days?|earned|on|for)|利息(?:是|为|有|共)?多少|多少利息|(?:到期)?利息[为是]?几", r"interest|利息|单利")),
    (saving_sums.future_value, (r"how much (?:will|would|money|do|does|is)|future value|worth|grow to|value after|what will|final (?:amount|value|balance)|accumulat\w*|balance|终值|本息|本利和|到期(?:能|可)?(?:得|拿|取|有)|多少钱|变成多少|能有多少|能拿到|有多少", r"sav(?:e|ing)|deposit|invest|compound|interest|grow|annuity|contribut|存|投资|投入|复利|定投|利率|年金|理财")),
)  # fmt: skip
_COMPOUNDED = re.compile(r"compound|复利|利滚利")
_RULES = re.compile(
    r"\b(?:lawful|legal(?:ly)?|usur\w+|court|statut\w+|article \d|plaintiff|valid|invalid|void|enforceable)\b|法律|法院|合法|有效吗|无效|支持吗|受保护|保护|诉讼|民法|规定|条例|违约"
)
_RATES = frozenset({"rate", "monthly", "daily", "effective", "yield"})


def calculate(question: str, facts: Sequence[str] = ()) -> Calculation | Missing | None:
    """The calculation that a question asks for; `Missing` with a reason that names the inputs which neither
    question nor `facts` give; None where it asks for no such calculation. An input that stands in a fact has
    that fact's number (from 1) as its `citation` and its place in it as `start` and `end`."""
    text = question[:MAX_CHARS]
    inputs = read_inputs(text, facts)
    task = _task(inputs)
    if task is None:
        return None
    own = sum(1 for g in inputs.given if not g.source)
    sheet = Sheet(inputs, read_rounding(text))
    try:
        return task(sheet)
    except Lack as lack:
        # One number alone in a question is a topic, not a sum to be done.
        return Missing(reason=_lacking(lack, inputs.language)) if own >= 2 else None
    except NoRoot as error:
        return Missing(reason=str(error)) if own >= 2 else None
    except (DecimalException, ZeroDivisionError, OverflowError, ValueError):
        return Missing(reason=_impossible(inputs.language)) if own >= 2 else None


def _task(inputs: Inputs) -> _Task | None:
    text = inputs.text
    if not inputs.given or not re.search(_ASKS, text) or _RULES.search(text):
        return None
    for task, patterns in _TASKS:
        if all(re.search(p, text) for p in patterns):
            if task is loan_sums.loan_rate and any(g.role in _RATES for g in inputs.given):
                continue  # the rate is known
            # "Interest earned ... compounded" is what the sum grows by, not simple interest.
            if task is saving_sums.simple_interest and _COMPOUNDED.search(text):
                return saving_sums.compound_interest
            return task
    return None


def _lacking(lack: Lack, language: str) -> str:
    names = [LABELS.get(r, (r, r))[language == "zh"] for r in dict.fromkeys(lack.roles)]
    if language == "zh":
        return f"缺少：{'、'.join(names)}"
    return f"not given: {', '.join(names)}"


def _impossible(language: str) -> str:
    return "这些数字无法得出结果" if language == "zh" else "these numbers give no result"
