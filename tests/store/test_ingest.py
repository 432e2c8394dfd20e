"""Ingest: every file gets one status, what is the same is skipped, and no bad file stops a run."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rag.errors import InputError
from rag.index import Index
from rag.store import reading
from rag.store.ingest import _embedding_batches
from rag.store.reading import Job, Read, scan
from rag.types import FileStatus, Filters, Progress
from tests.fakes import FakeEmbedder
from tests.indexing import CHINESE, LEASE, LOAN, changes, contents, found, new_index, run_here, write_files


@pytest.fixture(autouse=True)
def _read_here(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only tests that name `workers` start processes."""
    if "workers" not in request.fixturenames:
        monkeypatch.setattr("rag.store.ingest.run_in_workers", run_here)


@pytest.fixture
def workers() -> int:
    return 2


@pytest.fixture
def index(tmp_path: Path):
    with new_index(tmp_path / "index") as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_files(tmp_path / "docs", {"lease.md": LEASE, "sub/loan.md": LOAN, "劳动合同.txt": CHINESE})


def test_second_ingest_skips_everything_and_changes_nothing(index: Index, folder: Path) -> None:
    report = index.ingest(folder)
    assert changes(report.files) == {"lease.md": "added", "sub/loan.md": "added", "劳动合同.txt": "added"}
    assert report.vectors == report.passages > 0
    assert 0 < report.seconds_to_answerable <= report.seconds
    generation, held = index.store.generation(), contents(index.store)
    again = index.ingest(folder)
    assert set(changes(again.files).values()) == {"skipped"}
    assert (index.store.generation(), contents(index.store)) == (generation, held)
    assert index.verify().ok


def test_changed_file_is_updated_and_touched_file_is_skipped(index: Index, folder: Path) -> None:
    index.ingest(folder)
    (folder / "lease.md").write_text(LEASE.replace("30 days", "45 days"), encoding="utf-8")
    os.utime(folder / "sub" / "loan.md", ns=(5, 5))
    report = index.ingest(folder)
    assert changes(report.files) == {
        "lease.md": "updated",
        "sub/loan.md": "skipped",
        "劳动合同.txt": "skipped",
    }
    assert found(index.store, "45") == ["lease.md"]
    assert found(index.store, "30") == []
    known = {k.info.path: k for k in _known(index).values()}
    assert known["sub/loan.md"].mtime_ns == 5  # the next run need not read it again
    assert index.verify().ok


def _known(index: Index):
    with index.store.writing() as writer:
        return writer.known()


def test_sync_removes_what_is_gone_below_the_folder_and_nothing_else(index: Index, folder: Path) -> None:
    other = write_files(folder.parent / "other", {"kept.md": LOAN})
    index.ingest(folder, other)
    (folder / "lease.md").unlink()
    (other / "kept.md").unlink()
    assert "lease.md" not in changes(index.ingest(folder).files)
    assert changes(index.ingest(folder, sync=True).files)["lease.md"] == "removed"
    assert [d.path for d in index.documents()] == ["kept.md", "sub/loan.md", "劳动合同.txt"]
    assert found(index.store, "month") == []
    assert index.verify().ok


def test_sync_keeps_documents_of_a_folder_in_which_nothing_lies_any_more(index: Index, folder: Path) -> None:
    other = write_files(folder.parent / "other", {"kept.md": LOAN})
    index.ingest(folder, other)
    (other / "kept.md").unlink()
    (folder / "lease.md").unlink()
    report = index.ingest(folder, other, sync=True)
    assert changes(report.files)[str(other)] == "failed", "a drive that is not connected looks like this"
    assert [d.path for d in index.documents()] == ["kept.md", "sub/loan.md", "劳动合同.txt"]


def test_moved_and_renamed_files_keep_their_documents_and_vectors(index: Index, folder: Path) -> None:
    index.ingest(folder)
    before = {d.sha256: d.id for d in index.documents()}
    embedded = index.embedder.passages_embedded  # type: ignore[attr-defined]
    (folder / "signed").mkdir()
    (folder / "lease.md").rename(folder / "signed" / "lease of the harbour.md")
    (folder / "劳动合同.txt").rename(folder / "employment.txt")
    report = index.ingest(folder)
    assert changes(report.files) == {
        "signed/lease of the harbour.md": "moved",
        "employment.txt": "moved",
        "sub/loan.md": "skipped",
    }
    assert {d.sha256: d.id for d in index.documents()} == before
    assert index.embedder.passages_embedded == embedded  # type: ignore[attr-defined]
    assert index.stats().vectors == report.vectors == report.passages
    assert found(index.store, "harbour") == ["signed/lease of the harbour.md"]
    assert index.verify().ok
    assert changes(index.ingest(folder, sync=True).files) == dict.fromkeys(changes(report.files), "skipped")


def test_copy_is_no_move_and_a_file_outside_the_folder_given_stays(index: Index, folder: Path) -> None:
    index.ingest(folder)
    (folder / "copy.md").write_text(LEASE, encoding="utf-8")
    assert changes(index.ingest(folder).files)["copy.md"] == "added"
    (folder / "lease.md").unlink()
    (folder / "sub" / "lease.md").write_text(LEASE, encoding="utf-8")
    assert changes(index.ingest(folder / "sub").files)["lease.md"] == "added"


def test_sync_keeps_documents_of_a_folder_that_cannot_be_read(
    index: Index, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.ingest(folder)
    real = os.scandir

    def refuse(path: str):
        if str(path).endswith("sub"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(reading.os, "scandir", refuse)
    report = index.ingest(folder, sync=True)
    assert changes(report.files)["sub"] == "failed"
    assert "sub/loan.md" in [d.path for d in index.documents()]


def test_empty_folder_gives_a_report_of_no_files(index: Index, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    report = index.ingest(tmp_path / "empty")
    assert (report.files, report.passages, report.vectors) == ((), 0, 0)


def test_path_that_does_not_exist_is_an_input_error(index: Index, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        index.ingest(tmp_path / "nowhere")
    with pytest.raises(InputError, match="at least one"):
        index.ingest()


def test_folder_with_nothing_readable_reports_each_file_and_why(index: Index, tmp_path: Path) -> None:
    folder = tmp_path / "bad"
    folder.mkdir()
    (folder / "zero.txt").write_bytes(b"")
    (folder / "picture.png").write_bytes(b"\x89PNG")
    (folder / "broken.docx").write_bytes(b"this is no zip")
    (folder / "gone.txt").symlink_to(folder / "nothing")
    os.mkfifo(folder / "pipe.txt")
    report = index.ingest(folder)
    statuses = {f.path: f.status for f in report.files}
    assert statuses == {
        "broken.docx": FileStatus.CORRUPT,
        "gone.txt": FileStatus.UNREADABLE,
        "picture.png": FileStatus.UNSUPPORTED,
        "pipe.txt": FileStatus.UNREADABLE,
        "zero.txt": FileStatus.EMPTY,
    }
    assert len(report.failed) == 5
    assert all(f.detail for f in report.failed)
    assert {d.path: d.status for d in index.documents()} == statuses
    again = index.ingest(folder)
    assert {f.path: f.status for f in again.failed} == statuses


def test_one_bad_file_does_not_stop_the_others(index: Index, folder: Path) -> None:
    (folder / "bad.docx").write_bytes(b"junk")
    report = index.ingest(folder)
    assert changes(report.files)["bad.docx"] == "failed"
    assert report.count("added") == 3


def test_file_that_became_unreadable_is_no_longer_quoted(index: Index, folder: Path) -> None:
    index.ingest(folder)
    (folder / "lease.md").write_bytes(b"")
    report = index.ingest(folder)
    assert changes(report.files)["lease.md"] == "failed"
    assert found(index.store, "notic") == []
    (folder / "lease.md").write_text(LEASE, encoding="utf-8")
    assert changes(index.ingest(folder).files)["lease.md"] == "updated"
    assert found(index.store, "notic") == ["lease.md"]


NAMES = [
    "with blanks  .md",
    "合同（二）.md",
    "🙂🏛️.md",
    "a" * 252 + ".md",
    "'quote\".md",
    "%00&#x.md",
    "new\nline.md",
]


def test_names_of_any_kind_are_read_shown_and_kept_apart(index: Index, tmp_path: Path) -> None:
    names = [*NAMES, "caf\u00e9.md", "cafe\u0301.md"]  # the last two look the same: NFC and NFD
    folder = tmp_path / "names"
    folder.mkdir()
    for number, name in enumerate(names):
        (folder / name).write_text(f"Unique number {number + 5000}.", encoding="utf-8")
    report = index.ingest(folder)
    assert report.count("added") == len(names)
    for number, name in enumerate(names):
        assert found(index.store, str(number + 5000)) == [name]
        (info,) = (d for d in index.documents() if d.path == name)
        assert Path(info.source) == folder / name
    assert set(changes(index.ingest(folder).files).values()) == {"skipped"}


def test_name_of_bytes_that_are_no_utf8_is_read_and_shown_printable(index: Index, tmp_path: Path) -> None:
    folder = tmp_path / "bytes"
    folder.mkdir()
    raw = os.fsencode(folder) + b"/r\xe9sum\xe9.txt"
    with open(raw, "w") as file:  # noqa: PTH123
        file.write("The salary is 7000.")
    report = index.ingest(folder)
    (result,) = report.files
    assert (result.change, result.path) == ("added", "r\\xe9sum\\xe9.txt")
    assert os.fsencode(index.documents()[0].source) == raw
    assert changes(index.ingest(folder).files) == {result.path: "skipped"}


def test_loop_of_links_ends_and_every_file_is_taken_once(index: Index, folder: Path) -> None:
    (folder / "sub" / "back").symlink_to(folder, target_is_directory=True)
    (folder / "self").symlink_to(folder / "self")
    (folder / "alias.md").symlink_to(folder / "lease.md")
    (folder / "a link").symlink_to(folder / "sub", target_is_directory=True)
    report = index.ingest(folder)
    assert sorted(f.path for f in report.files if f.change == "added") == [
        "lease.md",
        "sub/loan.md",
        "劳动合同.txt",
    ]
    assert [f.path for f in report.failed] == ["self"]


def test_folder_behind_a_link_outside_is_read(tmp_path: Path) -> None:
    outside = write_files(tmp_path / "outside", {"a.md": LEASE})
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "link").symlink_to(outside, target_is_directory=True)
    assert [f.path for f in scan([tmp_path / "root"]).files] == ["link/a.md"]


def test_hidden_files_lock_files_and_indexes_are_passed_over(index: Index, folder: Path) -> None:
    write_files(folder, {".hidden.md": LOAN, ".git/x.md": LOAN, "~$lease.docx": "x", ".~lock.lease.md#": "x"})
    with new_index(folder / "index inside") as inside:
        inside.ingest(write_files(folder / "index inside", {"beside.md": LOAN}))  # its FAISS file too
    assert {f.path for f in index.ingest(folder).files} == {
        "index inside/beside.md",
        "lease.md",
        "sub/loan.md",
        "劳动合同.txt",
    }
    (folder / "index inside" / "citewise.sqlite").unlink()
    assert not index.ingest(folder).failed


def test_file_without_permission_is_unreadable_and_the_rest_is_read(
    index: Index, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid():
        (folder / "lease.md").chmod(0)
    else:  # root reads everything: let the system say no
        real = os.stat

        def refuse(path: object, *args: object, **kwargs: object) -> os.stat_result:
            if str(path).endswith("lease.md"):
                raise PermissionError(13, "Permission denied", path)
            return real(path, *args, **kwargs)  # type: ignore[arg-type]

        monkeypatch.setattr(reading.os, "stat", refuse)
    report = index.ingest(folder)
    assert report.count("added") == 2
    (failed,) = report.failed
    assert (failed.path, failed.status) == ("lease.md", FileStatus.UNREADABLE)
    assert "ermi" in failed.detail


def test_same_file_given_twice_is_taken_once(index: Index, folder: Path) -> None:
    report = index.ingest(folder, folder / "lease.md", str(folder) + "/")
    assert [f.path for f in report.files] == ["lease.md", "sub/loan.md", "劳动合同.txt"]


def test_texts_can_be_asked_before_their_vectors_exist(tmp_path: Path, folder: Path) -> None:
    asked: list[str] = []

    class Asking(FakeEmbedder):
        def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
            asked.extend(h.document.path for h in index.search("notice period", 1))
            return super().embed_passages(texts)

    embedder = Asking()
    embedder.token_counter = FakeEmbedder().count_tokens  # type: ignore[attr-defined]  # can be pickled
    with new_index(tmp_path / "index", embedder) as index:
        index.ingest(folder)
    assert asked == ["lease.md"]


def test_stopped_ingest_is_completed_by_the_next(index: Index, folder: Path) -> None:
    stop = threading.Event()

    def stop_at_vectors(progress: Progress) -> None:
        if progress.stage == "vectors":
            stop.set()

    report = index.ingest(folder, progress=stop_at_vectors, stop=stop)
    assert report.count("added") == 3
    assert report.vectors < report.passages
    assert index.stats().pending == report.passages - report.vectors
    assert [h.document.path for h in index.search("notice period", 1)] == ["lease.md"]
    finished = index.ingest(folder)
    assert set(changes(finished.files).values()) == {"skipped"}
    assert finished.vectors == finished.passages


def test_ingest_that_is_stopped_at_once_reads_little_and_leaves_a_sound_index(
    index: Index, tmp_path: Path
) -> None:
    folder = write_files(tmp_path / "many", {f"{n}.md": f"# Note {n}\n\nNumber {n}.\n" for n in range(40)})
    stop = threading.Event()
    stop.set()
    report = index.ingest(folder, stop=stop)
    assert len(report.files) < 40
    assert index.verify().ok
    assert index.ingest(folder).passages == 40


def test_stop_does_not_wait_for_the_file_in_hand(
    tmp_path: Path, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.store.ingest.read_file", sleep_long)
    folder = write_files(tmp_path / "docs", {"a.md": LEASE, "b.md": LOAN})
    stop = threading.Event()
    stopped: list[float] = []

    def request() -> None:
        stopped.append(time.monotonic())
        stop.set()

    timer = threading.Timer(1.0, request)
    with new_index(tmp_path / "index") as index:
        timer.start()
        report = index.ingest(folder, workers=workers, stop=stop)
        assert time.monotonic() - stopped[0] < 3
        assert report.files == ()  # no verdict on what was cut short
        monkeypatch.undo()
        assert index.ingest(folder, workers=workers).count("added") == 2


def sleep_long(job: Job) -> Read:
    time.sleep(60)
    return Read(None)


def test_file_whose_worker_died_is_read_again_by_the_next_ingest(
    tmp_path: Path, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.store.ingest.read_file", die)
    folder = write_files(tmp_path / "docs", {"a.md": LEASE})
    with new_index(tmp_path / "index") as index:
        (failed,) = index.ingest(folder, workers=workers).failed
        assert failed.status is FileStatus.UNREADABLE
        assert "exit code 3" in failed.detail
        monkeypatch.undo()
        assert changes(index.ingest(folder, workers=workers).files) == {"a.md": "updated"}


def die(job: Job) -> Read:
    os._exit(3)


def test_progress_counts_files_then_passages_to_the_end(index: Index, folder: Path) -> None:
    seen: list[Progress] = []
    report = index.ingest(folder, progress=seen.append)
    assert list(dict.fromkeys(p.stage for p in seen)) == ["scan", "texts", "vectors"]
    for stage, total in (("texts", 3), ("vectors", report.passages)):
        steps = [p for p in seen if p.stage == stage]
        assert [p.done for p in steps] == sorted(p.done for p in steps)
        assert (steps[-1].done, steps[-1].total, steps[-1].remaining) == (total, total, 0.0)
        assert steps[-1].rate > 0


def test_long_passages_are_embedded_a_few_at_a_time_so_that_a_stop_waits_no_second() -> None:
    window = [(n, "x" * (n * 37 % 1500 + 1)) for n in range(500)]
    batches = list(_embedding_batches(window))
    assert sorted(row for batch in batches for row in batch) == window
    assert all(len(batch) <= 64 and sum(len(text) for _, text in batch) <= 8000 for batch in batches)
    assert len(batches) < 100  # and not one by one
    assert [len(batch) for batch in _embedding_batches([(1, "x" * 20_000), (2, "y" * 9000)])] == [1, 1]


def test_language_the_embedder_does_not_know_gets_no_vectors_and_is_not_waiting(
    tmp_path: Path, folder: Path
) -> None:
    with new_index(tmp_path / "english", FakeEmbedder(languages=("en",))) as index:
        report = index.ingest(folder)
        chinese = index.store.chunk_ids(Filters(languages=("zh",)))
        assert len(chinese) > 0
        assert report.vectors == report.passages - len(chinese)
        assert index.stats().pending == 0
        assert [h.document.path for h in index.search("劳动者怎样解除劳动合同", 1)] == ["劳动合同.txt"]


def test_worker_processes_give_the_same_content_as_this_one(
    tmp_path: Path, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {f"{n}.md": f"# Note {n}\n\n" + f"Number {n} stands here. " * 80 for n in range(12)}
    folder = write_files(tmp_path / "many", {**files, "zh.txt": CHINESE, "zero.md": ""})
    with new_index(tmp_path / "one") as one, new_index(tmp_path / "two") as two:
        report = one.ingest(folder, workers=workers)
        assert (report.count("added"), report.count("failed")) == (13, 1)
        monkeypatch.setattr("rag.store.ingest.run_in_workers", run_here)
        two.ingest(folder)
        assert contents(one.store) == contents(two.store)
