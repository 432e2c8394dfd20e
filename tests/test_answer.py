"""The whole flow over a small real index and a scripted model: evidence first, nothing unverified in the
answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rag.assistant import Assistant, build_assistant
from rag.config import load_config
from rag.errors import InputError
from rag.index import Index
from rag.models.llm import Prompt
from rag.types import (
    Answer,
    ClaimState,
    Event,
    EvidenceFound,
    Filters,
    Finished,
    Outcome,
    Queued,
    StageStarted,
    Turn,
)
from tests.archive import archive
from tests.fakes import FakeLLM, TwoLanguages, manner
from tests.indexing import new_index, run_here, write_files

QUESTION = "How many days of notice must the tenant give?"
LEASE = "contracts/lease-harbour.md"
FAITHFUL = "The tenant may end this lease by giving 60 days of notice."
INVENTED = "The tenant may end this lease by giving 90 days of notice."
ELSEWHERE = "Who conducted the orchestra in Vienna?"


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with archive(tmp_path_factory.mktemp("archive"), broken__docx=b"this is no zip") as opened:
        yield opened


def assistant(index: Index, llm: FakeLLM | None = None, *, threshold: float = 0.0, **more: int) -> Assistant:
    """Sufficiency is decided by the tests (0: always, 1: never), not by the calibration of the day."""
    return Assistant(index, llm, threshold=threshold, **more)


def names(events: list[Event]) -> list[str]:
    return [e.stage if isinstance(e, StageStarted) else type(e).__name__ for e in events]


def without_times(answer: Answer) -> Answer:
    return replace(answer, timings={})


def test_stages_come_in_order_and_evidence_before_the_model_reads(index: Index) -> None:
    events = list(assistant(index, FakeLLM(FAITHFUL)).stream(QUESTION))
    assert list(dict.fromkeys(names(events))) == [
        *("searching", "evidence", "EvidenceFound", "reading", "verifying"),
        "Finished",
    ]
    finished = events[-1]
    assert isinstance(finished, Finished)
    (shown,) = [e for e in events if isinstance(e, EvidenceFound)]
    assert shown.evidence == finished.answer.evidence
    assert shown.hits == finished.answer.nearest


def test_asking_gives_the_last_event_of_the_stream(index: Index) -> None:
    helper = assistant(index, FakeLLM(FAITHFUL))
    *_, last = helper.stream(QUESTION)
    assert isinstance(last, Finished)
    assert without_times(helper.ask(QUESTION)) == without_times(last.answer)


def test_faithful_words_are_the_line_and_cited_by_code(index: Index) -> None:
    answer = assistant(index, FakeLLM(FAITHFUL)).ask(QUESTION)
    assert manner(answer) == "written"
    first = answer.claims[0]
    assert (first.text, first.state, first.quoted) == (FAITHFUL, ClaimState.SUPPORTED, False)
    (number,) = first.citations
    (citation,) = [c for c in answer.citations if c.number == number]
    assert citation.document == LEASE
    assert "60 days of written notice" in citation.quote
    assert answer.draft == FAITHFUL and answer.model == "fake-llm"


def test_invented_number_is_dropped_and_the_quotes_answer(index: Index) -> None:
    answer = assistant(index, FakeLLM(INVENTED)).ask(QUESTION)
    assert manner(answer) == "quoted"
    assert "90" not in answer.text
    assert "60 days" in answer.text
    (dropped,) = answer.dropped
    assert dropped.text == INVENTED and dropped.state is not ClaimState.SUPPORTED and dropped.reasons


def test_words_of_which_half_is_invented_are_dropped_whole(index: Index) -> None:
    answer = assistant(index, FakeLLM(f"{FAITHFUL} {INVENTED}")).ask(QUESTION)
    assert manner(answer) == "quoted" and "90" not in answer.text


@pytest.mark.parametrize("reply", ["", "   ", "[1][2]", "I do not know.", "<|im_end|>", "\ud800"])
def test_reply_without_content_leaves_the_quote(index: Index, reply: str) -> None:
    answer = assistant(index, FakeLLM(reply)).ask(QUESTION)
    assert manner(answer) == "quoted"
    assert "60 days" in answer.text


def test_marks_that_the_model_types_are_not_believed(index: Index) -> None:
    answer = assistant(
        index, FakeLLM("The tenant may end this lease by giving 60 days [7] of notice [9].")
    ).ask(QUESTION)
    assert "[7]" not in answer.text and "[9]" not in answer.text


def test_without_a_model_the_answer_is_quoted_from_the_documents(index: Index) -> None:
    answer = assistant(index).ask(QUESTION)
    assert (manner(answer), answer.draft, answer.model) == ("quoted", "", "")
    assert answer.claims
    for citation in answer.citations:
        assert index.text(citation.document_id)[citation.start : citation.end] == citation.quote


def test_refusal_calls_no_model_and_carries_certificate_and_nearest(index: Index) -> None:
    llm = FakeLLM(FAITHFUL)
    events = list(assistant(index, llm, threshold=1.0).stream(ELSEWHERE))
    assert names(events) == ["searching", "evidence", "EvidenceFound", "Finished"]
    finished = events[-1]
    assert isinstance(finished, Finished)
    answer = finished.answer
    assert answer.verdict is not Outcome.ANSWERED and answer.claims == () and llm.prompts == []
    assert answer.nearest and answer.reason
    proof = answer.certificate
    assert (proof.documents, proof.passages) == (index.stats().documents, index.stats().passages)
    assert proof.unreadable == (("broken.docx", "corrupt"),)
    assert proof.confidence < proof.least == 1.0
    assert f"{proof.documents} documents" in answer.text


def test_shipped_calibration_tells_an_answer_from_nothing(index: Index) -> None:
    """Over the words alone; what the shipped numbers are worth is measured on sets, not here."""
    helper = Assistant(index)
    assert helper.ask(QUESTION).verdict is Outcome.ANSWERED
    assert helper.ask(ELSEWHERE).verdict is not Outcome.ANSWERED


def test_filter_that_fits_nothing_is_a_refusal_that_says_so(index: Index) -> None:
    answer = assistant(index).ask(QUESTION, filters=Filters(documents=("none/*",)))
    assert answer.verdict is not Outcome.ANSWERED
    assert (answer.certificate.documents, answer.certificate.scope) == (0, "none/*")


def test_filter_holds_for_evidence_and_certificate(index: Index) -> None:
    answer = assistant(index).ask(QUESTION, filters=Filters(documents=("medicine/*",)))
    assert {e.document.path.split("/")[0] for e in answer.evidence} <= {"medicine"}
    assert answer.certificate.documents == 2


@pytest.mark.parametrize("pieces", [0, 3])
def test_model_that_fails_costs_the_line_and_not_the_answer(index: Index, pieces: int) -> None:
    answer = assistant(index, FakeLLM(INVENTED, fail_after=pieces)).ask(QUESTION)
    assert "60 days" in answer.text
    assert any(claim.quoted for claim in answer.claims)
    assert "told to fail" in answer.reason


@pytest.mark.parametrize("cut", ["failure", "limit", "stop"])
def test_sentence_that_was_cut_short_is_no_sentence_of_the_answer(index: Index, cut: str) -> None:
    """Its end may have turned its meaning: "may end this lease" of "may end this lease only if"."""
    stop = threading.Event()
    fails, stops = (6 if cut == how else None for how in ("failure", "stop"))
    llm = FakeLLM(FAITHFUL, fail_after=fails, stop_after=stops)
    helper = assistant(index, llm, max_tokens=6 if cut == "limit" else 160)
    assert all(claim.quoted for claim in helper.ask(QUESTION, stop=stop).claims)
    assert manner(helper.ask(QUESTION)) == ("written" if cut == "stop" else "quoted")


def test_stop_before_the_reading_gives_the_quote_at_once(index: Index) -> None:
    stop, llm = threading.Event(), FakeLLM(FAITHFUL)
    stop.set()
    events = list(assistant(index, llm).stream(QUESTION, stop=stop))
    assert "reading" not in names(events) and llm.prompts == []
    finished = events[-1]
    assert isinstance(finished, Finished) and manner(finished.answer) == "quoted"


def test_stop_within_the_reading_ends_it_and_leaves_the_quote(index: Index) -> None:
    llm = FakeLLM(f"{INVENTED} " * 50, stop_after=18)
    answer = assistant(index, llm, max_tokens=200).ask(QUESTION, stop=threading.Event())
    assert llm.stopped and manner(answer) == "quoted" and "90" not in answer.text


def test_stream_that_is_left_early_leaves_the_assistant_usable(index: Index) -> None:
    helper = assistant(index, FakeLLM(FAITHFUL))
    stream = helper.stream(QUESTION)
    while next(stream) != StageStarted("reading"):
        pass
    stream.close()  # type: ignore[attr-defined]
    assert manner(helper.ask(QUESTION)) == "written"


def test_follow_up_is_searched_in_full_and_says_with_what(index: Index) -> None:
    helper = assistant(index)
    history = [Turn("What is the monthly rent of Harbour Lane?", "1,450 euros [1].")]
    answer = helper.ask("And the deposit?", history=history)
    assert answer.question == "And the deposit?"
    assert answer.searched == "What is the deposit of Harbour Lane?"
    assert any("2,900" in e.text for e in answer.evidence)
    assert helper.ask(QUESTION, history=history).searched == ""


def test_follow_up_prompt_asks_the_completed_question(index: Index) -> None:
    llm = FakeLLM(FAITHFUL)
    history = [Turn("What is the monthly rent of Harbour Lane?", "…")]
    assistant(index, llm).ask("And the deposit?", history=history)
    assert "Question: What is the deposit of Harbour Lane?" in llm.prompts[0].user


def test_same_question_gives_the_same_answer(index: Index) -> None:
    helper = assistant(index, FakeLLM(f"{FAITHFUL} {INVENTED}"))
    first = helper.ask(QUESTION)
    helper.ask(ELSEWHERE)
    assert without_times(helper.ask(QUESTION)) == without_times(first)


def test_threads_that_ask_at_once_get_their_own_answers(index: Index) -> None:
    helper = assistant(index, FakeLLM(delay=0.001))
    questions = [QUESTION, "What interest does the borrower pay?", "试用期有多长？"] * 4
    alone = {q: without_times(helper.ask(q)) for q in set(questions)}
    answers: list[Answer] = []
    threads = [threading.Thread(target=lambda q=q: answers.append(helper.ask(q))) for q in questions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == len(questions)
    assert all(without_times(a) == alone[a.question] for a in answers)


def test_language_that_the_model_cannot_write_is_answered_in_quotes(index: Index) -> None:
    llm = FakeLLM("anything")
    llm.info = replace(llm.info, languages=("en",))
    answer = assistant(index, llm).ask("试用期有多长？")
    assert llm.prompts == []
    assert (answer.language, manner(answer)) == ("zh", "quoted")
    assert "三个月" in answer.text


def test_language_of_the_answer_can_be_chosen(index: Index) -> None:
    answer = assistant(index, threshold=1.0).ask(ELSEWHERE, language="zh")
    assert answer.language == "zh" and "没有" in answer.text


@pytest.mark.parametrize("question", ["", "  \n", "？！", "..."])
def test_question_without_a_word_is_an_input_error(index: Index, question: str) -> None:
    with pytest.raises(InputError):
        assistant(index).ask(question)


def test_question_of_fifty_thousand_characters_is_answered(index: Index) -> None:
    llm = FakeLLM()
    answer = assistant(index, llm).ask(f"{QUESTION} " * 1100)
    assert answer.claims
    assert llm.count_tokens(llm.prompts[0].user) < llm.info.context_tokens


def test_limits_on_passages_and_evidence_hold(index: Index) -> None:
    answer = assistant(index, top_k=3, max_evidence=2).ask(QUESTION)
    assert len(answer.nearest) <= 3 and 1 <= len(answer.evidence) <= 2


def test_what_the_model_writes_is_limited_in_tokens(index: Index) -> None:
    llm = FakeLLM("word " * 500)
    answer = assistant(index, llm, max_tokens=12).ask(QUESTION)
    assert len(answer.draft.split()) == 12


def test_timings_add_up_from_stages_that_ran(index: Index) -> None:
    answer = assistant(index, FakeLLM(FAITHFUL)).ask(QUESTION)
    assert {"searching", "evidence", "judging", "reading", "verifying"} <= set(answer.timings)
    assert all(seconds >= 0 for seconds in answer.timings.values())
    assert "reading" not in assistant(index).ask(QUESTION).timings


def test_closing_frees_model_and_index(tmp_path: Path) -> None:
    llm = FakeLLM()
    with archive(tmp_path) as index, assistant(index, llm) as helper:
        helper.ask(QUESTION)
    assert llm.closed


@pytest.mark.models
def test_real_models_give_the_same_verified_answer_twice(tmp_path: Path) -> None:
    from unittest import mock

    from rag.index import open_index
    from tests.archive import FILES
    from tests.indexing import run_here, write_files

    config = load_config(index=tmp_path / "index")
    folder = write_files(tmp_path / "docs", FILES)
    with (
        mock.patch("rag.store.ingest.run_in_workers", run_here),
        open_index(config.index, cache_dir=config.cache_dir, create=True) as made,
    ):
        made.ingest(folder)
    with build_assistant(config) as helper:
        first, second = helper.ask(QUESTION), helper.ask(QUESTION)
        assert without_times(first) == without_times(second)
        assert first.verdict is Outcome.ANSWERED and "60 days" in first.text
        assert all(c.state is ClaimState.SUPPORTED for c in first.claims)
        assert helper.ask(ELSEWHERE).verdict is not Outcome.ANSWERED
    with build_assistant(config, with_llm=False) as helper:
        assert manner(helper.ask(QUESTION)) == "quoted"


def test_reader_who_waits_is_told_how_many_are_ahead_before_the_answer(index: Index) -> None:
    events = list(assistant(index, FakeLLM(FAITHFUL, ahead=[2, 1])).stream(QUESTION))
    waits = [e.ahead for e in events if isinstance(e, Queued)]
    assert waits == [2, 1]
    order = names(events)
    assert order.index("reading") < order.index("Queued") < order.index("verifying")


def test_a_refusal_in_another_language_names_the_words_that_were_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.store.ingest.run_in_workers", run_here)
    texts = {"采购.md": "甲方收到发票后付款。", "制度.md": "合同由法务部门审查。"}
    files = write_files(tmp_path / "files", texts)

    def script(prompt: Prompt) -> str:
        return "甲方收到发票后在仓库付款吗？" if "Translate" in prompt.system else ""

    with new_index(tmp_path / "index", TwoLanguages()) as index:
        index.ingest(files)
        answer = Assistant(index, FakeLLM(script, likely=-9.0)).ask("Who guards the depot?")
    assert answer.verdict is not Outcome.ANSWERED
    assert "depot" in answer.reason and "仓库" not in answer.reason


def test_documents_of_another_language_are_read_in_it_and_a_yes_is_said_to_who_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.store.ingest.run_in_workers", run_here)
    files = write_files(
        tmp_path / "files", {"采购.md": "甲方收到发票后付款。", "制度.md": "合同由法务部门审查。"}
    )

    def script(prompt: Prompt) -> str:
        if "Translate" in prompt.system:
            return "甲方收到发票后付款吗？"
        return "是[1]" if "甲方收到发票后付款吗" in prompt.user else "yes"

    with new_index(tmp_path / "index", TwoLanguages()) as index:
        index.ingest(files)
        answer = Assistant(index, FakeLLM(script, likely=9.0)).ask("Does the buyer pay on the invoice?")
    assert (answer.verdict, answer.line) == (Outcome.ANSWERED, "Yes: 甲方收到发票后付款。")


def test_the_surer_of_two_languages_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the documents of the question's own language answer is not translated; what they do not is, and
    its answer is taken where it is the surer."""
    monkeypatch.setattr("rag.store.ingest.run_in_workers", run_here)
    texts = {"采购.md": "甲方收到发票后付款。", "terms.md": "The carrier pays the toll of the bridge."}
    files, translations = write_files(tmp_path / "files", texts), []

    def script(prompt: Prompt) -> str:
        if "Translate" in prompt.system:
            translations.append(prompt.user)
            return "甲方何时付款？"
        return "the carrier [1]" if "toll" in prompt.user.splitlines()[-1] else "收到发票后[1]"

    def likely(prompt: Prompt) -> float:
        own, here = "toll of" in prompt.user.splitlines()[-1], "The carrier pays" in prompt.user
        return 9.0 if own == here else -9.0

    with new_index(tmp_path / "index", TwoLanguages()) as index:
        index.ingest(files)
        helper = Assistant(index, FakeLLM(script, likely=likely))
        own, across = helper.ask("Who pays the toll of the bridge?"), helper.ask("When does the firm pay?")
    assert (own.line, own.verdict) == ("The carrier.", Outcome.ANSWERED)
    assert (across.line, across.verdict) == ("收到发票后。", Outcome.ANSWERED) and len(translations) == 1


@pytest.mark.parametrize(
    ("question", "quoted"),
    [
        ("What happened on 9 August 2021?", "2021-08-09 | The weir was opened"),
        ("What happened on December 1st, 2021?", "1.XII.2021 | The ferry sank"),
        ("When did the mill burn?", "17 Feb 2022 | The mill burned"),
        ("二〇二一年八月九日发生了什么？", "2021-08-09 | The weir was opened"),
    ],
)
def test_a_day_is_found_in_whatever_spelling_it_is_asked_for(
    tmp_path: Path, question: str, quoted: str
) -> None:
    rows = "2021-08-09 | The weir was opened\n1.XII.2021 | The ferry sank\n17 Feb 2022 | The mill burned\n"
    table = "".join(f"| {row} |\n" for row in rows.splitlines())
    more = {"river.md": f"# Chronicle of the river\n\n| Day | Event |\n|---|---|\n{table}"}
    with archive(tmp_path, **more) as index:
        answer = Assistant(index).ask(question)
        assert answer.quotes[0].quote == quoted
