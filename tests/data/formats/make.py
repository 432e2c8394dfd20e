"""Writes the small files of each format that tests/parsers/test_parsers_formats.py reads: what each must say stands in
says.toml. `python make.py`; old workbooks (XLS) are made by LibreOffice (`soffice`) and kept where it is missing."""

# ruff: noqa: E501
from __future__ import annotations

import io
import shutil
import struct
import subprocess
import tempfile
import zipfile
from email.message import EmailMessage
from html import escape
from itertools import pairwise
from pathlib import Path

FOLDER = Path(__file__).parent
EPOCH = (2025, 3, 3, 0, 0, 0)
# A text: headings (level, words), paragraphs of runs (words, look), items, tables of cells (words, columns, rows).
TEXTS = {
    "rules": [
        ("h", 1, "Lagerordnung für Öle 仓储规则"), ("h", 2, "§ 1 Zutritt"),
        ("p", [("Zutritt nur für Mitarbeiter. 仓库每日盘点。", "")]), ("li", "Helm tragen"), ("li", "Tür schließen"),
    ],
    "rates": [
        ("h", 1, "Rates of the wards"),
        ("table", [
            [("Ward", 1, 2), ("Rate in EUR", 2, 1)], [("2025", 1, 1), ("2026", 1, 1)],
            [("North", 1, 1), ("910", 1, 1), ("950", 1, 1)], [("South", 1, 1), ("880", 1, 1), ("920", 1, 1)],
        ]),
    ],
    "offer": [
        ("h", 1, "Offer"),
        ("p", [("The fee is EUR ", ""), ("900", "struck"), (" 950 a year.", "")]),
        ("p", [("Cost EUR 700.", "hidden")]),
        ("p", [("The store has 40 m", ""), ("2", "raised"), (".", "")]),
    ],
    "notes": [
        ("h", 1, "Delivery"),
        ("p", [("Delivery takes 10 working days", ""), ("Working days of Tarnby.", "note"), (".", "")]),
    ],
    "dates": [
        ("h", 1, "Terms"),
        ("p", [("Signed on 3 March 2025; interest 4.5 % a year.", "")]),
        ("p", [("签署日期：2025年3月3日，利率4.5%。", "")]),
    ],
}  # fmt: skip
# A workbook: sheets (name, hidden, rows of cells, merged areas "A1:A2"); days are (year, month, day), shares "4.5%".
BOOKS = {
    "stock": [("Lager 仓库", False, [["Code", "Größe", "名称"], ["000858", 12, "酒"], ["000123", 7.5, "茶"]], [])],
    "terms": [("Terms", False, [["Loan", "Signed", "Interest"], ["North", (2025, 3, 3), "4.5%"], ["South", (2026, 1, 31), "12%"]], [])],
    "wards": [("Wards", False, [["Ward", "Room", "Beds"], ["North", "A1", 4], ["", "A2", 6], ["South", "B1", 5]], ["A2:A3"])],
    "prices": [
        ("Prices", False, [["Item", "Price"], ["Rope", 9], ["Sail", 210]], []),
        ("Costs", True, [["Item", "Cost"], ["Rope", 4], ["Sail", 90]], []),
    ],
    "years": [
        ("2025", False, [["Month", "Sold"], ["May", 31], ["June", 28]], []),
        ("2026", False, [["Month", "Sold"], ["May", 35], ["June", 30]], []),
    ],
}  # fmt: skip


def packed(files: dict[str, bytes | str], first: str = "") -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in files.items():
            item = zipfile.ZipInfo(name, EPOCH)
            item.compress_type = zipfile.ZIP_STORED if name == first else zipfile.ZIP_DEFLATED
            archive.writestr(item, data)
    return target.getvalue()


# Texts


def rtf(text: list[tuple]) -> bytes:
    def plain(words: str) -> str:
        words = "".join(f"\\{c}" if c in "\\{}" else c for c in words)
        return "".join(
            c if c < "\x80" else f"\\u{struct.unpack('<h', c.encode('utf-16-le'))[0]}?" for c in words
        )

    looks = {"": "{%s}", "struck": "{\\strike %s}", "hidden": "{\\v %s}", "raised": "{\\super %s}"}
    looks["note"] = "{\\super\\chftn{\\footnote\\pard\\plain{\\super\\chftn} %s}}"
    out = "{\\rtf1\\ansi\\ansicpg1252\\deff0{\\fonttbl{\\f0\\froman Times;}}\n"
    for kind, *rest in text:
        if kind == "h":
            out += f"\\pard\\outlinelevel{rest[0] - 1} {plain(rest[1])}\\par\n"
        elif kind == "li":
            out += f"{{\\listtext\\pard\\plain \\bullet\\tab}}\\pard\\ls1 {plain(rest[0])}\\par\n"
        elif kind == "p":
            out += "\\pard " + "".join(looks[look] % plain(words) for words, look in rest[0]) + "\\par\n"
        else:
            below: dict[int, int] = {}
            for row in rest[0]:
                at, cells, ends = 0, "", ""
                queue = list(row)
                while queue or below.get(at):
                    if below.get(at):
                        below[at] -= 1
                        words, wide, merged = "", 1, "\\clvmrg"
                    else:
                        words, wide, down = queue.pop(0)
                        merged, below[at] = "\\clvmgf" if down > 1 else "", down - 1
                    at += wide
                    ends, cells = (
                        f"{ends}{merged}\\cellx{at * 2000}",
                        f"{cells}\\pard\\intbl {plain(words)}\\cell",
                    )
                out += f"\\trowd{ends}{cells}\\row\n"
    return (out + "}").encode("ascii")


def page(text: list[tuple]) -> str:
    """As HTML."""
    looks = {
        "": "{}",
        "struck": "<s>{}</s>",
        "hidden": "<span class='off'>{}</span>",
        "raised": "<sup>{}</sup>",
    }
    out, notes = "<style>.off{display:none}</style>", ""
    for kind, *rest in text:
        if kind == "h":
            out += f"<h{rest[0]}>{escape(rest[1])}</h{rest[0]}>"
        elif kind == "li":
            out += f"<ul><li>{escape(rest[0])}</li></ul>"
        elif kind == "p":
            out += "<p>"
            for words, look in rest[0]:
                out += looks.get(look, "<sup><a href='#n1'>1</a></sup>").format(escape(words))
                notes += f"<p id='n1'>1 {escape(words)}</p>" if look == "note" else ""
            out += "</p>"
        else:
            cell = "<td colspan='{1}' rowspan='{2}'>{0}</td>".format
            out += (
                "<table>"
                + "".join(f"<tr>{''.join(cell(*c) for c in row)}</tr>" for row in rest[0])
                + "</table>"
            )
    return out + notes


_NS = (
    " ".join(
        f"xmlns:{n}='urn:oasis:names:tc:opendocument:xmlns:{of}:1.0'"
        for n, of in (
            ("office", "office"),
            ("text", "text"),
            ("table", "table"),
            ("style", "style"),
            ("number", "datastyle"),
        )
    )
    + " xmlns:fo='urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0'"
)
_LOOKS = (
    "<style:style style:name='struck' style:family='text'><style:text-properties style:text-line-through-style='solid'/></style:style>"
    "<style:style style:name='hidden' style:family='text'><style:text-properties text:display='none'/></style:style>"
    "<style:style style:name='raised' style:family='text'><style:text-properties style:text-position='super 58%'/></style:style>"
)


def odt(text: list[tuple]) -> bytes:
    out = ""
    for kind, *rest in text:
        if kind == "h":
            out += f"<text:h text:outline-level='{rest[0]}'>{escape(rest[1])}</text:h>"
        elif kind == "li":
            out += (
                f"<text:list><text:list-item><text:p>{escape(rest[0])}</text:p></text:list-item></text:list>"
            )
        elif kind == "p":
            out += "<text:p>"
            for words, look in rest[0]:
                note = "<text:note text:note-class='footnote'><text:note-citation>1</text:note-citation><text:note-body><text:p>"
                own = f"{note}{words}</text:p></text:note-body></text:note>"
                out += (
                    own
                    if look == "note"
                    else f"<text:span text:style-name='{look}'>{escape(words)}</text:span>"
                )
            out += "</text:p>"
        else:
            cell = (
                "<table:table-cell table:number-columns-spanned='{1}' table:number-rows-spanned='{2}'>"
                "<text:p>{0}</text:p></table:table-cell>"
            ).format
            rows = "".join(
                f"<table:table-row>{''.join(cell(*c) for c in row)}</table:table-row>" for row in rest[0]
            )
            out += f"<table:table>{rows}</table:table>"
    content = (
        f"<office:document-content {_NS}><office:automatic-styles>{_LOOKS}</office:automatic-styles>"
        f"<office:body><office:text>{out}</office:text></office:body></office:document-content>"
    )
    mime = "application/vnd.oasis.opendocument.text"
    return packed(
        {"mimetype": mime, "content.xml": content, "styles.xml": f"<office:document-styles {_NS}/>"},
        "mimetype",
    )


def epub(text: list[tuple]) -> bytes:
    package = (
        "<package xmlns='http://www.idpf.org/2007/opf'><manifest><item id='a' href='a.xhtml' media-type='application/xhtml+xml'/>"
        "</manifest><spine><itemref idref='a'/></spine></package>"
    )
    files = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": "<container><rootfiles><rootfile full-path='o/p.opf'/></rootfiles></container>",
        "o/p.opf": package,
        "o/a.xhtml": f"<html><head><meta charset='utf-8'/></head><body>{page(text)}</body></html>",
    }
    return packed(files, "mimetype")


_P = (
    "xmlns:a='http://schemas.openxmlformats.org/drawingml/2006/main' "
    "xmlns:p='http://schemas.openxmlformats.org/presentationml/2006/main' "
    "xmlns:r='http://schemas.openxmlformats.org/officeDocument/2006/relationships'"
)
_REL = (
    "<Relationships xmlns='http://schemas.openxmlformats.org/package/2006/relationships'>{}</Relationships>"
)


def pptx(text: list[tuple]) -> bytes:
    """A slide; what is hidden on a hidden one, a note among the speaker's notes."""
    looks = {"struck": "strike='sngStrike'", "raised": "baseline='30000'"}

    def body(runs: list[tuple[str, str]]) -> str:
        said = "".join(f"<a:r><a:rPr {looks.get(look, '')}/><a:t>{escape(w)}</a:t></a:r>" for w, look in runs)
        return f"<p:txBody><a:p>{said}</a:p></p:txBody>"

    slides = {"1": "", "2": ""}
    notes = ""
    for n, (kind, *rest) in enumerate(text):
        if kind == "table":
            cell = "<a:tc gridSpan='{1}' rowSpan='{2}'><a:txBody><a:p><a:r><a:t>{0}</a:t></a:r></a:p></a:txBody></a:tc>".format
            rows, below = "", set[int]()
            for row in rest[0]:
                covered = "<a:tc vMerge='1'><a:txBody><a:p/></a:txBody></a:tc>" * len(below)
                below = {0} if row[0][2] > 1 else set()
                wide = "".join(
                    cell(*c) + "<a:tc hMerge='1'><a:txBody><a:p/></a:txBody></a:tc>" * (c[1] - 1) for c in row
                )
                rows += f"<a:tr>{covered}{wide}</a:tr>"
            slides["1"] += f"<p:graphicFrame><a:tbl><a:tblPr/>{rows}</a:tbl></p:graphicFrame>"
            continue
        runs = [(rest[-1], "")] if kind in ("h", "li") else rest[0]
        hidden = "2" if runs[0][1] == "hidden" else "1"
        notes += "".join(f"<p:sp>{body([(words, '')])}</p:sp>" for words, look in runs if look == "note")
        role = "<p:nvPr><p:ph type='title'/></p:nvPr>" if kind == "h" and not n else ""
        slides[hidden] += f"<p:sp>{role}{body([run for run in runs if run[1] != 'note'])}</p:sp>"
    kept = {n: shapes for n, shapes in slides.items() if shapes}
    rel = "<Relationship Id='r{}' Type='http://x/{}' Target='{}'/>".format
    files = {
        "_rels/.rels": _REL.format(rel(1, "officeDocument", "ppt/presentation.xml")),
        "ppt/presentation.xml": f"<p:presentation {_P}><p:sldIdLst>"
        + "".join(f"<p:sldId r:id='r{n}'/>" for n in kept)
        + "</p:sldIdLst></p:presentation>",
        "ppt/_rels/presentation.xml.rels": _REL.format(
            "".join(rel(n, "slide", f"slides/s{n}.xml") for n in kept)
        ),
        **{
            f"ppt/slides/s{n}.xml": f"<p:sld {_P} show='{int(n == '1')}'>{shapes}</p:sld>"
            for n, shapes in kept.items()
        },
    }
    if notes:
        files["ppt/slides/_rels/s1.xml.rels"] = _REL.format(rel(1, "notesSlide", "../notes/n1.xml"))
        files["ppt/notes/n1.xml"] = f"<p:notes {_P}>{notes}</p:notes>"
    return packed(files)


# Mails


def eml(name: str, text: list[tuple], attached: dict[str, bytes]) -> bytes:
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = (
        f"{name} 报价",
        "Käthe Moß <k@orlan.example>",
        "b@tarnby.example",
    )
    mail["Date"] = "Mon, 03 Mar 2025 09:00:00 +0100"
    mail.set_content(page(text), subtype="html")
    for file, data in attached.items():
        mail.add_attachment(data, "application", "octet-stream", filename=file)
    if mail.is_multipart():
        mail.set_boundary("===a===")
    return mail.as_bytes()


def msg(name: str, text: list[tuple], attached: dict[str, bytes]) -> bytes:
    """A message of Outlook: a compound file of properties (MS-OXMSG)."""
    return compound(message(name, text, attached))


def message(
    name: str, text: list[tuple], attached: dict[str, bytes | dict[str, object]]
) -> dict[str, object]:
    """What such a file holds; what is attached may be a message itself, which lies in a folder of its own."""
    words = {
        0x001A: "IPM.Note",
        0x0037: f"{name} 报价",
        0x0C1A: "Käthe Moß",
        0x0C1F: "k@orlan.example",
        0x0E04: "b@tarnby.example",
    }
    tree: dict[str, object] = {
        f"__substg1.0_{pid:04X}001F": value.encode("utf-16-le") for pid, value in words.items()
    }
    html = page(text).encode()
    tree["__substg1.0_10130102"] = html
    fixed = [(0x340D, 3, 0x40000), (0x3FDE, 3, 65001), (0x0039, 0x40, 133_854_768_000_000_000)]
    entries = [(pid, 0x1F, len(value) * 2 + 2) for pid, value in words.items()] + [
        (0x1013, 0x102, len(html)),
        *fixed,
    ]
    tree["__properties_version1.0"] = struct.pack(
        "<8x4I8x", 0, len(attached), 0, len(attached)
    ) + _properties(entries)
    for n, (file, data) in enumerate(attached.items()):
        within = isinstance(data, dict)
        if within:  # its properties have a shorter head
            first = data["__properties_version1.0"]
            data = {**data, "__properties_version1.0": first[:24] + first[32:]}
        kind, method = (0x000D, 5) if within else (0x0102, 1)
        tree[f"__attach_version1.0_#{n:08X}"] = {
            "__properties_version1.0": bytes(8)
            + _properties(
                [(0x3705, 3, method), (0x3707, 0x1F, len(file) * 2 + 2), (0x3701, kind, len(data))]
            ),
            "__substg1.0_3707001F": file.encode("utf-16-le"),
            f"__substg1.0_3701{kind:04X}": data,
        }
    tree["__nameid_version1.0"] = {
        "__substg1.0_00020102": b"",
        "__substg1.0_00030102": b"",
        "__substg1.0_00040102": b"",
    }
    return tree


def _properties(entries: list[tuple[int, int, int]]) -> bytes:
    return b"".join(struct.pack("<HHIQ", kind, pid, 6, value) for pid, kind, value in entries)


def compound(tree: dict[str, object]) -> bytes:
    """A compound file (MS-CFB, version 3): small streams in the mini stream, others in sectors of 512 bytes."""
    nodes: list[list] = [["Root Entry", 5, -1, b""]]  # name, kind, child, data; siblings in right-hand chains

    def add(level: dict[str, object], parent: int) -> None:
        mine = []
        for name in sorted(level, key=lambda n: (len(n), n.upper())):
            inner = level[name]
            nodes.append(
                [name, 1 if isinstance(inner, dict) else 2, -1, b"" if isinstance(inner, dict) else inner]
            )
            mine.append(len(nodes) - 1)
            if isinstance(inner, dict):
                add(inner, len(nodes) - 1)
        nodes[parent][2] = mine[0] if mine else -1
        right.update(pairwise(mine))

    right: dict[int, int] = {}
    add(tree, 0)
    mini, minifat, start = b"", list[int](), dict[int, int]()
    for n, (_, kind, _, data) in enumerate(nodes):
        if kind == 2 and 0 < len(data) < 4096:
            count = -(-len(data) // 64)
            start[n] = len(minifat)
            minifat += [*range(start[n] + 1, start[n] + count), -2]
            mini += data.ljust(count * 64, b"\0")
    nodes[0][3] = mini
    sectors, fat = list[bytes](), list[int]()

    def store(data: bytes) -> int:
        count, first = -(-len(data) // 512), len(fat)
        sectors.extend(data[i * 512 : i * 512 + 512].ljust(512, b"\0") for i in range(count))
        fat.extend([*range(first + 1, first + count), -2] if count else [])
        return first if count else -2

    for n, (_, kind, _, data) in enumerate(nodes):
        if n == 0 or (kind == 2 and len(data) >= 4096):
            start[n] = store(data)
    minifat_data = struct.pack(f"<{len(minifat)}i", *minifat).ljust(
        -(-len(minifat) * 4 // 512) * 512, b"\xff"
    )
    minifat_at = store(minifat_data)
    entries = b""
    for n, (name, kind, child, data) in enumerate(nodes):
        wide = name.encode("utf-16-le") + b"\0\0"
        entries += struct.pack(
            "<64sHBBiii16xI8x8xiQ",
            wide,
            len(wide),
            kind,
            1,
            -1,
            right.get(n, -1),
            child,
            0,
            start.get(n, -2 if kind == 2 else 0),
            len(data),
        )
    entries += b"".join(
        struct.pack("<64sHBBiii16xI8x8xiQ", b"", 0, 0, 0, -1, -1, -1, 0, 0, 0) for _ in range(-len(nodes) % 4)
    )
    directory = store(entries)
    fat_sectors = 1
    while (len(fat) + fat_sectors) * 4 > fat_sectors * 512:
        fat_sectors += 1
    first_fat = len(sectors)
    fat += [-3] * fat_sectors
    table = struct.pack(f"<{len(fat)}i", *fat).ljust(fat_sectors * 512, b"\xff")
    header = struct.pack(
        "<8s16xHHHHH6xIIiIIiIiI", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0x3E, 3, 0xFFFE, 9, 6, 0, fat_sectors, directory, 0, 4096,
        minifat_at, len(minifat_data) // 512, -2, 0,
    )  # fmt: skip
    places = [*range(first_fat, first_fat + fat_sectors)] + [-1] * (109 - fat_sectors)
    return header + struct.pack("<109i", *places) + b"".join(sectors) + table


# Workbooks


def ods(book: list[tuple]) -> bytes:
    """Also as flat XML, which LibreOffice makes old workbooks of."""
    out = ""
    for name, hidden, rows, merged in book:
        spans = {
            area.split(":")[0]: int(area.split(":")[1][1:]) - int(area.split(":")[0][1:]) + 1
            for area in merged
        }
        body = ""
        for r, row in enumerate(rows, 1):
            cells = ""
            for c, value in enumerate(row):
                down = spans.get(f"{'ABC'[c]}{r}", 1)
                more = (
                    f" table:number-rows-spanned='{down}' table:number-columns-spanned='1'"
                    if down > 1
                    else ""
                )
                if isinstance(value, tuple):
                    said = f"office:value-type='date' office:date-value='{value[0]}-{value[1]:02}-{value[2]:02}' table:style-name='day'"
                elif isinstance(value, str) and value.endswith("%"):
                    said = f"office:value-type='percentage' office:value='{float(value[:-1]) / 100}' table:style-name='share'"
                elif isinstance(value, str):
                    said = "office:value-type='string'" if value else ""
                else:
                    said = f"office:value-type='float' office:value='{value}'"
                text = (
                    f"<text:p>{escape(value)}</text:p>"
                    if isinstance(value, str) and value and "%" not in value
                    else ""
                )
                cells += f"<table:table-cell {said}{more}>{text}</table:table-cell>"
            body += f"<table:table-row>{cells}</table:table-row>"
        out += f"<table:table table:name='{name}' table:style-name='t{int(hidden)}'><table:table-column table:number-columns-repeated='3'/>{body}</table:table>"
    return (
        f"<?xml version='1.0' encoding='UTF-8'?><office:document {_NS} office:version='1.3' "
        'office:mimetype="application/vnd.oasis.opendocument.spreadsheet"><office:automatic-styles>'
        "<number:date-style style:name='d'><number:year number:style='long'/><number:text>-</number:text><number:month number:style='long'/>"
        "<number:text>-</number:text><number:day number:style='long'/></number:date-style>"
        "<number:percentage-style style:name='s'><number:number number:decimal-places='1' number:min-integer-digits='1'/><number:text>%</number:text></number:percentage-style>"
        "<style:style style:name='day' style:family='table-cell' style:data-style-name='d'/>"
        "<style:style style:name='share' style:family='table-cell' style:data-style-name='s'/>"
        "<style:style style:name='t0' style:family='table'><style:table-properties table:display='true'/></style:style>"
        "<style:style style:name='t1' style:family='table'><style:table-properties table:display='false'/></style:style>"
        f"</office:automatic-styles><office:body><office:spreadsheet>{out}</office:spreadsheet></office:body></office:document>"
    ).encode()


def zipped_ods(flat: bytes) -> bytes:
    content = flat.replace(b"office:document ", b"office:document-content ").replace(
        b"</office:document>", b"</office:document-content>"
    )
    manifest = "<manifest:manifest xmlns:manifest='urn:oasis:names:tc:opendocument:xmlns:manifest:1.0'/>"
    mime = "application/vnd.oasis.opendocument.spreadsheet"
    return packed({"mimetype": mime, "META-INF/manifest.xml": manifest, "content.xml": content}, "mimetype")


def record(kind: int, data: bytes = b"") -> bytes:
    head = bytes([kind]) if kind < 128 else bytes([kind & 0x7F | 0x80, kind >> 7])
    size, length = b"", len(data)
    while True:
        size += bytes([length & 0x7F | (0x80 if length > 127 else 0)])
        length >>= 7
        if not length:
            return head + size + data


def wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def xlsb(book: list[tuple]) -> bytes:
    """A binary workbook (MS-XLSB)."""
    import datetime

    bundle = b"".join(
        record(156, struct.pack("<II", 2 * hidden, n) + wide(f"r{n}") + wide(name))
        for n, (name, hidden, *_) in enumerate(book, 1)
    )
    files: dict[str, bytes | str] = {
        "[Content_Types].xml": "<Types xmlns='http://schemas.openxmlformats.org/package/2006/content-types'>"
        "<Default Extension='bin' ContentType='application/vnd.ms-excel.sheet.binary.macroEnabled.main'/>"
        "<Default Extension='rels' ContentType='application/vnd.openxmlformats-package.relationships+xml'/></Types>",
        "_rels/.rels": _REL.format("<Relationship Id='r1' Type='http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument' Target='xl/workbook.bin'/>"),
        "xl/workbook.bin": record(131) + record(143) + bundle + record(144) + record(132),
        "xl/_rels/workbook.bin.rels": _REL.format("".join(
            f"<Relationship Id='r{n}' Type='http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet' Target='worksheets/sheet{n}.bin'/>"
            for n in range(1, len(book) + 1)
        ) + "<Relationship Id='s' Type='http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles' Target='styles.bin'/>"),
        # Formats of cells: 0 general, 1 a day (14), 2 a share (10).
        "xl/styles.bin": record(278) + record(617, struct.pack("<I", 3))
        + b"".join(record(47, struct.pack("<HHHHHBBH", 0, code, 0, 0, 0, 0, 0, 0)) for code in (0, 14, 10)) + record(618) + record(279),
    }  # fmt: skip
    for n, (_, _, rows, merged) in enumerate(book, 1):
        body = record(129) + record(148, struct.pack("<IIII", 0, len(rows) - 1, 0, 2)) + record(145)
        for r, row in enumerate(rows):
            body += record(0, struct.pack("<IIHBBBI", r, 0, 300, 0, 0, 0, 0))
            for c, value in enumerate(row):
                look, number = 0, value
                if isinstance(value, tuple):
                    look, number = 1, (datetime.date(*value) - datetime.date(1899, 12, 30)).days
                elif isinstance(value, str) and value.endswith("%"):
                    look, number = 2, float(value[:-1]) / 100
                at = struct.pack("<II", c, look)
                if isinstance(number, str):
                    body += record(6, at + wide(number)) if number else b""
                else:
                    body += record(5, at + struct.pack("<d", number))
        body += record(146)
        if merged:
            areas = [
                [int(p[1:]) - 1 for p in area.split(":")] + [ord(p[0]) - 65 for p in area.split(":")]
                for area in merged
            ]
            body += (
                record(177, struct.pack("<I", len(areas)))
                + b"".join(record(176, struct.pack("<4I", *a)) for a in areas)
                + record(178)
            )
        files[f"xl/worksheets/sheet{n}.bin"] = body + record(130)
    return packed(files)


def write(name: str, data: bytes) -> None:
    (FOLDER / name).write_bytes(data)


def main() -> None:
    annex = {"rates.rtf": rtf(TEXTS["rates"])}
    for name, text in TEXTS.items():
        for suffix, made in (("rtf", rtf), ("odt", odt), ("epub", epub), ("pptx", pptx)):
            write(f"{name}.{suffix}", made(text))
        for suffix, mail in (("eml", eml), ("msg", msg)):
            write(f"{name}.{suffix}", mail(name, text, annex if name == "notes" else {}))
    for name, book in BOOKS.items():
        write(f"{name}.ods", zipped_ods(ods(book)))
        write(f"{name}.xlsb", xlsb(book))
    if shutil.which("soffice"):
        work = Path(tempfile.gettempdir()) / "formats_xls"
        work.mkdir(exist_ok=True)
        for name, book in BOOKS.items():
            (work / f"{name}.fods").write_bytes(ods(book))
        sources = [str(work / f"{name}.fods") for name in BOOKS]
        subprocess.run(
            ["soffice", "--headless", "--convert-to", "xls", "--outdir", str(FOLDER), *sources], check=True
        )
    notes = eml("notes", TEXTS["notes"], annex)
    house = packed(
        {"rules.rtf": rtf(TEXTS["rules"]), "2025/terms.csv": "Loan,Interest\nNorth,4.5 %\nSouth,12 %\n"}
    )
    write("house.zip", house)
    forwarded = {"notes": message("notes", TEXTS["notes"], annex), "house.zip": house, "notes.eml": notes}
    write("../forwarded.msg", msg("offer", TEXTS["offer"], forwarded))
    write("deep.zip", packed({"q1.zip": packed({"mails/notes.eml": notes})}))
    write(
        "mixed.zip",
        packed(
            {"offer.odt": odt(TEXTS["offer"]), "run.exe": b"MZ", ".hidden.txt": "x", "__MACOSX/a.txt": "x"}
        ),
    )
    write("books.zip", packed({"stock.xlsb": xlsb(BOOKS["stock"]), "dates.epub": epub(TEXTS["dates"])}))
    chinese = packed(
        {"AAAA.txt": "租金每月3000元，押金另计。"}
    )  # as Windows in China packs it: the name in GBK
    write("rent.zip", chinese.replace(b"AAAA.txt", "租约.txt".encode("gbk")))


if __name__ == "__main__":
    main()
