"""Patterns of a module stand in the patterns.toml beside it: all that are used, and no other."""

from __future__ import annotations

import re
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

import rag

_ROOT = Path(rag.__file__).parent
_MADE = re.compile(r"= Patterns\(\s*__file__")
_MODULES = [p for p in sorted(_ROOT.rglob("*.py")) if _MADE.search(p.read_text("utf-8"))]


def _table(module: Path) -> str:
    return module.parent.name if module.stem == "__init__" else module.stem


@pytest.mark.parametrize("module", _MODULES, ids=lambda p: str(p.relative_to(_ROOT)))
def test_every_pattern_of_a_module_compiles_and_is_used(module: Path) -> None:
    source = module.read_text("utf-8")
    name = "_SHAPES" if "_SHAPES = Patterns" in source else "_RE"
    used = set(re.findall(rf'\b{name}(?:\[|\.words\(|\.pairs\(|\.table\()"(\w+)"', source))
    file = tomllib.loads(module.with_name("patterns.toml").read_text("utf-8"))
    assert used == set(file[_table(module)])
    dotted = ".".join(module.relative_to(_ROOT.parent).with_suffix("").parts).removesuffix(".__init__")
    found = vars(import_module(dotted))[name]
    assert all(found[key].pattern for key in re.findall(rf'\b{name}\["(\w+)"\]', source))


def test_every_table_of_patterns_has_its_module() -> None:
    for path in _ROOT.rglob("patterns.toml"):
        tables = set(tomllib.loads(path.read_text("utf-8"))) - {"part"}
        assert tables == {_table(m) for m in _MODULES if m.parent == path.parent}
