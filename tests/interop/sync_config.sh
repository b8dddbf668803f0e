#!/bin/sh
# Sync configs of the mock service against the real service's evaluator. Usage: sync_config.sh [legacy] CASES_PROGRAM [COUNT [SEED]]
# legacy: editions 1 and 2.
set -eu
command -v node >/dev/null || { echo "sync config: skipped: there is no node"; exit 0; }
[ -d deps/node_modules/@powersync/service-sync-rules ] || { echo "sync config: skipped: there is no deps/node_modules/@powersync/service-sync-rules"; exit 0; }
comparison=sync_config.mjs
[ "$1" != legacy ] || { comparison=sync_config_legacy.mjs; shift; }
exec node "tests/interop/$comparison" "$PWD/deps/node_modules" "$@"
