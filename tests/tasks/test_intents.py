"""Questions about many passages are told from questions for a figure or a fact by their wording alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.questions.expects import Wording, read_wording
from rag.tasks.intents import Ask, CountUnit, Intent, read_intents

COUNT = {
    "How many documents mention parking?": (CountUnit.DOCUMENT, "parking"),
    "How many contracts refer to arbitration?": (CountUnit.DOCUMENT, "arbitration"),
    "How many of the leases contain a break clause?": (CountUnit.DOCUMENT, "a break clause"),
    "How many supply contracts provide for penalties?": (CountUnit.DOCUMENT, "penalties"),
    "How many reports discuss climate risk?": (CountUnit.DOCUMENT, "climate risk"),
    "How many guidelines recommend folic acid, and how many documents mention folic acid?": None,
    "How many files are about insurance": (CountUnit.DOCUMENT, "insurance"),
    "What is the number of agreements that mention escrow?": (CountUnit.DOCUMENT, "escrow"),
    "Count the documents that mention late payment.": (CountUnit.DOCUMENT, "late payment"),
    "How many clauses deal with termination?": (CountUnit.PASSAGE, "termination"),
    "How many clauses of the lease mention repairs?": (CountUnit.PASSAGE, "repairs in the lease"),
    "How many sections refer to personal data?": (CountUnit.PASSAGE, "personal data"),
    "How many articles define a consumer?": (CountUnit.PASSAGE, "a consumer"),
    "How many passages mention Norwood Castings?": (CountUnit.PASSAGE, "Norwood Castings"),
    "How many references to the Harbour Act are there": (CountUnit.PASSAGE, "the Harbour Act are there"),
    "How many times is the guarantor mentioned?": (CountUnit.PASSAGE, "the guarantor"),
    "How often is aspirin mentioned in the leaflet?": (CountUnit.PASSAGE, "aspirin in the leaflet"),
    "How many times does the award cite article 19?": (CountUnit.PASSAGE, "article 19 in the award"),
    "How many documents are there?": (CountUnit.DOCUMENT, ""),
    "How many contracts are there in the index?": (CountUnit.DOCUMENT, ""),
    "How many files do you have?": (CountUnit.DOCUMENT, ""),
    "How many contracts mention parking, and which ones?": (CountUnit.DOCUMENT, "parking"),
    "有几份文件提到违约金？": (CountUnit.DOCUMENT, "违约金"),
    "有多少份合同约定了保密义务": (CountUnit.DOCUMENT, "保密义务"),
    "共有多少份报告涉及汇率风险？": (CountUnit.DOCUMENT, "汇率风险"),
    "几部法律规定了诉讼时效？": (CountUnit.DOCUMENT, "诉讼时效"),
    "提到保证金的合同有几份？": (CountUnit.DOCUMENT, "保证金"),
    "一共有多少条规定涉及加班费？": (CountUnit.PASSAGE, "加班费"),
    "采购合同中有几条提到验收？": (CountUnit.PASSAGE, "采购合同的验收"),
    "涉及抵押的条款共有多少条？": (CountUnit.PASSAGE, "抵押"),
    "文件里提到了几次阿司匹林？": (CountUnit.PASSAGE, "文件的阿司匹林"),
    "违约金出现了几次？": (CountUnit.PASSAGE, "违约金"),
    "一共有多少份文件？": (CountUnit.DOCUMENT, ""),
}
LIST = {
    "Which documents mention force majeure?": (CountUnit.DOCUMENT, "force majeure"),
    "Which of the contracts contain a non-compete clause?": (CountUnit.DOCUMENT, "a non-compete clause"),
    "What agreements refer to the Port Merrow courts?": (CountUnit.DOCUMENT, "the Port Merrow courts"),
    "Which leaflets say anything about grapefruit": (CountUnit.DOCUMENT, "anything about grapefruit"),
    "Which clauses deal with liability?": (CountUnit.PASSAGE, "liability"),
    "Which sections of the handbook mention overtime?": (CountUnit.PASSAGE, "overtime in the handbook"),
    "In which documents is the guarantor mentioned?": (CountUnit.DOCUMENT, "the guarantor"),
    "Where is the escrow agent mentioned?": (CountUnit.PASSAGE, "the escrow agent"),
    "List all documents that mention arbitration.": (CountUnit.DOCUMENT, "arbitration"),
    "List all contracts with Norwood Castings": (CountUnit.DOCUMENT, "Norwood Castings"),
    "Please list the documents": (CountUnit.DOCUMENT, ""),
    "List every clause on confidentiality": (CountUnit.PASSAGE, "confidentiality"),
    "Find all passages about interest": (CountUnit.PASSAGE, "interest"),
    "Can you list all deadlines in the lease?": (CountUnit.THING, "deadlines in the lease"),
    "Give me a list of the parties": (CountUnit.THING, "parties"),
    "Show me all references to the guarantor": (CountUnit.PASSAGE, "the guarantor"),
    "What are all the side effects of velnoradine?": (CountUnit.THING, "side effects of velnoradine"),
    "Enumerate the covenants": (CountUnit.THING, "covenants"),
    "哪些合同提到违约金？": (CountUnit.DOCUMENT, "违约金"),
    "哪几份文件涉及个人信息？": (CountUnit.DOCUMENT, "个人信息"),
    "哪些条款规定了解除权？": (CountUnit.PASSAGE, "解除权"),
    "提到仲裁的文件有哪些？": (CountUnit.DOCUMENT, "仲裁"),
    "列出所有提到保证金的文件": (CountUnit.DOCUMENT, "保证金"),
    "请列出全部违约责任": (CountUnit.THING, "违约责任"),
    "列出所有文件": (CountUnit.DOCUMENT, ""),
    "请帮我列出采购合同中涉及验收的条款": (CountUnit.PASSAGE, "采购合同的验收"),
    "列举本品的不良反应": (CountUnit.THING, "本品的不良反应"),
}
COMPARE = {
    "Compare the notice period in lease A and lease B": (("lease A", "lease B"), "notice period"),
    "Compare the office lease with the staff handbook": (("office lease", "staff handbook"), ""),
    "Please compare aspirin and ibuprofen in terms of bleeding risk": (
        ("aspirin", "ibuprofen"),
        "bleeding risk",
    ),
    "What is the difference between a guarantee and an indemnity?": (("guarantee", "indemnity"), ""),
    "What are the differences in liability between the two-year plan and the lease?": (
        ("two-year plan", "lease"),
        "liability",
    ),
    "How does velnoradine differ from ostravelline?": (("velnoradine", "ostravelline"), ""),
    "How do a claim and a dispute differ?": (("claim", "dispute"), ""),
    "A comparison of the facility agreement and the term sheet": (("facility agreement", "term sheet"), ""),
    "warfarin vs apixaban": (("warfarin", "apixaban"), ""),
    "What distinguishes a lease from a licence?": (("lease", "licence"), ""),
    "比较采购合同和保密协议的违约责任": (("采购合同", "保密协议"), "违约责任"),
    "定金与订金有什么区别？": (("定金", "订金"), ""),
    "抵押权和质押权的区别是什么": (("抵押权", "质押权"), ""),
    "请对比甲方案与乙方案": (("甲方案", "乙方案"), ""),
}
SUMMARISE = {
    "Summarise the office lease": "the office lease",
    "Please summarize section 5 of the lease": "section 5 of the lease",
    "Can you give me a short summary of the award?": "the award",
    "Give me an overview of the trial report": "the trial report",
    "Overview of the covenants": "the covenants",
    "Write a brief summary of the data processing addendum.": "the data processing addendum",
    "Sum up the termination provisions": "the termination provisions",
    "What are the main points of the facility agreement?": "the facility agreement",
    "总结保密协议": "保密协议",
    "请概述一下年度报告": "年度报告",
    "请帮我归纳违约责任": "违约责任",
    "把采购合同总结一下": "采购合同",
    "采购合同的主要内容是什么？": "采购合同",
}
ORDINARY = [
    "How many days' notice must the tenant give?",
    "How many days of notice must the tenant give?",
    "How many shares were outstanding?",
    "How many shares are listed on the exchange?",
    "How many employees are listed?",
    "表中列出了多少种药品？",
    "How many employees does the company have?",
    "How many documents must the applicant file?",
    "How many contracts did the company sign in 2023?",
    "How many reports did the auditor issue?",
    "How many patients were enrolled?",
    "How many patients are named as controls?",
    "How many months is the rent suspended?",
    "How many copies of the contract are signed?",
    "How many times a day is the tablet taken?",
    "How many times earnings is the ratio?",
    "How often is the dose taken?",
    "How often does the board meet?",
    "How many directors are there?",
    "How many parking spaces are there?",
    "How many cases of influenza were reported?",
    "How many laws apply to the contract?",
    "How much is the deposit?",
    "What number of shares was issued?",
    "Count Olaf lives where?",
    "Which documents must be filed?",
    "Which documents are required for registration?",
    "Which law governs the agreement?",
    "Which laws govern this agreement?",
    "Which court has jurisdiction?",
    "Which contract is longer?",
    "Which clause applies?",
    "Which drug is safe in pregnancy?",
    "What documents does the borrower have to deliver?",
    "What is the list price of the tablets?",
    "List price of the tablets",
    "What are the duties of the processor?",
    "What are the main risks?",
    "Who is on the list of suppliers?",
    "Where does the board meet?",
    "Where is the registered office?",
    "Is the company listed?",
    "By how much did revenue differ from the plan?",
    "What is the difference between the 2022 and the 2021 revenue in dollars?",
    "How much is the difference between cost and price?",
    "How does revenue in 2023 compare to 2022?",
    "How did net income compare with last year?",
    "Compare it with last year",
    "What was revenue compared with the prior year?",
    "What is the comparable period?",
    "What does the summary of significant accounting policies say?",
    "What is in the executive summary?",
    "Is there an overview?",
    "Does the tenant or the landlord repair the roof?",
    "Who may summarise the minutes?",
    "What sum is payable?",
    "notice period",
    "deposit and rent",
    "解除合同要提前几天通知？",
    "有几天的宽限期？",
    "试用期有几个月？",
    "公司共有多少名员工？",
    "合同一式几份？",
    "需要提交几份文件？",
    "违约金是多少？",
    "一共要付多少钱？",
    "有哪些不良反应？",
    "哪些情况下可以解除合同？",
    "哪些员工可以参加培训？",
    "需要提交哪些文件？",
    "办理登记需要哪些资料？",
    "哪个法院管辖？",
    "列车几点到？",
    "这种情况比较常见吗？",
    "哪种药物比较安全？",
    "赔偿金额比较高的是哪一项？",
    "公司与员工发生争议怎么办？",
    "双方不同意怎么办？",
    "去年和今年的收入差额是多少？",
    "总结报告由谁提交？",
    "年度总结什么时候交？",
    "摘要应当写多少字？",
    "谁负责概括性审查？",
    "每日服用几次？",
    "保密期限是多长？",
    "",
    "？？",
    "the",
]
ALL = len(COUNT) + len(LIST) + len(COMPARE) + len(SUMMARISE) + len(ORDINARY)


def last(query: Wording) -> Intent | None:
    """What is taken where no document is described so."""
    *_, found = (None, *read_intents(query))
    return found


def test_both_kinds_are_told_apart_over_many_questions() -> None:
    assert ALL >= 120 and len(ORDINARY) >= 60


@pytest.mark.parametrize("question", [q for q, wanted in COUNT.items() if wanted])
def test_what_is_counted_and_about_what_is_told(question: str) -> None:
    intent = last(read_wording(question))
    assert intent is not None and intent.ask is Ask.COUNT
    assert (intent.unit, intent.topic) == COUNT[question]


@pytest.mark.parametrize("question", LIST)
def test_what_is_listed_and_about_what_is_told(question: str) -> None:
    intent = last(read_wording(question))
    assert intent is not None and intent.ask is Ask.LIST
    assert (intent.unit, intent.topic) == LIST[question]


@pytest.mark.parametrize("question", COMPARE)
def test_both_sides_of_a_comparison_are_told_and_its_respect(question: str) -> None:
    intent = last(read_wording(question))
    assert intent is not None and intent.ask is Ask.COMPARE
    assert (intent.sides, intent.topic) == COMPARE[question]


@pytest.mark.parametrize("question", SUMMARISE)
def test_what_is_summarised_is_told(question: str) -> None:
    intent = last(read_wording(question))
    assert intent is not None and intent.ask is Ask.SUMMARISE
    assert intent.topic == SUMMARISE[question]


@pytest.mark.parametrize("question", ORDINARY)
def test_question_for_a_figure_or_a_fact_is_none_of_these(question: str) -> None:
    assert last(read_wording(question)) is None


@pytest.mark.parametrize("question", [q for q, wanted in COUNT.items() if wanted is None])
def test_several_questions_in_one_are_left_to_their_parts(question: str) -> None:
    assert last(read_wording(question)) is None


def test_wording_that_also_asks_for_a_fact_needs_a_named_document() -> None:
    unsure = last(read_wording("采购合同的主要内容是什么？"))
    sure = last(read_wording("总结采购合同"))
    assert unsure is not None and not unsure.sure
    assert sure is not None and sure.sure


@given(
    st.text(max_size=700)
    | st.lists(st.sampled_from([*COUNT, *COMPARE, "和", " and ", "\ud800"])).map(" ".join)
)
def test_any_text_is_read_without_an_error(text: str) -> None:
    intent = last(read_wording(text))
    assert intent is None or intent.ask in Ask
