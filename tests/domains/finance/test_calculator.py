"""Questions of loans and savings are calculated from what they and their facts give.

Expected values are worked out here in floats, step by step or by a closed form of their own."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.domains.finance.money import calculate
from rag.domains.finance.printing import NotComputed
from rag.types import Calculation


def pmt(p: float, i: float, n: int) -> float:
    return p / sum((1 + i) ** -k for k in range(1, n + 1))


def grown(each: float, i: float, n: int) -> float:
    total = 0.0
    for _ in range(n):
        total = total * (1 + i) + each
    return total


def owed(p: float, i: float, n: int, paid: int) -> float:
    each = pmt(p, i, n)
    for _ in range(paid):
        p = p * (1 + i) - each
    return p


CASES: tuple[tuple[str, float], ...] = (
    # Loans
    ("What is the monthly payment on a $300,000 mortgage at 6% for 30 years?", pmt(3e5, 0.005, 360)),
    ("Calculate the monthly instalment of a 5-year car loan of $20,000 with an annual interest "
     "rate of 4.8%.", pmt(2e4, 0.004, 60)),
    ("I want to borrow €15,000 over 48 months at 7.2%. How much is the monthly "
     "payment?", pmt(15e3, 0.006, 48)),
    ("What is the annual payment on a $100,000 loan at 8% over 10 years?", pmt(1e5, 0.08, 10)),
    ("What would be the quarterly payments on a loan of $40,000 at 8% for 5 years?", pmt(4e4, 0.02, 20)),
    ("贷款100万元，年利率4.9%，30年等额本息，月供多少？", pmt(1e6, 0.049 / 12, 360)),
    ("我向银行借款20万元，期限3年，年利率6%，等额本息每月还款额是多少？", pmt(2e5, 0.005, 36)),
    ("贷款100万元，年利率4.9%，30年等额本金，首月还款多少？", 1e6 / 360 + 1e6 * 0.049 / 12),
    ("贷款100万元，年利率4.9%，30年等额本金，总利息是多少？",
     sum((1e6 - 1e6 * k / 360) * 0.049 / 12 for k in range(360))),
    ("贷款100万元，期限20年，年利率4.2%，等额本息，利息总额是多少？", 240 * pmt(1e6, 0.0035, 240) - 1e6),
    ("房屋总价200万元，首付30%，公积金贷款利率3.1%，贷款30年，每月还款多少？", pmt(1.4e6, 0.031 / 12, 360)),
    ("How much total interest is paid on a $250,000 mortgage at 5% over 15 years with monthly "
     "payments?", 180 * pmt(250e3, 0.05 / 12, 180) - 250e3),
    ("What is the remaining balance on a $200,000, 30-year mortgage at 4.5% after 10 "
     "years?", owed(2e5, 0.00375, 360, 120)),
    ("贷款50万元，年利率4.2%，20年等额本息，还款5年后剩余本金是多少？", owed(5e5, 0.0035, 240, 60)),
    ("How many months to pay off a $5,000 credit card debt at 18% APR paying $150 per month?", 47),
    ("A loan of $12,000 is repaid with 12 monthly payments of $1,072. What is the interest rate?", 13.0342),
    # Rates
    ("What is the effective annual rate of 12% compounded monthly?", 100 * (1.01**12 - 1)),
    ("What is the effective annual rate of 8% compounded quarterly?", 100 * (1.02**4 - 1)),
    ("What is the EAR of a 10% nominal rate compounded continuously?", 100 * (math.e**0.1 - 1)),
    ("月利率1.5%，实际年利率是多少？", 100 * (1.015**12 - 1)),
    ("名义年利率6%，按月复利，实际年利率是多少？", 100 * (1.005**12 - 1)),
    ("What nominal rate compounded monthly corresponds to an effective annual rate of 12.6825%?", 12.0),
    # Savings
    ("I save $500 per month at 5% annual interest compounded monthly; how much will I have after "
     "10 years?", grown(500, 0.05 / 12, 120)),
    ("我每月定投2000元，年化收益率6%，10年后有多少钱？", grown(2000, 0.005, 120)),
    ("存入10万元，年利率3%，按复利计算，5年后本息合计多少？", 1e5 * 1.03**5),
    ("What is the future value of $1,000 invested for 3 years at 6% compounded quarterly?", 1000 * 1.015**12),
    ("How much will $2,500 deposited today be worth in 8 years at 4% interest?", 2500 * 1.04**8),
    ("How much interest does a deposit of 50,000 yuan earn in 3 years at 2.75% simple "
     "interest?", 50000 * 0.0275 * 3),
    ("定期存款20万元，存期3年，年利率2.6%，单利计息，到期利息是多少？", 2e5 * 0.026 * 3),
    ("What is the interest on $100,000 at 5% for 90 days?", 1e5 * 0.05 * 90 / 365),
    ("日利率0.05%，借款1万元，30天利息是多少？", 1e4 * 0.0005 * 30),
    ("How long does it take to double $1,000 at 7%?", math.log(2) / math.log(1.07)),
    ("年收益率8%，10万元变成20万元需要多少年？", math.log(2) / math.log(1.08)),
    ("How long does it take to repay 10,000 at 5% a year with 200 a month?", 57),
    ("贷款1万元，年利率5%，每月还200元，要还多久？", 57),
    ("How much do I have after 10 years if I save 200 a month at 3% a year?", grown(200, 0.0025, 120)),
    ("How much should I save each month to reach $50,000 in 5 years at 4%?", 50000 / grown(1, 0.04 / 12, 60)),
    ("What is the present value of $10,000 received in 5 years at 6%?", 1e4 / 1.06**5),
    ("What is the present value of $1,000 a year for 10 years at "
     "8%?", sum(1000 / 1.08**k for k in range(1, 11))),
    ("折现率5%，3年后收到的10万元现值是多少？", 1e5 / 1.05**3),
    ("I invested $5,000 and it grew to $8,000 in 6 years; what annual rate of return is "
     "that?", 100 * (1.6 ** (1 / 6) - 1)),
    # Other phrasings
    ("If I take out a 25-year mortgage of £180,000 at 3.75%, what will I pay each "
     "month?", pmt(18e4, 0.003125, 300)),
    ("A borrower takes a $10,000 loan at 9% to be repaid in 5 equal annual payments. Find the "
     "annual payment.",
     pmt(1e4, 0.09, 5)),
    ("What is the total amount repaid on a 30-year $400,000 mortgage at 7%?", 360 * pmt(4e5, 0.07 / 12, 360)),
    ("小王贷款150万买房，30年，利率3.95%，等额本息，每个月要还多少钱？", pmt(15e5, 0.0395 / 12, 360)),
    ("I owe $8,000 on a card at 22% and pay $250 a month. How long until it is paid off?", 49),
    ("房贷100万，年利率4.1%，还款30年，还了3年后还欠银行多少？", owed(1e6, 0.041 / 12, 360, 36)),
    ("An investor deposits $1,000 at the end of each year for 20 years at 7%. How much is accumulated?",
     grown(1000, 0.07, 20)),
    ("If you deposit $200 a month at the beginning of each month at 6% compounded monthly, what "
     "is the balance"
     " after 5 years?", grown(200, 0.005, 60) * 1.005),
    ("What lump sum must be invested today at 5% to have $20,000 in 8 years?", 2e4 / 1.05**8),
    ("What is the present value of a perpetuity paying $500 per year at 4%?", 12500),
    ("某理财产品日利率万分之五，年化利率多少？", 100 * (1.0005**365 - 1)),
)  # fmt: skip


LOAN = "What is the monthly payment on a $10,000 loan {} for 2 years?"
ZH_LOAN = "贷款10万元，{}，分36期等额本息，每月还款多少？"
PER_PERIOD: tuple[tuple[str, float], ...] = (
    (LOAN.format("at 1% a month"), pmt(1e4, 0.01, 24)),
    (LOAN.format("at 1% per month"), pmt(1e4, 0.01, 24)),
    (LOAN.format("at 1% interest per month"), pmt(1e4, 0.01, 24)),
    (LOAN.format("at 1% monthly"), pmt(1e4, 0.01, 24)),
    (LOAN.format("with monthly interest of 1%"), pmt(1e4, 0.01, 24)),
    (LOAN.format("at a monthly rate of 1%"), pmt(1e4, 0.01, 24)),
    (LOAN.format("at an interest rate per month of 1%"), pmt(1e4, 0.01, 24)),
    (LOAN.format("at 12% a year"), pmt(1e4, 0.01, 24)),
    (LOAN.format("at 12% per annum"), pmt(1e4, 0.01, 24)),
    (LOAN.format("at 0.03% per day"), pmt(1e4, 0.0003 * 365 / 12, 24)),
    (LOAN.format("at 12% compounded monthly"), pmt(1e4, 0.01, 24)),
    (LOAN.format("at an annual rate of 12%, paid monthly,"), pmt(1e4, 0.01, 24)),
    (LOAN.format("with an APR of 12% payable monthly"), pmt(1e4, 0.01, 24)),
    (LOAN.format("at 12% payable monthly"), pmt(1e4, 0.01, 24)),
    (LOAN.format("at 12% monthly payments"), pmt(1e4, 0.01, 24)),
    ("What is the quarterly payment on a $10,000 loan at 3% per quarter for 2 years?", pmt(1e4, 0.03, 8)),
    ("What is the interest on $5,000 at 2% a month for 6 months?", 600),
    ("How many months to pay off a $5,000 card debt at 1.5% per month paying $150 per month?", 47),
    ("I owe $5,000 at 18% a year and pay $150 a month. How long until it is paid off?", 47),
    ("What is the present value of $100 a month for 24 months at 1% a month?",
     sum(100 / 1.01**k for k in range(1, 25))),
    ("How much will $2,500 deposited today be worth in 2 years at 1% per month?", 2500 * 1.01**24),
    ("A card charges 1.5% per month. What is the effective annual rate?", 100 * (1.015**12 - 1)),
    ("What is the effective annual rate of 1% per month?", 100 * (1.01**12 - 1)),
    (ZH_LOAN.format("月利率0.5%"), pmt(1e5, 0.005, 36)),
    (ZH_LOAN.format("每月利率0.5%"), pmt(1e5, 0.005, 36)),
    (ZH_LOAN.format("利率每月0.5%"), pmt(1e5, 0.005, 36)),
    (ZH_LOAN.format("每月0.5%的利息"), pmt(1e5, 0.005, 36)),
    (ZH_LOAN.format("利率为0.5%每月"), pmt(1e5, 0.005, 36)),
    (ZH_LOAN.format("月息0.5%"), pmt(1e5, 0.005, 36)),
    (ZH_LOAN.format("年利率6%"), pmt(1e5, 0.005, 36)),
    (ZH_LOAN.format("每年6%的利息"), pmt(1e5, 0.005, 36)),
    (ZH_LOAN.format("年利率6%每月付息"), pmt(1e5, 0.005, 36)),
    ("贷款20万元，利率6%每年，5年，等额本金，首月还款多少？", 2e5 / 60 + 2e5 * 0.005),
    ("借款10万元，利息每月1%，借6个月，利息多少？", 6000),
    ("存入10万元，月收益率0.2%，5年后本息合计多少？", 1e5 * 1.002**60),
    ("存入10万元，季利率1%，3年后本息合计多少？", 1e5 * 1.01**12),
    ("每月1%，实际年利率是多少？", 100 * (1.01**12 - 1)),
)  # fmt: skip


@pytest.mark.parametrize(("question", "value"), PER_PERIOD)
def test_a_rate_is_that_of_the_period_it_is_said_for(question: str, value: float) -> None:
    found = calculate(question)
    assert isinstance(found, Calculation), found
    assert float(found.result.value) == pytest.approx(value, rel=2e-5)


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("What is the monthly payment on a $12,000 loan at 0% for 12 months?", 1000),
        ("How much will I have after 10 years if I save $100 a month at 0%?", 12000),
        ("What is the present value of $100 a month for 10 months at 0% interest?", 1000),
        ("How long does it take to reach $12,000 saving $1,000 per month at 0% interest?", 1),
    ],
)
def test_sums_without_interest_are_plain(question: str, value: float) -> None:
    found = calculate(question)
    assert isinstance(found, Calculation), found
    assert float(found.result.value) == value


@pytest.mark.parametrize(("question", "value"), CASES)
def test_a_question_is_calculated(question: str, value: float) -> None:
    found = calculate(question)
    assert isinstance(found, Calculation), found
    assert float(found.result.value) == pytest.approx(value, rel=2e-5, abs=1e-6)
    assert found.name and found.formula and found.result.printed
    assert all(figure.citation is None for figure in found.inputs)


def come_to(working: str) -> float:
    """A working ("1,000 * (1 + 4%)^3 = ...") worked out; percentages as parts of one."""
    text = re.sub(r"(\d),(?=\d{3})", r"\1", working.rsplit(" = ", 1)[0])
    text = re.sub(r"([\d.]+)%", r"(\1/100)", text).replace("^", "**").replace("ln(", "math.log(")
    text = re.sub(r"\be\*\*", "math.e**", text)
    return float(eval(text, {"math": math, "min": min, "max": max}))


@pytest.mark.parametrize("question", [q for q, _ in CASES])
def test_the_working_comes_to_the_result(question: str) -> None:
    found = calculate(question)
    assert isinstance(found, Calculation)
    working = found.working
    if any(sign in working for sign in (";", "Σ", "...", "rounded up", "天", "年", "years")):
        assert working.count("(") == working.count(")")
        return
    value = float(found.result.value) / (100 if found.result.unit == "%" else 1)
    assert come_to(working) == pytest.approx(value, rel=1e-3, abs=0.02)


@pytest.mark.parametrize("question", ["贷款80万元20年，年利率4.3%，等额本息和等额本金的利息相差多少？",
                                      "房贷利率从4.9%降到3.9%，贷款100万元，为什么月供没变？"])  # fmt: skip
def test_another_question_about_a_loan_is_not_taken_for_savings(question: str) -> None:
    assert not isinstance(calculate(question), Calculation)


@pytest.mark.parametrize(
    ("question", "missing"),
    [
        ("What is the monthly payment on a $300,000 mortgage over 30 years?", "interest rate"),
        ("What is the monthly payment on a $300,000 mortgage at 6%?", "term"),
        ("贷款100万元，年利率4.9%，月供多少？", "期限"),
    ],
)
def test_an_input_that_is_missing_is_named(question: str, missing: str) -> None:
    found = calculate(question)
    assert isinstance(found, NotComputed)
    assert missing in found.reason


def test_a_payment_that_never_repays_is_said() -> None:
    found = calculate("How long to pay off a $5,000 loan at 24% paying $90 per month?")
    assert isinstance(found, NotComputed)
    assert "never repaid" in found.reason


@pytest.mark.parametrize(
    "question",
    [
        "",
        "What is the monthly payment?",
        "What is the monthly payment on a $300,000 mortgage?",
        "Why did mortgage rates rise by 2% in 2022?",
        "What is the interest rate on the notes due 2030?",
        "How much deposit must the tenant pay?",
        "What interest runs on late payment?",
        "Is a loan with 40% interest void under the statute?",
        "借款10万元约定年利率36%，利息受法律保护吗？",
        "What was the effective tax rate in FY2022?",
        "What deductible applies to dental treatment?",
        "保险的免赔额是多少？",
        "What dose of 500 mg twice daily for 10 days?",
        "What was Acme's net income in FY2021?",
        "2022年公司的利息费用是多少？",
        "What is the coupon of the 10-year bond?",
        "Who owns 20% of the shares?",
        "What is the NPV of cash flows -1000, 300, 400 and 500 at a discount rate of 8%?",
        "What is the IRR of an initial investment of $1,000 followed by cash flows of $300, $400 and $500?",
        "What is the payback period for an investment of $10,000 returning $3,000 a year for 5 years?",
        "A bond pays a 6% coupon on a face value of $1,000 for 8 years; what is its price at a yield of 5%?",
        "面值100元，票面利率3%，每年付息，期限5年，市场利率2.5%，债券价格是多少？",
        "医疗费用5.6万元，免赔额1万元，赔付比例80%，最高赔付100万元，能赔多少？",
        "A $10,000 hospital bill, $1,500 deductible and 20% coinsurance; how much does the insurer pay?",
        "12000元分12期，每期手续费率0.6%，实际年化利率是多少？",
        "What is the Macaulay duration of a 3-year bond with an 8% annual coupon at a yield of 10%?",
        "What is the accrued interest on $100,000 face, 6% coupon from January 15, 2023 to April 10, 2023?",
        "What is the XIRR of -10000 on January 1, 2008, 2750 on March 1, 2008 and 9250 on April 1, 2009?",
        "每年交保费1万元，交10年，第20年末领取15万元，内部收益率是多少？",
        "A house worth $400,000 is insured for $300,000. The loss is $80,000. How much will the insurer pay?",
    ],
)
def test_what_asks_for_no_calculation_gets_none(question: str) -> None:
    assert calculate(question) is None


def test_inputs_may_stand_in_facts_and_carry_their_place() -> None:
    fact = "The loan bears interest at an annual interest rate of 6% and is repaid over a term of 30 years."
    found = calculate("What is the monthly payment on a loan of $300,000?", ["Nothing of use here.", fact])
    assert isinstance(found, Calculation)
    assert float(found.result.value) == pytest.approx(pmt(3e5, 0.005, 360))
    cited = {f.label: f for f in found.inputs if f.citation}
    assert cited["interest rate"].citation == 2
    assert fact[cited["interest rate"].start : cited["interest rate"].end] == "6%"
    assert next(f for f in found.inputs if f.label == "amount borrowed").citation is None


def test_what_the_question_says_goes_before_facts() -> None:
    facts = ["An annual interest rate of 9% applies to the loan over a term of 10 years."]
    found = calculate("What is the monthly payment on a loan of $100,000 at 6% for 30 years?", facts)
    assert isinstance(found, Calculation)
    assert float(found.result.value) == pytest.approx(pmt(1e5, 0.005, 360))


def test_the_rounding_asked_for_is_kept() -> None:
    found = calculate(
        "What is the monthly payment on a $300,000 mortgage at 6% for 30 years? Round to the nearest dollar."
    )
    assert isinstance(found, Calculation)
    assert found.result.printed == "USD 1,799"


def test_choices_and_totals_are_said() -> None:
    found = calculate("贷款100万元，年利率4.9%，30年等额本息，月供多少？")
    assert isinstance(found, Calculation)
    assert found.result.printed == "5,307.27元"
    assert "名义年利率，按月计息" in found.notes
    assert any("利息总额910,616.19元" in note for note in found.notes)


@given(st.text(max_size=200))
@settings(max_examples=60)
def test_no_text_breaks_the_calculator(text: str) -> None:
    calculate(text)


@given(st.sampled_from([q for q, _ in CASES]), st.integers(0, 60), st.integers(0, 60))
@settings(max_examples=60)
def test_no_torn_question_breaks_the_calculator(question: str, start: int, length: int) -> None:
    calculate(question[:start] + question[start + length :])
