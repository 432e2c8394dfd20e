"""The model reads where code states nothing: from few sentences it says whether they state the answer, and
the answer in as few words as it takes.

Sources and question are read once: whether they state it, which the verdict weighs, and, where that suffices,
the answer with the number of its source. Code looks for the sentence in which its words stand, makes the line
of them, verifies it, and cites; what the model typed as a source is a hint. What does not hold is not shown.

Evidence first, also among many: while somebody's evidence is being looked for, nobody's answer begins to be
read. A search takes a tenth of a second of processor time, an answer seconds, on the same cores."""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from rag.answers.bearing import (
    CLAUSES,
    answers,
    beside,
    denies,
    hardly_names,
    invents,
    nearer,
    negations,
    of_another,
    out_of_range,
    said_otherwise,
)
from rag.answers.line import counted, in_one_line, line_of, with_heads
from rag.answers.prompt import MOST_SOURCES, ReadingInstructions, instructions, reading_prompt
from rag.answers.request import CROWD, AnswerRequest, Setup
from rag.errors import GenerationError
from rag.facts.numerals import CURRENCY_BEFORE, alternatives, fold
from rag.facts.quantities import extract
from rag.facts.quantity import QuantityMatch, compare
from rag.facts.values import read as read_values
from rag.languages.text import content_tokens, has_han, in_one_piece
from rag.questions.expects import KINDS, AnswerType, Wording
from rag.questions.query import Query
from rag.search.evidence import Selection
from rag.search.verdict import Verdict, named_elsewhere, outdated, surely, unstated, with_odds, worth_reading
from rag.types import Claim, ClaimState, Event, Evidence, Queued, StageStarted
from rag.verify.align import reason
from rag.verify.claims import verify_sentence
from rag.verify.content import assertions_of

# Round brackets name a source at the end alone: "thirty (30) days".
_SOURCE = re.compile(r"\s*(?:[\[【]\s*(\d{1,2})\s*(?:[\]】]|$)|[（(]\s*(\d{1,2})\s*[）)]?[\s.。]*$)")
# What stands in brackets behind a value says how sure it is, of what, or in other units.
_BRACKETED = re.compile(
    r"[ \t]?(?:\((?=\D*\d)[^()\n]{1,40}\)|\[(?=\D*\d)[^\[\]\n]{1,40}\]|（(?=\D*\d)[^（）\n]{1,40}）)"
)
_LABEL = re.compile(r"[^\W\d_]+(?: [^\W\d_]+)?\.\s*")  # "Lactose." in front of what is said of it
_CURRENCY = re.compile(rf"(?<![A-Za-z])(?:{alternatives(CURRENCY_BEFORE)})[ \t]*$", re.IGNORECASE)
# So much of a reply that stands in no source as it is has to be words of one sentence.
_MOSTLY = 0.6
# A sentence that stands for such a reply names so much of what is asked; half where the judge is less sure.
_SHARED = 1 / 3
_TRIMMED = " \t\"'“”‘’「」.。,，;；:："
_CODE = 4  # characters of a currency's code and its blank
_BOXES = frozenset("☐☒☑")
# No word or number goes on across these.
_BEGINS = r"(?<![A-Za-z0-9](?=[A-Za-z0-9]))(?<!\d[.,](?=\d))"
_ENDS = r"(?![A-Za-z0-9](?<=[A-Za-z0-9]{2}))(?![.,]\d(?<=\d[.,]\d))"
_SIGNS = str.maketrans("“”‘’–—‑，：；（）％", "\"\"''---,:;()%")


@dataclass(frozen=True, slots=True)
class ReaderReply:
    """What came of reading: the verdict with the model's odds in it, the verified `claim` that the line is
    made of, if any, and what it was made from: `draft`, as the model wrote it. `dropped` is a claim that did
    not hold, `source` the evidence that the model named, or 1; `trouble` says why nothing was written."""

    verdict: Verdict
    claim: Claim | None = None
    draft: str = ""
    model: str = ""
    dropped: tuple[Claim, ...] = ()
    trouble: str = ""
    source: int = 1


def read(
    setup: Setup, request: AnswerRequest, found: Selection, part: Query | None = None
) -> Generator[Event, None, ReaderReply]:
    """Reads the first sentences of the evidence for the question, or for one `part` of it, those that later
    texts change in the words in force. Without a model, with one that does not know the language, and where
    nothing is near, nothing is read: the verdict stands, and the quotes."""
    changed = {e.number: e for e in found.evidence if any(one.made for one in e.changes)}
    if not changed:
        return (yield from _read(setup, request, found, part))
    at = {(e.document.id, e.start): e.number for e in found.evidence}
    by = {n: [at.get((c.document_id, c.start), 0) for c in e.changes if c.made] for n, e in changed.items()}
    told = {n for several in by.values() for n in several}
    said = tuple(replace(e, text=e.in_force or e.text) for e in found.evidence if e.number not in told)
    reply = yield from _read(setup, request, replace(found, evidence=said), part)
    resting = reply.claim.citations if reply.claim else (reply.source,)
    if any(n in changed and not changed[n].in_force for n in resting):
        return replace(reply, verdict=unstated(reply.verdict))
    cited = tuple(dict.fromkeys(n for one in resting for n in (one, *by.get(one, ())) if n))
    claim = reply.claim
    if claim is None and len(cited) > 1:
        line = line_of(Claim("", ClaimState.SUPPORTED, cited[:1], quoted=True), said)
        claim = Claim(line, ClaimState.SUPPORTED, cited, (reason("in force").words(request.language),))
    return replace(reply, claim=replace(claim, citations=cited) if claim else None)


def _read(
    setup: Setup, request: AnswerRequest, found: Selection, part: Query | None
) -> Generator[Event, None, ReaderReply]:
    query, llm = part or request.query, setup.llm
    if (
        llm is None
        or request.stopped
        or not llm.info.writes(request.language)
        or not worth_reading(found.verdict)
    ):
        first = found.evidence[:1]
        fit = all(answers(in_one_line(one), one, query) for one in first)
        fit = fit and not any(named_elsewhere(query, one.document, setup.index.store) for one in first)
        return ReaderReply(found.verdict if fit else unstated(found.verdict))
    yield StageStarted("reading")
    CROWD.give_way(request.stop)
    asked, verdict, draft, trouble = instructions(query.language), found.verdict, "", ""
    dated = bool(request.filters and request.filters.in_force)
    over = outdated(query, (piece.document for piece in found.evidence), dated=dated)
    shown: Sequence[Evidence] = [piece for piece in found.evidence if piece.document.id not in over]
    if not query.whether:
        shown = [piece for piece in shown if not said_otherwise(query, piece)] or shown
    own, sources, claim, most = request.query, shown[:MOST_SOURCES], None, setup.max_tokens
    cut = aside = False
    translated = request.language != query.language
    if translated and own.expects is not AnswerType.OTHER:
        query = replace(query, expects=own.expects)
    read = partial(reading_prompt, evidence=shown, llm=llm, max_tokens=most)
    try:
        asking = read(query, ending=asked.answer if llm.info.probed else asked.reask)
        odds = llm.odds(asking, yes=asked.yes, no=asked.no, stop=request.stop) if llm.info.judges else None
        if odds is not None:
            weights = asked.confidence.of_judge() if llm.info.probed else asked.confidence
            verdict = with_odds(verdict, odds, weights, setup.index.store.passages(), setup.threshold)
        request.clock.lap("judging")
        # A translation may have missed what was asked; the question as it was put has not, but the model may
        # reply to it in its language.
        wordings = (replace(query, text=own.text), query) if translated else (query,)
        for wording in wordings if verdict.sufficient else ():
            draft = ""
            answering = read(wording, ending=asked.answer)
            for piece in llm.generate(answering, max_tokens=most, stop=request.stop):
                if isinstance(piece, Queued):
                    yield piece
                else:
                    draft += piece
            cut = not (_SOURCE.search(draft) or "\n" in draft.strip()) and llm.count_tokens(draft) >= most
            claim = claim_of(_to_its_end(draft, sources) if cut else draft, sources, query, asked)
            cited = [e for e in sources if claim and e.number in claim.citations]
            aside = any(
                named_elsewhere(own, e.document, setup.index.store) or beside(query, e, shown, claim.text)
                for e in cited
                if claim
            )
            if claim and aside:
                claim = replace(claim, state=ClaimState.UNSUPPORTED)
            if claim is not None and claim.state is ClaimState.SUPPORTED:
                break
    except GenerationError as error:  # the quoted answer always exists
        trouble = str(error)
    request.clock.lap("reading")
    # What the model alone was sure of is not answered where it says nothing that holds.
    unread = found.verdict if verdict.sufficient and not found.sufficient else verdict
    draft = draft.strip()
    if trouble or request.stopped or not draft:
        return ReaderReply(unread, draft=draft, model=llm.info.name, trouble=trouble)
    yield StageStarted("verifying")
    lead = asked.lead.match(claim.text) if claim is not None else None
    if claim is not None and lead and translated:
        says = instructions(request.language)
        rest = claim.text[lead.end() :].removeprefix(asked.colon)
        claim = replace(claim, text=f"{says.denied if lead['no'] else says.affirmed}{says.colon}{rest}")
    request.clock.lap("verifying")
    holds = claim is not None and claim.state is ClaimState.SUPPORTED
    hint = _named(draft) if llm.info.judges else 1
    quotable = [piece.number for piece in sources if not _leads(piece)] or [1]
    named = hint if hint in quotable else quotable[0]
    if not holds:  # what was misread, or said in other words, the sentence says, where it surely answers
        said = next(piece for piece in found.evidence if piece.number == named)
        sure = llm.info.judges and surely(verdict) and claim is not None and not aside
        sure = sure and not invents(asked.lead.sub("", _SOURCE.sub("", draft)), said)
        bears = (lead or sure) and answers(in_one_line(said), said, query)
        least = _SHARED if sure else 0.5
        bears = bears and not hardly_names(query, said, *said.heading_path, least=least)
        bears = bears and not named_elsewhere(own, said.document, setup.index.store)
        if not (sure and bears):
            verdict = unread if bears or not (lead or llm.info.judges) else unstated(verdict)
    if claim is not None and holds and cut:  # what it began to copy is quoted
        return ReaderReply(verdict, draft=draft, model=llm.info.name, source=claim.citations[0])
    dropped = (claim,) if claim is not None and not holds else ()
    return ReaderReply(verdict, claim if holds else None, draft, llm.info.name, dropped, source=named)


def _to_its_end(draft: str, sources: Sequence[Evidence]) -> str:
    """The sentence that a reply which the limit cut short copies, with its number; "" for other words, which
    may have been about to turn their meaning."""
    copied = (piece for piece in sources if _standing(draft.strip(_TRIMMED), piece.text))
    return next((f"{in_one_piece(piece.text)} [{piece.number}]" for piece in copied), "")


def _named(draft: str) -> int:
    mark = _SOURCE.search(draft)
    return int(mark[1] or mark[2]) if mark else 0


def claim_of(
    draft: str, evidence: Sequence[Evidence], query: Wording, asked: ReadingInstructions
) -> Claim | None:
    """The sentence that a reply makes, held against the piece of evidence in which its words stand: first the
    one that it names. None for a reply that gives no answer."""
    first = draft.strip().partition("\n")[0]
    mark = _SOURCE.search(first)
    words = (first[: mark.start()] if mark else first).strip(_TRIMMED)
    pieces = sorted(evidence, key=lambda piece: piece.number != _named(first))
    if lead := asked.lead.match(words):
        return _whether(lead, words, pieces, query, asked)
    if not words or asked.none.fullmatch(words):
        return None
    said = set(content_tokens(words))
    if said and said <= set(query.content) and (not has_han(words) or words in query.text):
        # What gives the question back points at the sentence that says more of it.
        holding = (p for p in pieces if said <= set(content_tokens(p.text)) and not (_leads(p) or p.heads))
        piece = next((p for p in holding if set(content_tokens(p.text)) - set(query.content)), None)
        if piece is None:
            return None
        return _stated(_sentence_of(piece, query, asked), piece, query, asked)
    failed: Claim | None = None
    for piece in pieces:
        span = None if _leads(piece) else _standing(words, piece.text) or _stating(words, piece.text)
        labelled = span and not piece.heads and piece.text[span[1] :].lstrip().startswith((":", "："))
        if labelled or (span and _LABEL.fullmatch(piece.text)):
            failed = Claim(words, ClaimState.UNSUPPORTED, (piece.number,))  # a label, not what it labels
        elif span:
            lines = [_sentence_of(piece, query, asked)]
            # The number of a clause says where the answer stands, not what it is.
            if query.expects not in CLAUSES and span[1] > counted(piece.text):
                start, end = _whole_values(piece.text, *span)
                turned = _turned(piece.text, start, end) or _goes_on(piece.text, end, asked)
                if of_row := with_heads(piece, piece.text[start:end]):
                    lines.insert(0, of_row)
                elif not turned and (piece.heads or not nearer(piece.text, start, end, query)):
                    bracketed = _BRACKETED.match(piece.text, end) if query.expects in KINDS else None
                    lines.insert(0, piece.text[start : bracketed.end() if bracketed else end])
            # "above 750 mg" of "must not be above 750 mg" says another thing than its sentence.
            claims = [_stated(each, piece, query, asked) for each in lines]
            failed = claims[-1]
            if held := next((one for one in claims if one.state is ClaimState.SUPPORTED), None):
                return held
    by_article = (p for p in pieces if asked.article.search(query.text) and _article(p, words))
    if named := next(by_article, None):
        line = f"{_article(named, words)}{asked.colon}{_sentence_of(named, query, asked)}"
        return _stated(line, named, query, asked)
    if failed:
        return failed
    nearest = max(pieces, key=lambda piece: _share(words, piece))
    # Words that stand in title and headings alone, which a quote does not show, are a label.
    bare = [replace(one, heading_path=(), document=replace(one.document, title="")) for one in pieces]
    claim = verify_sentence(_sentence(words, asked), bare, query)
    if claim.state is ClaimState.SUPPORTED or _share(words, nearest) < _MOSTLY:
        return claim if answers(claim.text, nearest, query) else replace(claim, state=ClaimState.UNSUPPORTED)
    return _stated(_sentence_of(nearest, query, asked), nearest, query, asked)


def _article(piece: Evidence, words: str) -> str:
    """The heading of a piece in which the words stand, such as that of its article; "" for none."""
    return next((above for above in reversed(piece.heading_path) if _standing(words, above)), "")


def _sentence_of(piece: Evidence, query: Wording, asked: ReadingInstructions) -> str:
    """The piece on one line. The number of its clause is left out, unless it is asked for; with a full stop
    it would pass for a sentence."""
    text = in_one_line(piece)
    if piece.heads or not (length := counted(text)):
        return text
    number = text[:length].strip().rstrip(".") if asked.article.search(query.text) else ""
    return f"{number} {text[length:]}".lstrip()


def _share(words: str, piece: Evidence) -> float:
    """How much of the words stands in a piece or over its columns, 0 where a number of theirs does not."""
    said, held = content_tokens(words), frozenset(content_tokens(f"{piece.text} {piece.header}"))
    lacking = [token for token in said if token not in held]
    if _leads(piece) or not said or any(c.isdigit() for token in lacking for c in token):
        return 0.0
    return 1 - len(lacking) / len(said)


def _stated(words: str, piece: Evidence, query: Wording, asked: ReadingInstructions) -> Claim:
    """The claim that words of a piece make; none of another kind than the question asks for."""
    if not answers(words, piece, query):
        return Claim(words, ClaimState.UNSUPPORTED, (piece.number,))
    claim = verify_sentence(_sentence(" ".join(words.split()), asked), [piece], query)
    if claim.state is not ClaimState.PARTIAL:
        return replace(claim, quoted=False)
    # They stand in the piece as they are: softer doubts of the comparison do not count.
    why = reason("all found", label=f"[{piece.number}]").words(query.language)
    return Claim(claim.text, ClaimState.SUPPORTED, (piece.number,), (why,))


def _leads(piece: Evidence) -> bool:
    """Whether a sentence only leads into what follows."""
    return piece.text.rstrip().endswith((":", "："))


def _whether(
    lead: re.Match[str], words: str, pieces: Sequence[Evidence], query: Wording, asked: ReadingInstructions
) -> Claim | None:
    """A yes or no with what it rests on. A bare one is followed by its source; one that the "not" of the
    source does not bear out is dropped, and so is one for words that no source holds, or that are said of
    another."""
    rest = words[lead.end() :].strip(_TRIMMED)
    pieces = [piece for piece in pieces if not _leads(piece)] or pieces
    standing = next((piece for piece in pieces if rest and _standing(rest, piece.text)), None)
    piece = standing or max(pieces, key=lambda piece: _share(rest or query.text, piece))
    foreign = bool(rest) and standing is None and _share(rest, piece) < _MOSTLY
    said = lead[0].strip().capitalize()
    boxed = bool(_BOXES & set(piece.text)) and not negations(query.text)
    if boxed:
        # Code sees the box; a "no" beside one that is not ticked is not said.
        boxes = asked.unticked.sub("", piece.text)
        unticked = ("☐" in boxes and "☒" not in piece.text) or negations(boxes)
        said = asked.denied if unticked else asked.affirmed
    elif foreign or of_another(query, piece) or denies(piece.words, query.text) != bool(lead["no"]):
        return Claim(words, ClaimState.UNSUPPORTED, (piece.number,))
    conditions = {cue.name for cue in assertions_of(piece.words).cues if cue.group == "condition"}
    # Whether an exception applies is for who asks, so is which of two bounds, and what follows for a matter
    # that it hardly names.
    far = not boxed and hardly_names(query, piece)
    hedged = "unless" in conditions or far or out_of_range(query, piece.words)
    source = rest if standing and not (conditions or hedged) else _sentence_of(piece, query, asked)
    claim = _stated(source, piece, query, asked)
    return claim if hedged else replace(claim, text=f"{said}{asked.colon}{claim.text}")


def _standing(words: str, text: str) -> tuple[int, int] | None:
    """Where the words stand whole in a text as they are, whatever the case, the white space and the quotation
    marks."""
    inner = r"\s*".join(map(re.escape, words.translate(_SIGNS).split()))
    found = re.search(_BEGINS + inner + _ENDS, text.translate(_SIGNS), re.IGNORECASE)
    return found.span() if found else None


def _stating(words: str, text: str) -> tuple[int, int] | None:
    """Where a text states the one quantity that the words are, spelled otherwise, or more closely: 15 days as
    fifteen days, or as fifteen working days."""
    said = extract(fold(words))
    if len(said) != 1 or words[: said[0].start].strip() or words[said[0].end :].strip():
        return None
    stated = extract(fold(text))
    found = [q for q in stated if compare(said[0], q) is QuantityMatch.EXACT]
    found = found or [q for q in stated if q.value == said[0].value and q.unit.endswith(said[0].unit)]
    return (found[0].start, found[0].end) if len(found) == 1 else None


def _whole_values(text: str, start: int, end: int) -> tuple[int, int]:
    """The span, widened to the whole of the amounts, dates and ranges that it cuts."""
    for value in read_values(text):
        if value.start < end and start < value.end:
            start, end = min(start, value.start), max(end, value.end)
    currency = _CURRENCY.search(text, 0, start)
    return currency.start() if currency else start, end


def _turned(text: str, start: int, end: int) -> bool:
    """Whether a bound says the other thing without the "not" in front of it: "shall not be reduced or be
    increased by more than 14%"."""
    cues = assertions_of(text).cues
    bound = any(cue.group == "comparison" and start <= cue.start < end for cue in cues)
    return bound and any(cue.group == "negation" and cue.end <= start for cue in cues)


def _goes_on(text: str, end: int, asked: ReadingInstructions) -> bool:
    """Whether another value goes with the one that ends there: "limited to EUR 11 a kilogram of what is lost,
    and to EUR 85,000 in all"."""
    between = asked.further.match(text, end)
    starts = [v.start - between.end() for v in read_values(text)] if between else ()
    return any(0 <= start <= _CODE for start in starts)


def _sentence(words: str, asked: ReadingInstructions) -> str:
    """The words with a capital and a full stop."""
    first = words.split(maxsplit=1)[0]
    if first.isalpha() and first.islower():
        words = words[:1].upper() + words[1:]
    return words if words[-1] in ".!?。！？" else words + asked.stop
