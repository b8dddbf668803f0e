#!/bin/sh
# `syncline serve`: the npm package `convex` and plain HTTP requests against it, on loopback; wrong use; the end by
# a signal. Usage: serve.sh SYNCLINE
set -eu
syncline=$1
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill -KILL "$server" 2>/dev/null; rm -rf "$work"' EXIT
fail() { echo "serve: $*" >&2; cat "$work/log" >&2; exit 1; }

# refused PATTERN ARGUMENT...: status 2 and a message.
refused() {
  pattern=$1; shift
  status=0
  "$syncline" serve "$@" >"$work/log" 2>&1 || status=$?
  [ $status -eq 2 ] || fail "'serve $*' ended with $status"
  grep -q -e "$pattern" "$work/log" || fail "'serve $*' does not say '$pattern'"
}
refused 'serve where'
refused 'x.yaml' --convex 127.0.0.1:0 --faults x.yaml
printf -- '- {at: "GET /", do: rest}\n' >"$work/bad.yaml"
refused 'bad.yaml:1:21: .*did you mean' --convex 127.0.0.1:0 --faults "$work/bad.yaml"
printf 'powersync: [{at: "GET /", do: reset}]\n' >"$work/bad.yaml"
refused 'rules for powersync' --convex 127.0.0.1:0 --faults "$work/bad.yaml"
refused 'no address' --convex 3210
refused 'no numeric address' --convex example:3210
refused 'no address' --convex 127.0.0.1:0 --issuer 4000
refused 'no app' --convex 127.0.0.1:0 --app nothing
refused 'either --app or --backend' --convex 127.0.0.1:0 --app todo --backend backends/todo.yaml
refused 'missing.yaml: No such file' --convex 127.0.0.1:0 --backend missing.yaml
printf 'tables: {pets: {}}\nfunctions:\n  pets:all:\n    query:\n      - {collect: pest, as: all}\n' >"$work/bad.yaml"
refused 'bad.yaml:5:19: there is no table `pest`' --convex 127.0.0.1:0 --backend "$work/bad.yaml"

start() {
  "$syncline" serve "$@" >"$work/log" 2>&1 &
  server=$!
  for _ in $(seq 100); do
    grep -q 'reach it' "$work/log" && break
    kill -0 "$server" 2>/dev/null || fail "it ended at once"
    sleep 0.1
  done
  url=$(sed -n 's/^convex  *//p' "$work/log")
  key=$(sed -n 's/^deploy key  *//p' "$work/log")
  [ -n "$url" ] && [ -n "$key" ] || fail "it does not print address and key"
}

# stop SIGNAL: a clean end.
stop() {
  status=0
  kill "-$1" "$server"
  wait "$server" || status=$?
  server=
  [ $status -eq 0 ] || fail "it ended with $status after $1"
}

start --convex 127.0.0.1:0 --seed 5
grep -q 'Only this machine' "$work/log" || fail "it does not say who can reach it"
grep -q '^tables .*lists.*todos' "$work/log" || fail "it does not print the tables"
grep -q '^functions .*todo:getList' "$work/log" || fail "it does not print the functions"

# A second one on the same port is refused by the system.
status=0
"$syncline" serve --convex "${url#http://}" >"$work/second" 2>&1 || status=$?
[ $status -eq 3 ] && grep -q 'cannot serve' "$work/second" || fail "a taken port gave status $status"

if command -v node >/dev/null; then
  [ ! -d deps/node_modules/convex ] ||
    node tests/commands/serve.mjs "$url" "$PWD/deps/node_modules" >>"$work/log" 2>&1 || fail "the convex client failed"
  node tests/commands/serve_raw.mjs "$url" "$key" >>"$work/log" 2>&1 || fail "plain requests failed"
else
  echo "serve: no node: only the command itself was tested" >&2
fi
kill -0 "$server" 2>/dev/null || fail "it is gone"
stop TERM
start --convex 127.0.0.1:0 --issuer 127.0.0.1:0
issuer=$(sed -n 's/^issuer  *//p' "$work/log")
[ -n "$issuer" ] || fail "it does not print the issuer's address"
if command -v node >/dev/null && [ -d deps/node_modules/convex ]; then
  node tests/commands/serve_auth.mjs "$url" "$issuer" "$PWD/deps/node_modules" >>"$work/log" 2>&1 ||
    fail "the convex client with tokens failed"
fi
stop INT

# A backend of one's own: what it declares is printed and can be called.
start --convex 127.0.0.1:0 --backend backends/webhooks.yaml
grep -q '^tables  *deliveries orders$' "$work/log" || fail "it does not print the backend's tables"
grep -q '^functions .*payments:record' "$work/log" || fail "it does not print the backend's functions"
grep -q '^route  *POST /payments -> hooks:receive$' "$work/log" || fail "it does not print the backend's routes"
if command -v curl >/dev/null; then
  for expected in recorded 'seen before'; do
    answer=$(curl -sS -H 'x-delivery-id: d1' -d '{"order":"o1","amount":5}' "$url/http/payments")
    [ "$answer" = "$expected" ] || fail "the webhook answered '$answer', not '$expected'"
  done
  curl -sS -H 'content-type: application/json' -d '{"path":"orders:get","args":{"number":"o1"},"format":"json"}' \
    "$url/api/query" | grep -q '"paid":5.0' || fail "the order is not there"
else
  echo "serve: no curl: the backend was not called" >&2
fi
stop TERM
