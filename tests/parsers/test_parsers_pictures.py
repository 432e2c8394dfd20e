"""Pictures that hold words are named as a loss in every format that holds pictures; others are not."""

from __future__ import annotations

import base64
import io
import struct
import zipfile
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from rag.parsers import parse
from rag.parsers.base import shows_text
from rag.types import LossKind
from tests.files import write


def printed() -> bytes:
    picture = Image.new("RGB", (900, 400), "white")
    pen = ImageDraw.Draw(picture)
    for n in range(9):
        pen.text((20, 20 + 40 * n), f"Row {n} of the price list   EUR {n * 37 + 11}.50   in stock", "black")
    return png(picture.resize((1800, 800)))


def photograph() -> bytes:
    import numpy as np

    grain = np.random.default_rng(0).normal(0, 6, (400, 900)) + np.linspace(60, 200, 900)
    return png(Image.fromarray(grain.clip(0, 255).astype("uint8")))


def png(picture: Image.Image) -> bytes:
    target = io.BytesIO()
    picture.save(target, "PNG")
    return target.getvalue()


def zipped(parts: dict[str, str | bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return target.getvalue()


def relations(*items: tuple[str, str, str]) -> str:
    base = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    inner = "".join(f'<Relationship Id="{i}" Type="{base}/{kind}" Target="{to}"/>' for i, kind, to in items)
    space = "http://schemas.openxmlformats.org/package/2006/relationships"
    return f'<Relationships xmlns="{space}">{inner}</Relationships>'


def docx(picture: bytes, centimetres: float = 15) -> bytes:
    import docx as library
    from docx.shared import Cm

    document = library.Document()
    document.add_paragraph("The prices are below.")
    document.add_picture(io.BytesIO(picture), width=Cm(centimetres))
    target = io.BytesIO()
    document.save(target)
    return target.getvalue()


def xlsx(picture: bytes) -> bytes:
    import openpyxl
    from openpyxl.drawing.image import Image as Placed

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["The prices are below."])
    sheet.add_image(Placed(io.BytesIO(picture)), "B4")
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def pptx(picture: bytes) -> bytes:
    spaces = (
        'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
        'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" '
        'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
    )
    words = "<p:sp><p:txBody><a:p><a:r><a:t>The prices are below.</a:t></a:r></a:p></p:txBody></p:sp>"
    placed = '<a:xfrm><a:off x="100" y="3000"/><a:ext cx="5000" cy="2500"/></a:xfrm>'
    shown = f'<p:pic><p:blipFill><a:blip r:embed="i"/></p:blipFill><p:spPr>{placed}</p:spPr></p:pic>'
    slides = '<p:sldIdLst><p:sldId r:id="s"/></p:sldIdLst><p:sldSz cx="10000" cy="7500"/>'
    return zipped(
        {
            "_rels/.rels": relations(("m", "officeDocument", "ppt/presentation.xml")),
            "ppt/presentation.xml": f"<p:presentation {spaces}>{slides}</p:presentation>",
            "ppt/_rels/presentation.xml.rels": relations(("s", "slide", "slides/slide1.xml")),
            "ppt/slides/slide1.xml": f"<p:sld {spaces}><p:cSld>{words}{shown}</p:cSld></p:sld>",
            "ppt/slides/_rels/slide1.xml.rels": relations(("i", "image", "../media/a.png")),
            "ppt/media/a.png": picture,
        }
    )


def page(address: str) -> str:
    return f"<h1>Prices</h1><p>The prices are below.</p><img src='{address}'><img src='{address}'>"


def html(picture: bytes) -> bytes:
    return page(f"data:image/png;base64,{base64.b64encode(picture).decode()}").encode()


def mail(picture: bytes, *, location: str = "") -> bytes:
    message = EmailMessage()
    message["From"] = "ada@example.org"
    message.set_content(page(location or "cid:one"), subtype="html")
    message.add_related(picture, "image", "png", cid="<one>", headers=[f"Content-Location: {location}"])
    return message.as_bytes()


def mhtml(picture: bytes) -> bytes:
    return mail(picture, location="http://example.org/a.png")


def epub(picture: bytes) -> bytes:
    container = "<container><rootfiles><rootfile full-path='in/book.opf'/></rootfiles></container>"
    items = "<manifest><item id='a' href='text/a%20b.html'/></manifest><spine><itemref idref='a'/></spine>"
    return zipped(
        {
            "META-INF/container.xml": container,
            "in/book.opf": f"<package>{items}</package>",
            "in/text/a b.html": page("../art/a%20b.png"),
            "in/art/a b.png": picture,
        }
    )


def odt(picture: bytes) -> bytes:
    base = "urn:oasis:names:tc:opendocument:xmlns"
    spaces = " ".join(f'xmlns:{n}="{base}:{v}:1.0"' for n, v in (("text", "text"), ("draw", "drawing")))
    words = "<text:p>The prices are below.</text:p>"
    shown = '<text:p><draw:frame><draw:image xlink:href="Pictures/a.png"/></draw:frame></text:p>'
    body = f"<office:body><office:text>{words}{shown}</office:text></office:body>"
    outer = f'xmlns:office="{base}:office:1.0" xmlns:xlink="http://www.w3.org/1999/xlink" {spaces}'
    content = f"<office:document-content {outer}>{body}</office:document-content>"
    return zipped({"content.xml": content, "Pictures/a.png": picture})


FORMATS: dict[str, Callable[[bytes], bytes]] = {
    "a.docx": docx, "a.xlsx": xlsx, "a.pptx": pptx, "a.html": html, "a.eml": mail, "a.mhtml": mhtml,
    "a.epub": epub, "a.odt": odt,
}  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
def test_a_picture_with_words_is_a_loss_once_and_a_photograph_is_none(name: str, tmp_path: Path) -> None:
    lost = []
    for picture in (printed(), photograph()):
        document = parse(write(tmp_path, name, FORMATS[name](picture)), path=name)
        assert "The prices are below." in document.text
        lost.append([loss.kind for loss in document.losses])
    assert lost == [[LossKind.PICTURE_WITH_TEXT], []]


def test_a_picture_that_is_small_on_its_page_is_a_sign(tmp_path: Path) -> None:
    document = parse(write(tmp_path, "a.docx", docx(printed(), centimetres=3)), path="a.docx")
    assert document.losses == ()


def test_what_is_drawn_with_lines_may_hold_words_and_what_is_damaged_shows_none() -> None:
    edges = struct.pack("<10I", 1, 108, 0, 0, 1200, 500, 0, 0, 25_400, 10_583)  # of an enhanced metafile
    assert shows_text(edges + b" EMF" + bytes(64))
    assert not shows_text(printed()[:200])
