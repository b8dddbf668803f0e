#!/bin/sh
# `syncline serve --powersync`: alone and beside --convex, by service.yaml and without, from a deployment behind TLS;
# faults at its door, wrong use, the end by a signal. Usage: serve_powersync.sh SYNCLINE
set -eu
syncline=$1
work=$(mktemp -d)
servers=
trap 'for each in $servers; do kill -KILL "$each" 2>/dev/null || true; done; rm -rf "$work"' EXIT
fail() { echo "serve_powersync: $*" >&2; cat "$work"/*.log >&2; exit 1; }

# refused PATTERN ARGUMENT...: status 2 and a message.
refused() {
  pattern=$1; shift
  status=0
  "$syncline" serve "$@" >"$work/refused.log" 2>&1 || status=$?
  [ $status -eq 2 ] || fail "'serve $*' ended with $status"
  grep -q -e "$pattern" "$work/refused.log" || fail "'serve $*' does not say '$pattern'"
}
yaml() { printf "$1" >"$work/service.yaml"; }
connection='replication: {connections: [{type: convex, deployment_url: "http://127.0.0.1:1", deploy_key: "dev:a|b"}]}\n'

refused 'serve where' --issuer 127.0.0.1:0
refused 'needs --config' --powersync 127.0.0.1:0
refused 'goes with --powersync' --convex 127.0.0.1:0 --config x.yaml
refused 'go with --convex' --powersync 127.0.0.1:0 --config x.yaml --app todo
refused 'none.yaml: No such file' --powersync 127.0.0.1:0 --config "$work/none.yaml"
yaml "${connection}prot: 1\n"
refused 'service.yaml:2:1: prot: unknown key' --powersync 127.0.0.1:0 --config "$work/service.yaml"
yaml "${connection}sync_config: {path: streams.yaml}\n"
refused 'streams.yaml: No such file' --powersync 127.0.0.1:0 --config "$work/service.yaml"
printf 'config: {edition: 3}\nstreams:\n  a: {query: SELEC 1}\n' >"$work/streams.yaml"
refused 'streams.yaml:3:' --powersync 127.0.0.1:0 --config "$work/service.yaml"
yaml 'replication: {connections: [{type: convex, deployment_url: convex}]}\nsync_config: {content: "config: {edition: 3}\\nstreams: {a: {query: SELECT * FROM t}}"}\n'
refused 'there is none' --powersync 127.0.0.1:0 --config "$work/service.yaml"
refused 'no numeric address' --convex 127.0.0.1:0 --powersync localhost:1

# start NAME ARGUMENT...: in the background, until it is ready; its output is NAME.log, its process $started.
start() {
  name=$1; shift
  "$syncline" serve "$@" >"$work/$name.log" 2>&1 &
  started=$!
  servers="$servers $started"
  for _ in $(seq 200); do
    grep -qs 'reach it' "$work/$name.log" && return
    kill -0 "$started" 2>/dev/null || fail "$name ended at once"
    sleep 0.05
  done
  fail "$name is not ready"
}
address() { sed -n "s/^$2  *//p" "$work/$1.log"; }
# stop PROCESS: a clean end.
stop() {
  status=0
  kill -TERM "$1"
  wait "$1" || status=$?
  [ $status -eq 0 ] || fail "it ended with $status"
}

command -v node >/dev/null || { echo "serve_powersync: no node: only the command itself was tested" >&2; exit 0; }
check() { node tests/commands/serve_powersync.mjs "$@" >"$work/check.log" 2>&1 || fail "check $1 failed"; }

# Without a config: the app's streams, tokens from the issuer. With a backend file: all its tables.
printf 'powersync:\n  - {at: "GET /write-checkpoint2.json", nth: 1, do: {answer: {status: 503}}}\n' >"$work/faults.yaml"
start both --convex 127.0.0.1:0 --powersync 127.0.0.1:0 --issuer 127.0.0.1:0 --faults "$work/faults.yaml"
both=$started
grep -q '^started in [0-9.]* ms$' "$work/both.log" || fail "it does not print how long it took to start"
check todo "$(address both powersync)" "$(address both convex)" "$(address both issuer)"
stop $both
grep -q '^powersync: answer at GET /write-checkpoint2.json: 1 of 2$' "$work/both.log" || fail "the rule's count is not printed"
start backend --convex 127.0.0.1:0 --powersync 127.0.0.1:0 --issuer 127.0.0.1:0 --backend backends/notes.yaml
check tables "$(address backend powersync)" "$(address backend convex)" "$(address backend issuer)"
stop $started

# By a config beside the deployment: the issuer's key pairs, fetched from its JWKS.
cat >"$work/service.yaml" <<'YAML'
replication: {connections: [{type: convex, deployment_url: convex, polling_interval_ms: 20}]}
storage: {type: postgresql, uri: postgres://db}
sync_config: {path: streams.yaml}
client_auth: {audience: [app], jwks_uri: !env JWKS}
YAML
printf 'config: {edition: 3}\nstreams:\n  all_lists:\n    auto_subscribe: true\n    query: SELECT *, uuid AS id FROM lists\n' >"$work/streams.yaml"
start issuer --convex 127.0.0.1:0 --issuer 127.0.0.1:0
issuer=$(address issuer issuer)
JWKS=$issuer/.well-known/jwks.json start keys --convex 127.0.0.1:0 --powersync 127.0.0.1:0 --config "$work/service.yaml"
grep -q "^note  *$work/service.yaml:2:11: type: there is no such storage here" "$work/keys.log" || fail "no note about the storage"
check keys "$(address keys powersync)" "$(address keys convex)" "$issuer"
stop $started

# A deployment behind TLS: only with a certificate that is trusted.
if command -v openssl >/dev/null; then
  openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/key.pem" -out "$work/certificate.pem" -days 2 -subj /CN=test \
    -addext 'subjectAltName=IP:127.0.0.1' >/dev/null 2>&1 || fail "openssl made no certificate"
  start convex --convex 127.0.0.1:0 --issuer 127.0.0.1:0
  node tests/commands/tls_proxy.mjs "$(address convex convex)" "$work/key.pem" "$work/certificate.pem" >"$work/tls.log" 2>&1 &
  servers="$servers $!"
  for _ in $(seq 100); do [ -s "$work/tls.log" ] && break; sleep 0.05; done
  export TLS_URL TLS_KEY
  TLS_URL=$(cat "$work/tls.log") TLS_KEY=$(address convex 'deploy key')
  cat >"$work/service.yaml" <<'YAML'
replication:
  connections: [{type: convex, deployment_url: !env TLS_URL, deploy_key: !env TLS_KEY, polling_interval_ms: 20}]
sync_config: {path: streams.yaml}
client_auth: {audience: [powersync], jwks: {keys: [{kty: oct, kid: syncline, alg: HS256, k: c3luY2xpbmU}]}}
YAML
  start untrusting --powersync 127.0.0.1:0 --config "$work/service.yaml" --verbose
  check refused "$(address untrusting powersync)" "$(address convex convex)" "$(address convex issuer)"
  stop $started
  SSL_CERT_FILE=$work/certificate.pem
  export SSL_CERT_FILE
  port=$(node -e 'const s=require("net").createServer().listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})')
  printf 'telemetry: {prometheus_port: %s}\n' "$port" >>"$work/service.yaml"
  start trusting --powersync 127.0.0.1:0 --config "$work/service.yaml"
  check lists "$(address trusting powersync)" "$(address convex convex)" "$(address convex issuer)"
  [ "$(address trusting metrics)" = "http://127.0.0.1:$port/metrics" ] || fail "it does not say where its metrics are"
  check metrics "$(address trusting powersync)" "$(address trusting metrics)" none
  stop $started
else
  echo "serve_powersync: no openssl: TLS was not tested" >&2
fi
