#!/bin/sh
# Every promise of the service and of the apps, two seeds each: scenarios/seeds, scenarios/apps. Usage: seeds.sh SYNCLINE
set -eu
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
"$1" run scenarios/seeds scenarios/apps --seeds 1-2 --out "$out" >"$out/log" 2>&1 || { cat "$out/log"; exit 1; }
