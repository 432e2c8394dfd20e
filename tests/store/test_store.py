"""The store: what is written is read back exactly, all or nothing, from any thread."""

from __future__ import annotations

import json
import sqlite3
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.errors import IndexBusy, IndexDamaged, IndexMismatch, IndexMissing, InputError, StorageError
from rag.index import open_index
from rag.languages.text import search_tokens
from rag.models.registry import EmbedderInfo
from rag.store import store as lexical
from rag.store.schema import DATABASE, PART, Space
from rag.store.store import Store
from rag.store.writer import FileState, printable
from rag.types import (
    Block,
    BlockKind,
    Chunk,
    FileStatus,
    Filters,
    Loss,
    LossKind,
    Mark,
    MarkKind,
    Page,
    Relation,
    RelationKind,
)
from tests.fakes import FakeEmbedder
from tests.indexing import document, found, manifest, put
from tests.rows import row_block


@pytest.fixture
def store(tmp_path: Path):
    with Store.create(tmp_path / "index", manifest()) as opened:
        yield opened


def test_manifest_survives_reopening(tmp_path: Path) -> None:
    info = EmbedderInfo("名", "f" * 64, 8, 256, ("en", "zh"), (("en", 0.5, 1.0),))
    made = manifest(space=Space(info, 'it\'s a "path"'))
    Store.create(tmp_path, made).close()
    with Store.open(tmp_path) as store:
        assert store.manifest() == made


def test_missing_index_names_the_command_that_builds_one(tmp_path: Path) -> None:
    with pytest.raises(IndexMissing, match="citewise ingest"):
        Store.open(tmp_path / "nothing")


def test_another_format_is_a_mismatch_that_names_both(tmp_path: Path) -> None:
    Store.create(tmp_path, manifest()).close()
    connection = sqlite3.connect(tmp_path / DATABASE)
    later = manifest(format_version=99).to_json()
    connection.execute("UPDATE meta SET value = ? WHERE key = 'manifest'", (later,))
    connection.commit()
    connection.close()
    with pytest.raises(IndexMismatch, match=r"format 99.*format 4.*--rebuild"):
        Store.open(tmp_path)


def test_an_index_of_format_2_is_refused_with_the_command_and_built_anew_by_it(tmp_path: Path) -> None:
    """As the versions before this one wrote it: the manifest named one embedder, in other keys."""
    connection = sqlite3.connect(tmp_path / DATABASE)
    connection.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")
    written = {
        "embedder_name": "all-MiniLM-L6-v2",
        "dimension": 384,
        "languages": ["en"],
        "format_version": 2,
    }
    connection.execute("INSERT INTO meta VALUES ('manifest', ?)", (json.dumps(written),))
    connection.commit()
    connection.close()
    (tmp_path / "dense-7.faiss").write_bytes(b"of that format")
    with pytest.raises(IndexMismatch) as caught:
        open_index(tmp_path, embedder=FakeEmbedder())
    assert "format 2" in str(caught.value) and "reads format 4" in str(caught.value)
    assert f"citewise ingest PATH --index {tmp_path} --rebuild" in str(caught.value)
    with open_index(tmp_path, embedder=FakeEmbedder(), rebuild=True) as index:
        assert index.documents() == []
    assert not (tmp_path / "dense-7.faiss").exists()


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 100])
def test_a_file_that_is_no_index_is_damaged(tmp_path: Path, content: bytes) -> None:
    (tmp_path / DATABASE).write_bytes(content)
    with pytest.raises(IndexDamaged, match="--rebuild"):
        Store.open(tmp_path)


def test_creating_over_an_index_is_refused(store: Store) -> None:
    with pytest.raises(InputError, match="already"):
        Store.create(store.folder, manifest())


def test_a_folder_that_cannot_be_made_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError):
        Store.create(tmp_path / "file" / "index", manifest())


def test_a_closed_store_says_so(store: Store) -> None:
    store.close()
    with pytest.raises(StorageError, match="closed"):
        store.generation()


def test_document_round_trips_with_pages_blocks_and_metadata(store: Store) -> None:
    text = "Heading\n\nBody of the text.\n\nA | B"
    blocks = (
        Block(BlockKind.HEADING, 0, 7, ("Part",), level=2),
        Block(BlockKind.PARAGRAPH, 9, 26, ("Part", "Heading")),
        row_block("A | B", 28, "X | Y", path=("Part",), location="Sheet1!A2:B2", title="Table 1. Pairs"),
    )
    made = document(
        "a.pdf",
        [text],
        blocks=blocks,
        pages=(Page(1, 0, 7), Page(3, 9, 33)),
        marks=(Mark(MarkKind.RAISED, 12, 12, leads_to=28), Mark(MarkKind.STRUCK, 13, 20)),
        losses=(Loss(LossKind.PAGE_WITHOUT_TEXT, page=2), Loss(LossKind.PICTURE_WITH_TEXT, "图 1", 3)),
        metadata={"author": "Ada", "作者": "艾达"},
    )
    (document_id,) = put(store, made)
    assert store.load_document(document_id) == made
    assert store.document(document_id).losses == made.losses


def test_marks_of_a_range_are_those_that_overlap_it_each_once(store: Store) -> None:
    marks = [Mark(MarkKind.RAISED, n * 700, n * 700 + 3) for n in range(60)]
    marks.append(Mark(MarkKind.STRUCK, PART - 5, 2 * PART + 5))
    made = document("long.html", ["x" * 43_000], marks=tuple(sorted(marks, key=lambda m: m.start)))
    (document_id,) = put(store, made)
    assert store.marks(document_id) == made.marks
    for start, end in ((0, 10), (PART - 1, PART + 1), (PART + 10, 2 * PART + 3), (2 * PART + 5, 43_000)):
        assert store.marks(document_id, start, end) == tuple(
            m for m in made.marks if m.start < end and m.end > start
        )


def test_the_mark_of_a_note_goes_with_the_character_before_it(store: Store) -> None:
    made = document("notes.html", ["x" * 43_000], marks=(Mark(MarkKind.RAISED, PART, PART, leads_to=40_000),))
    (document_id,) = put(store, made)
    assert store.marks(document_id, PART - 9, PART) == store.marks(document_id) == made.marks
    assert store.marks(document_id, PART, PART + 9) == ()


def test_relations_that_a_text_states_are_kept_and_lead_to_what_they_name_while_it_is_there(
    store: Store,
) -> None:
    stated = (
        Relation(RelationKind.AMENDS, "Harbour Act 1990", "2020-01-01"),
        Relation(RelationKind.REPEALS, "Pier Rules"),
    )
    made = document("amendments.md", ["Some words."], relations=stated)
    (source,) = put(store, made)
    assert store.load_document(source).relations == stated
    assert {r.target for r in store.relations(source)} == {None}
    (act,) = put(store, document("harbour.md", ["Dues are owed."], title="Harbour Act 1990"))
    settled = [replace(stated[0], source=source, target=act), replace(stated[1], source=source)]
    assert store.relations(source) == settled
    assert store.load_document(source).relations == stated
    with store.writing() as writer:
        with writer.transaction():
            writer.remove("/documents/harbour.md")
        writer.resolve_relations()
    assert store.relations(source) == [replace(r, source=source) for r in stated]
    with store.writing() as writer, writer.transaction():
        writer.remove("/documents/amendments.md")
    assert store.relations(source) == store.problems() == []


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(st.characters(exclude_categories=()), min_size=1, max_size=60),
    copies=st.integers(1, 1500),
    cuts=st.tuples(st.integers(0, 90_000), st.integers(0, 90_000)),
)
def test_any_slice_of_any_text_is_read_back_exactly(
    store: Store, text: str, copies: int, cuts: tuple[int, int]
) -> None:
    long = text * copies
    made = document("x.txt", [long], blocks=(Block(BlockKind.PARAGRAPH, 0, len(long)),))
    with store.writing() as writer, writer.transaction():
        document_id = writer.put_document(FileState(made.source, "x.txt", 1, 1), made, [], [])
    start, end = min(cuts), max(cuts)
    assert store.text(document_id) == long
    assert store.text(document_id, start, end) == long[start:end]
    assert store.blocks(document_id) == made.blocks


def test_blocks_of_a_range_are_those_that_overlap_it(store: Store) -> None:
    paragraphs = [f"paragraph {n} " + "x" * 3000 for n in range(30)]
    made = document("long.pdf", paragraphs)
    (document_id,) = put(store, made)
    for start, end in ((0, 10), (PART - 5, PART + 5), (40_000, 52_000), (len(made.text) - 1, len(made.text))):
        expected = tuple(b for b in made.blocks if b.end > start and b.start < end)
        assert store.blocks(document_id, start, end) == expected


def test_chunks_come_in_the_order_asked_and_are_the_text_of_their_span(store: Store) -> None:
    made = document("a.pdf", [f"Clause {n} says {'much ' * 150}." for n in range(40)])
    (document_id,) = put(store, made)
    ids = [i for i, _, _ in store.document_chunks(document_id)]
    asked = [ids[5], 99_999, ids[0], ids[3]]
    rows = store.chunks(asked)
    assert [i for i, _, _ in rows] == [ids[5], ids[0], ids[3]]
    assert all(made.text[c.start : c.end] == c.text for _, _, c in rows)


def test_document_that_is_gone_is_an_input_error(store: Store) -> None:
    with pytest.raises(InputError, match="no document 7"):
        store.document(7)


def test_updated_file_gets_new_ids_and_the_old_ones_are_gone(store: Store) -> None:
    (old,) = put(store, document("a.pdf", ["The rent is 100."]))
    old_chunks = [i for i, _, _ in store.document_chunks(old)]
    (new,) = put(store, document("a.pdf", ["The rent is 200."]))
    assert new != old
    assert store.chunks(old_chunks) == []
    assert found(store, "100") == []
    assert found(store, "200") == ["a.pdf"]
    assert store.problems() == []


def test_ids_are_not_used_again_after_everything_was_removed(store: Store) -> None:
    (first,) = put(store, document("a.pdf", ["One."]))
    chunk_id = store.document_chunks(first)[0][0]
    with store.writing() as writer, writer.transaction():
        assert writer.remove("/documents/a.pdf")
        assert not writer.remove("/documents/a.pdf")
    (second,) = put(store, document("b.pdf", ["Two."]))
    assert second > first
    assert store.document_chunks(second)[0][0] > chunk_id


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    put(store, document("a.pdf", ["One."]))
    before = store.generation()
    made = document("b.pdf", ["Two."])
    with (
        pytest.raises(ValueError, match=r"shorter|longer"),
        store.writing() as writer,
        writer.transaction(),
    ):
        writer.remove("/documents/a.pdf")
        chunks = [c for _, _, c in store.document_chunks(1)]
        writer.put_document(FileState(made.source, "b.pdf", 1, 1), made, chunks, [], embedded=True)
    assert [d.path for d in store.documents()] == ["a.pdf"]
    assert store.generation() == before
    assert store.problems() == []


def test_generation_grows_with_every_commit_and_vectors_generation_only_with_vectors(store: Store) -> None:
    start = store.generation(), store.space.generation()
    put(store, document("a.pdf", ["One."]))
    texts = store.generation(), store.space.generation()
    assert texts == (start[0] + 1, start[1])
    put(store, document("b.pdf", ["Two."]), vectors=True)
    assert store.generation() > texts[0]
    assert store.space.generation() == texts[1] + 1
    with store.writing() as writer, writer.transaction():
        writer.remove("/documents/b.pdf")
    assert store.space.generation() == texts[1] + 2


def test_failed_file_is_listed_with_status_and_detail(store: Store) -> None:
    with store.writing() as writer, writer.transaction():
        writer.put_failure(FileState("/d/x.pdf", "x.pdf", 5, 1, "pdf"), FileStatus.PASSWORD, "locked")
    (info,) = store.documents()
    assert (info.path, info.status, info.detail, info.chunks) == ("x.pdf", FileStatus.PASSWORD, "locked", 0)
    assert store.text(info.id) == ""


@pytest.mark.parametrize(
    "filters, paths",
    [
        (Filters(documents=("a/one.pdf",)), {"a/one.pdf"}),
        (Filters(documents=("a/*",)), {"a/one.pdf", "a/two.md"}),
        (Filters(documents=("[odd].md",)), {"[odd].md"}),
        (Filters(kinds=("markdown",)), {"a/two.md", "[odd].md"}),
        (Filters(languages=("zh",)), {"a/two.md"}),
        (Filters(metadata={"year": "2023"}), {"a/one.pdf"}),
        (Filters(documents=("a/*",), kinds=("pdf",)), {"a/one.pdf"}),
        (Filters(documents=("none",)), set()),
    ],
)
def test_filters_hold_for_documents_passages_and_the_lexical_leg(
    store: Store, filters: Filters, paths: set[str]
) -> None:
    put(
        store,
        document("a/one.pdf", ["The shared word."], metadata={"year": "2023"}),
        document("a/two.md", ["The shared word."], kind="markdown", language="zh"),
        document("[odd].md", ["The shared word."], kind="markdown"),
    )
    assert {d.path for d in store.documents(filters)} == paths
    owners = {store.document(d).path for _, d, _ in store.chunks(list(store.chunk_ids(filters)))}
    assert owners == paths
    assert set(found(store, "word", filters=filters)) == paths


def test_rare_word_weighs_more_than_a_common_one(store: Store) -> None:
    put(
        store,
        *(document(f"{n}.pdf", ["The common word."]) for n in range(9)),
        document("x.pdf", ["A quasar."]),
    )
    ((_, rare),) = store.lexical(["quasar"], limit=5)
    common = store.lexical(["word"], limit=5)
    assert rare > common[0][1] > 0
    assert store.document_frequency(["word", "quasar", "none"]) == {"word": 9, "quasar": 1, "none": 0}
    assert store.passages() == 10


@pytest.mark.parametrize("chosen", [[], [0], [3, 4], [0, 5], [6, 1, 3]])
def test_search_within_documents_keeps_the_weights_and_order_of_the_whole(
    store: Store, chosen: list[int]
) -> None:
    ids = put(
        store,
        *(document(f"{n}.pdf", [f"Rent of lot {n} and {m} is due." for m in range(3)]) for n in range(7)),
    )
    documents = [ids[n] for n in chosen]
    tokens = ["rent", "3", "5", "lot"]
    inside = {int(i) for i in store.chunk_ids(None, documents)}
    whole = [row for row in store.lexical(tokens, limit=100) if row[0] in inside]
    assert store.lexical(tokens, limit=100, documents=documents) == whole
    assert bool(whole) == bool(chosen)


def test_two_step_search_finds_what_the_full_one_finds(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    vocabulary = [f"w{n}" for n in range(200)]
    shares = 1 / np.arange(3, 203)
    texts = [" ".join(rng.choice(vocabulary, 40, p=shares / shares.sum())) for _ in range(300)]
    put(store, *(document(f"{n}.pdf", [text]) for n, text in enumerate(texts)))
    tokens = ["w0", "w1", "w20", "w80", "w150"]
    full = store.lexical(tokens, limit=5)
    monkeypatch.setattr(lexical, "POSTINGS_BUDGET", 120)
    frequency = store.document_frequency(tokens)
    assert len(lexical.essential_tokens(lexical.known_tokens(frequency), frequency)) < len(tokens)
    assert store.lexical(tokens, limit=5) == full


@pytest.mark.parametrize(
    "token", ['"', 'a"b', "1234.5", "o'n", "’s", "𠀀", "near", "not", "*", "-", "col:x", "\x00"]
)
def test_no_token_is_taken_for_query_syntax(store: Store, token: str) -> None:
    put(store, document("a.pdf", ["Plain words."]))
    assert isinstance(store.lexical([token, "word"], limit=3), list)
    assert store.lexical([], limit=3) == []


def test_chinese_words_and_numbers_are_found_as_tokens(store: Store) -> None:
    put(
        store,
        document("a.pdf", ["违约金不得超过合同总额的3.5%。"], language="zh"),
        document("b.pdf", ["Other."]),
    )
    assert found(store, "违约金") == ["a.pdf"]
    assert found(store, "3.5") == ["a.pdf"]


def test_vectors_are_kept_as_float16_in_the_order_asked(store: Store) -> None:
    (document_id,) = put(store, document("a.pdf", ["One.", "Two."]))
    ids = [i for i, _, _ in store.document_chunks(document_id)]
    vectors = np.random.default_rng(0).standard_normal((len(ids), 64)).astype(np.float32)
    with store.writing() as writer, writer.transaction():
        writer.put_vectors(ids, vectors)
    read = store.space.vectors([*reversed(ids), 10**6])
    assert read.shape == (len(ids) + 1, 64)
    assert np.array_equal(read[:-1][::-1], vectors.astype(np.float16).astype(np.float32))
    assert not read[-1].any()
    assert store.space.count_pending() == 0


def test_vectors_for_passages_that_are_gone_are_dropped(store: Store) -> None:
    with store.writing() as writer, writer.transaction():
        writer.put_vectors([12345], np.ones((1, 64), np.float32))
    assert store.space.count() == 0


def test_update_keeps_the_vectors_of_passages_that_did_not_change(store: Store) -> None:
    clauses = [f"Clause {n} says {'much ' * 100}." for n in range(10)]
    put(store, document("a.pdf", clauses), vectors=True)
    total = store.space.count()
    clauses[9] = f"Clause nine was replaced {'much ' * 100}."
    put(store, document("a.pdf", clauses))
    assert 0 < store.space.count_pending() < total
    assert store.space.count() + store.space.count_pending() == store.passages()
    assert store.problems() == []


def test_documents_of_other_languages_wait_for_no_vector(store: Store) -> None:
    put(store, document("a.pdf", ["One."]), embedded=False)
    assert store.space.count_pending() == 0


def test_second_writer_is_told_that_the_index_is_busy(store: Store) -> None:
    with Store.open(store.folder) as other, store.writing():
        with pytest.raises(IndexBusy, match="process"), other.writing():
            pass
        assert other.passages() == 0  # reading goes on
    with store.writing():  # and afterwards it is free again
        pass


def test_reader_in_another_store_sees_each_commit_whole(store: Store) -> None:
    wrong: list[str] = []
    done = threading.Event()

    def read() -> None:
        with Store.open(store.folder) as reader:
            while not done.is_set():
                for info in reader.documents():
                    rows = reader.document_chunks(info.id)
                    if rows and len(rows) != info.chunks:
                        wrong.append(f"{info.path}: {len(rows)} of {info.chunks}")

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for n in range(30):
        put(store, document(f"{n % 5}.pdf", [f"Version {n}. {'word ' * 150}" for _ in range(4)]))
    done.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert store.problems() == []


def test_damage_inside_is_found(store: Store) -> None:
    put(store, document("a.pdf", ["One."]), document("b.pdf", ["Two."]), vectors=True)
    store.close()
    connection = sqlite3.connect(store.folder / DATABASE)
    connection.execute("DELETE FROM chunks WHERE document_id = 1")
    connection.execute("UPDATE chunks SET end = 1000 WHERE document_id = 2")
    connection.commit()
    connection.close()
    with Store.open(store.folder) as damaged:
        problems = "\n".join(damaged.problems())
    assert "rows of lexical_docsize whose id is not in chunks" in problems
    assert "rows of vectors whose chunk_id is not in chunks" in problems
    assert "beyond their document" in problems
    assert "count of passages" in problems


@pytest.mark.parametrize("name", ["plain.txt", "名前🙂.txt", "caf\udce9.txt", "odd\ud800.txt"])
def test_any_name_can_be_shown(name: str) -> None:
    printable(name).encode("utf-8")
    assert printable("plain 名前🙂") == "plain 名前🙂"


def test_a_passage_keeps_its_role(store: Store) -> None:
    made = document("f.txt", ["Net income was 5."])
    passage = Chunk(0, 0, len(made.text), made.text, "", "text", roles=("income", "balance"))
    with store.writing() as writer, writer.transaction():
        state = FileState(made.source, "f.txt", 1, 1)
        writer.put_document(state, made, [passage], [("", "", "net income")])
    assert [chunk for _, _, chunk in store.chunks([1])] == [passage]


def test_token_fields_are_those_written_and_gone_passages_are_left_out(store: Store) -> None:
    put(store, document("lease.txt", ["The notice period is 30 days."]))
    (chunk_id,) = store.chunk_ids(Filters())
    title, _, body = store.token_fields([int(chunk_id), 999])[int(chunk_id)]
    assert title.split() == search_tokens("lease lease")
    assert body.split() == search_tokens("The notice period is 30 days.")
    assert list(store.token_fields([999])) == []


def test_a_phrase_is_found_in_the_documents_given_and_only_in_order(store: Store) -> None:
    texts = ["net income rose", "income net of tax", "net income fell", 'say "net" income']
    documents = [document(f"{n}.txt", [text]) for n, text in enumerate(texts)]
    ids = put(store, *documents)
    owner = {d: next(c for c, o in store.owners(range(1, 9)).items() if o == d) for d in ids}
    found = store.phrase_hits(["net incom", 'a" OR "b', " "], [ids[0], ids[1], ids[3]])
    assert found == {"net incom": [owner[ids[0]], owner[ids[3]]], 'a" OR "b': [], " ": []}
    assert store.phrase_hits(["net incom"], []) == {"net incom": []}
