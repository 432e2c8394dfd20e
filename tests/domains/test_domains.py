"""Fields of knowledge are handed to what reads and searches; a worker gets no more of them than it needs."""

from __future__ import annotations

import pickle
import subprocess
import sys

from rag.documents.description import with_profile
from rag.domains import load_domains
from rag.store.worker import passages
from rag.types import Document
from tests.fakes import fake_count_tokens

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
    assert read.chunks and not any(chunk.role for chunk in read.chunks)
