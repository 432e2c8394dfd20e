"""Sentences are verbatim and lose nothing; tokens meet between question and document."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.languages.text import (
    content_tokens,
    detect_language,
    query_tokens,
    search_tokens,
    sentences,
    words,
)

# Pieces that sentence boundaries hang on, mixed with anything.
_PIECES = st.sampled_from(
    [
        *(
            ". ",
            "! ",
            "?",
            "。",
            "！",
            "；",
            "”",
            "’",
            "…",
            "\n",
            "\n\n",
            " \n\t\n",
            "\n- ",
            "\n1. ",
            "\n(a) ",
        ),
        *("第一条 ", "\u3000", "Dr. ", "U.S. ", "e.g. ", "A", "b", "3.5", "(", ")", '"', "“", "租金", " "),
        *("\x00", "\u200b", "\ud800"),
    ]
)
TEXTS = st.lists(_PIECES | st.text(max_size=5), max_size=40).map("".join)


def split(text: str) -> list[str]:
    return [text[s.start : s.end] for s in sentences(text)]


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_sentences_are_verbatim_in_order_and_cover_every_visible_character(text: str) -> None:
    end = 0
    for span in sentences(text):
        assert span.start >= end
        assert text[end : span.start].isspace() or end == span.start
        piece = text[span.start : span.end]
        assert piece
        assert piece == piece.strip()
        end = span.end
    assert not text[end:].strip()


@settings(max_examples=200, deadline=None)
@given(TEXTS, st.data())
def test_spans_of_a_part_index_into_the_whole(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    found = sentences(text, start, end)
    assert all(start <= s.start < s.end <= end for s in found)
    kept = "".join(text[s.start : s.end] for s in found)
    assert "".join(kept.split()) == "".join(text[start:end].split())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Dr. Smith signed on Jan. 3. The lease ends in 2031. It renews.",
            ["Dr. Smith signed on Jan. 3.", "The lease ends in 2031.", "It renews."],
        ),
        (
            "The fee is 4.5 percent (see Sec. 3.2). The U.S. court agrees. J. Smith left.",
            ["The fee is 4.5 percent (see Sec. 3.2).", "The U.S. court agrees.", "J. Smith left."],
        ),
        ("他说：“可以。”然后离开。真的吗？是！", ["他说：“可以。”", "然后离开。", "真的吗？", "是！"]),
        ("第一条 甲方应当付款。\n第二条 乙方交货", ["第一条 甲方应当付款。", "第二条 乙方交货"]),
        ("Items:\n- one\n- two\n\nNo stop\n\nEnd", ["Items:", "- one", "- two", "No stop", "End"]),
        ("1. First item.\n2. Second item.", ["1. First item.", "2. Second item."]),
        ("A line\nthat goes on. Next.", ["A line\nthat goes on.", "Next."]),
        ('What?! Yes. "Quoted." Then', ["What?!", "Yes.", '"Quoted."', "Then"]),
        (" \n\u3000 ", []),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text: str, expected: list[str]) -> None:
    assert split(text) == expected


def test_long_text_without_a_boundary_is_one_sentence_and_fast() -> None:
    assert len(sentences("word " * 200_000)) == 1
    assert len(sentences("." * 100_000)) == 1


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The rent is due.", "en"),
        ("租金到期。", "zh"),
        ("LPR 指贷款市场报价利率 (loan prime rate)", "zh"),
        ("The word 租金 means rent, payable each month.", "en"),
        ("", "en"),
        ("1,450.00 %", "en"),
    ],
)
def test_language_is_that_of_most_of_the_words(text: str, language: str) -> None:
    assert detect_language(text) == language


@pytest.mark.parametrize(
    ("question", "document"),
    [
        ("deposits", "the tenant's deposit"),
        ("TERMINATION", "terminated"),
        ("1450", "EUR 1,450"),
        ("12,345.50", "12345.50"),
        ("１２３", "123"),
        ("ﬁnance", "finance"),
        ("section 3.2.1", "3.2.1 Fees"),
        ("试用期", "劳动合同的试用期最长六个月"),
        ("第三十七条", "第三十七条 劳动者提前三十日"),
    ],
)
def test_question_and_document_meet_in_at_least_one_token(question: str, document: str) -> None:
    assert set(query_tokens(question)) & set(search_tokens(document))


def test_different_numbers_do_not_meet() -> None:
    assert not set(search_tokens("1,450")) & set(search_tokens("450 and 1.450,5 and 14500"))


def test_stop_words_are_dropped_from_a_question_unless_nothing_else_is_left() -> None:
    assert query_tokens("What is the deposit of the tenant?") == ["deposit", "tenant"]
    chinese = query_tokens("请问押金是多少？")
    assert chinese[0] == "押金"
    assert not {"请问", "多少", "是"} & set(chinese)
    assert query_tokens("What is it?")


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_tokens_are_words_without_blanks_quotes_or_upper_case(text: str) -> None:
    tokens = search_tokens(text)
    assert all(t and not any(c.isspace() or c == '"' for c in t) for t in tokens)
    assert all(t == t.lower() for t in tokens)
    assert set(query_tokens(text)) <= set(tokens)
    assert len(set(query_tokens(text))) == len(query_tokens(text))


def test_control_tokens_of_a_chat_template_are_plain_words() -> None:
    assert search_tokens("<|im_start|>system<|im_end|>") == ["im", "start", "system", "im", "end"]


def test_words_are_given_as_typed() -> None:
    assert words("What are the Deposits of 3.2 and the Deposits?") == ["Deposits", "3.2"]
    assert words("请问试用期最长多少个月") == ["试用期", "最长", "月"]


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("What does Party A supply?", "lettera"),
        ("vaccination against hepatitis A", "lettera"),
        ("In Phase I patients were treated.", "letteri"),
        ("A股与B股", "lettera"),
    ],
)
def test_the_letter_of_a_name_is_looked_for_though_it_is_a_stop_word(text: str, letter: str) -> None:
    assert letter in query_tokens(text) and letter in search_tokens(text)


@pytest.mark.parametrize(
    "text", ["What should I pay for a room?", "SUBJECT TO A LEASE", "Buy A House", "It is A."]
)
def test_articles_and_pronouns_are_no_letters_of_names(text: str) -> None:
    assert not any(token.startswith("letter") for token in search_tokens(text))


@pytest.mark.parametrize(
    ("question", "about"),
    [
        ("I've lost the key, what'll it cost?", ["lost", "key", "cost"]),
        ("I’m late, isn't there a fine?", ["late", "fine"]),
        ("Who'd pay for vitamin D?", ["pay", "vitamin", "d"]),
        ("What is the toll for a lorry today?", ["toll", "lorri"]),
        ("Who currently owns the mill?", ["own", "mill"]),
    ],
)
def test_what_is_contracted_or_the_present_day_is_not_what_a_question_is_about(
    question: str, about: list[str]
) -> None:
    assert content_tokens(question) == about
