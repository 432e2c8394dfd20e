"""Which documents a question names: by words of their titles and file names, and by the years in them.

"What was Acme's revenue in 2021?" speaks of the files called ACME_2021_10K.pdf. That is a preference, not a
filter: the answer may stand in another year's report.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping

from rag.question import analyse
from rag.text import normalise

NAME_PREFERENCE = 0.05
YEAR_PREFERENCE = 0.05
_YEAR = re.compile(r"(?:19|20)\d{2}")
_NOT_A_LETTER = re.compile(r"[\W_]+")


def squashed(text: str) -> str:
    """Letters and digits only, lower case: "Johnson & Johnson" is found in JOHNSON_JOHNSON_2022.pdf."""
    return _NOT_A_LETTER.sub("", normalise(text))


def named_documents(question: str, names: Mapping[int, str]) -> dict[int, float]:
    """Preference, 0 to 0.1, by document id; documents that the question does not name are left out.

    `names` are the `squashed` titles and paths. A name counts the more, the fewer documents bear it.
    """
    asked = analyse(question)
    parts = [p for p in dict.fromkeys(map(squashed, asked.names)) if len(p) > 1 and not p.isdigit()]
    years = [n for n in asked.numbers if _YEAR.fullmatch(n)]
    found: dict[int, float] = {}
    for keys, preference in ((parts, NAME_PREFERENCE), (years, YEAR_PREFERENCE)):
        for document, share in _shares(keys, names).items():
            found[document] = found.get(document, 0.0) + preference * share
    return found


def _shares(keys: Iterable[str], names: Mapping[int, str]) -> dict[int, float]:
    """Share of the keys' weight that each document bears; keys that all or no documents bear do not count."""
    bearers = {key: [d for d, name in names.items() if key in name] for key in keys}
    weights = {
        k: math.log((len(names) + 1) / (len(b) + 0.5)) for k, b in bearers.items() if 0 < len(b) < len(names)
    }
    total = sum(weights.values())
    shares: dict[int, float] = {}
    for key, weight in weights.items():
        for document in bearers[key]:
            shares[document] = shares.get(document, 0.0) + weight / total
    return shares
