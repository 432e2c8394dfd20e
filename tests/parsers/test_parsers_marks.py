"""What parsers hand to `TextBuilder` with marks comes out as plain text with marks at its offsets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.parsers.base import TextBuilder
from rag.parsers.marks import marked, note_body, note_mark, raised, unmarked
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


@pytest.mark.parametrize(
    ("before", "text", "labels"),
    [
        ("The usual dose is 25", "1", "1"),
        ("revenue of 231", "1", "1"),
        ("word", "a,b", "a b"),
        ("word", "2, 3", "2 3"),
        ("word.", "[12]", "12"),
        ("word", "[1][2]", "1 2"),
        ("5.12", "*†", "* †"),
        ("12.3", "ab", "a b"),
        ("word", "(iii)", "iii"),
        ("word", "1–3", "1 2 3"),
        ("服用", "注1", "注1"),
        ("元", "①", "①"),
        ("25 mg", "2", "2"),
        ("the applicant’s", "2", "2"),
        ("12 to 10", "1", "1"),
        ("2110", "9", "9"),
        ("kept in", "2", "2"),
        ("(in millions)", "2", "2"),
        ("Party A", "2", "2"),
        ("24 h", "1", "1"),
    ],
)
def test_a_raised_label_is_the_mark_of_a_note(before: str, text: str, labels: str) -> None:
    assert raised(before, text) == "".join(note_mark(label) for label in labels.split())
    assert unmarked(before + raised(before, text) + " next") == f"{before} next"


@pytest.mark.parametrize(
    ("before", "text", "written"),
    [
        ("10", "9", "⁹"),
        ("2 × 10", "9", "⁹"),
        ("2 × 10", "-2", "⁻²"),
        ("2·10", "2", "²"),
        ("10", "12", "¹²"),
        ("10", "n", "ⁿ"),
        ("10", "−3.5", "^−3.5"),
        ("m", "2", "²"),
        ("70 kg/m", "2", "²"),
        ("5 cm", "3", "³"),
        ("9.81 m/s", "2", "²"),
        ("s", "−1", "⁻¹"),
        ("mL min", "–1", "⁻¹"),
        ("12 in", "2", "²"),
        ("120 平方米 = 120 米", "2", "²"),
        ("厘米", "3", "³"),
        ("x", "2", "²"),
        ("(1 + r)", "n", "ⁿ"),
        ("Ca", "2+", "²⁺"),
        ("HCO3", "−", "⁻"),
        ("CD4", "+", "⁺"),
    ],
)
def test_an_exponent_and_a_charge_are_superscript_characters(before: str, text: str, written: str) -> None:
    assert raised(before, text) == written


@pytest.mark.parametrize(
    ("before", "text", "after", "read"),
    [
        ("1", "st", "", "1st"),
        ("the 22", "nd", "", "the 22nd"),
        ("Metrovine", "TM", "", "Metrovine™"),
        ("Metrovine", "®", "", "Metrovine®"),
        ("word", "citation needed", "", "wordcitation needed"),
        ("treated with ", "131", "I", "treated with 131I"),
        ("N", "o", " 5", "No 5"),
    ],
)
def test_ordinals_trade_marks_and_words_are_joined_and_marked(
    before: str, text: str, after: str, read: str
) -> None:
    builder = TextBuilder()
    builder.paragraph(before + raised(before, text, after) + after)
    assert builder.build()[0] == read
    assert [(m.kind, m.end) for m in builder.marks()] == [(MarkKind.RAISED, len(read) - len(after))]


def test_what_separates_two_notes_and_a_degree_are_read_as_such() -> None:
    assert raised(note_mark("1"), ",") == ""
    assert raised("37", "o", "C") == "°"
    assert raised("37 ", "0", " C") == "°"
    assert raised("10", "2", "/L") == "²"
    assert raised("word", " 1 ") == note_mark("1") + " "
