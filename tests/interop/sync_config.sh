#!/bin/sh
# Sync configs of the mock service against the real service's evaluator. Usage: sync_config.sh CASES_PROGRAM [COUNT [SEED]]
set -eu
command -v node >/dev/null || { echo "sync config: skipped: there is no node"; exit 0; }
[ -d deps/node_modules/@powersync/service-sync-rules ] || { echo "sync config: skipped: there is no deps/node_modules/@powersync/service-sync-rules"; exit 0; }
exec node tests/interop/sync_config.mjs "$PWD/deps/node_modules" "$@"
