"""What leaves the machine: only what was allowed, only after it was written down, for everybody to see."""

from __future__ import annotations

import hashlib
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from rag.assistant import build_assistant
from rag.config import Config
from rag.doctor import examine
from rag.errors import GenerationError, Offline, StorageError
from rag.index import open_index
from rag.models import remote
from rag.models import remote as audit
from rag.models.llm import Prompt, ServerAccess, load_llm
from rag.models.remote import OpenAIServer, audit_file, leaves_for, record
from tests.llm_server import ChatServer
from ui import CHINESE, ENGLISH
from ui.app import workspace_of
from ui.handlers import Handlers
from ui.render import fill

PROMPT = Prompt("Be brief.", "[1] The secret rent is EUR 7,777.\n\nQuestion: What is the secret rent?")
ELSEWHERE = "https://models.example.org/v1"


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loopback counts as another machine."""
    monkeypatch.setattr(remote, "is_loopback", lambda url: False)


# ------------------------------------------------------------------ the file


def test_a_line_holds_when_where_how_much_and_no_text(tmp_path: Path) -> None:
    file = tmp_path / "cache" / "audit.jsonl"
    record(file, host="models.example.org", what="chat", body=b"12345", prompt=PROMPT.user)
    entry = json.loads(file.read_text())
    assert set(entry) == {"time", "host", "what", "bytes", "prompt_sha256"}
    assert (entry["host"], entry["bytes"]) == ("models.example.org", 5)
    assert entry["prompt_sha256"] == hashlib.sha256(PROMPT.user.encode()).hexdigest()
    assert file.stat().st_mode & 0o077 == 0, "others of this machine can read it"


def test_lines_of_many_threads_do_not_mix(tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"

    def write(number: int) -> None:
        for _ in range(10):
            record(file, host=f"host-{number}", what="chat", body=b"x" * number)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sent = [json.loads(line) for line in file.read_text().splitlines()]
    assert (len(sent), sum(entry["bytes"] for entry in sent)) == (80, 10 * sum(range(1, 9)))
    assert {entry["host"] for entry in sent} == {f"host-{n}" for n in range(1, 9)}


def test_a_file_that_cannot_be_written_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("in the way")
    with pytest.raises(StorageError):
        record(tmp_path / "folder" / "audit.jsonl", host="a", what="chat", body=b"")


# ------------------------------------------------------------------ the client


@pytest.mark.usefixtures("far")
def test_each_request_to_another_machine_is_written_down_with_its_size(tmp_path: Path) -> None:
    with ChatServer() as server:
        llm = load_llm(server.url, cache_dir=tmp_path, server=ServerAccess(allow_remote=True))
        assert llm is not None
        assert not llm.info.local
        for _ in range(2):
            assert "1,450" in "".join(llm.generate(PROMPT, max_tokens=8))
        llm.close()
        sizes = [int(h["Content-Length"]) for h in server.headers]
    text = audit_file(tmp_path).read_text()
    entries = [json.loads(line) for line in text.splitlines()]
    assert [e["what"] for e in entries] == ["models", "chat", "chat"]
    assert [e["bytes"] for e in entries[1:]] == sizes
    assert all(e["host"] == "127.0.0.1" for e in entries)
    assert "7,777" not in text
    assert "secret" not in text


@pytest.mark.usefixtures("far")
def test_the_line_is_on_disk_before_anything_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    real = audit.record

    def counting(file: Path, **named: Any) -> None:
        real(file, **named)
        seen.append(len(server.requests))

    monkeypatch.setattr(audit, "record", counting)
    with ChatServer() as server:
        list(
            OpenAIServer(
                server.url, model="m", allow_remote=True, audit_to=tmp_path / "audit.jsonl"
            ).generate(PROMPT, max_tokens=1)
        )
    assert seen == [0]
    assert len(server.requests) == 1


@pytest.mark.usefixtures("far")
def test_where_it_cannot_be_written_down_nothing_is_sent(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("in the way")
    with ChatServer() as server:
        llm = OpenAIServer(
            server.url, model="m", allow_remote=True, audit_to=tmp_path / "cache" / "audit.jsonl"
        )
        with pytest.raises(GenerationError, match="nothing was sent"):
            list(llm.generate(PROMPT, max_tokens=1))
    assert server.requests == []


def test_a_server_elsewhere_is_not_opened_without_a_file_for_it() -> None:
    with pytest.raises(Offline, match="written down"):
        OpenAIServer(ELSEWHERE, allow_remote=True)


def test_a_server_on_this_machine_is_not_written_down(tmp_path: Path) -> None:
    with ChatServer() as server:
        llm = load_llm(server.url, cache_dir=tmp_path)
        assert llm is not None
        list(llm.generate(PROMPT, max_tokens=1))
        llm.close()
    assert server.requests
    assert not audit_file(tmp_path).exists()


@pytest.mark.parametrize(
    ("llm", "host"),
    [
        ("embedded", ""),
        ("none", ""),
        ("/models/http.gguf", ""),
        ("http://127.0.0.1:8080/v1", ""),
        ("http://localhost:8080", ""),
        (ELSEWHERE, "models.example.org"),
        ("HTTPS://user:key@Models.Example.org:8443/v1", "models.example.org"),
        ("http://localhost.example.org", "localhost.example.org"),
    ],
)
def test_the_setting_says_where_words_would_go(llm: str, host: str) -> None:
    assert leaves_for(llm) == host


# ------------------------------------------------------------------ one switch, for every way in


@pytest.fixture
def config(tmp_path: Path) -> Config:
    folder = tmp_path / "indexes" / "leases"
    (tmp_path / "lease.md").write_text("# Lease\n\nThe monthly rent is EUR 1,450, due on the third day.\n")
    with open_index(folder, create=True) as index:
        index.ingest(tmp_path / "lease.md")
    return Config(index=folder, cache_dir=tmp_path / "cache", llm=ELSEWHERE)


@pytest.mark.models
@pytest.mark.usefixtures("socket_disabled")
def test_by_default_a_server_elsewhere_is_asked_by_nobody(config: Config) -> None:
    assert Config().allow_remote is False
    with pytest.raises(Offline, match="allow_remote"):
        build_assistant(config)
    handlers = Handlers(workspace_of(config), default_index="leases")
    handlers.open("key", "en")
    shown = "".join(str(view.transcript or "") for view in handlers.ask("key", "What is the rent?", "leases"))
    assert "allow_remote" in shown
    assert handlers.workspace.remote == ""
    assert not audit_file(config.cache_dir).exists()
    handlers.close()


def test_doctor_says_what_would_leave_and_what_left(config: Config) -> None:
    def checks(**changes: Any) -> dict[str, Any]:
        return {c.name: c for c in examine(config.model_copy(update=changes))}

    forbidden = checks()["network"]
    assert not forbidden.ok
    assert "models.example.org" in forbidden.value
    assert "allow_remote" in forbidden.advice
    allowed = checks(allow_remote=True)
    assert allowed["network"].ok
    assert "leave this machine" in allowed["network"].value
    assert "nothing" in allowed["audit"].value
    assert "this machine" in checks(llm="http://127.0.0.1:8080")["network"].value
    record(audit_file(config.cache_dir), host="models.example.org", what="chat", body=b"123")
    told = checks(llm="embedded")["audit"].value
    assert "1 requests" in told
    assert "models.example.org" in told


# ------------------------------------------------------------------ the page


@pytest.mark.parametrize("texts", [ENGLISH, CHINESE])
def test_the_page_names_the_host_or_says_that_nothing_leaves(texts: Any) -> None:
    there = fill("page.header", texts, "models.example.org")
    assert "models.example.org" in there
    assert texts.local not in there
    here = fill("page.header", texts)
    assert texts.local in here
    assert "cw-remote" not in here
    assert "<script>" not in fill("page.header", texts, "<script>")


def test_the_workspace_of_an_allowed_server_says_its_host(config: Config) -> None:
    assert workspace_of(config.model_copy(update={"allow_remote": True})).remote == "models.example.org"
    assert (
        workspace_of(config.model_copy(update={"llm": "http://127.0.0.1:1", "allow_remote": True})).remote
        == ""
    )
