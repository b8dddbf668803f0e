#!/bin/sh
# The npm package `convex` against a deployment on real sockets: every tests/interop/*_client.mjs, each with a
# server of its own. Usage: interop.sh INTEROP_SERVER [CLIENT]...
set -eu
server_program=$1; shift
command -v node >/dev/null || { echo "interop: skipped: there is no node"; exit 0; }
[ -d deps/node_modules/convex ] || { echo "interop: skipped: there is no deps/node_modules/convex"; exit 0; }
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill -KILL "$server" 2>/dev/null; rm -rf "$work"' EXIT
[ $# -gt 0 ] || set -- http reactive reconnect auth
for client in "$@"; do
  SYNCLINE_SERVER=$server_program
  export SYNCLINE_SERVER
  timeout 120 node "tests/interop/${client}_client.mjs" "$PWD/deps/node_modules" >"$work/$client" 2>&1 ||
    { echo "interop: $client failed" >&2; cat "$work/$client" >&2; exit 1; }
  cat "$work/$client"
done
