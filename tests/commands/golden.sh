#!/bin/sh
# The narration of scenarios/smoke/golden.yaml, word for word: it reads as documentation of one small run.
# Usage: golden.sh SYNCLINE
set -eu
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
"$1" run scenarios/smoke/golden.yaml --seed 1 --trace --out "$out" >"$out/log" 2>&1 || { cat "$out/log"; exit 1; }
grep -v '^#' "$out/traces/golden-1.txt" >"$out/seen.txt"
grep -v '^#' tests/golden/golden.txt | diff - "$out/seen.txt"
