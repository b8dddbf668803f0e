#!/bin/sh
# Every promise of the service, two seeds each: scenarios/seeds. Usage: seeds.sh SYNCLINE
set -eu
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
"$1" run scenarios/seeds --seeds 1-2 --out "$out" >"$out/log" 2>&1 || { cat "$out/log"; exit 1; }
