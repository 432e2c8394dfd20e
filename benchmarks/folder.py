"""A law firm's folder: three hundred files of many formats, with amendments, copies and mails, and questions.

    python benchmarks/folder.py FOLDER

FOLDER/documents gets the files of 42 matters (twelve of them Chinese), FOLDER/questions.jsonl
thirty questions with what is right to say. Everything is made up, and the same at every run.
"""

from __future__ import annotations

import csv
import io
import json
import random
import sys
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from email.message import EmailMessage
from html import escape
from pathlib import Path

from docx import Document
from openpyxl import Workbook
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import Paragraph, SimpleDocTemplate

FIRST = (
    "Alder Brack Corvin Dunmore Eskdale Farrow Glaven Hollis Ivers Jessop Kelder Lorne Marrow Norcott Oswin"
).split()
LAST = "Foods Freight Optics Timber Textiles Marine Dental Print Ceramics Seeds".split()
ABOUT = {
    "supply": ("Supply Agreement", "the supply of goods", "quarterly fee"),
    "lease": ("Lease", "the lease of premises", "monthly rent"),
    "service": ("Service Agreement", "services of maintenance", "monthly fee"),
}
ZH_NAMES = "青岚 澄江 远帆 栖霞 云岭 鹿鸣 海盛 松涛 明川 沐阳 长泽 丰禾".split()
ZH_LAST = "食品 物流 光学 木业 纺织 航运".split()
ZH_ABOUT = {
    "supply": ("供货合同", "季度货款"),
    "lease": ("房屋租赁合同", "月租金"),
    "service": ("服务合同", "月服务费"),
}
DAY = "%-d %B %Y"

Lines = Sequence[str]
"""Paragraphs; one that begins with "# " is a title, with "## " a heading."""


@dataclass
class Matter:
    """One client's file: what its agreement says, and what an amendment makes of it."""

    number: int
    chinese: bool
    kind: str
    ours: str
    theirs: str
    fee: int
    notice: int
    signed: date
    amended: tuple[int, date] | None
    invoices: list[tuple[str, int]] = field(default_factory=list)

    @property
    def name(self) -> str:
        slug = self.theirs.removesuffix(" Ltd").lower().replace(" ", "-")
        return f"{self.number:02}-{slug}"


def matters() -> list[Matter]:
    """The 42 matters, drawn from a fixed seed."""
    draw = random.Random(20260101)
    names = [f"{a} {b}" for a in FIRST for b in LAST]
    draw.shuffle(names)
    found = []
    for number in range(1, 43):
        chinese = number > 30
        theirs = f"{ZH_NAMES[number - 31]}{draw.choice(ZH_LAST)}有限公司" if chinese else f"{names.pop()} Ltd"
        signed = date(2021, 1, 4) + timedelta(days=draw.randrange(1200))
        fee = draw.randrange(21, 480) * (1000 if chinese else 250)
        amended = (fee + draw.randrange(2, 20) * 500, signed + timedelta(days=draw.randrange(200, 500)))
        one = Matter(
            number=number,
            chinese=chinese,
            kind=list(ABOUT)[number % 3],
            ours="临湖置业有限公司" if chinese else "Tarn Valley Holdings plc",
            theirs=theirs,
            fee=fee,
            notice=draw.choice([30, 45, 60, 90]),
            signed=signed,
            amended=amended if number % 2 else None,
        )
        one.invoices = [
            (f"INV-{number:02}{n:02}", draw.randrange(12, 950) * 10) for n in range(1, draw.randrange(7, 15))
        ]
        found.append(one)
    return found


def agreement(one: Matter, state: str = "") -> Lines:
    """The paragraphs of an agreement; a draft says another fee."""
    fee = one.fee - 500 if state == "draft" else one.fee
    if one.chinese:
        title, called = ZH_ABOUT[one.kind]
        marked = f"{title}（草案）" if state == "draft" else title
        return (
            f"# {marked}",
            f"甲方：{one.ours}。乙方：{one.theirs}。",
            f"本合同于{one.signed:%Y年%-m月%-d日}{'拟订' if state == 'draft' else '签订'}。",
            "## 第一条 价款",
            f"{called}为人民币{fee:,}元，于每期首日支付。",
            "## 第二条 期限",
            f"本合同有效期三年。任何一方可提前{one.notice}日书面通知解除本合同。",
            "## 第三条 违约责任",
            "逾期付款的，按应付金额每日万分之五支付违约金。",
        )
    title, about, called = ABOUT[one.kind]
    opening = "This draft was prepared" if state == "draft" else "This agreement was signed"
    return (
        f"# {title} with {one.theirs}{' (draft)' if state == 'draft' else ''}",
        f"{opening} on {one.signed.strftime(DAY)} between {one.ours} and {one.theirs} for {about}.",
        "## 1 Fee",
        f"The {called} is EUR {fee:,}, payable on the first day of each period.",
        "## 2 Term and notice",
        f"The agreement runs for three years. Either party may end it by {one.notice} days' written notice.",
        "## 3 Late payment",
        "On sums paid late, interest of 1 per cent a month is owed.",
    )


def amendment(one: Matter) -> Lines:
    """The paragraphs of the text that changes the fee."""
    assert one.amended is not None
    fee, day = one.amended
    if one.chinese:
        title, _ = ZH_ABOUT[one.kind]
        return (
            f"# {title}补充协议",
            f"甲方：{one.ours}。乙方：{one.theirs}。双方于{day:%Y年%-m月%-d日}签订本补充协议。",
            f"自{day:%Y年%-m月%-d日}起，将原合同第一条中的“人民币{one.fee:,}元”修改为“人民币{fee:,}元”。",
        )
    title, _, _ = ABOUT[one.kind]
    return (
        f"# Amendment to the {title} with {one.theirs}",
        f"Signed on {day.strftime(DAY)} between {one.ours} and {one.theirs}.",
        f"With effect from {day.strftime(DAY)}, in clause 1 of the {title} dated {one.signed.strftime(DAY)}, "
        f'for "EUR {one.fee:,}" substitute "EUR {fee:,}".',
    )


def minutes(one: Matter) -> Lines:
    """The paragraphs of a note on a meeting."""
    day = one.signed + timedelta(days=100)
    if one.chinese:
        return (f"# 与{one.theirs}的会谈纪要", f"{day:%Y年%-m月%-d日}，双方商定由刘敏负责交货验收。")
    return (
        f"# Minutes: {one.theirs}",
        f"The parties met on {day.strftime(DAY)}. Deliveries are inspected by Ruth Penhale.",
    )


def markdown(lines: Lines) -> bytes:
    return "\n\n".join(lines).encode()


def plain(lines: Lines) -> bytes:
    return "\n\n".join(line.lstrip("# ") for line in lines).encode()


def html(lines: Lines) -> bytes:
    tags = {"# ": "h1", "##": "h2"}
    body = "".join(
        f"<{t}>{escape(line.lstrip('# '))}</{t}>" for line in lines for t in (tags.get(line[:2], "p"),)
    )
    return f'<!doctype html><html><head><meta charset="utf-8"></head><body>{body}</body></html>'.encode()


def docx(lines: Lines) -> bytes:
    document, out = Document(), io.BytesIO()
    for line in lines:
        level = len(line) - len(line.lstrip("#"))
        if level:
            document.add_heading(line.lstrip("# "), level)
        else:
            document.add_paragraph(line)
    document.save(out)
    return out.getvalue()


def pdf(lines: Lines) -> bytes:
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    styles, out = getSampleStyleSheet(), io.BytesIO()
    for style in styles.byName.values():
        if any(ord(c) > 0x2E80 for line in lines for c in line):
            style.fontName, style.wordWrap = "STSong-Light", "CJK"
    named = {"# ": "Heading1", "##": "Heading2"}
    story = [Paragraph(escape(line.lstrip("# ")), styles[named.get(line[:2], "BodyText")]) for line in lines]
    SimpleDocTemplate(out, invariant=1).build(story)
    return out.getvalue()


def rtf(lines: Lines) -> bytes:
    def coded(text: str) -> str:
        return "".join(c if ord(c) < 128 else f"\\u{ord(c) - 65536 * (ord(c) > 32767)}?" for c in text)

    styles = {"# ": "\\outlinelevel0\\b\\fs36 ", "##": "\\outlinelevel1\\b\\fs28 "}
    body = "".join(
        f"{{\\pard {styles.get(line[:2], '')}{coded(line.lstrip('# '))}\\par}}\n" for line in lines
    )
    return f"{{\\rtf1\\ansi\\uc1 {body}}}".encode()


def odt(lines: Lines) -> bytes:
    out = io.BytesIO()
    body = "".join(
        f'<text:h text:outline-level="{level}">{escape(line.lstrip("# "))}</text:h>'
        if (level := len(line) - len(line.lstrip("#")))
        else f"<text:p>{escape(line)}</text:p>"
        for line in lines
    )
    office = "urn:oasis:names:tc:opendocument:xmlns:office:1.0"
    words = "urn:oasis:names:tc:opendocument:xmlns:text:1.0"
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content xmlns:office="{office}" '
        f'xmlns:text="{words}"><office:body><office:text>{body}</office:text></office:body>'
        "</office:document-content>"
    )
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.text")
        archive.writestr("content.xml", content)
    return out.getvalue()


def mail(one: Matter, subject: str, body: str, attached: tuple[str, bytes] | None) -> bytes:
    message = EmailMessage()
    message["From"], message["To"] = "clerk@tarnvalley.example", "records@firm.example"
    message["Date"] = one.signed.strftime("%a, %d %b %Y 09:30:00 +0000")
    message["Subject"] = subject
    message.set_content(body)
    if attached:
        name, content = attached
        message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


def rows(one: Matter) -> list[list[object]]:
    head = ["发票号", "金额（元）"] if one.chinese else ["Invoice", "Amount EUR"]
    return [head, *([number, amount] for number, amount in one.invoices)]


def xlsx(one: Matter) -> bytes:
    book, out = Workbook(), io.BytesIO()
    sheet = book.active
    assert sheet is not None
    sheet.title = "发票" if one.chinese else "Invoices"
    for row in rows(one):
        sheet.append(row)
    book.save(out)
    return out.getvalue()


def delimited(one: Matter) -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=";").writerows(rows(one))
    return out.getvalue().encode()


FORMATS: dict[str, Callable[[Lines], bytes]] = {
    "docx": docx,
    "pdf": pdf,
    "odt": odt,
    "html": html,
    "rtf": rtf,
    "md": markdown,
    "txt": plain,
}


def files() -> dict[str, bytes]:
    """All files by their path in the folder."""
    made: dict[str, bytes] = {}
    kinds = list(FORMATS)
    for one in matters():
        place, n = f"matters/{one.name}", one.number
        agreed, other = kinds[n % 5], kinds[(n + 3) % 7]
        made[f"{place}/agreement.{agreed}"] = FORMATS[agreed](agreement(one))
        made[f"{place}/drafts/agreement-draft.{other}"] = FORMATS[other](agreement(one, "draft"))
        made[f"{place}/minutes.{kinds[(n + 1) % 7]}"] = FORMATS[kinds[(n + 1) % 7]](minutes(one))
        made[f"{place}/invoices.{'xlsx' if n % 3 else 'csv'}"] = xlsx(one) if n % 3 else delimited(one)
        told = "请见附件。" if one.chinese else f"The papers of {one.theirs} are attached for your records."
        if one.amended:
            way = kinds[(n + 2) % 5]
            content = FORMATS[way](amendment(one))
            if n % 4 == 1:
                subject = f"Amendment, {one.theirs}"
                made[f"{place}/mail/amendment.eml"] = mail(one, subject, told, (f"amendment.{way}", content))
            else:
                made[f"{place}/amendment.{way}"] = content
        else:
            copy = kinds[(n + 1) % 5]
            made[f"{place}/signed/agreement-signed.{copy}"] = FORMATS[copy](agreement(one))
        call = (
            f"{one.theirs}的联系人为周航，电话 0571-88{n:02}66。"
            if one.chinese
            else f"The contact at {one.theirs} is Ines Caldwell, extension 4{n:02}."
        )
        made[f"{place}/mail/contact.eml"] = mail(one, f"Contact, {one.theirs}", call, None)
        if n % 6 == 0:
            packed = io.BytesIO()
            with zipfile.ZipFile(packed, "w") as archive:
                archive.writestr(
                    "note.txt", f"The guarantor of {one.theirs} is Hatherley Bank, up to EUR {n},000."
                )
            made[f"{place}/archive.zip"] = packed.getvalue()
    for n in range(1, 301 - len(made)):
        made[f"unread/{n:03}.{('doc', 'mp3', 'dwg')[n % 3]}"] = b"\xd0\xcf\x11\xe0" + bytes(200)
    return made


def questions() -> list[dict[str, object]]:
    """Thirty questions over the folder, each with what is right to say (None: the folder does not say it)."""
    all_of = {one.number: one for one in matters()}
    asked: list[tuple[str, str | None]] = []
    for n in (1, 3, 5, 9, 13):
        one = all_of[n]
        assert one.amended is not None
        called = ABOUT[one.kind][2]
        asked.append((f"What is the {called} of {one.theirs} today?", f"EUR {one.amended[0]:,}"))
    for n in (1, 7):
        one = all_of[n]
        assert one.amended is not None
        before = (one.amended[1] - timedelta(days=30)).strftime(DAY)
        asked.append((f"What was the {ABOUT[one.kind][2]} of {one.theirs} on {before}?", f"EUR {one.fee:,}"))
    for n in (2, 4, 8):
        one = all_of[n]
        asked.append((f"What is the {ABOUT[one.kind][2]} of {one.theirs} as signed?", f"EUR {one.fee:,}"))
    for n in (6, 10):
        one = all_of[n]
        asked.append((f"How much notice ends the agreement with {one.theirs}?", f"{one.notice} days"))
    for n in (11, 12):
        one = all_of[n]
        asked.append((f"Who is the contact at {one.theirs}?", "Ines Caldwell"))
        asked.append((f"When was the agreement with {one.theirs} signed?", one.signed.strftime(DAY)))
    for n in (14, 15):
        one = all_of[n]
        total = sum(amount for _, amount in one.invoices)
        asked.append((f"What is the total of all invoices of {one.theirs}?", f"EUR {total:,}"))
        most = max(one.invoices, key=lambda row: row[1])
        asked.append((f"Which invoice of {one.theirs} is the highest?", most[0]))
    asked.append((f"Who guarantees {all_of[18].theirs}?", "Hatherley Bank"))
    asked.append((f"Who inspects the deliveries of {all_of[16].theirs}?", "Ruth Penhale"))
    asked.append((f"What penalty does {all_of[2].theirs} owe for breach of confidence?", None))
    asked.append(("Who is the auditor of Tarn Valley Holdings?", None))
    for n in (31, 33):
        one = all_of[n]
        assert one.amended is not None
        asked.append((f"{one.theirs}现在的{ZH_ABOUT[one.kind][1]}是多少？", f"人民币{one.amended[0]:,}元"))
    for n in (32, 34):
        one = all_of[n]
        asked.append((f"{one.theirs}的合同提前多少日通知解除？", f"{one.notice}日"))
    asked.append((f"{all_of[36].theirs}的合同是哪一天签订的？", f"{all_of[36].signed:%Y年%-m月%-d日}"))
    asked.append((f"{all_of[38].theirs}的保证金是多少？", None))
    rows = ({"question": q, "answers": [a] if a else [], "answerable": a is not None} for q, a in asked)
    return [{"id": f"q{n:02}", **row} for n, row in enumerate(rows, 1)]


def main(folder: Path) -> None:
    """Writes the files and the questions."""
    for name, content in files().items():
        path = folder / "documents" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    text = "".join(json.dumps(q, ensure_ascii=False) + "\n" for q in questions())
    (folder / "questions.jsonl").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
