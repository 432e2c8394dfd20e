"""Counts sentences shown as supported whose numbers are not in the words they cite.

    scripts/check_support.py INDEX=SET [INDEX=SET ...] --limit 1000 --out support.jsonl [--half dev|test]

SET is a folder or file of questions as `citewise eval` reads it, INDEX an index of its documents; `--limit`
counts all sets together, an equal share of each. The check is not the verification under test: it knows
digits alone. A number of the sentence, without separators, must be one of the cited text, its column heads,
headings and title; a number that is there only apart from its decimal point and noughts (4.5 million for
4,500,000) is counted as scaled. Number words are counted too, where they are written as words in the
sentence.

One line for each question goes to --out as it is answered; a run that was ended goes on where it stopped.
Exit code 1 where a sentence has a number that its source has not."""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from rag.assistant import build_assistant
from rag.config import load_config
from rag.measure.yardstick import Choice, choose, load_questions
from rag.types import Answer, ClaimState

_NUMBER = re.compile(r"\d[\d,，]*(?:\.\d+)?|\.\d+")
_WORDS = dict(
    zip(
        "two three four five six seven eight nine ten eleven twelve".split(),
        map(str, range(2, 13)),
        strict=True,
    )
)
_HAN = str.maketrans("〇零一二三四五六七八九两", "001234567892")


def numbers(text: str) -> list[str]:
    """The numbers of a text as digits with a decimal point: "1,234.50" -> "1234.5"."""
    plain = unicodedata.normalize("NFKC", text)
    found = [re.sub(r"[,，]", "", m.group()) for m in _NUMBER.finditer(plain)]
    return [n.rstrip("0").rstrip(".") if "." in n else n for n in found]


def significant(number: str) -> str:
    """Its digits apart from point and outer noughts: what 4.5 and 4500000 share."""
    return number.replace(".", "").strip("0") or "0"


def written_out(text: str) -> set[str]:
    """Numbers written as words, as digits: what a sentence may give as "12" or 12 for "twelve" or 十二."""
    lower = unicodedata.normalize("NFKC", text).lower()
    words = {d for w, d in _WORDS.items() if re.search(rf"\b{w}\b", lower)}
    for m in re.finditer("[〇零一二三四五六七八九两十百千万亿]+", lower):
        words |= set(numbers(m.group().translate(_HAN))) | _tens(m.group())
    return words


def _tens(numeral: str) -> set[str]:
    m = re.fullmatch("([一二三四五六七八九]?)(?:([百十]))([一二三四五六七八九]?)", numeral)
    if m is None:
        return set()
    one = int(m[1].translate(_HAN)) if m[1] else 1
    return {str(one * (10 if m[2] == "十" else 100) + (int(m[3].translate(_HAN)) if m[3] else 0))}


def missing(sentence: str, source: str) -> tuple[list[str], list[str]]:
    """Numbers of the sentence that the source has not, and those that it has at another scale only."""
    there = set(numbers(source)) | written_out(source)
    digits = {significant(n) for n in there}
    absent, scaled = [], []
    for number in [*numbers(sentence), *(d for d in written_out(sentence) if sentence.isascii())]:
        if number not in there and number.lstrip("0") not in there:
            (scaled if significant(number) in digits else absent).append(number)
    return absent, scaled


def checked(answer: Answer) -> Iterator[dict[str, object]]:
    """One record for each sentence of the model that is shown as supported."""
    # What code worked out or counted is no sentence of the model's.
    written = answer.claims if answer.model and not answer.working else ()
    for claim in written:
        if claim.quoted or claim.state is not ClaimState.SUPPORTED:
            continue
        cited = [e for e in answer.evidence if e.number in claim.citations]
        source = "\n".join("\n".join((e.text, e.header, *e.heading_path, e.document.title)) for e in cited)
        absent, scaled = missing(claim.text, source)
        yield {"sentence": claim.text, "source": source, "absent": absent, "scaled": scaled}


def run(args: argparse.Namespace) -> int:
    done = {r["key"] for r in _records(args.out)}
    share = -(-args.limit // len(args.sets))
    with args.out.open("a", encoding="utf-8") as out:
        for pair in args.sets:
            index, _, questions = pair.partition("=")
            chosen = choose(load_questions(Path(questions)), Choice(sample=share, half=args.half))
            todo = [q for q in chosen if f"{index}:{q.id}" not in done]
            if not todo:
                continue
            config = load_config(llm=args.llm) if args.llm else load_config()
            with build_assistant(config, index=Path(index)) as assistant:
                for question in todo:
                    begun = time.perf_counter()
                    answer = assistant.ask(question.question)
                    record = {
                        "key": f"{index}:{question.id}",
                        "verdict": answer.verdict.value,
                        "seconds": round(time.perf_counter() - begun, 2),
                        "dropped": len(answer.dropped),
                        "sentences": list(checked(answer)),
                    }
                    out.write(json.dumps(record, ensure_ascii=False) + "\n")
                    out.flush()
    return report(_records(args.out))


def _records(path: Path) -> list[dict]:
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return [json.loads(line) for line in lines if line.endswith("}")]


def report(records: list[dict]) -> int:
    verdicts = Counter(r["verdict"] for r in records)
    sentences = [s for r in records for s in r["sentences"]]
    absent = [s for s in sentences if s["absent"]]
    scaled = [s for s in sentences if s["scaled"]]
    with_numbers = sum(bool(numbers(s["sentence"])) for s in sentences)
    print(f"questions {len(records)}: " + ", ".join(f"{n} {one}" for one, n in verdicts.most_common()))
    print(f"seconds an answer: {sum(r['seconds'] for r in records) / max(1, len(records)):.2f}")
    print(f"sentences dropped: {sum(r['dropped'] for r in records)}")
    print(f"sentences shown as supported: {len(sentences)}, with numbers: {with_numbers}")
    print(f"with a number at another scale: {len(scaled)}")
    print(f"with a number that the source has not: {len(absent)}")
    for s in [*absent, *scaled]:
        print(f"  {s['absent'] or s['scaled']}  {s['sentence']}\n      {s['source'][:300]!r}")
    return 1 if absent else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("sets", nargs="+", metavar="INDEX=SET")
    parser.add_argument("--limit", type=int, default=1000, help="questions in all")
    parser.add_argument("--half", choices=("dev", "test"), default=None)
    parser.add_argument("--llm", default="", help="model, as for citewise ask")
    parser.add_argument("--out", type=Path, required=True, help="JSON lines; kept and gone on with")
    return run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
