"""Fields of knowledge are handed to what reads and searches; a worker gets no more of them than it needs."""

from __future__ import annotations

import pickle
import re
import subprocess
import sys
from pathlib import Path

from rag.documents.description import with_profile
from rag.domains import load_domains
from rag.store.reading import passages
from rag.types import Document
from tests.fakes import fake_count_tokens

_RAG = Path(sys.modules["rag"].__file__ or "").parent
_HEAVY = (
    "faiss",
    "rag.search.pool",
    "rag.store.store",
    "rag.questions.constraints",
    "rag.domains.finance.figures",
)


def statute() -> Document:
    text = "Harbour Act 2019\n\nThis Act comes into force on 1 May 2020.\n"
    return Document("harbour.md", "/d/harbour.md", "Harbour Act 2019", text, "md", "en", "0" * 64)


def test_fields_describe_a_document_in_a_process_that_loads_nothing_of_the_search() -> None:
    work = (
        "import pickle, sys; fields, document = pickle.loads(sys.stdin.buffer.read());"
        "from rag.documents.description import with_profile; found = with_profile(document, fields);"
        "[field.roles(document, ()) for field in fields];"
        f"print(found['law'], found['effective'], [m for m in {_HEAVY} if m in sys.modules])"
    )
    given = pickle.dumps((load_domains().each, statute()))
    done = subprocess.run([sys.executable, "-c", work], input=given, capture_output=True, check=True)
    assert done.stdout.decode().strip() == "Harbour Act 2019 2020-05-01 []"


def test_without_fields_a_document_has_its_text_and_nothing_is_known_of_its_matter() -> None:
    assert "law" in with_profile(statute(), load_domains().each)
    read = passages(statute(), fake_count_tokens, ())
    assert read.document is not None and set(read.document.metadata) <= {"year", "parties"}
    assert read.chunks and not any(chunk.roles for chunk in read.chunks)


# What names a field below the fields, and why: (file or folder, what may stand there).
_NAMED_BELOW = (
    # Follow-ups are rules about all that a question may speak of, until a model completes them.
    ("questions/(?:followup|mentions)", r".*"),
    # Keys of a description, strings until it is typed, and the type that reads any period.
    (
        "documents|questions/expects|search/explain|store/documents",
        r'"fiscal_(?:year|period)"|"law"|FiscalPeriod',
    ),
    # The ranker's features are one vector, fitted together: their names are those of its weights file.
    ("search/ranker", '"law",'),
    # Words of a language: kinds of texts that have editions, what a question may ask the name of.
    ("documents/validity", r"act\|code\|regulations\?\|rules\|ordinance\|directive\|statute"),
    ("questions/expects", r"act\|law\|statute\|treaty"),
    # A comment inside the schema, which is a part of every index.
    ("store/schema", r"financial statements it stands in"),
)
_FIELD = re.compile(r"(?i)statute|fiscal|10-[kq]|balance sheet|medic|financ|(?<![a-z])laws?(?![a-z])")


def test_documents_questions_search_and_store_name_no_field() -> None:
    found = []
    for package in ("documents", "questions", "search", "store"):
        for path in sorted((_RAG / package).glob("*.py")):
            text = path.read_text("utf-8")
            for where, allowed in _NAMED_BELOW:
                if re.match(where, f"{package}/{path.stem}"):
                    text = re.sub(allowed, "", text)
            found += [f"{package}/{path.name}: {m.group()}" for m in _FIELD.finditer(text)]
    assert not found
