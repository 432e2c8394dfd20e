"""Nothing leaves the machine: no socket is opened to answer, and none is needed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rag.assistant import Assistant
from rag.config import default_cache_dir
from rag.index import open_index
from rag.models.llm import load_llm
from rag.types import Outcome

QUESTION = "What notice must the tenant give to end the lease?"
TEXT = """# Lease of Harbour Lane 4

The tenant may end this lease by giving 60 days of written notice to the landlord.

The monthly rent is 1,450 euros, due on the third working day of each month.
"""

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("offline")
    (home / "lease.md").write_text(TEXT, "utf-8")
    with open_index(home / "index", create=True) as index:
        index.ingest(home / "lease.md")
    return home / "index"


@pytest.mark.usefixtures("socket_disabled")
def test_no_socket_is_opened_from_question_to_verified_answer(folder: Path) -> None:
    llm = load_llm("embedded", cache_dir=default_cache_dir())
    with Assistant(open_index(folder), llm, threshold=0.0) as assistant:
        answer = assistant.ask(QUESTION)
    assert answer.verdict is Outcome.ANSWERED
    assert "60 days" in answer.text
    assert answer.draft


@pytest.mark.usefixtures("socket_disabled")
def test_socket_guard_of_these_tests_works() -> None:
    import socket

    from pytest_socket import SocketBlockedError

    with pytest.raises(SocketBlockedError):
        socket.socket(socket.AF_INET)


def test_ask_works_in_a_network_namespace_without_a_route(folder: Path) -> None:
    unshare = shutil.which("unshare")
    isolated = [unshare or "unshare", "--user", "--map-root-user", "--net"]
    if unshare is None or subprocess.run([*isolated, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system does not let us make a network namespace")
    reach = "import socket; socket.create_connection(('127.0.0.1', 9), timeout=2)"
    lonely = subprocess.run(
        [*isolated, sys.executable, "-c", reach], capture_output=True, text=True, check=False
    )
    assert "unreachable" in lonely.stderr.lower(), "the namespace has a route after all"
    command = [sys.executable, "-m", "rag.cli", "ask", QUESTION, "--index", str(folder), "--json"]
    done = subprocess.run([*isolated, *command], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert "60 days" in json.dumps(answer, ensure_ascii=False)
