"""The index as users hold it: opening, its embedder, searching while it is written, deleting, verifying."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from rag.errors import IndexBusy, IndexMismatch, IndexMissing, InputError, ModelError
from rag.index import Index, open_index
from rag.store import index_file
from rag.store.schema import DATABASE
from rag.types import Filters
from tests.fakes import FakeEmbedder
from tests.indexing import CHINESE, LEASE, LOAN, contents, new_index, run_here, waits_until, write_files

FILES = {"lease.md": LEASE, "sub/loan.md": LOAN, "劳动合同.txt": CHINESE}


@pytest.fixture(autouse=True)
def _read_here(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only tests that name `workers` start processes."""
    if "workers" not in request.fixturenames:
        monkeypatch.setattr("rag.store.ingest.run_in_workers", run_here)


@pytest.fixture
def workers() -> int:
    return 2


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished index that no test writes to."""
    root = tmp_path_factory.mktemp("built")
    with pytest.MonkeyPatch.context() as patch, new_index(root / "index") as index:
        patch.setattr("rag.store.ingest.run_in_workers", run_here)
        index.ingest(write_files(root / "docs", FILES))
    return root / "index"


@pytest.fixture
def index(tmp_path: Path):
    with new_index(tmp_path / "index") as opened:
        opened.ingest(write_files(tmp_path / "docs", FILES))
        yield opened


def test_missing_index_is_said_with_the_command_and_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(IndexMissing, match="citewise ingest PATH --index"):
        open_index(tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_index_of_another_embedder_names_both_and_the_command(built: Path) -> None:
    other = FakeEmbedder(name="other-model")
    with pytest.raises(IndexMismatch) as caught:
        open_index(built, embedder=other)
    message = str(caught.value)
    assert "fake (" in message
    assert "other-model" in message
    assert f"citewise ingest PATH --index {built} --rebuild" in message


@pytest.mark.models
def test_embedder_given_by_name_is_compared_when_it_is_first_needed(built: Path) -> None:
    with open_index(built, embedder="embedded") as index:
        assert len(index.documents()) == 3
        with pytest.raises(IndexMismatch, match="all-MiniLM-L6-v2"):
            index.search("notice period")


@pytest.mark.parametrize("version", ["CHUNKER_VERSION", "TOKENS_VERSION"])
def test_index_of_another_chunker_or_tokeniser_is_a_mismatch(
    built: Path, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_file, version, 999)
    with pytest.raises(IndexMismatch, match=r"version \d+ .* version 999.*--rebuild"):
        open_index(built, embedder=FakeEmbedder())


def test_rebuild_starts_anew_with_the_embedder_given(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "docs", FILES)
    with new_index(tmp_path / "index") as index:
        index.ingest(folder)
    (tmp_path / "index" / "my notes.txt").write_text("not ours")
    other = FakeEmbedder(name="other", dimension=32)
    with open_index(tmp_path / "index", embedder=other, rebuild=True) as index:
        assert index.documents() == []
        assert index.ingest(folder).vectors > 0
        assert index.stats().manifest.space.info.name == "other"
        assert index.verify().ok
    assert (tmp_path / "index" / "my notes.txt").exists()


def test_rebuild_with_an_embedder_that_is_missing_keeps_the_index(index: Index) -> None:
    with pytest.raises(ModelError):
        open_index(index.folder, embedder="no-such-model", rebuild=True)
    assert len(index.documents()) == 3
    assert index.verify().ok


def test_rebuild_while_somebody_writes_is_refused(index: Index) -> None:
    with index.store.writing(), pytest.raises(IndexBusy):
        open_index(index.folder, embedder=FakeEmbedder(), rebuild=True)
    assert len(index.documents()) == 3


def test_opening_reads_no_model_and_takes_no_time(built: Path) -> None:
    code = (
        "import sys, time\n"
        "from rag.index import open_index\n"
        "began = time.process_time()\n"
        f"index = open_index({str(built)!r})\n"
        "index.documents(); index.store.lexical(['notic'], limit=3)\n"
        "print(time.process_time() - began)\n"
        "slow = ('torch', 'faiss', 'onnxruntime', 'lxml', 'pydantic')\n"
        "print([m for m in slow if m in sys.modules])\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    seconds, loaded = run.stdout.splitlines()
    assert float(seconds) < 0.05
    assert loaded == "[]"


def test_search_does_not_import_what_only_ingest_needs(built: Path) -> None:
    code = (
        "import sys\n"
        "from rag.index import open_index\n"
        "from tests.fakes import FakeEmbedder\n"
        f"with open_index({str(built)!r}, embedder=FakeEmbedder()) as index:\n"
        "    assert index.search('What is the notice period?', 3)\n"
        "print([m for m in sys.modules if m.startswith(('langchain', 'langsmith', 'markdown_it'))])\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_search_finds_by_meaning_and_words_and_respects_filters(built: Path) -> None:
    with open_index(built, embedder=FakeEmbedder()) as index:
        hits = index.search("What is the notice period?", 3)
        assert hits[0].document.path == "lease.md"
        assert {leg.name for leg in hits[0].legs} == {"lexical", "dense"}
        only = index.search("What is the notice period?", 3, filters=Filters(documents=("sub/*",)))
        assert {h.document.path for h in only} == {"sub/loan.md"}
        assert index.search("What is it?", 3, filters=Filters(documents=("none",))) == []


def test_same_question_gives_the_same_hits(built: Path) -> None:
    with open_index(built, embedder=FakeEmbedder()) as a, open_index(built, embedder=FakeEmbedder()) as b:
        assert a.search("interest of the loan") == b.search("interest of the loan")


def test_embedder_is_given_only_for_languages_it_knows(tmp_path: Path) -> None:
    with new_index(tmp_path, FakeEmbedder(languages=("en",))) as index:
        assert index.embedder_for("en") is index.embedder
        assert index.embedder_for("zh") is None


def test_the_installed_embedder_helps_one_of_many_languages_and_no_other(tmp_path: Path) -> None:
    many = FakeEmbedder()
    many.info = replace(many.info, cosines=(("en", 0.7, 1.0), ("zh", 0.7, 1.0)))
    with new_index(tmp_path / "many", many) as index:
        closer = index.closer_for("en")
        assert closer is not None and closer.info.languages == ("en",)
        assert index.closer_for("zh") is None
    with new_index(tmp_path / "one", FakeEmbedder(languages=("en",))) as index:
        assert index.closer_for("en") is None


def test_delete_takes_paths_sources_and_patterns(index: Index, tmp_path: Path) -> None:
    assert index.delete(["lease.md"]) == ["lease.md"]
    assert all(h.document.path != "lease.md" for h in index.search("notice period"))
    assert index.delete(["sub/*", str(tmp_path / "docs" / "劳动合同.txt")]) == ["sub/loan.md", "劳动合同.txt"]
    assert index.documents() == []
    assert (index.stats().passages, index.stats().vectors) == (0, 0)
    assert index.verify().ok
    assert (tmp_path / "docs" / "lease.md").exists()


def test_delete_of_an_unknown_path_removes_nothing(index: Index) -> None:
    with pytest.raises(InputError, match=r"holds no document none\.md"):
        index.delete(["lease.md", "none.md"])
    assert len(index.documents()) == 3


def test_verify_finds_text_that_passages_do_not_cover(index: Index) -> None:
    import sqlite3

    connection = sqlite3.connect(index.folder / DATABASE)
    connection.execute("UPDATE chunks SET end = end - 3 WHERE id = (SELECT min(id) FROM chunks)")
    connection.commit()
    connection.close()
    report = index.verify()
    assert not report.ok


def test_stats_count_what_is_there(index: Index) -> None:
    stats = index.stats()
    assert (stats.documents, stats.unreadable, stats.pending) == (3, 0, 0)
    assert stats.passages == stats.vectors == sum(d.chunks for d in index.documents())
    assert stats.bytes > 10_000


def test_searches_go_on_in_other_threads_while_an_ingest_runs(tmp_path: Path, workers: int) -> None:
    texts = {f"{n}.md": f"# Note {n}\n\n" + f"Number {n} stands here. " * 60 for n in range(60)}
    folder = write_files(tmp_path / "docs", texts)
    errors: list[BaseException] = []
    answered: list[int] = []
    done = threading.Event()
    with new_index(tmp_path / "index") as index:

        def ask() -> None:
            while not done.is_set():
                try:
                    hits = index.search("number stands here", 5)
                    answered.append(len(hits))
                    for hit in hits:
                        assert index.text(hit.document.id)[hit.chunk.start : hit.chunk.end] == hit.chunk.text
                except BaseException as error:
                    errors.append(error)
                    return
                time.sleep(0.01)

        threads = [threading.Thread(target=ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        report = index.ingest(folder)
        assert waits_until(lambda: bool(answered and answered[-1] == 5) or bool(errors))
        done.set()
        for thread in threads:
            thread.join()
        assert errors == []
        assert report.count("added") == 60
        assert index.verify().ok


def test_what_another_process_wrote_is_seen_without_reopening(index: Index, tmp_path: Path) -> None:
    index.search("notice period")  # the FAISS index is loaded now
    more = write_files(tmp_path / "more", {"new.md": "# Quasar\n\nThe quasar shines.\n"})
    with open_index(index.folder, embedder=FakeEmbedder()) as other:
        other.ingest(more)
    hit = index.search("quasar", 1)[0]
    assert hit.document.path == "new.md"
    assert {leg.name for leg in hit.legs} == {"lexical", "dense"}


@pytest.mark.models
def test_real_embedder_real_parsers_and_workers_from_files_to_hits(tmp_path: Path, workers: int) -> None:
    folder = write_files(tmp_path / "docs", FILES)
    with open_index(tmp_path / "index", create=True) as index:
        report = index.ingest(folder)
        assert report.count("added") == 3
        assert (
            index.search("How long beforehand must the tenant give notice?", 1)[0].document.path == "lease.md"
        )
        assert index.search("劳动者怎样解除劳动合同", 1)[0].document.path == "劳动合同.txt"
        assert index.verify().ok
        held = contents(index.store)
    with open_index(tmp_path / "index") as again:
        assert contents(again.store) == held


@pytest.mark.models
def test_embedder_given_as_an_object_can_make_fill_and_share_indexes(tmp_path: Path) -> None:
    from rag.config import default_cache_dir
    from rag.models.embedder import load_embedder

    embedder = load_embedder(cache_dir=default_cache_dir())
    folder = write_files(tmp_path / "docs", FILES)
    with open_index(tmp_path / "index", embedder=embedder, create=True) as index:
        assert index.ingest(folder).vectors > 0
        assert index.embedder is embedder
    with open_index(tmp_path / "index") as index:  # and whoever opens it later loads the same by its name
        assert index.search("notice period", 1)[0].document.path == "lease.md"


def test_object_that_no_other_process_can_load_is_refused_before_any_file_is_read(tmp_path: Path) -> None:
    class Unsendable(FakeEmbedder):
        def __reduce__(self) -> str:
            raise TypeError("cannot be pickled")

    with new_index(tmp_path / "index", Unsendable()) as index, pytest.raises(InputError, match="name"):
        index.ingest(write_files(tmp_path / "docs", FILES))
