#!/usr/bin/env bash
# Makes the environment that `make run` and `make test` use. Safe to run again: does nothing when nothing has changed.
#   scripts/setup.sh EXTRAS    e.g. embedded   or   embedded,dev
set -euo pipefail
cd "$(dirname "$0")/.."
extras=$1
venv=${VENV:-.venv}
python=${PYTHON:-python3}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "Citewise needs Python 3.11 or newer; $("$python" --version) is what '$python' runs. Set PYTHON=/path/to/python3.11" >&2
    exit 1
}
stamp="$venv/.citewise-$(printf '%s' "$extras" | tr ',' '-')"
state=$(cat pyproject.toml constraints.txt "$0" | sha256sum | cut -c1-16)
[ "$(cat "$stamp" 2>/dev/null)" != "$state" ] || exit 0

log=$(mktemp /tmp/citewise-setup.XXXXXX)
trap 'code=$?; [ $code = 0 ] && rm -f "$log" || { tail -n 30 "$log" >&2; echo "The set-up failed; its whole output: $log" >&2; }' EXIT
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
pip="$venv/bin/python -m pip --disable-pip-version-check"

# llama.cpp's matrix code for Intel's AMX dies with a segmentation fault on many virtual machines
# (ggml-org/llama.cpp issue 20824), so it is left out where the processor has AMX.
flags=""
if grep -q -w amx_int8 /proc/cpuinfo 2>/dev/null; then flags="-mno-amx-tile -mno-amx-int8 -mno-amx-bf16"; fi
# It is compiled for the processor at hand, so a kept wheel is good for this kind of processor only.
cpu=$({ uname -m; grep -m1 -E '^(flags|Features)' /proc/cpuinfo || true; "$venv/bin/python" -V; echo "$flags"; } | sha256sum | cut -c1-12)
wheels=${CITEWISE_WHEELS:-${XDG_CACHE_HOME:-$HOME/.cache}/citewise/wheels/$cpu}
llama=$(grep -E '^llama_cpp_python==' constraints.txt | tr -d ' ')
if ! ls "$wheels"/llama_cpp_python-"${llama##*==}"-*.whl >/dev/null 2>&1; then
    echo "Building $llama once for this processor (about 10 minutes on two cores; kept in $wheels)"
    mkdir -p "$wheels"
    CFLAGS="$flags ${CFLAGS:-}" CXXFLAGS="$flags ${CXXFLAGS:-}" CMAKE_ARGS="-DLLAVA_BUILD=OFF ${CMAKE_ARGS:-}" \
        $pip --no-cache-dir wheel --no-deps -w "$wheels" "$llama" >>"$log" 2>&1
    built=yes
fi
echo "Installing the packages into $venv"
# torch first and on its own: with it in place nothing below asks for a build with CUDA.
$pip install -q -c constraints.txt torch==2.13.0 >>"$log" 2>&1
$pip install -q -c constraints.txt --find-links "$wheels" -e ".[$extras]" >>"$log" 2>&1
# One of the same version that was built otherwise would stay.
[ -z "${built:-}" ] || $pip install -q --force-reinstall --no-deps --no-index --find-links "$wheels" "$llama" >>"$log" 2>&1
printf '%s' "$state" >"$stamp"
