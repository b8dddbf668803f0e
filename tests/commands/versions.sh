#!/bin/sh
# A suite on every release of the client core. Usage: versions.sh SYNCLINE
set -eu
for package in powersync-core-0.4.6 powersync-core-0.5.2; do
  [ -d deps/node_modules/$package ] || { echo "versions: skipped: there is no deps/node_modules/$package"; exit 0; }
done
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
fail() { echo "versions: $*" >&2; cat "$out/log" >&2; exit 1; }

# What dates a difference: checkpoint requests came with 0.5.
cat >"$out/requests.yaml" <<'END'
users: [alice]
write-checkpoints: requests
run: {for: 10s, settle-within: 20s}
network: {latency: 20ms, jitter: 0ms}
swarm: false
fault-points: false
random-knobs: false
steps: [{at: 5s, write: alice-1, action: edit, rows: 1, choice: 1}]
END
"$1" run "$out/requests.yaml" scenarios/smoke/burst.yaml scenarios/mutants/gate-open.yaml --versions --seeds 1-2 --out "$out/runs" >"$out/log" 2>&1 ||
  fail "it failed"
grep -q '^scenario  *0\.4\.6  *0\.4\.10  *0\.4\.11  *0\.4\.12  *0\.5\.2  *0\.5\.3$' "$out/log" || fail "no heading"
grep -q '^burst  *ok  *ok  *ok  *ok  *ok  *ok$' "$out/log" || fail "burst is not ok everywhere"
grep -q '^requests  *2 of 2  *2 of 2  *2 of 2  *2 of 2  *ok  *ok$' "$out/log" || fail "requests are not what came with 0.5"
grep -q '^gate-open  *ok, fails  *ok, fails' "$out/log" || fail "gate-open does not fail as expected"
[ -f "$out/runs/core@0.4.6/results.jsonl" ] || fail "no folder of a release"

"$1" run scenarios/smoke/burst.yaml --versions --engine core@0.4.6 >"$out/log" 2>&1 && fail "--versions took --engine"
grep -q 'neither --engine nor --core' "$out/log" || fail "no reason"
