#!/bin/sh
# `syncline serve --faults`: what the npm package `convex` and plain requests meet, and the counts at the end.
# Usage: faults.sh SYNCLINE
set -eu
syncline=$1
command -v node >/dev/null && [ -d deps/node_modules/convex ] || { echo "faults: no node or no convex package"; exit 0; }
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill -KILL "$server" 2>/dev/null; rm -rf "$work"' EXIT
fail() { echo "faults: $*" >&2; cat "$work/log" "$work/client" >&2; exit 1; }

# start FILE
start() {
  : >"$work/log"
  : >"$work/client"
  "$syncline" serve --convex 127.0.0.1:0 --faults "$1" --verbose >"$work/log" 2>&1 &
  server=$!
  for _ in $(seq 100); do
    grep -q 'reach it' "$work/log" && break
    kill -0 "$server" 2>/dev/null || fail "it ended at once"
    sleep 0.1
  done
  url=$(sed -n 's/^convex  *//p' "$work/log")
  key=$(sed -n 's/^deploy key  *//p' "$work/log")
}
stop() {
  kill -TERM "$server"
  wait "$server" || fail "it ended badly"
  server=
}
# commits N: so many were noted.
commits() {
  seen=$(grep -c 'committed' "$work/log")
  [ "$seen" -eq "$1" ] || fail "$seen commits"
}

start tests/commands/faults.yaml
node tests/commands/faults.mjs "$url" "$key" "$PWD/deps/node_modules" >"$work/client" 2>&1 || fail "a client failed"
stop
for line in 'lost: 1 of 10' 'conflict: 1 of 10' 'proxy: 1 of 10' 'empty: 1 of 10' 'old: 1 of 10' \
  'redacted: 1 of 10' 'late: 1 of 10' 'twice: 1 of 10' 'broken: 1 of 10'; do
  grep -q "^convex: $line\$" "$work/log" || fail "the counts do not say '$line'"
done
# lost, lost again, late, and twice's two. One more would be a mutation that should not have run.
commits 5

# ConvexClient: six mutations over sockets that keep closing, and six commits.
start tests/commands/faults_socket.yaml
node tests/commands/faults_socket.mjs "$url" "$PWD/deps/node_modules" >"$work/client" 2>&1 || fail "ConvexClient failed"
stop
for rule in before during answer reset transition refused; do
  grep -q "^convex: $rule: [1-9]" "$work/log" || fail "the rule $rule never struck"
done
commits 6
