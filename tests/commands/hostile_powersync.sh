#!/bin/sh
# Bad input against `syncline serve --powersync` on loopback (hostile_powersync.mjs). Usage: hostile_powersync.sh SYNCLINE
set -eu
syncline=$1
command -v node >/dev/null || { echo "hostile_powersync: skipped: there is no node"; exit 0; }
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill -KILL "$server" 2>/dev/null; rm -rf "$work"' EXIT
# Freed memory counts as gone also under AddressSanitizer.
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}quarantine_size_mb=1
export ASAN_OPTIONS
"$syncline" serve --convex 127.0.0.1:0 --powersync 127.0.0.1:0 --issuer 127.0.0.1:0 >"$work/log" 2>&1 &
server=$!
for _ in $(seq 100); do
  grep -qs 'reach it' "$work/log" && break
  sleep 0.1
done
address() { sed -n "s/^$1  *//p" "$work/log"; }
status=0
timeout 240 node tests/commands/hostile_powersync.mjs "$(address powersync)" "$(address convex)" "$(address issuer)" "$server" "$PWD/deps/node_modules" || status=$?
kill -TERM "$server" 2>/dev/null || true
ended=0
wait "$server" || ended=$?
server=
if [ $status -ne 0 ] || [ $ended -ne 0 ]; then
  echo "hostile_powersync: the test ended with $status, the server with $ended" >&2
  tail -20 "$work/log" >&2
  exit 1
fi
