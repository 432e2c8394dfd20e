"""Picks the questions tagged "sample" out of a question file, for the empty chat page and for `make run`.

scripts/samples.py QUESTIONS.jsonl OUT.json    writes a JSON list of questions
scripts/samples.py --first OUT.json            prints the first of them
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main(arguments: list[str]) -> None:
    if arguments[0] == "--first":
        print(json.loads(Path(arguments[1]).read_text("utf-8"))[0])
        return
    lines = Path(arguments[0]).read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines if line.strip()]
    samples = [row["question"] for row in rows if "sample" in row.get("tags", [])]
    Path(arguments[1]).write_text(json.dumps(samples, ensure_ascii=False, indent=1), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
