"""The page without a browser: who may reach it, what belongs to whom, what becomes of questions, uploads."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from rag.config import Config, ModelSpec
from rag.errors import ConfigError, InputError, ModelMissing, StorageError
from rag.types import ClaimState, Filters, Mark, MarkKind
from tests.fakes import FakeAssistant, fake_document
from tests.page_fakes import LEASE, FakeIndex, PageAssistant, citation_of, evidence_of, make_workspace
from ui import CHINESE, ENGLISH, sources
from ui.app import Guard, build_page, check_exposure, is_local, launch_options, serve, workspace_of
from ui.conversation import Conversations, Exchange
from ui.handlers import Handlers, View
from ui.pictures import Picture, Pictures
from ui.workspace import Workspace


def assistant_of(handlers: Handlers, name: str = "contracts") -> PageAssistant:
    assistant: PageAssistant = handlers.workspace.assistant(name)
    return assistant


def last(views: Iterator[View]) -> View:
    return list(views)[-1]


# ---------------------------------------------------------------- who may reach it


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "citewise.example", ""])
def test_off_loopback_without_a_password_is_refused_with_what_to_do(host: str) -> None:
    with pytest.raises(ConfigError, match="ui_password"):
        check_exposure(host, "")
    with pytest.raises(ConfigError):
        check_exposure(host, "   ")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.8.0.1"])
def test_loopback_needs_no_password(host: str) -> None:
    check_exposure(host, "")
    assert is_local(host)


def test_serve_refuses_before_anything_is_opened(tmp_path: Path) -> None:
    config = Config(index=tmp_path / "none" / "here", ui_host="0.0.0.0")
    with pytest.raises(ConfigError, match=r"0\.0\.0\.0"):
        serve(config)


def test_a_port_in_use_is_said_with_what_to_do(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        config = Config(index=tmp_path / "none", ui_port=taken.getsockname()[1])
        with pytest.raises(ConfigError, match="ui_port"):
            serve(config)


def test_off_loopback_with_a_password_asks_for_it() -> None:
    options = launch_options(Config(ui_host="0.0.0.0", ui_user="ann", ui_password="pass word"))
    assert options["auth"] == ("ann", "pass word")


def test_nothing_is_shared_and_nothing_is_reported_home() -> None:
    options = launch_options(Config())
    assert (
        options["share"] is False and options["footer_links"] == [] and options["enable_monitoring"] is False
    )
    assert os.environ["GRADIO_ANALYTICS_ENABLED"] == "False"
    assert os.environ["HF_HUB_OFFLINE"] == "1"


def test_gradio_is_imported_after_what_it_would_send_home_is_switched_off() -> None:
    code = "import sys, ui.app; sys.exit('gradio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


async def _hello(scope: dict[str, Any], receive: Any, send: Any) -> None:
    body = b'<html><meta property="og:image"\n content="https://raw.example/x.jpg" /><p>hello</p></html>'
    headers = [(b"content-type", b"text/html"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body[:20], "more_body": True})
    await send({"type": "http.response.body", "body": body[20:]})


def test_a_name_that_a_foreign_site_points_at_this_machine_gets_no_answer() -> None:
    client = TestClient(Guard(_hello, local_only=True), base_url="http://evil.example:7860")
    assert client.get("/").status_code == 421


@pytest.mark.parametrize("address", ["http://127.0.0.1:7860", "http://localhost:7860", "http://[::1]:7860"])
def test_the_machine_itself_gets_its_answer(address: str) -> None:
    assert TestClient(Guard(_hello, local_only=True), base_url=address).get("/").status_code == 200


def test_every_answer_forbids_requests_to_other_hosts() -> None:
    answer = TestClient(Guard(_hello, local_only=False)).get("/")
    policy = answer.headers["content-security-policy"]
    assert "connect-src 'self'" in policy and "default-src 'self'" in policy and "http" not in policy
    assert answer.text == "<html><p>hello</p></html>"


def test_the_served_page_names_no_other_host_to_load_from(tmp_path: Path) -> None:
    import gradio as gr

    page = build_page(Handlers(make_workspace(tmp_path)[0]))
    options = launch_options(Config())
    keep = ("theme", "css", "head", "footer_links")
    guard = options["app_kwargs"]
    import fastapi

    app = gr.mount_gradio_app(
        fastapi.FastAPI(middleware=guard["middleware"]), page, "/", **{k: options[k] for k in keep}
    )
    html = TestClient(app, base_url="http://127.0.0.1").get("/").text
    assert "Citewise" in html
    for foreign in (
        "fonts.googleapis",
        "fonts.gstatic",
        "cdnjs",
        "jsdelivr",
        "unpkg",
        "huggingface.co",
        "og:image",
    ):
        assert foreign not in html


# ---------------------------------------------------------------- workspace


def test_only_folders_with_an_index_are_offered(tmp_path: Path) -> None:
    workspace, _ = make_workspace(tmp_path)
    (tmp_path / "notes").mkdir()
    assert workspace.names() == ["contracts", "empty"]


@pytest.mark.parametrize("name", ["..", "../contracts", "/etc", "missing", "", ".", "contracts/../contracts"])
def test_an_index_name_from_the_browser_cannot_leave_the_root(tmp_path: Path, name: str) -> None:
    workspace, _ = make_workspace(tmp_path)
    with pytest.raises(InputError):
        workspace.assistant(name)


@pytest.mark.parametrize(
    "name", ["", " ", "../up", "a/b", ".hidden", "x" * 65, "trailing.", "contracts", "a\x00b"]
)
def test_a_new_index_needs_a_plain_unused_name(tmp_path: Path, name: str) -> None:
    workspace, _ = make_workspace(tmp_path)
    with pytest.raises(InputError):
        workspace.create(name)


def test_a_new_index_may_have_a_chinese_name(tmp_path: Path) -> None:
    workspace, _ = make_workspace(tmp_path)
    assert workspace.create(" 合同 2024 ") == "合同 2024" and "合同 2024" in workspace.names()


def test_samples_are_read_from_strings_and_objects_and_are_optional(tmp_path: Path) -> None:
    workspace, _ = make_workspace(tmp_path)
    assert workspace.samples("contracts") == ("How much notice ends the lease?", "逾期付款的违约金是多少？")
    assert workspace.samples("empty") == ()
    (tmp_path / "empty" / "samples.json").write_text("{broken")
    assert workspace.samples("empty") == ()


def test_an_upload_is_kept_whole_with_the_index_and_the_original_is_removed(tmp_path: Path) -> None:
    workspace, _ = make_workspace(tmp_path / "indexes")
    source = tmp_path / "a.txt"
    source.write_text("text")
    (kept,) = workspace.keep("contracts", [source])
    assert kept == tmp_path / "indexes" / "contracts" / "uploads" / "a.txt"
    assert kept.read_text() == "text" and not source.exists()
    assert [p.name for p in kept.parent.iterdir()] == ["a.txt"]


def test_a_copy_that_fails_leaves_the_old_file_and_no_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, _ = make_workspace(tmp_path / "indexes")
    uploads = tmp_path / "indexes" / "contracts" / "uploads"
    uploads.mkdir()
    (uploads / "a.txt").write_text("old")
    source = tmp_path / "a.txt"
    source.write_text("new")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfileobj", full)
    with pytest.raises(StorageError, match="No space left"):
        workspace.keep("contracts", [source])
    assert [(p.name, p.read_text()) for p in uploads.iterdir()] == [("a.txt", "old")]


# ---------------------------------------------------------------- questions


def test_an_answer_comes_in_stages_and_ends_with_the_verified_one(handlers: Handlers) -> None:
    views = list(handlers.ask("a", "How much notice?", "contracts"))
    assert views[0].running and views[0].clear_question
    assert any("cw-outcome--reading" in (v.live or "") for v in views)
    assert views[-1].running is False and views[-1].live == ""
    assert "Partly supported" in (views[-1].transcript or "")


def test_evidence_and_a_provisional_word_are_shown_and_no_word_of_the_draft(handlers: Handlers) -> None:
    assistant_of(handlers).word_seconds = 0.1
    lives = [str(v.live) for v in handlers.ask("a", "What deposit?", "contracts") if v.live]
    assert any("cw-card" in html and "reading …" in html for html in lives)
    assert not any("The deposit is" in html for html in lives)


@pytest.mark.parametrize("question", ["", "   ", "\n"])
def test_an_empty_question_asks_nothing(handlers: Handlers, question: str) -> None:
    assert list(handlers.ask("a", question, "contracts")) == [View()]
    assert assistant_of(handlers).calls == []


def test_an_error_is_shown_with_its_message_and_can_be_retried(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path)[0]
    asked = FakeAssistant({"q": ModelMissing("model.gguf is missing. Run: citewise models pull")})
    handlers = Handlers(Workspace(workspace.root, lambda folder: asked, lambda folder: None))
    html = str(last(handlers.ask("a", "q", "contracts")).transcript)
    assert "citewise models pull" in html and 'data-action="retry"' in html


def test_an_unforeseen_error_shows_no_internals(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    workspace = make_workspace(tmp_path)[0]
    asked = FakeAssistant({"q": RuntimeError("secret path /home/ann")})
    handlers = Handlers(Workspace(workspace.root, lambda folder: asked, lambda folder: None))
    html = str(last(handlers.ask("a", "q", "contracts")).transcript)
    assert ENGLISH.unexpected in html and "secret path" not in html
    assert "secret path" in caplog.text


def test_a_page_that_cannot_be_filled_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: Workspace) -> list[str]:
        raise OSError("the folder cannot be read")

    monkeypatch.setattr(Workspace, "names", broken)
    view = Handlers(make_workspace(tmp_path)[0], default_index="contracts").open("a", "en")
    assert view.indexes is None and ENGLISH.unexpected in str(view.upload)
    assert "the folder cannot be read" in caplog.text


def test_another_language_model_reads_for_every_index_and_page(tmp_path: Path) -> None:
    root = make_workspace(tmp_path)[0].root
    one, loaded = PageAssistant(FakeIndex(root), {}), []

    def load(name: str) -> str:
        loaded.append(name)
        if name == "gone":
            raise ModelMissing("gone.gguf is missing")
        return f"the model {name}"

    names = ("big", "small", "gone")
    offered = Workspace(root, lambda _: one, lambda _: None, readers=names, load_reader=load)
    handlers = Handlers(offered, default_index="contracts")
    view = handlers.open("a", "en")
    assert (view.readers, view.reader) == (names, "big")
    last(handlers.ask("a", "notice?", "contracts"))
    assert handlers.read_with("a", "small").reader == "small"
    assert one.llm == "the model small"
    assert handlers.open("b", "en").reader == "small"
    failed = handlers.read_with("b", "gone")
    assert "gone.gguf is missing" in str(failed.upload)
    assert failed.reader == "small" == offered.reader
    assert "no language model" in str(handlers.read_with("b", "/etc/passwd").upload)
    handlers.read_with("b", "small")
    assert loaded == ["small", "gone"]


@pytest.mark.models
def test_the_language_models_that_are_here_are_offered_and_none_where_a_server_or_nothing_reads(
    tmp_path: Path,
) -> None:
    (tmp_path / "mine.gguf").write_bytes(b"GGUF")
    models = {"mine": ModelSpec(path=tmp_path / "mine.gguf"), "gone": ModelSpec(path=tmp_path / "gone.gguf")}
    config = Config(index=tmp_path / "ix", cache_dir=tmp_path / "cache", models=models, llm="mine")
    assert workspace_of(config).readers == ("mine", "smollm2-135m")
    assert workspace_of(config.model_copy(update={"llm": "auto"})).reader == "smollm2-135m"
    for llm in ("none", "http://127.0.0.1:1", str(tmp_path / "mine.gguf"), "gone"):
        assert workspace_of(config.model_copy(update={"llm": llm})).readers == ()


def test_a_question_without_an_index_is_answered_with_what_to_do(handlers: Handlers) -> None:
    assert "no index named" in str(last(handlers.ask("a", "q", None)).transcript)


def test_the_scope_limits_the_search_and_no_scope_does_not(handlers: Handlers) -> None:
    last(handlers.ask("a", "notice?", "contracts", Filters(documents=("lease.md",))))
    last(handlers.ask("a", "notice?", "contracts"))
    first, second = assistant_of(handlers).calls
    assert first["filters"].documents == ("lease.md",) and second["filters"] is None


def test_a_follow_up_gets_the_earlier_turns(handlers: Handlers) -> None:
    last(handlers.ask("a", "How much notice?", "contracts"))
    last(handlers.ask("a", "And the deposit?", "contracts"))
    history = assistant_of(handlers).calls[1]["history"]
    assert [t.question for t in history] == ["How much notice?"] and "six months" in history[0].answer


def test_a_new_conversation_forgets_the_earlier_turns(handlers: Handlers) -> None:
    last(handlers.ask("a", "How much notice?", "contracts"))
    assert "cw-welcome" in str(handlers.fresh("a", "contracts").transcript)
    last(handlers.ask("a", "And the deposit?", "contracts"))
    assert assistant_of(handlers).calls[1]["history"] == ()


def test_retry_takes_the_place_of_the_last_answer(handlers: Handlers) -> None:
    last(handlers.ask("a", "How much notice?", "contracts"))
    last(handlers.retry("a", 1, "contracts"))
    assert len(handlers.conversations.get("a").exchanges) == 1
    assert len(assistant_of(handlers).calls) == 2


# ---------------------------------------------------------------- stop and several users


def test_stop_ends_the_draft_at_once_and_stops_the_model(handlers: Handlers) -> None:
    views = handlers.ask("a", "slow notice", "contracts")
    while "cw-outcome--reading" not in (next(views).live or ""):
        pass
    begun = time.perf_counter()
    handlers.stop("a")
    final = last(views)
    assert time.perf_counter() - begun < 2
    assert final.running is False and ENGLISH.stopped_early in str(final.transcript)
    assert assistant_of(handlers).stopped.wait(2)


def test_closing_the_page_stops_its_question(handlers: Handlers) -> None:
    views = handlers.ask("a", "slow notice", "contracts")
    while "cw-outcome--reading" not in (next(views).live or ""):
        pass
    handlers.forget("a")
    assert list(views) == []
    assert assistant_of(handlers).stopped.wait(2)


def test_a_second_question_on_the_same_page_replaces_the_first(handlers: Handlers) -> None:
    first = handlers.ask("a", "slow notice", "contracts")
    while "cw-outcome--reading" not in (next(first).live or ""):
        pass
    second = last(handlers.ask("a", "What deposit?", "contracts"))
    assert list(first) == []
    assert "slow notice" not in str(second.transcript) and "What deposit?" in str(second.transcript)


def test_pages_asking_at_the_same_time_see_only_their_own_answers(handlers: Handlers) -> None:
    questions = {f"page {n}": ("notice" if n % 2 else "deposit") + f" number {n}" for n in range(8)}
    shown: dict[str, str] = {}

    def use(key: str) -> None:
        shown[key] = "".join(str(v) for v in handlers.ask(key, questions[key], "contracts"))

    threads = [threading.Thread(target=use, args=(key,)) for key in questions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    for key, html in shown.items():
        assert questions[key] in html
        assert not any(other in html for name, other in questions.items() if name != key)


def test_a_page_cannot_open_the_sources_of_another(handlers: Handlers) -> None:
    last(handlers.ask("a", "How much notice?", "contracts"))
    assert "cw-source--empty" in str(last(handlers.open_source("b", "cite", 1, 1)).source)


def test_a_page_without_a_session_shares_nothing() -> None:
    conversations = Conversations()
    assert conversations.get(None) is not conversations.get(None)
    assert conversations.get("") is not conversations.get("")


def test_conversations_are_bounded() -> None:
    conversations = Conversations(most=2)
    first = conversations.get("a")
    for key in "bc":
        conversations.get(key)
    assert conversations.get("a") is not first


# ---------------------------------------------------------------- sources


def test_a_citation_opens_its_exact_words_marked_in_their_passage(handlers: Handlers) -> None:
    last(handlers.ask("a", "How much notice?", "contracts"))
    html = str(last(handlers.open_source("a", "cite", 1, 2)).source)
    mark = html.split('tabindex="-1">')[1].split("</mark>")[0]
    assert mark == "Notice under this clause takes effect on the last day of a calendar month."
    assert "Lease of 14 Harbour Street" in html and "lease.md" in html and "7 Termination" in html
    assert "unpaid for 21 days" in html


@pytest.mark.parametrize(("turn", "number"), [(9, 1), (1, 9), (-1, -1), (1, 0)])
def test_a_citation_that_does_not_exist_opens_nothing(handlers: Handlers, turn: int, number: int) -> None:
    last(handlers.ask("a", "How much notice?", "contracts"))
    assert "cw-source--empty" in str(last(handlers.open_source("a", "cite", turn, number)).source)


def test_a_nearest_passage_of_a_refusal_opens(handlers: Handlers) -> None:
    last(handlers.ask("a", "Who won the cup?", "contracts"))
    assert "deposit of £18,500" in str(last(handlers.open_source("a", "near", 1, 0)).source)


def test_the_page_image_follows_the_words_and_has_a_box_around_them(handlers: Handlers) -> None:
    last(handlers.ask("a", "What is the consideration?", "contracts"))
    first, second = (str(v.source) for v in handlers.open_source("a", "cite", 1, 1))
    assert "<mark" in first and ENGLISH.page_loading in first
    assert "data:image/webp;base64," in second and second.count('class="cw-box"') == 1
    assert "page 2 of 2" in second


def test_a_pdf_that_is_gone_or_changed_is_said_and_the_words_still_shown(handlers: Handlers) -> None:
    last(handlers.ask("a", "What is the consideration?", "contracts"))
    pdf = handlers.workspace.root / "contracts" / "agreement.pdf"
    pdf.write_bytes(pdf.read_bytes() + b"\n% changed")
    changed = str(last(handlers.open_source("a", "cite", 1, 1)).source)
    pdf.unlink()
    gone = str(last(handlers.open_source("a", "cite", 1, 1)).source)
    assert "has changed since it was indexed" in changed and "no longer where it was read from" in gone
    assert "<mark" in changed and "<mark" in gone


def test_a_page_that_crashes_the_renderer_is_said_and_the_next_one_is_drawn(
    tmp_path: Path, handlers: Handlers
) -> None:
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.7 nothing more")
    import hashlib

    info = fake_document(
        "broken.pdf", source=str(broken), sha256=hashlib.sha256(broken.read_bytes()).hexdigest()
    )
    assert handlers.pictures.page(info, 1, "words", ENGLISH) == ENGLISH.page_failed
    good = assistant_of(handlers).index.infos["agreement.pdf"]
    assert isinstance(handlers.pictures.page(good, 2, "The total consideration", ENGLISH), Picture)


def test_a_document_indexed_anew_shows_the_words_as_they_were_cited(tmp_path: Path) -> None:
    index = FakeIndex(tmp_path)
    index.add("lease.md", LEASE)
    citation = citation_of(evidence_of(index, "lease.md", "The Tenant has paid a deposit of £18,500.", 1))
    index.texts["lease.md"] = "Another text. " + LEASE
    view = sources.look_up(index, citation, ENGLISH)
    assert (view.cited.quote, view.before, view.after, view.info) == (citation.quote, "", "", None)
    assert view.note == ENGLISH.passage_changed
    index.infos.clear()
    assert sources.look_up(index, citation, ENGLISH).note == ENGLISH.passage_gone


def test_struck_words_around_the_cited_ones_are_shown_struck(tmp_path: Path) -> None:
    index = FakeIndex(tmp_path)
    index.add("fees.docx", "The fee is 1,120 euros.\n\nThe fee is 950 euros.\n\nIt is due monthly.")
    index.marked = (Mark(MarkKind.STRUCK, 25, 46), Mark(MarkKind.RAISED, 4, 7))
    citation = citation_of(evidence_of(index, "fees.docx", "The fee is 1,120 euros.", 1))
    pane = str(sources.source_pane(sources.look_up(index, citation, ENGLISH), ENGLISH))
    assert '<s class="cw-struck">The fee is 950 euros.</s>' in pane
    assert pane.count("<s ") == 1


@given(st.text(max_size=200))
def test_flowing_a_passage_changes_nothing_but_line_breaks(text: str) -> None:
    flowed = sources.flow(text)
    assert len(flowed) == len(text)
    assert all(a == b or (a, b) == ("\n", " ") for a, b in zip(text, flowed, strict=True))


def test_printed_lines_flow_and_table_rows_and_lists_do_not() -> None:
    printed = "This line is as long as a line on a printed page is, and\ngoes on here.\nNext."
    assert sources.flow(printed) == printed.replace("and\ngoes", "and goes")
    rows = "Grade of the person who works | Rate per hour in dollars\nAssociate | 268"
    items = "The following conditions must all be fulfilled before payment:\n(a) notice\n- 1"
    assert sources.flow(rows) == rows and sources.flow(items) == items


@given(
    st.text(alphabet="ab \n。.", max_size=400), st.integers(0, 400), st.integers(0, 60), st.integers(1, 80)
)
def test_the_passage_around_a_quote_is_verbatim_text(text: str, start: int, length: int, around: int) -> None:
    start = min(start, len(text))
    end = min(start + length, len(text))
    first, last_ = sources.window(text, start, end, around=around)
    assert 0 <= first <= start <= end <= last_ <= len(text)
    assert start - first <= around and last_ - end <= around


# ---------------------------------------------------------------- languages


def test_switching_the_language_keeps_conversation_and_open_source(handlers: Handlers) -> None:
    last(handlers.ask("a", "How much notice?", "contracts"))
    last(handlers.open_source("a", "cite", 1, 1))
    view = handlers.relabel("a", "zh", "contracts")
    assert CHINESE.states[ClaimState.PARTIAL] in str(view.transcript)
    assert CHINESE.cited_words in str(view.source) and "<mark" in str(view.source)


def test_an_opened_page_speaks_the_language_of_the_browser(handlers: Handlers) -> None:
    view = handlers.open("a", "zh-CN,zh;q=0.9")
    assert CHINESE.empty_title in str(view.transcript)
    assert view.index == "contracts" and view.indexes == ("contracts", "empty")
    assert "scan <b>2019</b>.pdf" not in (view.scope or ())


# ---------------------------------------------------------------- uploads


def upload(handlers: Handlers, folder: Path, index: str | None = "empty", **files: bytes) -> list[View]:
    folder.mkdir(exist_ok=True)
    paths = []
    for name, content in files.items():
        path = folder / name.replace("_", ".")
        path.write_bytes(content)
        paths.append(str(path))
    return list(handlers.upload("a", paths, index))


def test_each_uploaded_file_gets_its_status_and_good_ones_can_be_chosen(
    handlers: Handlers, tmp_path: Path
) -> None:
    views = upload(
        handlers,
        tmp_path / "in",
        good_txt=b"text",
        empty_txt=b"",
        bad_pdf=b"%PDF-broken",
        shut_pdf=b"%PDF-locked",
    )
    final = views[-1]
    html = str(final.upload)
    for status in ("ok", "empty", "corrupt", "password"):
        assert f'data-status="{status}"' in html
    assert "1 of 4 files" in html and final.scope == ("good.txt",)
    assert any("<progress" in str(v.upload) for v in views[:-1])


def test_an_upload_without_an_index_says_what_to_do(handlers: Handlers, tmp_path: Path) -> None:
    (view,) = upload(handlers, tmp_path / "in", index=None, a_txt=b"text")
    assert ENGLISH.no_index in str(view.upload)


def test_an_upload_that_fails_unforeseen_shows_no_internals(
    handlers: Handlers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(assistant_of(handlers, "empty").index, "ingest", broken)
    final = upload(handlers, tmp_path / "in", a_txt=b"text")[-1]
    assert ENGLISH.unexpected in str(final.upload) and "secret" not in str(final.upload)


def test_a_created_index_is_chosen_and_takes_uploads(handlers: Handlers, tmp_path: Path) -> None:
    view = handlers.create("a", "Case 7", "contracts")
    assert view.index == "Case 7" and "Case 7" in (view.indexes or ())
    assert "1 of 1 files" in str(upload(handlers, tmp_path / "in", index="Case 7", a_txt=b"text")[-1].upload)


def test_a_name_that_cannot_be_used_is_explained(handlers: Handlers) -> None:
    assert "begins with a letter or digit" in str(handlers.create("a", "../up", "contracts").upload)


def test_pictures_can_be_closed_without_ever_having_drawn() -> None:
    Pictures().close()


def test_an_exchange_is_done_once_it_was_stopped() -> None:
    assert replace(Exchange(1, "i", "q"), stopped=True).done
