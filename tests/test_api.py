"""What `import rag` promises: these names, and no weight."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import rag
import rag.types

NAMES = {
    *(
        "Assistant",
        "Calculation",
        "open_index",
        "Index",
        "Leg",
        "Note",
        "Outcome",
        "Part",
        "Reading",
        "Reason",
        "ServerAccess",
        "Stages",
        "Answer",
        "Claim",
        "ClaimState",
        "Citation",
    ),
    *(
        "Evidence",
        "Explanation",
        "Figure",
        "Gap",
        "Hit",
        "Filters",
        "Turn",
        "Document",
        "Chunk",
        "CitewiseError",
        "load_config",
        "load_domains",
    ),
    *("build_assistant", "load_llm", "load_embedder"),
}
HEAVY = {
    *("torch", "faiss", "onnxruntime", "onnx", "llama_cpp", "gradio", "numpy", "pydantic", "tokenizers"),
    *("sentence_transformers", "transformers", "jieba", "httpx", "lxml", "openpyxl", "pypdfium2"),
}


def test_the_public_names_are_these_and_no_others() -> None:
    assert set(rag.__all__) == NAMES
    assert len(rag.__all__) == len(NAMES)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_each_name_is_the_thing_itself(name: str) -> None:
    value = getattr(rag, name)
    assert value.__name__ == name
    assert getattr(sys.modules[value.__module__], name) is value
    assert value.__doc__


def test_names_are_listed_and_can_be_starred() -> None:
    assert set(dir(rag)) >= NAMES
    taken: dict[str, object] = {}
    exec("from rag import *", taken)
    assert set(taken) >= NAMES


def test_unknown_name_is_an_attribute_error_and_submodules_still_import() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Asistant'"):
        _ = rag.Asistant  # type: ignore[attr-defined]
    from rag.facts import numerals

    assert numerals.__name__ == "rag.facts.numerals"


def test_type_checkers_see_every_name() -> None:
    tree = ast.parse(Path(rag.__file__).read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    seen = {a.name for node in imports for a in node.names}
    if any(node.module == "rag.types" and node.names[0].name == "*" for node in imports):
        seen |= set(rag.types.__all__)
    assert seen >= NAMES


def loaded_by(code: str) -> set[str]:
    report = f"{code}\nimport sys; print(*{HEAVY!r} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert loaded_by("import rag") == set()


@pytest.mark.parametrize(
    ("names", "allowed"),
    [
        ("Answer, Citation, CitewiseError, Filters, Turn, Hit", set()),
        ("Assistant, Index, open_index, load_llm, load_embedder", {"numpy", "pydantic"}),
    ],
)
def test_importing_names_loads_no_model_runtime(names: str, allowed: set[str]) -> None:
    assert loaded_by(f"from rag import {names}") <= allowed
