#!/bin/sh
# Every promise of the service and of the apps: scenarios/seeds, scenarios/apps. Usage: seeds.sh SYNCLINE SEEDS
set -eu
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
"$1" run scenarios/seeds scenarios/apps --seeds "$2" --out "$out" >"$out/log" 2>&1 || { cat "$out/log"; exit 1; }
