"""The values that travel between modules: all that these modules define. All are frozen; none does I/O."""

from rag.types.answers import *
from rag.types.documents import *
from rag.types.search import *
from rag.types.tables import *
