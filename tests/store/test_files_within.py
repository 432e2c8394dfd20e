"""Files that lie in mails and ZIP folders are documents of their own: read, cited, updated and removed as
others are."""

from __future__ import annotations

import io
import zipfile
from email.message import EmailMessage
from pathlib import Path

import pytest

from rag.index import Index
from rag.types import FileStatus
from tests.indexing import changes, found, new_index, run_here


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("rag.store.ingest.run_in_workers", run_here)
    with new_index(tmp_path / "index") as opened:
        yield opened


def mail(**attached: str) -> bytes:
    message = EmailMessage()
    message["Subject"], message["From"] = "Rope offer", "Ada Moss <ada@orlan.example>"
    message.set_content("Our offer is attached.")
    for name, text in attached.items():
        message.add_attachment(text, filename=name.replace("_", "."))
    return message.as_bytes()


def packed(files: dict[str, bytes | str]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return target.getvalue()


def write(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def paths(index: Index) -> list[str]:
    return [info.path for info in index.documents()]


def test_what_is_attached_to_a_mail_is_a_document_that_is_found(index: Index, tmp_path: Path) -> None:
    folder = write(tmp_path / "in", {"offer.eml": mail(rope_txt="Hemp rope costs 9 marks a fathom.")})
    report = index.ingest(folder)
    assert changes(report.files) == {"offer.eml": "added", "offer.eml/rope.txt": "added"}
    assert "offer.eml/rope.txt" in found(index.store, "fathom")
    assert set(changes(index.ingest(folder).files).values()) == {"skipped"}
    assert index.verify().ok


def test_a_folder_within_a_zip_within_a_zip_keeps_its_path(index: Index, tmp_path: Path) -> None:
    inner = packed({"mails/offer.eml": mail(rope_txt="Hemp rope costs 9 marks.")})
    folder = write(
        tmp_path / "in", {"all.zip": packed({"2024/q.zip": inner, "租约.md": "# 租约\n\n租金3000元。"})}
    )
    report = index.ingest(folder)
    assert {f.path for f in report.files if f.status is FileStatus.OK} == {
        "all.zip", "all.zip/2024/q.zip", "all.zip/2024/q.zip/mails/offer.eml",
        "all.zip/2024/q.zip/mails/offer.eml/rope.txt", "all.zip/租约.md",
    }  # fmt: skip


def test_messages_and_folders_within_a_message_of_outlook_are_read(index: Index, tmp_path: Path) -> None:
    pytest.importorskip("oxmsg")
    data = (Path(__file__).parents[1] / "data" / "forwarded.msg").read_bytes()
    index.ingest(write(tmp_path / "in", {"forwarded.msg": data}))
    read = {d.path.removeprefix("forwarded.msg/") for d in index.documents() if d.status is FileStatus.OK}
    assert read == {
        "forwarded.msg", "rates.rtf", "house.zip", "house.zip/rules.rtf", "house.zip/2025/terms.csv",
        "notes.eml", "notes.eml/rates.rtf",
    }  # fmt: skip
    (text,) = [index.text(d.id) for d in index.documents() if d.path == "forwarded.msg"]
    assert "offer 报价" in text and "notes 报价" in text


def test_what_is_no_longer_in_a_file_goes_and_what_is_new_in_it_comes(index: Index, tmp_path: Path) -> None:
    folder = write(tmp_path / "in", {"offer.eml": mail(a_txt="Apples cost 3.", b_txt="Pears cost 4.")})
    index.ingest(folder)
    write(folder, {"offer.eml": mail(b_txt="Pears cost 5.", c_txt="Plums cost 6.")})
    index.ingest(folder)
    assert paths(index) == ["offer.eml", "offer.eml/b.txt", "offer.eml/c.txt"]
    (folder / "offer.eml").rename(folder / "offer.bak")
    index.ingest(folder, sync=True)
    assert paths(index) == ["offer.bak"], "which is not read"


def test_a_file_is_deleted_with_what_is_in_it_and_one_in_it_alone_comes_back(
    index: Index, tmp_path: Path
) -> None:
    folder = write(tmp_path / "in", {"offer.eml": mail(a_txt="Apples cost 3.")})
    index.ingest(folder)
    assert index.delete(["offer.eml/a.txt"]) == ["offer.eml/a.txt"]
    assert changes(index.ingest(folder).files) == {"offer.eml": "skipped", "offer.eml/a.txt": "added"}
    assert index.delete(["offer.eml"]) == ["offer.eml", "offer.eml/a.txt"]
    assert paths(index) == []


def test_a_bad_file_within_is_told_of_and_stops_no_other(index: Index, tmp_path: Path) -> None:
    files = {"bad.docx": b"PK no", "good.txt": b"Rope is sold by the fathom."}
    report = index.ingest(write(tmp_path / "in", {"all.zip": packed(files)}))
    assert {f.path: f.status for f in report.files} == {
        "all.zip": FileStatus.OK, "all.zip/bad.docx": FileStatus.CORRUPT, "all.zip/good.txt": FileStatus.OK,
    }  # fmt: skip
