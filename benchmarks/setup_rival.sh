#!/bin/sh
# Makes the environments of the rivals, each with its own packages: once, about 3 minutes and 2 GB each.
#   benchmarks/setup_rival.sh                             langchain, llamaindex and txtai, in benchmarks/.venv-rival-NAME
#   benchmarks/setup_rival.sh langchain                   one of them
#   RIVALS=/big/disk benchmarks/setup_rival.sh            in /big/disk/NAME; run.py and answers.py read RIVALS too
# The llama-cpp-python wheel that `make` built for this processor is used again, so that all sides run the same llama.cpp.
set -eu
cd "$(dirname "$0")/.."
python=$(realpath -ms "${PYTHON:-${VENV:-.venv}/bin/python}")
cd benchmarks
[ -x "$python" ] || python=python3
flags=""
if grep -q -w amx_int8 /proc/cpuinfo 2>/dev/null; then flags="-mno-amx-tile -mno-amx-int8 -mno-amx-bf16"; fi
# The same name that scripts/setup.sh gives the folder of its wheel.
cpu=$({ uname -m; grep -m1 -E '^(flags|Features)' /proc/cpuinfo || true; "$python" -V; echo "$flags"; } | sha256sum | cut -c1-12)
wheels=${CITEWISE_WHEELS:-${XDG_CACHE_HOME:-$HOME/.cache}/citewise/wheels/$cpu}
ls "$wheels"/llama_cpp_python-*.whl >/dev/null 2>&1 || {
    echo "There is no llama-cpp-python wheel in $wheels. Run: make check" >&2
    exit 1
}
for rival in ${@:-langchain llamaindex txtai}; do
    venv=${RIVALS:+$RIVALS/$rival}
    venv=${venv:-.venv-rival-$rival}
    stamp="$venv/.ready"
    state=$(cat "requirements-$rival.txt" | sha256sum | cut -c1-16)
    [ "$(cat "$stamp" 2>/dev/null)" != "$state" ] || { echo "$rival: ready in $venv"; continue; }
    [ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
    pip="$venv/bin/python -m pip --disable-pip-version-check"
    # torch first and on its own: with it in place nothing below asks for a build with CUDA.
    $pip install --quiet torch==2.13.0
    $pip install --quiet --no-deps --no-index --find-links "$wheels" llama-cpp-python==0.3.36
    $pip install --quiet --requirement "requirements-$rival.txt"
    "$venv/bin/python" "rival_$rival.py" --help >/dev/null
    printf '%s' "$state" >"$stamp"
    echo "$rival: ready in $venv"
done
