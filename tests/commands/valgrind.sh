#!/bin/sh
# One seed under valgrind: no invalid access, no leak. Usage: valgrind.sh SYNCLINE
set -eu
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
status=0
valgrind -q --trace-children=yes --leak-check=full --errors-for-leak-kinds=definite,indirect --error-exitcode=99 \
  --log-file="$out/valgrind-%p" "$1" run scenarios/smoke/todo.yaml --seed 1 -j 1 --out "$out/results" >"$out/log" 2>&1 || status=$?
[ $status -eq 0 ] || cat "$out/log"
if [ -n "$(find "$out" -name 'valgrind-*' -size +0)" ]; then
  cat "$out"/valgrind-*
  exit 1
fi
exit $status
