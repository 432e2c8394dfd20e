"""What a search understood, what of it gave way, and why each passage stands where it does; as values, and
in words, English and Chinese, the same for the terminal and the page (`Words`).

What a question names is a preference (`rag.questions.constraints`): where no passage is what was asked for,
the nearest is given. Here that is said: the reader of figures for 2022 learns that 2021 was asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rag.documents.catalogue import Catalogue
from rag.questions.constraints import Constraints, article_agrees, sign
from rag.questions.query import Query
from rag.search.pool import Retrievers, Searches, sources
from rag.search.retrieve import QueryDemands, read_demands
from rag.types import DocumentInfo, Filters, Gap, Hit, Leg, Note, Reason

# What is said only where somebody asks for the explanation, subjects too, which are a weak hint.
_LONG = frozenset({"subject", "words", "part"})
_MATTERS: Mapping[str, tuple[str, ...]] = {
    "company": ("company", "公司"),
    "period": ("period", "期间"),
    "year": ("year", "年度"),
    "also": ("also", "另涉年度"),
    "passage": ("passage", "条款"),
    "words": ("also searched as", "同时检索"),
    "part": ("asked in parts", "分问"),
    "unknown": ("in no document", "文件中没有"),
}
# For each feature of rag.search.ranker that is of no field.
_FEATURES: Mapping[str, tuple[str, ...]] = {
    "lexical_share": ("it shares more words with the question than other passages",
                      "与问题相同的用词多于其他段落"),
    "lexical_rank": ("it stands high in the search by words", "在词语检索中名次靠前"),
    "dense": ("it is close to the question in meaning", "与问题语义相近"),
    "dense_share": ("it is closer in meaning than other passages", "语义比其他段落更接近问题"),
    "dense_rank": ("it stands high in the search by meaning", "在语义检索中名次靠前"),
    "fused": ("words and meaning both fit", "词语与语义都相符"),
    "fused_share": ("words and meaning together fit better than elsewhere", "词语与语义合计优于其他段落"),
    "title": ("its document's title speaks of the question's words", "文件名称出现问题用词"),
    "words": ("its text holds the question's words", "正文含有问题用词"),
    "words_anywhere": ("text, headings and title hold the question's words",
                       "正文、标题或文件名含有问题用词"),
    "window": ("the question's words stand close together", "问题用词彼此靠近"),
    "window_share": ("the question's words stand closer together than elsewhere", "问题用词比其他段落更集中"),
    "pairs": ("neighbouring words of the question are neighbours here", "问题中相邻的词在此也相邻"),
    "rarest_missing": ("a rare word of the question is missing", "缺少问题中的少见用词"),
    "title_words": ("the title holds words of the question", "文件名称含有问题用词"),
    "title_filled": ("the question holds most of the title", "问题几乎包含整个文件名称"),
    "reworded": ("it holds professional words for the question", "含有与问题对应的专业用语"),
    "reworded_title": ("the title holds a professional word for the question", "文件名称含有对应的专业用语"),
    "document_best": ("its document holds a passage that fits well", "所在文件有段落与问题很相符"),
    "document_top": ("several passages of its document fit", "所在文件有多个段落与问题相符"),
    "neighbours": ("the passage beside it fits too", "相邻段落也与问题相符"),
    "place": ("it stands late in its document", "位于文件靠后处"),
    "opening": ("it opens its document", "位于文件开头"),
    "length": ("it is long", "篇幅较长"),
    "numbers": ("it holds figures", "含有数字"),
    "table": ("it is a table", "是表格"),
    "article": ("it is an article or section of its own", "是独立的条款"),
    "headings_only": ("it is a heading without text", "只有标题，没有正文"),
    "name": ("its document is of the company or name in the question", "文件属于所问的公司或名称",
             "its document is of another company than the one named", "文件属于其他公司"),
    "article_named": ("it is, or cites, the article or section named", "即所问条款，或提及该条款",
                      "it is another article or section than the one named", "是其他条款"),
    "lines": ("it prints line items that the answer is made of", "列有计算所需的项目"),
    "page_lines": ("its page prints line items that the answer is made of", "所在页列有计算所需的项目"),
    "superseded": ("it has been superseded or repealed", "已被取代或废止"),
}  # fmt: skip
_SEARCHES: Mapping[str, tuple[str, str]] = {"lexical": ("words", "词语"), "dense": ("meaning", "语义")}
# The authority of what has no rank.
_UNRANKED = 0.5
# What says more of a document than whose it is.
_BESIDES = frozenset({"form", "period", "year", "passage"})


def _in(language: str, words: Sequence[str]) -> str:
    return words[1 if language == "zh" else 0]


def is_informative(reason: Reason) -> bool:
    """Whether a reason says something about this passage."""
    unranked = reason.name == "authority" and reason.value == _UNRANKED
    return not unranked and abs(reason.adds) >= 0.005


def leg_words(leg: Leg, language: str = "en") -> str:
    """Where a passage stands in one search: "words: place 3 (0.41)"."""
    name = _in(language, _SEARCHES.get(leg.name, (leg.name, leg.name)))
    ranked = (f"place {leg.rank}", f"第 {leg.rank} 位") if leg.rank else ("behind the others", "未列前茅")
    place = _in(language, ranked)
    return f"{name}：{place}（{leg.score:.2f}）" if language == "zh" else f"{name}: {place} ({leg.score:.2f})"


class Words:
    """The words of explanations: those of the fields beside what holds for all. `tables`: see
    `rag.search.pool.Searches.words`."""

    def __init__(self, fields: Iterable[Searches]) -> None:
        self.tables = {"matters": dict(_MATTERS), "features": dict(_FEATURES)}
        for field in fields:
            for sort, table in field.words.items():
                self.tables.setdefault(sort, {}).update(table)

    def _in(self, language: str, sort: str, name: str) -> str:
        return _in(language, self.tables.get(sort, {}).get(name, (name, name)))

    def reason(self, reason: Reason, language: str = "en") -> str:
        """A reason in words, for or against as its value says: "its document is of another period"."""
        words = self.tables["features"].get(reason.name, (reason.name, reason.name))
        return _in(language, words[2:] if reason.value < 0 and len(words) > 2 else words)

    def label(self, what: str, language: str = "en") -> str:
        """The name of a matter: "company"."""
        return self._in(language, "matters", what)

    def values(self, note: Note, language: str = "en") -> str:
        """The values of a note, by their names where the field has any for them."""
        between = "；" if note.what == "part" else "、" if language == "zh" else ", "
        return between.join(self._in(language, note.what, value) for value in note.values)

    def note(self, note: Note, language: str = "en") -> str:
        """A note in words: "company: Thornfield Marsh plc"."""
        between = "：" if language == "zh" else ": "
        return f"{self.label(note.what, language)}{between}{self.values(note, language)}"


def short(notes: Sequence[Note]) -> tuple[Note, ...]:
    """The notes that are said above every answer."""
    return tuple(note for note in notes if note.what not in _LONG)


def gap_words(gap: Gap, language: str = "en") -> str:
    """What gave way, in words: "no passage of Thornfield Marsh plc for 2021 was found; nearest: Thornfield
    Marsh plc, 2022 (thornfield.pdf)"."""
    if gap.missed == ("unknown",):
        names = "”“".join(gap.wanted[0].values) if language == "zh" else '", "'.join(gap.wanted[0].values)
        return f"没有文件名为“{names}”" if language == "zh" else f'no document bears the name "{names}"'
    if language == "zh":
        wanted = _wanted_zh(gap.wanted)
        if gap.rank is not None:
            return f"第 1 段不属于{wanted}，第 {gap.rank} 段才是；第 1 段为：{gap.nearest}"
        return f"未找到{wanted}的段落" + (f"；最接近：{gap.nearest}" if gap.nearest else "")
    wanted = _wanted_en(gap.wanted)
    if gap.rank is not None:
        return f"the first passage is not of {wanted}, but of {gap.nearest}; passage {gap.rank} is"
    return f"no passage of {wanted} was found" + (f"; nearest: {gap.nearest}" if gap.nearest else "")


def _wanted_en(notes: Sequence[Note]) -> str:
    by = {note.what: " and ".join(note.values) for note in notes}
    owner, form = next((by[n.what] for n in notes if n.what not in _BESIDES), ""), by.get("form", "")
    document = f"{owner} {form}".strip() if owner else f"the {form}" if form else ""
    time = by.get("period") or by.get("year", "")
    if time:
        document = f"{document or 'a document'} for {time}"
    passage = by.get("passage", "")
    return f"{passage} of {document}" if passage and document else passage or document


def _wanted_zh(notes: Sequence[Note]) -> str:
    by = {note.what: "、".join(note.values) for note in notes}
    time = by.get("period") or (f"{by['year']} 年" if "year" in by else "")
    owners = (by[note.what] for note in notes if note.what not in _BESIDES)
    order = (*owners, time, by.get("form", ""), by.get("passage", ""))
    return " ".join(part for part in order if part)


_AGREES = 0.5


@dataclass(frozen=True, slots=True)
class HitExplanation:
    """Why one hit stands where it does. `agrees` and `clashes` are the matters (`Note.what`) in which it is,
    or is not, what the question demands; `reasons` the features that weigh most, the heaviest first, without
    those that say nothing; `words` the same in English."""

    chunk_id: int
    document: str
    page: int | None
    score: float
    legs: tuple[Leg, ...]
    agrees: tuple[str, ...]
    clashes: tuple[str, ...]
    reasons: tuple[Reason, ...]
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """`understood` is what the question was taken to name and need; `documents` are the paths of those that
    it names, the best agreeing first; `relaxed` is what no passage, or not the first, satisfies, and names
    that no document bears; `hits` explains the passages in their order."""

    question: str
    understood: tuple[Note, ...]
    documents: tuple[str, ...]
    relaxed: tuple[Gap, ...]
    hits: tuple[HitExplanation, ...]


def explain(
    legs: Retrievers, query: Query, hits: Sequence[Hit], filters: Filters | None = None
) -> Explanation:
    """Explains the hits that `rag.search.retrieve.retrieve` gave for the question with these filters. Reads
    the catalogue, no passages."""
    demands = read_demands(legs, query, filters)
    catalogue = legs.store.catalogue()
    met = [_met(hit, demands.constraints) for hit in hits]
    words = Words(legs.fields)
    return Explanation(
        question=query.text,
        understood=tuple(_understood(legs, query, demands, hits)),
        documents=tuple(legs.store.document(d).path for d in demands.documents),
        relaxed=tuple(_relaxed(demands.constraints, hits, met, catalogue)),
        hits=tuple(_because(hit, state, words) for hit, state in zip(hits, met, strict=True)),
    )


def _understood(legs: Retrievers, query: Query, demands: QueryDemands, hits: Sequence[Hit]) -> Iterator[Note]:
    yield from (
        Note(what, values) for what, values in demands.constraints.named_values() if what != "unknown"
    )
    looked_at = {*demands.documents, *(hit.document.id for hit in hits)}
    if demands.sought and sources(legs.fields, legs.store) & looked_at:
        # What has no lines is a part of documents by its name.
        concepts = tuple(dict.fromkeys(one.name for one in demands.sought if one.lines))
        statements = tuple(dict.fromkeys(role for one in demands.sought for role in one.roles))
        yield from (Note(*note) for note in (("concept", concepts), ("statement", statements)) if note[1])
    if query.reworded:
        yield Note("words", query.reworded)
    if query.aspects:
        yield Note("part", tuple(part.text for part in query.aspects))


def _met(hit: Hit, constraints: Constraints) -> dict[str, bool | None]:
    """For each matter that the question demands, whether the hit is what it names; None where its document
    says nothing of it."""
    document = hit.document.id
    met: dict[str, bool | None] = {}
    if constraints.companies:
        met["company"] = sign(constraints.agreement(document)["name"])
    met |= {matter.what: matter.met(document) for matter in constraints.read if matter.met}
    if constraints.articles:
        met["passage"] = article_agrees(constraints, hit.chunk.heading_path, hit.chunk.text) >= _AGREES
    return met


def _missed(met: Mapping[str, bool | None], constraints: Constraints) -> tuple[str, ...]:
    """A document that says nothing of its company is not what was asked for; one without a year may be."""
    must = {"company", *(matter.what for matter in constraints.read if matter.must)}
    return tuple(w for w, state in met.items() if state is False or (state is None and w in must))


def _relaxed(
    constraints: Constraints,
    hits: Sequence[Hit],
    met: Sequence[Mapping[str, bool | None]],
    catalogue: Catalogue,
) -> Iterator[Gap]:
    demanded = {"company", "passage", *(matter.what for matter in constraints.read if matter.demanded)}
    wanted = tuple(Note(what, values) for what, values in constraints.named_values() if what in demanded)
    whole = next((rank for rank, state in enumerate(met, 1) if not _missed(state, constraints)), None)
    if wanted and not hits:
        yield Gap(wanted, tuple(note.what for note in wanted))
    # What the first passage leaves open is named where no other passage has it.
    elif wanted and whole != 1 and (whole is None or False in met[0].values()):
        yield Gap(wanted, _missed(met[0], constraints), _called(hits[0].document), whole)
    if hits and whole is not None:
        yield from (Gap((note,), (note.what,)) for note in _without_hit(constraints, hits, catalogue))
    if constraints.unknown_names:
        yield Gap((Note("unknown", constraints.unknown_names),), ("unknown",))


def _without_hit(constraints: Constraints, hits: Sequence[Hit], catalogue: Catalogue) -> Iterator[Note]:
    """Of several companies, or other names of one sort, those that no passage is of."""
    found = {hit.document.id for hit in hits}
    for name in constraints.companies if len(constraints.companies) > 1 else ():
        if found.isdisjoint(catalogue.company_documents[catalogue.companies.index(name)]):
            yield Note("company", (name,))
    for matter in constraints.read:
        for name, documents in zip(matter.values, matter.bearers, strict=False):
            if found.isdisjoint(documents):
                yield Note(matter.what, (name,))


def _called(info: DocumentInfo) -> str:
    """What a document is, and its path: "Thornfield Marsh plc, annual report, 2022 (thornfield.pdf)"."""
    meta = info.metadata
    years = (meta.get("fiscal_year") or meta.get("year", "")).replace("|", "/")
    period = " ".join(v for v in (meta.get("fiscal_period", "").replace("FY", ""), years) if v)
    named = (meta.get("company") or meta.get("law") or info.title, meta.get("form", ""), period)
    description = ", ".join(part for part in named if part)
    return f"{description} ({info.path})" if description and description != info.path else info.path


def _because(hit: Hit, met: Mapping[str, bool | None], words: Words) -> HitExplanation:
    reasons = tuple(reason for reason in hit.reasons if is_informative(reason))
    return HitExplanation(
        chunk_id=hit.chunk_id,
        document=hit.document.path,
        page=hit.chunk.page,
        score=hit.score,
        legs=hit.legs,
        agrees=tuple(what for what, state in met.items() if state),
        clashes=tuple(what for what, state in met.items() if state is False),
        reasons=reasons,
        words=tuple(map(words.reason, reasons)),
    )
