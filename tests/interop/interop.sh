#!/bin/sh
# The npm package `convex` against `syncline serve`: every tests/interop/*_client.mjs, each with a server of its own.
# Usage: interop.sh SYNCLINE [CLIENT]...
set -eu
SYNCLINE=$1; shift
command -v node >/dev/null || { echo "interop: skipped: there is no node"; exit 0; }
[ -d deps/node_modules/convex ] || { echo "interop: skipped: there is no deps/node_modules/convex"; exit 0; }
export SYNCLINE
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ $# -gt 0 ] || set -- http reactive reconnect auth
for client in "$@"; do
  timeout 120 node "tests/interop/${client}_client.mjs" "$PWD/deps/node_modules" >"$work/$client" 2>&1 ||
    { echo "interop: $client failed" >&2; cat "$work/$client" >&2; exit 1; }
  cat "$work/$client"
done
