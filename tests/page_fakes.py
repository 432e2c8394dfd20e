"""A small index behind the page: real texts with real offsets, scripted answers, no models."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from rag.answers.compose import citation as citation_of
from rag.store.schema import DATABASE
from rag.types import (
    Answer,
    Calculation,
    Certificate,
    Claim,
    ClaimState,
    DocumentInfo,
    Event,
    Evidence,
    EvidenceFound,
    Figure,
    FileResult,
    FileStatus,
    Filters,
    Finished,
    Gap,
    IngestReport,
    Leg,
    Mark,
    Note,
    Outcome,
    Part,
    Progress,
    Queued,
    Reading,
    Reason,
    StageStarted,
    Turn,
)
from tests.fakes import fake_document, fake_hit
from ui.workspace import Workspace

HOSTILE = (
    '<script>window.pwned=1</script><img src=x onerror="window.pwned=2"> ${window.pwned=3} {{pwned}} '
    "**bold** [x](javascript:window.pwned=5)"
)
LEASE = (
    "Lease between Harbour Street Holdings Ltd (the Landlord) and Meridian Foods plc (the Tenant).\n\n"
    "7 Termination\n\n"
    "7.1 Either party may end this lease by giving the other not less than six months' written notice. "
    "Notice under this clause takes effect on the last day of a calendar month.\n\n"
    "7.2 The Landlord may end this lease at once if rent of more than £25,000 is unpaid for 21 days.\n\n"
    "8 Deposit\n\n"
    "8.1 The Tenant has paid a deposit of £18,500. The Landlord returns it within 30 days of the end of the "
    "lease, less any sum due under clause 9."
)
CONTRACT = (
    "第七条 违约责任\n\n甲方逾期付款的，每逾期一日，应当按照逾期金额的万分之五向乙方支付违约金。"
    "逾期超过三十日的，乙方有权解除合同，并要求甲方赔偿由此造成的损失。\n\n"
    "第八条 争议解决\n\n因本合同引起的争议，双方应协商解决；协商不成的，提交上海仲裁委员会仲裁。"
)


@dataclass
class FakeIndex:
    """Documents by path, each a text; `ingest` reads text files and reports what real ingest would."""

    folder: Path
    texts: dict[str, str] = field(default_factory=dict)
    infos: dict[str, DocumentInfo] = field(default_factory=dict)
    pause: float = 0.0
    marked: tuple[Mark, ...] = ()

    @property
    def store(self) -> FakeIndex:
        return self

    def add(self, path: str, text: str, **changes: Any) -> DocumentInfo:
        info = fake_document(path, id=len(self.infos) + 1, **changes)
        self.infos[path], self.texts[path] = info, text
        return info

    def documents(self, filters: Filters | None = None) -> list[DocumentInfo]:
        return list(self.infos.values())

    def text(self, document_id: int) -> str:
        return next(self.texts[i.path] for i in self.infos.values() if i.id == document_id)

    def marks(self, document_id: int, start: int = 0, end: int | None = None) -> tuple[Mark, ...]:
        return tuple(m for m in self.marked if m.end > start and (end is None or m.start < end))

    def ingest(
        self, *paths: Path, progress: Callable[[Progress], None] | None = None, **_: Any
    ) -> IngestReport:
        results = []
        for number, path in enumerate(paths):
            if progress is not None:
                progress(Progress("texts", number, len(paths), current=path.name))
            time.sleep(self.pause)
            results.append(self._read(path))
        return IngestReport(tuple(results), 0.1, 0.1, passages=len(results), vectors=len(results))

    def _read(self, path: Path) -> FileResult:
        content = path.read_bytes()
        status = FileStatus.OK if content.strip() else FileStatus.EMPTY
        if content.startswith(b"%PDF-broken"):
            status = FileStatus.CORRUPT
        if content.startswith(b"%PDF-locked"):
            status = FileStatus.PASSWORD
        detail = "" if status is FileStatus.OK else "the file was made to fail"
        text = content.decode("utf-8", "replace") if status is FileStatus.OK else ""
        self.add(path.name, text, source=str(path), status=status, detail=detail)
        change = "added" if status is FileStatus.OK else "failed"
        return FileResult(path.name, status, change, detail, chunks=1)

    def close(self) -> None:
        pass


def evidence_of(index: FakeIndex, path: str, quote: str, number: int, **changes: Any) -> Evidence:
    start = index.texts[path].index(quote)
    fields: dict[str, Any] = {
        "number": number,
        "document": index.infos[path],
        "chunk_id": number,
        "start": start,
        "end": start + len(quote),
        "text": quote,
        "score": 0.91 - 0.1 * number,
    }
    return Evidence(**(fields | changes))


def answer_of(
    question: str,
    claims: Sequence[Claim],
    evidence: Sequence[Evidence],
    *,
    language: str = "en",
    **changes: Any,
) -> Answer:
    fields: dict[str, Any] = {
        "question": question,
        "line": claims[0].text if claims else "",
        "verdict": Outcome.ANSWERED,
        "confidence": 0.82,
        "text": " ".join(c.text + "".join(f" [{n}]" for n in c.citations) for c in claims),
        "language": language,
        "claims": tuple(claims),
        "quotes": tuple(citation_of(e) for e in evidence if any(e.number in c.citations for c in claims)),
        "citations": tuple(citation_of(e) for e in evidence),
        "evidence": tuple(evidence),
        "nearest": (),
        "certificate": Certificate(4, 37, (), 0.82, 0.45, dense=True),
        "timings": {"searching": 0.03, "evidence": 0.02, "reading": 0.9, "verifying": 0.01},
        "draft": " ".join(c.text for c in claims),
        "model": "SmolLM2-135M-Instruct",
    }
    return Answer(**(fields | changes))


def refusal_of(question: str, index: FakeIndex, *, language: str = "en") -> Answer:
    info = index.infos["lease.md"]
    hit = fake_hit(LEASE[-150:], document=info, score=0.31)
    return answer_of(
        question,
        (),
        (),
        language=language,
        line="The documents do not hold an answer to this question.",
        verdict=Outcome.ABSENT,
        confidence=0.31,
        text="The documents do not hold an answer to this question.",
        nearest=(hit,),
        certificate=Certificate(4, 37, (("scan <b>2019</b>.pdf", "password"),), 0.31, 0.45, dense=True),
        draft="",
        model="",
    )


@dataclass
class PageAssistant:
    """Streams scripted answers: the first script whose key occurs in the question; a refusal otherwise. A
    question with "slow" in it is read until it is stopped, or nobody follows it any more."""

    index: FakeIndex
    script: dict[str, Callable[[FakeIndex, str], Answer]]
    llm: Any = None
    word_seconds: float = 0.01
    calls: list[dict[str, Any]] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def stream(self, question: str, **how: Any) -> Iterator[Event]:
        try:
            yield from self._stream(question, **how)
        except GeneratorExit:
            self.stopped.set()
            raise

    def _stream(
        self,
        question: str,
        *,
        filters: Filters | None = None,
        history: Sequence[Turn] = (),
        language: str | None = None,
        stop: threading.Event | None = None,
    ) -> Iterator[Event]:
        self.calls.append({"question": question, "filters": filters, "history": tuple(history)})
        yield StageStarted("searching")
        make = next((m for key, m in self.script.items() if key in question), None)
        answer = make(self.index, question) if make else refusal_of(question, self.index)
        yield StageStarted("evidence")
        yield EvidenceFound(answer.evidence, answer.nearest, answer.understood, answer.relaxed)
        if answer.verdict is not Outcome.ANSWERED:
            yield Finished(answer)
            return
        yield StageStarted("reading")
        for ahead in (2, 1) if "queued" in question else ():
            yield Queued(ahead)
            time.sleep(self.word_seconds * 40)
        yield StageStarted("reading")
        words = answer.draft.split(" ") * (400 if "slow" in question else 1)
        for _ in words:
            if stop is not None and stop.is_set():
                self.stopped.set()
                break
            time.sleep(self.word_seconds)
        yield StageStarted("verifying")
        yield Finished(answer)

    def close(self) -> None:
        pass


def notice_answer(index: FakeIndex, question: str) -> Answer:
    one = evidence_of(
        index,
        "lease.md",
        "Either party may end this lease by giving the other not less than six months' written notice.",
        1,
        heading_path=("7 Termination",),
    )
    two = evidence_of(
        index,
        "lease.md",
        "Notice under this clause takes effect on the last day of a calendar month.",
        2,
        heading_path=("7 Termination",),
    )
    claims = (
        Claim(
            "Either party can end the lease by giving at least six months' written notice.",
            ClaimState.SUPPORTED,
            (1,),
            ("every number and name occurs in the source",),
        ),
        Claim(
            "The notice takes effect on the last day of a month, once the deposit has been returned.",
            ClaimState.PARTIAL,
            (2,),
            ("“deposit” does not occur in the source",),
        ),
        Claim(
            "Notice of three months is enough for the Landlord.",
            ClaimState.UNSUPPORTED,
            (),
            ("“three months”: the source says six months",),
        ),
    )
    return answer_of(question, claims, (one, two))


def deposit_answer(index: FakeIndex, question: str) -> Answer:
    one = evidence_of(index, "lease.md", "The Tenant has paid a deposit of £18,500.", 1)
    quote = Claim(one.text, ClaimState.SUPPORTED, (1,), ("quoted word for word",), quoted=True)
    return answer_of(question, (quote,), (one,), draft="The deposit is £18,500.", model="")


def penalty_answer(index: FakeIndex, question: str) -> Answer:
    quote = "甲方逾期付款的，每逾期一日，应当按照逾期金额的万分之五向乙方支付违约金。"
    one = evidence_of(index, "采购合同.txt", quote, 1, heading_path=("第七条 违约责任",))
    claim = Claim("逾期付款的违约金为每日万分之五。", ClaimState.SUPPORTED, (1,), ("数值“万分之五”见于原文",))
    return answer_of(question, (claim,), (one,), language="zh")


def hostile_answer(index: FakeIndex, question: str) -> Answer:
    path = next(p for p in index.texts if p.startswith("evil"))
    one = evidence_of(index, path, HOSTILE, 1, heads=(HOSTILE,), heading_path=(HOSTILE,), location=HOSTILE)
    claims = (Claim(HOSTILE, ClaimState.PARTIAL, (1,), (HOSTILE,)),)
    return answer_of(question, claims, (one,), draft=HOSTILE, model=HOSTILE)


def page_answer(index: FakeIndex, question: str) -> Answer:
    quote = "The total consideration is EUR 4,250,000."
    one = evidence_of(index, "agreement.pdf", quote, 1, page=2)
    claim = Claim("The total consideration is EUR 4,250,000.", ClaimState.SUPPORTED, (1,), ())
    return answer_of(question, (claim,), (one,))


def sales_answer(index: FakeIndex, question: str) -> Answer:
    """Another year than the one asked about, and why its passage was chosen."""
    answer = page_answer(index, question)
    wanted = (Note("company", ("Meridian Foods plc",)), Note("year", ("2021",)))
    reasons = (Reason("name", 1.0, 2.4), Reason("year", -1.0, -1.8), Reason("authority", 0.5, 1.0))
    hit = replace(
        fake_hit("The total consideration is EUR 4,250,000.", document=index.infos["agreement.pdf"], page=2),
        legs=(Leg("lexical", 1, 0.41), Leg("dense", 2, 0.52)),
        reasons=reasons,
    )
    gap = Gap(wanted, ("year",), "Meridian Foods plc, 2022 (agreement.pdf)")
    return replace(answer, understood=(*wanted, Note("words", ("turnover",))), relaxed=(gap,), nearest=(hit,))


ROW = "Consideration paid 4,250,000 3,400,000"


def growth_answer(index: FakeIndex, question: str) -> Answer:
    """A change worked out from two cells of one row, and a figure that the question gave."""
    one = evidence_of(index, "agreement.pdf", ROW, 1, page=2, heads=("EUR", "2022", "2021"))
    new, old = one.start + ROW.index("4,250,000"), one.start + ROW.index("3,400,000")
    inputs = (
        Figure("Consideration paid", Decimal(4250000), "EUR", "2022", "4,250,000", 1, new, new + 9),
        Figure("Consideration paid", Decimal(3400000), "EUR", "2021", "3,400,000", 1, old, old + 9),
        Figure("threshold", Decimal(20), "%", "", "20%"),
    )
    result = Figure("growth of the consideration", Decimal(25), "%", "2022", "25.0%")
    calculation = Calculation(
        "growth of the consideration",
        "(this year - last year) / last year",
        inputs,
        result,
        "(4,250,000 - 3,400,000) / 3,400,000 = 25.0%",
        ("more than the threshold of 20%",),
    )
    claims = (
        Claim(
            "Growth of the consideration for 2022: 25.0%.",
            ClaimState.SUPPORTED,
            (1,),
            ("computed from cells",),
        ),
        Claim(one.text, ClaimState.SUPPORTED, (1,), ("quoted word for word",), quoted=True),
    )
    return answer_of(question, claims, (one,), working=(calculation,), draft="", model="")


def parts_answer(index: FakeIndex, question: str) -> Answer:
    """Of two questions in one, one is answered."""
    one = evidence_of(index, "lease.md", "The Tenant has paid a deposit of £18,500.", 1)
    quote = Claim(one.text, ClaimState.SUPPORTED, (1,), ("quoted word for word",), quoted=True)
    told = (
        Part("what is the deposit", True, (1,)),
        Part("who won the regatta", False, (), "in no document searched: regatta"),
    )
    return answer_of(question, (quote,), (one,), parts=told, draft="", model="")


def count_answer(index: FakeIndex, question: str) -> Answer:
    """Every passage that matches was read."""
    quotes = ("The Tenant has paid a deposit of £18,500.", "Notice under this clause takes effect")
    found = [evidence_of(index, "lease.md", q, n) for n, q in enumerate(quotes, 1)]
    claims = (
        Claim("2 clauses speak of the Tenant.", ClaimState.SUPPORTED, (1, 2), ("counted by code",)),
        *(Claim(e.text, ClaimState.SUPPORTED, (e.number,), (), quoted=True) for e in found),
    )
    text = f"2 clauses speak of the Tenant.\n\nlease.md\n“{quotes[0]}” [1]\n“{quotes[1]}” [2]\nnot a mark [7]"
    return answer_of(
        question,
        claims,
        found,
        text=text,
        reading=Reading("count", 14, 14, 3),
        draft="",
        model="",
    )


def follow_up_answer(index: FakeIndex, question: str) -> Answer:
    return replace(deposit_answer(index, question), searched="What is the deposit of Harbour Street?")


def asked_back(index: FakeIndex, question: str) -> Answer:
    """A question back, with the questions to choose from."""
    return replace(refusal_of(question, index), choices=("What is the deposit of Harbour Street?",))


SCRIPT = {
    "Which lease": asked_back,
    "grow": growth_answer,
    "regatta": parts_answer,
    "How many clauses": count_answer,
    "And that": follow_up_answer,
    "net sales": sales_answer,
    "notice": notice_answer,
    "deposit": deposit_answer,
    "违约金": penalty_answer,
    "hostile": hostile_answer,
    "consideration": page_answer,
}


def make_pdf(path: Path) -> Path:
    """Two pages; the second holds the sentence that `page_answer` cites."""
    from reportlab.lib.pagesizes import A4
    from reportlab.pdfgen.canvas import Canvas

    canvas = Canvas(str(path), pagesize=A4)
    canvas.setFont("Times-Bold", 20)
    canvas.drawString(72, 760, "Share Purchase Agreement")
    canvas.showPage()
    canvas.setFont("Times-Roman", 12)
    canvas.drawString(72, 760, "3 Consideration")
    canvas.drawString(72, 730, "The total consideration is EUR 4,250,000.")
    canvas.drawString(72, 710, "It falls due on completion.")
    canvas.drawString(72, 690, "Consideration paid")
    canvas.drawString(260, 690, "4,250,000")
    canvas.drawString(360, 690, "3,400,000")
    canvas.save()
    return path


def make_workspace(root: Path) -> tuple[Workspace, dict[str, PageAssistant]]:
    """Two indexes, "contracts" with five documents and "empty" with none; assistants are kept for
    inspection."""
    assistants: dict[str, PageAssistant] = {}

    def create(folder: Path) -> None:
        folder.mkdir(parents=True)
        (folder / DATABASE).write_bytes(b"")

    def open_assistant(folder: Path) -> PageAssistant:
        index = FakeIndex(folder)
        if folder.name == "contracts":
            fill(index, folder)
        assistants[folder.name] = PageAssistant(index, SCRIPT)
        return assistants[folder.name]

    for name in ("contracts", "empty"):
        create(root / name)
    (root / "contracts" / "samples.json").write_text(
        '["How much notice ends the lease?", {"question": "逾期付款的违约金是多少？"}]', encoding="utf-8"
    )
    return Workspace(root, open_assistant, create), assistants


def fill(index: FakeIndex, folder: Path) -> None:
    parties = {"parties": ("Harbour Street Holdings Ltd", "Meridian Foods plc"), "year": "2021"}
    index.add("lease.md", LEASE, title="Lease of 14 Harbour Street", metadata=parties)
    index.add(
        "采购合同.txt", CONTRACT, title="采购合同", language="zh", kind="text", metadata={"year": "2023"}
    )
    evil = "evil<img src=x onerror=window.pwned=4>.md"
    text = f"Before.\n\n{HOSTILE}\n\nAfter."
    index.add(evil, text, title=HOSTILE, metadata={"company": HOSTILE, "year": HOSTILE})
    index.add(
        "scan <b>2019</b>.pdf",
        "",
        kind="pdf",
        status=FileStatus.PASSWORD,
        detail="the file asks for a password",
    )
    pdf = make_pdf(folder / "agreement.pdf")
    index.add(
        "agreement.pdf",
        "Share Purchase Agreement\n\n3 Consideration\nThe total consideration is EUR 4,250,000.\n"
        f"It falls due on completion.\n{ROW}",
        title="Share Purchase Agreement",
        kind="pdf",
        pages=2,
        metadata={
            "company": "Meridian Foods plc",
            "fiscal_year": ("2022", "2023"),
            "effective": "2022-05-01",
        },
        source=str(pdf),
        sha256=hashlib.sha256(pdf.read_bytes()).hexdigest(),
    )
