#!/bin/sh
# Makes benchmarks/.venv-rival: once, about 3 minutes and 2 GB. The llama-cpp-python wheel that `make` built is used again.
set -eu
cd "$(dirname "$0")"
python=${PYTHON:-python3}
wheels=${CITEWISE_WHEELS:-${XDG_CACHE_HOME:-$HOME/.cache}/citewise/wheels}
[ -x .venv-rival/bin/python ] || "$python" -m venv .venv-rival
.venv-rival/bin/pip install --quiet torch==2.13.0
.venv-rival/bin/pip install --quiet --find-links "$wheels" --requirement requirements-rival.txt
.venv-rival/bin/python -c "import langchain_huggingface, llama_cpp, faiss, pypdf; print('rival environment ready')"
