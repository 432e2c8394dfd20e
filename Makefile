.PHONY: run test check bench bench-answers bench-retrieval clean help

VENV ?= .venv
export VENV
BIN := $(VENV)/bin
# The language model for this machine, once, into the cache. Without a network the one that is here reads.
READER = $(BIN)/citewise models pull >/dev/null || echo "The best model that is here is used instead." >&2

help:
	@echo "make run    set up, fetch the language model for this machine (1.1 GB), index the sample documents, answer one question of each domain, serve the chat on 127.0.0.1:7860"
	@echo "make test   set up, then linters, types, import layers and the whole test suite"
	@echo "make bench PDFS=FOLDER   compare speed and memory with a LangChain pipeline on a folder of PDFs (about 30 minutes)"
	@echo "make bench-answers       answers from 20,000 passages against LangChain, LlamaIndex and txtai; 16 users at once (about 25 minutes)"
	@echo "make bench-retrieval     latency of searches at two sizes, growth, cost of reading (about 20 minutes)"

run:
	@scripts/setup.sh embedded
	@$(READER)
	@scripts/run.sh

test: check
	@scripts/chromium.sh
	@$(READER)
	$(BIN)/pytest tests

check:
	@scripts/setup.sh embedded,dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench:
	@test -n "$(PDFS)" || { echo "Name a folder of PDFs: make bench PDFS=~/filings"; exit 2; }
	@scripts/setup.sh embedded,dev
	benchmarks/setup_rival.sh langchain
	$(BIN)/python benchmarks/run.py "$(PDFS)"

bench-answers:
	@scripts/setup.sh embedded,dev
	benchmarks/setup_rival.sh
	$(BIN)/python benchmarks/answers.py
	$(BIN)/python benchmarks/users.py

bench-retrieval:
	@scripts/setup.sh embedded,dev
	@$(BIN)/python -m pip install --quiet --no-deps bm25s==0.3.16 || echo "bm25s is not to be had: FTS5 alone"
	$(BIN)/python benchmarks/retrieval.py

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
