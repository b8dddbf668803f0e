#!/bin/sh
# `syncline bench serve` works and measures something; how much is nobody's promise here. Usage: bench_serve.sh SYNCLINE
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "bench_serve: $*" >&2; cat "$work"/* >&2; exit 1; }

"$1" bench serve --rounds 2 --round-time 50ms --connections 2 --ahead 2 --sockets 5 --subscriptions 3 \
  --part convex --json "$work/figures" >"$work/table" 2>"$work/progress" || fail "it failed"
for name in 'mutations over HTTP' 'document_deltas' 'subscriptions'; do
  grep -q "^$name, " "$work/table" || fail "no line for $name"
  grep -q "\"name\":\"$name\",\"unit\":\"[a-z ]*\",\"median\":[1-9]" "$work/figures" || fail "no figure for $name"
done
grep -q '"memory_bytes":[1-9]' "$work/figures" || fail "no memory"
grep -q 'round 2 of 2' "$work/progress" || fail "no progress"

# refused PATTERN ARGUMENT...: status 2 and a message.
refused() {
  pattern=$1; shift
  status=0
  "$1" bench serve "$2" "$3" >"$work/refused" 2>&1 || status=$?
  [ $status -eq 2 ] && grep -q -e "$pattern" "$work/refused" || fail "'$*' ended with $status"
}
refused 'too small' "$1" --rounds 0
refused '10ms to 1min' "$1" --round-time 1ms
refused 'above\|at most\|large\|9000' "$1" --sockets 9001
refused 'convex or powersync' "$1" --part service
refused 'needs --part' "$1" --json "$work/figures"

"$1" bench serve --part powersync --rows 300 --streams 50 --rounds 1 --round-time 200ms --json "$work/figures" \
  >"$work/table" 2>"$work/progress" || fail "the part powersync failed"
for name in 'start to first complete checkpoint' 'initial replication' 'initial sync of one client' 'connections, 8 clients' \
  '2000 commits/s to 1 stream' '100 commits/s to 10 streams' 'as many commits as go, 50 streams'; do
  grep -q "^$name, " "$work/table" || fail "no line for $name"
  grep -q "\"name\":\"$name\",\"unit\":\"[a-z A-Z]*\",\"median\":[1-9]" "$work/figures" || fail "no figure for $name"
done
grep -q '"name":"100 commits/s to 10 streams".*"delay_us":{"median":[1-9]' "$work/figures" || fail "no delay"
grep -q '200 streams' "$work/table" && fail "more streams than were asked for"
exit 0
