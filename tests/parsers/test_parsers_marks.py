"""What parsers hand to `TextBuilder` with marks comes out as plain text with marks at its offsets."""

from hypothesis import given
from hypothesis import strategies as st

from rag.parsers.base import TextBuilder, marked, note_body, note_mark, unmarked
from rag.types import Mark, MarkKind


def test_a_note_mark_is_no_part_of_the_text_and_leads_to_its_note() -> None:
    builder = TextBuilder()
    builder.paragraph(f"The usual dose is 25{note_mark('1')} mg, at most 150 {note_mark('2')} mg.")
    builder.paragraph(f"{note_body('1')}With food. {note_body('2')}In two doses.")
    text, blocks, _ = builder.build()
    assert text == "The usual dose is 25 mg, at most 150 mg.\n\nWith food. In two doses."
    assert [text[b.start : b.end] for b in blocks] == text.split("\n\n")
    assert builder.marks() == (
        Mark(MarkKind.RAISED, 20, 20, text.index("With")),
        Mark(MarkKind.RAISED, 37, 37, text.index("In two")),
    )


def test_marks_within_cells_stand_at_their_cells() -> None:
    builder = TextBuilder()
    builder.table([["Price"], [f"Old{note_mark('a')}"]])
    builder.row(["9.40", "", f"was {marked(MarkKind.STRUCK, '7.90')}{note_mark('a')}"])
    text, blocks, _ = builder.build()
    assert text == "9.40 |  | was 7.90"
    assert [text[m.start : m.end] for m in builder.marks()] == ["7.90", ""]
    assert blocks[0].heads == ("Price", "Old")
    assert [text[c.start : c.end] for c in blocks[0].cells] == ["9.40", "", "was 7.90"]


_PIECES = st.lists(
    st.tuples(st.sampled_from([None, *MarkKind]), st.text("ab 1\n", min_size=1, max_size=6)), max_size=8
)


@given(_PIECES)
def test_every_mark_covers_its_own_words(pieces: list[tuple[MarkKind | None, str]]) -> None:
    builder = TextBuilder()
    builder.paragraph("before")
    builder.paragraph("".join(marked(kind, text) if kind else text for kind, text in pieces))
    text, _, _ = builder.build()
    words = "".join("".join(t for _, t in pieces).split())
    assert "".join(text.removeprefix("before").split()) == words
    expected = [("".join(t.split()), k) for k, t in pieces if k and t.strip()]
    found = [("".join(text[m.start : m.end].split()), m.kind) for m in builder.marks()]
    assert [f for f in found if f[0]] == expected


@given(st.text("ab\ufdd0\ufdd3\ufddc\ufddd\ufddf 1", max_size=20))
def test_signs_out_of_place_hurt_nothing(text: str) -> None:
    builder = TextBuilder()
    builder.paragraph(text)
    built, _, _ = builder.build()
    assert not any("\ufdd0" <= c <= "\ufddf" for c in built + unmarked(text))
    assert all(0 <= m.start <= m.end <= len(built) for m in builder.marks())
