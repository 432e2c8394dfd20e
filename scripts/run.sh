#!/usr/bin/env bash
# What `make run` does after the set-up: indexes the sample corpora, answers one question of each domain, serves the page.
set -euo pipefail
cd "$(dirname "$0")/.."
citewise="${VENV:-.venv}/bin/citewise"
for domain in legal medical finance; do
    "$citewise" ingest "corpora/$domain/documents" --index "indexes/$domain" --sync
    "${VENV:-.venv}/bin/python" scripts/samples.py "corpora/$domain/questions.jsonl" "indexes/$domain/samples.json"
done
for domain in legal medical finance; do
    question=$("${VENV:-.venv}/bin/python" scripts/samples.py --first "indexes/$domain/samples.json")
    printf '\n── %s ──\n%s\n' "$domain" "$question"
    "$citewise" ask "$question" --index "indexes/$domain"
done
[ -z "${CITEWISE_NO_UI:-}" ] || exit 0
printf '\nThe chat page: http://127.0.0.1:7860 (Ctrl-C ends it)\n'
exec "$citewise" ui --index indexes/legal
