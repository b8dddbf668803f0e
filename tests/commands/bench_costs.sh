#!/bin/sh
# `bench clients`, `worlds` and `kernel` give their tables. Figures are for people; no test depends on them.
set -eu
syncline=$1
out=$(mktemp)
trap 'rm -f "$out"' EXIT

fail() { echo "$*" >&2; cat "$out" >&2; exit 1; }

"$syncline" bench clients --clients 2 >"$out" || fail "bench clients"
grep -q '^core ' "$out" && grep -q '^model ' "$out" && grep -q '^ratio ' "$out" || fail "an engine is missing"

"$syncline" bench worlds --seed 1 --engine model scenarios/mutants/canary-none.yaml >"$out" 2>&1 && fail "there is no such scenario"
"$syncline" bench worlds --seed 1 --engine model scenarios/bench/search.yaml >"$out" || fail "bench worlds"
grep -q '^search.yaml  model ' "$out" || fail "a world is missing"
# Without checks a broken promise passes: that is why each seed also runs with them.
for unchecked in true false; do
  printf '{"job":1,"scenario":"scenarios/smoke/canary.yaml","seed":1,"measure":true,"unchecked":%s}\n' $unchecked |
    "$syncline" worker --engine model >"$out" || fail "a worker"
  grep -q "\"passed\":$unchecked.*\"peak_bytes\":[1-9]" "$out" || fail "unchecked: $unchecked"
done
"$syncline" bench worlds --seeds 1-3 --engine model scenarios/smoke/canary.yaml >"$out" 2>&1 && fail "the canary was not seen"
[ $? -eq 1 ] || fail "the canary is a violation"

"$syncline" bench kernel --rounds 1 >"$out" || fail "bench kernel"
[ "$(wc -l <"$out")" -eq 4 ] || fail "bench kernel has three sizes"
"$syncline" bench clients --clients 0 >"$out" 2>&1 && fail "no clients"
[ $? -eq 2 ] || fail "wrong use is status 2"
