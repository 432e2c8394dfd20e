from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from rag.cli import app
from rag.cli.shared import clean, duration, one_line, stop_on_interrupt
from rag.errors import (
    CitewiseError,
    GenerationError,
    IndexMissing,
    InputError,
    ModelMissing,
    StorageError,
)
from rag.types import ClaimState, Part, Reading
from tests.fakes import FakeAssistant, FakeLLM, fake_answer, fake_document, fake_evidence
from tests.files import ROOT, pdf_bytes

ROOT = ROOT
LEASE = "# Lease\n\n## Notice\n\nThe tenant may end this lease with thirty days' written notice.\n"
HANDBOOK = "# 员工手册\n\n## 年假\n\n员工每年享有十五天带薪年假。\n"


@pytest.fixture(autouse=True)
def clean_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in os.environ if n.startswith("CITEWISE_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def assistant(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAssistant]:
    """What `ask` and `batch` talk to instead of the real one."""
    fake = FakeAssistant()
    monkeypatch.setattr("rag.assistant.build_assistant", lambda config, **_: fake)
    yield fake
    assert fake.closed, "a command closes what it opened"


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, [str(a) for a in arguments])


def spawn(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "rag.cli", *map(str, arguments)],
        cwd=options.pop("cwd", ROOT),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        **options,
    )


# Starting.


def test_help_comes_in_under_half_a_second() -> None:
    times = []
    for _ in range(3):
        begun = time.perf_counter()
        assert spawn("--help").returncode == 0
        times.append(time.perf_counter() - begun)
    assert min(times) < 0.5


def test_help_imports_nothing_heavy() -> None:
    code = "import sys, rag.cli; print([m for m in sys.argv[1:] if m in sys.modules])"
    heavy = ["torch", "numpy", "faiss", "llama_cpp", "onnxruntime", "gradio", "pydantic", "rich.console"]
    done = subprocess.run([sys.executable, "-c", code, *heavy], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_help_lists_every_exit_code_that_an_error_has() -> None:
    text = run("--help").output
    codes = {c.exit_code for c in _all_errors()} | {0, 10, 130}
    assert not [code for code in codes if f"\n  {code} " not in text.replace("    ", "  ")]


def _all_errors(base: type[CitewiseError] = CitewiseError) -> Iterator[type[CitewiseError]]:
    yield base
    for child in base.__subclasses__():
        yield from _all_errors(child)


@pytest.mark.parametrize(
    "command",
    ["ask", "search", "ingest", "batch", "ui", "eval", "doctor"]
    + [f"index {c}" for c in ("show", "delete", "verify")]
    + [f"models {c}" for c in ("list", "pull", "add")],
)
def test_every_command_has_help_and_json(command: str) -> None:
    result = run(*command.split(), "--help")
    assert result.exit_code == 0
    assert "--json" in result.output


def test_version_is_printed() -> None:
    assert run("--version").output.startswith("citewise 0.")


# Failing.


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputError("bad input"), 2),
        (IndexMissing("no index"), 4),
        (ModelMissing("no model"), 5),
        (GenerationError("no words"), 6),
        (StorageError("no space"), 7),
        (ValueError("a fault"), 1),
    ],
)
def test_error_is_one_line_with_its_exit_code_and_no_traceback(
    assistant: FakeAssistant, error: Exception, code: int
) -> None:
    assistant.script = {"Why?": error}
    result = run("ask", "Why?")
    assert result.exit_code == code
    assert str(error) in result.stderr
    assert "Traceback" not in result.output + result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert result.stdout == ""


def test_error_with_json_is_an_object_on_standard_output(assistant: FakeAssistant) -> None:
    assistant.script = {"Why?": IndexMissing("no index")}
    result = run("ask", "Why?", "--json")
    found = {"type": "IndexMissing", "message": "no index", "exit_code": 4}
    assert json.loads(result.stdout) == {"error": found}


def test_setting_that_cannot_be_used_ends_with_two() -> None:
    result = run("search", "x", "-k", 0)
    assert result.exit_code == 2
    assert "1 to 100" in result.stderr


def test_unknown_option_ends_with_two() -> None:
    assert run("ask", "x", "--nonsense").exit_code == 2


def test_missing_index_ends_with_four_and_says_how_to_make_one() -> None:
    result = run("search", "anything", "--index", "nowhere")
    assert result.exit_code == 4
    assert "nowhere" in result.stderr
    assert "citewise ingest" in result.stderr


def test_interrupt_ends_with_130_and_no_traceback() -> None:
    program = (  # a shell starts what runs in its background deaf to interrupts
        "import signal, sys, rag.assistant, rag.cli, tests.fakes as f\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "class Waiting(f.FakeAssistant):\n"
        "    def stream(self, *given, **named):\n"
        "        print('ready', file=sys.stderr, flush=True)\n"
        "        return super().stream(*given, **named)\n"
        "rag.assistant.build_assistant = lambda c, **_: Waiting(delay=30)\n"
        "sys.argv = ['citewise', 'ask', 'Why?']\n"
        "rag.cli.main()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    assert "ready" in process.stderr.readline()  # what is interrupted is the answer, not an import
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in errors


# Asking.


def test_answer_is_shown_with_evidence_states_and_references(assistant: FakeAssistant) -> None:
    found = fake_evidence("Thirty days’ notice.", document=fake_document("lease.pdf"), page=3)
    assistant.script = {"Why?": fake_answer("Why?", "Thirty days.", evidence=[found])}
    result = run("ask", "Why?")
    assert result.exit_code == 0
    evidence, answer = result.stdout.split("Thirty days. [1]\n")
    assert "[1] Thirty days’ notice." in evidence
    assert "lease.pdf, page 3" in evidence
    assert answer.startswith("✓ answered, confidence 0.80\nStated in ")
    assert "[1] lease.pdf, page 3: “Thirty days’ notice.”" in answer.split("References\n")[1]


@pytest.mark.parametrize(
    ("state", "shown"),
    [(ClaimState.PARTIAL, "~ partly supported"), (ClaimState.UNSUPPORTED, "✗ not supported")],
)
def test_sentence_that_is_not_supported_says_so(
    assistant: FakeAssistant, state: ClaimState, shown: str
) -> None:
    assistant.script = {"Why?": fake_answer("Why?", state=state)}
    assert shown in run("ask", "Why?").stdout


def test_refusal_ends_with_ten_and_shows_what_was_searched(assistant: FakeAssistant) -> None:
    assistant.script = {"Why?": fake_answer("Why?", refused=True)}
    result = run("ask", "Why?")
    assert result.exit_code == 10
    assert "3 passages of 1 documents" in result.stdout
    assert "0.20, needed 0.40" in result.stdout
    assert "A passage about something else." in result.stdout
    assert "Evidence" not in result.stdout


def test_choices_are_numbered_lines_and_a_reply_has_no_verdict(assistant: FakeAssistant) -> None:
    reply = replace(
        fake_answer("Hi", "Hello.", evidence=()), claims=(), text="Hello.\n\nMore.", choices=("A?", "B?")
    )
    assistant.script = {"Hi": reply}
    result = run("ask", "Hi")
    assert result.exit_code == 0
    assert result.stdout.startswith("Hello.\n  More.\n\n  1. A?\n  2. B?\n")
    assert json.loads(run("ask", "Hi", "--json").stdout)["choices"] == ["A?", "B?"]


def test_parts_are_printed_one_by_one_with_what_was_not_found(assistant: FakeAssistant) -> None:
    whole = fake_answer("Why?", "Thirty days.", quoted=True)
    parts = (Part("How long", True, (1,)), Part("Who won", False, (), "in no document searched: won"))
    assistant.script = {"Why?": replace(whole, parts=parts)}
    result = run("ask", "Why?")
    assert result.exit_code == 0
    shown = result.stdout.split("✓ answered")[1].split("References")[0]
    assert shown.index("How long") < shown.index("Thirty days. [1]  ✓ quoted") < shown.index("Who won")
    assert "✗ not found in the documents: in no document searched: won" in shown


def test_answer_over_many_passages_is_printed_as_it_is_grouped(assistant: FakeAssistant) -> None:
    whole = fake_answer("Why?", "Thirty days.", quoted=True)
    text = "1 of 2 documents match.\n\nlease.pdf: 1\n  “Thirty days.” [1]"
    assistant.script = {"Why?": replace(whole, text=text, reading=Reading("count", 1, 1, 1))}
    result = run("ask", "Why?")
    assert "  lease.pdf: 1\n    “Thirty days.” [1]\n" in result.stdout
    assert json.loads(run("ask", "Why?", "--json").stdout)["reading"]["matching"] == 1


def test_chinese_answer_and_refusal_are_printed_in_chinese(assistant: FakeAssistant) -> None:
    refusal = fake_answer("为何？", refused=True)
    refusal = replace(refusal, language="zh", line="没有找到。", text="没有找到。", reason="没有出现：直升机")
    assistant.script = {
        "为何？": refusal,
        "多久？": replace(fake_answer("多久？", "三十日。"), language="zh"),
    }
    refused = run("ask", "为何？").stdout
    assert "1 份文件、3 个段落" in refused and "最接近的段落" in refused and "需达到 0.40" in refused
    answered = run("ask", "多久？").stdout
    assert "依据" in answered and "✓ 已找到答案，把握 0.80" in answered and "出处" in answered


def test_answer_as_json_has_claims_citations_and_refusal(assistant: FakeAssistant) -> None:
    answer = json.loads(run("ask", "Why?", "--json").stdout)
    assert (answer["verdict"], answer["confidence"]) == ("answered", 0.8)
    assert answer["line"] == "The notice period is 30 days."
    assert answer["quotes"] == answer["citations"]
    assert answer["claims"][0]["state"] == "supported"
    assert {"document", "page", "start", "end", "quote"} <= answer["citations"][0].keys()


def test_piped_output_holds_no_unverified_draft(assistant: FakeAssistant) -> None:
    answer = fake_answer("Why?", "The verified words.")
    from dataclasses import replace

    assistant.script = {"Why?": replace(answer, draft="DRAFTED NONSENSE")}
    result = run("ask", "Why?")
    assert "DRAFTED" not in result.stdout + result.stderr


def test_flags_become_filters(assistant: FakeAssistant) -> None:
    run("ask", "Why?", "-d", "law/*", "-d", "*.pdf", "--kind", "pdf", "--language", "zh")
    found = assistant.calls[0]["filters"]
    assert (found.documents, found.kinds, found.languages) == (("law/*", "*.pdf"), ("pdf",), ("zh",))


def test_without_flags_there_are_no_filters(assistant: FakeAssistant) -> None:
    run("ask", "Why?")
    assert assistant.calls[0]["filters"] is None


def test_question_can_come_from_standard_input(assistant: FakeAssistant) -> None:
    CliRunner().invoke(app, ["ask", "-"], input="Why?")
    assert assistant.asked == ["Why?"]


def test_text_of_documents_cannot_command_the_terminal(assistant: FakeAssistant) -> None:
    evil = fake_evidence("\x1b]0;owned\x07\x1b[2J red \u202e txt", document=fake_document("a\x1b[31m.md"))
    assistant.script = {"Why?": fake_answer("Why?", "A \x1b[5m claim.", evidence=[evil])}
    assert "\x1b" not in run("ask", "Why?").stdout
    assert clean("a\x1b[0m\u202eb\n\tc\x9b") == "a[0mb\n\tc"


# Batch.


def test_batch_writes_the_answers_and_counts_them(assistant: FakeAssistant) -> None:
    Path("in.csv").write_text("question\nOne?\n\nTwo?\n")
    result = run("batch", "in.csv", "-o", "out.jsonl")
    assert result.exit_code == 0
    assert "2 of 2 rows" in result.stdout
    assert len(Path("out.jsonl").read_text().splitlines()) == 2


def test_batch_read_by_a_model_says_before_and_after_the_first_answers_how_long_it_takes(
    assistant: FakeAssistant,
) -> None:
    assistant.llm = FakeLLM()
    Path("in.txt").write_text("".join(f"Number {n}?\n" for n in range(8)))
    told = run("batch", "in.txt", "-o", "out.jsonl", "--parallel", 1).stderr
    assert told.index("8 questions; fake-llm reads") < told.index("a thousand questions take about")
    assistant.llm, assistant.closed = None, False
    assert "thousand" not in run("batch", "in.txt", "-o", "other.jsonl").stderr


def test_batch_with_a_bad_row_ends_with_three(assistant: FakeAssistant) -> None:
    Path("in.jsonl").write_text('{"question": "One?"}\nbroken\n')
    result = run("batch", "in.jsonl", "-o", "out.csv", "--json")
    assert result.exit_code == 3
    report = json.loads(result.stdout)
    assert (report["answered"], report["failed"]) == (1, 1)


def test_batch_says_what_is_wrong_before_models_are_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.assistant.build_assistant", lambda *_, **__: pytest.fail("models were loaded"))
    assert run("batch", "nowhere.csv", "-o", "out.csv").exit_code == 2


# The real thing, as a process: ingest, search, look, delete.


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three documents, of which one has a page without text, and a broken one, ingested once by the command
    itself."""
    folder = tmp_path_factory.mktemp("cli")
    (folder / "docs").mkdir()
    (folder / "docs" / "lease.md").write_text(LEASE, encoding="utf-8")
    (folder / "docs" / "手册.md").write_text(HANDBOOK, encoding="utf-8")
    (folder / "docs" / "broken.pdf").write_bytes(b"%PDF-1.7 and nothing more")
    (folder / "docs" / "quay.pdf").write_bytes(pdf_bytes([["The quay was surveyed in May."], []]))
    done = spawn("ingest", folder / "docs", "--index", folder / "index", "--json")
    assert done.returncode == 3, done.stderr
    report = json.loads(done.stdout)
    changes = {f["path"]: f["change"] for f in report["files"]}
    added = dict.fromkeys(("lease.md", "手册.md", "quay.pdf"), "added")
    assert changes == {**added, "broken.pdf": "failed"}
    (quay,) = [f for f in report["files"] if f["path"] == "quay.pdf"]
    assert quay["losses"] == [{"kind": "page_without_text", "place": "", "page": 2}]
    return folder / "index"


@pytest.mark.models
def test_ingest_report_says_what_was_not_read_and_why(index: Path) -> None:
    result = run("ingest", index.parent / "docs", "--index", index)
    assert result.exit_code == 3
    assert "3 unchanged" in result.stdout
    assert "broken.pdf: corrupt" in result.stdout
    assert "quay.pdf: 1 page without text, as scans have (page 2)" in result.stdout
    assert "citewise ingest --ocr" in result.stdout
    alone = run("ingest", index.parent / "docs" / "lease.md", "--index", index)
    assert "--ocr" not in alone.stdout and "Not read" not in alone.stdout


@pytest.mark.models
def test_search_finds_the_passage_without_importing_torch(index: Path) -> None:
    program = (
        "import sys; from rag.cli import app; sys.argv[0] = 'citewise'\n"
        "try: app()\n"
        "finally: print([m for m in ('torch', 'llama_cpp') if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "search", "notice to end the lease", "--index", str(index), "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    hits = json.loads(done.stdout)
    assert hits[0]["document"]["path"] == "lease.md"
    assert "thirty days" in hits[0]["chunk"]["text"]
    assert done.stderr.strip() == "[]"


@pytest.mark.models
def test_chinese_question_is_searched_and_filtered(index: Path) -> None:
    result = run("search", "年假有几天？", "--index", index, "-d", "手册*")
    assert result.exit_code == 0
    assert "十五天带薪年假" in result.stdout
    assert "lease.md" not in result.stdout


@pytest.mark.models
def test_index_is_shown_verified_and_found_healthy(index: Path) -> None:
    shown = run("index", "show", "--index", index).stdout
    assert "lease.md" in shown
    assert "corrupt" in shown
    assert "not read: 1 page without text" in shown
    assert run("index", "verify", index).exit_code == 0
    checks = json.loads(run("doctor", "--index", index, "--json").stdout)["checks"]
    (health,) = [c for c in checks if c["name"] == "index"]
    assert health["ok"]
    assert "3 documents" in health["value"]
    assert "not read as a whole: 1" in health["advice"]


@pytest.mark.models
def test_deleted_document_is_not_found_again_and_an_unknown_one_ends_with_two(index: Path) -> None:
    import shutil

    shutil.copytree(index, "copy")
    assert run("index", "delete", "lease.md", "--index", "copy").exit_code == 0
    assert "lease.md" not in run("search", "notice to end the lease", "--index", "copy").stdout
    assert run("index", "delete", "lease.md", "--index", "copy").exit_code == 2


@pytest.mark.models
def test_set_is_ingested_measured_and_reported(tmp_path: Path) -> None:
    (tmp_path / "own" / "documents").mkdir(parents=True)
    (tmp_path / "own" / "documents" / "lease.md").write_text(LEASE, encoding="utf-8")
    entry = {"document": "lease.md", "quote": "with thirty days' written notice"}
    question = {"id": "a", "question": "How can the lease be ended?", "evidence": [entry]}
    (tmp_path / "own" / "questions.jsonl").write_text(json.dumps(question))
    result = run("eval", "own")
    assert result.exit_code == 0, result.stderr
    assert "| hit@1 | 1.000 |" in result.stdout
    assert Path("indexes/eval-own").is_dir()
    assert json.loads(Path("reports/own/report.json").read_text())["measures"]["hit@1"]["value"] == 1.0


def test_folder_that_is_no_set_ends_with_two() -> None:
    assert run("eval", ".").exit_code == 2


# Models.


@pytest.mark.models
def test_models_are_listed_with_what_is_wrong(tmp_path: Path) -> None:
    Path("citewise.toml").write_text('[models.big]\npath = "gone.gguf"')
    rows = {r["name"]: r for r in json.loads(run("models", "list", "--json").stdout)}
    assert rows["embedder"]["found"]
    assert rows["llm"]["found"]
    assert not rows["big"]["found"]
    assert "Correct its path" in rows["big"]["error"]
    assert run("models", "list", "--verify").exit_code == 5


@pytest.mark.models
def test_list_says_where_models_are_and_verifies_their_hashes() -> None:
    result = run("models", "list", "--verify", "--json")
    (llm,) = (row for row in json.loads(result.stdout) if row["name"] == "llm")
    assert result.exit_code == 0
    assert Path(llm["path"]).is_file()
    assert hashlib.sha256(Path(llm["path"]).read_bytes()).hexdigest() == llm["sha256"]


def test_only_known_models_can_be_pulled() -> None:
    Path("citewise.toml").write_text('[models.big]\npath = "big.gguf"')
    result = run("models", "pull", "something")
    assert result.exit_code == 2
    assert "qwen2.5-coder-1.5b" in result.stderr
    result = run("models", "pull", "big")
    assert result.exit_code == 2
    assert "nothing to fetch" in result.stderr


# Words.


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.24, "0.2 s"), (42, "42 s"), (185, "3 min 05 s"), (7800, "2 h 10 min")],
)
def test_durations_are_readable(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_long_passages_are_cut_and_say_so() -> None:
    assert one_line("a  b\n c") == "a b c"
    assert one_line("abcdef", 4) == "abc…"


# Stopping and serving.


def test_first_interrupt_asks_to_stop_and_the_second_stops_at_once() -> None:
    before = signal.getsignal(signal.SIGINT)
    with stop_on_interrupt() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.is_set()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(1)
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.models
def test_ingest_that_is_interrupted_ends_with_130_and_goes_on_when_run_again(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    for number in range(40):
        (tmp_path / "docs" / f"{number}.md").write_text(f"# Note {number}\n\nIt costs {number} euros.\n" * 3)
    arguments = ["ingest", str(tmp_path / "docs"), "--index", str(tmp_path / "ix"), "--json"]
    command = [sys.executable, "-m", "rag.cli", *arguments]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "ix").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.3)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers too
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    done = spawn(*arguments)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert len(report["files"]) == 40
    assert report["vectors"] == report["passages"]


def test_ui_is_started_with_the_settings_in_force(monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[Any] = []

    def serve(settings: Any, *, on_ready: Any) -> None:
        served.append(settings)
        on_ready("http://127.0.0.1:8000/")

    monkeypatch.setitem(sys.modules, "ui.app", SimpleNamespace(serve=serve))
    result = run("ui", "--port", 8000, "--index", "indexes/law", "--json")
    assert json.loads(result.stdout) == {"url": "http://127.0.0.1:8000/"}
    assert (served[0].ui_port, served[0].index) == (8000, Path("indexes/law"))


def test_ingest_watches_until_it_is_stopped_and_lists_what_was_not_read_by_its_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "lease.md").write_text(LEASE, encoding="utf-8")
    for n in range(3):
        (folder / f"{n}.xyz").write_bytes(b"x")

    class Stop(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            if (folder / "handbook.md").exists():
                self.set()
            (folder / "handbook.md").write_text(HANDBOOK, encoding="utf-8")
            return self.is_set()

    monkeypatch.setattr("rag.cli.shared.stop_on_interrupt", lambda: nullcontext(Stop()))
    shown = run("ingest", folder, "--watch", "--sync", "--index", tmp_path / "index").output
    assert "3 files: the format .xyz is not read" in shown
    assert shown.count("1 added") == 2, "the lease, and then the handbook"
