"""The layout holds: small modules, few parameters, one thing for each name."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import rag

_ROOT = Path(rag.__file__).parents[1]
MODULES = [path for package in ("rag", "ui") for path in sorted((_ROOT / package).rglob("*.py"))]


def test_no_module_is_long_and_few_stand_flat() -> None:
    assert not [path.name for path in MODULES if len(path.read_text("utf-8").splitlines()) > 400]
    assert len(list((_ROOT / "rag").glob("*.py"))) <= 10


def parameters(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            given = node.args
            names = [a.arg for a in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
            yield f"{path.name}: {node.name}", len([n for n in names if n not in ("self", "cls")])


def test_no_function_has_more_than_eight_parameters_but_commands() -> None:
    found = [row for path in MODULES if "cli" not in path.parts for row in parameters(path)]
    assert not [name for name, count in found if count > 8]


def test_only_the_languages_spell_out_numerals_and_months() -> None:
    spelled = re.compile("一二三|二三四|january|february|(?:one|two|three)[|](?:two|three|four)[|]")
    modules = [path for path in MODULES if "languages" not in path.parts]
    assert not [path.name for path in modules if spelled.search(path.read_text("utf-8"))]


def test_no_two_public_classes_share_a_name() -> None:
    named = Counter(
        node.name
        for path in MODULES
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert not [name for name, count in named.items() if count > 1]
