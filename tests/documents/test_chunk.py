"""Claims about passages: offsets, coverage, the token limit, and what is never cut."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.documents import Document as Piece
from langchain_text_splitters import RecursiveCharacterTextSplitter

from rag.documents.chunk import CHUNKER_VERSION, chunk
from rag.types import Block, BlockKind, Chunk, Document, Page
from tests.rows import row_block

_WORD = re.compile(r"[\u4e00-\u9fff]|[^\W\u4e00-\u9fff]+|[^\w\s]")


def count(texts: Sequence[str]) -> list[int]:
    """A word piece for every four letters, one for each Han character and each mark."""
    return [sum((len(word) + 3) // 4 for word in _WORD.findall(text)) for text in texts]


def document(
    text: str, blocks: Sequence[Block] = (), pages: Sequence[Page] = (), title: str = "Deed"
) -> Document:
    return Document("a.md", "/a.md", title, text, "markdown", "en", "0" * 64, tuple(pages), tuple(blocks))


def build(
    *pieces: Block | tuple[BlockKind, str, tuple[str, ...]] | tuple[BlockKind, str, tuple[str, ...], str],
) -> Document:
    """A document of (kind, text, heading path, header) pieces with a blank line between them."""
    text, blocks = "", []
    for piece in pieces:
        kind, body, path, header = (*piece, "")[:4]  # type: ignore[misc]
        text += "\n\n" if text else ""
        if kind is BlockKind.TABLE_ROW:
            location = f"S!A{len(blocks) + 1}:C{len(blocks) + 1}"
            blocks.append(row_block(body, len(text), header, path=path, location=location))
        else:
            blocks.append(Block(kind, len(text), len(text) + len(body), path))
        text += body
    return document(text, blocks)


def holding(chunks: Sequence[Chunk], words: str) -> list[Chunk]:
    return [c for c in chunks if words in c.text]


def check(doc: Document, chunks: Sequence[Chunk], limit: int = 220) -> None:
    """Offsets exact, in order, disjoint, nothing visible left out, none too large."""
    position = 0
    for ordinal, c in enumerate(chunks):
        assert c.ordinal == ordinal
        assert doc.text[c.start : c.end] == c.text
        assert c.text.strip() == c.text != ""
        assert c.start >= position
        assert not doc.text[position : c.start].strip()
        assert max(count([c.indexed_text])[0], len(c.indexed_text) // 16) == c.tokens <= limit
        position = c.end
    assert not doc.text[position:].strip()


P, H, L, R = BlockKind.PARAGRAPH, BlockKind.HEADING, BlockKind.LIST_ITEM, BlockKind.TABLE_ROW
SENTENCE = "The tenant shall keep the premises in good repair and pay all charges when due. "


def test_chunker_has_a_version() -> None:
    assert CHUNKER_VERSION == 4


def test_empty_document_has_no_chunks() -> None:
    assert chunk(document(""), count_tokens=count) == ()
    assert chunk(document(" \n\n\t \u3000"), count_tokens=count) == ()


def test_limit_too_small_for_any_passage_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 16"):
        chunk(document("a"), count_tokens=count, max_tokens=15)


def test_short_paragraphs_under_one_heading_share_a_passage() -> None:
    doc = build((P, "One thing.", ("A",)), (P, "Another thing.", ("A",)))
    (only,) = chunk(doc, count_tokens=count)
    assert only.text == doc.text
    assert only.context == "Deed > A"


def test_paragraphs_under_different_headings_do_not_share_a_passage() -> None:
    doc = build((H, "A", ()), (P, "One thing.", ("A",)), (H, "B", ()), (P, "Another thing.", ("B",)))
    assert [c.text for c in chunk(doc, count_tokens=count)] == ["A\n\nOne thing.", "B\n\nAnother thing."]


def test_headings_go_with_the_text_below_and_are_not_repeated_in_its_context() -> None:
    doc = build((H, "Part One", ()), (H, "Fees", ("Part One",)), (P, "Ten euros.", ("Part One", "Fees")))
    (only,) = chunk(doc, count_tokens=count)
    assert only.text.startswith("Part One")
    assert only.context == "Deed"
    assert only.heading_path == ("Part One", "Fees")
    assert only.kind == "text"


def test_heading_with_nothing_below_is_a_passage_of_its_own() -> None:
    doc = build((P, "Text.", ()), (H, "The end", ()))
    assert [(c.kind, c.text) for c in chunk(doc, count_tokens=count)] == [
        ("text", "Text."),
        ("heading", "The end"),
    ]


def test_long_prose_stays_with_its_heading_and_is_cut_between_sentences() -> None:
    doc = build((H, "Repairs", ()), (P, (SENTENCE * 40).strip(), ("Repairs",)))
    chunks = chunk(doc, count_tokens=count)
    check(doc, chunks)
    assert chunks[0].text.startswith("Repairs\n\nThe tenant")
    assert all(c.text.endswith("when due.") for c in chunks)
    assert all(c.context == "Deed > Repairs" for c in chunks[1:])
    assert min(c.tokens for c in chunks) > 60


def test_articles_of_law_are_not_merged() -> None:
    path = ("第一章 总则",)
    doc = build(
        (H, "第一章 总则", ()), *((P, f"第{n}条 为了保护合法权益，制定本法。", path) for n in "一二三")
    )
    chunks = chunk(doc, count_tokens=count)
    assert [c.kind for c in chunks] == ["article"] * 3
    assert [c.text[:3] for c in chunks[1:]] == ["第二条", "第三条"]
    assert chunks[1].context == "Deed > 第一章 总则"


def test_article_takes_its_paragraphs_and_items_with_it() -> None:
    doc = build(
        (P, "第八条 有下列行为之一的：", ()),
        (L, "（一）隐瞒的；", ()),
        (P, "单位犯前款罪的，处罚金。", ()),
        (P, "第九条 本法施行。", ()),
    )
    first, second = chunk(doc, count_tokens=count)
    assert first.text.startswith("第八条")
    assert first.text.endswith("处罚金。")
    assert second.text == "第九条 本法施行。"


def test_articles_run_together_in_one_block_are_told_apart() -> None:
    text = "第一条 为了保护合法权益，制定本法。\n第二条 依照\n第一条 规定执行。\n第三条　本法所称公民。"
    chunks = chunk(document(text), count_tokens=count)
    assert [c.text.split()[0] for c in chunks] == ["第一条", "第二条", "第三条"]


def test_article_that_is_too_long_is_cut_between_paragraphs_and_each_part_names_it() -> None:
    paragraphs = [f"{n}人民法院应当保护当事人的合法权益，" * 8 + "并公告。" for n in "甲乙丙丁"]
    doc = build((P, "第十二条 " + paragraphs[0], ()), *((P, p, ()) for p in paragraphs[1:]))
    chunks = chunk(doc, count_tokens=count)
    check(doc, chunks)
    assert len(chunks) > 1
    for paragraph in paragraphs:
        assert len(holding(chunks, paragraph)) == 1
    assert all(c.kind == "article" for c in chunks)
    assert all("第十二条" in c.context for c in chunks[1:])


@pytest.mark.parametrize("opening", ["Section 4.2 Payment.", "ARTICLE 12", "§ 7 Notice.", "Article 3: Scope"])
def test_english_articles_are_units(opening: str) -> None:
    doc = build((P, "Preamble.", ()), (P, f"{opening} The fee is due.", ()), (P, "It is not refunded.", ()))
    _, article = chunk(doc, count_tokens=count)
    assert article.kind == "article"
    assert article.text.startswith(opening)
    assert article.text.endswith("refunded.")


def test_a_mention_of_a_section_opens_nothing() -> None:
    doc = build((P, "Rates are in\nSection 4.2 of the Agreement.", ()), (P, "Section 4.2 of it is void.", ()))
    (only,) = chunk(doc, count_tokens=count)
    assert only.kind == "text"


def test_clause_that_fits_is_never_cut() -> None:
    clauses = [(P, f"4.{n} Duties. {SENTENCE * 4}".strip(), ("4",)) for n in range(1, 9)]
    doc = build(*clauses)
    chunks = chunk(doc, count_tokens=count)
    check(doc, chunks)
    for _, body, _ in clauses:
        assert len(holding(chunks, body)) == 1


def test_line_that_announces_a_list_moves_on_with_it() -> None:
    doc = build(
        (P, (SENTENCE * 10).strip(), ()), (P, "The fees are:", ()), (L, f"- first: {SENTENCE}".strip(), ())
    )
    chunks = chunk(doc, count_tokens=count)
    assert holding(chunks, "- first") == holding(chunks, "The fees are:")


def test_rows_of_a_table_keep_their_headers_and_stay_whole() -> None:
    header = "Year | Revenue in million euros | Operating margin"
    rows = [(R, f"{2000 + n} | {n * 137}.5 | {n}.25 %", ("Results",), header) for n in range(60)]
    doc = build((R, header, ("Results",), header), *rows, (P, "Audited figures.", ("Results",)))
    chunks = chunk(doc, count_tokens=count)
    check(doc, chunks)
    tables = [c for c in chunks if c.kind == "table"]
    assert len(tables) > 2
    for _, row, _, _ in rows:
        (owner,) = holding(chunks, row)
        assert header in owner.indexed_text
        assert owner.indexed_text.count(header) == 1
    assert chunks[-1].kind == "text"
    assert tables[0].context == "Deed > Results"
    assert tables[0].location.startswith("S!A1:C")
    assert tables[-1].location.endswith("C61")


def test_row_longer_than_the_limit_has_its_header_in_every_part() -> None:
    doc = build((R, "R1 | " + SENTENCE * 30, (), "Number | Remarks"))
    chunks = chunk(doc, count_tokens=count)
    check(doc, chunks)
    assert len(chunks) > 1
    assert all("Number | Remarks" in c.context for c in chunks)


def test_very_wide_header_is_shortened_cell_by_cell() -> None:
    header = " | ".join(f"Consolidated column number {n} of the statement" for n in range(12))
    (only,) = chunk(build((R, "1 | 2 | 3", (), header)), count_tokens=count)
    assert only.context.count(" | ") == 11
    assert count([only.context])[0] <= 220 // 2


def test_long_heading_paths_keep_title_and_innermost_heading() -> None:
    path = tuple(f"Heading number {n} with a good many words that go on and on" for n in range(9))
    (only,) = chunk(build((P, "Text.", path)), count_tokens=count)
    assert count([only.context])[0] <= 60
    assert only.context.startswith("Deed > … > ")
    assert "number 8" in only.context


def test_monster_line_without_a_blank_is_cut_and_bounded() -> None:
    doc = document("x" * 200_000)
    chunks = chunk(doc, count_tokens=lambda texts: [1] * len(texts))
    assert "".join(c.text for c in chunks) == doc.text
    assert max(len(c.text) for c in chunks) <= 220 * 16


def test_monster_sentence_is_cut_between_words() -> None:
    doc = document("word " * 20_000)
    chunks = chunk(doc, count_tokens=count)
    check(doc, chunks)
    assert all(set(c.text.split()) == {"word"} for c in chunks)


def test_pages_are_those_of_first_and_last_character() -> None:
    text = "First page.\n\nSecond page.\n\nThird page."
    pages = (Page(1, 0, 12), Page(2, 13, 26), Page(3, 27, 38))
    (only,) = chunk(document(text, pages=pages), count_tokens=count)
    assert (only.page, only.last_page) == (1, 3)
    assert chunk(document(text), count_tokens=count)[0].page is None


def test_text_that_no_block_covers_is_kept() -> None:
    text = "Cover. Middle part. End."
    doc = document(text, [Block(P, 7, 19)])
    check(doc, chunk(doc, count_tokens=count))


def test_tokenizer_whose_counts_do_not_add_up_still_keeps_the_limit() -> None:
    def jumpy(texts: Sequence[str]) -> list[int]:
        return [n + n // 10 * ("tenant" in t) * (n > 30) for n, t in zip(count(texts), texts, strict=True)]

    doc = document(SENTENCE * 50)
    chunks = chunk(doc, count_tokens=jumpy)
    assert max(jumpy([c.indexed_text for c in chunks])) <= 220
    assert "".join(c.text for c in chunks).replace(" ", "") == doc.text.replace(" ", "")


def test_tokens_are_counted_in_batches() -> None:
    calls: list[int] = []

    def counting(texts: Sequence[str]) -> list[int]:
        calls.append(len(texts))
        return count(texts)

    chunk(build(*((P, SENTENCE.strip(), ()) for _ in range(1000))), count_tokens=counting)
    assert len(calls) < 20
    assert max(calls) <= 4096  # and the batches are bounded


_words = st.text(st.sampled_from("ab 。，.!\n第条一二(a)1；\u3000é😀"), min_size=1, max_size=400)
_prose = st.one_of(
    _words,
    st.integers(1, 30).map(lambda n: (SENTENCE * n).strip()),
    st.integers(1, 60).map(lambda n: f"第{n}条 " + "依法保护公民的合法权益。" * n),
    st.integers(1, 60).map(lambda n: f"Section 4.{n} Rent. " + SENTENCE * (n % 9)),
    st.integers(1, 5000).map(lambda n: "长" * n),
    st.integers(1, 3000).map(lambda n: "W" * n),
)
_piece = st.tuples(
    st.sampled_from(list(BlockKind)),
    _prose,
    st.sampled_from([(), ("A",), ("A", "第一章 总则"), ("Long heading " * 20,)]),
    st.sampled_from(["", "Year | Amount", "Column | " * 40]),
)
_limits = st.sampled_from([16, 40, 220])


@settings(deadline=None, max_examples=150)
@given(st.lists(_piece, max_size=12), _limits)
def test_any_blocks_give_exact_ordered_covering_bounded_chunks(
    pieces: list[tuple[BlockKind, str, tuple[str, ...], str]], limit: int
) -> None:
    doc = build(*(p for p in pieces if p[1].strip()))
    check(doc, chunk(doc, count_tokens=count, max_tokens=limit), limit)


@settings(deadline=None, max_examples=100)
@given(st.lists(_prose, max_size=8).map("\n".join), st.lists(st.integers(0, 3000), max_size=8), _limits)
def test_any_text_with_any_blocks_is_covered(text: str, cuts: list[int], limit: int) -> None:
    blocks = [Block(P, a, b) for a, b in pairwise(cuts) if a < b]
    doc = document(text, blocks)
    check(doc, chunk(doc, count_tokens=count, max_tokens=limit), limit)


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=600).map(lambda text: text * 3), _limits)
def test_any_characters_at_all_are_cut_at_exact_offsets(text: str, limit: int) -> None:
    doc = document(text)
    check(doc, chunk(doc, count_tokens=count, max_tokens=limit), limit)


class _Wrong(RecursiveCharacterTextSplitter):
    """Says that every piece stands at `at`, and changes each `changed`-th one."""

    at, changed = 0, 1000

    def create_documents(self, texts: list[str], metadatas: object = None) -> list[Piece]:
        pieces = [Piece(page_content=p, metadata={"start_index": self.at}) for p in self.split_text(texts[0])]
        for piece in pieces[self.changed - 1 :: self.changed]:
            piece.page_content += "!"
        return pieces


@pytest.mark.parametrize(("at", "changed"), [(-1, 1000), (7, 1000), (10**9, 1000), (0, 1), (0, 3), (5, 2)])
def test_wrong_offsets_of_the_splitter_are_mended(
    monkeypatch: pytest.MonkeyPatch, at: int, changed: int
) -> None:
    text = " ".join(f"Clause {n}: the tenant pays {n * 7} euros, the landlord repairs." for n in range(200))
    expected = chunk(document(text), count_tokens=count)
    monkeypatch.setattr(_Wrong, "at", at)
    monkeypatch.setattr(_Wrong, "changed", changed)
    monkeypatch.setattr("langchain_text_splitters.RecursiveCharacterTextSplitter", _Wrong)
    chunks = chunk(document(text), count_tokens=count)
    check(document(text), chunks)
    assert changed < 1000 or chunks == expected


def test_cutting_reaches_for_no_network_where_traces_are_asked_for_by_the_environment() -> None:
    code = (
        "import sys\n"
        "reaching = ('socket.connect', 'socket.sendto', 'socket.sendmsg', 'socket.getaddrinfo')\n"
        "sys.addaudithook(lambda event, given: print(event, given) if event in reaching else None)\n"
        "from tests.documents.test_chunk import SENTENCE, chunk, count, document\n"
        "print(len(chunk(document(SENTENCE * 40), count_tokens=count)))\n"
    )
    traced = {"LANGSMITH_TRACING": "true", "LANGCHAIN_TRACING_V2": "true", "LANGSMITH_API_KEY": "k"}
    run = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | traced, capture_output=True, text=True, check=True
    )
    assert int(run.stdout) > 1 and not run.stderr  # an address would be printed, too


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(1, 12), min_size=1, max_size=15))
def test_articles_that_fit_are_exactly_one_chunk(lengths: list[int]) -> None:
    bodies = [f"第{n + 1}条 " + "依法保护公民的合法权益。" * length for n, length in enumerate(lengths)]
    chunks = chunk(build(*((P, body, ("第一章",)) for body in bodies)), count_tokens=count)
    assert [c.text for c in chunks] == bodies


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=40))
def test_rows_that_fit_are_whole_and_under_their_header(widths: list[int]) -> None:
    rows = [f"row{n} | " + " ".join(["value"] * width) for n, width in enumerate(widths)]
    chunks = chunk(build(*((R, row, (), "Name | Values") for row in rows)), count_tokens=count)
    lines = [line for c in chunks for line in c.text.split("\n\n")]
    assert lines == rows
    assert all("Name | Values" in c.context for c in chunks)


@pytest.mark.models
def test_limit_holds_by_the_embedders_own_tokenizer(tmp_path: Path) -> None:
    from rag.models.embedder import load_embedder

    counter = load_embedder("embedded", cache_dir=tmp_path).count_tokens
    body = "The Company paid $1,234,567.89 (net of tax) in 2023. 被告人应当在三十日内缴纳罚金。\n"
    doc = document(body * 200 + "é" * 4000)
    chunks = chunk(doc, count_tokens=counter)
    counts = counter([c.indexed_text for c in chunks])
    assert max(counts) <= 220
    assert [c.tokens for c in chunks] == [
        max(n, len(c.indexed_text) // 16) for n, c in zip(counts, chunks, strict=True)
    ]
    assert sorted(counts)[len(counts) // 2] > 120
