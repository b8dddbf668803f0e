#!/bin/sh
# Every mutant is found by its scenario, with the right property, within 20 seeds (most in the first five); and without the
# mutant the same scenario passes 5. A scenario that shows a bug of the real thing has no mutant to leave out. With what a line "# Cured by:"
# says, a key of the scenario, it passes 5 as well, mutant or not. Usage: mutants.sh SYNCLINE
set -eu
syncline=$1
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
status=0
for scenario in scenarios/mutants/*.yaml scenarios/bugs/*.yaml; do
  name=$(basename "$scenario" .yaml)
  if ! "$syncline" run "$scenario" --seeds 1-5 --out "$out/$name" >"$out/log" 2>&1 &&
    ! "$syncline" run "$scenario" --seeds 1-20 --out "$out/$name" >"$out/log" 2>&1; then
    echo "$scenario: not found in seeds 1-20, or another property was violated"
    tail -20 "$out/log"
    status=1
  fi
  sed -n 's/^# Cured by: //p' "$scenario" >"$out/cures"
  while read -r cure; do
    sed "/^${cure%%:*}:/d; /^expect:/d" "$scenario" >"$out/$name.yaml"
    echo "$cure" >>"$out/$name.yaml"
    if ! "$syncline" run "$out/$name.yaml" --seeds 1-5 --out "$out/$name-cured" >"$out/log" 2>&1; then
      echo "$scenario: fails with its cure too: $cure"
      tail -20 "$out/log"
      status=1
    fi
  done <"$out/cures"
  grep -q '^mutants:' "$scenario" || continue
  sed "/^mutants:/d; /^expect:/d; s,^backend: ,&$PWD/$(dirname "$scenario")/," "$scenario" >"$out/$name.yaml"
  if ! "$syncline" run "$out/$name.yaml" --seeds 1-5 --out "$out/$name-without" >"$out/log" 2>&1; then
    echo "$scenario: fails without its mutant too"
    tail -20 "$out/log"
    status=1
  fi
done
exit $status
