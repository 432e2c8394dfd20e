"""A file that cannot be read says why, by status, and never in any other way than ParseError."""

from __future__ import annotations

import io
import os
import time
import zipfile
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from rag.errors import ConfigError, ParseError
from rag.parsers import SUFFIXES, Limits, parse
from rag.parsers.pool import run_in_workers
from tests.files import docx_bytes, encrypted_pdf, pdf_bytes, raw_pdf, scanned_pdf, write, xlsx_bytes

ONE_PAGE = [["The fee is 12 euros."]]


def failure(path: Path, limits: Limits = Limits(), **options: bool) -> ParseError:  # noqa: B008
    with pytest.raises(ParseError) as caught:
        parse(path, path=path.name, limits=limits, **options)
    assert path.name in str(caught.value)
    return caught.value


@pytest.mark.parametrize("suffix", sorted(SUFFIXES))
def test_zero_bytes_are_empty_in_every_format(tmp_path: Path, suffix: str) -> None:
    assert failure(write(tmp_path, f"a{suffix}", b"")).status == "empty"


@pytest.mark.parametrize("suffix", [".txt", ".md", ".html", ".csv"])
def test_white_space_alone_is_empty(tmp_path: Path, suffix: str) -> None:
    assert failure(write(tmp_path, f"a{suffix}", b" \n\t\r\n ")).status == "empty"


@pytest.mark.parametrize("suffix", [".pdf", ".docx", ".xlsx"])
def test_text_under_a_binary_suffix_is_corrupt(tmp_path: Path, suffix: str) -> None:
    assert failure(write(tmp_path, f"a{suffix}", "just some words\n" * 50)).status == "corrupt"


@pytest.mark.parametrize("suffix", [".docx", ".xlsx"])
def test_a_cut_or_foreign_zip_is_corrupt(tmp_path: Path, suffix: str) -> None:
    whole = docx_bytes([("Normal", "text")]) if suffix == ".docx" else xlsx_bytes({"A": [["x", "y"]]})
    assert failure(write(tmp_path, f"cut{suffix}", whole[: len(whole) // 2])).status == "corrupt"
    foreign = tmp_path / f"foreign{suffix}"
    with zipfile.ZipFile(foreign, "w") as archive:
        archive.writestr("readme.txt", "hello")
    assert failure(foreign).status == "corrupt"


def test_docx_with_broken_xml_inside_is_corrupt(tmp_path: Path) -> None:
    source, target = write(tmp_path, "ok.docx", docx_bytes([("Normal", "text")])), tmp_path / "broken.docx"
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, data[: len(data) // 2] if name == "word/document.xml" else data)
    assert failure(target).status == "corrupt"


def test_an_archive_that_unfolds_beyond_measure_is_too_large(tmp_path: Path) -> None:
    path = tmp_path / "bomb.docx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"\0" * 5_000_000)
    assert failure(path, Limits(max_bytes=100_000)).status == "too_large"


def edited(data: bytes, edit: Callable[[str, bytes], tuple[str, bytes] | None]) -> bytes:
    """An Office file with its parts (name, bytes) as `edit` gives them back; None leaves one out."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            if (part := edit(name, old.read(name))) is not None:
                new.writestr(*part)
    return target.getvalue()


def _strict(name: str, part: bytes) -> tuple[str, bytes]:
    for kind in (b"wordprocessingml", b"spreadsheetml", b"officeDocument", b"drawingml"):
        usual, strict = b"http://schemas.openxmlformats.org/%s/2006/", b"http://purl.oclc.org/ooxml/%s/"
        part = part.replace(usual % kind, strict % kind)
    return name, part


def _without_parts(name: str, part: bytes) -> tuple[str, bytes] | None:
    """Styles, themes and properties are missing, though relations lead to them."""
    return None if "styles" in name or "theme" in name or "docProps" in name else (name, part)


def _two_sets(name: str, part: bytes) -> tuple[str, bytes]:
    if name != "_rels/.rels":
        return name, part
    kind = b"http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties"
    more = b'<Relationship Id="z" Type="%s" Target="docProps/core2.xml"/></Relationships>' % kind
    return name, part.replace(b"</Relationships>", more)


def _without_types(name: str, part: bytes) -> tuple[str, bytes]:
    empty = b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
    return name, empty if name == "[Content_Types].xml" else part


_MENDED: dict[str, Callable[[str, bytes], tuple[str, bytes] | None]] = {
    "strict": _strict,
    "capitals": lambda name, part: (name if name.startswith(("[", "_")) else name.upper(), part),
    "backslashes": lambda name, part: (name.replace("/", "\\"), part),
    "missing parts": _without_parts,
    "two sets of properties": _two_sets,
    "no types listed": _without_types,
    "damaged styles": lambda name, part: (name, part[:90] if name.endswith("styles.xml") else part),
}


@pytest.mark.parametrize("suffix", [".docx", ".xlsx"])
@pytest.mark.parametrize("damage", sorted(_MENDED))
def test_what_an_office_program_opens_is_read(tmp_path: Path, suffix: str, damage: str) -> None:
    if (suffix, damage) == (".xlsx", "damaged styles"):
        pytest.skip("the library for workbooks needs whole styles")
    content = [
        ("Heading 1", "Fees"),
        ("Normal", "The fee is 12 euros."),
        ("table", [["Item", "Price"], ["Saw", "9"]]),
    ]
    sheet = {"Fees": [["Item", "Price"], ["Saw", 12.5], ["Nail", 3]]}
    whole = docx_bytes(content) if suffix == ".docx" else xlsx_bytes(sheet)
    path = write(tmp_path, f"a{suffix}", edited(whole, _MENDED[damage]))
    words = (
        ["Fees", "Item | Price", "Saw | 12.5"]
        if suffix == ".xlsx"
        else ["12 euros", "Item | Price", "Saw | 9"]
    )
    text = parse(path, path=path.name).text
    assert all(word in text for word in words)


HTML_TABLE = b"<html><body><table><tr><th>Item<th>Price<tr><td>Rope<td>9</table></body></html>"
WEB_ARCHIVE = b"""From: <Saved by a browser>
MIME-Version: 1.0
Content-Type: multipart/related;
\tboundary=B

--B
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: quoted-printable

<html><body><p>The rent is =E2=82=AC=
 950.</p></body></html>
--B--
""".replace(b"\n", b"\r\n")
RICH_TEXT = rb"{\rtf1\ansi The rent is 950 marks.\par}"


@pytest.mark.parametrize(
    ("name", "data", "kind", "line"),
    [
        ("a.xls", HTML_TABLE, "html", "Rope | 9"),
        ("a.xlsx", HTML_TABLE.decode().encode("utf-16"), "html", "Rope | 9"),
        ("a.csv", b"\xef\xbb\xbf<!-- made by a till -->\n<!DOCTYPE html>" + HTML_TABLE, "html", "Rope | 9"),
        ("a.doc", HTML_TABLE, "html", "Rope | 9"),
        ("a.mhtml", WEB_ARCHIVE, "mhtml", "The rent is € 950."),
        ("a.doc", WEB_ARCHIVE, "mhtml", "The rent is € 950."),
        ("a.docx", RICH_TEXT, "rtf", "The rent is 950 marks."),
        ("a.doc", RICH_TEXT, "rtf", "The rent is 950 marks."),
        ("a.doc", docx_bytes([("Normal", "The rent is 950 marks.")]), "docx", "The rent is 950 marks."),
        ("a.xls", xlsx_bytes({"A": [["Item", "Price"], ["Rope", 9]]}), "xlsx", "Rope | 9"),
        ("a.docx", xlsx_bytes({"A": [["Item", "Price"], ["Rope", 9]]}), "xlsx", "Rope | 9"),
    ],
)
def test_a_file_is_read_by_what_its_bytes_say(
    tmp_path: Path, name: str, data: bytes, kind: str, line: str
) -> None:
    document = parse(write(tmp_path, name, data), path=name)
    assert (document.kind, document.path) == (kind, name)
    assert line in document.text.split("\n")


def test_an_old_workbook_under_a_new_suffix_is_read(tmp_path: Path) -> None:
    old = Path(__file__).parents[1] / "data" / "formats" / "prices.xls"
    document = parse(write(tmp_path, "prices.xlsx", old.read_bytes()), path="prices.xlsx")
    assert document.kind == "xls" and "Rope | 9" in document.text


def test_an_old_document_of_word_has_its_advice(tmp_path: Path) -> None:
    error = failure(write(tmp_path, "a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)))
    assert error.status == "unsupported"
    assert "Save it as .docx" in str(error)


def test_entities_are_never_resolved(tmp_path: Path) -> None:
    secret = write(tmp_path, "secret.txt", "the secret")

    def edit(name: str, part: bytes) -> tuple[str, bytes]:
        if name != "word/document.xml":
            return name, part
        laughs = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))
        types = b'<!DOCTYPE d [<!ENTITY x SYSTEM "file://%s"><!ENTITY l0 "ha">%s]>' % (
            str(secret).encode(),
            laughs,
        )
        head, _, rest = part.partition(b"?>")
        return name, head + b"?>" + types + rest.replace(b"SECRET", b"known &x;&l9; words")

    path = write(tmp_path, "a.docx", edited(docx_bytes([("Normal", "SECRET"), ("Normal", "After.")]), edit))
    started = time.process_time()
    try:
        text = parse(path, path="a.docx").text
    except ParseError as error:
        text = str(error)
    assert "the secret" not in text
    assert len(text) < 1000
    assert time.process_time() - started < 10


def test_a_zip_within_a_file_is_not_unfolded(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"\0" * 50_000_000)
    outer = edited(docx_bytes([("Normal", "Outer words.")]), lambda name, part: (name, part))
    target = io.BytesIO(outer)
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr("word/embeddings/inner.docx", inner.getvalue())
    path = write(tmp_path, "a.docx", target.getvalue())
    assert parse(path, path="a.docx", limits=Limits(max_bytes=1_000_000)).text == "Outer words."


def test_a_hundred_thousand_merged_cells_are_read_in_time(tmp_path: Path) -> None:
    merged = b'<w:tc><w:tcPr><w:gridSpan w:val="2"/><w:vMerge/></w:tcPr><w:p/></w:tc>'
    first = merged.replace(b"<w:vMerge/>", b'<w:vMerge w:val="restart"/>').replace(
        b"<w:p/>", b"<w:p><w:r><w:t>All</w:t></w:r></w:p>"
    )
    rows = b"<w:tr>" + first + merged + b"</w:tr>" + (b"<w:tr>" + merged * 2 + b"</w:tr>") * 50_000

    def edit(name: str, part: bytes) -> tuple[str, bytes]:
        return name, part.replace(b"<w:sectPr", b"<w:tbl>" + rows + b"</w:tbl><w:sectPr", 1)

    path = write(tmp_path, "a.docx", edited(docx_bytes([("Normal", "Before.")]), edit))
    started = time.process_time()
    assert parse(path, path="a.docx").text.startswith("Before.")
    assert time.process_time() - started < 30


def test_a_truncated_pdf_is_corrupt_or_keeps_its_first_pages(tmp_path: Path) -> None:
    whole = pdf_bytes([[f"Page {n} line {k}" for k in range(40)] for n in range(1, 9)])
    assert failure(write(tmp_path, "head.pdf", whole[:200])).status == "corrupt"
    for share in (0.3, 0.6, 0.9):
        path = write(tmp_path, f"cut{share}.pdf", whole[: int(len(whole) * share)])
        try:
            document = parse(path, path=path.name)
        except ParseError as error:
            assert error.status == "corrupt"
        else:
            assert "Page 1 line 0" in document.text


def test_garbage_behind_a_pdf_header_is_corrupt(tmp_path: Path) -> None:
    assert failure(write(tmp_path, "a.pdf", b"%PDF-1.7\n" + bytes(range(256)) * 64)).status == "corrupt"


def test_a_pdf_with_a_user_password_is_reported_as_such(tmp_path: Path) -> None:
    path = write(tmp_path, "locked.pdf", encrypted_pdf(pdf_bytes(ONE_PAGE), user="secret"))
    assert failure(path).status == "password"


def test_a_pdf_with_an_empty_user_password_opens(tmp_path: Path) -> None:
    path = write(tmp_path, "open.pdf", encrypted_pdf(pdf_bytes(ONE_PAGE, title="Fees of 2024"), user=""))
    document = parse(path, path="open.pdf")
    assert "The fee is 12 euros." in document.text
    assert document.title == "Fees of 2024"


def test_a_scan_without_text_is_empty_and_names_the_remedy(tmp_path: Path) -> None:
    error = failure(write(tmp_path, "scan.pdf", scanned_pdf(2)))
    assert error.status == "empty"
    assert "citewise[ocr]" in str(error)


def test_ocr_without_the_extra_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    path = write(tmp_path, "scan.pdf", scanned_pdf(1))
    with pytest.raises(ConfigError, match=r'pip install "citewise\[ocr\]"'):
        parse(path, path="scan.pdf", ocr=True)


def test_ocr_is_not_asked_for_where_every_page_has_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    path = write(tmp_path, "a.pdf", pdf_bytes(ONE_PAGE))
    assert "12 euros" in parse(path, path="a.pdf", ocr=True).text


def test_ocr_reads_a_scanned_page(tmp_path: Path) -> None:
    pytest.importorskip("rapidocr_onnxruntime", reason="needs the extra ocr")
    path = write(tmp_path, "scan.pdf", scanned_pdf(1))
    document = parse(path, path="scan.pdf", ocr=True)
    assert "4711" in document.text
    assert document.losses == ()


def test_too_many_pages_or_characters_or_bytes_are_too_large(tmp_path: Path) -> None:
    path = write(tmp_path, "a.pdf", pdf_bytes([["Some words here"]] * 4))
    assert failure(path, Limits(max_pages=3)).status == "too_large"
    assert failure(path, Limits(max_chars=20)).status == "too_large"
    assert failure(path, Limits(max_bytes=100)).status == "too_large"
    assert failure(write(tmp_path, "a.txt", "word " * 100), Limits(max_chars=99)).status == "too_large"


@pytest.mark.parametrize(
    "content",
    [
        bytes(range(256)) * 40,
        b"\x7fELF\x02\x01\x01" + bytes(500),
        pdf_bytes(ONE_PAGE),
        docx_bytes([("Normal", "text")]),
        os.urandom(5000),
        b"\x89PNG\r\n\x1a\n" + os.urandom(400),
    ],
    ids=["all bytes", "program", "pdf", "docx", "random", "picture"],
)
def test_binary_renamed_to_text_is_unsupported(tmp_path: Path, content: bytes) -> None:
    assert failure(write(tmp_path, "a.txt", content)).status == "unsupported"


@pytest.mark.parametrize(
    ("name", "advice"), [("a.doc", ".docx"), ("a.ppt", ".pptx"), ("a.exe", ".pdf"), ("README", ".pdf")]
)
def test_unknown_formats_are_unsupported_and_say_what_is(tmp_path: Path, name: str, advice: str) -> None:
    error = failure(write(tmp_path, name, b"x"))
    assert error.status == "unsupported"
    assert advice in str(error)


def test_an_office_file_in_an_ole_container_is_password_protected(tmp_path: Path) -> None:
    data = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
    assert failure(write(tmp_path, "a.docx", data)).status == "password"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_unreadable(tmp_path: Path) -> None:
    path = write(tmp_path, "a.txt", "text")
    path.chmod(0)
    assert failure(path).status == "unreadable"


def test_a_refused_open_is_unreadable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    path = write(tmp_path, "a.txt", "text")
    monkeypatch.setattr("rag.parsers.os.open", refuse)
    error = failure(path)
    assert error.status == "unreadable"
    assert "Permission denied" in str(error)


def test_what_is_no_readable_file_is_unreadable(tmp_path: Path) -> None:
    folder, loop, pipe = tmp_path / "folder.txt", tmp_path / "loop.txt", tmp_path / "pipe.txt"
    folder.mkdir()
    loop.symlink_to(loop)
    os.mkfifo(pipe)
    for path in (tmp_path / "gone.txt", folder, loop, pipe):
        assert failure(path).status == "unreadable"


@pytest.mark.parametrize(
    "name",
    [
        "with blanks.txt",
        "合同 2024.txt",
        "📄 emoji.txt",
        "e\u0301.txt",
        "\u00e9.txt",
        "x" * 251 + ".txt",
        "UPPER.TXT",
        ".hidden.txt",
    ],
    ids=["blanks", "Chinese", "emoji", "NFD", "NFC", "255 bytes", "capitals", "hidden"],
)
def test_unusual_names_are_read(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, name, "Some words, and more of them here.\nAnd a second line.")
    document = parse(path, path=name)
    assert document.path == name
    assert document.title == Path(name).stem


def test_html_of_one_line_of_five_megabytes_is_read_in_time(tmp_path: Path) -> None:
    line = "<p>The <b>borrower</b> shall repay &amp; notify.</p>" * 100_000
    path = write(tmp_path, "a.html", line)
    started = time.process_time()
    document = parse(path, path="a.html")
    assert len(document.blocks) == 100_000
    assert document.text.startswith("The borrower shall repay & notify.")
    assert time.process_time() - started < 30


def test_html_nested_ten_thousand_deep_is_read(tmp_path: Path) -> None:
    path = write(tmp_path, "a.html", "<div>" * 10_000 + "deep" + "</div>" * 10_000 + "<p>after</p>")
    assert parse(path, path="a.html").text.split() == ["deep", "after"]


def test_a_pdf_of_2000_pages_is_read_whole(tmp_path: Path) -> None:
    path = write(
        tmp_path, "long.pdf", pdf_bytes([[f"Clause {n} of the agreement applies."] for n in range(1, 2001)])
    )
    document = parse(path, path="long.pdf")
    assert len(document.pages) == 2000
    assert document.page_of(document.text.index("Clause 1999 ")) == 1999


WORDS = b"BT /F1 12 Tf 72 700 Td (The rent is 950 marks.) Tj ET "
_FONT = b"<< /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>"


def stream(data: bytes, head: bytes = b"") -> bytes:
    return b"<< %s /Length %d >>\nstream\n%s\nendstream" % (head, len(data), data)


def page_of(contents: bytes, resources: bytes = _FONT, more: tuple[bytes, ...] = ()) -> bytes:
    """A PDF of one page with these contents (object 4), and objects from 5 on."""
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources %s >>"
    pages = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
    return raw_pdf([b"<< /Type /Catalog /Pages 2 0 R >>", pages, page % resources, contents, *more])


def nested_forms(depth: int) -> bytes:
    """Forms that draw the next one ten times each: ten to the power of `depth` times the words."""
    form = b"/Type /XObject /Subtype /Form /BBox [0 0 595 842] /Resources"
    inner = [b"<< /XObject << /A %d 0 R >> >>" % (5 + n) for n in range(depth)]
    forms = [stream(b"/A Do " * 10, b"%s %s" % (form, resources)) for resources in inner[1:]]
    last = stream(WORDS, b"%s %s" % (form, _FONT))
    return page_of(stream(b"/A Do "), inner[0], (*forms, last))


def first_words(path: Path) -> str:
    return parse(path, path=path.name).text[:22]


def outcome(path: Path, **limits: float) -> str:
    """What a worker says of a file: the beginning of its text, or the status."""
    ((_, result),) = run_in_workers(first_words, [path], workers=1, limits=Limits(**limits))  # type: ignore[arg-type]
    return result if isinstance(result, str) else str(getattr(result, "status", result))


def test_a_stream_packed_with_brotli_is_read(tmp_path: Path) -> None:
    packed = pytest.importorskip("brotli").compress(WORDS)
    path = write(tmp_path, "a.pdf", page_of(stream(packed, b"/Filter /BrotliDecode")))
    assert outcome(path, seconds=20) == "The rent is 950 marks."


def test_a_pdf_stream_that_unfolds_beyond_measure_ends_in_time(tmp_path: Path) -> None:
    filters = b"/Filter [/FlateDecode /FlateDecode]"
    blanks = zlib.compress(zlib.compress(WORDS + b" " * 150_000_000, 1), 9)
    hostile = zlib.compress(zlib.compress(b"q " * 50_000_000, 1), 9)
    assert len(blanks) + len(hostile) < 100_000
    path = write(tmp_path, "blanks.pdf", page_of(stream(blanks, filters)))
    assert outcome(path, seconds=25) in ("The rent is 950 marks.", "empty", "too_large", "timeout")
    path = write(tmp_path, "states.pdf", page_of(stream(hostile, filters)))
    assert outcome(path, seconds=25, memory_mb=300) in ("empty", "unreadable", "too_large", "timeout")


def test_a_pdf_page_without_end_is_stopped_by_the_time_of_its_worker(tmp_path: Path) -> None:
    assert outcome(write(tmp_path, "shallow.pdf", nested_forms(2)), seconds=20) == "The rent is 950 marks."
    path = write(tmp_path, "deep.pdf", nested_forms(9))
    started = time.monotonic()
    assert outcome(path, seconds=2) == "timeout"
    assert time.monotonic() - started < 30


def test_a_pdf_page_without_end_is_given_up_before_the_time_of_a_file_is_over(tmp_path: Path) -> None:
    assert Limits().step_seconds <= 30
    limits = Limits(seconds=600, step_seconds=1)
    path = write(tmp_path, "deep.pdf", nested_forms(9))
    work = partial(parse, path=path.name, limits=limits)
    ((_, result),) = run_in_workers(work, [path], workers=1, limits=limits)
    assert getattr(result, "status", "") == "timeout"
    assert "within 1 second" in str(result)
