#!/bin/sh
# The same scenario and seed give the same trace: in other worker processes, and with another build of the program.
# And a control, so that this test can fail: one bit of one network delay is changed, and the traces must differ.
# Usage: determinism.sh SYNCLINE [OTHER_BUILD_OF_SYNCLINE]
set -eu
syncline=$1
other=${2:-$1}
seeds=1-6
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# traces SYNCLINE FOLDER ARGUMENTS...: a line "scenario seed hash" for each run, sorted.
traces() {
  program=$1; folder=$out/$2; shift 2
  "$program" run scenarios/smoke --out "$folder" "$@" >"$folder.log" 2>&1 || { cat "$folder.log"; exit 1; }
  sed -n 's/^{"scenario":"\([^"]*\)","file":"[^"]*","seed":\([0-9]*\),.*"trace_hash":"\([0-9a-f]*\)".*/\1 \2 \3/p' \
    "$folder/results.jsonl" | sort >"$folder.hashes"
  [ -s "$folder.hashes" ] || { echo "no trace hashes in $folder/results.jsonl"; exit 1; }
}

traces "$syncline" first --seeds $seeds -j 2
traces "$other" second --seeds $seeds -j 1
if ! diff "$out/first.hashes" "$out/second.hashes"; then
  echo "the same seeds gave other traces"
  exit 1
fi
traces "$other" control --seeds $seeds -j 2 --flip-delay 1
if [ "$(comm -12 "$out/first.hashes" "$out/control.hashes" | wc -l)" -ne 0 ]; then
  echo "one bit of one delay was changed, and some traces are still equal:"
  comm -12 "$out/first.hashes" "$out/control.hashes"
  exit 1
fi
echo "$(wc -l <"$out/first.hashes") traces equal; the control differs in each"
