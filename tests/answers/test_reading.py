"""The model reads where code states nothing: its words become one line that stands in a source, its odds move
the verdict; and evidence first, also among many."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rag.answers.bearing import (
    answers,
    excepted,
    of_another,
    of_another_row,
    of_other_number,
    one_of_many,
)
from rag.answers.prompt import instructions
from rag.answers.reading import ReaderReply, claim_of, read
from rag.answers.request import AnswerRequest, Crowd, Setup
from rag.assistant import Assistant
from rag.config import default_cache_dir
from rag.index import Index
from rag.languages.text import has_han
from rag.models.llm import LLM, load_llm
from rag.questions.expects import read_wording
from rag.search.evidence import Selection
from rag.search.verdict import READ_RIGHTLY, Verdict, named_elsewhere
from rag.types import Answer, Cell, ClaimState, Event, EvidenceFound, Filters, Finished, Outcome, StageStarted
from tests.archive import archive
from tests.asking import asked
from tests.fakes import FakeLLM, fake_answer, fake_document, fake_evidence, manner
from tests.recorded import RecordedLLM

QUESTION = "How many days of notice must the tenant give?"
RENT = "What is the monthly rent of Harbour Lane?"
MAIL = "Is notice by electronic mail sufficient?"
BUYER, TERMS = "When does the buyer pay?", "no later than thirty (30) days after delivery"
UNSAID = "Who signed the loan to Larkwell Mills?"  # no sentence says it, and one is near
FAR = "谁赢得了世界杯？"
DEPOSIT_BACK = "The deposit is returned within forty-five days after the end of the term."
DEPOSIT = "The tenant has paid a deposit of USD 60,915, being three months' rent."
NO_FEE = "No fee is due within 30 days of the order."
CAPS = "Compensation is limited to EUR 11 a kilogram, and to EUR 85,000 in all."
UNTIL = "The rent may be unpaid until 3 May 2031."
PARTIES = "Made between Tessin Ltd (the Guarantor) and Varn Bank (the Lender)."
SAYS_NOT = "Notice by electronic mail is not sufficient."
# An index in whose documents no name stands.
NOWHERE: Any = SimpleNamespace(
    store=SimpleNamespace(
        matching=lambda _: [], owners=lambda _: {}, passages=lambda: 20, documents=lambda: []
    )
)
SURE = 30.0  # log-odds beside which all else is nothing


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    more = {"terms__md": f"# Terms of sale\n\nThe buyer pays {TERMS}.\n"}
    with archive(tmp_path_factory.mktemp("archive"), **more) as opened:
        yield opened


def replying(reply: str, *, likely: float = SURE, **more: int) -> FakeLLM:
    """A model that gives this reply, and these log-odds that the sources state the answer."""
    endings = {instructions(code).answer for code in ("en", "zh")}
    return FakeLLM(lambda prompt: reply if prompt.ending in endings else "", likely=likely, **more)


def ask(index: Index, question: str, llm: LLM, threshold: float | None = None) -> Answer:
    return Assistant(index, llm, threshold=threshold).ask(question)


# --- from words to a line ---


@pytest.mark.parametrize("number", ["", "5 | "])
def test_a_number_of_a_row_is_said_with_its_row_and_its_head(number: str) -> None:
    text = f"{number}Guarantees | 1,200 | 640"
    heads = (*("No." for _ in number[:1]), "Facility", "Limit (EUR thousand)", "Drawn")
    starts = [m.start() for m in re.finditer(r"(?<![^ ])[\w,]+", text)]
    cells = tuple(Cell(at, at + len(text[at:].split()[0]), 1, column) for column, at in enumerate(starts))
    row = replace(fake_evidence(text, number=1), heads=heads, cells=cells)
    wording = asked("How much is the limit of the guarantees?")
    claim = claim_of("1,200 [1]", [row], wording, instructions("en"))
    assert claim is not None and claim.text == "Guarantees: Limit (EUR thousand) 1,200."


BACKUPS = "Back-ups are made every night and kept for 45 days."
ERASURE = "Data of the Customer is erased 30 days after termination."
ROWS = """# Safety of tessin

| Event | 150 mg | 300 mg |
|---|---|---|
| {} | 10.9% | 25.5% |
| {} | 50.4% | 52.2% |
"""


@pytest.mark.parametrize(
    ("labels", "question", "right"),
    [
        (("Dizziness", "Women"), "What share on 300 mg had dizziness?", "25.5%"),
        (("头晕", "女性"), "300 mg组头晕的比例是多少？", "25.5%"),
    ],
)
def test_a_row_that_says_nothing_asked_is_not_read_beside_the_one_that_does(
    tmp_path: Path, labels: tuple[str, str], question: str, right: str
) -> None:
    with archive(tmp_path, trial__md=ROWS.format(*labels)) as opened:
        other = ask(opened, question, replying("52.2% [2]"))
        assert "52.2" not in other.line
        assert right in ask(opened, question, replying(f"{right} [1]")).line


@pytest.mark.parametrize(
    ("question", "reply", "one"),
    [
        ("Which controlled medicines come from Medlinx?", "Morphine", True),
        ("Which medicine from Medlinx is controlled?", "Morphine", False),
        ("Which controlled medicines come from Medlinx?", "Morphine and midazolam", False),
        ("从Medlinx采购的管制药品有哪些？", "Morphine", True),
        ("Which medicine from Medlinx is the most expensive?", "Morphine", True),
        ("从Medlinx采购的药品哪一种最贵？", "Morphine", True),
    ],
)
def test_one_thing_of_one_row_is_not_all_that_a_question_asks_for(
    question: str, reply: str, one: bool
) -> None:
    row = fake_evidence("Morphine | Medlinx | yes", number=1, header="Medicine | Supplier | Controlled")
    assert one_of_many(read_wording(question), row, reply) is one
    assert not one_of_many(read_wording(question), fake_evidence("Morphine is controlled.", number=1), reply)


def test_a_yes_that_does_not_hold_leaves_the_sentence_whose_heading_names_the_matter(tmp_path: Path) -> None:
    text = "# Data terms\n\n## New sub-processors\n\nTorvane may object within nine days of the notice.\n"
    with archive(tmp_path, terms__md=text) as opened:
        answer = ask(opened, "Can Torvane object to a new sub-processor?", replying("No [1]"))
        assert answer.verdict is Outcome.ANSWERED and answer.line.startswith("Torvane may object")


@pytest.mark.parametrize("source", [1, 2])
def test_a_no_that_does_not_hold_leaves_no_sentence_on_another_matter(tmp_path: Path, source: int) -> None:
    letter = "# Discharge letter\n\nKidney disease was found in the patient in 2021.\n"
    trial = "# The Torvane Lantern trial\n\nThe trial lasted two years in nine hospitals.\n"
    question = "Was kidney disease found in the Torvane Lantern trial?"
    with archive(tmp_path, letter__md=letter, trial__md=trial) as opened:
        assert ask(opened, question, replying(f"No [{source}]")).verdict is not Outcome.ANSWERED


@pytest.mark.parametrize(
    ("question", "reply", "text", "line"),
    [
        ("What is the cap on compensation?", "EUR 11 a kilogram", CAPS, CAPS),
        ("On which day is interest due?", "1 May", "Interest is due on 1 May and 1 November.", ""),
        ("On which day is rent due?", "1 May", "Rent is due on 1 May and is paid by transfer.", "1 May."),
        ("赔偿的上限是多少？", "每公斤80元", "赔偿以每公斤80元为限。", "每公斤80元。"),
        ("利息在哪一天支付？", "5月1日", "利息于5月1日和11月1日支付。", ""),
    ],
)
def test_a_value_with_which_another_goes_is_not_said_without_it(
    question: str, reply: str, text: str, line: str
) -> None:
    query = asked(question)
    claim = claim_of(f"{reply} [1]", [fake_evidence(text)], query, instructions(query.language))
    assert claim is not None and claim.text == (line or text)


def test_a_row_that_says_no_degree_is_not_read_for_a_severe_disease() -> None:
    heads, cells = ("Clearance", "Most a day"), (Cell(0, 11, 1, 0), Cell(14, 20, 1, 1))
    row = replace(fake_evidence("60 or above | 300 mg", number=1), heads=heads, cells=cells)
    told = replace(row, heading_path=("Severe impairment",))
    wording = asked("What is the most a day in severe kidney impairment?")
    claims = [claim_of("300 mg [1]", [one], wording, instructions("en")) for one in (row, told)]
    assert [claim and claim.state for claim in claims] == [ClaimState.UNSUPPORTED, ClaimState.SUPPORTED]


def test_a_title_is_no_explanation(tmp_path: Path) -> None:
    title = "岚海臻爱重大疾病保险条款"
    piece = fake_evidence(title + " …", number=1)
    piece = replace(piece, document=replace(piece.document, title=title))
    told = replace(piece, text="严重多发性硬化症指中枢神经系统的脱髓鞘疾病。")
    wording = asked("岚海臻爱重大疾病保险：“严重多发性硬化症”是什么意思？")
    assert answers(title + "…", piece, wording) is False
    assert answers(told.text, told, wording) is True


def test_a_document_that_another_ones_subject_is_not_answers_nothing(tmp_path: Path) -> None:
    files = {
        "orn__md": "# The Orn Chronicle\n\nThe Orn Chronicle is a series of Velland.\n",
        "vell__md": "# Vell Tales\n\nThe series ran for five seasons.\n",
    }
    question = "How many seasons of the orn chronicle are there?"
    with archive(tmp_path, **files) as index:
        query, own = index.understand(question), {d.path: d for d in index.documents()}
        assert named_elsewhere(query, own["vell.md"], index.store)
        assert not named_elsewhere(query, own["orn.md"], index.store)


def test_a_document_that_lacks_the_name_asked_about_answers_nothing(tmp_path: Path) -> None:
    memo = "# Review of Torvane Foods\n\nThe guarantee of Torvane Foods comes to 700 crowns at most.\n"
    deed = "# Deed\n\nTorvane Cold Stores stands surety for Torvane Foods, up to 9,000 crowns in all.\n"
    with archive(tmp_path, memo__md=memo, deed__md=deed) as opened:
        foods, stores = (f"What is the guarantee of Torvane {name}?" for name in ("Foods", "Cold Stores"))
        reads = replying("700 crowns [1]")
        assert "700 crowns at most." in ask(opened, foods, reads).line
        assert ask(opened, stores, reads).verdict is not Outcome.ANSWERED


@pytest.mark.parametrize(
    ("question", "reply", "line"),
    [
        (QUESTION, "by giving 60 days of written notice [1]", "By giving 60 days of written notice."),
        (QUESTION, "60 [1]", "60 days."),
        (RENT, "1,450 [1]", "1,450 euros."),
        (RENT, "\u201c1,450 Euros\u201d", "1,450 euros."),
        ("When does the loan fall due?", "30 June [1]\nThe loan falls due in June.", "30 June 2031."),
        (MAIL, "No [1]", f"No: {SAYS_NOT}"),
        (MAIL, "No, not sufficient [1]", "No: Not sufficient."),
        (BUYER, f"{TERMS} [1]", "No later than thirty (30) days after delivery."),
        ("试用期有多长？", "三个月[1]", "三个月。"),
        ("劳动者可以解除劳动合同吗？", "可以，提前三十日以书面形式[2]", "可以：提前三十日以书面形式。"),
        ("用人单位每月什么时候支付工资？", "十五日【1】", "十五日。"),
    ],
)
def test_words_of_the_model_become_one_line_with_capital_unit_and_full_stop(
    index: Index, question: str, reply: str, line: str
) -> None:
    answer = ask(index, question, replying(reply))
    assert (manner(answer), answer.line, answer.draft) == ("written", line, reply)
    assert [claim.quoted for claim in answer.claims] == [False, True]
    (quote,) = answer.quotes
    assert answer.claims[0].citations == (quote.number,) and answer.dropped == ()


def test_number_of_a_source_that_the_model_types_is_only_a_hint(index: Index) -> None:
    for typed in ("[1]", "[2]", "[9]", ""):
        answer = ask(index, QUESTION, replying(f"60 days of written notice {typed}"))
        assert answer.line == "60 days of written notice."
        assert "60 days" in answer.quotes[0].quote


def test_words_that_stand_in_no_source_are_no_answer_and_what_is_near_is_quoted(index: Index) -> None:
    answer = ask(index, QUESTION, replying("90 days of written notice [1]"))
    assert answer.verdict is Outcome.NEARBY and "60 days" in answer.quotes[0].quote
    assert "90" not in answer.text


@pytest.mark.parametrize(
    ("reply", "line"),
    [
        (
            "a letter sent to the insurer within 60 days [1]",
            "He notifies the insurer by letter within 60 days.",
        ),
        ("a letter sent to the insurer within 90 days [1]", None),
        ("a telegram [1]", None),
    ],
)
def test_words_that_mostly_stand_in_a_source_make_its_sentence_the_line(reply: str, line: str | None) -> None:
    piece = fake_evidence("He notifies the insurer by letter within 60 days.", number=1)
    asked = read_wording("What does the insured do after a loss?")
    claim = claim_of(reply, [piece], asked, instructions("en"))
    assert claim is not None
    assert (claim.text if claim.state is ClaimState.SUPPORTED else None) == line


def test_of_reasons_and_manners_the_line_is_the_whole_sentence() -> None:
    text = "Because the pump had failed, the valve stayed open for 3 hours (180 minutes) that night."
    piece = fake_evidence(text, number=1)
    for question, reply, line in (
        ("Why did the valve stay open?", "the pump had failed [1]", text),
        ("How long did the valve stay open?", "3 hours [1]", "3 hours (180 minutes)."),
        (
            "How long did the valve stay open?",
            "3 hours (180 minutes) that night [1]",
            "3 hours (180 minutes) that night.",
        ),
    ):
        claim = claim_of(reply, [piece], read_wording(question), instructions("en"))
        assert claim is not None and (claim.state, claim.text) == (ClaimState.SUPPORTED, line)


def test_bracket_that_is_no_source_stays_in_the_line() -> None:
    piece = fake_evidence("The attack rate was 9.8% [3.2%-25%] of the population.", number=1)
    asked = read_wording("What was the attack rate?")
    claim = claim_of("9.8% [3.2%-25%] of the population [1]", [piece], asked, instructions("en"))
    assert claim is not None and claim.text == "9.8% [3.2%-25%] of the population."


def test_words_of_a_heading_alone_are_no_line() -> None:
    piece = replace(fake_evidence("It is taken once a day.", number=1), heading_path=("Starting dose",))
    claim = claim_of(
        "Starting dose [1]", [piece], read_wording("What is the usual dose?"), instructions("en")
    )
    assert claim is not None and claim.state is not ClaimState.SUPPORTED


def test_yes_that_the_not_of_its_source_contradicts_is_not_displayed(index: Index) -> None:
    for reply in ("Yes, by electronic mail [1]", "No, the courier brings it every morning [1]"):
        answer = ask(index, MAIL, replying(reply))
        assert (manner(answer), answer.line) == ("quoted", SAYS_NOT)
        assert not answer.text.startswith(reply[:2]) and len(answer.dropped) == 1


@pytest.mark.parametrize(
    ("question", "reply"),
    [
        *((QUESTION, reply) for reply in ("Not found.", "None", "The sources do not say.", "[1]")),
        ("试用期有多长？", "没有提到"),
    ],
)
def test_reply_that_gives_no_answer_is_nearby_at_best(index: Index, question: str, reply: str) -> None:
    answer = ask(index, question, replying(reply))
    assert answer.verdict is Outcome.NEARBY and answer.quotes


def test_reply_that_gives_back_the_question_makes_the_sentence_that_says_more_the_line(index: Index) -> None:
    answer = ask(index, QUESTION, replying("notice of the tenant [1]"))
    assert answer.verdict is Outcome.ANSWERED and "60 days" in answer.line


@pytest.mark.parametrize(
    ("question", "reply", "text", "line"),
    [
        ("Where are the Orn Hills in Velland?", "Velland", "The Orn Hills rise in the north of Velland.",
         "The Orn Hills rise in the north of Velland."),
        ("Where are the Orn Hills?", "the Orn Hills", "Orn Hills.", None),  # nothing more is said
        ("How old is Jana Orn?", "Jana Orn", "Jana Orn lives in Velland.", None),  # nor what is asked
        ("奥恩山在维兰的哪里？", "维兰", "奥恩山位于维兰北部。", "奥恩山位于维兰北部。"),
    ],
)  # fmt: skip
def test_what_gives_the_question_back_is_answered_by_no_sentence_that_does_not_say_it(
    question: str, reply: str, text: str, line: str | None
) -> None:
    assert _said(question, reply, text) == line


@pytest.mark.parametrize(
    ("question", "foreign"),
    [
        ("Can quorvatine be taken with juice?", True),  # another drug's leaflet, in another language
        ("Can it be taken with juice?", False),
        ("澜必平可以开车吗？", True),
        ("服药后可以开车吗？", False),
    ],
)
def test_what_a_question_names_is_not_answered_by_another_in_another_language(
    tmp_path: Path, question: str, foreign: bool
) -> None:
    files = {
        "quorvatine.md": "# Quorvatine tablets\n\nDo not drive in the first two weeks.\n",
        "澜必平.md": "# 澜必平片说明书\n\n服药期间不得饮用果汁。\n",
    }
    with archive(tmp_path, **files) as index:
        query = index.understand(question)
        path = "quorvatine.md" if has_han(question) else "澜必平.md"
        other = next(d for d in index.documents() if d.path.endswith(path))
        assert named_elsewhere(query, other, index.store) is foreign


def test_what_the_limit_cuts_short_is_quoted_where_it_copies_a_sentence(tmp_path: Path) -> None:
    said = "The Orn Bridge was shut in May because ice had bent two of its piers and the deck between them"
    with archive(tmp_path, orn__md=f"# Orn Bridge\n\n{said}.\n") as index:
        for reply, line in ((said, f"{said}."), (said.replace("ice", "fire"), None)):
            helper = Assistant(index, replying(reply), max_tokens=12)
            answer = helper.ask("Why was the Orn Bridge shut in May?")
            assert (answer.line == line) is (line is not None)
            assert manner(answer) == "quoted" or answer.verdict is not Outcome.ANSWERED


# --- from odds to a verdict ---


def test_low_odds_turn_an_answer_into_what_is_near_or_absent_and_nothing_is_written(index: Index) -> None:
    assert Assistant(index).ask(QUESTION).verdict is Outcome.ANSWERED
    llm = replying("60 days [1]", likely=-SURE)
    answer = ask(index, QUESTION, llm)
    assert (answer.verdict, answer.claims, len(llm.prompts)) == (Outcome.ABSENT, (), 1)
    assert answer.confidence < 0.01 and answer.reason
    found = [ask(index, QUESTION, replying("60 [1]", likely=n / 4)).verdict for n in range(-20, 20)]
    assert [*dict.fromkeys(found)] == [Outcome.ABSENT, Outcome.NEARBY, Outcome.ANSWERED]
    assert found == sorted(found, key=[*Outcome].index, reverse=True)


def test_high_odds_rescue_an_answer_that_was_only_near(index: Index) -> None:
    assert Assistant(index).ask(UNSAID).verdict is Outcome.NEARBY
    answer = ask(index, UNSAID, replying("interest of 4.5 percent a year [1]"))
    assert (answer.verdict, answer.line) == (Outcome.ANSWERED, "Interest of 4.5 percent a year.")
    assert answer.confidence == pytest.approx(READ_RIGHTLY, abs=0.001)


def test_threshold_is_the_least_confidence_after_reading_too(index: Index) -> None:
    sure = ask(index, QUESTION, replying("60 [1]", likely=1.0), threshold=0.0)
    assert sure.verdict is Outcome.ANSWERED and 0 < sure.confidence < 1
    for threshold, verdict in ((sure.confidence - 0.01, True), (sure.confidence + 0.01, False)):
        answer = ask(index, QUESTION, replying("60 [1]", likely=1.0), threshold)
        assert (answer.verdict is Outcome.ANSWERED, answer.confidence) == (verdict, sure.confidence)
        assert answer.certificate.least == pytest.approx(threshold, abs=1e-4)


def test_server_that_gives_no_odds_leaves_the_verdict_as_it_is(index: Index) -> None:
    class Silent(FakeLLM):
        def odds(self, *args: object, **more: object) -> None:
            return None

    plain, answer = Assistant(index).ask(QUESTION), ask(index, QUESTION, Silent("60 [1]"))
    assert (answer.confidence, answer.certificate.least) == (plain.confidence, plain.certificate.least)
    assert answer.line == "60 days."


# --- what is read, and what is not ---


def test_prompts_differ_in_their_endings_alone(index: Index) -> None:
    asked = instructions("en")
    for probed, ending in ((False, asked.reask), (True, asked.answer)):
        llm = replying("60 [1]")
        llm.info = replace(llm.info, probed=probed)
        ask(index, QUESTION, llm)
        assert [prompt.ending for prompt in llm.prompts] == [ending, asked.answer]
        assert len({replace(prompt, ending="") for prompt in llm.prompts}) == 1


def test_question_with_nothing_near_is_answered_without_the_model(index: Index) -> None:
    llm = replying("")
    answer = ask(index, FAR, llm)
    assert (answer.verdict, llm.prompts) == (Outcome.ABSENT, [])
    assert answer.confidence == Assistant(index).ask(FAR).confidence


def test_what_a_veto_forbids_is_never_read(index: Index) -> None:
    llm = replying("60 [1]")
    answer = Assistant(index, llm, threshold=0.0).ask(QUESTION, filters=Filters(documents=("none/*",)))
    assert (answer.verdict, llm.prompts) == (Outcome.ABSENT, [])


@pytest.mark.parametrize("fails", [0, 2])
def test_model_that_fails_leaves_the_quote_and_says_why(index: Index, fails: int) -> None:
    answer = ask(index, QUESTION, replying("60 days of written notice [1]", fail_after=fails))
    assert (manner(answer), answer.line) == ("quoted", answer.quotes[0].quote)
    assert "told to fail" in answer.reason


def test_stop_ends_the_reading_early_and_leaves_the_quote(index: Index) -> None:
    llm = replying("60 days of written notice [1]", stop_after=2)
    answer = Assistant(index, llm).ask(QUESTION, stop=threading.Event())
    assert llm.stopped and (manner(answer), answer.line) == ("quoted", answer.quotes[0].quote)


# --- as a real model replies ---

HANDBOOK = "legal/documents/employment/staff-handbook-2025.md"
FALLS = "medical/documents/护理/住院患者跌倒预防管理规范.md"
PROBATION = "The probationary period is five months."
HOURS = "Full-time employees work 37.5 hours a week."
ILL = "An employee who is ill tells the manager before 09:30 on the first day."
GIFTS = (
    "Gifts worth more than 75 in a calendar year from one source must be reported to the Compliance Officer, "
    "Ysolde Parrane, and gifts of money must always be refused."
)
FIRST = "患者入院后2小时内完成首次跌倒风险评估。"
TWICE = "高风险患者每周评估两次，中风险患者每周评估一次。"
NURSE = "护士应当在5分钟内通知值班医师，测量生命体征，检查意识和肢体活动。"


def read_by(llm: LLM, question: str, path: str, *sentences: str) -> ReaderReply:
    """What the model reads in sentences of a sample document for a question of which code is in doubt."""
    file = Path(__file__).parents[2] / "corpora" / path
    text = file.read_text("utf-8")
    document = fake_document(path, title=text.partition("\n")[0].lstrip("# "))
    evidence = [
        fake_evidence(s, number=n, document=document, start=text.index(s)) for n, s in enumerate(sentences, 1)
    ]
    query = asked(question)
    found = Selection(tuple(evidence), Verdict(0.5, 0.5))
    # The index is for searching alone, and everything is found here.
    setup = Setup(NOWHERE, llm)
    reading = read(setup, AnswerRequest(query, query.language), found)
    while True:
        try:
            next(reading)
        except StopIteration as ended:
            made: ReaderReply = ended.value
            return made


CASES = [
    ("How long is the probationary period?", HANDBOOK, (PROBATION, HOURS, ILL), "Five months", 1),
    ("To whom are gifts reported?", HANDBOOK, (ILL, GIFTS, HOURS), "Ysolde Parrane", 2),
    ("By when must an employee who is ill tell the manager?", HANDBOOK, (PROBATION, ILL, GIFTS), "09:30", 2),
    ("How much does the company pay for relocation?", HANDBOOK, (HOURS, PROBATION, GIFTS), None, 0),
    ("首次跌倒风险评估应当在多长时间内完成？", FALLS, (FIRST, TWICE, NURSE), "2小时内", 1),
    ("高风险患者每周评估几次？", FALLS, (NURSE, TWICE, FIRST), "两次", 2),
    ("护士应当在几分钟内通知值班医师？", FALLS, (TWICE, FIRST, NURSE), "5分钟", 3),
    ("跌倒后由谁支付治疗费用？", FALLS, (NURSE, FIRST, TWICE), None, 0),
]


def check(
    llm: LLM, question: str, path: str, sentences: tuple[str, ...], words: str | None, source: int
) -> None:
    made = read_by(llm, question, path, *sentences)
    if words is None:
        assert not made.verdict.sufficient and made.claim is None
    else:
        assert made.verdict.sufficient and made.claim is not None
        assert words in made.claim.text and made.claim.citations == (source,)


@pytest.mark.parametrize(("question", "path", "sentences", "words", "source"), CASES)
def test_recorded_replies_of_the_default_reader_are_read_rightly(
    question: str, path: str, sentences: tuple[str, ...], words: str | None, source: int
) -> None:
    check(RecordedLLM("reading"), question, path, sentences, words, source)


@pytest.mark.models
def test_default_reader_itself_reads_them_rightly_in_both_languages(reader: str) -> None:
    llm = load_llm(reader, cache_dir=default_cache_dir())
    assert llm is not None
    try:
        for case in (CASES[0], CASES[3], CASES[5]):
            check(llm, *case)
    finally:
        llm.close()


# --- evidence first, also among many ---

EVENTS: list[Event] = [
    StageStarted("searching"),
    EvidenceFound((), ()),
    StageStarted("reading"),
    Finished(fake_answer("q")),
]


def waited(crowd: Crowd, stop: threading.Event | None = None) -> float:
    begun = time.monotonic()
    crowd.give_way(stop, longest=0.3)
    return time.monotonic() - begun


def test_events_pass_unchanged() -> None:
    assert list(Crowd().evidence_first(iter(EVENTS))) == EVENTS
    assert list(Crowd().evidence_first(iter(EVENTS[:1]))) == EVENTS[:1]
    assert list(Crowd().evidence_first(iter([EVENTS[-1]]))) == [EVENTS[-1]]


def test_an_answer_waits_while_another_question_has_no_evidence_and_not_after() -> None:
    crowd = Crowd()
    other = crowd.evidence_first(iter(EVENTS))
    next(other)
    assert waited(crowd) >= 0.3
    assert isinstance(next(other), EvidenceFound)
    assert waited(crowd) < 0.2


def test_the_wait_ends_at_the_moment_that_the_last_evidence_is_there() -> None:
    crowd = Crowd()
    other = crowd.evidence_first(iter(EVENTS))
    next(other)
    ended: list[float] = []
    waiting = threading.Thread(target=lambda: (crowd.give_way(longest=30), ended.append(time.monotonic())))
    waiting.start()
    time.sleep(0.1)
    assert not ended
    done = time.monotonic()
    next(other)
    waiting.join(10)
    assert ended[0] - done < 1.0


def test_a_stop_ends_the_wait() -> None:
    crowd, stop = Crowd(), threading.Event()
    stop.set()
    other = crowd.evidence_first(iter(EVENTS))
    next(other)
    assert waited(crowd, stop) < 0.2


@pytest.mark.parametrize("end", ["fails", "abandoned", "empty"])
def test_a_search_that_ends_otherwise_holds_up_nobody(end: str) -> None:
    crowd = Crowd()

    def events() -> Iterator[Event]:
        yield StageStarted("searching")
        if end == "fails":
            raise ValueError("no such thing")

    stream = crowd.evidence_first(events())
    next(stream)
    if end == "fails":
        with pytest.raises(ValueError, match="no such thing"):
            list(stream)
    elif end == "abandoned":
        stream.close()  # type: ignore[attr-defined]
    else:
        list(stream)
    assert waited(crowd) < 0.2


# --- rows, boxes, and what a limit says ---


@pytest.mark.parametrize(
    ("text", "question", "reply", "line"),
    [
        ("☐ blood transfusion", "Did she agree to blood transfusion?", "No [1]", "No: ☐ blood transfusion."),
        ("☐ blood transfusion", "Did she agree to blood transfusion?", "Yes [1]", "No: ☐ blood transfusion."),
        ("Latex: Yes ☒ No ☐", "Is she allergic to latex?", "Yes [1]", "Yes: Latex: Yes ☒ No ☐."),
        (
            "3.1 On signing, the Tenant has paid USD 60,915.",
            "What is the deposit?",
            "3.1 [1]",
            "On signing, the Tenant has paid USD 60,915.",
        ),
        (
            "5.2 The liability of the carrier is limited to GBP 900.",
            "Which clause limits the liability of the carrier?",
            "5.2 [1]",
            "5.2 The liability of the carrier is limited to GBP 900.",
        ),
        (
            "The Borrower shall prepay within fifteen days.",
            "How long does the Borrower have to prepay?",
            "15 days [1]",
            "Within fifteen days.",
        ),
        (
            "Work from another country is allowed for at most twenty working days in a calendar year.",
            "每年最多可以从国外远程工作多少天？",
            "20天 [1]",
            "At most twenty working days.",
        ),
        (
            "卒本扶余（公元前37年建国）是北扶余国的一个延续。",
            "卒本扶余是哪个国家的一个延续？",
            "北扶余国 [1]",
            "北扶余国.",
        ),
        (
            "We do not pay for theft without forced entry.",
            "Do you pay for theft without forced entry?",
            "No [1]",
            "No: We do not pay for theft without forced entry.",
        ),
        (
            "Jewellery is covered up to EUR 5,000, unless it was left in a vehicle.",
            "Is jewellery covered when it was left in a car?",
            "Yes, up to EUR 5,000 [1]",
            "Jewellery is covered up to EUR 5,000, unless it was left in a vehicle.",
        ),
        ("We pay for theft by night.", "Do you pay for theft by night?", "No [1]", None),
        ("4. Party B insures the cloth.", "Does Party A insure the cloth?", "Yes [1]", None),
        (
            "4. Party B insures the cloth.",
            "Does Party B insure the cloth?",
            "Yes [1]",
            "Yes: Party B insures the cloth.",
        ),
        (
            "On Thursdays everybody is on site.",
            "Can I work from home on Thursday?",
            "Yes, everybody is on site [1]",
            "On Thursdays everybody is on site.",
        ),
        ("Lactose.", "What should patients with galactose intolerance avoid?", "Lactose [1]", None),
        ("Present: Ada Lund. Apologies: Henrik Voss", "What does Grace have to do?", "Apologies [1]", None),
        ("出席：林一。缺席：王二", "小林要做什么？", "缺席 [1]", None),
        ("She agrees to:", "Did she agree to surgery?", "Yes, surgery [1]", None),
        ("☐ surgery", "Did Mrs Ada Lund agree to surgery in May?", "Yes [1]", "No: ☐ surgery."),
        (
            "The dose must not be above 750 mg.",
            "What is the highest dose?",
            "750 mg [1]",
            "The dose must not be above 750 mg.",
        ),
    ],
)
def test_boxes_and_limits_are_read_as_they_stand(
    text: str, question: str, reply: str, line: str | None
) -> None:
    claim = claim_of(reply, [fake_evidence(text, number=1)], read_wording(question), instructions("en"))
    assert claim is not None
    assert (claim.text if claim.state is ClaimState.SUPPORTED else None) == line


def test_a_cell_with_the_unit_of_its_column_makes_the_row_the_line() -> None:
    piece = fake_evidence("Apostille request | 140 | three weeks", number=1, header="Service | USD | Time")
    question = read_wording("What is the fee for an apostille request?")
    claim = claim_of("140 USD [1]", [piece], question, instructions("en"))
    assert claim is not None and claim.state is ClaimState.SUPPORTED
    assert "Apostille request" in claim.text and "USD: 140" in claim.text


def test_a_question_that_was_translated_is_answered_as_it_was_put(index: Index) -> None:
    """The translation says whether the sources state the answer; what was asked its asker knows best."""
    query, own = asked("How many days of notice does the resident give?"), asked("承租人应当提前多少天通知？")
    model = replying("60 days [1]")
    found = Selection((fake_evidence("The tenant gives 60 days of notice."),), Verdict(0.5, 0.5))
    setup = Setup(NOWHERE, model)
    list(read(setup, AnswerRequest(own, own.language), found, query))
    answered = [p for p in model.prompts if p.ending == instructions("en").answer]
    assert [own.text in p.user and query.text not in p.user for p in answered] == [True]


def test_a_reply_in_the_language_of_the_question_is_made_again_by_its_translation(index: Index) -> None:
    query, own = asked("How many days of notice does the tenant give?"), asked("承租人应当提前多少天通知？")
    model = FakeLLM(lambda prompt: "六十天 [1]" if own.text in prompt.user else "60 days [1]", likely=SURE)
    found = Selection((fake_evidence("The tenant gives 60 days of notice."),), Verdict(0.5, 0.5))
    setup = Setup(NOWHERE, model)
    reading = read(setup, AnswerRequest(own, own.language), found, query)
    while True:
        try:
            next(reading)
        except StopIteration as ended:
            made: ReaderReply = ended.value
            break
    assert made.claim is not None and made.claim.text == "60 days."


def test_a_bound_is_not_said_without_the_not_in_front_of_it() -> None:
    text = "The rent shall not on review be reduced or be increased by more than 14%."
    query = asked("By how much may the rent rise on review?")
    claim = claim_of("14% [1]", [fake_evidence(text)], query, instructions("en"))
    assert claim is not None and claim.text == text


@pytest.mark.parametrize(
    ("question", "reply", "text", "line"),
    [
        (
            "How many patients were randomised in total?",
            "812 [1]",
            "Of 812 patients who were screened 621 were randomised.",
            "Of 812 patients who were screened 621 were randomised.",
        ),
        (
            "How many patients were screened?",
            "812 [1]",
            "Of 812 patients who were screened 621 were randomised.",
            "812.",
        ),
        ("总共随机了多少名患者？", "812[1]", "筛选812名患者，随机621名。", "筛选812名患者，随机621名。"),
        ("筛选了多少名患者？", "812[1]", "筛选812名患者，随机621名。", "812。"),
    ],
)
def test_a_number_is_said_alone_only_where_no_other_stands_nearer_to_what_is_asked(
    question: str, reply: str, text: str, line: str
) -> None:
    query = asked(question)
    claim = claim_of(reply, [fake_evidence(text)], query, instructions(query.language))
    assert claim is not None and claim.text == line


@pytest.mark.parametrize(
    ("question", "reply", "text", "line"),
    [
        ("What late fee does the lease impose?", "forty-five days [1]", DEPOSIT_BACK, None),
        ("逾期费用是多少？", "四十五日[1]", "押金应当在四十五日内返还。", None),
        ("What is the floor area of the office?", "USD 243,660 [1]", "The rent is USD 243,660 a year.", None),
        ("What is the deposit?", "three months' rent [1]", DEPOSIT, DEPOSIT),
        ("Who audits the company?", "$19.3 million [1]", "Audit fees were $19.3 million.", None),
        ("What fee is due?", "no fee is due within 30 days [1]", NO_FEE, "No fee is due within 30 days."),
        (
            "What is the premium?",
            "a fair share of the premium [1]",
            "A fair share of the premium is due.",
            None,
        ),
        ("What does a copy cost?", "free of charge [1]", "A copy is free of charge.", "Free of charge."),
        ("How long may the rent be unpaid?", "until 3 May 2031 [1]", UNTIL, "Until 3 May 2031."),
    ],
)
def test_a_line_states_the_kind_of_value_that_is_asked_for(
    question: str, reply: str, text: str, line: str | None
) -> None:
    assert _said(question, reply, text) == line


@pytest.mark.parametrize(
    ("question", "reply", "text", "line"),
    [
        ("Who is the chief executive?", "Ada Lund [1]", "The board is chaired by Ada Lund.", None),
        ("Who is the chair?", "Ada Lund [1]", "The board is chaired by Ada Lund.", "Ada Lund."),
        ("Who is the guarantor?", "Varn Bank [1]", PARTIES, PARTIES),
        ("Who is the guarantor?", "Tessin Ltd [1]", PARTIES, "Tessin Ltd."),
        ("总经理是谁？", "陆安[1]", "董事会选举陆安为董事长。", None),
        ("贷款由谁担保？", "瓦诺集团[1]", "瓦诺银行发放贷款，由瓦诺集团提供担保。", "瓦诺集团。"),
    ],
)
def test_who_somebody_is_has_to_stand_with_the_name(
    question: str, reply: str, text: str, line: str | None
) -> None:
    assert _said(question, reply, text) == line


@pytest.mark.parametrize(
    ("question", "reply", "text", "line"),
    [
        ("Who is the finance director?", "Ray Hall [1]", "Ray Hall resigned as finance director.", None),
        ("Who was the finance director?", "Ray Hall [1]",
         "Ray Hall resigned as finance director.", "Ray Hall."),
        ("Who is the finance director?", "Joan Pell [1]",
         "Joan Pell succeeded Ray Hall, who resigned, as finance director.", "Joan Pell."),
        ("现任财务总监是谁？", "许若川[1]", "公司原财务总监许若川辞去职务，不再担任任何职务。", None),
        ("现任财务总监是谁？", "秦晚舟[1]", "董事会聘任秦晚舟为财务总监。", "秦晚舟。"),
        ("原财务总监是谁？", "许若川[1]", "公司原财务总监许若川辞去职务。", "许若川。"),
    ],
)  # fmt: skip
def test_who_holds_an_office_is_not_answered_by_who_left_it(
    question: str, reply: str, text: str, line: str | None
) -> None:
    assert _said(question, reply, text) == line


@pytest.mark.parametrize(
    ("question", "reply", "text", "line"),
    [
        ("What is the effect of digoxin on zarin?", "raises digoxin levels [1]",
         "Zarin raises digoxin levels.", None),
        ("What is the effect of zarin on digoxin?", "raises digoxin levels [1]",
         "Zarin raises digoxin levels.", "Zarin raises digoxin levels."),
        ("Does digoxin change the level of zarin?", "Yes [1]", "Digoxin levels are raised by zarin.", None),
        ("茶碱对泽林有什么影响？", "使茶碱浓度升高[1]", "泽林使茶碱浓度升高。", None),
        ("泽林对茶碱有什么影响？", "使茶碱浓度升高[1]", "泽林使茶碱浓度升高。", "使茶碱浓度升高。"),
        ("Can zarin be given in severe liver failure?", "Yes [1]",
         "Zarin can be given in mild liver failure.", None),
    ],
)  # fmt: skip
def test_an_effect_is_of_what_acts_and_a_degree_of_that_degree(
    question: str, reply: str, text: str, line: str | None
) -> None:
    assert _said(question, reply, text) == line


@pytest.mark.parametrize(
    ("question", "reply", "text", "line"),
    [
        ("What does Party B supply?", "cloth [1]",
         "Party A supplies the cloth to the works of Party B.", None),
        ("What does Party A supply?", "the cloth [1]",
         "Party A supplies the cloth to the works of Party B.", "The cloth."),
        ("What does the buyer deliver?", "the goods [1]",
         "The goods are delivered by the Supplier to the Buyer.", None),
        ("What does the supplier deliver?", "The goods [1]",
         "The goods are delivered by the Supplier to the Buyer.", "The goods."),
        ("What does the landlord insure?", "the lift [1]",
         "The Tenant insures the lift for the Landlord.", None),
        ("What does the customer insure?", "the lift [1]", "5.2 The Provider insures the lift.", None),
        ("What does the customer insure?", "the lift [1]", "5.2 The Client insures the lift.", "The lift."),
        ("What is the buyer's liability limited to?", "EUR 5,000 [1]",
         "The Seller's liability is limited to EUR 5,000.", None),
        ("What must the tenant pay?", "EUR 900 [1]",
         "EUR 900 is paid to the Landlord each month.", "EUR 900."),
        ("承租人可以转让什么？", "房屋[1]", "出租人可以将房屋转让给第三人。", None),
        ("乙方供应什么？", "布料[1]", "甲方向乙方的工厂供应布料。", None),
        ("甲方供应什么？", "布料[1]", "甲方向乙方的工厂供应布料。", "布料。"),
    ],
)  # fmt: skip
def test_what_somebody_does_is_not_answered_by_what_is_done_for_them(
    question: str, reply: str, text: str, line: str | None
) -> None:
    assert _said(question, reply, text) == line


@pytest.mark.parametrize(
    ("question", "reply", "text", "line"),
    [
        ("What was the average rent from 2022 to 2024?", "USD 24 [1]", "Rent was USD 24 in 2024.", None),
        ("What was the average rent in 2024?", "USD 24 [1]", "Rent averaged USD 24 in 2024.", "USD 24."),
        ("How long after the contract is over do they keep our data?", "45 days [1]", BACKUPS, None),
        ("How long are back-ups kept?", "45 days [1]", BACKUPS, "45 days."),
        ("How long do they keep our data after the contract has ended?", "30 days [1]", ERASURE, "30 days."),
        ("合同终止后数据保留多久？", "45天 [1]", "备份每晚进行，保留45天。", None),
        ("合同终止后数据保留多久？", "30天 [1]", "合同解除之日起30天内删除数据。", "30天。"),
        ("What was the percentage change in rent from 2023 to 2024?", "USD 24 [1]",
         "Rent was USD 24 in 2024 and USD 20 in 2023.", None),
        ("2022年至2024年的平均租金是多少？", "24元 [1]", "2024年租金为24元。", None),
    ],
)  # fmt: skip
def test_what_has_to_be_worked_out_is_not_answered_by_what_goes_into_it(
    question: str, reply: str, text: str, line: str | None
) -> None:
    assert _said(question, reply, text) == line


@pytest.mark.parametrize(
    ("question", "reply", "text", "words"),
    [
        ("How loud is the Tarn 12?", "51 decibels [1]", "The Tarn 9 reaches 51 decibels.", None),
        ("How loud is the Tarn 9?", "51 decibels [1]", "The Tarn 9 reaches 51 decibels.", "51 decibels"),
        ("What was the fee of the second quarter?", "USD 24 [1]",
         "The fee of the third quarter was USD 24.", None),
        ("What was the fee of the 2nd quarter?", "USD 24 [1]",
         "The fee was USD 20 in the first quarter and USD 24 in the second quarter.", "USD 24"),
        ("What is due within 12 months?", "USD 24 [1]", "After 9 months USD 24 is due.", "USD 24"),
        ("三级员工的补贴是多少？", "24元[1]", "二级员工的补贴为24元。", None),
        ("第三季度的补贴是多少？", "24元[1]", "第三季度的补贴为24元。", "24元"),
        ("表1一级员工的补贴是多少？", "24元[1]", "表1一级员工的补贴为24元。", "24元"),
    ],
)  # fmt: skip
def test_what_is_told_apart_by_a_number_is_not_another_of_its_kind(
    question: str, reply: str, text: str, words: str | None
) -> None:
    said = _said(question, reply, text)
    assert words in said if said and words else said == words


@pytest.mark.parametrize(
    ("question", "text", "is_another"),
    [
        ("乙方承担运费吗？", "进出场运费由甲方承担，基础施工由乙方负责并承担费用。", True),
        ("甲方承担运费吗？", "进出场运费由甲方承担，基础施工由乙方负责并承担费用。", False),
        ("乙方负责基础施工吗？", "进出场运费由甲方承担，基础施工由乙方负责并承担费用。", False),
        ("Does Party B bear carriage?", "Party A bears carriage, and Party B the foundations.", True),
        ("Does Party A bear carriage?", "Party A bears carriage, and Party B the foundations.", False),
        ("Does Party A insure the cloth?", "Party B insures the cloth.", True),
    ],
)
def test_a_clause_on_one_party_says_nothing_of_the_other(question: str, text: str, is_another: bool) -> None:
    assert of_another(read_wording(question), fake_evidence(text)) is is_another


def test_a_source_that_names_the_other_number_itself_is_of_that_whatever_stands_over_it() -> None:
    query = read_wording("How loud is the Tarn 12?")
    said = fake_evidence("The Tarn 9 reaches 51 decibels.")
    said = replace(said, document=replace(said.document, title="Questions on the Tarn 9 and the Tarn 12"))
    assert of_other_number(query, said)
    assert not of_other_number(query, replace(said, text="It reaches 51 decibels."))


@pytest.mark.parametrize(
    ("question", "other", "is_excepted"),
    [
        ("What can I give him with glaucoma?", "Veltor must not be given in glaucoma.", True),
        ("What can I give him at night?", "Veltor must not be given in glaucoma.", False),
        ("What can I give him with glaucoma?", "Veltor is given in glaucoma, too.", False),
        ("What can I give him with glaucoma?", "Zarin must not be given in glaucoma.", False),
        ("青光眼病人可以给什么药？", "青光眼患者不得使用维多。", True),
    ],
)
def test_what_another_source_rules_out_in_the_case_asked_about_is_no_answer(
    question: str, other: str, is_excepted: bool
) -> None:
    words = "维多5mg" if has_han(question) else "Veltor 5 mg"
    piece = fake_evidence(f"首选{words}。" if has_han(question) else f"The first choice is {words}.")
    assert excepted(read_wording(question), piece, [piece, fake_evidence(other)], words) is is_excepted


def test_a_sentence_with_days_is_neither_ruled_out_nor_a_row_beside_another() -> None:
    piece = fake_evidence("The term is seven years from 1 July 2023 to 30 June 2030.")
    notice = "The Tenant may end this lease on 30 June 2027 by giving not less than nine months' notice."
    question = read_wording("When does the lease end?")
    sources = [piece, fake_evidence(notice)]
    assert not excepted(question, piece, sources, "1 July 2023 to 30 June 2030.")
    assert not of_another_row(question, piece, sources)  # a sentence is no row


@pytest.mark.parametrize(
    ("question", "is_other"),
    [("What do gowns cost us?", True), ("What is the price of gowns?", False), ("What are gowns?", False)],
)
def test_a_row_whose_label_stands_under_the_heads_asked_for_elsewhere_gives_way(
    question: str, is_other: bool
) -> None:
    price = replace(fake_evidence("Gowns | 33", number=1), heads=("Item", "Price (USD)"))
    cost = replace(fake_evidence("Gowns | 21", number=2), heads=("Item", "Cost (USD)"))
    assert of_another_row(read_wording(question), price, [price, cost]) is is_other


SHUT_OUT = "不赔偿因地震造成的损失。"


@pytest.mark.parametrize(
    ("likely", "reply", "line"),
    [
        (SURE, "地震不赔付", SHUT_OUT),
        (SURE, "会", SHUT_OUT),
        (SURE, "没有提到", None),
        (1.0, "地震不赔付", None),
    ],
)
def test_what_a_reply_says_in_other_words_the_sentence_says_where_the_judge_is_sure(
    tmp_path: Path, likely: float, reply: str, line: str | None
) -> None:
    with archive(tmp_path, policy__md=f"# 家财险条款\n\n{SHUT_OUT}\n") as index:
        answer = ask(index, "家财险对地震造成的损失会赔吗？", replying(f"{reply}[1]", likely=likely))
        assert (answer.line == line) is (line is not None)
        assert answer.model == ""


def test_a_misread_yes_leaves_no_sentence_that_does_not_bear_on_the_question(tmp_path: Path) -> None:
    text = "# Zarin\n\nZarin raises digoxin levels.\n"
    with archive(tmp_path, zarin__md=text) as opened:
        answer = ask(opened, "Does digoxin raise the levels of zarin?", replying("Yes [1]"))
    assert answer.verdict is Outcome.NEARBY and "Zarin raises" in answer.quotes[0].quote


def test_the_number_of_an_article_is_that_of_its_heading() -> None:
    piece = replace(fake_evidence("质保期为十八个月。"), heading_path=("第四条 质量保证",))
    query = asked("关于质保期的是第几条？")
    claim = claim_of("第四条[1]", [piece], query, instructions("zh"))
    assert claim is not None and claim.state is ClaimState.SUPPORTED
    assert claim.text == "第四条 质量保证：质保期为十八个月。"


def test_which_of_two_bounds_a_value_is_in_is_left_to_the_sentence() -> None:
    text = "Up to 3 hours you fly economy; over 3 hours you may fly business class."
    assert _said("May I fly business class for 2 hours?", "Yes [1]", text) == text


def test_an_amount_of_another_year_is_said_with_the_sentence_that_says_so() -> None:
    text = "No goodwill was impaired in 2024; in 2023 EUR 1.3 million of goodwill had been impaired."
    for question in ("How much goodwill was impaired in 2024?", "What was impaired in 2024?"):
        assert _said(question, "EUR 1.3 million [1]", text) == text
    assert _said("How much goodwill was impaired in 2023?", "EUR 1.3 million [1]", text) == "EUR 1.3 million."


def test_a_source_that_does_not_fit_gives_way_to_another_with_the_same_words() -> None:
    texts = ("Party A sends the cloth to Party B.", "Party B insures the cloth.")
    pieces = [fake_evidence(text, number=n) for n, text in enumerate(texts, 1)]
    claim = claim_of("Party B [1]", pieces, asked("Which party insures the cloth?"), instructions("en"))
    assert claim is not None and (claim.state, claim.citations) == (ClaimState.SUPPORTED, (2,))


def _said(question: str, reply: str, text: str) -> str | None:
    """The line that a reply gives over one sentence; None where it gives none."""
    query = asked(question)
    claim = claim_of(reply, [fake_evidence(text)], query, instructions(query.language))
    return claim.text if claim and claim.state is ClaimState.SUPPORTED else None
