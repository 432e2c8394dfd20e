"""`python -m rag.cli` is `citewise`."""

from rag.cli import main

main()
