"""Documents and questions made from word lists, the same ones for the same seed: as many as a test needs.

English annual reports (statements as tables, risk factors, notes), English contracts and Chinese local
regulations with numbered articles. Words are drawn with Zipf's frequencies, so that frequent and rare ones
have postings as in real text; names are made of syllables. What the documents say means nothing: they are for
latency, not for quality.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rag.types import Filters

_LISTS = tomllib.loads((Path(__file__).parent / "words.toml").read_text(encoding="utf-8"))
WORDS = {name: tuple(w.split() if isinstance(w, str) else w) for name, w in _LISTS.items()}
_PLACES = tuple(a + b for a in "云岚泠溪湖岭川河东西" for b in "州江山海城宁安平")
YEARS = range(2015, 2025)
_ARTICLES = 60


@dataclass(frozen=True, slots=True)
class Text:
    """A document to be: its path below the corpus, and its Markdown."""

    path: str
    markdown: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with the kind it stands for, and filters where it is asked with some."""

    kind: str
    question: str
    filters: Filters | None = field(default=None)


def companies(count: int) -> list[str]:
    """Distinct made-up names."""
    rng = random.Random(11)
    names: dict[str, None] = {}
    while len(names) < count:
        stem = "".join(rng.sample(WORDS["syllables"], 3)).capitalize()
        names.setdefault(f"{stem} {rng.choice(WORDS['kinds'])} {rng.choice(WORDS['forms'])}")
    return list(names)


def english(seed: int = 0) -> Iterator[Text]:
    """Annual reports, ten for each company, and a contract after every fifth; without end."""
    number = 0
    for company in companies(1000):
        for year in YEARS:
            rng = random.Random(f"{seed} {company} {year}")
            yield Text(f"filings/{slug(company)}-10-K-{year}.md", _filing(rng, company, year))
            number += 1
            if number % 5 == 0:
                yield Text(f"contracts/{slug(company)}-agreement-{number}.md", _contract(rng, company, year))


def chinese(seed: int = 0) -> Iterator[Text]:
    """Local regulations of sixty articles each, without end: the same subject in another place and year."""
    for year in range(2024, 1900, -1):
        for place in _PLACES:
            for topic in WORDS["zh_topics"]:
                rng = random.Random(f"{seed} {place} {topic} {year}")
                name = f"{place}市{topic}管理条例"
                yield Text(f"法规/{name}({year}-06-01).md", _regulation(rng, name, year))


def english_questions(each: int = 8, seed: int = 5) -> list[Asked]:
    """`each` questions of every kind about the documents of `english`; none is asked twice."""
    rng = random.Random(seed)
    asked: list[Asked] = []
    for company in rng.sample(companies(20), each):
        year, word, other = rng.choice(YEARS[1:]), _word(rng, "nouns"), _word(rng, "nouns")
        short, note = company.rsplit(" ", 1)[0], rng.randrange(len(WORDS["notes"])) + 1
        asked += [
            Asked(
                "plain", f"How is the {word} of a {_word(rng, 'adjectives')} {other} measured and disclosed?"
            ),
            Asked("company and year", f"What were the net sales of {short} in fiscal {year}?"),
            Asked(
                "ratio",
                f"What is the FY{year} {rng.choice(WORDS['ratios'])} of {short}, from its statements?",
            ),
            Asked(
                "several parts",
                f"What was the net income of {short} in {year}, and how much were its capital expenditures? "
                f"What does it say about {word} and {other}?",
            ),
            Asked("article", f"What does Note {note} of the {year} report of {short} say about {word}?"),
            Asked(
                "filters",
                f"Which {_word(rng, 'adjectives')} {word} affects the {other}?",
                Filters(companies=(company,), years=(str(year), str(year - 1))),
            ),
        ]
    return sorted(asked, key=lambda a: a.kind)


def chinese_questions(each: int = 8, seed: int = 5) -> list[Asked]:
    """As `english_questions`, about the documents of `chinese`."""
    rng = random.Random(seed)
    asked: list[Asked] = []
    for number in range(each):
        word, other, third = (_word(rng, "zh_words") for _ in range(3))
        law = f"{rng.choice(_PLACES)}市{WORDS['zh_topics'][number]}管理条例"
        article = zh_number(rng.randrange(_ARTICLES) + 1)
        asked += [
            Asked("plain", f"{word}的{other}{third}由谁负责？"),
            Asked("statute", f"{law}对{word}的{other}有什么规定？"),
            Asked("several parts", f"申请{word}需要什么{other}？逾期不办理{third}的如何处罚？"),
            Asked("article", f"《{law}》第{article}条规定了什么？"),
            Asked("filters", f"未按照规定办理{word}{other}的怎么处罚？", Filters(in_force="2024-09-01")),
        ]
    return sorted(asked, key=lambda a: a.kind)


def zh_number(number: int) -> str:
    """1 to 99 in Chinese characters."""
    digits = "零一二三四五六七八九"
    tens, ones = divmod(number, 10)
    return ("" if tens < 2 else digits[tens]) + ("十" if tens else "") + (digits[ones] if ones else "")


def _word(rng: random.Random, name: str) -> str:
    """The nth word of a list with probability about 1 / n."""
    words = WORDS[name]
    return words[min(len(words) - 1, int(len(words) ** rng.random()) - 1)]


def _sentence(rng: random.Random, company: str) -> str:
    def thing() -> str:
        return f"{_word(rng, 'adjectives')} {_word(rng, 'nouns')}"

    subject = rng.choice([company, "the Company", "management", f"the {thing()}"])
    rare = "".join(rng.sample(WORDS["syllables"], 2))
    tail = rng.choice(
        [
            f"of ${rng.randrange(1, 9000) / 10:,.1f} million",
            f"under the {rare} {_word(rng, 'nouns')} agreement",
            f"within {rng.randrange(10, 400)} days of the {_word(rng, 'nouns')}",
            f"because of {thing()} and {thing()}",
        ]
    )
    purpose = f"{_word(rng, 'nouns')} and {_word(rng, 'nouns')}"
    said = f"{subject} {_word(rng, 'verbs')} the {thing()} for {purpose} {tail}."
    return said[0].upper() + said[1:]


def _paragraphs(rng: random.Random, company: str, count: int) -> str:
    return "\n\n".join(" ".join(_sentence(rng, company) for _ in range(6)) for _ in range(count))


def _table(rng: random.Random, lines: tuple[str, ...], year: int) -> str:
    rows = [f"| {line} | {rng.randrange(100, 99999):,} | {rng.randrange(100, 99999):,} |" for line in lines]
    return "\n".join([f"| (in millions) | {year} | {year - 1} |", "|---|---|---|", *rows])


def _filing(rng: random.Random, company: str, year: int) -> str:
    statements = (
        ("Consolidated Balance Sheets", WORDS["balance"]),
        ("Consolidated Statements of Income", WORDS["income"]),
        ("Consolidated Statements of Cash Flows", WORDS["cash"]),
    )
    parts = [
        f"# {company} Annual Report on Form 10-K {year}",
        f"For the fiscal year ended December 31, {year}. {company} and its subsidiaries.",
        f"## Item 1. Business\n\n{_paragraphs(rng, company, 8)}",
        f"## Item 1A. Risk Factors\n\n{_paragraphs(rng, company, 12)}",
        f"## Item 7. Management's Discussion and Analysis\n\n{_paragraphs(rng, company, 10)}",
        "## Item 8. Financial Statements",
        *(f"### {name}\n\n{_table(rng, lines, year)}" for name, lines in statements),
        *(
            f"### Note {n}. {name}\n\n{_paragraphs(rng, company, 2)}\n\n"
            f"{_table(rng, tuple(rng.sample([*WORDS['balance'], *WORDS['income']], 4)), year)}"
            for n, name in enumerate(WORDS["notes"], 1)
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _contract(rng: random.Random, company: str, year: int) -> str:
    other = "".join(rng.sample(WORDS["syllables"], 3)).capitalize() + " LLP"
    clauses = [
        f"## {n}. {_word(rng, 'nouns').capitalize()} and {_word(rng, 'nouns')}\n\n"
        + "\n\n".join(f"{n}.{m} {_sentence(rng, other)} {_sentence(rng, company)}" for m in range(1, 6))
        for n in range(1, 13)
    ]
    opening = f"Agreement dated {rng.randrange(1, 28)} May {year} between {company} and {other}."
    return "\n\n".join([f"# Services Agreement: {company} and {other}", opening, *clauses]) + "\n"


def _regulation(rng: random.Random, name: str, year: int) -> str:
    def clause() -> str:
        words = [_word(rng, "zh_words") for _ in range(4)]
        return f"{words[0]}{_word(rng, 'zh_verbs')}{words[1]}的{words[2]}，{_word(rng, 'zh_verbs')}{words[3]}"

    parts = [f"# {name}", f"（{year}年5月1日市人民代表大会常务委员会通过，自{year}年6月1日起施行）"]
    for number in range(1, _ARTICLES + 1):
        if number % 12 == 1:
            parts.append(
                f"## 第{zh_number(number // 12 + 1)}章 {_word(rng, 'zh_words')}{_word(rng, 'zh_words')}"
            )
        days = (
            f"；逾期超过{rng.randrange(5, 90)}日的，处{rng.randrange(1, 50)}千元以下罚款"
            if number % 4 == 0
            else ""
        )
        parts.append(f"第{zh_number(number)}条 {'；'.join(clause() for _ in range(3))}{days}。")
    return "\n\n".join(parts) + "\n"


def slug(company: str) -> str:
    """A company's name as it stands in the names of its files."""
    return company.rsplit(" ", 1)[0].replace(" ", "-")
